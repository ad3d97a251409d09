"""From an orbax checkpoint of a flax model, nnx or Linen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dempilot.convert.digests import tree_digest
from dempilot.convert.flax_modules import cell, exactly, stack
from dempilot.convert.flax_tensors import FlaxTensors
from dempilot.convert.imports import require
from dempilot.convert.orbax import find_item, read_leaves, short
from dempilot.convert.roles import Roles, build_network, find_roles, role_notes
from dempilot.model import Array, Model, Normalization, Outputs
from dempilot.network import STATES, Network, assemble


def read_flax(
    path: Path,
    roles: Roles,
    normalization: Normalization | None = None,
    *,
    step: int | None = None,
) -> Model:
    """Reads a saved model state whose modules `roles` names, or whose names are conventional."""
    item = find_item(path, step)
    tensors = FlaxTensors(read_leaves(item))
    roles = find_roles(roles, tensors)
    network = build_network(roles, tensors)
    return assemble(network).model(
        oracle=FlaxOracle(tensors, network, normalization),
        provenance=f"flax checkpoint {short(item)}, sha256 {tree_digest(item)}; {flax_versions()}",
        normalization=normalization,
        notes=role_notes(roles, network),
    )


def flax_versions() -> str:
    """The versions of what computes the golden rows."""
    names = ("flax", "jax", "orbax.checkpoint")
    return ", ".join(f"{name} {require(name, 'flax').__version__}" for name in names)


class FlaxOracle:
    """flax's own modules, put together as the roles say."""

    def __init__(
        self, tensors: FlaxTensors, network: Network, normalization: Normalization | None
    ) -> None:
        leaves, activation = tensors.by_name, network.activation
        self._network = network
        self._normalization = normalization
        with exactly():
            encoder = [layer.name for layer in network.encoder]
            self._encoder = stack(leaves, encoder, activation, last=True)
            self._actor = stack(leaves, [layer.name for layer in network.actor], activation)
            self._critic = stack(leaves, [layer.name for layer in network.critic], activation)
            own = network.critic_encoder
            self._critic_encoder = None if own is None else stack(leaves, [own.name], activation)
            self._cells = [cell(leaves, c.name) for c in network.cells]
            self._critic_cells = [cell(leaves, c.name) for c in network.critic_cells]

    def __call__(self, observation: Array, carry: Array) -> Outputs:
        """Steps `n` agents from their carry (n, carry size)."""
        if self._normalization is not None:
            observation = self._normalization.apply(observation)
        with exactly():
            jnp = require("jax.numpy", "flax")
            encoded = self._encoder(jnp.asarray(observation, jnp.float64))
            states = self._split(jnp.asarray(carry, jnp.float64))
            kept: list[Any] = []
            actor = self._remember(self._cells, encoded, states, kept)
            critic = self._remember(self._critic_cells, encoded, states, kept)
            if not self._critic_cells:
                critic = self._critic_encoder(encoded) if self._critic_encoder else actor
            mean = self._actor(actor)
            value = self._critic(critic)[:, 0]
            next_carry = jnp.concatenate([encoded[:, :0], *kept], axis=1)
            return Outputs(
                mean=np.asarray(mean),
                std=self._std(len(observation)),
                action=np.asarray(self._act(jnp, mean)),
                value=np.asarray(value),
                next_carry=np.asarray(next_carry),
            )

    def _split(self, carry: Any) -> list[list[Any]]:
        """The states of each cell: h, then c of an LSTM."""
        states, at = [], 0
        for one in (*self._network.cells, *self._network.critic_cells):
            width = one.hidden_kernel.shape[0]
            count = STATES[one.kind]
            states.append([carry[:, at + k * width : at + (k + 1) * width] for k in range(count)])
            at += count * width
        return states

    def _remember(
        self, cells: Sequence[Any], x: Any, states: list[list[Any]], kept: list[Any]
    ) -> Any:
        for step in cells:
            x, state = step(x, states.pop(0))
            kept += state
        return x

    def _std(self, rows: int) -> Array | None:
        if self._network.log_std is None:
            return None
        log_std = np.asarray(self._network.log_std, np.float64).reshape(1, -1)
        return np.asarray(require("jax.numpy", "flax").exp(np.repeat(log_std, rows, axis=0)))

    def _act(self, jnp: Any, mean: Any) -> Any:
        if self._network.discrete:
            return jnp.argmax(mean, axis=1, keepdims=True)
        space = self._network.action_space or {"type": "Free"}
        if space["type"] == "Free":
            return mean
        bounds = space.get("kw", {})
        low, high = (
            jnp.asarray([infinite if v is None else v for v in np.atleast_1d(bounds.get(key))])
            for key, infinite in (("x_min", -np.inf), ("x_max", np.inf))
        )
        return jnp.clip(mean, low, high)
