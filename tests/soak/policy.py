"""The soak's policy: what it senses and does, with weights that were drawn and never trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dempilot.contract import Contract, parse_contract
from dempilot.golden import record
from dempilot.model import Array, Model, Outputs
from dempilot.observation import component_width
from dempilot.policy_file import write_policy_file

ENCODER = 64
LSTM = 128
ACTIONS = 3
#: Floats of one agent's carry, h and c.
CARRY = 2 * LSTM
#: How far agents sense, in diameters: 42 neighbors in a dense fcc bed.
RANGE = 1.9

CONTRACT = {
    "observation": {
        "components": [
            {"name": "velocity", "dimensions": 3},
            {"name": "angular_velocity", "dimensions": 3},
            {"name": "lidar", "range": RANGE, "n_azimuth": 8, "n_elevation": 4},
            {"name": "neighbors", "range": RANGE, "count": 4, "dimensions": 3, "velocity": True},
        ]
    },
    # a fifth of a grain's weight, so that agents stir the bed and do not blow it up
    "action": {"target": "force", "scale": 0.1},
}


def observation_width(contract: Contract) -> int:
    """Floats of one observation row."""
    return sum(component_width(part) for part in contract.components or ())


def _parameters(observation: int, rng: np.random.Generator) -> dict[str, Array]:
    """Weights of variance 1 / fan-in under their flax names, and biases of zero."""

    def kernel(width: int, out: int) -> Array:
        return rng.normal(0.0, width**-0.5, (width, out)).astype(np.float32)

    return {
        "encoder.layers.0.kernel": kernel(observation, ENCODER),
        "encoder.layers.0.bias": np.zeros(ENCODER, np.float32),
        "cell.dense_i.kernel": kernel(ENCODER, 4 * LSTM),
        "cell.dense_h.kernel": kernel(LSTM, 4 * LSTM),
        "cell.dense_h.bias": np.zeros(4 * LSTM, np.float32),
        "fused_head.kernel": kernel(LSTM, ACTIONS + 1),
        "fused_head.bias": np.zeros(ACTIONS + 1, np.float32),
        "_log_std": np.zeros((1, ACTIONS), np.float32),
    }


class Oracle:
    """The forward pass in float64, for the golden rows that every load replays."""

    def __init__(self, parameters: dict[str, Array]) -> None:
        self._weights = {name: value.astype(np.float64) for name, value in parameters.items()}

    def __call__(self, observation: Array, carry: Array) -> Outputs:
        """Steps `n` agents: observation (n, obs), carry (n, 256) as [h | c]."""
        w = self._weights
        x = observation @ w["encoder.layers.0.kernel"] + w["encoder.layers.0.bias"]
        x = 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))  # gelu
        h, c = np.split(carry.astype(np.float64), 2, axis=1)
        gates = x @ w["cell.dense_i.kernel"] + h @ w["cell.dense_h.kernel"]
        i, f, g, o = np.split(gates + w["cell.dense_h.bias"], 4, axis=1)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
        h = _sigmoid(o) * np.tanh(c)
        head = h @ w["fused_head.kernel"] + w["fused_head.bias"]
        mean, value = head[:, :ACTIONS], head[:, ACTIONS]
        std = np.repeat(np.exp(w["_log_std"]), len(mean), axis=0)
        return Outputs(mean, std, mean, value, np.concatenate([h, c], axis=1))


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def write_policy(path: Path, seed: int) -> None:
    """Writes the policy file; the same seed gives the same weights everywhere."""
    contract = parse_contract(CONTRACT)
    observation = observation_width(contract)
    parameters = _parameters(observation, np.random.default_rng(seed))
    metadata = {
        "observation_space_size": observation,
        "action_space_size": ACTIONS,
        "hidden_features": ENCODER,
        "lstm_features": LSTM,
        "activation": "gelu",
    }
    model = Model(
        name="LSTMActorCritic",
        metadata=metadata,
        parameters=parameters,
        carry_size=CARRY,
        oracle=Oracle(parameters),
        provenance=f"drawn for the soak from seed {seed}, never trained",
    )
    contract.check(observation, ACTIONS, discrete=False)
    write_policy_file(path, model, contract, record(model), force=True)
