"""From the state dict of a CleanRL agent: ppo, ppo_continuous_action and ppo with an LSTM."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dempilot.convert.roles import Roles
from dempilot.convert.torch import read_torch
from dempilot.convert.torch_tensors import TorchTensors, load_state_dict
from dempilot.errors import fail
from dempilot.model import Model, Normalization


def read_cleanrl(path: Path, roles: Roles, normalization: Normalization | None = None) -> Model:
    """Reads `network.*`, `lstm.*`, `actor` or `actor_mean`, `critic` and `actor_logstd`."""
    tensors = TorchTensors(load_state_dict(path, str(path)))
    modules = tensors.modules()
    if not roles.named and "critic" not in modules:
        fail(
            "'critic' is missing",
            f"a CleanRL agent has it, and this checkpoint has {', '.join(modules)}",
            "Use 'convert torch' with a --model description for other state dicts.",
        )
    if roles.activation is None:
        # what CleanRL's own scripts use: ReLU before an LSTM, tanh in the networks of ppo
        roles = replace(roles, activation="relu" if "lstm" in modules else "tanh")
    return read_torch(path, roles, normalization, source="cleanrl")
