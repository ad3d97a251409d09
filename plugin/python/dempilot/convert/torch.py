"""From a PyTorch state dict: nn.Linear, nn.LSTM, nn.GRU and their cells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dempilot.convert.digests import digest
from dempilot.convert.imports import require
from dempilot.convert.roles import Roles, build_network, find_roles, role_notes
from dempilot.convert.torch_tensors import TorchTensors, load_state_dict
from dempilot.model import Array, Model, Normalization, Outputs
from dempilot.network import Assembly, Network, assemble


def read_torch(
    path: Path, roles: Roles, normalization: Normalization | None = None, source: str = "torch"
) -> Model:
    """Reads a state dict whose modules `roles` names, or whose names are conventional."""
    torch = require("torch", source)
    tensors = TorchTensors(load_state_dict(path, str(path)))
    roles = find_roles(roles, tensors)
    network = build_network(roles, tensors)
    assembly = assemble(network)
    return assembly.model(
        oracle=TorchOracle(torch, roles, tensors, network, assembly, normalization),
        provenance=f"{source} state dict {path.name}, sha256 {digest(path)}; "
        f"torch {torch.__version__}",
        normalization=normalization,
        notes=role_notes(roles, network),
    )


def activation_module(nn: Any, name: str) -> Any:
    """The nn.Module of an activation."""
    modules = {
        "gelu": lambda: nn.GELU(approximate="tanh"),
        "gelu_erf": nn.GELU,
        "tanh": nn.Tanh,
        "relu": nn.ReLU,
        "leaky_relu": nn.LeakyReLU,
        "silu": nn.SiLU,
        "elu": nn.ELU,
        "sigmoid": nn.Sigmoid,
        "softplus": nn.Softplus,
        "identity": nn.Identity,
    }
    return modules[name]()


class TorchOracle:
    """Torch's own modules, which load the tensors as they were saved, stepped in float64."""

    def __init__(
        self,
        torch: Any,
        roles: Roles,
        tensors: TorchTensors,
        network: Network,
        assembly: Assembly,
        normalization: Normalization | None,
    ) -> None:
        self._torch = torch
        self._tensors = tensors
        self._network = network
        self._normalization = normalization
        self._encoder = self._stack([layer.name for layer in network.encoder], last=True)
        self._cells = [self._memory(module) for module in roles.recurrent]
        self._actor = self._stack([layer.name for layer in network.actor])
        self._critic = self._stack([layer.name for layer in network.critic])
        self._critic_cells = [self._memory(module) for module in roles.critic_recurrent]
        critic_encoder = network.critic_encoder
        self._critic_encoder = self._linear(critic_encoder.name) if critic_encoder else None
        self._action_space = assembly.metadata.get("action_space")

    def __call__(self, observation: Array, carry: Array) -> Outputs:
        """Steps `n` agents from their carry (n, carry size)."""
        torch = self._torch
        if self._normalization is not None:
            observation = self._normalization.apply(observation)
        with torch.no_grad():
            encoded = self._encoder(torch.as_tensor(observation, dtype=torch.float64))
            rows = torch.as_tensor(carry, dtype=torch.float64)
            actor, states, rows = self._remember(self._cells, encoded, rows)
            critic, critic_states, _ = self._remember(self._critic_cells, encoded, rows)
            if not self._critic_cells:
                critic = self._critic_encoder(encoded) if self._critic_encoder else actor
            mean = self._actor(actor)
            value = self._critic(critic)[:, 0]
            next_carry = torch.cat([rows[:, :0], *states, *critic_states], dim=1)
        return Outputs(
            mean=mean.numpy(),
            std=self._std(len(observation)),
            action=self._act(mean).numpy(),
            value=value.numpy(),
            next_carry=next_carry.numpy(),
        )

    def _std(self, rows: int) -> Array | None:
        if self._network.log_std is None:
            return None
        log_std = self._torch.as_tensor(np.asarray(self._network.log_std, np.float64))
        std: Array = log_std.reshape(1, -1).expand(rows, -1).exp().numpy()
        return std

    def _act(self, mean: Any) -> Any:
        if self._network.discrete:
            return mean.argmax(dim=1, keepdim=True)
        if self._action_space is None or self._action_space["type"] == "Free":
            return mean
        bounds = self._action_space.get("kw", {})
        for key, clamp in (("x_min", self._torch.maximum), ("x_max", self._torch.minimum)):
            if bounds.get(key) is not None:
                infinite = float("-inf") if key == "x_min" else float("inf")
                values = bounds[key] if isinstance(bounds[key], list) else [bounds[key]]
                limit = [infinite if value is None else value for value in values]
                mean = clamp(mean, self._torch.tensor(limit, dtype=mean.dtype))
        return mean

    def _remember(self, memories: Sequence[Any], x: Any, rows: Any) -> tuple[Any, list[Any], Any]:
        """Steps recurrent modules; returns their output, states, and the rest of the carry."""
        states = []
        for module in memories:
            x, state, rows = self._step(module, x, rows)
            states += state
        return x, states, rows

    def _step(self, module: Any, x: Any, rows: Any) -> tuple[Any, list[Any], Any]:
        nn, width = self._torch.nn, module.hidden_size
        layers = getattr(module, "num_layers", 1)
        lstm = isinstance(module, (nn.LSTM, nn.LSTMCell))
        size = layers * width * (2 if lstm else 1)
        # the carry holds h, then c of each layer in turn
        parts = (
            rows[:, :size].reshape(len(rows), layers, -1, width).permute(2, 1, 0, 3).contiguous()
        )
        if isinstance(module, (nn.LSTMCell, nn.GRUCell)):
            state = module(x, (parts[0, 0], parts[1, 0]) if lstm else parts[0, 0])
            state = state if lstm else (state,)
            return state[0], list(state), rows[:, size:]
        y, state = module(x[None], (parts[0], parts[1]) if lstm else parts[0])
        state = state if lstm else (state,)
        ordered = [part[layer] for layer in range(layers) for part in state]
        return y[0], ordered, rows[:, size:]

    def _stack(self, names: Sequence[str], *, last: bool = False) -> Any:
        """Dense layers with the activation between them, and after the last one if asked."""
        nn = self._torch.nn
        layers: list[Any] = []
        for index, name in enumerate(names):
            layers.append(self._linear(name))
            if last or index + 1 < len(names):
                layers.append(activation_module(nn, self._network.activation))
        return nn.Sequential(*layers)

    def _linear(self, name: str) -> Any:
        tensors = self._tensors.below(name)
        out, width = tensors["weight"].shape
        return self._load(self._torch.nn.Linear(width, out, bias="bias" in tensors), name)

    def _memory(self, name: str) -> Any:
        nn, tensors = self._torch.nn, self._tensors.below(name)
        single = "weight_ih" in tensors
        suffix = "" if single else "_l0"
        rows, width = tensors[f"weight_hh{suffix}"].shape
        inputs = tensors[f"weight_ih{suffix}"].shape[1]
        lstm, bias = rows == 4 * width, f"bias_ih{suffix}" in tensors
        if single:
            return self._load((nn.LSTMCell if lstm else nn.GRUCell)(inputs, width, bias), name)
        layers = sum(key.startswith("weight_ih_l") for key in tensors)
        return self._load((nn.LSTM if lstm else nn.GRU)(inputs, width, layers, bias), name)

    def _load(self, module: Any, name: str) -> Any:
        module.load_state_dict(self._tensors.below(name), strict=True)
        return module.double().eval()
