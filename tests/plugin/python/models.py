"""A small policy whose outputs are plain to see, for tests without a framework."""

from __future__ import annotations

import numpy as np

from dempilot.model import Array, Model, Normalization, Outputs


class Affine:
    """SharedActorCritic without torso: mean = x W + b, value = x w."""

    def __init__(self, weight: Array, bias: Array, value: Array) -> None:
        self.weight, self.bias, self.value = weight, bias, value

    def __call__(self, observation: Array, carry: Array) -> Outputs:
        mean = observation @ self.weight + self.bias
        std = np.broadcast_to(np.exp(np.float32(-0.5)), mean.shape)
        return Outputs(mean, std, mean, (observation @ self.value)[:, 0], carry)


def affine(
    observation: int = 4, actions: int = 2, normalization: Normalization | None = None
) -> Model:
    """A model that needs no framework."""
    rng = np.random.default_rng(1)
    weight, value = (rng.normal(size=(observation, n)).astype(np.float32) for n in (actions, 1))
    bias = rng.normal(size=actions).astype(np.float32)
    return Model(
        name="SharedActorCritic",
        metadata={
            "observation_space_size": observation,
            "action_space_size": actions,
            "architecture": [],
            "activation": "identity",
        },
        parameters={
            "actor_mu.kernel": weight,
            "actor_mu.bias": bias,
            "critic.kernel": value,
            "critic.bias": np.zeros(1, np.float32),
            "_log_std": np.full((1, actions), -0.5, np.float32),
        },
        carry_size=0,
        oracle=Affine(weight, bias, value),
        provenance="a test",
        normalization=normalization,
    )
