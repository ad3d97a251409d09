"""What a contestant is given, and what it must be able to do. Needs numpy alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

TILE = 1024  #: agents whose intermediate results stay in a cache


@dataclass(frozen=True)
class Weights:
    """Dense layers, an LSTM, and a head that gives the means of the actions and the value.

    Kernels are (inputs, outputs); gates are in the order input, forget, cell, output.
    """

    encoder: list[tuple[Floats, Floats]]
    input_kernel: Floats  #: (encoded, 4 H)
    hidden_kernel: Floats  #: (H, 4 H)
    gate_bias: Floats  #: (4 H)
    head_kernel: Floats  #: (H, actions + 1)
    head_bias: Floats  #: (actions + 1)

    @classmethod
    def load(cls, path: str) -> Weights:
        with np.load(path) as file:
            encoder = [
                (file[f"encoder_{i}_kernel"], file[f"encoder_{i}_bias"])
                for i in range(sum(name.startswith("encoder_") for name in file) // 2)
            ]
            names = ("input_kernel", "hidden_kernel", "gate_bias", "head_kernel", "head_bias")
            return cls(encoder, *(file[name] for name in names))

    def save(self, path: str) -> None:
        arrays = {name: value for name, value in vars(self).items() if name != "encoder"}
        for i, (kernel, bias) in enumerate(self.encoder):
            arrays |= {f"encoder_{i}_kernel": kernel, f"encoder_{i}_bias": bias}
        np.savez(path, **arrays)

    @property
    def inputs(self) -> int:
        """Width of an observation."""
        return int(self.encoder[0][0].shape[0])

    @property
    def features(self) -> int:
        """Width of the LSTM."""
        return int(self.hidden_kernel.shape[0])

    @property
    def actions(self) -> int:
        """Number of actions."""
        return int(self.head_kernel.shape[1]) - 1

    @property
    def encoded(self) -> int:
        """What the LSTM reads."""
        return int(self.input_kernel.shape[0])


@dataclass(frozen=True)
class Work:
    """A policy and what its agents see at each step of a call, (steps, agents, inputs)."""

    weights: Weights
    observation: Floats
    whole: bool = False  #: all agents are to be taken at once

    @property
    def steps(self) -> int:
        """Steps of a call: 1 in single-step mode."""
        return int(self.observation.shape[0])

    @property
    def agents(self) -> int:
        """Agents of a call."""
        return int(self.observation.shape[1])

    def tile_sizes(self) -> list[int]:
        """All agents at once; and TILE of them at a time, if there are several times as many."""
        several = not self.whole and self.agents > TILE and self.agents % TILE == 0
        return [self.agents, TILE] if several else [self.agents]

    def tile_name(self, tile: int) -> str:
        """What is added to the name of a form that takes `tile` agents at a time."""
        return "" if tile == self.agents else f", {tile} agents at a time"


class Form(Protocol):
    """One way to write the policy in a framework."""

    def run(self) -> None:
        """One call; returns when its results can be read. The carry is kept for the next one."""

    def reset(self) -> None:
        """Makes all agents forget."""

    def outputs(self) -> tuple[Floats, Floats]:
        """Mean (steps, agents, actions) and value (steps, agents) of the last call."""

    def carry(self) -> Floats:
        """[h | c] after the last call, (agents, 2 H)."""
