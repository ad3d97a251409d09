"""Writes a flax policy as a policy file, with the statistics of its observations."""

import sys
from pathlib import Path
from typing import Any

import flax
import jax
import jax.numpy as jnp
import numpy as np
from dempilot.contract import parse_contract
from dempilot.golden import record
from dempilot.model import Model, Normalization, Outputs
from dempilot.policy_file import write_policy_file
from flax import nnx

from common.networks import EPS, LSTMActorCritic, max_norm

CLIP = 10.0  #: normalised observations are kept within this


class Statistics:
    """Running mean and variance of observations (O), pooled over all that was seen."""

    def __init__(self, observations: int) -> None:
        self.count = 0
        self.mean = np.zeros(observations)
        self.variance = np.ones(observations)

    def add(self, rows: np.ndarray) -> None:
        """Takes in rows (n, O) (Chan et al. 1979)."""
        total = self.count + len(rows)
        change = rows.mean(0, dtype=np.float64) - self.mean
        spread = self.variance * self.count + rows.var(0, dtype=np.float64) * len(rows)
        spread += change**2 * self.count * len(rows) / total
        self.mean = self.mean + change * len(rows) / total
        self.variance = spread / total
        self.count = total

    def normalization(self) -> Normalization:
        """As the policy file holds it."""
        # What never changed in training stays nothing, instead of being blown up by a rare change.
        usual = np.where(self.variance > 1e-12, self.variance, 1.0)
        return Normalization(self.mean, usual, 1e-8, CLIP)

    def normalise(self, rows: np.ndarray) -> np.ndarray:
        """Rows (..., O) as the model reads them."""
        return self.normalization().apply(rows).astype(np.float32)


def write_policy(
    path: Path,
    policy: LSTMActorCritic,
    statistics: Statistics,
    value_scale: float,
    contract: dict[str, Any],
    story: str,
) -> None:
    """Writes `path`, with rows that flax computed, in the place of what is there.

    The policy's value is multiplied by `value_scale`; `contract` is spelled as in
    docs/convert/README.md, `story` says how the policy was made.
    """
    policy = nnx.clone(policy)
    head = policy.fused_head
    head.kernel[...] = head.kernel[...].at[:, -1].multiply(value_scale)
    head.bias[...] = head.bias[...].at[-1].multiply(value_scale)
    model = _model(policy, statistics, story)
    write_policy_file(path, model, parse_contract(contract), record(model), force=True)


def _model(policy: LSTMActorCritic, statistics: Statistics, story: str) -> Model:
    lstm, actions = policy.cell.hidden_features, policy.fused_head.kernel.shape[1] - 1
    inputs, hidden = policy.encoder.layers[0].kernel.shape
    normalization = statistics.normalization()

    def oracle(observation: np.ndarray, carry: np.ndarray) -> Outputs:
        rows = jnp.asarray(normalization.apply(observation), jnp.float32)
        before = jnp.asarray(carry[:, lstm:]), jnp.asarray(carry[:, :lstm])
        mean, value, (cell, state) = policy(rows, before)
        after = jnp.concatenate([state, cell], 1)
        if policy.discrete:
            best = np.asarray(mean).argmax(1)[:, None]
            return Outputs(np.asarray(mean), None, best, np.asarray(value), np.asarray(after))
        deviation = jnp.exp(policy.log_std()) * jnp.ones_like(mean)
        return Outputs(*map(np.asarray, (mean, deviation, max_norm(mean), value, after)))

    space = {"type": "MaxNorm", "kw": {"max_norm": 1.0, "eps": EPS}}
    kind = {"discrete": True} if policy.discrete else {"action_space": space}
    flat = nnx.to_flat_state(nnx.state(policy, nnx.Param))
    return Model(
        name="LSTMActorCritic",
        metadata={
            "observation_space_size": inputs,
            "action_space_size": actions,
            "hidden_features": hidden,
            "lstm_features": lstm,
            "activation": "gelu",
            "variant": "current",
            "cell_type": "OptimizedLSTMCell",
        } | kind,
        parameters={".".join(map(str, name)): np.asarray(value[...], np.float32)
                    for name, value in flat},
        carry_size=2 * lstm,
        oracle=oracle,
        provenance=f"{story}; Python {sys.version.split()[0]}, jax {jax.__version__}, "
                   f"flax {flax.__version__}, numpy {np.__version__}",
        normalization=normalization,
    )
