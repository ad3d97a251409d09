#!/usr/bin/env python3
"""Makes the initial bed of one episode: agents, their goals and the grains, from a seed alone.

As a program it writes a LAMMPS data file (atom style sphere plus the goals as per-atom custom
properties); as a module it gives the same bed to the surrogate. Needs numpy only.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from world import WORLD, World

GAP = 0.02  #: smallest free distance between two surfaces at the start


@dataclass(frozen=True)
class Bed:
    """Initial positions; agents come first. Shapes (agents, 2), (grains, 2), (agents, 2)."""

    agents: np.ndarray
    grains: np.ndarray
    goals: np.ndarray


class Packing:
    """Random sequential addition of non-overlapping discs in a periodic square."""

    def __init__(self, half_box: float, distance: float) -> None:
        self._side = 2 * half_box
        self._half = half_box
        self._distance = distance
        self._count = int(np.ceil(self._side / (distance / np.sqrt(2))))
        self._cells = np.full((self._count, self._count), -1)
        self._offsets = np.stack(np.meshgrid(range(-3, 4), range(-3, 4)), -1).reshape(-1, 2)
        self.positions = np.empty((0, 2))

    def _cell(self, points: np.ndarray) -> np.ndarray:
        return np.floor((points + self._half) / self._side * self._count).astype(int) % self._count

    def free(self, points: np.ndarray) -> np.ndarray:
        """Whether a disc at each of `points` (n, 2) would overlap nothing; (n,) of bool."""
        cells = (self._cell(points)[:, None] + self._offsets) % self._count
        owner = self._cells[cells[..., 0], cells[..., 1]]
        padded = np.vstack([self.positions, [np.inf, np.inf]])
        with np.errstate(invalid="ignore"):
            gap = points[:, None] - padded[owner]
            gap -= self._side * np.round(np.where(np.isfinite(gap), gap, 0.0) / self._side)
        return np.all((gap**2).sum(-1) >= self._distance**2, axis=1)

    def add(self, points: np.ndarray, limit: int) -> None:
        """Adds those of `points` (n, 2), in their order and at most `limit`, that are free."""
        for point in points[self.free(points)]:
            if limit == 0:
                return
            if self.free(point[None])[0]:
                cell = self._cell(point)
                self._cells[cell[0], cell[1]] = len(self.positions)
                self.positions = np.vstack([self.positions, point])
                limit -= 1


def _ring(rng: np.random.Generator, radii: tuple[float, float], count: int) -> np.ndarray:
    """`count` points, uniform over the ring between two radii; (count, 2)."""
    radius = np.sqrt(rng.uniform(radii[0] ** 2, radii[1] ** 2, count))
    angle = rng.uniform(0, 2 * np.pi, count)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1)


def _goals(rng: np.random.Generator, agents: np.ndarray, world: World) -> np.ndarray:
    """A goal for each agent on the outer ring, within reach and apart from the others."""
    low, high = world.goal_distance
    goals = np.empty((0, 2))
    for agent in agents:
        while True:
            goal = _ring(rng, world.goal_ring, 1)[0]
            apart = np.linalg.norm(goals - goal, axis=1)
            if low <= np.linalg.norm(goal - agent) <= high and np.all(apart >= world.goal_spacing):
                goals = np.vstack([goals, goal])
                break
    return goals


def make_bed(seed: int, world: World = WORLD) -> Bed:
    """The bed of episode `seed`; the same seed gives the same bed on every machine."""
    rng = np.random.default_rng(seed)
    packing = Packing(world.half_box, 2 + GAP)
    while (missing := world.agents - len(packing.positions)) > 0:
        packing.add(_ring(rng, world.start_ring, 200), missing)
    agents = packing.positions
    goals = _goals(rng, agents, world)
    total = world.agents + world.grains
    while (missing := total - len(packing.positions)) > 0:
        packing.add(rng.uniform(-world.half_box, world.half_box, (4000, 2)), missing)
    return Bed(agents, packing.positions[world.agents:], goals)


def write_data(bed: Bed, path: Path, world: World = WORLD) -> None:
    """Writes a LAMMPS data file: type 1 grains, type 2 agents, ids from 1, agents first."""
    sphere = 4 / 3 * np.pi
    everyone = np.vstack([bed.agents, bed.grains])
    box = world.half_box
    lines = ["lighthouse: agents (type 2) in a bed of grains (type 1)", "",
             f"{len(everyone)} atoms", "2 atom types", "",
             f"{-box} {box} xlo xhi", f"{-box} {box} ylo yhi", "-0.5 0.5 zlo zhi",
             "", "Atoms # sphere", ""]
    for index, (x, y) in enumerate(everyone):
        agent = index < len(bed.agents)
        density = (world.agent_mass if agent else 1.0) / sphere
        kind = 2 if agent else 1
        lines.append(f"{index + 1} {kind} 2.0 {density:.17g} {x:.17g} {y:.17g} 0.0")
    lines += ["", "Goals", ""]
    for index in range(len(everyone)):
        x, y = bed.goals[index] if index < len(bed.goals) else (0.0, 0.0)
        lines.append(f"{index + 1} {x:.17g} {y:.17g}")
    path.write_text("\n".join(lines) + "\n")


def main() -> None:
    """Writes the bed of one seed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, required=True, help="which episode")
    parser.add_argument("--output", type=Path, required=True, help="the data file to write")
    options = parser.parse_args()
    write_data(make_bed(options.seed), options.output)


if __name__ == "__main__":
    main()
