"""PyTorch compiled by torch.compile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch._inductor.config
from eager import Layer, TorchForm, configure, version
from form import Work
from torch import Tensor, nn

__all__ = ["configure", "forms", "version"]


class Step(nn.Module):
    """One step; h and c are returned, or written where they are."""

    def __init__(self, form: TorchForm, *, stacked: bool, in_place: bool) -> None:
        super().__init__()
        self.encoder = nn.ModuleList(_linear(kernel, bias) for kernel, bias in form.encoder)
        self.head = _linear(form.head_kernel, form.head_bias)
        self.stacked, self.in_place = stacked, in_place
        if stacked:
            kernel = torch.cat([form.input_kernel, form.hidden_kernel])
            self.gates = _linear(kernel, form.gate_bias)
        else:
            self.input = _linear(form.input_kernel, form.gate_bias)
            self.hidden = _linear(form.hidden_kernel, None)

    def forward(self, rows: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        for layer in self.encoder:
            rows = nn.functional.gelu(layer(rows), approximate="tanh")
        if self.stacked:
            gates = self.gates(torch.cat([rows, h], 1))
        else:
            gates = self.input(rows) + self.hidden(h)
        i, f, g, o = gates.chunk(4, 1)
        after = f.sigmoid() * c + i.sigmoid() * g.tanh()
        hidden = o.sigmoid() * after.tanh()
        heads = self.head(hidden)
        if self.in_place:
            return heads, h.copy_(hidden), c.copy_(after)
        return heads, hidden, after


def _linear(kernel: Tensor, bias: Tensor | None) -> nn.Linear:
    layer = nn.Linear(*kernel.shape, bias=bias is not None).requires_grad_(False)
    layer.weight.copy_(kernel.T)
    if bias is not None:
        layer.bias.copy_(bias)
    return layer


def compile_step(module: nn.Module, *, freezing: bool, cpp: bool) -> Callable[..., Any]:
    """Compiled for one size; with `freezing` weights become constants, packed once; with `cpp` one
    call of C++ starts all kernels.

    With "max_autotune" as well, which takes half a minute, the same products of MKL are chosen.
    """
    torch._dynamo.reset()
    torch._inductor.config.freezing = freezing  # as an option of one compilation it comes too late
    return torch.compile(module.eval(), dynamic=False, fullgraph=True,
                         options={"cpp_wrapper": cpp})


class CompiledStep(TorchForm):
    """One step."""

    def __init__(self, work: Work, *, freezing: bool, cpp: bool, **choice: bool) -> None:
        super().__init__(work)
        self.step = compile_step(Step(self, **choice), freezing=freezing, cpp=cpp)

    def run(self) -> None:
        self.heads, self.h, self.c = self.step(self.observation[0], self.h, self.c)


class CompiledTiles(TorchForm):
    """One step of some agents after the other, each written where it is."""

    def __init__(self, work: Work, tile: int) -> None:
        super().__init__(work)
        module = Step(self, stacked=True, in_place=True)
        self.step = compile_step(module, freezing=True, cpp=True)
        arrays = self.observation[0], self.h, self.c, self.heads
        self.tiles = list(zip(*(array.split(tile) for array in arrays), strict=True))

    def run(self) -> None:
        for rows, h, c, heads in self.tiles:
            heads.copy_(self.step(rows, h, c)[0])


class CompiledSteps(TorchForm):
    """A step, called for every step of a sequence."""

    def __init__(self, work: Work) -> None:
        super().__init__(work)
        self.step = compile_step(Step(self, stacked=True, in_place=False), freezing=True, cpp=True)

    def run(self) -> None:
        heads = []
        for rows in self.observation:
            out, self.h, self.c = self.step(rows, self.h, self.c)
            heads.append(out)
        self.heads = torch.cat(heads)


class CompiledEncoder(Layer):
    """The encoder compiled, once for all steps, before nn.LSTM."""

    def __init__(self, work: Work) -> None:
        super().__init__(work)
        torch._dynamo.reset()
        self.encoded = torch.compile(self.encode, dynamic=False)


def forms(work: Work, mode: str) -> list[tuple[str, Callable[[], TorchForm]]]:
    """Ways to do this work."""
    if mode == "sequence":
        return [("encoder compiled, nn.LSTM", lambda: CompiledEncoder(work)),
                ("a step compiled with freezing, for every step", lambda: CompiledSteps(work))]

    words = {"freezing": ("freezing", "default"), "cpp": ("C++ wrapper", "Python wrapper"),
             "stacked": ("stacked gates", "two products"), "in_place": ("in place", "new states")}
    chosen = [(True, True, True, True), (True, True, True, False), (True, True, False, True),
              (True, False, True, True), (False, True, True, True)]

    def make(*choice: bool) -> tuple[str, Callable[[], TorchForm]]:
        name = ", ".join(words[key][0 if value else 1]
                         for key, value in zip(words, choice, strict=True))
        return name, lambda: CompiledStep(work, **dict(zip(words, choice, strict=True)))

    whole = [make(*choice) for choice in chosen]
    return whole + [(f"{whole[0][0]}{work.tile_name(tile)}",
                     lambda tile=tile: CompiledTiles(work, tile))
                    for tile in work.tile_sizes()[1:]]
