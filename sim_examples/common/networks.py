"""The recurrent policy in flax, under the layer names of the policy file."""

import math

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

Carry = tuple[Array, Array]  #: cell state and hidden state, (agents, lstm) each, in flax's order

EPS = 1e-6  #: of the MaxNorm action space


def max_norm(mean: Array, norm: float = 1.0) -> Array:
    """The action space's map from all of space into the ball of radius `norm`; shapes (..., A)."""
    radius = jnp.sqrt((mean**2).sum(-1, keepdims=True) + EPS**2)
    return (1 - EPS) * norm * jnp.tanh(radius) * mean / radius


def linear(inputs: int, outputs: int, gain: float, rngs: nnx.Rngs) -> nnx.Linear:
    """A dense layer that starts from an orthogonal kernel."""
    return nnx.Linear(inputs, outputs, kernel_init=nnx.initializers.orthogonal(gain), rngs=rngs)


class LSTMActorCritic(nnx.Module):
    """Encoder of one layer, LSTM, one head for value and action means, or logits if discrete."""

    def __init__(
        self,
        inputs: int,
        actions: int,
        hidden: int,
        lstm: int,
        horizon: int,
        rngs: nnx.Rngs,
        log_std: float = -1.0,
        discrete: bool = False,
    ) -> None:
        self.encoder = nnx.Sequential(linear(inputs, hidden, math.sqrt(2), rngs), nnx.gelu)
        self.cell = nnx.OptimizedLSTMCell(hidden, lstm, rngs=rngs)
        self.fused_head = linear(lstm, actions + 1, 0.1, rngs)
        self.discrete = discrete
        if not discrete:
            self._log_std = nnx.Param(jnp.full((1, actions), log_std))
        # Forget gates that remember for 1 to `horizon` decisions (Tallec and Ollivier 2018).
        span = jax.random.uniform(rngs.params(), (lstm,), minval=1.0, maxval=horizon)
        bias = jnp.zeros(4 * lstm).at[lstm : 2 * lstm].set(jnp.log(span))
        self.cell.dense_h.bias = nnx.Param(bias)

    def blank(self, agents: int) -> Carry:
        """The carry of agents that remember nothing."""
        zeros = jnp.zeros((agents, self.cell.hidden_features))
        return zeros, zeros

    def __call__(self, rows: Array, carry: Carry) -> tuple[Array, Array, Carry]:
        """One decision for `rows` (agents, obs): means or logits (agents, A), values, carry."""
        carry, features = self.cell(carry, self.encoder(rows))
        return *self.heads(features), carry

    def sequence(self, rows: Array, fresh: Array | None = None) -> Array:
        """Features (time, agents, lstm) of whole episodes (time, agents, obs) from a blank carry.

        Agents forget before the decisions where `fresh` (time, agents) is true. The same cell as in
        `__call__`, with the products that need no carry taken out of the loop.
        """
        inputs = self.cell.dense_i(self.encoder(rows))
        keep = jnp.ones(rows.shape[:2]) if fresh is None else 1.0 - fresh

        def step(carry: Carry, now: tuple[Array, Array]) -> tuple[Carry, Array]:
            driven, kept = now
            cell, hidden = (part * kept[:, None] for part in carry)
            gates = jnp.split(driven + self.cell.dense_h(hidden), 4, axis=-1)
            enter, forget, leave = (nnx.sigmoid(gates[k]) for k in (0, 1, 3))
            cell = forget * cell + enter * jnp.tanh(gates[2])
            hidden = leave * jnp.tanh(cell)
            return (cell, hidden), hidden

        return jax.lax.scan(step, self.blank(rows.shape[1]), (inputs, keep))[1]

    def heads(self, features: Array) -> tuple[Array, Array]:
        """Mean or logits (..., A) and value (...) from features."""
        out = self.fused_head(features)
        return out[..., :-1], out[..., -1]

    def log_std(self) -> Array:
        """Logarithm of the standard deviation of the latent action, (A,)."""
        return self._log_std[0]

    def log_probability(self, drawn: Array, mean: Array) -> Array:
        """Of what was drawn, (...): a latent action, or a category as one of A that is 1.

        `mean` (..., A) is what `heads` gave; a Gaussian's constant is left out.
        """
        if self.discrete:
            return (drawn * nnx.log_softmax(mean)).sum(-1)
        log_std = self.log_std()
        return (-0.5 * ((drawn - mean) * jnp.exp(-log_std)) ** 2 - log_std).sum(-1)
