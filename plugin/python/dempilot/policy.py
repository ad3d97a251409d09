"""Policies and agents in Python, stepped by DEMPilot's own C++.

policy = dempilot.load("lighthouse.policy.h5")
agents = policy.agents(1000)
action, value, log_prob = agents.step(observation)
"""

from __future__ import annotations

import ctypes
import json
import os
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dempilot.errors import fail
from dempilot.library import FLOATS, HANDLE, Description, Draw, Outputs, check, library

Floats = NDArray[np.float32]


class Step(NamedTuple):
    """What agents decide: `action` (n, actions), `value` (n,), `log_prob` (n,)."""

    action: Floats
    value: Floats
    log_prob: Floats


class Distribution(NamedTuple):
    """What actions are drawn from.

    `mean` (n, actions) lies before the action space and has the deviation `std` (n, actions).
    Of discrete actions `mean` (n, categories) holds the logits, and `std` is None.
    """

    mean: Floats
    std: Floats | None


@dataclass(frozen=True)
class Sampling:
    """Actions drawn with noise that is a function of (seed, id, decision) alone.

    `ids` are unique, one for each agent; without them agents are 0, 1, 2, …
    """

    seed: int
    decision: int
    ids: Sequence[int] | None = None


def initialize(threads: int) -> None:
    """Starts the runtime with that many threads, once; else a load starts it with one."""
    check(library().dempilot_initialize(threads))


def load(path: str | os.PathLike[str]) -> Policy:
    """Loads a policy file, checks it, and replays its golden rows on this machine."""
    return Policy(path)


class Policy:
    """A policy that was loaded and checked. It never changes."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._library = library()
        self._handle = HANDLE()
        name = os.fsencode(path)
        check(self._library.dempilot_policy_load(name, ctypes.byref(self._handle)))
        weakref.finalize(self, self._library.dempilot_policy_free, self._handle)
        self._description = Description(struct_size=ctypes.sizeof(Description))
        check(self._library.dempilot_policy_describe(self._handle, ctypes.byref(self._description)))

    @property
    def observation_size(self) -> int:
        """Numbers in an observation."""
        return int(self._description.observation_size)

    @property
    def action_size(self) -> int:
        """Numbers in an action."""
        return int(self._description.action_size)

    @property
    def carry_size(self) -> int:
        """Numbers that an agent remembers."""
        return int(self._description.carry_size)

    @property
    def category_count(self) -> int:
        """How many categories the actions are, 0 where they are continuous."""
        return int(self._description.category_count)

    @property
    def parameter_count(self) -> int:
        """Weights and biases."""
        return int(self._description.parameter_count)

    @property
    def golden_rows(self) -> int:
        """Rows of the original model that were reproduced at load."""
        return int(self._description.golden_rows)

    @property
    def golden_tolerance(self) -> float:
        """How close they had to be, as max |a - b| / max(1, max |b|)."""
        return float(self._description.golden_tolerance)

    @property
    def contract(self) -> dict[str, Any]:
        """Model, metadata, observation, action and timing, in the words of docs/policy_file.md."""
        text = self._library.dempilot_policy_contract(self._handle)
        contract: dict[str, Any] = json.loads(text.decode("utf-8"))
        return contract

    def distribution(self, observation: ArrayLike, carry: ArrayLike | None = None) -> Distribution:
        """Says what agents would draw from that see `observation` (n, observation_size).

        They remember `carry` (n, carry_size), or nothing; that stays as it is.
        """
        rows = np.ascontiguousarray(observation, np.float32)
        count = len(rows) if rows.ndim else 0
        _require_shape(rows, "observation", (count, self.observation_size))
        memory = np.zeros((count, self.carry_size), np.float32)
        if carry is not None:
            given = np.asarray(carry, np.float32)
            _require_shape(given, "carry", memory.shape)
            memory[:] = given
        mean, std = np.empty((2, count, self._description.distribution_size), np.float32)
        outputs = Outputs(
            struct_size=ctypes.sizeof(Outputs),
            mean=_pointer(mean),
            mean_capacity=mean.size,
            std_dev=_pointer(std),
            std_dev_capacity=std.size,
        )
        check(
            self._library.dempilot_policy_step(
                self._handle,
                count,
                _pointer(rows),
                rows.size,
                _pointer(memory),
                memory.size,
                None,
                ctypes.byref(outputs),
            )
        )
        return Distribution(mean, None if self.category_count else std)

    def agents(self, count: int) -> Agents:
        """Makes agents that remember nothing yet."""
        return Agents(self, count)


class Agents:
    """Agents of one policy, each with a carry of its own."""

    def __init__(self, policy: Policy, count: int) -> None:
        if count < 0:
            fail(
                f"{count} agents were asked for", "there cannot be fewer than none", "Ask for more."
            )
        self._library = library()
        self._policy = policy
        self._count = count
        self._handle = HANDLE()
        check(
            self._library.dempilot_agents_create(policy._handle, count, ctypes.byref(self._handle))
        )
        weakref.finalize(self, self._library.dempilot_agents_free, self._handle)

    def __len__(self) -> int:
        return self._count

    def step(self, observation: ArrayLike, sampling: Sampling | None = None) -> Step:
        """Decides for observations (n, observation_size) and keeps the new carry.

        Without `sampling` the action is the mean of its distribution, or the likeliest category.
        """
        rows = self._rows(observation, "observation", self._policy.observation_size)
        result = Step(
            np.empty((self._count, self._policy.action_size), np.float32),
            np.empty(self._count, np.float32),
            np.empty(self._count, np.float32),
        )
        outputs = Outputs(
            struct_size=ctypes.sizeof(Outputs),
            action=_pointer(result.action),
            action_capacity=result.action.size,
            value=_pointer(result.value),
            value_capacity=result.value.size,
            log_prob=_pointer(result.log_prob),
            log_prob_capacity=result.log_prob.size,
        )
        draw = None if sampling is None else ctypes.byref(self._draw(sampling))
        check(
            self._library.dempilot_agents_step(
                self._handle, _pointer(rows), rows.size, draw, ctypes.byref(outputs)
            )
        )
        return result

    def reset(self, mask: ArrayLike | None = None) -> None:
        """Makes agents forget: those where `mask` (n,) is true, or all."""
        if mask is None:
            check(self._library.dempilot_agents_reset(self._handle, None, 0))
            return
        chosen = np.ascontiguousarray(mask, np.bool_).view(np.uint8)
        _require_shape(chosen, "mask", (self._count,))
        pointer = chosen.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
        check(self._library.dempilot_agents_reset(self._handle, pointer, chosen.size))

    @property
    def carry(self) -> Floats:
        """A copy of what the agents remember, (n, carry_size)."""
        rows = np.empty((self._count, self._policy.carry_size), np.float32)
        check(self._library.dempilot_agents_carry_get(self._handle, _pointer(rows), rows.size))
        return rows

    @carry.setter
    def carry(self, value: ArrayLike) -> None:
        rows = self._rows(value, "carry", self._policy.carry_size)
        check(self._library.dempilot_agents_carry_set(self._handle, _pointer(rows), rows.size))

    def _rows(self, value: ArrayLike, what: str, width: int) -> Floats:
        rows = np.ascontiguousarray(value, np.float32)
        _require_shape(rows, what, (self._count, width))
        return rows

    def _draw(self, sampling: Sampling) -> Draw:
        draw = Draw(struct_size=ctypes.sizeof(Draw), seed=sampling.seed, decision=sampling.decision)
        if sampling.ids is not None:
            ids = np.ascontiguousarray(sampling.ids, np.int64)
            _require_shape(ids, "ids", (self._count,))
            draw.ids = ids.ctypes.data_as(ctypes.POINTER(ctypes.c_int64))
            draw.id_count = ids.size
        return draw


def _require_shape(array: NDArray[Any], what: str, expected: tuple[int, ...]) -> None:
    if array.shape != expected:
        fail(
            f"{what} has shape {list(array.shape)}",
            f"{expected[0]} agents of this policy take {list(expected)}",
            "Give one row for each agent.",
        )


def _pointer(array: Floats) -> Any:
    """Where an array lies; NULL where it holds nothing."""
    return array.ctypes.data_as(FLOATS) if array.size else None
