"""Frameworks are imported when a source needs them, and no earlier."""

from __future__ import annotations

import importlib
from typing import Any

from dempilot.errors import fail

INSTALL = {
    "torch": "torch",
    "sb3_contrib": "sb3-contrib",
    "stable_baselines3": "stable-baselines3",
    "flax": "flax",
    "orbax": "orbax-checkpoint",
    "jax": "jax",
    "gymnasium": "gymnasium",
}


def require(module: str, source: str) -> Any:
    """Imports a module, or says what to install to convert from `source`."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = INSTALL.get(module.split(".")[0], module.split(".")[0])
        fail(
            f"{package} cannot be imported",
            str(error),
            f"Converting from {source} computes with it: pip install {package}.",
        )
