#!/usr/bin/env python3
"""The hopper: eight contestants in the same beds; a table, a picture and a movie.

The measures were fixed before any policy ran: how many grains come out in 300 decisions, what share
of the time the outlet is clogged (no grain in the last 10 decisions), and the effort, the mean push
of an agent as a share of the largest. Start it by `./run experiment hopper`.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from common.contest import parser, spread, table, write_results
from common.engine import EngineError, report, simulate
from draw import CURVES, draw_movie, draw_picture

HERE = Path(__file__).resolve().parent
SEEDS = 6
DECISIONS = 300
INTERVAL = 100  #: steps from one decision to the next
PATIENCE = 10  #: decisions without a grain that count as a clog
FILMED = ("none", "policy")  #: whose first bed is drawn
COLUMNS = {
    "grains discharged": "{mean:.0f} ± {std:.0f}",
    "time clogged": "{mean:.0%} ± {std:.0%}",
    "effort": "{mean:.2%} ± {std:.2%}",
}


@dataclass(frozen=True)
class Episode:
    """One contestant in one bed; shapes (DECISIONS + 1)."""

    discharged: np.ndarray  #: grains that have come out by each decision
    effort: np.ndarray  #: mean push of an agent at each decision, 1 is the largest

    def clogged(self) -> float:
        """Share of the time, after the first `PATIENCE` decisions, in which no grain had come."""
        return float(np.mean(self.discharged[PATIENCE:] - self.discharged[:-PATIENCE] < 1))

    def measures(self) -> tuple[float, float, float]:
        """In the order of `COLUMNS`."""
        return float(self.discharged[-1]), self.clogged(), float(self.effort[1:].mean())


def read_log(path: Path) -> Episode:
    """What the thermo lines of the last run in a log of hopper.in say."""
    lines = path.read_text().split("c_effort")[-1].splitlines()[1:]
    rows = np.array([line.split() for line in lines[: DECISIONS + 1]], float)
    return Episode(rows[:, 1], rows[:, 2])


def play(options: argparse.Namespace, contestant: str, seed: int) -> Episode:
    """Runs one contestant in one bed."""
    log = options.output / f"{contestant}-{seed}.log"
    variables = {
        "seed": seed, "contestant": contestant, "out": options.output, "decisions": DECISIONS,
        "interval": INTERVAL, "policy": options.policy,
        "movie": INTERVAL if seed == 1 and contestant in FILMED else 0,
    }
    label = f"  bed {seed}, {contestant:<11}"

    def status(numbers: list[float]) -> str | None:
        if len(numbers) != 3 or numbers[0] % INTERVAL:
            return None
        return f"decision {numbers[0] / INTERVAL:3.0f} of {DECISIONS}, {numbers[1]:4.0f} grains"

    seconds = simulate(HERE / "hopper.in", variables, log, ranks=options.ranks, label=label,
                       status=status)
    episode = read_log(log)
    grains, clogged, effort = episode.measures()
    report(f"{label} {grains:4.0f} grains, clogged {clogged:4.0%} of the time, effort {effort:6.2%}"
           f", {seconds:.0f} s")
    return episode


def summarise(options: argparse.Namespace, episodes: dict[str, list[Episode]]) -> dict:
    """What summary.json holds; deviations are over the beds."""
    results = {}
    for name, played in episodes.items():
        values = np.array([episode.measures() for episode in played])
        results[name] = {key: spread(column)
                         for key, column in zip(("discharged", "clogged", "effort"), values.T,
                                                strict=True)}
    return {"seeds": options.seeds, "ranks": options.ranks, "decisions": DECISIONS,
            "patience": PATIENCE, "contestants": results}


def main() -> int:
    """Runs the experiment; returns the exit status."""
    options = parser(__doc__.split("\n")[0], "hopper", SEEDS).parse_args()
    options.output = options.output.resolve()
    options.output.mkdir(parents=True, exist_ok=True)
    options.policy = (options.policy or HERE / "hopper.policy.h5").resolve()
    begin = time.monotonic()
    episodes: dict[str, list[Episode]] = {name: [] for name in CURVES}
    try:
        for seed in range(1, options.seeds + 1):
            for name, played in episodes.items():
                played.append(play(options, name, seed))
    except EngineError as error:
        print(f"\nrun.py: {error}", file=sys.stderr)
        return 1
    summary = summarise(options, episodes)
    rows = {CURVES[name][1]: result for name, result in summary["contestants"].items()}
    write_results(options.output, summary, table(COLUMNS, rows))
    print(f"{options.seeds} bed(s), {options.ranks} MPI ranks, {time.monotonic() - begin:.0f} s")
    curves = {name: np.array([episode.discharged for episode in played])
              for name, played in episodes.items()}
    scenes = {name: options.output / f"{name}-1.dump" for name in FILMED}
    draw_picture(options.output / "picture.png", scenes, curves)
    draw_movie(options.output / "movie.gif", scenes, {name: curves[name][0] for name in FILMED})
    print(f"picture: {options.output / 'picture.png'}\nmovie: {options.output / 'movie.gif'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
