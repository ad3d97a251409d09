#!/usr/bin/env python3
"""The rollers: six drivers on the same tables, and who gets across.

Success was fixed before any run: at the end of its episode a roller is within 5 radii of its own
goal, which is the place opposite to where it started. Beside that, the time until a roller is first
that near (the whole episode for one that never is), and how far the balls have been moved.
`./run experiment rollers` starts this, with system Python, numpy and matplotlib.
"""

import shutil
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.contest import parser, spread, table, write_results
from common.dump import read_dump
from common.engine import EngineError, report, simulate

from contract import BEACON, DECISION, TIMING
from controls import write_controls
from draw import CONTESTANTS, Scene, write_drawings

HERE = Path(__file__).resolve().parent
SEEDS = 4
DECISIONS = 150  #: an episode's
THRESHOLD = 5.0  #: radii
WATCH = 2  #: decisions from one frame of the balls to the next
COLUMNS = {"rollers that arrive": "{mean:.1f} % ± {std:.1f}",
           "time until then": "{mean:.0f} ± {std:.0f}",
           "a ball is moved by": "{mean:.1f} ± {std:.1f}"}


class Outcome(NamedTuple):
    """What one episode comes to."""

    near: np.ndarray  #: (decisions + 1, rollers), within the threshold of the own goal
    moved: float  #: radii, mean over the balls, from start to end

    def arrived(self) -> float:
        """Per cent of the rollers that are at their goals at the end."""
        return 100 * float(self.near[-1].mean())

    def delay(self) -> float:
        """Mean time until a roller is first at its goal."""
        first = np.where(self.near.any(0), self.near.argmax(0), DECISIONS)
        return float(first.mean()) * DECISION


def episode(output: Path, policy: Path, contestant: str, seed: int, ranks: int) -> Scene:
    """Runs one episode in LAMMPS, and returns who went where."""
    label = f"  table {seed}, {contestant:<12}"
    name = f"{contestant}-{seed}"
    variables = {"seed": seed, "contestant": contestant, "policies": policy.parent,
                 "controls": output, "out": output, "decisions": DECISIONS,
                 "interval": TIMING["decision_interval"], "threshold": THRESHOLD, "beacon": BEACON,
                 # the movie is of the first table; of others only first and last count
                 "watch": WATCH if seed == 1 else DECISIONS}

    def status(numbers: list[float]) -> str | None:
        if len(numbers) != 7:
            return None
        decision = int(numbers[0]) // TIMING["decision_interval"]
        return f"decision {decision:3d} of {DECISIONS}, {100 * numbers[1]:5.1f} % at their goals"

    seconds = simulate(HERE / "rollers.in", variables, output / f"{name}.log", ranks=ranks,
                       label=label, status=status)
    rollers = read_dump(output / f"{name}.trails")
    balls = read_dump(output / f"{name}.balls")
    scene = Scene(rollers[:, :, 1:3], balls[:, :, 1:3], rollers[0, :, 4:6], THRESHOLD)
    report(f"{label} {100 * scene.near()[-1].mean():5.1f} % arrived, {seconds:.0f} s")
    return scene


def compete(output: Path, policy: Path, seeds: int, ranks: int) -> tuple[dict, dict]:
    """All contestants on all tables: outcomes (by name, of each table), scenes of the first."""
    outcomes: dict[str, list[Outcome]] = {name: [] for name in CONTESTANTS}
    scenes: dict[str, Scene] = {}
    for seed in range(1, seeds + 1):
        for name in CONTESTANTS:
            scene = episode(output, policy, name, seed, ranks)
            scenes.setdefault(name, scene)
            way = np.linalg.norm(scene.balls[-1] - scene.balls[0], axis=-1)
            outcomes[name].append(Outcome(scene.near(), float(way.mean())))
    return outcomes, scenes


def main() -> int:
    """Runs the experiment; returns the exit status."""
    options = parser(__doc__.split("\n")[0], "rollers", SEEDS).parse_args()
    output = options.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    policy = (options.policy or HERE / "rollers.policy.h5").resolve()
    begin = time.monotonic()
    print(f"Rollers cross a table of loose balls. Arrived means: after {DECISIONS} decisions "
          f"within {THRESHOLD:g} radii of one's own goal.", flush=True)
    write_controls(output)
    # the deck looks for the policy under its own name
    driver = output / "driver" / "rollers.policy.h5"
    driver.parent.mkdir(exist_ok=True)
    shutil.copyfile(policy, driver)
    try:
        outcomes, scenes = compete(output, driver, options.seeds, options.ranks)
    except EngineError as error:
        print(f"\nrun.py: {error}", file=sys.stderr)
        return 1
    rows = {name: {"arrived": spread(np.array([each.arrived() for each in all_tables])),
                   "time": spread(np.array([each.delay() for each in all_tables])),
                   "moved": spread(np.array([each.moved for each in all_tables]))}
            for name, all_tables in outcomes.items()}
    first = scenes["none"]
    summary = {"rollers": first.rollers.shape[1], "balls": first.balls.shape[1],
               "decisions": DECISIONS, "threshold": THRESHOLD, "beacon": BEACON,
               "seeds": options.seeds, "ranks": options.ranks, "results": rows}
    text = table(COLUMNS, {CONTESTANTS[name].label: row for name, row in rows.items()})
    write_results(output, summary, text)
    print(f"{options.seeds} table(s), {options.ranks} MPI ranks, {time.monotonic() - begin:.0f} s",
          flush=True)
    near = {name: np.array([each.near for each in tables]) for name, tables in outcomes.items()}
    write_drawings(output, scenes, near)
    print(f"picture: {output / 'picture.png'}\nmovie: {output / 'movie.gif'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
