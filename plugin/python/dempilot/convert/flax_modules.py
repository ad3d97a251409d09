"""flax's own modules with the tensors of a checkpoint, stepped in float64 on the CPU."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from dempilot.convert.imports import require
from dempilot.model import Array

Step = Callable[[Any, Sequence[Any]], tuple[Any, list[Any]]]


@contextlib.contextmanager
def exactly() -> Iterator[None]:
    """Computes in float64 on the CPU, where an accelerator would round products."""
    jax = require("jax", "flax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    try:
        with jax.default_device(jax.devices("cpu")[0]):
            yield
    finally:
        jax.config.update("jax_enable_x64", before)


def activation_function(name: str) -> Callable[[Any], Any]:
    """flax's function of that name."""
    nnx, jax = require("flax.nnx", "flax"), require("jax", "flax")
    functions: dict[str, Callable[[Any], Any]] = {
        "gelu": nnx.gelu,
        "gelu_erf": lambda x: jax.nn.gelu(x, approximate=False),
        "tanh": nnx.tanh,
        "relu": nnx.relu,
        "leaky_relu": nnx.leaky_relu,
        "silu": nnx.silu,
        "elu": nnx.elu,
        "sigmoid": nnx.sigmoid,
        "softplus": nnx.softplus,
        "identity": lambda x: x,
    }
    return functions[name]


def _as64(leaf: Array) -> Array:
    return np.asarray(leaf).astype(np.float64)


def linear(leaves: Mapping[str, Array], name: str) -> Any:
    """An nnx.Linear with the leaves `name.kernel` and `name.bias`."""
    nnx = require("flax.nnx", "flax")
    kernel = _as64(leaves[f"{name}.kernel"])
    bias = leaves.get(f"{name}.bias")
    module = nnx.Linear(*kernel.shape, use_bias=bias is not None, rngs=nnx.Rngs(0))
    module.kernel = nnx.Param(kernel)
    if bias is not None:
        module.bias = nnx.Param(_as64(bias))
    return module


def stack(
    leaves: Mapping[str, Array], names: Sequence[str], activation: str, *, last: bool = False
) -> Any:
    """nnx.Linear layers with the activation between them, and after the last one if asked."""
    nnx = require("flax.nnx", "flax")
    layers: list[Any] = []
    for index, name in enumerate(names):
        layers.append(linear(leaves, name))
        if last or index + 1 < len(names):
            layers.append(activation_function(activation))
    return nnx.Sequential(*layers) if layers else lambda x: x


def cell(leaves: Mapping[str, Array], name: str) -> Step:
    """Steps the cell `name`: (x, [h, c]) gives (y, [h, c]), or with [h] alone for a GRU."""
    nnx, linen = require("flax.nnx", "flax"), require("flax.linen", "flax")
    prefix = f"{name}."
    own = {key.removeprefix(prefix): leaf for key, leaf in leaves.items() if key.startswith(prefix)}
    if "dense_h.kernel" in own:
        features, gates = own["dense_h.kernel"].shape
        lstm = gates == 4 * features
        kind = nnx.OptimizedLSTMCell if lstm else nnx.GRUCell
        return _nnx_cell(
            kind(own["dense_i.kernel"].shape[0], features, rngs=nnx.Rngs(0)), own, lstm
        )
    lstm = "hi.kernel" in own
    features = own["hi.kernel" if lstm else "hr.kernel"].shape[1]
    if "if_.kernel" in own:
        inputs = own["ii.kernel"].shape[0]
        return _nnx_cell(nnx.LSTMCell(inputs, features, rngs=nnx.Rngs(0)), own, lstm)
    module = linen.LSTMCell(features) if lstm else linen.GRUCell(features)
    parameters: dict[str, Any] = {}
    for key, leaf in own.items():
        gate, _, part = key.rpartition(".")
        parameters.setdefault(gate, {})[part] = _as64(leaf)
    return _step(lambda carry, x: module.apply({"params": parameters}, carry, x), lstm)


def _nnx_cell(module: Any, own: Mapping[str, Array], lstm: bool) -> Step:
    nnx = require("flax.nnx", "flax")
    for key, leaf in own.items():
        owner, _, part = key.rpartition(".")
        setattr(getattr(module, owner), part, nnx.Param(_as64(leaf)))
    return _step(module, lstm)


def _step(call: Callable[[Any, Any], Any], lstm: bool) -> Step:
    """flax's carry is (c, h) for an LSTM, and h for a GRU."""

    def lstm_step(x: Any, state: Sequence[Any]) -> tuple[Any, list[Any]]:
        (c, h), y = call((state[1], state[0]), x)
        return y, [h, c]

    def gru_step(x: Any, state: Sequence[Any]) -> tuple[Any, list[Any]]:
        h, y = call(state[0], x)
        return y, [h]

    return lstm_step if lstm else gru_step
