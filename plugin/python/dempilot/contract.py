"""What a policy observes and how it acts: the groups of a policy file besides its weights.

Read from JSON with the spelling of docs/policy_file.md:

    {"observation": {"components": [...]},
     "action": {"target": "force", "scale": 1.0, "drag": 0.2, "table": [[1, 0], [0, 1]]},
     "timing": {"time_step": 2e-3, "decision_interval": 50},
     "units": {"length": 1e-3, "time": 1.0, "mass": 1e-6},
     "normalization": {"mean": [...], "variance": [...], "epsilon": 1e-8, "clip": 10.0}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dempilot.errors import fail
from dempilot.model import Normalization

LARGEST = 2**127  # of what float32 holds
REMEDY = "See docs/policy_file.md for what a contract holds."

# component: its keys, with the type of each
COMPONENTS: dict[str, dict[str, type]] = {
    "velocity": {"dimensions": int},
    "angular_velocity": {"dimensions": int},
    "goal_direction": {"dimensions": int, "bind": str},
    "goal_displacement": {"dimensions": int, "clip": float, "bind": str},
    "lidar": {"range": float, "n_azimuth": int, "n_elevation": int, "walls": bool, "bind": str},
}
REQUIRED = {"lidar": ("range", "n_azimuth")}
DIMENSIONS = {"angular_velocity": (1, 3)}
TARGETS = {"force": (2, 3), "torque": (1, 3), "force_and_torque": (3, 6)}
NUMBERS = {
    "timing": ("time_step", "decision_interval"),
    "units": ("length", "time", "mass"),
}


@dataclass(frozen=True)
class Contract:
    """The groups `/observation`, `/action`, `/timing` and `/units`; None where one is absent."""

    components: list[dict[str, Any]] | None = None
    action: dict[str, Any] | None = None
    table: list[list[float]] | None = None
    timing: dict[str, Any] | None = None
    units: dict[str, Any] | None = None
    normalization: Normalization | None = None

    def check(self, observation: int, actions: int, *, discrete: bool) -> None:
        """Raises `Error` where the contract does not fit a model of these widths."""
        if self.components is not None:
            self._check_observation(observation)
        if self.action is not None:
            self._check_action(actions, discrete)
        if self.normalization is not None:
            for name in ("mean", "variance"):
                found = getattr(self.normalization, name).shape
                if found != (observation,):
                    fail(
                        f"normalization '{name}' has shape {list(found)}",
                        f"the model reads {observation} values",
                        "Give one number for each.",
                    )

    def _check_observation(self, observation: int) -> None:
        widths = [component_width(part) for part in self.components or ()]
        if sum(widths) != observation:
            parts = [
                f"{part['name']} {width}"
                for part, width in zip(self.components or (), widths, strict=True)
            ]
            fail(
                f"the observation components add up to {sum(widths)} values",
                f"{' + '.join(parts)}, and the model reads {observation}",
                "Give the components that the policy was trained with, in their order.",
            )

    def _check_action(self, actions: int, discrete: bool) -> None:
        target = (self.action or {})["target"]
        width = actions
        if discrete:
            if self.table is None:
                fail(
                    "action 'table' is missing",
                    f"the model chooses among {actions} categories",
                    "Give a row of actions for each category.",
                )
            if len(self.table) != actions:
                fail(
                    f"action 'table' has {len(self.table)} rows",
                    f"the model chooses among {actions} categories",
                    "Give a row of actions for each category.",
                )
            width = len(self.table[0])
        elif self.table is not None:
            fail(
                "action 'table' is given",
                "the model's actions are not discrete",
                "Leave the table out.",
            )
        if width not in TARGETS[target]:
            fail(
                f"action target '{target}' does not take {width} actions",
                f"it takes {' or '.join(map(str, TARGETS[target]))}",
                "Name the target that the policy was trained with.",
            )


def component_width(component: Mapping[str, Any]) -> int:
    """How many values a component gives."""
    if component["name"] == "lidar":
        return int(component["n_azimuth"]) * max(1, int(component.get("n_elevation", 0)))
    return int(component["dimensions"])


def read_contract(path: Path) -> Contract:
    """Reads a contract from a JSON file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"the contract {path} cannot be read", str(error), "Give a JSON file.")
    try:
        data = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        fail(f"the contract {path} is no JSON", str(error), REMEDY)
    return parse_contract(data)


def _refuse_constant(name: str) -> float:
    fail(f"the contract holds {name}", "JSON has no such number", "Write a finite number.")


def parse_contract(data: Any) -> Contract:
    """Returns the contract that JSON data spells; raises `Error` on anything unknown."""
    groups = _object(data, "the contract")
    _known(groups, "the contract", ("observation", "action", "timing", "units", "normalization"))
    components = None
    if "observation" in groups:
        observation = _object(groups["observation"], "'observation'")
        _known(observation, "'observation'", ("components",))
        components = _components(observation.get("components"))
    action, table = _action(groups["action"]) if "action" in groups else (None, None)
    return Contract(
        components=components,
        action=action,
        table=table,
        timing=_numbers(groups, "timing"),
        units=_numbers(groups, "units"),
        normalization=_normalization(groups["normalization"])
        if "normalization" in groups
        else None,
    )


def _components(data: Any) -> list[dict[str, Any]]:
    if not isinstance(data, list) or not data:
        fail("'observation' has no list of components", "it holds none", REMEDY)
    return [_component(entry, index) for index, entry in enumerate(data)]


def _component(data: Any, index: int) -> dict[str, Any]:
    entry = _object(data, f"component {index}")
    name = entry.get("name")
    if not isinstance(name, str) or name not in COMPONENTS:
        fail(f"unknown component '{name}'", f"known: {', '.join(COMPONENTS)}", REMEDY)
    keys = COMPONENTS[name]
    _known(entry, f"component '{name}'", ("name", *keys))
    for key in REQUIRED.get(name, ("dimensions",)):
        if key not in entry:
            fail(f"component '{name}' lacks '{key}'", "it decides what is observed", REMEDY)
    for key, kind in keys.items():
        if key in entry:
            _check_type(entry[key], kind, f"component '{name}' has '{key}'")
    if "dimensions" in keys and entry["dimensions"] not in DIMENSIONS.get(name, (2, 3)):
        allowed = " or ".join(map(str, DIMENSIONS.get(name, (2, 3))))
        fail(
            f"component '{name}' has {entry['dimensions']} dimensions", f"it has {allowed}", REMEDY
        )
    for key in ("range", "n_azimuth", "clip"):
        if key in entry and not entry[key] > 0:
            fail(f"component '{name}' has '{key}' {entry[key]}", "it must be positive", REMEDY)
    if entry.get("n_elevation", 0) < 0:
        fail(f"component '{name}' has a negative 'n_elevation'", "0 means planar", REMEDY)
    return dict(entry)


def _action(data: Any) -> tuple[dict[str, Any], list[list[float]] | None]:
    entry = dict(_object(data, "'action'"))
    _known(entry, "'action'", ("target", "frame", "scale", "drag", "angular_drag", "table"))
    if not isinstance(entry.get("target"), str) or entry["target"] not in TARGETS:
        fail(
            f"unknown action target '{entry.get('target')}'", f"known: {', '.join(TARGETS)}", REMEDY
        )
    if entry.get("frame", "lab") not in ["lab", "body"]:
        fail(f"unknown action frame '{entry['frame']}'", "known: lab, body", REMEDY)
    for key in ("scale", "drag", "angular_drag"):
        if key in entry:
            _check_type(entry[key], float, f"'action' has '{key}'")
            entry[key] = float(entry[key])
    table = entry.pop("table", None)
    return entry, None if table is None else _table(table)


def _table(data: Any) -> list[list[float]]:
    if not isinstance(data, list) or not data or not all(isinstance(row, list) for row in data):
        fail("action 'table' is no list of rows", "each category needs a row of actions", REMEDY)
    for row in data:
        if len(row) != len(data[0]) or not row:
            fail("action 'table' has rows of unequal length", "each row holds all actions", REMEDY)
        for value in row:
            _check_type(value, float, "action 'table' holds")
    return [[float(value) for value in row] for row in data]


def _numbers(groups: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    if name not in groups:
        return None
    entry = _object(groups[name], f"'{name}'")
    _known(entry, f"'{name}'", NUMBERS[name])
    numbers: dict[str, Any] = {}
    for key in NUMBERS[name]:
        if key not in entry:
            fail(f"'{name}' lacks '{key}'", f"it holds {', '.join(NUMBERS[name])}", REMEDY)
        kind = int if key == "decision_interval" else float
        _check_type(entry[key], kind, f"'{name}' has '{key}'")
        if not entry[key] > 0:
            fail(f"'{name}' has '{key}' {entry[key]}", "it must be positive", REMEDY)
        numbers[key] = kind(entry[key])
    return numbers


def _normalization(data: Any) -> Normalization:
    entry = _object(data, "'normalization'")
    _known(entry, "'normalization'", ("mean", "variance", "epsilon", "clip"))
    arrays = {}
    for key in ("mean", "variance"):
        if not isinstance(entry.get(key), list):
            fail(f"'normalization' lacks '{key}'", "it holds a number for each observation", REMEDY)
        for value in entry[key]:
            _check_type(value, float, f"'normalization' has '{key}' with")
        arrays[key] = np.asarray(entry[key], np.float64)
    for key in ("epsilon", "clip"):
        if key in entry:
            _check_type(entry[key], float, f"'normalization' has '{key}'")
    if (arrays["variance"] < 0).any():
        fail("'normalization' has a negative 'variance'", "it is the mean of squares", REMEDY)
    if entry.get("epsilon", 0) < 0:
        fail(
            f"'normalization' has 'epsilon' {entry['epsilon']}", "it must not be negative", REMEDY
        )
    if entry.get("clip") is not None and not entry["clip"] > 0:
        fail(f"'normalization' has 'clip' {entry['clip']}", "it must be positive", REMEDY)
    return Normalization(
        mean=arrays["mean"],
        variance=arrays["variance"],
        epsilon=float(entry.get("epsilon", 1e-8)),
        clip=None if entry.get("clip") is None else float(entry["clip"]),
    )


def _object(data: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        fail(f"{what} is no JSON object", f"it is a {type(data).__name__}", REMEDY)
    return data


def _known(entry: Mapping[str, Any], what: str, keys: Sequence[str]) -> None:
    for key in entry:
        if key not in keys:
            fail(f"{what} has an unknown key '{key}'", f"known: {', '.join(keys)}", REMEDY)


def _check_type(value: Any, kind: type, what: str) -> None:
    """JSON's true is no number here, and an integer will do where a number is wanted."""
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
