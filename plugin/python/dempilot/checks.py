"""What reading JSON that may be wrong has in common."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dempilot.errors import fail

LARGEST = 2**127  # of what float32 holds
WIDEST = 16384  # of a layer, and of what is counted
LONGEST_NAME = 80  # in bytes
REMEDY = "See docs/policy_file.md for what a contract holds."


def require_object(data: Any, what: str) -> Mapping[str, Any]:
    """Returns `data`, which is a JSON object."""
    if not isinstance(data, dict):
        fail(f"{what} is no JSON object", f"it is a {type(data).__name__}", REMEDY)
    return data


def require_known(entry: Mapping[str, Any], what: str, keys: Sequence[str]) -> None:
    """Raises `Error` where `entry` has a key that is not among `keys`."""
    for key in entry:
        if key not in keys:
            fail(f"{what} has an unknown key '{key}'", f"known: {', '.join(keys)}", REMEDY)


def check_type(value: Any, kind: type, what: str) -> None:
    """Raises `Error` where `value` is not of that kind.

    JSON's true is no number here, and an integer will do where a number is wanted.
    """
    kinds = (int, float) if kind is float else (kind,)
    if isinstance(value, bool) != (kind is bool) or not isinstance(value, kinds):
        fail(f"{what} {json.dumps(value)}", f"it takes {_spoken(kind)}", REMEDY)
    if isinstance(value, (int, float)) and not abs(value) < LARGEST:
        fail(f"{what} {_short(value)}", "it takes a number that float32 can hold", REMEDY)


def _short(value: float) -> str:
    """Python refuses to print integers of thousands of digits."""
    return str(value) if isinstance(value, float) else f"an integer of {value.bit_length()} bits"


def _spoken(kind: type) -> str:
    return {int: "an integer", float: "a number", str: "a string", bool: "true or false"}[kind]


def check_integer(value: Any, least: int, most: int, what: str) -> None:
    """Raises `Error` where `value` is no integer in these bounds."""
    check_type(value, int, what)
    if not least <= value <= most:
        fail(f"{what} {value}", f"it takes an integer from {least} to {most}", REMEDY)


def check_name(value: Any, what: str) -> None:
    """Raises `Error` where input scripts and messages cannot spell `value`."""
    check_type(value, str, what)
    if not value.isprintable() or not 0 < len(value.encode()) <= LONGEST_NAME:
        fail(
            f"{what} {json.dumps(value)}",
            f"it takes a name of 1 to {LONGEST_NAME} printable characters",
            REMEDY,
        )
