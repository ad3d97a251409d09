"""Layers as frameworks hold them, put together into one of the models of a policy file.

A source reads its tensors into `Linear` and `Cell`, says in a `Network` which is what, and
`assemble` names and checks them. Kernels are [in, out] here, whatever the source stores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dempilot.errors import fail
from dempilot.model import Array, Casts, Model, Normalization, Oracle

GATES = {"lstm": 4, "gru": 3}
STATES = {"lstm": 2, "gru": 1}
MOST_LAYERS = 7

ACTIVATIONS = (
    "gelu", "gelu_erf", "tanh", "relu", "leaky_relu", "silu", "elu", "sigmoid", "softplus",
    "identity",
)  # fmt: skip


@dataclass(frozen=True)
class Linear:
    """A dense layer; `name` is what its source calls it."""

    name: str
    kernel: Array
    bias: Array | None


@dataclass(frozen=True)
class Cell:
    """One recurrent layer: an LSTM's gates are i, f, g, o, a GRU's reset, update, new."""

    name: str
    kind: str
    input_kernel: Array
    input_bias: Array | None
    hidden_kernel: Array
    hidden_bias: Array | None


@dataclass(frozen=True)
class Network:
    """Which layer plays which part. The last of `actor` gives the mean, of `critic` the value."""

    encoder: Sequence[Linear]
    cells: Sequence[Cell]
    actor: Sequence[Linear]
    critic: Sequence[Linear]
    activation: str
    log_std: Array | None = None
    critic_cells: Sequence[Cell] = ()
    critic_encoder: Linear | None = None
    discrete: bool = False
    action_space: dict[str, Any] | None = None


@dataclass(frozen=True)
class Assembly:
    """A network under the names of the policy file."""

    name: str
    metadata: dict[str, Any]
    parameters: dict[str, Array]
    carry_size: int
    notes: tuple[str, ...]

    def model(
        self,
        oracle: Oracle,
        provenance: str,
        normalization: Normalization | None,
        notes: Sequence[str] = (),
    ) -> Model:
        """The policy that this network is, with its framework's forward pass beside it."""
        return Model(
            name=self.name,
            metadata=self.metadata,
            parameters=self.parameters,
            carry_size=self.carry_size,
            oracle=oracle,
            provenance=provenance,
            normalization=normalization,
            notes=(*notes, *self.notes),
        )


class _Parameters:
    """Collects tensors under their new names; checks that widths follow one another."""

    def __init__(self) -> None:
        self.tensors: dict[str, Array] = {}
        self.casts = Casts()

    def add(self, name: str, source: str, tensor: Array) -> None:
        self.tensors[name] = self.casts.to_float32(source, tensor)

    def linear(self, name: str, layer: Linear, width: int) -> int:
        """Adds a layer that reads `width` values; returns how many it gives."""
        if layer.kernel.ndim != 2:
            fail(
                f"'{layer.name}' has a weight of {layer.kernel.ndim} dimensions",
                "only dense layers can be converted",
                "Use observations and layers that are vectors.",
            )
        _check_width(layer.name, layer.kernel.shape[0], width)
        out = int(layer.kernel.shape[1])
        bias = np.zeros(out, np.float32) if layer.bias is None else layer.bias
        _check_shape(f"{layer.name} (bias)", bias, (out,))
        self.add(f"{name}.kernel", f"{layer.name} (weight)", layer.kernel)
        self.add(f"{name}.bias", f"{layer.name} (bias)", bias)
        return out

    def stack(self, name: str, layers: Sequence[Linear], width: int) -> int:
        """Adds layers with an activation between them, numbered as flax numbers them."""
        for index, layer in enumerate(layers):
            width = self.linear(f"{name}.layers.{2 * index}", layer, width)
        return width

    def cells(self, name: str, cells: Sequence[Cell], width: int) -> int:
        for index, cell in enumerate(cells):
            width = self._cell(f"{name}.{index}", cell, width)
        return width

    def _cell(self, name: str, cell: Cell, width: int) -> int:
        _check_width(cell.name, cell.input_kernel.shape[0], width)
        features = int(cell.hidden_kernel.shape[0])
        gates = GATES[cell.kind] * features
        for part, kernel in (("input", cell.input_kernel), ("hidden", cell.hidden_kernel)):
            if kernel.shape[1] != gates:
                fail(
                    f"'{cell.name}' has {part} weights for {kernel.shape[1]} gate values",
                    f"{cell.kind.upper()} layers of width {features} have {gates}",
                    "Check that it is a plain cell of the kind you named, without projection.",
                )
        zeros = np.zeros(gates, np.float32)
        input_bias = zeros if cell.input_bias is None else cell.input_bias
        hidden_bias = zeros if cell.hidden_bias is None else cell.hidden_bias
        _check_shape(f"{cell.name} (input bias)", input_bias, (gates,))
        _check_shape(f"{cell.name} (hidden bias)", hidden_bias, (gates,))
        self.add(f"{name}.dense_i.kernel", f"{cell.name} (input weight)", cell.input_kernel)
        self.add(f"{name}.dense_h.kernel", f"{cell.name} (hidden weight)", cell.hidden_kernel)
        if cell.kind == "gru":
            # a GRU's two biases are not interchangeable: reset scales the hidden one of `new`
            self.add(f"{name}.dense_i.bias", f"{cell.name} (input bias)", input_bias)
            self.add(f"{name}.dense_h.bias", f"{cell.name} (hidden bias)", hidden_bias)
        else:
            both = input_bias + hidden_bias
            self.add(f"{name}.dense_h.bias", f"{cell.name} (bias)", both)
        return features


def _check_width(name: str, found: int, expected: int) -> None:
    if found != expected:
        fail(
            f"'{name}' reads {found} values",
            f"what stands before it gives {expected}",
            "Check which modules were named as encoder, recurrent layers, actor and critic.",
        )


def _check_shape(name: str, tensor: Array, expected: tuple[int, ...]) -> None:
    if tensor.shape != expected:
        fail(
            f"'{name}' has shape {list(tensor.shape)}",
            f"expected {list(expected)}",
            "Check what wrote the checkpoint.",
        )


def _check_counts(network: Network) -> None:
    if network.activation not in ACTIVATIONS:
        fail(
            f"unknown activation '{network.activation}'",
            f"known: {', '.join(ACTIVATIONS)}",
            "Train with one of these.",
        )
    for what, layers in (("actor", network.actor), ("critic", network.critic)):
        if not layers:
            fail(f"the {what} has no layer", "its last layer gives what it decides", "Name one.")
    stacks = {
        "encoder": len(network.encoder),
        "actor": len(network.actor) - 1,
        "critic": len(network.critic) - 1,
        "recurrent part": max(len(network.cells), len(network.critic_cells)),
    }
    for what, count in stacks.items():
        if count > MOST_LAYERS:
            fail(
                f"the {what} has {count} layers", f"at most {MOST_LAYERS} are known", "Train fewer."
            )


def _check_heads(network: Network, actions: int, values: int) -> None:
    if values != 1:
        fail(
            f"'{network.critic[-1].name}' gives {values} values",
            "a critic's last layer gives one",
            "Name the state-value head as the critic.",
        )
    if network.discrete and network.log_std is not None:
        fail(
            "the actions are discrete and have a standard deviation",
            "logits have none",
            "Leave log_std out, or make the actions continuous.",
        )
    if not network.discrete:
        if network.log_std is None:
            fail(
                "there is no log_std",
                "continuous actions have a standard deviation of their own",
                "Name its tensor as log_std in the model description.",
            )
        if network.log_std.size != actions:
            fail(
                f"log_std has shape {list(network.log_std.shape)}",
                f"'{network.actor[-1].name}' gives {actions} actions",
                "Only a standard deviation for each action can be converted.",
            )


def _check_bounds(bounds: dict[str, Any], actions: int) -> None:
    for key, bound in bounds.items():
        if isinstance(bound, list) and len(bound) != actions:
            fail(
                f"'{key}' of 'action_space' has {len(bound)} values",
                f"the actor gives {actions} actions",
                "Give a number for each, or one for all.",
            )


def _common(network: Network, observation: int, actions: int) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "observation_space_size": observation,
        "action_space_size": actions,
        "activation": network.activation,
    }
    if network.discrete:
        metadata["discrete"] = True
    elif network.action_space is not None:
        _check_bounds(network.action_space.get("kw", {}), actions)
        metadata["action_space"] = network.action_space
    return metadata


def _widths(layers: Sequence[Linear]) -> list[int]:
    return [int(layer.kernel.shape[1]) for layer in layers]


def assemble(network: Network) -> Assembly:
    """Names, checks and casts a network's tensors.

    Raises `Error` where a width, a gate count or a head does not fit.
    """
    _check_counts(network)
    parameters = _Parameters()
    first = (network.encoder or network.cells or network.actor)[0]
    kernel = first.kernel if isinstance(first, Linear) else first.input_kernel
    observation = int(kernel.shape[0])
    if network.cells:
        name, extra = _recurrent(network, parameters, observation)
    else:
        name, extra = _feedforward(network, parameters, observation)
    actions = int(network.actor[-1].kernel.shape[1])
    _check_heads(network, actions, int(network.critic[-1].kernel.shape[1]))
    if network.log_std is not None:
        parameters.add("_log_std", "log_std", network.log_std.reshape(1, actions))
    return Assembly(
        name=name,
        metadata=_common(network, observation, actions) | extra,
        parameters=parameters.tensors,
        carry_size=sum(
            STATES[cell.kind] * int(cell.hidden_kernel.shape[0])
            for cell in (*network.cells, *network.critic_cells)
        ),
        notes=parameters.casts.notes(),
    )


def _feedforward(
    network: Network, parameters: _Parameters, observation: int
) -> tuple[str, dict[str, Any]]:
    """Heads right on a common torso, or else two towers that both hold the common layers."""
    if len(network.actor) == 1 and len(network.critic) == 1:
        width = parameters.stack("network", network.encoder, observation)
        parameters.linear("actor_mu", network.actor[0], width)
        parameters.linear("critic", network.critic[0], width)
        return "SharedActorCritic", {"architecture": _widths(network.encoder)}
    torso = [*network.encoder, *network.actor[:-1]]
    critic = [*network.encoder, *network.critic]
    width = parameters.stack("actor_torso", torso, observation)
    parameters.linear("actor_mu", network.actor[-1], width)
    parameters.stack("critic", critic, observation)
    return "ActorCritic", {
        "actor_architecture": _widths(torso),
        "critic_architecture": _widths(critic[:-1]),
    }


def _check_alike(cells: Sequence[Cell], what: str) -> None:
    """The file knows one kind and one width for all recurrent layers."""
    first = cells[0]
    for cell in cells[1:]:
        if cell.kind != first.kind or cell.hidden_kernel.shape != first.hidden_kernel.shape:
            fail(
                f"'{cell.name}' is a {cell.kind.upper()} of width {cell.hidden_kernel.shape[0]}",
                f"'{first.name}' is a {first.kind.upper()} of width "
                f"{first.hidden_kernel.shape[0]}, and {what} must be alike",
                "Train with recurrent layers of one kind and width.",
            )


def _recurrent(
    network: Network, parameters: _Parameters, observation: int
) -> tuple[str, dict[str, Any]]:
    _check_alike(network.cells, "stacked layers")
    encoded = parameters.stack("encoder", network.encoder, observation)
    features = parameters.cells("cells", network.cells, encoded)
    memory = "shared"
    if network.critic_cells:
        memory = "own"
        _check_alike((network.cells[0], *network.critic_cells), "the actor's and the critic's")
        if len(network.critic_cells) != len(network.cells):
            fail(
                f"the critic has {len(network.critic_cells)} recurrent layers",
                f"the actor has {len(network.cells)}",
                "Train with equal numbers.",
            )
        parameters.cells("critic_cells", network.critic_cells, encoded)
    elif network.critic_encoder is not None:
        memory = "none"
        width = parameters.linear("critic_encoder", network.critic_encoder, encoded)
        _check_width(network.critic[0].name, network.critic[0].kernel.shape[0], width)
        if width != features:
            fail(
                f"'{network.critic_encoder.name}' gives {width} values",
                f"the recurrent layers give {features}",
                "Train with equal widths.",
            )
    width = parameters.stack("actor", network.actor[:-1], features)
    parameters.linear("actor_mu", network.actor[-1], width)
    parameters.stack("critic", network.critic, features)
    return "RecurrentActorCritic", {
        "encoder": _widths(network.encoder),
        "cell": network.cells[0].kind,
        "features": features,
        "num_layers": len(network.cells),
        "actor": _widths(network.actor[:-1]),
        "critic": _widths(network.critic[:-1]),
        "critic_memory": memory,
    }
