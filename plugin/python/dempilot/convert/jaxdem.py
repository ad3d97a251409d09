"""From a JaxDEM checkpoint: `<folder>/<step>/{model_state, model_metadata}`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dempilot.convert.digests import tree_digest
from dempilot.convert.flax import flax_versions
from dempilot.convert.flax_tensors import FlaxTensors
from dempilot.convert.jaxdem_oracle import JaxdemOracle
from dempilot.convert.orbax import is_item, latest_step, read_leaves, short
from dempilot.errors import fail
from dempilot.model import Array, Casts, Model, Normalization

SIZES = ("observation_space_size", "action_space_size")
# model: the arguments that shape it, with JaxDEM's defaults
ARGUMENTS: dict[str, dict[str, Any]] = {
    "LSTMActorCritic": {"hidden_features": 64, "lstm_features": 128},
    "MinGRUActorCritic": {"hidden_features": 64, "gru_features": 128, "num_layers": 1},
    "SharedActorCritic": {"architecture": [42, 42, 42]},
    "ActorCritic": {"actor_architecture": [42, 42, 42], "critic_architecture": [42, 42, 42]},
}
SHARED_ARGUMENTS = (
    "activation", "action_space", "action_space_type", "action_space_kws", "actor_sigma_head",
    "discrete", "cell_type",
)  # fmt: skip
TRAINING = (
    "model_type", "remat", "carry_leading_shape", "reset_shape", "in_scale", "actor_scale",
    "critic_scale",
)  # fmt: skip
SPACES = {
    "free": ("Free", ()),
    "box": ("Box", ("x_min", "x_max", "width", "eps")),
    "maxnorm": ("MaxNorm", ("max_norm", "eps")),
}
KNOWN_ACTIVATIONS = (
    "gelu", "tanh", "relu", "leaky_relu", "silu", "elu", "sigmoid", "softplus", "identity",
)  # fmt: skip
CELLS = ("OptimizedLSTMCell", "LSTMCell")
CARRIES = ("h", "c")
# leaves that exist beside `fused_head`, which replaces them
UNUSED_HEADS = ("actor_mu", "critic")


def read_jaxdem(
    path: Path, normalization: Normalization | None = None, *, step: int | None = None
) -> Model:
    """Reads a checkpoint of CheckpointModelWriter: a step's folder, or the latest one below."""
    folder = path if is_item(path / "model_state") else latest_step(path, step)
    name, arguments = _read_metadata(folder / "model_metadata" / "metadata")
    tensors = FlaxTensors(read_leaves(folder / "model_state"))
    metadata = _metadata(name, arguments, tensors)
    casts = Casts()
    parameters = _parameters(name, metadata, tensors, casts)
    return Model(
        name=name,
        metadata=metadata,
        parameters=parameters,
        carry_size=_carry_size(name, metadata),
        oracle=JaxdemOracle(name, metadata, parameters, tensors.by_name, normalization),
        provenance=f"JaxDEM checkpoint {short(folder)}, sha256 {tree_digest(folder)}; "
        f"{flax_versions()}",
        normalization=normalization,
        notes=casts.notes(),
    )


def _read_metadata(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        fail(
            f"{path} cannot be read",
            str(error),
            "Give a checkpoint of JaxDEM's CheckpointModelWriter.",
        )
    if not isinstance(data, dict):
        fail(f"{path} is no JSON object", f"it is a {type(data).__name__}", "Save it again.")
    wanted = str(data.get("model_type")).lower()
    for name in ARGUMENTS:
        if name.lower() == wanted:
            return name, data
    fail(
        f"'model_type' is {data.get('model_type')}",
        f"known: {', '.join(ARGUMENTS)}",
        "Only these models can be converted.",
    )


def _metadata(name: str, arguments: Mapping[str, Any], tensors: FlaxTensors) -> dict[str, Any]:
    """The arguments as the policy file spells them; unknown ones are refused."""
    for key in arguments:
        if key not in (*SIZES, *ARGUMENTS[name], *SHARED_ARGUMENTS, *TRAINING):
            fail(
                f"'{key}' in the metadata is unknown",
                f"{name} is known with {', '.join((*SIZES, *ARGUMENTS[name]))}",
                "Convert with a newer DEMPilot.",
            )
    for key in SIZES:
        if not isinstance(arguments.get(key), int):
            fail(
                f"'{key}' in the metadata is {arguments.get(key)}",
                "it is a width",
                "Save it again.",
            )
    metadata: dict[str, Any] = {key: arguments[key] for key in SIZES}
    metadata |= {key: arguments.get(key, default) for key, default in ARGUMENTS[name].items()}
    metadata["activation"] = _activation(arguments.get("activation", "gelu"))
    if name == "LSTMActorCritic":
        metadata["variant"] = "seed" if "actor" in tensors.modules() else "current"
        metadata["cell_type"] = _cell_type(arguments.get("cell_type", "OptimizedLSTMCell"))
    if arguments.get("actor_sigma_head") and not arguments.get("discrete"):
        metadata["actor_sigma_head"] = True
    if arguments.get("discrete"):
        metadata["discrete"] = True
    else:
        metadata["action_space"] = _action_space(arguments)
    return metadata


def _callable_name(value: Any) -> str:
    """The last part of a callable's path: "jax._src.nn.functions.gelu" or "jax.nn:gelu"."""
    if isinstance(value, dict):
        value = value.get("path")
    return str(value).replace(":", ".").rpartition(".")[2]


def _activation(value: Any) -> str:
    name = _callable_name(value)
    name = {"swish": "silu"}.get(name, name)
    if name not in KNOWN_ACTIVATIONS:
        fail(
            f"'activation' is {name}",
            f"known: {', '.join(KNOWN_ACTIVATIONS)}",
            "Train with one of these.",
        )
    return name


def _cell_type(value: Any) -> str:
    name = _callable_name(value)
    if name not in CELLS:
        fail(f"'cell_type' is {name}", f"known: {', '.join(CELLS)}", "Train with one of these.")
    return name


def _action_space(arguments: Mapping[str, Any]) -> dict[str, Any]:
    space = arguments.get("action_space") or {
        "type": arguments.get("action_space_type", "Free"),
        "kw": arguments.get("action_space_kws") or {},
    }
    kind = str(space.get("type")).lower().replace("_", "")
    if kind not in SPACES:
        known = ", ".join(name for name, _ in SPACES.values())
        fail(
            f"'action_space' is {space.get('type')}", f"known: {known}", "Train with one of these."
        )
    name, keys = SPACES[kind]
    # the rest tells distrax about shapes
    bounds = {k: v for k, v in space.get("kw", {}).items() if k in keys}
    for key in ("x_min", "x_max"):
        if name == "Box" and bounds.get(key) is None:
            fail(
                f"'action_space' lacks '{key}'", "a Box has two bounds", "Save the whole settings."
            )
    return {"type": name, "kw": bounds}


def _carry_size(name: str, metadata: Mapping[str, Any]) -> int:
    if name == "LSTMActorCritic":
        return 2 * int(metadata["lstm_features"])
    if name == "MinGRUActorCritic":
        return int(metadata["gru_features"]) * int(metadata["num_layers"])
    return 0


def _shapes(name: str, metadata: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """The parameters that the model must have, with their shapes."""
    observation, actions = (int(metadata[key]) for key in SIZES)
    shapes: dict[str, tuple[int, ...]] = {}

    def linear(prefix: str, width: int, out: int) -> int:
        shapes[f"{prefix}.kernel"], shapes[f"{prefix}.bias"] = (width, out), (out,)
        return out

    def stack(prefix: str, widths: list[int]) -> int:
        width = observation
        for index, out in enumerate(widths):
            width = linear(f"{prefix}.layers.{2 * index}", width, out)
        return width

    if name in ("LSTMActorCritic", "MinGRUActorCritic"):
        hidden = int(metadata["hidden_features"])
        seed = metadata.get("variant") == "seed"
        stack("encoder", [hidden, hidden] if seed else [hidden])
        features = _memory_shapes(name, metadata, shapes, linear)
        if seed:
            linear("actor", features, actions)
            linear("critic", features, 1)
        else:
            linear("fused_head", features, actions + 1)
    elif name == "SharedActorCritic":
        features = stack("network", metadata["architecture"])
        linear("actor_mu", features, actions)
        linear("critic", features, 1)
    else:
        features = stack("actor_torso", metadata["actor_architecture"])
        linear("actor_mu", features, actions)
        stack("critic", [*metadata["critic_architecture"], 1])
    if metadata.get("actor_sigma_head"):
        linear("actor_sigma.net.layers.0", features, actions)
    if not metadata.get("discrete") and not metadata.get("actor_sigma_head"):
        shapes["_log_std"] = (1, actions)
    return shapes


def _memory_shapes(
    name: str, metadata: Mapping[str, Any], shapes: dict[str, tuple[int, ...]], linear: Any
) -> int:
    hidden = int(metadata["hidden_features"])
    if name == "LSTMActorCritic":
        features = int(metadata["lstm_features"])
        shapes["cell.dense_i.kernel"] = (hidden, 4 * features)
        shapes["cell.dense_h.kernel"] = (features, 4 * features)
        shapes["cell.dense_h.bias"] = (4 * features,)
        return features
    features = int(metadata["gru_features"])
    if hidden != features:
        linear("proj_in", hidden, features)
    shapes["mingru_kernel"] = (int(metadata["num_layers"]), features, 3 * features)
    return features


def _parameters(
    name: str, metadata: Mapping[str, Any], tensors: FlaxTensors, casts: Casts
) -> dict[str, Array]:
    """The leaves under the names of the policy file; raises `Error` for what is missing or more."""
    leaves = dict(tensors.by_name)
    for key in tensors.by_name:
        # an agent starts from a zero carry, and the metadata holds the bounds of the action space
        if key in CARRIES or key.split(".")[0] == "bij":
            del leaves[key]
    if "cell.hi.kernel" in leaves:
        _join_gates(leaves, tensors)
    log_std = leaves.pop("actor_sigma.log_std", None)
    if log_std is not None:
        leaves.setdefault("_log_std", log_std)
    shapes = _shapes(name, metadata)
    parameters = {}
    for key, shape in shapes.items():
        if key not in leaves:
            fail(f"'{key}' is missing", f"{name} has it", "Check what wrote the checkpoint.")
        leaf = leaves.pop(key)
        if leaf.shape != shape:
            fail(
                f"'{key}' has shape {list(leaf.shape)}",
                f"its metadata means {list(shape)}",
                "Check what wrote the checkpoint.",
            )
        parameters[key] = casts.to_float32(key, leaf)
    for key in leaves:
        fused = "fused_head.kernel" in shapes and key.split(".")[0] in UNUSED_HEADS
        if not fused and key != "_log_std":  # there also where logits or a head replace it
            fail(
                f"nothing is known of '{key}'",
                f"{name} has no such parameter, and without it the policy might do something else",
                "Check what wrote the checkpoint.",
            )
    return parameters


def _join_gates(leaves: dict[str, Array], tensors: FlaxTensors) -> None:
    """An LSTMCell keeps its gates apart; the policy file joins them in the order i, f, g, o."""
    (joined,) = tensors.cells("cell")
    for key in [key for key in leaves if key.startswith("cell.")]:
        del leaves[key]
    leaves["cell.dense_i.kernel"] = joined.input_kernel
    leaves["cell.dense_h.kernel"] = joined.hidden_kernel
    if joined.hidden_bias is not None:
        leaves["cell.dense_h.bias"] = joined.hidden_bias
