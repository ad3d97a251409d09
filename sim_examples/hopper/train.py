#!/usr/bin/env python3
"""Trains the policy of the hopper in LAMMPS, on small hoppers: `./run train hopper`.

At first the policy is taught what a sceptic would do: near the outlet push in any direction,
always. Then it practises, and finds out when not to.
"""

import argparse
from pathlib import Path

import numpy as np
from common.engine import simulate
from common.ppo import Settings, train

HERE = Path(__file__).resolve().parent
DECISIONS = 120
NEAR = 8.0  #: the teacher pushes within this distance of the outlet
PLACE = slice(2, 4)  #: of an observation

#: rest, or a push in one of eight directions
DIRECTIONS = np.arange(8) * np.pi / 4
TABLE = [[0.0, 0.0]] + [[round(float(np.cos(a)), 9), round(float(np.sin(a)), 9)]
                        for a in DIRECTIONS]

#: what an agent senses, and how it acts; lengths in grain diameters, forces in weights
CONTRACT = {
    "observation": {"components": [
        {"name": "velocity", "dimensions": 2},
        {"name": "field", "bind": "place", "dimensions": 2},
        {"name": "contact_force", "dimensions": 2},
        {"name": "neighbors", "range": 2.5, "count": 5, "dimensions": 2, "velocity": True,
         "bind": "targets"},
    ]},
    "action": {"target": "force", "scale": 10.0, "drag": 0.0, "table": TABLE},
    "timing": {"time_step": 0.005, "decision_interval": 100},
}
SIZES = (6 + 5 * 4, len(TABLE))  #: of an observation, and how many actions there are

#: the hoppers to train in have the outlet, the grains and the slope of the large one
SMALL = {"width": 16, "fill": 24, "settling": 3000, "decisions": DECISIONS}

SETTINGS = Settings(lessons=2, lesson_epochs=30, iterations=35, beds=3, epochs=4, batches=4,
                    rate=3e-3, discount=0.96, restraint=1e-5, discrete=True)


def teacher(rows: np.ndarray) -> np.ndarray:
    """Probabilities (..., 9) of the actions, for observations (..., O): shake near the outlet."""
    near = np.linalg.norm(rows[..., PLACE], axis=-1, keepdims=True) < NEAR
    push = np.where(near, 0.8, 0.005)
    share = np.full(len(TABLE) - 1, 1 / (len(TABLE) - 1))
    return np.concatenate([1 - push, push * share], axis=-1).astype(np.float32)


def episode(policy: Path, folder: Path, seed: int) -> None:
    """One small hopper, with actions drawn at random, recorded into `folder`."""
    variables = SMALL | {"contestant": "train", "seed": seed, "policy": policy, "out": folder}
    simulate(HERE / "hopper.in", variables, folder.parent / f"bed-{seed}.log", ranks=1)


def main() -> None:
    """Trains with one seed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=0, help="of the training (default 0)")
    parser.add_argument("--output", type=Path, default=HERE.parents[1] / "build" / "train-hopper",
                        help="folder for what comes out (default: build/train-hopper)")
    options = parser.parse_args()
    train(episode, CONTRACT, SIZES, SETTINGS, options.output.resolve(), "hopper", options.seed,
          teacher)


if __name__ == "__main__":
    main()
