"""Recordings for PyTorch, which must be there to import this."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from dempilot.errors import fail
from dempilot.model import Array

if TYPE_CHECKING:
    from dempilot.recording import Recording

FLOATS = (np.float32, np.float64)


class Windows(torch.utils.data.Dataset[dict[str, torch.Tensor]]):
    """Trajectories, whole or in windows of one length: see `Recording.torch`."""

    def __init__(self, recording: Recording, every: Array, length: int | None = None) -> None:
        """`every` says for each row how many decisions its launch recorded one of."""
        if length is not None and length < 1:
            fail(f"a window has no {length} decisions", "it is at least 1", "Give another length.")
        self._recording = recording
        by_agent = np.argsort(recording["agent"], kind="stable")  # decisions stay in order
        agents, decisions = recording["agent"][by_agent], recording["decision"][by_agent]
        starts = agents[1:] != agents[:-1]
        if length is not None:
            every = every[by_agent]
            starts |= (np.diff(decisions) != every[1:]) | (every[1:] != every[:-1])
        pieces = np.split(by_agent, 1 + np.flatnonzero(starts))
        self._rows: list[Array] = [
            rows[first : first + (length or len(rows))]
            for rows in pieces
            if len(rows)
            for first in range(0, len(rows) - (length or len(rows)) + 1, length or len(rows))
        ]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: int) -> dict[str, torch.Tensor]:
        """Tensors (L, …) by column: int64, float32, and bool for `done`."""
        rows = self._rows[place]
        return {name: _tensor(self._recording[name][rows]) for name in self._recording.columns}


def _tensor(values: Array) -> torch.Tensor:
    return torch.from_numpy(
        values.astype(np.float32) if values.dtype in FLOATS else np.ascontiguousarray(values)
    )
