"""Converts what a framework saved, then steps C++ and framework side by side."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import h5py
import numpy as np

import dempilot
from dempilot.cli import main

AGENTS = 6
STEPS = 50
TOLERANCE = 1e-5


class Original(Protocol):
    """A model in its own framework, with agents that remember."""

    def reset(self, mask: np.ndarray) -> None:
        """Zeroes the carry of some agents, before a step."""

    def step(self, observation: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Returns action (n, A) or category (n, 1), value (n,), and std (n, A) or None."""


def convert(*arguments: str | Path, output: Path) -> Path:
    """Converts by the command line, with the C++ at hand."""
    assert main(["convert", *map(str, arguments), "-o", str(output)]) == 0
    return output


def assert_golden(path: Path, rows: dict[str, np.ndarray]) -> None:
    """The golden rows are those that were recorded, and C++ has replayed them."""
    assert dempilot.load(path).golden_rows == len(rows["observation"])
    with h5py.File(path) as file:
        for name, recorded in rows.items():
            assert np.array_equal(file["golden"][name][()], recorded), name


def difference(found: np.ndarray, expected: np.ndarray) -> float:
    """max |a - b| / max(1, max |b|)."""
    assert found.shape == expected.shape
    return float(np.max(np.abs(found - expected)) / max(1.0, np.max(np.abs(expected))))


def assert_same_run(
    path: Path,
    original: Original,
    observe: Callable[[np.random.Generator], np.ndarray] | None = None,
) -> None:
    """Steps 50 times from zero carries; some agents forget now and then."""
    policy = dempilot.load(path)
    assert policy.golden_rows == 32
    agents = policy.agents(AGENTS)
    rng = np.random.default_rng(7)
    original.reset(np.ones(AGENTS, bool))
    for _ in range(STEPS):
        mask = rng.random(AGENTS) < 0.1
        agents.reset(mask)
        original.reset(mask)
        rows = (
            rng.normal(0, 1, (AGENTS, policy.observation_size)) if observe is None else observe(rng)
        )
        rows = rows.astype(np.float32)
        action, value, std = original.step(rows)
        found = policy.distribution(rows, agents.carry).std
        step = agents.step(rows)
        if std is None:
            assert found is None
        else:
            assert difference(found, std) < TOLERANCE
        assert difference(step.action, action) < TOLERANCE
        assert difference(step.value, value) < TOLERANCE
