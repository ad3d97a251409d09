#!/usr/bin/env python3
"""Trains the rollers' policy: PPO on what LAMMPS recorded, on a table half as large.

It begins by imitating the sceptic's keep-right driver, as far as its own senses allow, and goes on
from there by what earns most. `./run train rollers` starts it; see README.md.
"""

import argparse
import dataclasses
from pathlib import Path

import numpy as np

from common.engine import simulate
from common.ppo import Settings, train

from contract import (
    ACTIONS,
    BEACON,
    CONTRACT,
    DECISION,
    DIRECTION,
    DISPLACEMENT,
    FAR,
    OBSERVATIONS,
    SPIN,
)
from controls import KEEP_RIGHT, kernel

HERE = Path(__file__).resolve().parent

#: half of the experiment's rollers and balls, on half of its area, and so a shorter way
TABLE = {"rollers": 120, "balls": 1000, "table": 60, "inner": 40, "outer": 56, "decisions": 110}
SETTINGS = Settings(lessons=16, iterations=26, discount=0.985, smoothing=0.97, rate=1e-3,
                    hidden=64, lstm=64, log_std=-1.0)
#: how the teacher's torque grows, as in controls.py: it knows better where it is, and brakes later
EAGER = (0.5, 2.0)
LABEL = 0.97  #: largest action of a lesson, so that there is something left to vary


def reckoned(rows: np.ndarray) -> np.ndarray:
    """Where rollers are from their goals, (T, B, 2), as far as they can tell.

    From observations (T, B, O) of whole episodes: what the last flash of the beacon showed, and
    since then the way that a sphere that spins so would have rolled.
    """
    shown, direction, spin = rows[..., DISPLACEMENT], rows[..., DIRECTION], rows[..., SPIN]
    largest = np.abs(direction).max(-1, keepdims=True)
    edge = direction * FAR / np.maximum(largest, 1e-9)
    known = np.abs(shown).max(-1, keepdims=True) < FAR
    velocity = np.stack([spin[..., 1], -spin[..., 0]], -1)
    way = np.zeros_like(shown)
    for now in range(1, len(rows)):
        step = 0.5 * (velocity[now - 1] + velocity[now]) * DECISION
        way[now] = 0.0 if now % BEACON == 0 else way[now - 1] + step
    return np.where(known, shown, edge) + way


def keep_right(rows: np.ndarray) -> np.ndarray:
    """Actions (T, B, 3) of a keep-right driver that reckons, for observations (T, B, O)."""
    senses = np.concatenate([reckoned(rows), rows[..., SPIN][..., :2]], -1)
    latent = senses @ kernel(KEEP_RIGHT, *EAGER)
    size = np.linalg.norm(latent, axis=-1, keepdims=True)
    return latent / np.maximum(size, 1e-9) * np.minimum(np.tanh(size), LABEL)


def episode(policy: Path, folder: Path, seed: int) -> None:
    """One episode of rollers that `policy` drives, drawn with `seed`, recorded into `folder`."""
    variables = {"contestant": "policy", "seed": seed, "policies": policy.parent,
                 "beacon": BEACON, "training": "yes", "record": folder, "out": folder.parent,
                 **TABLE}
    simulate(HERE / "rollers.in", variables, folder.parent / "log.lammps", ranks=1)


def main() -> None:
    """Trains and writes the policy file and the learning curve."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=0, help="of everything random (default 0)")
    parser.add_argument("--iterations", type=int, default=SETTINGS.iterations,
                        help=f"of PPO, an episode each (default {SETTINGS.iterations})")
    parser.add_argument("--output", type=Path, default=HERE.parents[1] / "build" / "train-rollers",
                        help="folder for what comes out (default: build/train-rollers)")
    options = parser.parse_args()
    settings = dataclasses.replace(SETTINGS, iterations=options.iterations)
    train(episode, CONTRACT, (OBSERVATIONS, ACTIONS), settings, options.output.resolve(),
          "rollers", options.seed, keep_right)


if __name__ == "__main__":
    main()
