"""Writes trained flax policies as policy files (`*.policy.h5`, see docs/policy_file.md)."""

import json
import sys
from pathlib import Path

import flax
import h5py
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from common.networks import LSTMActorCritic, max_norm
from networks import SharedActorCritic
from world import World

Policy = LSTMActorCritic | SharedActorCritic


def fold_scales(policy: Policy, inputs: np.ndarray, value: float) -> None:
    """Makes a policy trained on rows * inputs, for values / value, take and give raw numbers."""
    recurrent = isinstance(policy, LSTMActorCritic)
    first = (policy.encoder if recurrent else policy.network).layers[0]
    first.kernel[...] = first.kernel[...] * inputs[:, None]
    head = policy.fused_head if recurrent else policy.critic
    head.kernel[...] = head.kernel[...].at[:, -1].multiply(value)
    head.bias[...] = head.bias[...].at[-1].multiply(value)


def _components(world: World) -> list[dict]:
    return [
        {"name": "velocity", "dimensions": 2},
        {"name": "goal_direction", "dimensions": 2, "bind": "goal"},
        {"name": "goal_displacement", "dimensions": 2, "bind": "goal",
         "clip": world.displacement_clip},
        {"name": "lidar", "range": world.lidar_range, "n_azimuth": world.lidar_bins,
         "n_elevation": 0, "walls": False, "bind": "targets"},
    ]


def _metadata(policy: Policy, world: World) -> dict:
    common = {
        "observation_space_size": world.observation_size,
        "action_space_size": 2,
        "activation": "gelu",
        "action_space": {"type": "MaxNorm", "kw": {"max_norm": 1.0, "eps": 1e-6}},
    }
    if isinstance(policy, LSTMActorCritic):
        hidden = policy.encoder.layers[0].kernel.shape[1]
        return common | {"hidden_features": hidden, "variant": "current",
                         "lstm_features": policy.cell.hidden_features,
                         "cell_type": "OptimizedLSTMCell"}
    widths = [layer.kernel.shape[1] for layer in policy.network.layers[::2]]
    return common | {"architecture": widths}


def _golden(policy: Policy, rows: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """What flax itself computes for `rows` (n, obs), each from a random carry."""
    rows = jnp.asarray(rows)
    if isinstance(policy, SharedActorCritic):
        mean, value = policy(rows)
        return {"observation": rows, "action": max_norm(mean), "value": value}
    shape = (len(rows), policy.cell.hidden_features)
    hidden_key, cell_key = jax.random.split(jax.random.key(seed))
    hidden = 0.5 * jax.random.normal(hidden_key, shape)
    cell = jax.random.normal(cell_key, shape)
    mean, value, (next_cell, next_hidden) = policy(rows, (cell, hidden))
    return {
        "observation": rows,
        "carry": jnp.concatenate([hidden, cell], -1),
        "action": max_norm(mean),
        "value": value,
        "next_carry": jnp.concatenate([next_hidden, next_cell], -1),
    }


def _provenance(seed: int, story: str) -> str:
    versions = [f"Python {sys.version.split()[0]}"]
    versions += [f"{m.__name__} {m.__version__}" for m in (jax, flax, np, h5py)]
    return f"{story}; seed {seed}; {', '.join(versions)}"


def write_policy(
    path: Path, policy: Policy, rows: np.ndarray, world: World, seed: int, story: str
) -> None:
    """Writes `policy`, which takes raw observations, with golden outputs for `rows` (n, obs)."""
    model = type(policy).__name__
    with h5py.File(path, "w") as file:
        file.attrs["format"] = "dempilot-policy"
        file.attrs["version"] = 1
        file.attrs["model"] = model
        file.attrs["metadata"] = json.dumps(_metadata(policy, world))
        file.attrs["provenance"] = _provenance(seed, story)
        parameters = file.create_group("params")
        for name, value in nnx.to_flat_state(nnx.state(policy, nnx.Param)):
            parameters[".".join(map(str, name))] = np.asarray(value[...], np.float32)
        observation = file.create_group("observation")
        observation.attrs["components"] = json.dumps(_components(world))
        action = file.create_group("action")
        action.attrs["target"] = "force"
        action.attrs["scale"] = world.agent_force
        action.attrs["drag"] = world.agent_drag
        timing = file.create_group("timing")
        timing.attrs["time_step"] = world.time_step
        timing.attrs["decision_interval"] = world.decision_interval
        golden = file.create_group("golden")
        golden.attrs["tolerance"] = 1e-5
        for name, value in _golden(policy, rows, seed).items():
            golden[name] = np.asarray(value, np.float32)
