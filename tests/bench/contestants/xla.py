"""JAX with jit, and flax's cell."""

from __future__ import annotations

from collections.abc import Callable

import flax
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from form import Floats, Weights, Work
from jax import Array

Carry = tuple[Array, Array]  #: c and h, in flax's order


def version() -> str:
    """Of the framework."""
    return f"jax {jax.__version__}, flax {flax.__version__}"


def configure(threads: int) -> None:
    """Before anything is computed; XLA makes as many threads as there are cores to run on."""
    del threads
    # Every call is waited for, and waits less when it is made on this thread.
    jax.config.update("jax_cpu_enable_async_dispatch", False)


def encode(weights: Weights, rows: Array) -> Array:
    """What the LSTM reads for observations (..., inputs)."""
    for kernel, bias in weights.encoder:
        rows = jax.nn.gelu(rows @ kernel + bias, approximate=True)
    return rows


def decide(weights: Weights, hidden: Array) -> Array:
    """Means and value for what the LSTM gives, (..., H)."""
    return hidden @ weights.head_kernel + weights.head_bias


def flax_cell(weights: Weights) -> Callable[[Carry, Array], tuple[Carry, Array]]:
    """nnx.OptimizedLSTMCell with these weights."""
    cell = nnx.OptimizedLSTMCell(weights.encoded, weights.features, rngs=nnx.Rngs(0))
    cell.dense_i.kernel[...] = jnp.asarray(weights.input_kernel)
    cell.dense_h.kernel[...] = jnp.asarray(weights.hidden_kernel)
    cell.dense_h.bias[...] = jnp.asarray(weights.gate_bias)
    return lambda carry, x: cell(carry, x)


def stacked_cell(weights: Weights) -> Callable[[Carry, Array], tuple[Carry, Array]]:
    """All four gates in one product of [x | h]."""
    kernel = np.concatenate([weights.input_kernel, weights.hidden_kernel])

    def step(carry: Carry, x: Array) -> tuple[Carry, Array]:
        c, h = carry
        gates = jnp.concatenate([x, h], -1) @ kernel + weights.gate_bias
        i, f, g, o = jnp.split(gates, 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (c, h), h

    return step


class JaxForm:
    """One jitted call whose carry is donated."""

    def __init__(self, work: Work, make_cell: Callable, tile: int, *, sequence: bool) -> None:
        self.work = work
        self.tiles = work.agents // tile
        self.observation = jnp.asarray(work.observation if sequence else work.observation[0])
        self.step = self._jit(make_cell(work.weights), sequence)
        self.heads = jnp.zeros(())
        self.reset()

    def _jit(self, cell: Callable, sequence: bool) -> Callable:
        weights, tiles = self.work.weights, self.tiles

        def call(carry: Carry, rows: Array) -> tuple[Carry, Array]:
            x = encode(weights, rows)
            carry, hidden = jax.lax.scan(cell, carry, x) if sequence else cell(carry, x)
            return carry, decide(weights, hidden)

        def call_tiles(carry: Carry, rows: Array) -> tuple[Carry, Array]:
            split = jax.tree.map(lambda array: array.reshape(tiles, -1, array.shape[-1]),
                                 (carry, rows))
            done = jax.lax.map(lambda tile: call(*tile), split)
            return jax.tree.map(lambda array: array.reshape(-1, array.shape[-1]), done)

        return jax.jit(call if tiles == 1 else call_tiles, donate_argnums=0)

    def run(self) -> None:
        self.state, self.heads = self.step(self.state, self.observation)
        self.heads.block_until_ready()

    def reset(self) -> None:
        shape = self.work.agents, self.work.weights.features
        self.state = jnp.zeros(shape), jnp.zeros(shape)

    def outputs(self) -> tuple[Floats, Floats]:
        heads = np.asarray(self.heads).reshape(self.work.steps, self.work.agents, -1)
        return heads[..., :-1], heads[..., -1]

    def carry(self) -> Floats:
        c, h = self.state
        return np.concatenate([np.asarray(h), np.asarray(c)], 1)


def forms(work: Work, mode: str) -> list[tuple[str, Callable[[], JaxForm]]]:
    """Ways to do this work."""
    sequence = mode == "sequence"
    scan = " in lax.scan" if sequence else ""

    def make(name: str, cell: Callable, tile: int) -> tuple[str, Callable[[], JaxForm]]:
        return (f"{name}{scan}{work.tile_name(tile)}",
                lambda: JaxForm(work, cell, tile, sequence=sequence))

    return [make(name, cell, tile)
            for tile in (work.tile_sizes() if not sequence else [work.agents])
            for name, cell in (("OptimizedLSTMCell", flax_cell), ("stacked gates", stacked_cell))]
