"""flax checkpoints, nnx and Linen, against the modules that they come from."""

from __future__ import annotations

import json
from pathlib import Path

import flax.linen as linen
import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
import pytest
from flax import nnx
from roundtrip import AGENTS, assert_golden, assert_same_run, convert

from dempilot.cli import main

CELLS = {
    "OptimizedLSTMCell": nnx.OptimizedLSTMCell,
    "LSTMCell": nnx.LSTMCell,
    "GRUCell": nnx.GRUCell,
}


class Agent(nnx.Module):
    """An encoder, cells on top of one another, and towers."""

    def __init__(self, cell: type, layers: int, rngs: nnx.Rngs) -> None:
        self.encoder = nnx.Sequential(nnx.Linear(5, 8, rngs=rngs), nnx.silu)
        widths = [8] + [6] * (layers - 1)
        self.cells = nnx.List([cell(width, 6, rngs=rngs) for width in widths])
        self.actor = nnx.Sequential(
            nnx.Linear(6, 7, rngs=rngs), nnx.silu, nnx.Linear(7, 2, rngs=rngs)
        )
        self.critic = nnx.Linear(6, 1, rngs=rngs)
        self.log_std = nnx.Param(jnp.full((1, 2), -0.3))
        self.dropout = nnx.Dropout(0.1, rngs=rngs)  # its counters are no weights

    def __call__(self, x, carries):
        x, after = self.encoder(x), []
        for cell, carry in zip(self.cells, carries, strict=True):
            carry, x = cell(carry, x)
            after.append(carry)
        return self.actor(x), self.critic(x)[:, 0], after


class Running:
    """Keeps a model's carries; a reset zeroes the rows of some agents."""

    def __init__(self, call, carries, log_std) -> None:
        self.call = call
        self.carries = carries
        self.std = np.exp(np.asarray(log_std))

    def reset(self, mask: np.ndarray) -> None:
        keep = jnp.asarray(~mask, jnp.float32)[:, None]
        self.carries = jax.tree.map(lambda part: part * keep, self.carries)

    def step(self, observation: np.ndarray):
        action, value, self.carries = self.call(jnp.asarray(observation), self.carries)
        return np.asarray(action), np.asarray(value), np.broadcast_to(self.std, action.shape)


def zero_carry(lstm: bool):
    zeros = jnp.zeros((AGENTS, 6))
    return (zeros, zeros) if lstm else zeros


def disturb(model: nnx.Module) -> None:
    """Biases that are zero would hide one that is left out."""
    rng = np.random.default_rng(2)
    for _, node in nnx.iter_graph(model):
        if isinstance(node, nnx.Param):
            node[...] = node[...] + 0.1 * rng.normal(size=node[...].shape).astype(np.float32)


def save(folder: Path, tree) -> Path:
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(folder, tree)
    return folder


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("name", CELLS)
def test_nnx_cells_step_as_in_flax(name, layers, tmp_path):
    agent = Agent(CELLS[name], layers, nnx.Rngs(1))
    disturb(agent)
    save(tmp_path / "state", nnx.state(agent))
    path = convert(
        "flax", tmp_path / "state", "--activation", "silu", output=tmp_path / "a.policy.h5"
    )
    agent.eval()
    carries = [zero_carry(name != "GRUCell")] * layers
    assert_same_run(path, Running(agent, carries, agent.log_std[...]))


class Doubtful(Agent):
    """Its call does what no checkpoint tells: the mean is squashed."""

    def __call__(self, x, carries):
        mean, value, after = super().__call__(x, carries)
        return jnp.tanh(mean), value, after


def rows_of(agent: Agent) -> dict[str, np.ndarray]:
    """Four steps from zeros; flax keeps c before h, a policy file h before c."""
    rng, carries, steps = np.random.default_rng(4), [zero_carry(True)] * len(agent.cells), []
    for _ in range(4):
        observation = rng.normal(size=(AGENTS, 5)).astype(np.float32)
        mean, value, after = agent(jnp.asarray(observation), carries)
        step = {"observation": observation, "mean": mean, "value": value}
        for name, states in (("carry", carries), ("next_carry", after)):
            step[name] = jnp.concatenate([part for c, h in states for part in (h, c)], axis=1)
        steps.append(step)
        carries = after
    return {name: np.concatenate([step[name] for step in steps]) for name in steps[0]}


@pytest.mark.parametrize("kind", [Agent, Doubtful])
def test_recorded_rows_become_the_golden_rows_or_find_out(kind, tmp_path, capsys):
    agent = kind(nnx.OptimizedLSTMCell, 2, nnx.Rngs(5))
    disturb(agent)
    agent.eval()
    rows = rows_of(agent)
    save(tmp_path / "state", nnx.state(agent))
    np.savez(tmp_path / "rows.npz", **rows)
    arguments = ("--activation", "silu", "--rows", str(tmp_path / "rows.npz"))
    if kind is Doubtful:
        message = refusal(tmp_path, capsys, *arguments)
        assert message.startswith("dempilot: 'mean' in rows.npz is off by ")
        return
    output = tmp_path / "a.policy.h5"
    assert_golden(convert("flax", tmp_path / "state", *arguments, output=output), rows)


LINEN_CELLS = {
    "LSTMCell": linen.LSTMCell,
    "OptimizedLSTMCell": linen.OptimizedLSTMCell,
    "GRUCell": linen.GRUCell,
}


class LinenAgent(linen.Module):
    """Linen names its modules by class and number."""

    cell: type

    @linen.compact
    def __call__(self, x, carry):
        x = linen.tanh(linen.Dense(8)(x))
        carry, y = self.cell(6, name="memory")(carry, x)
        mean = linen.Dense(2)(y)
        value = linen.Dense(1)(y)[:, 0]
        self.param("log_std", linen.initializers.zeros, (2,))
        return mean, value, carry


@pytest.mark.parametrize("name", LINEN_CELLS)
def test_linen_cells_step_as_in_flax(name, tmp_path):
    agent = LinenAgent(LINEN_CELLS[name])
    carry = zero_carry(name != "GRUCell")
    variables = agent.init(jax.random.key(0), jnp.zeros((AGENTS, 5)), carry)
    rng = np.random.default_rng(3)
    variables = jax.tree.map(lambda leaf: leaf + 0.1 * rng.normal(size=leaf.shape), variables)
    variables = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), variables)
    save(tmp_path / "state", {"params": variables, "step": jnp.asarray(3)})
    description = {
        "encoder": ["Dense_0"],
        "recurrent": ["memory"],
        "actor": ["Dense_1"],
        "critic": ["Dense_2"],
        "log_std": "log_std",
        "activation": "tanh",
    }
    (tmp_path / "model.json").write_text(json.dumps(description))
    path = convert(
        "flax",
        tmp_path / "state",
        "--model",
        tmp_path / "model.json",
        output=tmp_path / "a.policy.h5",
    )
    log_std = variables["params"]["log_std"]
    assert_same_run(path, Running(lambda x, c: agent.apply(variables, x, c), carry, log_std))


def test_the_latest_step_of_a_manager_is_read(tmp_path):
    agents = {}
    with ocp.CheckpointManager(tmp_path / "run") as manager:
        for step in (2, 10):
            agents[step] = Agent(nnx.LSTMCell, 1, nnx.Rngs(step))
            manager.save(step, args=ocp.args.StandardSave(nnx.state(agents[step], nnx.Param)))
            manager.wait_until_finished()
    for arguments, step in (((), 10), (("--step", "2"), 2)):
        path = convert(
            "flax",
            tmp_path / "run",
            "--activation",
            "silu",
            *arguments,
            output=tmp_path / f"{step}.policy.h5",
        )
        log_std = agents[step].log_std[...]
        assert_same_run(path, Running(agents[step], [zero_carry(True)], log_std))


def refusal(tmp_path, capsys, *arguments: str) -> str:
    output = str(tmp_path / "a.policy.h5")
    assert main(["convert", "flax", str(tmp_path / "state"), "-o", output, *arguments]) == 1
    assert not list(tmp_path.glob("*a.policy.h5*"))
    return capsys.readouterr().err.replace(f"{tmp_path}/", "").strip()


def test_layers_whose_order_is_unknown_are_refused(tmp_path, capsys):
    layer = {"kernel": jnp.ones((5, 5)), "bias": jnp.zeros(5)}
    save(
        tmp_path / "state",
        {"encoder": {"first": layer, "then": layer}, "actor": layer, "critic": layer},
    )
    assert refusal(tmp_path, capsys, "--activation", "tanh") == (
        "dempilot: the order of the layers of 'encoder' is unknown (a checkpoint keeps none: "
        "encoder.first, encoder.then) Name its layers one by one in a description: --model FILE."
    )


def test_a_checkpoint_without_conventional_names_is_refused(tmp_path, capsys):
    save(tmp_path / "state", {"Dense_0": {"kernel": jnp.ones((5, 5)), "bias": jnp.zeros(5)}})
    assert refusal(tmp_path, capsys) == (
        "dempilot: no actor was found (none of the modules Dense_0 is called actor, actor_mean, "
        "actor_mu, policy, pi, policy_net, policy_head, mean, mu, logits) Name the modules in a "
        "description: --model FILE."
    )


def test_a_simple_cell_is_refused(tmp_path, capsys):
    agent = Agent(nnx.LSTMCell, 1, nnx.Rngs(0))
    agent.cells = nnx.List([nnx.SimpleCell(8, 6, rngs=nnx.Rngs(0))])
    save(tmp_path / "state", nnx.state(agent, nnx.Param))
    assert refusal(tmp_path, capsys, "--activation", "tanh") == (
        "dempilot: 'cells.0.dense_h.kernel' has shape [6, 6] (an LSTM of width 6 has 24 columns, a "
        "GRU 18) Only LSTM and GRU cells can be converted."
    )


def test_a_folder_without_checkpoint_is_refused(tmp_path, capsys):
    (tmp_path / "state").mkdir()
    assert refusal(tmp_path, capsys) == (
        "dempilot: state holds no checkpoint (it has nothing) Give the folder of a checkpoint."
    )


def test_half_a_checkpoint_is_refused(tmp_path, capsys):
    save(tmp_path / "state", nnx.state(Agent(nnx.LSTMCell, 1, nnx.Rngs(0)), nnx.Param))
    for path in (tmp_path / "state").rglob("d/*"):
        path.unlink()
    message = refusal(tmp_path, capsys, "--activation", "tanh")
    assert message.startswith("dempilot: state cannot be restored (")
    assert message.endswith(") Check that the checkpoint is whole.")


@pytest.mark.parametrize(
    ("kind", "leaf", "reason"),
    [
        (nnx.OptimizedLSTMCell, "dense_h", "an LSTM cell of flax has it"),
        (nnx.LSTMCell, "hf", "other gates of 'cells.0' have theirs"),
    ],
)
def test_a_missing_bias_of_a_cell_is_refused(kind, leaf, reason, tmp_path, capsys):
    state = nnx.to_pure_dict(nnx.state(Agent(kind, 1, nnx.Rngs(0)), nnx.Param))
    del state["cells"][0][leaf]["bias"]
    save(tmp_path / "state", state)
    assert refusal(tmp_path, capsys, "--activation", "tanh") == (
        f"dempilot: 'cells.0.{leaf}.bias' is missing ({reason}) Save the whole model."
    )
