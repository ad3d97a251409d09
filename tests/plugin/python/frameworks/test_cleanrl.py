"""Agents as CleanRL's scripts write them, against themselves."""

from __future__ import annotations

import numpy as np
import torch
from roundtrip import AGENTS, assert_golden, assert_same_run, convert
from torch import nn

from dempilot.cli import main


class LstmAgent(nn.Module):
    """A network, an LSTM, and two linear heads over categories."""

    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 24), nn.ReLU())
        self.lstm = nn.LSTM(24, 16)
        self.actor = nn.Linear(16, 5)
        self.critic = nn.Linear(16, 1)


class ContinuousAgent(nn.Module):
    """Two towers of tanh layers, and a row of logarithms."""

    def __init__(self) -> None:
        super().__init__()
        self.critic = nn.Sequential(
            nn.Linear(6, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1)
        )
        self.actor_mean = nn.Sequential(
            nn.Linear(6, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 3)
        )
        self.actor_logstd = nn.Parameter(torch.tensor([[-0.5, 0.1, 0.4]]))


class LstmRunning:
    def __init__(self, agent: LstmAgent) -> None:
        self.agent = agent
        self.state = (torch.zeros(1, AGENTS, 16), torch.zeros(1, AGENTS, 16))

    def reset(self, mask: np.ndarray) -> None:
        done = torch.as_tensor(mask, dtype=torch.float32)
        self.state = tuple((1.0 - done).view(1, -1, 1) * part for part in self.state)

    def step(self, observation: np.ndarray):
        with torch.no_grad():
            hidden = self.agent.network(torch.as_tensor(observation))
            y, self.state = self.agent.lstm(hidden[None], self.state)
            action = self.agent.actor(y[0]).argmax(1, keepdim=True)
            return action.float().numpy(), self.agent.critic(y[0])[:, 0].numpy(), None


class ContinuousRunning:
    def __init__(self, agent: ContinuousAgent) -> None:
        self.agent = agent

    def reset(self, mask: np.ndarray) -> None:
        pass

    def step(self, observation: np.ndarray):
        with torch.no_grad():
            rows = torch.as_tensor(observation)
            mean, value = self.agent.actor_mean(rows), self.agent.critic(rows)[:, 0]
            std = self.agent.actor_logstd.expand_as(mean).exp()
            return mean.numpy(), value.numpy(), std.numpy()


def test_an_lstm_agent_steps_as_in_torch(tmp_path):
    torch.manual_seed(1)
    agent = LstmAgent()
    torch.save(agent.state_dict(), tmp_path / "ppo_lstm.cleanrl_model")
    path = convert("cleanrl", tmp_path / "ppo_lstm.cleanrl_model", output=tmp_path / "a.policy.h5")
    assert_same_run(path, LstmRunning(agent))


def test_a_continuous_agent_steps_as_in_torch(tmp_path):
    torch.manual_seed(2)
    agent = ContinuousAgent()
    torch.save(agent.state_dict(), tmp_path / "ppo.cleanrl_model")
    path = convert("cleanrl", tmp_path / "ppo.cleanrl_model", output=tmp_path / "a.policy.h5")
    assert_same_run(path, ContinuousRunning(agent))


def test_rows_of_get_action_and_value_become_the_golden_rows(tmp_path):
    torch.manual_seed(3)
    agent = LstmAgent()
    torch.save(agent.state_dict(), tmp_path / "ppo_lstm.cleanrl_model")
    running = LstmRunning(agent)
    running.reset(np.ones(AGENTS, bool))
    steps = []
    for _ in range(4):
        observation = np.random.default_rng(len(steps)).normal(size=(AGENTS, 6)).astype(np.float32)
        before = torch.cat([part[0] for part in running.state], 1).numpy()
        action, value, _ = running.step(observation)
        after = torch.cat([part[0] for part in running.state], 1).numpy()
        steps.append((observation, before, action, value, after))
    names = ("observation", "carry", "action", "value", "next_carry")
    rows = {
        name: np.concatenate(parts)
        for name, parts in zip(names, zip(*steps, strict=True), strict=True)
    }
    np.savez(tmp_path / "rows.npz", **rows)
    path = convert(
        "cleanrl",
        tmp_path / "ppo_lstm.cleanrl_model",
        "--rows",
        tmp_path / "rows.npz",
        output=tmp_path / "a.policy.h5",
    )
    assert_golden(path, rows)


def test_rows_of_another_activation_are_found_out(tmp_path, capsys):
    torch.manual_seed(4)
    agent = ContinuousAgent()
    torch.save(agent.state_dict(), tmp_path / "ppo.cleanrl_model")
    observation = torch.randn(9, 6)
    for tower in (agent.actor_mean, agent.critic):
        tower[1] = nn.ReLU()
    with torch.no_grad():
        mean, value = agent.actor_mean(observation), agent.critic(observation)[:, 0]
    rows = {"observation": observation, "mean": mean, "value": value}
    np.savez(tmp_path / "rows.npz", **{name: array.numpy() for name, array in rows.items()})
    source = [str(tmp_path / name) for name in ("ppo.cleanrl_model", "rows.npz")]
    output = tmp_path / "a.policy.h5"
    assert main(["convert", "cleanrl", source[0], "--rows", source[1], "-o", str(output)]) == 1
    assert capsys.readouterr().err.startswith(f"dempilot: 'mean' in {source[1]} is off by ")
    assert not list(tmp_path.glob("*a.policy.h5*"))


def test_a_state_dict_of_something_else_is_refused(tmp_path, capsys):
    torch.save(nn.Sequential(nn.Linear(3, 2)).state_dict(), tmp_path / "q.cleanrl_model")
    arguments = ["cleanrl", str(tmp_path / "q.cleanrl_model"), "-o", str(tmp_path / "a.h5")]
    assert main(["convert", *arguments]) == 1
    assert capsys.readouterr().err == (
        "dempilot: 'critic' is missing (a CleanRL agent has it, and this checkpoint has 0) Use "
        "'convert torch' with a --model description for other state dicts.\n"
    )
