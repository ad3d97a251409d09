#!/usr/bin/env python3
"""Trains the rollers' policy: PPO on what LAMMPS recorded, on a smaller table than the experiment's.

`./run train rollers` starts it; see README.md.
"""

import argparse
from pathlib import Path

from common.engine import simulate
from common.ppo import Settings, train

from contract import ACTIONS, CONTRACT, OBSERVATIONS

HERE = Path(__file__).resolve().parent

#: half of the experiment's rollers and balls, on half of its area, and so a shorter way
TABLE = {"rollers": 120, "balls": 1000, "table": 60, "inner": 40, "outer": 56, "decisions": 105}
SETTINGS = Settings(iterations=70, discount=0.98, smoothing=0.97, rate=3e-3, hidden=48, lstm=48, log_std=-0.5)


#: Left and right are alike, and so a rule of the road is hard to come by. As a weak field makes a
#: magnet choose, a bonus for going anticlockwise is there at the beginning, and gone after a while.
RULE, TAUGHT = 1.0, 40  #: per radius, at the start; iterations until it is nothing


def episode(policy: Path, folder: Path, seed: int) -> None:
    """One episode of rollers that `policy` drives, drawn with `seed`, recorded into `folder`."""
    iteration = seed % 1000
    variables = {"rule": RULE * max(0.0, 1 - iteration / TAUGHT), "contestant": "policy", "seed": seed, "policies": policy.parent,
                 "training": "yes", "record": folder, "out": folder.parent, **TABLE}
    folder.parent.mkdir(parents=True, exist_ok=True)
    simulate(HERE / "rollers.in", variables, folder.parent / "log.lammps", ranks=1)


def main() -> None:
    """Trains and writes the policy file and the learning curve."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=0, help="of everything random (default 0)")
    parser.add_argument("--iterations", type=int, default=SETTINGS.iterations,
                        help=f"how many episodes to learn from (default {SETTINGS.iterations})")
    parser.add_argument("--output", type=Path, default=HERE.parent.parent / "build" / "rollers",
                        help="folder for what comes out (default: build/rollers)")
    options = parser.parse_args()
    settings = Settings(**{**vars(SETTINGS), "iterations": options.iterations})
    train(episode, CONTRACT, (OBSERVATIONS, ACTIONS), settings, options.output.resolve(),
          "rollers", options.seed)


if __name__ == "__main__":
    main()
