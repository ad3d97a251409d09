"""Orbax checkpoints: finding the step, reading the leaves as NumPy arrays."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dempilot.convert.imports import require
from dempilot.errors import fail
from dempilot.model import Array


def is_item(folder: Path) -> bool:
    """Whether a folder holds a saved tree."""
    return (folder / "_METADATA").is_file()


def latest_step(folder: Path, step: int | None = None) -> Path:
    """The folder of a step below a checkpoint manager's; the latest one unless `step` is given."""
    try:
        steps = {int(p.name): p for p in folder.iterdir() if p.is_dir() and p.name.isdigit()}
    except OSError as error:
        fail(f"{folder} cannot be read", str(error), "Give the folder of a checkpoint.")
    if not steps:
        names = ", ".join(sorted(p.name for p in folder.iterdir())[:5]) or "nothing"
        fail(f"{folder} holds no checkpoint", f"it has {names}", "Give the folder of a checkpoint.")
    if step is not None and step not in steps:
        known = ", ".join(map(str, sorted(steps)))
        fail(f"step {step} is missing in {folder}", f"it has {known}", "Choose one of these.")
    return steps[max(steps) if step is None else step]


def find_item(folder: Path, step: int | None = None) -> Path:
    """The saved tree in `folder`: itself, the only one in a step, or that of the latest step."""
    if is_item(folder):
        return folder
    if folder.is_dir() and not any(is_item(child) for child in folder.iterdir()):
        folder = latest_step(folder, step)
    items = sorted(child for child in folder.glob("*") if is_item(child))
    if len(items) != 1:
        names = ", ".join(item.name for item in items) or "none"
        fail(
            f"{folder} holds {len(items)} saved trees",
            f"found: {names}",
            "Give the folder of the model's own tree.",
        )
    return items[0]


def read_leaves(item: Path) -> dict[str, Array]:
    """The numeric leaves of a saved tree by their dotted names; nothing but arrays is read."""
    checkpoint = require("orbax.checkpoint", "orbax checkpoints")
    jax = require("jax", "orbax checkpoints")
    try:
        with _quiet():
            reader = checkpoint.PyTreeCheckpointer()
            metadata = reader.metadata(item.resolve())
            tree = getattr(metadata, "item_metadata", metadata)
            tree = getattr(tree, "tree", tree)
            # as NumPy, so that a checkpoint from a GPU or from many devices is read anywhere
            arguments = jax.tree.map(
                lambda _: checkpoint.RestoreArgs(restore_type=np.ndarray), tree
            )
            restored = reader.restore(item.resolve(), restore_args=arguments)
    except Exception as error:  # orbax and tensorstore raise many kinds
        reason = " ".join(str(error).split())[:160]
        fail(f"{item} cannot be restored", reason, "Check that the checkpoint is whole.")
    return dict(_flatten(restored, ""))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps orbax's advice about sharding from our messages."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _flatten(tree: Any, name: str) -> Iterator[tuple[str, Array]]:
    if isinstance(tree, Mapping):
        children: Any = tree.items()
    elif isinstance(tree, (list, tuple)):
        children = enumerate(tree)
    else:
        # nnx keeps the array of a variable one level below it
        yield name.removesuffix(".value"), np.asarray(tree)
        return
    for key, child in children:
        yield from _flatten(child, f"{name}.{key}" if name else str(key))


def short(folder: Path) -> str:
    """The end of a folder's path: enough to know it by, and nothing of the machine."""
    return "/".join(folder.resolve().parts[-3:])
