"""Writes a policy file (docs/policy_file.md), whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import h5py
import numpy as np

from dempilot.contract import Contract
from dempilot.errors import fail
from dempilot.golden import TOLERANCE
from dempilot.model import Array, Model, Normalization


def write_policy_file(
    path: Path,
    model: Model,
    contract: Contract,
    golden: Mapping[str, Array],
    *,
    force: bool = False,
    check: Callable[[Path], None] = lambda path: None,
) -> None:
    """Writes `path`; `check` sees the finished file before it gets its name.

    Nothing is left behind when writing or checking fails. An existing file stays unless `force`.
    """
    require_free(path, force)
    temporary = _temporary(path)
    try:
        with h5py.File(temporary, "w") as file:
            _write(file, model, contract, golden)
        _flush(temporary)
        check(temporary)
        require_free(path, force)
        temporary.replace(path)
    except OSError as error:
        fail(f"{path} cannot be written", str(error), "Give a folder with room that you may write.")
    finally:
        temporary.unlink(missing_ok=True)
    _flush(path.parent)


def require_free(path: Path, force: bool) -> None:
    """Raises `Error` where `path` is taken."""
    if path.is_dir():
        fail(f"{path} cannot be written", "it is a folder", "Give a file name after -o.")
    if path.exists() and not force:
        fail(f"{path} exists", "it would be overwritten", "Give another -o FILE, or --force.")


def _temporary(path: Path) -> Path:
    """Creates an empty file beside `path`, with the permissions that a new file gets."""
    try:
        handle, name = tempfile.mkstemp(
            prefix=f".{path.name}.", suffix=".partial", dir=path.resolve().parent
        )
    except OSError as error:
        fail(f"{path} cannot be written", str(error), "Give an existing folder that you may write.")
    os.close(handle)
    umask = os.umask(0)
    os.umask(umask)
    temporary = Path(name)
    temporary.chmod(0o666 & ~umask)
    return temporary


def _flush(path: Path) -> None:
    """Lets the disk have it before the name appears, also after a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(file: h5py.File, model: Model, contract: Contract, golden: Mapping[str, Array]) -> None:
    file.attrs["format"] = "dempilot-policy"
    file.attrs["version"] = 1
    file.attrs["model"] = model.name
    file.attrs["metadata"] = json.dumps(model.metadata)
    file.attrs["provenance"] = model.provenance
    parameters = file.create_group("params")
    for name, tensor in model.parameters.items():
        parameters[name] = tensor
    if model.normalization is not None:
        _write_normalization(file, model.normalization)
    if contract.components is not None:
        observation = file.create_group("observation")
        observation.attrs["components"] = json.dumps(contract.components)
    if contract.action is not None:
        action = file.create_group("action")
        action.attrs.update(contract.action)
        if contract.table is not None:
            action["table"] = np.asarray(contract.table, np.float64)
    for name, group in (("timing", contract.timing), ("units", contract.units)):
        if group is not None:
            file.create_group(name).attrs.update(group)
    rows = file.create_group("golden")
    rows.attrs["tolerance"] = TOLERANCE
    for name, value in golden.items():
        rows[name] = value


def _write_normalization(file: h5py.File, normalization: Normalization) -> None:
    group = file.create_group("normalization")
    group["mean"] = np.asarray(normalization.mean, np.float64)
    group["variance"] = np.asarray(normalization.variance, np.float64)
    group.attrs["epsilon"] = normalization.epsilon
    if normalization.clip is not None:
        group.attrs["clip"] = normalization.clip
