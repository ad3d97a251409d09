"""What every source yields and the writer writes: a policy without its framework."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dempilot.errors import fail

Array = NDArray[Any]


@dataclass(frozen=True)
class Normalization:
    """Statistics of the observations: the model reads clip((x - mean)/sqrt(variance + epsilon))."""

    mean: Array
    variance: Array
    epsilon: float = 1e-8
    clip: float | None = None

    def apply(self, observation: Array) -> Array:
        """Returns what the model reads for raw observations (n, obs)."""
        rows: Array = (observation - self.mean) / np.sqrt(self.variance + self.epsilon)
        return rows if self.clip is None else np.clip(rows, -self.clip, self.clip)


@dataclass(frozen=True)
class Outputs:
    """One step of `n` agents, as the source framework computes it.

    `mean` (n, A) holds the logits of discrete actions, `action` is (n, A) or the category (n, 1),
    `std` (n, A) is absent for discrete actions, `next_carry` is (n, carry size).
    """

    mean: Array
    std: Array | None
    action: Array
    value: Array
    next_carry: Array


class Oracle(Protocol):
    """The source framework's own forward pass; it reads raw observations (n, obs)."""

    def __call__(self, observation: Array, carry: Array) -> Outputs:
        """Steps `n` agents from their carry (n, carry size)."""


@dataclass(frozen=True)
class Model:
    """A policy as the policy file spells it (docs/policy_file.md)."""

    name: str
    metadata: Mapping[str, Any]
    parameters: Mapping[str, Array]
    carry_size: int
    oracle: Oracle
    provenance: str
    normalization: Normalization | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def observation_size(self) -> int:
        """Width of an observation row."""
        return int(self.metadata["observation_space_size"])

    @property
    def action_size(self) -> int:
        """Number of actions, or of categories where they are discrete."""
        return int(self.metadata["action_space_size"])

    @property
    def discrete(self) -> bool:
        """Whether the actions are categories."""
        return bool(self.metadata.get("discrete", False))


def as_float32(key: str, tensor: Array, notes: list[str]) -> Array:
    """Returns the tensor in float32; says so in `notes` where that rounds it."""
    if tensor.dtype == np.float32:
        result = tensor
    elif tensor.dtype.kind == "f":
        with np.errstate(over="ignore"):
            result = tensor.astype(np.float32)
        if np.array_equal(result.astype(tensor.dtype), tensor, equal_nan=True):
            notes.append(f"{key} is {tensor.dtype}: stored as float32, which holds it exactly")
        else:
            notes.append(f"{key} is {tensor.dtype}: rounded to float32")
    else:
        fail(
            f"'{key}' holds {tensor.dtype}",
            "weights are floating-point numbers",
            "Train in float32.",
        )
    if not np.isfinite(result).all():
        bad = int(np.argmin(np.isfinite(result)))
        fail(
            f"'{key}' holds {result.ravel()[bad]} at entry {bad}",
            "a weight must be a finite float32",
            "Convert a checkpoint from before training diverged.",
        )
    return np.ascontiguousarray(result)
