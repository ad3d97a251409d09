"""PyTorch without compilation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from form import Floats, Work
from torch import Tensor


def version() -> str:
    """Of the framework."""
    return f"torch {torch.__version__}"


def configure(threads: int) -> None:
    """Before anything is computed."""
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    torch.set_grad_enabled(False)


class TorchForm:
    """What the forms share: weights as tensors, h and c (agents, H), and how they are read."""

    def __init__(self, work: Work) -> None:
        weights = work.weights
        self.work = work
        self.observation = torch.from_numpy(work.observation)
        self.encoder = [(torch.from_numpy(k), torch.from_numpy(b)) for k, b in weights.encoder]
        self.input_kernel, self.hidden_kernel, self.gate_bias, self.head_kernel, self.head_bias = (
            torch.from_numpy(array)
            for array in (weights.input_kernel, weights.hidden_kernel, weights.gate_bias,
                          weights.head_kernel, weights.head_bias)
        )
        self.h = torch.zeros(work.agents, weights.features)
        self.c = torch.zeros(work.agents, weights.features)
        self.heads = torch.zeros(work.steps * work.agents, weights.actions + 1)

    def reset(self) -> None:
        self.h.zero_()
        self.c.zero_()

    def outputs(self) -> tuple[Floats, Floats]:
        heads = self.heads.reshape(self.work.steps, self.work.agents, -1).numpy()
        return heads[..., :-1], heads[..., -1]

    def carry(self) -> Floats:
        return np.concatenate([self.h.numpy(), self.c.numpy()], 1)

    def encode(self, rows: Tensor) -> Tensor:
        for kernel, bias in self.encoder:
            rows = torch.nn.functional.gelu(torch.addmm(bias, rows, kernel), approximate="tanh")
        return rows

    def decide(self, hidden: Tensor) -> None:
        torch.addmm(self.head_bias, hidden, self.head_kernel, out=self.heads)


class InPlace(TorchForm):
    """All four gates in one product of [x | h]; nothing is allocated after the first call."""

    def __init__(self, work: Work, tile: int) -> None:
        super().__init__(work)
        self.kernel = torch.cat([self.input_kernel, self.hidden_kernel])
        width = work.weights.encoded
        self.xh = torch.zeros(work.agents, len(self.kernel))
        self.x, self.h = self.xh[:, :width], self.xh[:, width:]
        self.gates = torch.empty(tile, 4 * work.weights.features)
        self.buffers = [torch.empty(tile, len(bias)) for _, bias in self.encoder]
        self.squashed = torch.empty(tile, work.weights.features)
        arrays = self.observation[0], self.xh, self.x, self.h, self.c, self.heads
        self.tiles = list(zip(*(array.split(tile) for array in arrays), strict=True))

    def run(self) -> None:
        for tile in self.tiles:
            self._step(*tile)

    def _step(
        self, rows: Tensor, xh: Tensor, x: Tensor, h: Tensor, c: Tensor, heads: Tensor
    ) -> None:
        for (kernel, bias), buffer in zip(self.encoder, self.buffers, strict=True):
            torch.addmm(bias, rows, kernel, out=buffer)
            out = x if buffer is self.buffers[-1] else buffer
            rows = torch.ops.aten.gelu.out(buffer, approximate="tanh", out=out)
        torch.addmm(self.gate_bias, xh, self.kernel, out=self.gates)
        i, f, g, o = self.gates.chunk(4, 1)
        self.gates[:, : 2 * self.work.weights.features].sigmoid_()
        g.tanh_()
        o.sigmoid_()
        c.mul_(f).addcmul_(i, g)
        torch.mul(o, torch.tanh(c, out=self.squashed), out=h)
        torch.addmm(self.head_bias, h, self.head_kernel, out=heads)


class Cell(TorchForm):
    """torch.lstm_cell."""

    def __init__(self, work: Work) -> None:
        super().__init__(work)
        self.parameters = (self.input_kernel.T.contiguous(), self.hidden_kernel.T.contiguous(),
                           self.gate_bias, torch.zeros_like(self.gate_bias))

    def run(self) -> None:
        for step in range(self.work.steps):
            x = self.encode(self.observation[step])
            self.h, self.c = torch.lstm_cell(x, (self.h, self.c), *self.parameters)
        self.decide(self.h)


def make_layer(form: TorchForm) -> torch.nn.LSTM:
    """nn.LSTM with the weights of a policy."""
    layer = torch.nn.LSTM(form.work.weights.encoded, form.work.weights.features)
    layer.requires_grad_(False)
    for name, value in (("weight_ih_l0", form.input_kernel.T), ("bias_ih_l0", form.gate_bias),
                        ("weight_hh_l0", form.hidden_kernel.T),
                        ("bias_hh_l0", torch.zeros_like(form.gate_bias))):
        getattr(layer, name).copy_(value)
    return layer.eval()


class Layer(TorchForm):
    """torch.nn.LSTM over all steps; what stands before and after it once for all of them."""

    def __init__(self, work: Work) -> None:
        super().__init__(work)
        self.layer = make_layer(self)
        self.encoded = self.encode

    def run(self) -> None:
        work = self.work
        x = self.encoded(self.observation.flatten(0, 1)).reshape(work.steps, work.agents, -1)
        y, (h, c) = self.layer(x, (self.h[None], self.c[None]))
        self.h, self.c = h[0], c[0]
        self.decide(y.flatten(0, 1))


def forms(work: Work, mode: str) -> list[tuple[str, Callable[[], TorchForm]]]:
    """Ways to do this work."""
    layer = ("nn.LSTM", lambda: Layer(work))
    if mode == "sequence":
        return [layer]
    in_place = [(f"addmm of stacked gates, in place{work.tile_name(tile)}",
                 lambda tile=tile: InPlace(work, tile)) for tile in work.tile_sizes()]
    return [*in_place, ("lstm_cell", lambda: Cell(work)), layer]
