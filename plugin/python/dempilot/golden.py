"""Rows for `/golden`: what the source framework itself computes along a short rollout."""

from __future__ import annotations

import numpy as np

from dempilot.errors import fail
from dempilot.model import Array, Model, Outputs

AGENTS = 4
STEPS = 8
TOLERANCE = 1e-5
CLOSE = 1e-4
REDRAWS = 20  # a model whose logits are always equal keeps its last rows


def record(model: Model, seed: int = 0) -> dict[str, Array]:
    """Returns STEPS x AGENTS rows under the names of `/golden`, in float32.

    Observations are random; the agents start from random carries and keep them, so that no row
    has a carry of zeros, which would hide an exchange of h and c.
    """
    rng = np.random.default_rng(seed)
    carry = rng.uniform(-0.9, 0.9, (AGENTS, model.carry_size)).astype(np.float32)
    rows = []
    for _ in range(STEPS):
        observation = _observation(model, rng)
        outputs = compute(model, observation, carry)
        for _ in range(REDRAWS):
            close = close_calls(model, outputs)
            if not close.any():
                break
            observation = np.where(close[:, None], _observation(model, rng), observation)
            outputs = compute(model, observation, carry)
        rows.append(golden_rows(model, observation, carry, outputs))
        carry = outputs.next_carry.astype(np.float32)
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def close_calls(model: Model, outputs: Outputs) -> Array:
    """Which rows have their best two logits so close that rounding decides the category."""
    if not model.discrete or model.action_size < 2:
        return np.zeros(len(outputs.mean), bool)
    best = np.sort(np.asarray(outputs.mean, np.float64), axis=1)[:, -2:]
    close: Array = best[:, 1] - best[:, 0] < CLOSE
    return close


def _observation(model: Model, rng: np.random.Generator) -> Array:
    """Draws rows of the scale that the model was trained on, as far as that is known."""
    rows = rng.normal(0.0, 1.0, (AGENTS, model.observation_size))
    if model.normalization is not None:
        deviation = np.sqrt(model.normalization.variance + model.normalization.epsilon)
        rows = model.normalization.mean + deviation * rows
    return rows.astype(np.float32)


def golden_rows(
    model: Model, observation: Array, carry: Array, outputs: Outputs
) -> dict[str, Array]:
    """One step of some agents under the names of `/golden`, in float32."""
    rows = {
        "observation": observation,
        "mean": outputs.mean,
        "action": outputs.action,
        "value": outputs.value,
    }
    if outputs.std is not None:
        rows["std"] = outputs.std
    if model.carry_size:
        rows |= {"carry": carry, "next_carry": outputs.next_carry}
    return {name: np.asarray(value, np.float32) for name, value in rows.items()}


def compute(model: Model, observation: Array, carry: Array) -> Outputs:
    """One step in the source framework; raises `Error` where its results do not fit the model."""
    outputs = model.oracle(observation, carry)
    rows, actions = len(observation), 1 if model.discrete else model.action_size
    shapes = {
        "mean": (outputs.mean, (rows, model.action_size)),
        "action": (outputs.action, (rows, actions)),
        "value": (outputs.value, (rows,)),
        "next_carry": (outputs.next_carry, (rows, model.carry_size)),
    }
    for name, (value, expected) in shapes.items():
        if value.shape != expected or not np.isfinite(value).all():
            fail(
                f"the source framework gave a {name} of shape {list(value.shape)}",
                f"expected finite values of shape {list(expected)}",
                "Check that the model steps in its own framework.",
            )
    return outputs
