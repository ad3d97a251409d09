"""Golden rows that somebody recorded from a model of their own.

A checkpoint holds layers, not the forward pass that its author wrote around them. Steps that this
forward pass took show whether the converted model does the same.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dempilot.errors import fail
from dempilot.golden import TOLERANCE, close_calls, compute, golden_rows
from dempilot.model import Array, Model, Outputs

MOST_ROWS = 4096  # as many as a load replays
LARGEST = 256 * 1024 * 1024
# what damaged archives make zipfile and NumPy raise
UNREADABLE = (
    OSError, ValueError, EOFError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
READ = ("observation", "carry")
COMPARED = ("mean", "std", "value", "next_carry", "action")
REMEDY = "See docs/convert/README.md for what it holds."


def read_rows(path: Path, model: Model) -> dict[str, Array]:
    """Returns the rows under the names of `/golden`; raises `Error` where the model gives others.

    What may be left out is filled in by the layers of the source framework.
    """
    arrays = _load(path)
    _check_names(path, arrays, model)
    _check_arrays(path, arrays, model)
    recorded = {name: np.asarray(array, np.float32) for name, array in arrays.items()}
    observation = recorded["observation"]
    carry = recorded.get("carry", np.zeros((len(observation), 0), np.float32))
    if model.carry_size and not carry.any():
        fail(
            f"'carry' in {path} holds nothing but zeros",
            "what the model does with its memory would go unchecked",
            "Record later steps of an episode as well.",
        )
    outputs = compute(model, observation, carry)
    computed = golden_rows(model, observation, carry, outputs)
    for name in COMPARED:
        if name == "action":
            _refuse_close_calls(path, model, outputs)
        if name in recorded:
            _compare(path, name, computed[name], recorded[name], model)
    return computed | recorded


def _load(path: Path) -> dict[str, Array]:
    """The arrays by name; nothing is unpickled."""
    if not path.exists():
        fail(f"{path} does not exist", "--rows names it", "Check the path.")
    if not zipfile.is_zipfile(path):
        fail(f"{path} is no npz", "it is no archive of arrays", "Save it with numpy.savez.")
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > LARGEST:
            fail(
                f"{path} unpacks to {size} bytes",
                f"at most {LARGEST} are read",
                "Record fewer rows.",
            )
        with np.load(path, allow_pickle=False) as file:
            return {name: _array(path, name, file) for name in file.files}
    except UNREADABLE as error:
        fail(f"{path} cannot be read", str(error), "Save it again with numpy.savez.")


def _array(path: Path, name: str, file: Mapping[str, Array]) -> Array:
    try:
        return np.asarray(file[name])
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        fail(
            f"'{name}' in {path} holds Python objects",
            "these are pickled, and unpickling runs code that the file brings along",
            "Save arrays of numbers.",
        )


def _check_names(path: Path, arrays: Mapping[str, Array], model: Model) -> None:
    for name in arrays:
        if name not in (*READ, *COMPARED):
            fail(
                f"'{name}' in {path} is unknown",
                f"known: {', '.join((*READ, *COMPARED))}",
                "Leave it out.",
            )
    for name in ("carry", "next_carry"):
        if name in arrays and not model.carry_size:
            fail(f"'{name}' in {path} has no place", "the model has no memory", "Leave it out.")
    if "std" in arrays and model.discrete:
        fail(f"'std' in {path} has no place", "the model chooses categories", "Leave it out.")
    needed = ["observation", "value", *(("carry", "next_carry") if model.carry_size else ())]
    missing = [f"'{name}'" for name in needed if name not in arrays]
    if "mean" not in arrays and "action" not in arrays:
        missing.append("'mean' or 'action'")
    if missing:
        fail(
            f"{path} lacks {', '.join(missing)}",
            f"it has {', '.join(arrays) or 'nothing'}",
            "Record all of a step.",
        )


def _check_arrays(path: Path, arrays: Mapping[str, Array], model: Model) -> None:
    width = model.observation_size
    shape = arrays["observation"].shape
    if len(shape) != 2 or shape[1] != width or not 1 <= shape[0] <= MOST_ROWS:
        fail(
            f"'observation' in {path} has shape {list(shape)}",
            f"expected [n, {width}] with n from 1 to {MOST_ROWS}",
            "Give one row for each step of each agent.",
        )
    shapes = {
        "observation": shape,
        "carry": (shape[0], model.carry_size),
        "mean": (shape[0], model.action_size),
        "std": (shape[0], model.action_size),
        "action": (shape[0], 1 if model.discrete else model.action_size),
        "value": (shape[0],),
        "next_carry": (shape[0], model.carry_size),
    }
    for name, array in arrays.items():
        if array.shape != shapes[name]:
            fail(
                f"'{name}' in {path} has shape {list(array.shape)}",
                f"expected {list(shapes[name])}",
                REMEDY,
            )
        if array.dtype.kind not in "fiu":
            fail(f"'{name}' in {path} holds {array.dtype}", "numbers are needed", "Save float32.")
        with np.errstate(over="ignore"):
            finite = np.isfinite(np.asarray(array, np.float32)).reshape(shape[0], -1).all(axis=1)
        if not finite.all():
            fail(
                f"'{name}' in {path} holds what is no finite number in row {int(finite.argmin())}",
                "golden rows are finite in float32",
                "Leave that row out of every array, or record again.",
            )


def _refuse_close_calls(path: Path, model: Model, outputs: Outputs) -> None:
    close = close_calls(model, outputs)
    if close.any():
        fail(
            f"row {int(close.argmax())} of {path} is too close a call",
            "its two best logits are so alike that rounding decides the category",
            "Leave that row out of every array.",
        )


def _compare(path: Path, name: str, found: Array, recorded: Array, model: Model) -> None:
    """Raises `Error` where rows are further off than a load allows."""
    errors = np.abs(found.astype(np.float64) - recorded).reshape(len(recorded), -1).max(axis=1)
    error = float(errors.max() / max(1.0, np.abs(recorded).max()))
    if error > TOLERANCE:
        notes = "".join(f"; {note}" for note in model.notes)
        fail(
            f"'{name}' in {path} is off by {error:.3g} from the converted model, most in row "
            f"{int(errors.argmax())}",
            f"rounding explains {TOLERANCE:g}{notes}",
            "Compare that with your forward pass, and the rows with docs/convert/README.md.",
        )
