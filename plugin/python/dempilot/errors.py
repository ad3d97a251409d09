"""What this package raises."""

from __future__ import annotations

from typing import NoReturn

LONGEST = 1000


class Error(Exception):
    """Something a user can repair: "problem (why) what to do"."""


class UnknownColumn(Error, KeyError):
    """A column that a recording does not have. As a KeyError it lets `in` and `get` work."""

    __str__ = Exception.__str__  # KeyError's shows a quoted text


def fail(problem: str, why: str, remedy: str, kind: type[Error] = Error) -> NoReturn:
    """Raises an Error, of this kind, that reads "problem (why) what to do"."""
    raise kind(f"{plain(problem)} ({plain(why)}) {remedy}")


def plain(text: str) -> str:
    """On one line, without control characters, and no longer than a name or reason can be.

    Names in a checkpoint are whatever its author wrote, and may steer a terminal.
    """
    shown = "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST // 2]}…{shown[-LONGEST // 2 :]}"
