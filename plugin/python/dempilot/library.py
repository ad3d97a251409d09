"""Finds and loads libdempilot.so, DEMPilot's C API, and states its functions to ctypes."""

from __future__ import annotations

import ctypes
import os
from ctypes import POINTER, c_char_p, c_double, c_float, c_int, c_int64, c_size_t, c_uint8, c_uint64
from functools import cache
from pathlib import Path

from dempilot.errors import Error, fail

NAME = "libdempilot.so"
API_VERSION = 1
FLOATS = POINTER(c_float)
VARIABLE = "DEMPILOT_LIBRARY"


class Description(ctypes.Structure):
    """`dempilot_description` of dempilot.h."""

    _fields_ = (
        ("struct_size", c_size_t),
        ("observation_size", c_size_t),
        ("action_size", c_size_t),
        ("carry_size", c_size_t),
        ("category_count", c_size_t),
        ("parameter_count", c_size_t),
        ("golden_rows", c_size_t),
        ("golden_tolerance", c_double),
        ("time_step", c_double),
        ("decision_interval", c_int64),
        ("distribution_size", c_size_t),
        ("for_engines", c_int64),
    )


class Draw(ctypes.Structure):
    """`dempilot_draw` of dempilot.h."""

    _fields_ = (
        ("struct_size", c_size_t),
        ("seed", c_uint64),
        ("decision", c_int64),
        ("ids", POINTER(c_int64)),
        ("id_count", c_size_t),
    )


class Outputs(ctypes.Structure):
    """`dempilot_outputs` of dempilot.h."""

    _fields_ = (
        ("struct_size", c_size_t),
        ("action", FLOATS),
        ("action_capacity", c_size_t),
        ("value", FLOATS),
        ("value_capacity", c_size_t),
        ("log_prob", FLOATS),
        ("log_prob_capacity", c_size_t),
        ("mean", FLOATS),
        ("mean_capacity", c_size_t),
        ("std_dev", FLOATS),
        ("std_dev_capacity", c_size_t),
    )


HANDLE = ctypes.c_void_p
SIGNATURES: dict[str, tuple[type | None, list[type]]] = {
    "dempilot_api_version": (c_int, []),
    "dempilot_version": (c_char_p, []),
    "dempilot_last_error": (c_char_p, []),
    "dempilot_initialize": (c_int, [c_int]),
    "dempilot_policy_load": (c_int, [c_char_p, POINTER(HANDLE)]),
    "dempilot_policy_free": (None, [HANDLE]),
    "dempilot_policy_describe": (c_int, [HANDLE, POINTER(Description)]),
    "dempilot_policy_contract": (c_char_p, [HANDLE]),
    "dempilot_policy_step": (
        c_int,
        [
            HANDLE,
            c_size_t,
            FLOATS,
            c_size_t,
            FLOATS,
            c_size_t,
            POINTER(Draw),
            POINTER(Outputs),
        ],
    ),
    "dempilot_agents_create": (c_int, [HANDLE, c_size_t, POINTER(HANDLE)]),
    "dempilot_agents_free": (None, [HANDLE]),
    "dempilot_agents_step": (
        c_int,
        [HANDLE, FLOATS, c_size_t, POINTER(Draw), POINTER(Outputs)],
    ),
    "dempilot_agents_reset": (c_int, [HANDLE, POINTER(c_uint8), c_size_t]),
    "dempilot_agents_carry_get": (c_int, [HANDLE, FLOATS, c_size_t]),
    "dempilot_agents_carry_set": (c_int, [HANDLE, FLOATS, c_size_t]),
}


def candidates() -> list[Path]:
    """Where the library may lie, the likeliest first: DEMPILOT_LIBRARY alone if it is set."""
    named = os.environ.get(VARIABLE)
    if named:
        return [Path(named)]
    package = Path(__file__).resolve().parent
    found = [package / NAME]
    checkout = package.parents[2]  # plugin/python/dempilot lies three folders below it
    if (checkout / "core").is_dir() and (checkout / "plugin" / "c").is_dir():
        found.append(checkout / "build" / "release" / "lib" / NAME)
    return found


@cache
def library() -> ctypes.CDLL:
    """Loads the library, once; raises `Error` if there is none or it is too old."""
    for path in candidates():
        if path.is_file():
            return _open(str(path))
    if os.environ.get(VARIABLE):
        fail(
            f"{VARIABLE} names {os.environ[VARIABLE]}",
            "there is no such file",
            f"Give the path of {NAME}, or unset {VARIABLE}.",
        )
    try:
        return _open(NAME)
    except Error as error:
        tried = ", ".join(str(path) for path in candidates())
        fail(
            f"{NAME} was not found",
            f"not in {tried}, nor on the loader's path",
            f"Build it with './run build' in a checkout of DEMPilot, or name it in {VARIABLE}.",
        )
        raise error from None


def available() -> bool:
    """Whether there is a library; one that is there and cannot be used is an error."""
    try:
        library()
    except Error as error:
        if str(error).startswith(f"{NAME} was not found"):
            return False
        raise
    return True


def _open(path: str) -> ctypes.CDLL:
    try:
        loaded = ctypes.CDLL(path)
        for name, (result, arguments) in SIGNATURES.items():
            function = getattr(loaded, name)
            function.restype, function.argtypes = result, arguments
        version = loaded.dempilot_api_version()
    except (OSError, AttributeError) as error:
        fail(f"{path} cannot be loaded", str(error), "Build DEMPilot again with './run build'.")
    if version < API_VERSION:
        fail(
            f"{path} has version {version} of the C API",
            f"this package needs {API_VERSION}",
            "Build the DEMPilot that this package comes with.",
        )
    return loaded


def check(status: int) -> None:
    """Raises the library's own message where a call has failed."""
    if status != 0:
        raise Error(library().dempilot_last_error().decode("utf-8", "replace"))
