"""The two contestants in flax, under the layer names of the policy file, and a training head."""

import math

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

Carry = tuple[Array, Array]  #: cell state and hidden state, (agents, lstm) each, in flax's order

ACTIONS = 2
EPS = 1e-6  #: of the MaxNorm action space


def max_norm(mean: Array, norm: float = 1.0) -> Array:
    """The action space's map from the plane into the disc of radius `norm`; shapes (..., 2)."""
    radius = jnp.sqrt((mean**2).sum(-1, keepdims=True) + EPS**2)
    return (1 - EPS) * norm * jnp.tanh(radius) * mean / radius


def _linear(inputs: int, outputs: int, gain: float, rngs: nnx.Rngs) -> nnx.Linear:
    return nnx.Linear(inputs, outputs, kernel_init=nnx.initializers.orthogonal(gain), rngs=rngs)


class LSTMActorCritic(nnx.Module):
    """Encoder of one layer, LSTM, one head for action means and value."""

    def __init__(self, inputs: int, hidden: int, lstm: int, horizon: int, rngs: nnx.Rngs) -> None:
        self.encoder = nnx.Sequential(_linear(inputs, hidden, math.sqrt(2), rngs), nnx.gelu)
        self.cell = nnx.OptimizedLSTMCell(hidden, lstm, rngs=rngs)
        self.fused_head = _linear(lstm, ACTIONS + 1, 0.1, rngs)
        self._log_std = nnx.Param(jnp.full((1, ACTIONS), -1.0))
        # Forget gates that remember for 1 to `horizon` decisions (Tallec and Ollivier 2018).
        span = jax.random.uniform(rngs.params(), (lstm,), minval=1.0, maxval=horizon)
        bias = jnp.zeros(4 * lstm).at[lstm : 2 * lstm].set(jnp.log(span))
        self.cell.dense_h.bias = nnx.Param(bias)

    def blank(self, agents: int) -> Carry:
        """The carry of agents that remember nothing."""
        zeros = jnp.zeros((agents, self.cell.hidden_features))
        return zeros, zeros

    def __call__(self, rows: Array, carry: Carry) -> tuple[Array, Array, Carry]:
        """One decision for `rows` (agents, obs): mean (agents, 2), value (agents,), carry."""
        carry, features = self.cell(carry, self.encoder(rows))
        out = self.fused_head(features)
        return out[:, :ACTIONS], out[:, ACTIONS], carry

    def sequence(self, rows: Array) -> Array:
        """Features (time, agents, lstm) of whole episodes (time, agents, obs) from a blank carry.

        The same cell as in `__call__`, with the products that need no carry taken out of the loop.
        """
        inputs = self.cell.dense_i(self.encoder(rows))

        def step(carry: Carry, driven: Array) -> tuple[Carry, Array]:
            cell, hidden = carry
            gates = jnp.split(driven + self.cell.dense_h(hidden), 4, axis=-1)
            enter, forget, leave = (nnx.sigmoid(gates[k]) for k in (0, 1, 3))
            cell = forget * cell + enter * jnp.tanh(gates[2])
            hidden = leave * jnp.tanh(cell)
            return (cell, hidden), hidden

        return jax.lax.scan(step, self.blank(rows.shape[1]), inputs)[1]

    def heads(self, features: Array) -> tuple[Array, Array]:
        """Mean (..., 2) and value (...) from features."""
        out = self.fused_head(features)
        return out[..., :ACTIONS], out[..., ACTIONS]


class SharedActorCritic(nnx.Module):
    """A feed-forward torso with the same first layer, and one head each for actor and critic."""

    def __init__(self, inputs: int, architecture: tuple[int, ...], rngs: nnx.Rngs) -> None:
        layers: list = []
        widths = (inputs, *architecture)
        for before, after in zip(widths, architecture):
            layers += [_linear(before, after, math.sqrt(2), rngs), nnx.gelu]
        self.network = nnx.Sequential(*layers)
        self.actor_mu = _linear(widths[-1], ACTIONS, 0.1, rngs)
        self.critic = _linear(widths[-1], 1, 0.1, rngs)
        self._log_std = nnx.Param(jnp.full((1, ACTIONS), -1.0))

    def sequence(self, rows: Array) -> Array:
        """Features (..., width) of rows (..., obs)."""
        return self.network(rows)

    def heads(self, features: Array) -> tuple[Array, Array]:
        """Mean (..., 2) and value (...) from features."""
        return self.actor_mu(features), self.critic(features)[..., 0]

    def __call__(self, rows: Array) -> tuple[Array, Array]:
        """One decision for `rows` (agents, obs): mean (agents, 2) and value (agents,)."""
        return self.heads(self.network(rows))


class Trainee(nnx.Module):
    """A policy with the head that is only there while it trains.

    `reckoning` asks the features where the agent is, relative to its goal: what a policy with a
    memory can learn to keep up to date, and one without cannot.
    """

    def __init__(self, policy: nnx.Module, width: int, rngs: nnx.Rngs) -> None:
        self.policy = policy
        self.reckoning = _linear(width, ACTIONS, 0.1, rngs)
