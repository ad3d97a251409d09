"""Whether the second launch went on where the first one ended, with all atoms and all carries."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from launch import Launch, Row

#: Sums over agents are added up in another order after a restart.
CLOSE = 1e-6


@dataclass(frozen=True)
class Expected:
    """Of a soak: how many grains and agents, steps of a launch, and steps between decisions."""

    grains: int
    agents: int
    half: int
    every: int


def check(launches: tuple[Launch, Launch], expected: Expected, restarts: list[Path]) -> list[str]:
    """What did not go on; messages read "problem (why) what to do". Empty if all did.

    `restarts` are those of the two launches, and that of a third, which read the first one and
    wrote it again at once.
    """
    problems = []
    for number, launch in enumerate(launches, 1):
        problems += _check_rows(f"launch {number}", launch.rows, expected)
        end = number * expected.half
        if launch.begin != end - expected.half or launch.rows[-1].step != end:
            problems.append(
                f"launch {number} ran from step {launch.begin} to {launch.rows[-1].step} "
                f"({end - expected.half} to {end} were asked for). See its log")
    problems += _check_seam(launches[0].rows[-1], launches[1].rows[0])
    return problems + _check_files(restarts, expected)


def _check_rows(name: str, rows: list[Row], expected: Expected) -> list[str]:
    """Atoms, agents and decisions at each step; the first decision is that of step 0."""
    for row in rows:
        wanted = (expected.grains, expected.agents, 1 + row.step // expected.every)
        found = (row.atoms, row.agents, row.decisions)
        if found != wanted:
            return [f"{name} has {found[0]} atoms, {found[1]} agents and {found[2]} decisions at "
                    f"step {row.step} ({wanted[0]}, {wanted[1]} and {wanted[2]} are right). Find "
                    "out what was lost, or forgotten at the restart"]
    return []


def _check_seam(before: Row, after: Row) -> list[str]:
    """What agents think of their state, and the momentum given to them, must come back."""
    problems = []
    for what in ("value", "momentum"):
        old, new = getattr(before, what), getattr(after, what)
        if not abs(new - old) <= CLOSE * max(1.0, abs(old)):
            problems.append(f"the agents' {what} is {new:.9g} after the restart (it was {old:.9g} "
                            "before). Find out what the restart does not bring back")
    return problems


def _check_files(restarts: list[Path], expected: Expected) -> list[str]:
    """The files beside the restarts: every agent once, with a carry, which goes on changing."""
    problems = []
    carries = []
    for restart in restarts:
        path = Path(f"{restart}.pilot.h5")
        with h5py.File(path) as file:
            ids = file["agents/id"][:]
            carries.append(file["agents/carry"][:])
        empty = int(np.sum(~carries[-1].any(axis=1)))
        if not np.array_equal(ids, np.arange(1, expected.agents + 1)) or empty:
            problems.append(f"{path.name} holds {len(ids)} agents, {empty} of them without a carry "
                            f"(it should hold agents 1 to {expected.agents}, each with one). Find "
                            "out who was lost")
    if not problems:
        same = int(np.sum((carries[0] == carries[1]).all(axis=1)))
        other = int(np.sum((carries[0] != carries[2]).any(axis=1)))
        if other:
            problems.append(f"{other} carries are others after the restart (all should come back "
                            "bit for bit). Find out what was lost")
        if same:
            problems.append(f"{same} carries are those of the first launch's end (all should have "
                            "gone on). Find out whose decisions are missing")
    return problems
