"""The one exception that this package raises."""

from __future__ import annotations

from typing import NoReturn


class Error(Exception):
    """Something a user can repair: "problem (why) what to do"."""


def fail(problem: str, why: str, remedy: str) -> NoReturn:
    """Raises an Error that reads "problem (why) what to do"."""
    raise Error(f"{problem} ({why}) {remedy}")
