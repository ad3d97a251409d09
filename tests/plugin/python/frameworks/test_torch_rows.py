"""Golden rows that an agent's own forward took, through the command line."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from roundtrip import AGENTS, assert_golden, convert
from test_torch import MEMORIES, Agent, refusal
from torch import nn

import dempilot


def carry_of(state) -> torch.Tensor:
    """What a policy file calls the carry: h, then c of each layer in turn."""
    parts = state if isinstance(state, tuple) else (state,)
    if parts[0].ndim == 2:  # a cell's
        return torch.cat(parts, dim=1)
    return torch.stack(parts, dim=2).transpose(0, 1).flatten(1)


def rows_of(agent: nn.Module, state) -> dict[str, np.ndarray]:
    """Six steps of an agent from zeros, as its own forward takes them."""
    steps: list[dict[str, torch.Tensor]] = []
    with torch.no_grad():
        for _ in range(6):
            observation = torch.randn(AGENTS, 7)
            mean, value, after = agent(observation, state)
            step = {"observation": observation, "mean": mean, "value": value}
            step |= {"carry": carry_of(state), "next_carry": carry_of(after)}
            steps.append(step | {"std": agent.std().expand_as(mean)})
            state = after
    return {name: torch.cat([step[name] for step in steps]).numpy() for name in steps[0]}


@pytest.mark.parametrize("name", ["stacked LSTM", "LSTMCell", "stacked GRU"])
def test_recorded_rows_become_the_golden_rows(name, tmp_path, capsys):
    torch.manual_seed(10)
    memory, state = MEMORIES[name]()
    agent = Agent(memory, 9)
    torch.save(agent.state_dict(), tmp_path / "agent.pth")
    rows = rows_of(agent, state)
    np.savez(tmp_path / "rows.npz", **rows)
    source = (tmp_path / "agent.pth", "--activation", "tanh", "--rows", tmp_path / "rows.npz")
    path = convert("torch", *source, output=tmp_path / "a.policy.h5")
    assert_golden(path, rows)
    assert (
        f"note: golden rows: those of {tmp_path}/rows.npz, which the model gives within 1e-05\n"
        in capsys.readouterr().out
    )
    assert "; golden rows rows.npz, sha256 " in dempilot.load(path).contract["provenance"]


class Skipping(Agent):
    """Its forward does what no state dict tells: the critic reads past the memory."""

    def forward(self, x: torch.Tensor, state):
        mean, value, state = super().forward(x, state)
        return mean, value + self.encoder(x).sum(1), state


def test_a_forward_that_does_something_else_is_found_out(tmp_path, capsys):
    torch.manual_seed(11)
    memory, state = MEMORIES["LSTM"]()
    agent = Skipping(memory, 9)
    rows = rows_of(agent, state)
    (tmp_path / "recorded").mkdir()
    np.savez(tmp_path / "recorded" / "rows.npz", **rows)
    (tmp_path / "here").mkdir()
    message = refusal(
        tmp_path / "here",
        capsys,
        agent.state_dict(),
        "--rows",
        str(tmp_path / "recorded" / "rows.npz"),
    )
    assert re.fullmatch(
        rf"dempilot: 'value' in {tmp_path}/recorded/rows\.npz is off by \d\.\d+ from the "
        r"converted model, most in row \d+ \(rounding explains 1e-05; read as .*; activation: "
        r"tanh; computes: encoder\.0 -> tanh -> encoder\.2 -> tanh -> lstm -> actor\.0 -> tanh -> "
        r"actor\.2; encoder\.0 -> tanh -> encoder\.2 -> tanh -> lstm -> critic\) Compare that "
        r"with your forward pass, and the rows with docs/convert/README\.md\.",
        message,
    )


def test_a_carry_in_torch_s_own_order_is_found_out(tmp_path, capsys):
    torch.manual_seed(12)
    memory, state = MEMORIES["stacked LSTM"]()
    agent = Agent(memory, 9)
    rows = rows_of(agent, state)
    for name in ("carry", "next_carry"):  # all h, then all c
        rows[name] = rows[name].reshape(-1, 3, 2, 9).transpose(0, 2, 1, 3).reshape(-1, 54)
    (tmp_path / "recorded").mkdir()
    np.savez(tmp_path / "recorded" / "rows.npz", **rows)
    (tmp_path / "here").mkdir()
    recorded = str(tmp_path / "recorded" / "rows.npz")
    message = refusal(tmp_path / "here", capsys, agent.state_dict(), "--rows", recorded)
    assert message.startswith(f"dempilot: 'mean' in {recorded} is off by ")
