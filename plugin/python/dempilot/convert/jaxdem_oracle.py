"""JaxDEM's models put together from flax's own modules, stepped in float64 on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dempilot.convert.flax_modules import cell, exactly, linear, stack
from dempilot.convert.imports import require
from dempilot.model import Array, Normalization, Outputs


class JaxdemOracle:
    """Steps one of JaxDEM's models; dropout is off, as after `eval()`."""

    def __init__(
        self,
        name: str,
        metadata: Mapping[str, Any],
        parameters: Mapping[str, Array],
        leaves: Mapping[str, Array],
        normalization: Normalization | None,
    ) -> None:
        self._name = name
        self._metadata = metadata
        self._leaves = leaves  # as they were saved
        self._log_std = parameters.get("_log_std")
        self._normalization = normalization
        self._activation = str(metadata["activation"])

    def __call__(self, observation: Array, carry: Array) -> Outputs:
        """Steps `n` agents from their carry (n, carry size)."""
        if self._normalization is not None:
            observation = self._normalization.apply(observation)
        with exactly():
            jnp = require("jax.numpy", "jaxdem")
            x = jnp.asarray(observation, jnp.float64)
            rows = jnp.asarray(carry, jnp.float64)
            features, critic, next_carry = self._features(jnp, x, rows)
            mean, value = self._heads(features, critic)
            return Outputs(
                mean=np.asarray(mean),
                std=self._std(jnp, features),
                action=np.asarray(self._act(jnp, mean)),
                value=np.asarray(value),
                next_carry=np.asarray(next_carry),
            )

    def _torso(self, prefix: str, *, last: bool = True) -> Any:
        indices = sorted(
            int(key.split(".")[2])
            for key in self._leaves
            if key.startswith(f"{prefix}.layers.") and key.endswith(".kernel")
        )
        names = [f"{prefix}.layers.{index}" for index in indices]
        return stack(self._leaves, names, self._activation, last=last)

    def _features(self, jnp: Any, x: Any, carry: Any) -> tuple[Any, Any, Any]:
        """What the actor's head reads, what the critic's reads, and the next carry."""
        if self._name == "LSTMActorCritic":
            hidden, memory = jnp.split(carry, 2, axis=1)
            step = cell(self._leaves, "cell")
            y, state = step(self._torso("encoder")(x), [hidden, memory])
            return y, y, jnp.concatenate(state, axis=1)
        if self._name == "MinGRUActorCritic":
            y, after = self._mingru(jnp, self._torso("encoder")(x), carry)
            return y, y, after
        if self._name == "SharedActorCritic":
            y = self._torso("network")(x)
            return y, y, carry
        return self._torso("actor_torso")(x), x, carry

    def _mingru(self, jnp: Any, x: Any, carry: Any) -> tuple[Any, Any]:
        """Each layer mixes its state with a candidate, then its input with its state."""
        nnx = require("flax.nnx", "jaxdem")
        if "proj_in.kernel" in self._leaves:
            x = linear(self._leaves, "proj_in")(x)
        kernels = self._leaves["mingru_kernel"].astype(np.float64)
        states = []
        for kernel, state in zip(kernels, jnp.split(carry, len(kernels), axis=1), strict=True):
            hidden, gate, proj = jnp.split(x @ kernel, 3, axis=1)
            candidate = jnp.where(hidden >= 0, hidden + 0.5, nnx.sigmoid(hidden))
            weight, highway = nnx.sigmoid(gate), nnx.sigmoid(proj)
            state = (1 - weight) * state + weight * candidate
            x = highway * state + (1 - highway) * x
            states.append(state)
        return x, jnp.concatenate(states, axis=1)

    def _heads(self, features: Any, critic: Any) -> tuple[Any, Any]:
        if "fused_head.kernel" in self._leaves:
            fused = linear(self._leaves, "fused_head")(features)
            return fused[:, :-1], fused[:, -1]
        mean = linear(self._leaves, "actor" if "actor.kernel" in self._leaves else "actor_mu")
        value = (
            self._torso("critic", last=False)
            if self._name == "ActorCritic"
            else linear(self._leaves, "critic")
        )
        return mean(features), value(critic)[:, 0]

    def _std(self, jnp: Any, features: Any) -> Array | None:
        if self._metadata.get("discrete"):
            return None
        if self._metadata.get("actor_sigma_head"):
            nnx = require("flax.nnx", "jaxdem")
            head = linear(self._leaves, "actor_sigma.net.layers.0")
            return np.asarray(nnx.softplus(head(features)))
        std = jnp.exp(jnp.asarray(self._log_std, jnp.float64))
        return np.asarray(jnp.repeat(std, len(features), axis=0))

    def _act(self, jnp: Any, mean: Any) -> Any:
        if self._metadata.get("discrete"):
            return jnp.argmax(mean, axis=1, keepdims=True)
        space = self._metadata["action_space"]
        kw = space["kw"]
        eps = kw.get("eps", 1e-6)
        if space["type"] == "Box":
            low, high = (jnp.asarray(kw[key], jnp.float64) for key in ("x_min", "x_max"))
            half = (1 - eps) * (high - low) / 2
            return (high + low) / 2 + half * jnp.tanh(mean / kw.get("width", 1.0))
        if space["type"] == "MaxNorm":
            radius = jnp.sqrt(jnp.sum(mean**2, axis=1, keepdims=True) + eps**2)
            return (1 - eps) * kw.get("max_norm", 1.0) * jnp.tanh(radius) * mean / radius
        return mean
