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


class Casts:
    """Casts tensors to float32, and remembers which of them were something else."""

    def __init__(self) -> None:
        self._changed: dict[str, list[str]] = {}

    def to_float32(self, key: str, tensor: Array) -> Array:
        """Returns a tensor in float32; raises `Error` for values that are not finite there."""
        if tensor.dtype.kind != "f":
            fail(
                f"'{key}' holds {tensor.dtype}",
                "weights are floating-point numbers",
                "Train in float32.",
            )
        with np.errstate(over="ignore"):
            result = np.ascontiguousarray(tensor, np.float32)
        finite = np.isfinite(result)
        if not finite.all():
            bad = int(np.argmin(finite))
            fail(
                f"'{key}' holds {tensor.ravel()[bad]} at entry {bad}",
                "a weight must be a finite float32",
                "Convert a checkpoint from before training diverged.",
            )
        if tensor.dtype != np.float32:
            exact = np.array_equal(result.astype(np.float64), tensor.astype(np.float64))
            how = "held exactly by" if exact else "rounded to"
            self._changed.setdefault(f"{tensor.dtype}, {how} float32", []).append(key)
        return result

    def notes(self) -> tuple[str, ...]:
        """What was cast, one line for each kind."""
        lines = []
        for kind, keys in self._changed.items():
            more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
            lines.append(f"weights are {kind}: {', '.join(keys[:3])}{more}")
        return tuple(lines)
