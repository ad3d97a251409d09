"""PyTorch state dicts against the modules that they come from."""

from __future__ import annotations

import io
import json
import pickle
import tarfile
import zipfile

import numpy as np
import pytest
import torch
from roundtrip import AGENTS, assert_same_run, convert
from torch import nn

from dempilot.cli import main


class Agent(nn.Module):
    """An actor-critic with a memory of any kind, as people write them."""

    def __init__(
        self, memory: nn.Module, features: int, actions: int = 3, hidden: int = 16
    ) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(7, hidden), nn.Tanh(), nn.Linear(hidden, 12), nn.Tanh()
        )
        self.lstm = memory
        self.actor = nn.Sequential(nn.Linear(features, 10), nn.Tanh(), nn.Linear(10, actions))
        self.critic = nn.Linear(features, 1)
        self.log_std = nn.Parameter(torch.randn(actions) * 0.1)

    def std(self) -> torch.Tensor:
        return self.log_std.exp()

    def forward(self, x: torch.Tensor, state):
        x = self.encoder(x)
        if isinstance(self.lstm, (nn.LSTMCell, nn.GRUCell)):
            state = self.lstm(x, state)
            y = state[0] if isinstance(state, tuple) else state
        else:
            y, state = self.lstm(x[None], state)
            y = y[0]
        return self.actor(y), self.critic(y)[:, 0], state


class Running:
    """Keeps an agent's state; a reset zeroes the rows of some agents."""

    def __init__(self, agent: nn.Module, state) -> None:
        self.agent = agent
        self.state = state

    def reset(self, mask: np.ndarray) -> None:
        keep = torch.as_tensor(~mask, dtype=torch.float32)[:, None]
        if isinstance(self.state, tuple):
            self.state = tuple(part * keep for part in self.state)
        else:
            self.state = self.state * keep

    def step(self, observation: np.ndarray):
        with torch.no_grad():
            mean, value, self.state = self.agent(torch.as_tensor(observation), self.state)
            std = self.agent.std()
        return mean.numpy(), value.numpy(), None if std is None else std.expand_as(mean).numpy()


def zeros(*shape: int) -> torch.Tensor:
    return torch.zeros(*shape)


MEMORIES = {
    "LSTM": lambda: (nn.LSTM(12, 9), (zeros(1, AGENTS, 9), zeros(1, AGENTS, 9))),
    "stacked LSTM": lambda: (nn.LSTM(12, 9, 3), (zeros(3, AGENTS, 9), zeros(3, AGENTS, 9))),
    "LSTM without bias": lambda: (
        nn.LSTM(12, 9, 2, bias=False),
        (zeros(2, AGENTS, 9), zeros(2, AGENTS, 9)),
    ),
    "LSTMCell": lambda: (nn.LSTMCell(12, 9), (zeros(AGENTS, 9), zeros(AGENTS, 9))),
    "GRU": lambda: (nn.GRU(12, 9), zeros(1, AGENTS, 9)),
    "stacked GRU": lambda: (nn.GRU(12, 9, 2), zeros(2, AGENTS, 9)),
    "GRUCell": lambda: (nn.GRUCell(12, 9), zeros(AGENTS, 9)),
}


@pytest.mark.parametrize("name", MEMORIES)
def test_recurrent_modules_step_as_in_torch(name, tmp_path):
    torch.manual_seed(3)
    memory, state = MEMORIES[name]()
    agent = Agent(memory, 9)
    torch.save(agent.state_dict(), tmp_path / "agent.pth")
    path = convert(
        "torch", tmp_path / "agent.pth", "--activation", "tanh", output=tmp_path / "a.policy.h5"
    )
    assert_same_run(path, Running(agent, state))


ACTIVATIONS = {
    "gelu": nn.GELU(approximate="tanh"),
    "gelu_erf": nn.GELU(),
    "relu": nn.ReLU(),
    "leaky_relu": nn.LeakyReLU(),
    "silu": nn.SiLU(),
    "elu": nn.ELU(),
    "sigmoid": nn.Sigmoid(),
    "softplus": nn.Softplus(),
    "identity": nn.Identity(),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_each_activation_is_torch_s(name, tmp_path):
    torch.manual_seed(4)
    agent = Agent(nn.LSTM(12, 9), 9)
    for stack in (agent.encoder, agent.actor):
        for index in range(1, len(stack), 2):
            stack[index] = ACTIVATIONS[name]
    torch.save(agent.state_dict(), tmp_path / "agent.pth")
    path = convert(
        "torch", tmp_path / "agent.pth", "--activation", name, output=tmp_path / "a.policy.h5"
    )
    assert_same_run(path, Running(agent, (zeros(1, AGENTS, 9), zeros(1, AGENTS, 9))))


class Apart(nn.Module):
    """Names of its own, two memories, and bounds on what it does."""

    def __init__(self) -> None:
        super().__init__()
        self.eyes = nn.Linear(5, 8)
        self.past = nn.GRU(8, 6)
        self.judgement = nn.GRU(8, 6)
        self.hand = nn.Linear(6, 4)
        self.finger = nn.Linear(4, 2)
        self.worth = nn.Linear(6, 1)
        self.spread = nn.Parameter(torch.tensor([[-0.4, 0.2]]))
        self.dream = nn.Linear(6, 5)

    def std(self) -> torch.Tensor:
        return self.spread.exp()

    def forward(self, x: torch.Tensor, state):
        x = torch.relu(self.eyes(x))[None]
        actor, first = self.past(x, state[0])
        critic, second = self.judgement(x, state[1])
        mean = self.finger(torch.relu(self.hand(actor[0])))
        mean = torch.stack([mean[:, 0].clamp(-0.1, 0.1), mean[:, 1].clamp(min=0.0)], dim=1)
        return mean, self.worth(critic[0])[:, 0], (first, second)


DESCRIPTION = {
    "encoder": ["eyes"],
    "recurrent": ["past"],
    "critic_recurrent": ["judgement"],
    "actor": ["hand", "finger"],
    "critic": ["worth"],
    "log_std": "spread",
    "activation": "relu",
    "action_space": {"type": "Clipped", "kw": {"x_min": [-0.1, 0.0], "x_max": [0.1, None]}},
    "ignore": ["dream"],
}


def test_a_description_names_modules_that_are_called_otherwise(tmp_path):
    torch.manual_seed(5)
    agent = Apart()
    torch.save({"state_dict": agent.state_dict(), "epoch": 3}, tmp_path / "agent.pth")
    (tmp_path / "model.json").write_text(json.dumps(DESCRIPTION))
    path = convert(
        "torch",
        tmp_path / "agent.pth",
        "--model",
        tmp_path / "model.json",
        output=tmp_path / "a.policy.h5",
    )
    assert_same_run(path, Running(agent, (zeros(1, AGENTS, 6), zeros(1, AGENTS, 6))))


class Feedforward(nn.Module):
    """Towers on a common torso, and no memory."""

    def __init__(self) -> None:
        super().__init__()
        self.torso = nn.Sequential(nn.Linear(5, 8), nn.ELU())
        self.actor = nn.Sequential(nn.Linear(8, 6), nn.ELU(), nn.Linear(6, 4))
        self.critic = nn.Sequential(nn.Linear(8, 7), nn.ELU(), nn.Linear(7, 1))

    def std(self) -> None:
        """Categories have none."""

    def forward(self, x: torch.Tensor, state):
        x = self.torso(x)
        return self.actor(x).argmax(1, keepdim=True).float(), self.critic(x)[:, 0], state


def test_towers_on_a_common_torso_and_categories(tmp_path):
    torch.manual_seed(6)
    agent = Feedforward()
    torch.save(agent.state_dict(), tmp_path / "agent.pth")
    path = convert(
        "torch", tmp_path / "agent.pth", "--activation", "elu", output=tmp_path / "a.policy.h5"
    )
    assert_same_run(path, Running(agent, ()))


def test_normalization_of_a_contract_is_applied(tmp_path):
    torch.manual_seed(8)
    agent = Agent(nn.LSTM(12, 9), 9)
    torch.save(agent.state_dict(), tmp_path / "agent.pth")
    mean, variance = torch.randn(7), torch.rand(7) + 0.5
    contract = {
        "normalization": {
            "mean": mean.double().tolist(),
            "variance": variance.double().tolist(),
            "epsilon": 1e-6,
            "clip": 1.5,
        }
    }
    (tmp_path / "contract.json").write_text(json.dumps(contract))
    path = convert(
        "torch",
        tmp_path / "agent.pth",
        "--activation",
        "tanh",
        "--contract",
        tmp_path / "contract.json",
        output=tmp_path / "a.policy.h5",
    )

    class Normalized(Running):
        def step(self, observation):
            rows = (torch.as_tensor(observation) - mean) / torch.sqrt(variance + 1e-6)
            return super().step(rows.clamp(-1.5, 1.5).numpy())

    assert_same_run(path, Normalized(agent, (zeros(1, AGENTS, 9), zeros(1, AGENTS, 9))))


def test_float64_weights_are_rounded_and_said_to_be(tmp_path, capsys):
    torch.manual_seed(9)
    agent = Agent(nn.LSTM(12, 9), 9).double()
    with torch.no_grad():
        agent.critic.weight *= 1 + 1e-12
    torch.save(agent.state_dict(), tmp_path / "agent.pth")
    convert(
        "torch", tmp_path / "agent.pth", "--activation", "tanh", output=tmp_path / "a.policy.h5"
    )
    said = capsys.readouterr().out
    assert (
        "note: weights are float64, rounded to float32: lstm, layer 0 (bias), critic (weight)\n"
        in said
    )
    assert (
        "note: weights are float64, held exactly by float32: encoder.0 (weight), encoder.0 (bias), "
        "encoder.2 (weight) and 9 more\n" in said
    )


def refusal(tmp_path, capsys, state, *arguments: str) -> str:
    """The message with which a state dict is refused."""
    source = tmp_path / "agent.pth"
    torch.save(state, source)
    output = tmp_path / "a.policy.h5"
    status = main(
        ["convert", "torch", str(source), "-o", str(output), "--activation", "tanh", *arguments]
    )
    assert status == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["agent.pth"]
    return capsys.readouterr().err.replace(str(source), "agent.pth").strip()


def state_with(memory: nn.Module, features: int = 9) -> dict[str, torch.Tensor]:
    return dict(Agent(memory, features).state_dict())


def test_a_bidirectional_layer_is_refused(tmp_path, capsys):
    state = state_with(nn.LSTM(12, 9, bidirectional=True), 18)
    assert refusal(tmp_path, capsys, state) == (
        "dempilot: 'lstm.weight_ih_l0_reverse' belongs to a bidirectional layer (a particle does "
        "not know its future) Train with bidirectional=False."
    )


def test_a_projection_is_refused(tmp_path, capsys):
    state = state_with(nn.LSTM(12, 9, proj_size=4), 4)
    assert refusal(tmp_path, capsys, state) == (
        "dempilot: 'lstm.weight_hr_l0' belongs to an LSTM with proj_size (the policy file lacks "
        "its projection) Train with proj_size=0."
    )


def test_a_plain_rnn_is_refused(tmp_path, capsys):
    assert refusal(tmp_path, capsys, state_with(nn.RNN(12, 9))) == (
        "dempilot: 'lstm.weight_hh_l0' has shape [9, 9] (an LSTM of width 9 has 36 rows, a GRU 27) "
        "Only LSTM and GRU layers can be converted."
    )


def test_a_wrong_gate_count_is_refused(tmp_path, capsys):
    state = state_with(nn.LSTM(12, 9))
    state["lstm.weight_ih_l0"] = state["lstm.weight_ih_l0"][:27]
    assert refusal(tmp_path, capsys, state) == (
        "dempilot: 'lstm, layer 0' has input weights for 27 gate values (LSTM layers of width 9 "
        "have 36) Check that it is a plain cell of the kind you named, without projection."
    )


def test_layer_norm_is_refused(tmp_path, capsys):
    state = state_with(nn.LSTM(12, 9))
    state["encoder.4.weight"], state["encoder.4.bias"] = torch.ones(12), torch.zeros(12)
    assert refusal(tmp_path, capsys, state) == (
        "dempilot: 'encoder.4.weight' has one dimension (it belongs to a normalization layer, as "
        "LayerNorm, which the policy file lacks) Train without it."
    )


def test_a_convolution_is_refused(tmp_path, capsys):
    state = state_with(nn.LSTM(12, 9))
    state["encoder.0.weight"] = torch.zeros(8, 3, 3, 3)
    assert refusal(tmp_path, capsys, state) == (
        "dempilot: 'encoder.0.weight' has 4 dimensions (it belongs to a convolution, which the "
        "policy file lacks) Train on observations that are vectors."
    )


def test_a_missing_key_is_refused(tmp_path, capsys):
    state = state_with(nn.LSTM(12, 9))
    del state["lstm.weight_hh_l0"]
    assert refusal(tmp_path, capsys, state) == (
        "dempilot: 'lstm.weight_hh_l0' is missing (its module cannot do without it) Save the whole "
        "model."
    )


def test_an_extra_key_is_refused(tmp_path, capsys):
    state = state_with(nn.LSTM(12, 9))
    state["attention.weight"] = torch.zeros(3, 3)
    assert refusal(tmp_path, capsys, state) == (
        "dempilot: nothing is known of 'attention.weight' (what is left out would change what the "
        "policy does) Name these modules in a description, under 'ignore' if they do not act: "
        "--model FILE."
    )


def test_mismatched_widths_are_refused(tmp_path, capsys):
    state = state_with(nn.LSTM(12, 9)) | {"critic.weight": torch.zeros(1, 8)}
    assert refusal(tmp_path, capsys, state) == (
        "dempilot: 'critic' reads 8 values (what stands before it gives 9) Check which modules "
        "were named as encoder, recurrent layers, actor and critic."
    )


def test_a_weight_that_is_no_number_is_refused(tmp_path, capsys):
    state = state_with(nn.LSTM(12, 9))
    state["critic.bias"] = torch.tensor([float("nan")])
    assert refusal(tmp_path, capsys, state) == (
        "dempilot: 'critic (bias)' holds nan at entry 0 (a weight must be a finite float32) "
        "Convert a checkpoint from before training diverged."
    )


def test_an_unknown_activation_is_refused(tmp_path, capsys):
    assert refusal(tmp_path, capsys, state_with(nn.LSTM(12, 9)), "--activation", "swoosh") == (
        'dempilot: unknown activation "swoosh" (known: gelu, gelu_erf, tanh, relu, leaky_relu, '
        "silu, elu, sigmoid, softplus, identity) Train with one of these."
    )


def test_a_whole_module_is_refused_unread(tmp_path, capsys):
    message = refusal(tmp_path, capsys, Agent(nn.LSTM(12, 9), 9))
    assert message.startswith("dempilot: agent.pth holds more than tensors, or is damaged (")
    assert message.endswith(") Save model.state_dict(), not the whole model.")


def test_a_file_of_before_zip_archives_is_refused(tmp_path, capsys):
    source = tmp_path / "agent.pth"
    torch.save(state_with(nn.LSTM(12, 9)), source, _use_new_zipfile_serialization=False)
    assert main(["convert", "torch", str(source), "-o", str(tmp_path / "a.h5")]) == 1
    assert capsys.readouterr().err == (
        f"dempilot: {source} is no file of torch.save (it is damaged, or older than PyTorch 1.6) "
        "Save model.state_dict() with a current PyTorch.\n"
    )


def tar() -> bytes:
    """What torch's reader of archives from before 0.1.10 would unpickle."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            archive.addfile(tarfile.TarInfo(name))
    return buffer.getvalue()


def legacy() -> bytes:
    buffer = io.BytesIO()
    torch.save(state_with(nn.LSTM(12, 9)), buffer, _use_new_zipfile_serialization=False)
    return buffer.getvalue()


@pytest.mark.parametrize("start", [tar, legacy, lambda: pickle.dumps({})])
def test_a_zip_appended_to_an_old_format_does_not_pass(start, tmp_path, capsys):
    appended = io.BytesIO()
    with zipfile.ZipFile(appended, "w") as archive:
        archive.writestr("data.pkl", pickle.dumps({}))
    source = tmp_path / "agent.pth"
    source.write_bytes(start() + appended.getvalue())
    assert zipfile.is_zipfile(source)
    assert main(["convert", "torch", str(source), "-o", str(tmp_path / "a.h5")]) == 1
    assert capsys.readouterr().err == (
        f"dempilot: {source} is no file of torch.save (it is damaged, or older than PyTorch 1.6) "
        "Save model.state_dict() with a current PyTorch.\n"
    )


@pytest.mark.parametrize(("gone", "kept"), [("bias_ih", "bias_hh"), ("bias_hh", "bias_ih")])
def test_half_of_a_cell_s_biases_is_refused(gone, kept, tmp_path, capsys):
    state = state_with(nn.LSTM(12, 9))
    del state[f"lstm.{gone}_l0"]
    assert refusal(tmp_path, capsys, state) == (
        f"dempilot: 'lstm.{gone}_l0' is missing ('lstm.{kept}_l0' is there, and a layer has both "
        "biases or none) Save the whole model."
    )


def test_bounds_of_another_width_are_refused(tmp_path, capsys):
    description = {"activation": "tanh", "action_space": {"type": "Clipped", "kw": {"x_max": [1]}}}
    (tmp_path / "elsewhere").mkdir()
    model = tmp_path / "elsewhere" / "model.json"
    model.write_text(json.dumps(description))
    (tmp_path / "here").mkdir()
    state = state_with(nn.LSTM(12, 9))
    assert refusal(tmp_path / "here", capsys, state, "--model", str(model)) == (
        "dempilot: 'x_max' of 'action_space' has 1 values (the actor gives 3 actions) Give a "
        "number for each, or one for all."
    )


def test_what_nobody_foresaw_is_an_error_as_well(tmp_path, capsys, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise LookupError("surprise")

    monkeypatch.setattr("dempilot.convert.torch.read_torch", broken)
    assert refusal(tmp_path, capsys, state_with(nn.LSTM(12, 9))) == (
        "dempilot: agent.pth cannot be converted: LookupError: surprise (unexpected content) Check "
        "that the file is what --help says."
    )


def test_the_order_of_computation_is_printed(tmp_path, capsys):
    torch.save(state_with(nn.LSTM(12, 9)), tmp_path / "agent.pth")
    convert("torch", tmp_path / "agent.pth", "--activation", "tanh", output=tmp_path / "a.h5")
    assert (
        "note: computes: encoder.0 -> tanh -> encoder.2 -> tanh -> lstm -> actor.0 -> tanh -> "
        "actor.2; encoder.0 -> tanh -> encoder.2 -> tanh -> lstm -> critic\n"
    ) in capsys.readouterr().out
