"""PyTorch state dicts: loading them, and the layers in them."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from dempilot.convert.imports import require
from dempilot.convert.tensors import Tensors
from dempilot.errors import fail
from dempilot.model import Array
from dempilot.network import GATES, Cell, Linear

WRAPPERS = ("state_dict", "model_state_dict", "model")
PREFIXES = ("module.", "_orig_mod.")  # of DataParallel and torch.compile
ZIP = b"PK\x03\x04"
PARAMETERS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def load_state_dict(file: Path | IO[bytes], what: str) -> dict[str, Any]:
    """Loads tensors and nothing else; `what` names the file in messages.

    torch.load can run code that a file brings along. Tensors alone are asked for, and archives in
    the format before PyTorch 1.6 are refused: old readers of those could be made to run code.
    """
    torch = require("torch", "torch")
    if not _is_zip(file):
        fail(
            f"{what} is no file of torch.save",
            "it is damaged, or older than PyTorch 1.6",
            "Save model.state_dict() with a current PyTorch.",
        )
    try:
        data = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a damaged archive makes torch raise
        reason = " ".join(str(error).split())[:160]
        fail(
            f"{what} holds more than tensors, or is damaged",
            reason,
            "Save model.state_dict(), not the whole model.",
        )
    return _tensors(torch, data, what)


def _is_zip(file: Path | IO[bytes]) -> bool:
    """Whether it begins and ends as a zip; torch reads what only ends as one with its old readers.

    A zip may be appended to anything: is_zipfile looks for its directory at the end alone.
    """
    if isinstance(file, Path):
        if not file.is_file():
            return False
        with file.open("rb") as opened:
            return _is_zip(opened)
    file.seek(0)
    signed = file.read(len(ZIP)) == ZIP
    found = signed and zipfile.is_zipfile(file)
    file.seek(0)
    return found


def _tensors(torch: Any, data: Any, what: str) -> dict[str, Any]:
    for wrapper in WRAPPERS:
        if isinstance(data, Mapping) and isinstance(data.get(wrapper), Mapping):
            data = data[wrapper]
            break
    if not isinstance(data, Mapping) or not data:
        fail(
            f"{what} holds no state dict",
            f"it holds a {type(data).__name__}",
            "Save model.state_dict().",
        )
    for key, value in data.items():
        if not isinstance(key, str) or not isinstance(value, torch.Tensor):
            fail(
                f"{what} holds '{key}', a {type(value).__name__}",
                "a state dict holds tensors",
                "Save model.state_dict() alone, or under the key 'state_dict'.",
            )
    tensors = dict(data)
    for prefix in PREFIXES:
        if all(key.startswith(prefix) for key in tensors):
            tensors = {key.removeprefix(prefix): value for key, value in tensors.items()}
    return tensors


def to_numpy(key: str, tensor: Any) -> Array:
    """Returns a tensor's values; NumPy has no bfloat16, float32 holds each of its values."""
    if tensor.layout != require("torch", "torch").strided or tensor.is_quantized:
        fail(f"'{key}' is sparse or quantized", "plain tensors are needed", "Save it densely.")
    if tensor.dtype == require("torch", "torch").bfloat16:
        tensor = tensor.float()
    result: Array = np.array(tensor.detach().numpy())
    return result


class TorchTensors(Tensors):
    """The tensors of a state dict."""

    def values(self, name: str) -> Array:
        """A tensor's values as an array."""
        return to_numpy(name, self.by_name[name])

    def linears(self, module: str) -> list[Linear]:
        """The dense layers at and below a module, in their order."""
        names = [module if k == "weight" else f"{module}.{k.removesuffix('.weight')}"
                 for k in self.below(module) if k == "weight" or k.endswith(".weight")]  # fmt: skip
        if not names:
            key = next(iter(self.below(module)))
            fail(
                f"'{module}' has no dense layer",
                f"it holds '{key}' and no weight",
                "Check which modules are named as encoder, actor and critic.",
            )
        return [self._linear(name) for name in names]

    def _linear(self, name: str) -> Linear:
        weight = self.take(f"{name}.weight")
        if weight.ndim == 1:
            fail(
                f"'{name}.weight' has one dimension",
                "it belongs to a normalization layer, as LayerNorm, which the policy file lacks",
                "Train without it.",
            )
        if weight.ndim != 2:
            fail(
                f"'{name}.weight' has {weight.ndim} dimensions",
                "it belongs to a convolution, which the policy file lacks",
                "Train on observations that are vectors.",
            )
        bias = self.take(f"{name}.bias") if f"{name}.bias" in self.by_name else None
        return Linear(name, weight.T, bias)

    def cells(self, module: str) -> list[Cell]:
        """The layers of an nn.LSTM, nn.GRU, nn.LSTMCell or nn.GRUCell."""
        keys = self.below(module)
        for key in keys:
            if key.endswith("_reverse"):
                fail(
                    f"'{module}.{key}' belongs to a bidirectional layer",
                    "a particle does not know its future",
                    "Train with bidirectional=False.",
                )
            if key.startswith("weight_hr"):
                fail(
                    f"'{module}.{key}' belongs to an LSTM with proj_size",
                    "the policy file lacks its projection",
                    "Train with proj_size=0.",
                )
        if "weight_ih" in keys:
            return [self._cell(module, "")]
        count = sum(key.startswith("weight_ih_l") for key in keys)
        if count == 0:
            fail(
                f"'{module}' is no recurrent layer",
                f"it lacks weight_ih_l0 and weight_ih, and has {', '.join(list(keys)[:3])}",
                "Name an nn.LSTM, nn.GRU, nn.LSTMCell or nn.GRUCell.",
            )
        return [self._cell(module, f"_l{layer}") for layer in range(count)]

    def _cell(self, module: str, suffix: str) -> Cell:
        weight_ih, weight_hh = (self.take(f"{module}.{n}{suffix}") for n in PARAMETERS[:2])
        biases = [
            self.take(key) if (key := f"{module}.{name}{suffix}") in self.by_name else None
            for name in PARAMETERS[2:]
        ]
        for index, bias in enumerate(biases):
            if bias is None and biases[1 - index] is not None:
                fail(
                    f"'{module}.{PARAMETERS[2 + index]}{suffix}' is missing",
                    f"'{module}.{PARAMETERS[3 - index]}{suffix}' is there, and a layer has both "
                    "biases or none",
                    "Save the whole model.",
                )
        name = f"{module}{suffix.replace('_l', ', layer ')}" if suffix else module
        if weight_ih.ndim != 2 or weight_hh.ndim != 2:
            fail(f"'{name}' has weights that are no matrices", "a cell's are", "Save it again.")
        features = weight_hh.shape[1]
        kinds = {GATES[kind] * features: kind for kind in GATES}
        if weight_hh.shape[0] not in kinds:
            fail(
                f"'{module}.weight_hh{suffix}' has shape {list(weight_hh.shape)}",
                f"an LSTM of width {features} has {4 * features} rows, a GRU {3 * features}",
                "Only LSTM and GRU layers can be converted.",
            )
        kind = kinds[weight_hh.shape[0]]
        return Cell(name, kind, weight_ih.T, biases[0], weight_hh.T, biases[1])
