"""The tensors of flax modules, as nnx and as Linen name them."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from dempilot.convert.tensors import Tensors
from dempilot.errors import fail
from dempilot.model import Array
from dempilot.network import GATES, Cell, Linear

# the gates of a cell whose gates are layers of their own, input side and hidden side
SPLIT = {
    "lstm": (("ii", "if_", "ig", "io"), ("hi", "hf", "hg", "ho")),
    "gru": (("ir", "iz", "in"), ("hr", "hz", "hn")),
}


def natural(name: str) -> list[object]:
    """Sorts `layers.10` after `layers.2`."""
    return [(1, int(part)) if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]


def _parameters(leaves: Mapping[str, Array]) -> Mapping[str, Array]:
    """Leaves below `params` alone, where there are such, as in Linen's variables and TrainState."""
    below = {k.removeprefix("params."): v for k, v in leaves.items() if k.startswith("params.")}
    return _parameters(below) if below else leaves


class FlaxTensors(Tensors):
    """The leaves of a checkpoint."""

    def __init__(self, leaves: Mapping[str, Array]) -> None:
        # what is no floating-point number counts calls or seeds generators
        super().__init__(
            {
                name: leaf
                for name, leaf in sorted(
                    _parameters(leaves).items(), key=lambda item: natural(item[0])
                )
                if leaf.dtype.kind == "f" or str(leaf.dtype) == "bfloat16"
            }
        )

    def values(self, name: str) -> Array:
        """A leaf in a type that NumPy has; float32 holds each value of bfloat16."""
        leaf: Array = self.by_name[name]
        return leaf.astype(np.float32) if str(leaf.dtype) == "bfloat16" else leaf

    def linears(self, module: str) -> list[Linear]:
        """The dense layers at and below a module, in the order of their numbers."""
        if module in self.by_name:
            fail(f"'{module}' is no module", "it is a tensor", "Name the module that holds it.")
        names = [
            module if leaf == "kernel" else f"{module}.{leaf.removesuffix('.kernel')}"
            for leaf in self.below(module)
            if leaf == "kernel" or leaf.endswith(".kernel")
        ]
        if not names:
            fail(
                f"'{module}' has no dense layer",
                f"it holds '{next(iter(self.below(module)))}' and no kernel",
                "Check which modules are named as encoder, actor and critic.",
            )
        if len({re.sub(r"\d+", "#", name) for name in names}) > 1:
            fail(
                f"the order of the layers of '{module}' is unknown",
                f"a checkpoint keeps none: {', '.join(names)}",
                "Name its layers one by one in a description: --model FILE.",
            )
        return [self._linear(name) for name in names]

    def _linear(self, name: str) -> Linear:
        kernel = self.take(f"{name}.kernel")
        if kernel.ndim != 2:
            fail(
                f"'{name}.kernel' has {kernel.ndim} dimensions",
                "it belongs to a convolution, which the policy file lacks",
                "Train on observations that are vectors.",
            )
        bias = self.take(f"{name}.bias") if f"{name}.bias" in self.by_name else None
        return Linear(name, kernel, bias)

    def cell_names(self, module: str) -> list[str]:
        """The cells at and below a module, each by its name."""
        ends = ("dense_h.kernel", "hi.kernel", "hr.kernel")
        names = [
            f"{module}.{leaf}".removesuffix(f".{end}")
            for leaf in self.below(module)
            for end in ends
            if f".{leaf}".endswith(f".{end}")
        ]
        if not names:
            fail(
                f"'{module}' is no recurrent layer",
                f"it lacks dense_h, hi and hr, and has {', '.join(list(self.below(module))[:3])}",
                "Name an OptimizedLSTMCell, LSTMCell or GRUCell.",
            )
        return names

    def cells(self, module: str) -> list[Cell]:
        """The recurrent layers of a module."""
        return [self._cell(name) for name in self.cell_names(module)]

    def _cell(self, name: str) -> Cell:
        leaves = self.below(name)
        if "dense_h.kernel" in leaves:
            inputs, hidden = self._dense(f"{name}.dense_i"), self._dense(f"{name}.dense_h")
            kind = self._kind(name, hidden[0])
            if kind == "lstm" and hidden[1] is None:
                fail(
                    f"'{name}.dense_h.bias' is missing",
                    "an LSTM cell of flax has it",
                    "Save the whole model.",
                )
        else:
            kind = "lstm" if "hi.kernel" in leaves else "gru"
            inputs, hidden = (self._split(name, gates) for gates in SPLIT[kind])
        return Cell(name, kind, inputs[0], inputs[1], hidden[0], hidden[1])

    def _dense(self, name: str) -> tuple[Array, Array | None]:
        layer = self._linear(name)
        return layer.kernel, layer.bias

    def _kind(self, name: str, kernel: Array) -> str:
        features, columns = kernel.shape
        for kind, gates in GATES.items():
            if columns == gates * features:
                return kind
        fail(
            f"'{name}.dense_h.kernel' has shape {list(kernel.shape)}",
            f"an LSTM of width {features} has {4 * features} columns, a GRU {3 * features}",
            "Only LSTM and GRU cells can be converted.",
        )

    def _split(self, name: str, gates: tuple[str, ...]) -> tuple[Array, Array | None]:
        """Joins gates that are layers of their own; Linen spells `if_` as `if`."""
        leaves = self.below(name)
        spelled = [g if f"{g}.kernel" in leaves else g.removesuffix("_") for g in gates]
        layers = [self._linear(f"{name}.{gate}") for gate in spelled]
        widths = [layer.kernel.shape for layer in layers]
        if len(set(widths)) > 1:
            shapes = ", ".join(f"{g} {list(w)}" for g, w in zip(spelled, widths, strict=True))
            fail(
                f"the gates of '{name}' differ in shape", shapes, "Check what wrote the checkpoint."
            )
        kernel = np.concatenate([layer.kernel for layer in layers], axis=1)
        biases = [layer.bias for layer in layers if layer.bias is not None]
        if not biases:
            return kernel, None
        # the hidden side of a GRU of Linen has a bias for its new value alone
        without = gates[:2] if gates == SPLIT["gru"][1] else ()
        for gate, layer in zip(gates, layers, strict=True):
            if layer.bias is None and gate not in without:
                fail(
                    f"'{layer.name}.bias' is missing",
                    f"other gates of '{name}' have theirs",
                    "Save the whole model.",
                )
        width = kernel.shape[1] // len(layers)
        return kernel, np.concatenate(
            [np.zeros(width, np.float32) if one.bias is None else one.bias for one in layers]
        )
