"""Checkpoints in JaxDEM's layout, against flax.

JaxDEM is in no package index. These modules have the parameters of its models under the same names
and are saved as it saves them; the equations are those of its goldens (tests/golden).
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
import pytest
from flax import nnx
from roundtrip import AGENTS, assert_golden, assert_same_run, convert

from dempilot.cli import main

OBSERVATION, ACTIONS, HIDDEN, FEATURES = 6, 2, 8, 5
SIZES = {"observation_space_size": OBSERVATION, "action_space_size": ACTIONS}


def linear(width: int, out: int) -> nnx.Linear:
    return nnx.Linear(width, out, rngs=nnx.Rngs(width * 31 + out))


def spread(log_std: nnx.Param, y: jax.Array) -> jax.Array:
    return jnp.broadcast_to(jnp.exp(log_std[...]), (len(y), ACTIONS))


class Deviation(nnx.Module):
    """log_std, and where features give the deviation a layer."""

    def __init__(self, head: bool) -> None:
        self.log_std = nnx.Param(jnp.full((1, ACTIONS), -0.5))
        if head:
            self.net = nnx.Sequential(linear(FEATURES, ACTIONS), jax.nn.softplus)
        self.head = head

    def __call__(self, y):
        return self.net(y) if self.head else spread(self.log_std, y)


class Current(nnx.Module):
    """Encoder, cell, fused head; and heads that stay unused."""

    def __init__(self, cell: Any, head: bool = False) -> None:
        self.encoder = nnx.Sequential(linear(OBSERVATION, HIDDEN), nnx.gelu)
        self.cell = cell(HIDDEN, FEATURES, rngs=nnx.Rngs(4))
        self.actor_mu, self.critic = linear(FEATURES, ACTIONS), linear(FEATURES, 1)
        self.actor_sigma = Deviation(head)
        self._log_std = self.actor_sigma.log_std
        self.fused_head = linear(FEATURES, ACTIONS + 1)
        self.h = nnx.Variable(jnp.ones((1, FEATURES)))
        self.c = nnx.Variable(jnp.ones((1, FEATURES)))

    def __call__(self, x, carry):
        carry, y = self.cell(carry, self.encoder(x))
        fused = self.fused_head(y)
        return fused[:, :-1], self.actor_sigma(y), fused[:, -1], carry


class Seed(nnx.Module):
    """The first LSTMActorCritic: two layers, two heads, dropout."""

    def __init__(self) -> None:
        self.encoder = nnx.Sequential(
            linear(OBSERVATION, HIDDEN), nnx.gelu, linear(HIDDEN, HIDDEN), nnx.gelu
        )
        self.cell = nnx.OptimizedLSTMCell(HIDDEN, FEATURES, rngs=nnx.Rngs(4))
        self.actor, self.critic = linear(FEATURES, ACTIONS), linear(FEATURES, 1)
        self.dropout = nnx.Dropout(0.1, rngs=nnx.Rngs(5))
        self._log_std = nnx.Param(jnp.zeros((1, ACTIONS)))
        self.h = nnx.Variable(jnp.ones((1, FEATURES)))
        self.c = nnx.Variable(jnp.ones((1, FEATURES)))

    def __call__(self, x, carry):
        carry, y = self.cell(carry, self.encoder(x))
        return self.actor(y), spread(self._log_std, y), self.critic(y)[:, 0], carry


class MinGRU(nnx.Module):
    """Two layers of one kernel each, with highways around them."""

    def __init__(self) -> None:
        self.encoder = nnx.Sequential(linear(OBSERVATION, HIDDEN), nnx.gelu)
        self.proj_in = linear(HIDDEN, FEATURES)
        kernel = nnx.initializers.orthogonal(1.0)(jax.random.key(6), (2, FEATURES, 3 * FEATURES))
        self.mingru_kernel = nnx.Param(kernel)
        self.actor_sigma = Deviation(False)
        self.fused_head = linear(FEATURES, ACTIONS + 1)
        self.h = nnx.Variable(jnp.ones((1, 2, FEATURES)))

    def __call__(self, x, carry):
        x, after = self.proj_in(self.encoder(x)), []
        for kernel, state in zip(self.mingru_kernel[...], carry, strict=True):
            hidden, gate, proj = jnp.split(x @ kernel, 3, axis=-1)
            w, shift = jax.nn.sigmoid(gate), jax.nn.sigmoid(proj)
            new = jnp.where(hidden >= 0, hidden + 0.5, jax.nn.sigmoid(hidden))
            state = (1 - w) * state + w * new
            x = shift * state + (1 - shift) * x
            after.append(state)
        fused = self.fused_head(x)
        return fused[:, :-1], self.actor_sigma(x), fused[:, -1], after


class Shared(nnx.Module):
    def __init__(self) -> None:
        self.network = nnx.Sequential(
            linear(OBSERVATION, HIDDEN), nnx.gelu, linear(HIDDEN, FEATURES), nnx.gelu
        )
        self.actor_mu, self.critic = linear(FEATURES, ACTIONS), linear(FEATURES, 1)
        self.actor_sigma = Deviation(True)

    def __call__(self, x, carry):
        y = self.network(x)
        return self.actor_mu(y), self.actor_sigma(y), self.critic(y)[:, 0], carry


class Separate(nnx.Module):
    def __init__(self) -> None:
        self.actor_torso = nnx.Sequential(linear(OBSERVATION, FEATURES), nnx.gelu)
        self.critic = nnx.Sequential(linear(OBSERVATION, HIDDEN), nnx.gelu, linear(HIDDEN, 1))
        self.actor_mu = linear(FEATURES, ACTIONS)
        self.actor_sigma = Deviation(False)

    def __call__(self, x, carry):
        y = self.actor_torso(x)
        return self.actor_mu(y), self.actor_sigma(y), self.critic(x)[:, 0], carry


def free(mean):
    return mean


def max_norm(mean):
    radius = jnp.sqrt(jnp.sum(mean**2, axis=-1, keepdims=True) + 1e-12)
    return (1 - 1e-6) * 2.0 * jnp.tanh(radius) * mean / radius


def bounded(mean):
    low, high = jnp.asarray([-1.0, -2.0]), jnp.asarray([1.0, 3.0])
    return (low + high) / 2 + (1 - 1e-6) * (high - low) / 2 * jnp.tanh(mean / 0.5)


def likeliest(mean):
    return jnp.argmax(mean, axis=-1, keepdims=True).astype(jnp.float32)


class Running:
    """Keeps a model's carry; a reset zeroes the rows of some agents."""

    def __init__(self, model: nnx.Module, carry: Any, act: Any) -> None:
        self.model, self.carry, self.act = model, carry, act

    def reset(self, mask: np.ndarray) -> None:
        keep = jnp.asarray(~mask, jnp.float32)[:, None]
        self.carry = jax.tree.map(lambda part: part * keep, self.carry)

    def step(self, observation: np.ndarray):
        mean, std, value, self.carry = self.model(jnp.asarray(observation), self.carry)
        deviation = None if self.act is likeliest else np.asarray(std)
        return np.asarray(self.act(mean)), np.asarray(value), deviation


def pair():
    return (jnp.zeros((AGENTS, FEATURES)), jnp.zeros((AGENTS, FEATURES)))


LSTM = {"model_type": "lstmactorcritic", "hidden_features": HIDDEN, "lstm_features": FEATURES}
GELU = {"_callable": True, "path": "jax._src.nn.functions.gelu"}
OLD = {"activation": "jax._src.nn.functions.gelu", "reset_shape": [1]}
TORSOS = {"in_scale": 1.4, "actor_scale": 1.0, "critic_scale": 0.01}
MAX_NORM = {"max_norm": 2.0, "eps": 1e-6, "event_ndims_in": 1, "event_ndims_out": 1}
BOX = {"x_min": [-1.0, -2.0], "x_max": [1.0, 3.0], "width": 0.5, "eps": 1e-6, "event_ndims_in": 0}
CASES = {
    "current LSTM": (
        lambda: Current(nnx.OptimizedLSTMCell),
        LSTM | {"activation": GELU, "action_space": {"type": "maxnorm", "kw": MAX_NORM}},
        pair,
        max_norm,
    ),
    "LSTMCell": (
        lambda: Current(nnx.LSTMCell),
        LSTM | {"cell_type": {"_callable": True, "path": "flax.nnx.nn.recurrent.LSTMCell"}},
        pair,
        free,
    ),
    "sigma head": (
        lambda: Current(nnx.OptimizedLSTMCell, True),
        LSTM | {"actor_sigma_head": True, "action_space": {"type": "box", "kw": BOX}},
        pair,
        bounded,
    ),
    "categories": (
        lambda: Current(nnx.OptimizedLSTMCell),
        LSTM | {"discrete": True, "action_space": None},
        pair,
        likeliest,
    ),
    "seed": (
        Seed,
        LSTM | OLD | {"action_space_type": "maxnorm", "action_space_kws": MAX_NORM},
        pair,
        max_norm,
    ),
    "MinGRU": (
        MinGRU,
        {
            "model_type": "mingruactorcritic",
            "hidden_features": HIDDEN,
            "gru_features": FEATURES,
            "num_layers": 2,
            "remat": False,
            "carry_leading_shape": [1],
        },
        lambda: list(pair()),
        free,
    ),
    "shared": (
        Shared,
        {"model_type": "sharedactorcritic", "architecture": [HIDDEN, FEATURES]}
        | TORSOS
        | {"actor_sigma_head": True},
        tuple,
        free,
    ),
    "separate": (
        Separate,
        {
            "model_type": "actorcritic",
            "actor_architecture": [FEATURES],
            "critic_architecture": [HIDDEN],
        }
        | TORSOS,
        tuple,
        free,
    ),
}


def save(folder: Path, model: nnx.Module, metadata: dict[str, Any], step: int = 3) -> Path:
    """As JaxDEM's CheckpointModelWriter does."""
    with ocp.CheckpointManager(folder) as manager:
        manager.save(
            step,
            args=ocp.args.Composite(
                model_state=ocp.args.StandardSave(nnx.state(model)),
                model_metadata=ocp.args.JsonSave(SIZES | metadata),
            ),
        )
        manager.wait_until_finished()
    return folder


def make(name: str) -> nnx.Module:
    model = CASES[name][0]()
    rng = np.random.default_rng(1)
    for _, node in nnx.iter_graph(model):
        if isinstance(node, nnx.Param):
            node[...] = node[...] + 0.1 * rng.normal(size=node[...].shape).astype(np.float32)
    return model


@pytest.mark.parametrize("name", CASES)
def test_models_step_as_in_flax(name, tmp_path):
    _, metadata, carry, act = CASES[name]
    model = make(name)
    save(tmp_path / "run", model, metadata)
    # categories do not fit the environment, which takes forces
    source = (tmp_path / "run", "--environment", "singleNavigator")
    source = (tmp_path / "run" / "3",) if act is likeliest else source
    path = convert("jaxdem", *source, output=tmp_path / "a.policy.h5")
    model.eval()
    assert_same_run(path, Running(model, carry(), act))


def test_recorded_rows_become_the_golden_rows(tmp_path):
    _, metadata, carry, _ = CASES["current LSTM"]
    model = make("current LSTM")
    model.eval()
    save(tmp_path / "run", model, metadata)
    rng, state, steps = np.random.default_rng(6), carry(), []
    for _ in range(3):
        observation = rng.normal(size=(AGENTS, OBSERVATION)).astype(np.float32)
        mean, std, value, after = model(jnp.asarray(observation), state)
        step = {"observation": observation, "mean": mean, "std": std, "value": value}
        step["action"] = max_norm(mean)
        for name, parts in (("carry", state), ("next_carry", after)):
            step[name] = jnp.concatenate(parts[::-1], axis=1)  # flax keeps c before h
        steps.append(step)
        state = after
    rows = {name: np.concatenate([step[name] for step in steps]) for name in steps[0]}
    np.savez(tmp_path / "rows.npz", **rows)
    source = (tmp_path / "run", "--rows", tmp_path / "rows.npz")
    assert_golden(convert("jaxdem", *source, output=tmp_path / "a.policy.h5"), rows)


def refusal(tmp_path, capsys) -> str:
    output = str(tmp_path / "a.policy.h5")
    assert main(["convert", "jaxdem", str(tmp_path / "run"), "-o", output]) == 1
    assert not list(tmp_path.glob("*a.policy.h5*"))
    return capsys.readouterr().err.replace(f"{tmp_path}/", "").strip()


REFUSED = {
    "model_type": (
        {"model_type": "transformer"},
        "dempilot: 'model_type' is transformer (known: LSTMActorCritic, MinGRUActorCritic, "
        "SharedActorCritic, ActorCritic) Only these models can be converted.",
    ),
    "cell_type": (
        {"cell_type": {"_callable": True, "path": "flax.nnx.nn.recurrent.GRUCell"}},
        "dempilot: 'cell_type' is GRUCell (known: OptimizedLSTMCell, LSTMCell) Train with one of "
        "these.",
    ),
    "activation": (
        {"activation": {"_callable": True, "path": "mine.wave"}},
        "dempilot: 'activation' is wave (known: gelu, tanh, relu, leaky_relu, silu, elu, sigmoid, "
        "softplus, identity) Train with one of these.",
    ),
    "action_space": (
        {"action_space": {"type": "sphere", "kw": {}}},
        "dempilot: 'action_space' is sphere (known: Free, Box, MaxNorm) Train with one of these.",
    ),
    "unknown argument": (
        {"heads": 3},
        "dempilot: 'heads' in the metadata is unknown (LSTMActorCritic is known with "
        "observation_space_size, action_space_size, hidden_features, lstm_features) Convert with a "
        "newer DEMPilot.",
    ),
    "width": (
        {"lstm_features": 7},
        "dempilot: 'cell.dense_i.kernel' has shape [8, 20] (its metadata means [8, 28]) Check what "
        "wrote the checkpoint.",
    ),
    "missing leaf": (
        {"actor_sigma_head": True},
        "dempilot: 'actor_sigma.net.layers.0.kernel' is missing (LSTMActorCritic has it) Check "
        "what wrote the checkpoint.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_converted_is_refused_by_name(name, tmp_path, capsys):
    change, expected = REFUSED[name]
    save(tmp_path / "run", make("current LSTM"), CASES["current LSTM"][1] | change)
    assert refusal(tmp_path, capsys) == expected


def test_a_leaf_more_is_refused(tmp_path, capsys):
    model = make("current LSTM")
    model.attention = linear(3, 3)
    save(tmp_path / "run", model, CASES["current LSTM"][1])
    assert refusal(tmp_path, capsys) == (
        "dempilot: nothing is known of 'attention.bias' (LSTMActorCritic has no such parameter, "
        "and without it the policy might do something else) Check what wrote the checkpoint."
    )


def test_a_step_without_metadata_is_refused(tmp_path, capsys):
    save(tmp_path / "run", make("current LSTM"), CASES["current LSTM"][1])
    shutil.rmtree(tmp_path / "run" / "3" / "model_metadata")
    assert refusal(tmp_path, capsys) == (
        "dempilot: run/3/model_metadata/metadata cannot be read ([Errno 2] No such file or "
        "directory: 'run/3/model_metadata/metadata') Give a checkpoint of JaxDEM's "
        "CheckpointModelWriter."
    )


def test_another_environment_does_not_fit(tmp_path, capsys):
    save(tmp_path / "run", make("current LSTM"), CASES["current LSTM"][1])
    arguments = [str(tmp_path / "run"), "-o", str(tmp_path / "a.h5"), "--environment"]
    assert main(["convert", "jaxdem", *arguments, "multiNavigator"]) == 1
    assert capsys.readouterr().err == (
        "dempilot: the observation components add up to 22 values (goal_direction 2 + "
        "goal_displacement 2 + velocity 2 + lidar 16, and the model reads 6) Give the components "
        "that the policy was trained with, in their order.\n"
    )
