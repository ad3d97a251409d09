"""Reads what one run of lighthouse.in wrote."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.dump import read_dump

@dataclass(frozen=True)
class Episode:
    """One contestant in one bed."""

    trails: np.ndarray  #: (decisions + 1, agents, 2), positions at the decisions and the end
    goals: np.ndarray  #: (agents, 2)
    grains: np.ndarray  #: (grains, 2), at the end
    half_box: float

    def distance(self) -> np.ndarray:
        """Distance of every agent from its own goal, (decisions + 1, agents)."""
        side = 2 * self.half_box
        delta = self.trails - self.goals
        return np.linalg.norm(delta - side * np.round(delta / side), axis=-1)


def read_episode(folder: Path, contestant: str, seed: int, half_box: float) -> Episode:
    """What `contestant` did in the bed of `seed`."""
    agents = read_dump(folder / f"{contestant}-{seed}.trails")
    grains = read_dump(folder / f"{contestant}-{seed}.grains")
    return Episode(agents[:, :, 1:3], agents[0, :, 3:5], grains[-1, :, 1:3], half_box)
