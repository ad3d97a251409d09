#!/usr/bin/env python3
"""Burrow: intruders that are told a height to keep in a shaken bed, and who keeps it.

Measured over the second half of the episode, as means over intruders and decisions: the distance of
an intruder from the height that it was told; the same of its height averaged over a period of the
shaking, which leaves out how it bounces; and its effort, the size of its push as a share of the
largest. `./run experiment burrow` sets what common/engine.py takes from the environment.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from bed import settled_bed
from common.contest import parser, spread, table, write_results
from common.dump import first_step, read_dump
from common.engine import EngineError, report, simulate
from draw import CONTESTANTS, PERIOD, draw_movie, draw_picture

HERE = Path(__file__).resolve().parent
SIDE, AGENTS, GRAINS = 36.0, 81, 9400
DECISIONS = 240
INTERVAL = 50  #: steps of a decision
MEASURES = "distance", "mean_distance", "effort"
COLUMNS = {"distance (grain diameters)": "{mean:.2f} ± {std:.2f}",
           "of the height over a period": "{mean:.2f} ± {std:.2f}",
           "effort (%)": "{mean:.0f} ± {std:.0f}"}


def measure(trails: np.ndarray) -> tuple[float, float, float]:
    """MEASURES of one episode, effort in percent; `trails` (decisions + 1, agents, columns)."""
    late = slice(DECISIONS // 2, DECISIONS)
    height, told, push = (trails[late, :, column] for column in (3, 4, 5))
    mean = height.reshape(-1, PERIOD, height.shape[1]).mean(1)
    return (float(np.abs(height - told).mean()), float(np.abs(mean - told[0]).mean()),
            float(100 * push.mean()))


def by_height(trails: np.ndarray) -> list[float]:
    """Distance as in MEASURES of those who were told each height, the lowest first."""
    late = slice(DECISIONS // 2, DECISIONS)
    away, told = np.abs(trails[late, :, 3] - trails[late, :, 4]).mean(0), trails[0, :, 4]
    return [float(away[told == height].mean()) for height in np.unique(told)]


def status(numbers: list[float]) -> str | None:
    """How far a run has come, if `numbers` are those of one of its thermo lines."""
    if len(numbers) != 3:
        return None
    step, far, effort = numbers
    return (f"period {step / 1000:4.1f} of {DECISIONS // PERIOD}, {far:4.1f} diameters from where "
            f"they should be, {100 * effort:3.0f} % effort")


def episode(options: argparse.Namespace, contestant: str, seed: int, bed: Path) -> np.ndarray:
    """Runs one contestant in one bed; returns its trails (decisions + 1, agents, columns)."""
    out = options.output / f"{contestant}-{seed}"
    label = f"  bed {seed}, {contestant:<13}"
    variables = {"bed": bed, "contestant": contestant, "policy": options.policy, "out": out,
                 "seed": seed, "decisions": DECISIONS}
    seconds = simulate(HERE / "burrow.in", variables, out.with_suffix(".log"), ranks=options.ranks,
                       label=label, status=status)
    trails = read_dump(Path(f"{out}.trails"))
    distance, _, effort = measure(trails)
    report(f"{label} {distance:.2f} diameters away, {effort:.0f} % effort, {seconds:.0f} s")
    return trails


def compete(options: argparse.Namespace) -> dict[str, np.ndarray]:
    """Trails (beds, decisions + 1, agents, columns) of each contestant."""
    trails: dict[str, list[np.ndarray]] = {name: [] for name in CONTESTANTS}
    for seed in range(1, options.seeds + 1):
        bed = settled_bed(options.output, SIDE, AGENTS, GRAINS, seed, options.ranks)
        for name, all_beds in trails.items():
            all_beds.append(episode(options, name, seed, bed))
    return {name: np.array(beds) for name, beds in trails.items()}


def main() -> int:
    """Runs the experiment; returns the exit status."""
    options = parser(__doc__.split("\n")[0], "burrow", seeds=3).parse_args()
    options.output = options.output.resolve()
    options.output.mkdir(parents=True, exist_ok=True)
    options.policy = (options.policy or HERE / "burrow.policy.h5").resolve()
    begin = time.monotonic()
    print(f"{AGENTS} intruders in {GRAINS} grains, told to keep one of three heights for "
          f"{DECISIONS // PERIOD} periods of shaking.", flush=True)
    try:
        trails = compete(options)
    except EngineError as error:
        print(f"\nrun.py: {error}", file=sys.stderr)
        return 1
    rows, results = {}, {}
    for name, beds in trails.items():
        values = np.array([measure(bed) for bed in beds])
        rows[CONTESTANTS[name][1]] = dict(zip(MEASURES, map(spread, values.T), strict=True))
        heights = np.mean([by_height(bed) for bed in beds], axis=0).tolist()
        results[name] = {**rows[CONTESTANTS[name][1]], "distance_by_height": heights}
    summary = {"agents": AGENTS, "grains": GRAINS, "ranks": options.ranks, "seeds": options.seeds,
               "decisions": DECISIONS, "results": results}
    write_results(options.output, summary, table(COLUMNS, rows))
    starts = [first_step(options.output / f"policy-{seed}.trails") // INTERVAL
              for seed in range(1, options.seeds + 1)]
    draw_picture(options.output / "picture.png", trails, starts)
    draw_movie(options.output / "movie.gif", options.output, starts[0])
    print(f"picture: {options.output / 'picture.png'}\nmovie:   {options.output / 'movie.gif'}\n"
          f"{time.monotonic() - begin:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
