"""The contestant without a memory, and the head that both have while they train."""

import math

import jax.numpy as jnp
from flax import nnx
from jax import Array

from common.networks import linear

ACTIONS = 2


class SharedActorCritic(nnx.Module):
    """A feed-forward torso with the same first layer, and one head each for actor and critic."""

    def __init__(self, inputs: int, architecture: tuple[int, ...], rngs: nnx.Rngs) -> None:
        layers: list = []
        widths = (inputs, *architecture)
        for before, after in zip(widths, architecture):
            layers += [linear(before, after, math.sqrt(2), rngs), nnx.gelu]
        self.network = nnx.Sequential(*layers)
        self.actor_mu = linear(widths[-1], ACTIONS, 0.1, rngs)
        self.critic = linear(widths[-1], 1, 0.1, rngs)
        self._log_std = nnx.Param(jnp.full((1, ACTIONS), -1.0))

    def sequence(self, rows: Array) -> Array:
        """Features (..., width) of rows (..., obs)."""
        return self.network(rows)

    def heads(self, features: Array) -> tuple[Array, Array]:
        """Mean (..., 2) and value (...) from features."""
        return self.actor_mu(features), self.critic(features)[..., 0]

    def __call__(self, rows: Array) -> tuple[Array, Array]:
        """One decision for `rows` (agents, obs): mean (agents, 2) and value (agents,)."""
        return self.heads(self.network(rows))


class Trainee(nnx.Module):
    """A policy with the head that is only there while it trains.

    `reckoning` asks the features where the agent is, relative to its goal: what a policy with a
    memory can learn to keep up to date, and one without cannot.
    """

    def __init__(self, policy: nnx.Module, width: int, rngs: nnx.Rngs) -> None:
        self.policy = policy
        self.reckoning = linear(width, ACTIONS, 0.1, rngs)
