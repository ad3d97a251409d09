"""The components of an observation: their keys, what these may be, and how wide they are."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dempilot.checks import (
    REMEDY,
    WIDEST,
    check_integer,
    check_name,
    check_type,
    require_known,
    require_object,
)
from dempilot.errors import fail

Component = dict[str, Any]

MOST_COMPONENTS = 1024
MOST_NEIGHBORS = 64
MOST_BINS = 2**20
FRAMES = ("lab", "body")

# what a key takes, wherever it stands; integers have bounds below
KINDS: dict[str, type] = {
    "dimensions": int,
    "n_azimuth": int,
    "n_elevation": int,
    "count": int,
    "axis": int,
    "range": float,
    "clip": float,
    "walls": bool,
    "velocity": bool,
    "radius": bool,
    "type": bool,
    "bind": str,
    "frame": str,
}
BOUNDS = {
    "dimensions": (1, 3),
    "n_azimuth": (1, WIDEST),
    "n_elevation": (0, WIDEST),
    "count": (1, MOST_NEIGHBORS),
    "axis": (0, 2),
}


@dataclass(frozen=True)
class Keys:
    """The keys of a component besides its name."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    binds: str | None = None  # what `bind` names
    default: str | None = None  # what is bound where `bind` is not given
    dimensions: tuple[int, int] = BOUNDS["dimensions"]


COMPONENTS = {
    "velocity": Keys(("dimensions",), ("frame",)),
    "angular_velocity": Keys(("dimensions",), ("frame",)),
    "goal_direction": Keys(("dimensions",), ("bind", "frame"), "a goal", "goal"),
    "goal_displacement": Keys(("dimensions",), ("clip", "bind", "frame"), "a goal", "goal"),
    "lidar": Keys(
        ("range", "n_azimuth"),
        ("n_elevation", "walls", "bind", "frame"),
        "particles",
        "targets",
    ),
    "neighbors": Keys(
        ("range", "count", "dimensions"),
        ("velocity", "radius", "type", "bind", "frame"),
        "particles",
        "targets",
    ),
    "contact_force": Keys(("dimensions",), ("frame",)),
    "contact_count": Keys((), ("walls", "bind"), "particles", "targets"),
    "wall_distance": Keys(("range",), ("bind",), "walls", "walls"),
    "wall_direction": Keys(("dimensions", "range"), ("bind", "frame"), "walls", "walls"),
    "quaternion": Keys(),
    "director": Keys(("dimensions",), ("axis",)),
    "previous_action": Keys(("dimensions",), dimensions=(1, WIDEST)),
    "time_since_reset": Keys((), ("clip",)),
    "field": Keys(("bind", "dimensions"), (), "a field", dimensions=(1, WIDEST)),
}


def component_width(component: Mapping[str, Any]) -> int:
    """How many values a component gives."""
    name = component["name"]
    if name == "lidar":
        return int(component["n_azimuth"]) * max(1, int(component.get("n_elevation", 0)))
    if name == "neighbors":
        each = int(component["dimensions"]) * (2 if component.get("velocity", False) else 1)
        more = bool(component.get("radius", False)) + bool(component.get("type", False))
        return int(component["count"]) * (each + more)
    if name == "quaternion":
        return 4
    return int(component.get("dimensions", 1))


def parse_components(data: Any) -> list[Component]:
    """Returns the components that JSON data spells; raises `Error` on anything unknown."""
    if not isinstance(data, list) or not data:
        fail("'observation' has no list of components", "it holds none", REMEDY)
    if len(data) > MOST_COMPONENTS:
        fail(f"'observation' has {len(data)} components", f"at most {MOST_COMPONENTS} fit", REMEDY)
    components = [_component(entry, index) for index, entry in enumerate(data)]
    _check_names(components)
    return components


def _component(data: Any, index: int) -> Component:
    entry = require_object(data, f"component {index}")
    name = entry.get("name")
    if not isinstance(name, str) or name not in COMPONENTS:
        fail(f"unknown component '{name}'", f"known: {', '.join(COMPONENTS)}", REMEDY)
    keys = COMPONENTS[name]
    require_known(entry, f"component '{name}'", ("name", *keys.required, *keys.optional))
    for key in keys.required:
        if key not in entry:
            fail(f"component '{name}' lacks '{key}'", "it decides what is observed", REMEDY)
    for key, value in entry.items():
        if key != "name":
            _check_value(key, value, keys, f"component '{name}' has '{key}'")
    bins = int(entry.get("n_azimuth", 1)) * max(1, int(entry.get("n_elevation", 0)))
    if bins > MOST_BINS:
        fail(f"component '{name}' has {bins} bins", f"at most {MOST_BINS} are read", REMEDY)
    return dict(entry)


def _check_value(key: str, value: Any, keys: Keys, what: str) -> None:
    if KINDS[key] is int:
        check_integer(value, *(keys.dimensions if key == "dimensions" else BOUNDS[key]), what)
    elif key == "bind":
        check_name(value, what)
    else:
        check_type(value, KINDS[key], what)
    if key == "frame" and value not in FRAMES:
        fail(f"{what} {json.dumps(value)}", f"known: {', '.join(FRAMES)}", REMEDY)
    if KINDS[key] is float and not value > 0:
        fail(f"{what} {value}", "it must be positive", REMEDY)
    if key == "range" and value * value < sys.float_info.min:
        fail(f"{what} {value}", "its square is too small to compare distances with", REMEDY)


def _check_names(components: list[Component]) -> None:
    """A name stands for one thing, and a field has one width."""
    bound: dict[str | None, tuple[str, int]] = {}
    for component in components:
        keys = COMPONENTS[component["name"]]
        wanted = []
        if keys.binds is not None:
            entries = component["dimensions"] if keys.binds == "a field" else 0
            wanted.append((component.get("bind", keys.default), (keys.binds, entries)))
        if component.get("walls", False):
            wanted.append(("walls", ("walls", 0)))
        for name, use in wanted:
            kind, entries = bound.setdefault(name, use)
            if kind != use[0]:
                fail(
                    f"'{name}' is bound to {kind} and to {use[0]}",
                    "a name stands for one of them",
                    "Give each kind a name of its own.",
                )
            if entries != use[1]:
                fail(
                    f"field '{name}' has {entries} entries, and {use[1]} elsewhere",
                    "a name stands for one field",
                    "Give one of them another name.",
                )
