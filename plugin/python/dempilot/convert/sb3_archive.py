"""What a Stable-Baselines3 zip says about its policy, read without running anything."""

from __future__ import annotations

import base64
import binascii
import io
import json
import lzma
import pickle
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dempilot.convert.imports import require
from dempilot.convert.torch_tensors import load_state_dict
from dempilot.convert.unpickle import Record, read_pickle, to_array, to_number
from dempilot.errors import fail
from dempilot.model import Array, Normalization

LARGEST_DATA = 64 * 1024 * 1024
LARGEST_WEIGHTS = 1024 * 1024 * 1024
# what a damaged zip, or one packed in an unusual way, makes zipfile raise
UNREADABLE = (
    OSError, zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError, UnicodeDecodeError,
    zlib.error, lzma.LZMAError,
)  # fmt: skip
RESAVE = "Save the model again with model.save(FILE)."
# policy class: whether it is recurrent
POLICIES = {
    "stable_baselines3.common.policies.ActorCriticPolicy": False,
    "sb3_contrib.common.recurrent.policies.RecurrentActorCriticPolicy": True,
}


@dataclass(frozen=True)
class Box:
    """A box space: its bounds, and the shape and type of its values."""

    low: Array
    high: Array
    dtype: str


@dataclass(frozen=True)
class Discrete:
    """A discrete space."""

    n: int


@dataclass(frozen=True)
class Archive:
    """The parts of a zip that make its policy."""

    recurrent: bool
    observation: Box
    action: Box | Discrete
    arguments: dict[str, Any]
    state: dict[str, Any]
    version: str


def read_archive(path: Path, *, trust: bool = False) -> Archive:
    """Reads `data`, `policy.pth` and the library's version from a zip of model.save().

    With `trust` what is pickled in `data` is unpickled by Stable-Baselines3, which runs what the
    file brings along; the weights are read as tensors all the same.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            data = _member(archive, path, "data", LARGEST_DATA)
            weights = _member(archive, path, "policy.pth", LARGEST_WEIGHTS)
            versioned = "_stable_baselines3_version" in archive.namelist()
            version = _member(archive, path, "_stable_baselines3_version", 99) if versioned else b""
    except UNREADABLE as error:
        fail(f"{path} is no zip of Stable-Baselines3, or is damaged", str(error), RESAVE)
    names = ("policy_class", "observation_space", "action_space", "policy_kwargs")
    entries = _entries(data, path)
    if trust:
        loaded = require("stable_baselines3.common.save_util", "sb3").json_to_data(data.decode())
        parts = {name: loaded.get(name) for name in names}
    else:
        parts = {name: _pickled(entries, name) for name in names}
    if entries.get("use_sde"):
        fail(
            "'use_sde' is true",
            "the noise of gSDE depends on the features, which the policy file lacks",
            "Train with use_sde=False.",
        )
    return Archive(
        recurrent=_recurrent(parts["policy_class"]),
        observation=_observation_space(parts["observation_space"]),
        action=_action_space(parts["action_space"]),
        arguments=_arguments(parts["policy_kwargs"]),
        state=load_state_dict(io.BytesIO(weights), f"policy.pth in {path}"),
        version=version.decode("ascii", "replace").strip() or "of unknown version",
    )


def _arguments(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        fail(
            f"'policy_kwargs' in 'data' is a {type(value).__name__}",
            "it is a dictionary of a policy's arguments",
            RESAVE,
        )
    return dict(value)


def _entries(data: bytes, path: Path) -> dict[str, Any]:
    try:
        entries = json.loads(data)
    except (ValueError, RecursionError) as error:
        fail(f"'data' in {path} is no JSON", str(error), RESAVE)
    if not isinstance(entries, dict):
        fail(f"'data' in {path} is no JSON object", f"it is a {type(entries).__name__}", RESAVE)
    return entries


def _member(archive: zipfile.ZipFile, path: Path, name: str, most: int) -> bytes:
    try:
        size = archive.getinfo(name).file_size
    except KeyError:
        fail(
            f"'{name}' is missing in {path}", f"it has {', '.join(archive.namelist()[:5])}", RESAVE
        )
    if size > most:
        fail(f"'{name}' in {path} takes {size} bytes", f"at most {most} are read", RESAVE)
    return archive.read(name)


def _recurrent(policy: Any) -> bool:
    """Whether a policy class is recurrent; it is known by its name alone."""
    known = isinstance(policy, type)
    name = policy.name if known and issubclass(policy, Record) else _path(policy)
    if name not in POLICIES:
        fail(
            f"'policy_class' is {name}",
            "only the MlpPolicy of PPO and the MlpLstmPolicy of RecurrentPPO can be converted",
            "Train with one of these, on observations that are vectors.",
        )
    return POLICIES[name]


def _path(value: Any) -> str:
    return f"{getattr(value, '__module__', '?')}.{getattr(value, '__qualname__', value)}"


def _decode(text: Any, what: str) -> bytes:
    try:
        return base64.b64decode(text, validate=False)
    except (binascii.Error, TypeError, ValueError) as error:
        fail(f"'{what}' in 'data' is no base64", str(error), RESAVE)


def _pickled(entries: Mapping[str, Any], name: str) -> Any:
    entry = entries.get(name)
    if name == "policy_kwargs" and not (isinstance(entry, dict) and ":serialized:" in entry):
        return entry  # plain JSON does for them when no class is among them
    if not isinstance(entry, dict) or ":serialized:" not in entry:
        fail(f"'{name}' is missing in 'data'", "the policy cannot be built without it", RESAVE)
    return read_pickle(_decode(entry[":serialized:"], name), f"'{name}' in 'data'")


def attribute(value: Any, key: str, default: Any = None) -> Any:
    """An attribute of an object, be it one that was unpickled or a record of one."""
    return value.get(key, default) if isinstance(value, Record) else getattr(value, key, default)


def _kind(value: Any) -> str:
    return value.kind if isinstance(value, Record) else type(value).__name__


def _observation_space(space: Any) -> Box:
    if _kind(space) != "Box":
        fail(
            f"'observation_space' is {_kind(space)}",
            "only a Box of numbers can be converted",
            "Flatten the observations, as with gymnasium's FlattenObservation.",
        )
    box = _box(space, "observation_space")
    if box.dtype == "uint8" and box.low.ndim == 3:
        fail(
            f"'observation_space' holds images of shape {list(box.low.shape)}",
            "a convolution reads them, which the policy file lacks",
            "Train on observations that are vectors.",
        )
    return box


def _action_space(space: Any) -> Box | Discrete:
    if _kind(space) == "Box":
        return _box(space, "action_space")
    if _kind(space) == "Discrete":
        return Discrete(int(to_number(attribute(space, "n"), "'n' of 'action_space'")))
    fail(
        f"'action_space' is {_kind(space)}",
        "only Box and Discrete can be converted",
        "Train with one of these.",
    )


def _box(space: Any, name: str) -> Box:
    low, high = (to_array(attribute(space, k), f"'{k}' of '{name}'") for k in ("low", "high"))
    if low.shape != high.shape or low.size == 0:
        fail(f"'{name}' has bounds of shapes {low.shape} and {high.shape}", "they differ", RESAVE)
    return Box(low, high, str(low.dtype))


def read_vec_normalize(path: Path, *, trust: bool = False) -> Normalization:
    """Reads the statistics of the observations from a pickle of VecNormalize.save()."""
    try:
        data = path.read_bytes()
    except OSError as error:
        fail(f"{path} cannot be read", str(error), "Give the file of VecNormalize.save().")
    wrapper = pickle.loads(data) if trust else read_pickle(data, str(path))
    if _kind(wrapper) != "VecNormalize":
        fail(
            f"{path} holds {_kind(wrapper)}",
            "VecNormalize is expected",
            "Save it with VecNormalize.save().",
        )
    if not attribute(wrapper, "norm_obs", True):
        fail(f"{path} does not normalize observations", "norm_obs is False", "Leave it out.")
    statistics = attribute(wrapper, "obs_rms")
    if _kind(statistics) != "RunningMeanStd":
        fail(
            f"'obs_rms' in {path} is {_kind(statistics)}",
            "observations in a dictionary have several RunningMeanStd",
            "Train on observations that are vectors.",
        )
    mean, variance = (
        to_array(attribute(statistics, key), f"'{key}' in {path}").astype(np.float64).ravel()
        for key in ("mean", "var")
    )
    return Normalization(
        mean=mean,
        variance=variance,
        epsilon=to_number(attribute(wrapper, "epsilon", 1e-8), f"'epsilon' in {path}"),
        clip=to_number(attribute(wrapper, "clip_obs", 10.0), f"'clip_obs' in {path}"),
    )
