"""Stable-Baselines3: what model.predict and the critic say, against the C++."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from roundtrip import AGENTS, assert_same_run, convert
from sb3_contrib import RecurrentPPO
from sb3_contrib.common.recurrent.type_aliases import RNNStates
from stable_baselines3 import PPO
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from dempilot.cli import main

OBSERVATION = 5


class World(gymnasium.Env):
    """Numbers of some mean and scale; whatever is done, something small comes of it."""

    def __init__(self, action: spaces.Space, observation: spaces.Space | None = None) -> None:
        self.action_space = action
        self.observation_space = observation or spaces.Box(-np.inf, np.inf, (OBSERVATION,))

    def reset(self, *, seed: int | None = None, options: Any = None):
        super().reset(seed=seed)
        return self._look(), {}

    def step(self, action):
        return self._look(), float(np.sum(action)), bool(self.np_random.random() < 0.1), False, {}

    def _look(self):
        shape = self.observation_space.shape
        return self.np_random.normal(2.0, 3.0, shape).astype(np.float32)


def box() -> spaces.Box:
    """Bounds so narrow that the mean often lies outside."""
    return spaces.Box(np.float32([-0.02, -0.01]), np.float32([0.01, 50.0]))


def recurrent(action: spaces.Space, **arguments: Any) -> RecurrentPPO:
    policy = {"lstm_hidden_size": 16, "net_arch": {"pi": [12], "vf": [10, 8]}} | arguments
    return RecurrentPPO(
        "MlpLstmPolicy", World(action), policy_kwargs=policy, device="cpu", seed=1, n_steps=32
    )


class Running:
    """predict() for the action, and the policy's own critic for the value."""

    def __init__(self, model: Any, normalize: VecNormalize | None = None) -> None:
        self.policy = model.policy.eval()
        self.normalize = normalize
        self.memory = hasattr(self.policy, "lstm_actor")
        if self.memory:
            lstm = self.policy.lstm_actor
            shape = (lstm.num_layers, AGENTS, lstm.hidden_size)
            self.states = RNNStates(*[(torch.zeros(shape), torch.zeros(shape))] * 2)
        self.starts = np.ones(AGENTS, bool)

    def reset(self, mask: np.ndarray) -> None:
        self.starts = self.starts | mask

    def step(self, observation: np.ndarray):
        rows = observation if self.normalize is None else self.normalize.normalize_obs(observation)
        rows = rows.reshape(AGENTS, *self.policy.observation_space.shape)
        with torch.no_grad():
            if not self.memory:
                action, _ = self.policy.predict(rows, deterministic=True)
                tensor = self.policy.obs_to_tensor(rows)[0]
                value = self.policy.predict_values(tensor)
                std = self._std(self.policy.get_distribution(tensor))
                return self._row(action), value.numpy()[:, 0], std
            state = tuple(part.numpy() for part in self.states.pi)
            action, _ = self.policy.predict(rows, state, self.starts, deterministic=True)
            starts = torch.as_tensor(self.starts, dtype=torch.float32)
            tensor = self.policy.obs_to_tensor(rows)[0]
            std = self._std(self.policy.get_distribution(tensor, self.states.pi, starts)[0])
            _, value, _, self.states = self.policy.forward(tensor, self.states, starts, True)
        self.starts = np.zeros(AGENTS, bool)
        return self._row(action), value.numpy()[:, 0], std

    def _std(self, distribution: Any) -> np.ndarray | None:
        discrete = isinstance(self.policy.action_space, spaces.Discrete)
        return None if discrete else distribution.distribution.stddev.numpy()

    def _row(self, action: np.ndarray) -> np.ndarray:
        return action.reshape(AGENTS, -1).astype(np.float32)


RECURRENT = {
    "own critic LSTM": {},
    "two layers": {"n_lstm_layers": 2},
    "shared LSTM": {"shared_lstm": True, "enable_critic_lstm": False},
    "no critic LSTM": {"enable_critic_lstm": False},
    "no layers after the LSTM": {"net_arch": []},
    "a list of layers": {"net_arch": [14]},
    "ReLU": {"activation_fn": torch.nn.ReLU},
    "separate extractors": {"share_features_extractor": False},
}


@pytest.mark.parametrize("name", RECURRENT)
def test_recurrent_policies_act_as_predict_does(name, tmp_path):
    model = recurrent(box(), **RECURRENT[name])
    with torch.no_grad():
        for parameter in model.policy.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    model.save(tmp_path / "model.zip")
    path = convert("sb3", tmp_path / "model.zip", output=tmp_path / "a.policy.h5")
    assert_same_run(path, Running(model))


def test_a_trained_policy_with_its_statistics(tmp_path):
    world = VecNormalize(DummyVecEnv([lambda: World(box())]), clip_obs=2.0)
    model = RecurrentPPO("MlpLstmPolicy", world, n_steps=64, batch_size=32, device="cpu", seed=2)
    model.learn(256)
    model.save(tmp_path / "model.zip")
    world.save(tmp_path / "world.pkl")
    path = convert(
        "sb3",
        tmp_path / "model.zip",
        "--vecnormalize",
        tmp_path / "world.pkl",
        output=tmp_path / "a.policy.h5",
    )
    assert_same_run(
        path, Running(model, world), lambda rng: rng.normal(2.0, 6.0, (AGENTS, OBSERVATION))
    )


def test_a_trained_recurrent_policy_over_categories(tmp_path):
    model = RecurrentPPO(
        "MlpLstmPolicy", World(spaces.Discrete(4)), n_steps=32, batch_size=16, device="cpu", seed=3
    )
    model.learn(128)
    model.save(tmp_path / "model.zip")
    path = convert("sb3", tmp_path / "model.zip", output=tmp_path / "a.policy.h5")
    assert_same_run(path, Running(model))


FEEDFORWARD = {
    "default": (box(), {}),
    "categories": (spaces.Discrete(3), {}),
    "no layers": (box(), {"net_arch": []}),
    "unequal towers": (box(), {"net_arch": {"pi": [9], "vf": []}}),
    "ELU": (box(), {"activation_fn": torch.nn.ELU}),
    "actions in a matrix": (spaces.Box(-0.01, 0.01, (2, 2)), {}),
}


@pytest.mark.parametrize("name", FEEDFORWARD)
def test_policies_without_memory_act_as_predict_does(name, tmp_path):
    action, arguments = FEEDFORWARD[name]
    model = PPO("MlpPolicy", World(action), policy_kwargs=arguments, device="cpu", seed=4)
    with torch.no_grad():
        for parameter in model.policy.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    model.save(tmp_path / "model.zip")
    path = convert("sb3", tmp_path / "model.zip", output=tmp_path / "a.policy.h5")
    assert_same_run(path, Running(model))


def test_observations_in_a_matrix_are_read_row_by_row(tmp_path):
    world = World(box(), spaces.Box(-np.inf, np.inf, (2, 3)))
    model = PPO("MlpPolicy", world, device="cpu", seed=5)
    model.save(tmp_path / "model.zip")
    path = convert("sb3", tmp_path / "model.zip", output=tmp_path / "a.policy.h5")
    assert_same_run(path, Running(model))


class Extractor(BaseFeaturesExtractor):
    def __init__(self, space: spaces.Box) -> None:
        super().__init__(space, 7)
        self.layer = torch.nn.Linear(OBSERVATION, 7)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self.layer(rows)


def refusal(tmp_path, capsys, model: Any, *arguments: str) -> str:
    """The message with which a model is refused."""
    source = tmp_path / "model.zip"
    if model is not None:
        model.save(source)
    before = sorted(path.name for path in tmp_path.iterdir())
    output = str(tmp_path / "a.policy.h5")
    assert main(["convert", "sb3", str(source), "-o", output, *arguments]) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    return capsys.readouterr().err.replace(str(tmp_path) + "/", "").strip()


def rewrite(tmp_path, member: str, content: bytes | None) -> None:
    """Replaces or removes a member of model.zip."""
    with zipfile.ZipFile(tmp_path / "model.zip") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members.pop(member)
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as archive:
        for name, data in {**members, **({} if content is None else {member: content})}.items():
            archive.writestr(name, data)


def test_gsde_is_refused(tmp_path, capsys):
    model = PPO("MlpPolicy", World(box()), use_sde=True, device="cpu")
    assert refusal(tmp_path, capsys, model) == (
        "dempilot: 'use_sde' is true (the noise of gSDE depends on the features, which the policy "
        "file lacks) Train with use_sde=False."
    )


def test_squashed_output_is_refused(tmp_path, capsys):
    arguments = {"squash_output": True}
    model = PPO("MlpPolicy", World(box()), device="cpu")
    model.policy_kwargs = arguments
    assert refusal(tmp_path, capsys, model) == (
        "dempilot: 'squash_output' is true in 'policy_kwargs' (actions squashed by tanh go with "
        "gSDE, which the policy file lacks) Train without it."
    )


def test_an_extractor_of_ones_own_is_refused(tmp_path, capsys):
    model = PPO(
        "MlpPolicy",
        World(box()),
        policy_kwargs={"features_extractor_class": Extractor},
        device="cpu",
    )
    model.policy_class = type(model.policy)
    message = refusal(tmp_path, capsys, model)
    assert message.startswith("dempilot: 'policy_kwargs' in 'data' needs the class ")
    assert message.endswith(
        " (unpickling a class that is not known runs code that the file brings along) If you trust "
        "who made the file, repeat with --trust."
    )
    trusted = refusal(tmp_path, capsys, model, "--trust")
    assert trusted == (
        "dempilot: 'features_extractor_class' is Extractor in 'policy_kwargs' (only "
        "FlattenExtractor can be converted) Train without an extractor of your own; widen net_arch "
        "instead."
    )


def test_images_are_refused(tmp_path, capsys):
    world = World(box(), spaces.Box(0, 255, (36, 36, 3), np.uint8))
    model = PPO("MlpPolicy", world, device="cpu")
    assert refusal(tmp_path, capsys, model) == (
        "dempilot: 'observation_space' holds images of shape [3, 36, 36] (a convolution reads "
        "them, which the policy file lacks) Train on observations that are vectors."
    )


def test_a_convolutional_policy_is_refused(tmp_path, capsys):
    world = World(box(), spaces.Box(0, 255, (36, 36, 3), np.uint8))
    model = PPO("CnnPolicy", world, device="cpu")
    assert refusal(tmp_path, capsys, model) == (
        "dempilot: 'policy_class' is stable_baselines3.common.policies.ActorCriticCnnPolicy (only "
        "the MlpPolicy of PPO and the MlpLstmPolicy of RecurrentPPO can be converted) Train with "
        "one of these, on observations that are vectors."
    )


def test_observations_in_a_dictionary_are_refused(tmp_path, capsys):
    world = World(box(), spaces.Dict({"a": spaces.Box(-1, 1, (2,))}))
    model = PPO("MultiInputPolicy", world, device="cpu")
    assert refusal(tmp_path, capsys, model) == (
        "dempilot: 'policy_class' is stable_baselines3.common.policies.MultiInputActorCriticPolicy "
        "(only the MlpPolicy of PPO and the MlpLstmPolicy of RecurrentPPO can be converted) Train "
        "with one of these, on observations that are vectors."
    )


def test_several_categories_at_once_are_refused(tmp_path, capsys):
    model = PPO("MlpPolicy", World(spaces.MultiDiscrete([2, 3])), device="cpu")
    assert refusal(tmp_path, capsys, model) == (
        "dempilot: 'action_space' is MultiDiscrete (only Box and Discrete can be converted) Train "
        "with one of these."
    )


def test_discrete_observations_are_refused(tmp_path, capsys):
    model = PPO("MlpPolicy", World(box(), spaces.Discrete(3)), device="cpu")
    assert refusal(tmp_path, capsys, model) == (
        "dempilot: 'observation_space' is Discrete (only a Box of numbers can be converted) "
        "Flatten the observations, as with gymnasium's FlattenObservation."
    )


def test_another_activation_is_refused(tmp_path, capsys):
    model = PPO(
        "MlpPolicy",
        World(box()),
        policy_kwargs={"activation_fn": torch.nn.Softsign},
        device="cpu",
    )
    assert refusal(tmp_path, capsys, model) == (
        "dempilot: 'policy_kwargs' in 'data' needs the class torch.nn.modules.activation.Softsign "
        "(unpickling a class that is not known runs code that the file brings along) If you trust "
        "who made the file, repeat with --trust."
    )
    assert refusal(tmp_path, capsys, None, "--trust") == (
        "dempilot: 'activation_fn' is Softsign (known: Tanh, ReLU, LeakyReLU, SiLU, ELU, Sigmoid, "
        "Softplus, GELU, Identity) Train with one of these."
    )


def test_a_zip_with_other_statistics_is_refused(tmp_path, capsys):
    world = VecNormalize(DummyVecEnv([lambda: World(box(), spaces.Box(-1, 1, (3,)))]))
    world.reset()
    world.save(tmp_path / "world.pkl")
    model = PPO("MlpPolicy", World(box()), device="cpu")
    statistics = ("--vecnormalize", str(tmp_path / "world.pkl"))
    assert refusal(tmp_path, capsys, model, *statistics) == (
        "dempilot: normalization 'mean' has shape [3] (the model reads 5 values) Give one number "
        "for each."
    )


def test_a_truncated_zip_is_refused(tmp_path, capsys):
    source = tmp_path / "model.zip"
    PPO("MlpPolicy", World(box()), device="cpu").save(source)
    source.write_bytes(source.read_bytes()[:5000])
    assert refusal(tmp_path, capsys, None) == (
        "dempilot: model.zip is no zip of Stable-Baselines3, or is damaged (File is not a zip "
        "file) Save the model again with model.save(FILE)."
    )


def test_missing_weights_are_refused(tmp_path, capsys):
    PPO("MlpPolicy", World(box()), device="cpu").save(tmp_path / "model.zip")
    rewrite(tmp_path, "policy.pth", None)
    assert refusal(tmp_path, capsys, None) == (
        "dempilot: 'policy.pth' is missing in model.zip (it has data, pytorch_variables.pth, "
        "policy.optimizer.pth, _stable_baselines3_version, system_info.txt) Save the model again "
        "with model.save(FILE)."
    )


@pytest.mark.parametrize("change", ["missing", "extra"])
def test_weights_that_are_not_the_policy_s_are_refused(change, tmp_path, capsys):
    model = PPO("MlpPolicy", World(box()), device="cpu")
    model.save(tmp_path / "model.zip")
    state = dict(model.policy.state_dict())
    if change == "missing":
        del state["action_net.bias"], state["action_net.weight"]
        expected = (
            "dempilot: 'action_net' is missing (the checkpoint has log_std, mlp_extractor, "
            "value_net) Check its name, or what saved the checkpoint."
        )
    else:
        state["attention.weight"] = torch.zeros(2, 2)
        expected = (
            "dempilot: nothing is known of 'attention.weight' (what is left out would change what "
            "the policy does) Name these modules in a description, under 'ignore' if they do not "
            "act: --model FILE."
        )
    buffer = io.BytesIO()
    torch.save(state, buffer)
    rewrite(tmp_path, "policy.pth", buffer.getvalue())
    assert refusal(tmp_path, capsys, None) == expected


class Bomb:
    """Unpickling it leaves a trace."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


def test_code_in_a_pickled_space_does_not_run(tmp_path, capsys):
    import base64

    PPO("MlpPolicy", World(box()), device="cpu").save(tmp_path / "model.zip")
    with zipfile.ZipFile(tmp_path / "model.zip") as archive:
        data = json.loads(archive.read("data"))
    trace = tmp_path / "trace"
    bomb = pickle.dumps(Bomb(str(trace)))
    data["observation_space"][":serialized:"] = base64.b64encode(bomb).decode()
    rewrite(tmp_path, "data", json.dumps(data).encode())
    message = refusal(tmp_path, capsys, None)
    assert message == (
        "dempilot: 'observation_space' in 'data' needs the class _io.open (unpickling a class that "
        "is not known runs code that the file brings along) If you trust who made the file, repeat "
        "with --trust."
    ) or message.replace("io.open", "_io.open").startswith("dempilot: 'observation_space'")
    assert not trace.exists()


def test_trust_reads_the_same_policy(tmp_path):
    model = recurrent(box())
    model.save(tmp_path / "model.zip")
    path = convert("sb3", tmp_path / "model.zip", "--trust", output=tmp_path / "a.policy.h5")
    assert_same_run(path, Running(model))


DATA = {
    "deep JSON": (
        lambda _: b"[" * 100_000,
        "'data' in model.zip is no JSON (maximum recursion depth exceeded while decoding a JSON "
        "array from a unicode string) Save the model again with model.save(FILE).",
    ),
    "a list of arguments": (
        lambda data: json.dumps(data | {"policy_kwargs": [1]}).encode(),
        "'policy_kwargs' in 'data' is a list (it is a dictionary of a policy's arguments) Save the "
        "model again with model.save(FILE).",
    ),
    "another LSTM": (
        lambda data: json.dumps(
            data | {"policy_kwargs": {"lstm_kwargs": {"proj_size": 3}}}
        ).encode(),
        "'lstm_kwargs' has 'proj_size' (known: bias, dropout) Train without it.",
    ),
    "no LSTM": (
        lambda data: json.dumps(data | {"policy_kwargs": {"lstm_kwargs": 3}}).encode(),
        "'lstm_kwargs' is no dictionary (known: bias, dropout) Train without it.",
    ),
}


@pytest.mark.parametrize("name", DATA)
def test_data_of_another_shape_are_refused(name, tmp_path, capsys):
    change, expected = DATA[name]
    PPO("MlpPolicy", World(box()), device="cpu").save(tmp_path / "model.zip")
    with zipfile.ZipFile(tmp_path / "model.zip") as archive:
        data = json.loads(archive.read("data"))
    rewrite(tmp_path, "data", change(data))
    assert refusal(tmp_path, capsys, None) == f"dempilot: {expected}"


def test_a_zip_packed_in_an_unknown_way_is_refused(tmp_path, capsys):
    source = tmp_path / "model.zip"
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr("data", "{}")
    packed = source.read_bytes().replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x00\x00",
                                         b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x63\x00")  # fmt: skip
    source.write_bytes(packed)
    assert refusal(tmp_path, capsys, None) == (
        "dempilot: model.zip is no zip of Stable-Baselines3, or is damaged (That compression "
        "method is not supported) Save the model again with model.save(FILE)."
    )


def test_without_statistics_it_is_said_how_to_give_them(tmp_path, capsys):
    PPO("MlpPolicy", World(box()), device="cpu").save(tmp_path / "model.zip")
    convert("sb3", tmp_path / "model.zip", output=tmp_path / "a.policy.h5")
    assert (
        "note: the zip does not tell whether observations were normalized: if VecNormalize was "
        "used, convert again with --vecnormalize and the file of VecNormalize.save()\n"
    ) in capsys.readouterr().out
