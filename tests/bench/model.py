"""The policy that all contestants compute: its file, its weights, its cost, and an oracle."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from contestants.form import Floats, Weights

from dempilot.contract import Contract
from dempilot.golden import record
from dempilot.model import Model, Outputs
from dempilot.policy_file import write_policy_file

INPUTS, HIDDEN, FEATURES, ACTIONS = 22, 64, 128, 3
SEED = 1


class BenchError(Exception):
    """Something that the user can mend: "problem (why) what to do"."""


@dataclass(frozen=True)
class Cost:
    """What one step of one agent takes, counted from the sizes of the layers."""

    flop: int  #: of the matrix products; activations are a few per cent more
    bytes: int  #: observation and carry read, carry, means and value written
    weight_bytes: int  #: all weights and biases

    @classmethod
    def of(cls, weights: Weights) -> Cost:
        kernels = [kernel for kernel, _ in weights.encoder]
        kernels += [weights.input_kernel, weights.hidden_kernel, weights.head_kernel]
        biases = [bias for _, bias in weights.encoder] + [weights.gate_bias, weights.head_bias]
        moved = weights.inputs + 4 * weights.features + weights.actions + 1
        held = sum(array.size for array in kernels + biases)
        return cls(2 * sum(kernel.size for kernel in kernels), 4 * moved, 4 * held)


def fresh_weights(seed: int = SEED) -> Weights:
    """The default model, JaxDEM's first LSTMActorCritic; of the scale of flax's initialization."""
    rng = np.random.default_rng(seed)

    def kernel(inputs: int, outputs: int) -> Floats:
        return rng.normal(0, inputs**-0.5, (inputs, outputs)).astype(np.float32)

    def bias(outputs: int) -> Floats:
        return rng.normal(0, 0.1, outputs).astype(np.float32)

    return Weights(
        encoder=[(kernel(INPUTS, HIDDEN), bias(HIDDEN)), (kernel(HIDDEN, HIDDEN), bias(HIDDEN))],
        input_kernel=kernel(HIDDEN, 4 * FEATURES),
        hidden_kernel=kernel(FEATURES, 4 * FEATURES),
        gate_bias=bias(4 * FEATURES),
        head_kernel=kernel(FEATURES, ACTIONS + 1),
        head_bias=bias(ACTIONS + 1),
    )


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def gelu(x: Any) -> Any:
    """In its form with tanh."""
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def step(weights: Weights, rows: Any, carry: Any) -> tuple[Any, Any, Any]:
    """Means (n, actions), values (n,) and carries [h | c] (n, 2 H) of one step, in double."""
    x = np.asarray(rows, np.float64)
    for kernel, bias in weights.encoder:
        x = gelu(x @ kernel.astype(np.float64) + bias)
    h, c = np.split(np.asarray(carry, np.float64), 2, axis=1)
    gates = x @ weights.input_kernel.astype(np.float64) + weights.gate_bias
    gates += h @ weights.hidden_kernel.astype(np.float64)
    i, f, g, o = np.split(gates, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    heads = h @ weights.head_kernel.astype(np.float64) + weights.head_bias
    return heads[:, :-1], heads[:, -1], np.concatenate([h, c], 1)


def expected(weights: Weights, observation: Sequence[Any]) -> Any:
    """What a check must give, in its order: all that follows from these rows (n, inputs), step by
    step, from a carry of zeros."""
    parts = []
    carry = np.zeros((len(observation[0]), 2 * weights.features))
    for rows in observation:
        mean, value, carry = step(weights, rows, carry)
        parts += [mean.ravel(), value.ravel()]
    return np.concatenate([*parts, carry.ravel()])


def write_policy(path: Path, weights: Weights) -> None:
    """Writes the policy file of `fresh_weights`, with golden rows of the oracle's."""
    parameters = {f"encoder.layers.{2 * i}.{name}": array
                  for i, layer in enumerate(weights.encoder)
                  for name, array in zip(("kernel", "bias"), layer, strict=True)}
    parameters |= {
        "cell.dense_i.kernel": weights.input_kernel,
        "cell.dense_h.kernel": weights.hidden_kernel,
        "cell.dense_h.bias": weights.gate_bias,
        "actor.kernel": weights.head_kernel[:, :-1],
        "actor.bias": weights.head_bias[:-1],
        "critic.kernel": weights.head_kernel[:, -1:],
        "critic.bias": weights.head_bias[-1:],
        "_log_std": np.zeros((1, weights.actions), np.float32),
    }

    def oracle(observation: Any, carry: Any) -> Outputs:
        mean, value, after = step(weights, observation, carry)
        return Outputs(mean, np.ones_like(mean), mean, value, after)

    model = Model(
        name="LSTMActorCritic",
        metadata={
            "observation_space_size": weights.inputs,
            "action_space_size": weights.actions,
            "hidden_features": weights.encoded,
            "lstm_features": weights.features,
            "activation": "gelu",
            "variant": "seed",
            "cell_type": "OptimizedLSTMCell",
        },
        parameters=parameters,
        carry_size=2 * weights.features,
        oracle=oracle,
        provenance=f"random weights of the benchmark, numpy {np.__version__}, "
                   f"Python {sys.version.split()[0]}",
    )
    write_policy_file(path, model, Contract(), record(model), force=True)


def read_weights(path: Path) -> Weights:
    """Those of a policy file that every contestant can compute."""
    try:
        with h5py.File(path) as file:
            _require_known(path, dict(file.attrs), "normalization" in file)
            parameters = {name: file["params"][name][()] for name in file["params"]}
    except OSError as error:
        raise BenchError(f"{path} cannot be read ({error}). Give a policy file") from error
    names = sorted(name for name in parameters if name.startswith("encoder."))
    encoder = [(parameters[f"{name.removesuffix('.bias')}.kernel"], parameters[name])
               for name in names if name.endswith(".bias")]
    if "fused_head.kernel" in parameters:
        head = [parameters["fused_head.kernel"], parameters["fused_head.bias"]]
    else:
        head = [np.concatenate([parameters[f"actor.{part}"], parameters[f"critic.{part}"]], -1)
                for part in ("kernel", "bias")]
    return Weights(encoder, *(parameters[f"cell.{name}"] for name in
                              ("dense_i.kernel", "dense_h.kernel", "dense_h.bias")), *head)


def _require_known(path: Path, attributes: dict[str, Any], normalized: bool) -> None:
    """Contestants know gelu, continuous actions and raw observations."""
    metadata = str(attributes.get("metadata", ""))
    odd = [word for word in ('"actor_sigma_head": true', '"discrete": true', "Box", "MaxNorm")
           if word in metadata]
    known = attributes.get("model") == "LSTMActorCritic" and '"gelu"' in metadata
    if not known or odd or normalized:
        raise BenchError(
            f"{path} cannot be compared (contestants know LSTMActorCritic with gelu, a free action "
            "space and no normalization). Leave out --policy, or give such a policy"
        )
