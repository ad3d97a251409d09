#!/usr/bin/env python3
"""Trains the policy of the burrowing intruders in LAMMPS: `./run train burrow`.

A smaller box than the experiment's, 36 agents in 4,200 grains; twelve settled beds are made once
and shaken again and again, each time with other heights to keep and from another phase.
"""

import argparse
from pathlib import Path

import numpy as np

from bed import settled_bed
from common.engine import simulate
from common.ppo import Settings, train

HERE = Path(__file__).resolve().parent
SIDE, AGENTS, GRAINS = 24.0, 36, 4200
BEDS = 12
DECISIONS = 160  #: of an episode, 8 periods of the shaking
BED_SEEDS = 2_000_000  #: of the beds of the training; the experiment's are far below
STRENGTH = 20.0
COMPONENTS = [
    {"name": "field", "dimensions": 1, "bind": "error"},
    {"name": "velocity", "dimensions": 3},
    {"name": "contact_force", "dimensions": 3},
    {"name": "contact_count", "bind": "targets"},
    {"name": "previous_action", "dimensions": 3},
]
CONTRACT = {
    "observation": {"components": COMPONENTS},
    "action": {"target": "force", "scale": STRENGTH},
    "timing": {"time_step": 0.003, "decision_interval": 50},
}
SIZES = 11, 3  #: of an observation, of an action


def teacher(rows: np.ndarray) -> np.ndarray:
    """What to begin with: a push towards the height, less when near, for rows (..., 11)."""
    push = np.zeros((*rows.shape[:-1], 3), np.float32)
    push[..., 2] = -0.7 * np.clip(rows[..., 0], -1, 1)
    return push


def episode(folder: Path, policy: Path, recording: Path, seed: int) -> None:
    """One bed under `policy`, recorded."""
    bed = settled_bed(folder, SIDE, AGENTS, GRAINS, BED_SEEDS + seed % BEDS, ranks=1)
    variables = {"seed": seed, "bed": bed, "policy": policy, "training": "yes",
                 "record": recording, "decisions": DECISIONS, "out": folder / "burrow"}
    simulate(HERE / "burrow.in", variables, folder / "burrow.log", ranks=1)


def main() -> None:
    """Trains and leaves everything in a folder."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=0, help="of everything random (default 0)")
    parser.add_argument("--iterations", type=int, default=60, help="episodes (default 60)")
    parser.add_argument("--output", type=Path, default=HERE.parents[1] / "build" / "train-burrow",
                        help="folder for what comes out (default: build/train-burrow)")
    options = parser.parse_args()
    folder = options.output.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    settings = Settings(iterations=options.iterations)
    train(lambda *what: episode(folder, *what), CONTRACT, SIZES, settings, folder, "burrow",
          options.seed, teacher)


if __name__ == "__main__":
    main()
