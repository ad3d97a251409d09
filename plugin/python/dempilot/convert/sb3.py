"""From Stable-Baselines3: PPO's MlpPolicy and RecurrentPPO's MlpLstmPolicy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from dempilot.convert.digests import digest
from dempilot.convert.imports import require
from dempilot.convert.roles import Roles, build_network
from dempilot.convert.sb3_archive import Archive, Box, Discrete, read_archive
from dempilot.convert.torch_tensors import TorchTensors
from dempilot.convert.unpickle import Record
from dempilot.errors import fail
from dempilot.model import Array, Model, Normalization, Outputs
from dempilot.network import Assembly, assemble

ACTIVATIONS = {
    "Tanh": "tanh",
    "ReLU": "relu",
    "LeakyReLU": "leaky_relu",
    "SiLU": "silu",
    "ELU": "elu",
    "Sigmoid": "sigmoid",
    "Softplus": "softplus",
    "GELU": "gelu_erf",
    "Identity": "identity",
}
UNKNOWN_STATISTICS = (
    "the zip does not tell whether observations were normalized: if VecNormalize was used, convert "
    "again with --vecnormalize and the file of VecNormalize.save()"
)
# arguments of a policy that shape what it computes; others only matter to training
SHAPING = (
    "net_arch", "activation_fn", "share_features_extractor", "lstm_hidden_size", "n_lstm_layers",
    "shared_lstm", "enable_critic_lstm", "lstm_kwargs",
)  # fmt: skip
LSTM = ("bias", "dropout")
TRAINING = (
    "ortho_init", "log_std_init", "optimizer_class", "optimizer_kwargs", "full_std", "use_expln",
    "normalize_images", "use_sde",
)  # fmt: skip


def read_sb3(
    path: Path, normalization: Normalization | None = None, *, trust: bool = False
) -> Model:
    """Reads a zip of model.save(); what is pickled in it is not run unless `trust`."""
    archive = read_archive(path, trust=trust)
    arguments = _shaping(archive.arguments)
    network = build_network(_roles(archive, arguments), TorchTensors(archive.state))
    assembly = assemble(network)
    _check_widths(archive, assembly)
    oracle = Sb3Oracle(archive, arguments, assembly, normalization)
    return assembly.model(
        oracle=oracle,
        provenance=f"Stable-Baselines3 zip {path.name}, sha256 {digest(path)}, saved with "
        f"{archive.version}; {oracle.versions}",
        normalization=normalization,
        notes=() if normalization else (UNKNOWN_STATISTICS,),
    )


def _shaping(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that shape the policy; raises `Error` for those that change it otherwise."""
    for key, value in arguments.items():
        if key == "squash_output" and value:
            fail(
                "'squash_output' is true in 'policy_kwargs'",
                "actions squashed by tanh go with gSDE, which the policy file lacks",
                "Train without it.",
            )
        if key in ("features_extractor_class", "features_extractor_kwargs"):
            name = getattr(value, "__name__", str(value))
            if value and name != "FlattenExtractor":
                fail(
                    f"'{key}' is {name} in 'policy_kwargs'",
                    "only FlattenExtractor can be converted",
                    "Train without an extractor of your own; widen net_arch instead.",
                )
        elif key == "lstm_kwargs":
            _check_lstm(value)
        elif key not in (*SHAPING, *TRAINING, "squash_output"):
            fail(
                f"'{key}' in 'policy_kwargs' is unknown",
                "it could change what the policy does",
                "Train without it.",
            )
    return {key: value for key, value in arguments.items() if key in SHAPING}


def _check_lstm(value: Any) -> None:
    """Only what keeps an nn.LSTM what it is; its size stands in arguments of the policy."""
    for key in value if isinstance(value, dict) else () if value is None else ("",):
        if key not in LSTM:
            fail(
                f"'lstm_kwargs' has '{key}'" if key else "'lstm_kwargs' is no dictionary",
                f"known: {', '.join(LSTM)}",
                "Train without it.",
            )


def _activation(arguments: Mapping[str, Any]) -> str:
    function = arguments.get("activation_fn")
    if function is None:
        return "tanh"
    name = getattr(function, "__name__", str(function))
    if name not in ACTIVATIONS:
        fail(
            f"'activation_fn' is {name}",
            f"known: {', '.join(ACTIVATIONS)}",
            "Train with one of these.",
        )
    return ACTIVATIONS[name]


def _roles(archive: Archive, arguments: Mapping[str, Any]) -> Roles:
    """The parts by their names, as far as the state dict has them."""
    for key in archive.state:
        if key.startswith("mlp_extractor.shared_net."):
            fail(
                f"'{key}' is a layer that actor and critic share after the LSTM",
                "Stable-Baselines3 dropped such layers in 1.8.0",
                "Train with net_arch=dict(pi=[…], vf=[…]).",
            )

    def present(*modules: str) -> tuple[str, ...]:
        return tuple(m for m in modules if any(key.startswith(f"{m}.") for key in archive.state))

    discrete = isinstance(archive.action, Discrete)
    return Roles(
        recurrent=("lstm_actor",) if archive.recurrent else (),
        actor=(*present("mlp_extractor.policy_net"), "action_net"),
        critic=(*present("mlp_extractor.value_net"), "value_net"),
        critic_recurrent=present("lstm_critic"),
        critic_encoder=present("critic"),
        log_std=() if discrete else ("log_std",),
        activation=_activation(arguments),
        discrete=discrete,
        action_space=None if discrete else _clipped(archive.action),
    )


def _clipped(space: Box | Discrete) -> dict[str, Any]:
    """Stable-Baselines3 clips actions to their space when it acts, and not when it learns."""
    assert isinstance(space, Box)
    bounds = [
        [float(value) if np.isfinite(value) else None for value in limits.ravel()]
        for limits in (space.low, space.high)
    ]
    if all(value is None for limits in bounds for value in limits):
        return {"type": "Free", "kw": {}}
    return {"type": "Clipped", "kw": {"x_min": bounds[0], "x_max": bounds[1]}}


def _check_widths(archive: Archive, assembly: Assembly) -> None:
    found = (assembly.metadata["observation_space_size"], assembly.metadata["action_space_size"])
    actions = archive.action.n if isinstance(archive.action, Discrete) else archive.action.low.size
    for what, width, space in (
        ("observation", found[0], archive.observation.low.size),
        ("action", found[1], actions),
    ):
        if width != space:
            fail(
                f"'{what}_space' has {space} values",
                f"the weights in policy.pth are for {width}",
                "Save the model again with model.save(FILE).",
            )


class Sb3Oracle:
    """The policy of Stable-Baselines3 itself with the loaded weights."""

    def __init__(
        self,
        archive: Archive,
        arguments: Mapping[str, Any],
        assembly: Assembly,
        normalization: Normalization | None,
    ) -> None:
        self._torch = require("torch", "sb3")
        self._normalization = normalization
        self._assembly = assembly
        self._shape = archive.observation.low.shape
        self._policy = self._build(archive, arguments)
        base = require("stable_baselines3", "sb3")
        self.versions = f"stable-baselines3 {base.__version__}, torch {self._torch.__version__}"
        if archive.recurrent:
            self.versions += f", sb3-contrib {require('sb3_contrib', 'sb3').__version__}"

    def _build(self, archive: Archive, arguments: Mapping[str, Any]) -> Any:
        spaces = require("gymnasium.spaces", "sb3")
        module, name = (
            ("sb3_contrib.common.recurrent.policies", "RecurrentActorCriticPolicy")
            if archive.recurrent
            else ("stable_baselines3.common.policies", "ActorCriticPolicy")
        )
        box, action = archive.observation, archive.action
        policy = getattr(require(module, "sb3"), name)(
            spaces.Box(box.low, box.high, dtype=np.dtype(box.dtype).type),
            spaces.Discrete(action.n)
            if isinstance(action, Discrete)
            else spaces.Box(action.low, action.high, dtype=np.dtype(action.dtype).type),
            lambda _: 0.0,
            **{key: self._real(value) for key, value in arguments.items()},
        )
        try:
            policy.load_state_dict(archive.state, strict=True)
        except RuntimeError as error:
            fail(
                "'policy_kwargs' and policy.pth do not fit",
                " ".join(str(error).split())[:200],
                "Save the model again with model.save(FILE).",
            )
        return policy.eval()

    def _real(self, value: Any) -> Any:
        """The class that a record stands for: an activation, known by its name."""
        if isinstance(value, type) and issubclass(value, Record):
            return getattr(self._torch.nn, value.__name__)
        return value

    def __call__(self, observation: Array, carry: Array) -> Outputs:
        """Steps `n` agents from their carry (n, carry size)."""
        torch, policy, rows = self._torch, self._policy, len(observation)
        seen = self._normalized(observation).reshape(rows, *self._shape)
        means: list[Any] = []
        hook = policy.action_net.register_forward_hook(lambda _m, _i, out: means.append(out))
        with torch.no_grad():
            tensor = policy.obs_to_tensor(seen)[0]
            if self._assembly.name == "RecurrentActorCritic":
                action, value, next_carry = self._remember(seen, tensor, carry)
            else:
                _, value, _ = policy.forward(tensor, deterministic=True)
                action, next_carry = policy.predict(seen, deterministic=True)[0], carry
        hook.remove()
        std = getattr(policy, "log_std", None)
        return Outputs(
            mean=means[0].numpy(),
            std=None if std is None else std.detach().exp().expand(rows, -1).numpy(),
            action=np.asarray(action).reshape(rows, -1),
            value=value.reshape(rows).numpy(),
            next_carry=next_carry,
        )

    def _normalized(self, observation: Array) -> Array:
        if self._normalization is None:
            return observation
        n = self._normalization
        wrapper = require("stable_baselines3.common.vec_env", "sb3").VecNormalize
        settings = SimpleNamespace(epsilon=n.epsilon, clip_obs=n.clip)
        statistics = SimpleNamespace(mean=n.mean, var=n.variance)
        result: Array = wrapper._normalize_obs(settings, observation, statistics)
        return result

    def _remember(self, seen: Array, tensor: Any, carry: Array) -> tuple[Array, Any, Array]:
        module = require("sb3_contrib.common.recurrent.type_aliases", "sb3")
        torch, policy, rows = self._torch, self._policy, len(seen)
        layers, width = policy.lstm_actor.num_layers, policy.lstm_actor.hidden_size
        # the carry holds h, then c of each layer in turn; theirs is (layers, n, width) of each
        parts = carry.reshape(rows, -1, layers, 2, width).transpose(1, 3, 2, 0, 4)
        states = [tuple(torch.tensor(part.copy()) for part in memory) for memory in parts]
        actor, critic = states[0], states[-1]
        starts = torch.zeros(rows)
        _, value, _, after = policy.forward(
            tensor, module.RNNStates(actor, critic), starts, deterministic=True
        )
        action, _ = policy.predict(
            seen,
            state=tuple(part.numpy() for part in actor),
            episode_start=np.zeros(rows, bool),
            deterministic=True,
        )
        kept = [after.pi, after.vf][: len(states)]
        stacked = torch.stack([torch.stack(list(memory)) for memory in kept])
        next_carry: Array = stacked.permute(3, 0, 2, 1, 4).reshape(rows, -1).numpy()
        return action, value, next_carry
