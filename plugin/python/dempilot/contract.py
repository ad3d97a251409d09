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
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dempilot.checks import (
    REMEDY,
    check_integer,
    check_name,
    check_type,
    require_known,
    require_object,
)
from dempilot.errors import fail
from dempilot.model import Normalization
from dempilot.observation import FRAMES, Component, component_width, parse_components

GROUPS = ("observation", "action", "timing", "units", "normalization")
# action target: how many actions it takes
TARGETS = {
    "force": (2, 3),
    "torque": (1, 3),
    "force_and_torque": (3, 6),
    "thrust": (1,),
    "thrust_and_turn": (2, 4),
    "velocity": (2, 3),
}
THRUSTS = ("thrust", "thrust_and_turn")
ACTION_KEYS = ("target", "frame", "scale", "drag", "angular_drag", "axis", "bind", "table")
NUMBERS = {
    "timing": ("time_step", "decision_interval"),
    "units": ("length", "time", "mass"),
}


@dataclass(frozen=True)
class Contract:
    """The groups `/observation`, `/action`, `/timing` and `/units`; None where one is absent."""

    components: list[Component] | None = None
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
        if discrete and (self.table is None or len(self.table) != actions):
            found = "is missing" if self.table is None else f"has {len(self.table)} rows"
            fail(
                f"action 'table' {found}",
                f"the model chooses among {actions} categories",
                "Give a row of actions for each category.",
            )
        if not discrete and self.table is not None:
            fail(
                "action 'table' is given",
                "the model's actions are not discrete",
                "Leave the table out.",
            )
        width = actions if self.table is None else len(self.table[0])
        if width not in TARGETS[target]:
            fail(
                f"action target '{target}' does not take {width} actions",
                f"it takes {' or '.join(map(str, TARGETS[target]))}",
                "Name the target that the policy was trained with.",
            )
        for component in self.components or ():
            if component["name"] == "previous_action" and component["dimensions"] != width:
                fail(
                    f"component 'previous_action' has {component['dimensions']} entries",
                    f"an action has {width}",
                    "Give it as many.",
                )


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
    groups = require_object(data, "the contract")
    require_known(
        groups, "the contract", ("observation", "action", "timing", "units", "normalization")
    )
    components = None
    if "observation" in groups:
        observation = require_object(groups["observation"], "'observation'")
        require_known(observation, "'observation'", ("components",))
        components = parse_components(observation.get("components"))
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


def _action(data: Any) -> tuple[dict[str, Any], list[list[float]] | None]:
    entry = dict(require_object(data, "'action'"))
    require_known(entry, "'action'", ACTION_KEYS)
    if not isinstance(entry.get("target"), str) or entry["target"] not in TARGETS:
        fail(
            f"unknown action target '{entry.get('target')}'", f"known: {', '.join(TARGETS)}", REMEDY
        )
    if entry.get("frame", "lab") not in FRAMES:
        fail(f"unknown action frame '{entry['frame']}'", f"known: {', '.join(FRAMES)}", REMEDY)
    _check_target(entry)
    for key in ("scale", "drag", "angular_drag"):
        if key in entry:
            check_type(entry[key], float, f"'action' has '{key}'")
            entry[key] = float(entry[key])
    table = entry.pop("table", None)
    return entry, None if table is None else _table(table)


def _check_target(entry: Mapping[str, Any]) -> None:
    """What only some targets have."""
    target = entry["target"]
    if target in THRUSTS and entry.get("frame") == "body":
        fail(
            f"action target '{target}' is in the body frame",
            "a thrust turns with the body anyway",
            "Leave the frame out.",
        )
    if "axis" in entry:
        if target not in THRUSTS:
            fail(f"action target '{target}' has an axis", "only a thrust has one", "Remove it.")
        check_integer(entry["axis"], 0, 2, "'action' has 'axis'")
    if "bind" in entry:
        if target != "velocity":
            fail(
                f"action target '{target}' binds a name",
                "only a target velocity does",
                "Remove it.",
            )
        check_name(entry["bind"], "'action' has 'bind'")


def _table(data: Any) -> list[list[float]]:
    if not isinstance(data, list) or not data or not all(isinstance(row, list) for row in data):
        fail("action 'table' is no list of rows", "each category needs a row of actions", REMEDY)
    for row in data:
        if len(row) != len(data[0]) or not row:
            fail("action 'table' has rows of unequal length", "each row holds all actions", REMEDY)
        for value in row:
            check_type(value, float, "action 'table' holds")
    return [[float(value) for value in row] for row in data]


def _numbers(groups: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    if name not in groups:
        return None
    entry = require_object(groups[name], f"'{name}'")
    require_known(entry, f"'{name}'", NUMBERS[name])
    numbers: dict[str, Any] = {}
    for key in NUMBERS[name]:
        if key not in entry:
            fail(f"'{name}' lacks '{key}'", f"it holds {', '.join(NUMBERS[name])}", REMEDY)
        kind = int if key == "decision_interval" else float
        check_type(entry[key], kind, f"'{name}' has '{key}'")
        if not entry[key] > 0:
            fail(f"'{name}' has '{key}' {entry[key]}", "it must be positive", REMEDY)
        numbers[key] = kind(entry[key])
    return numbers


def _normalization(data: Any) -> Normalization:
    entry = require_object(data, "'normalization'")
    require_known(entry, "'normalization'", ("mean", "variance", "epsilon", "clip"))
    arrays = {}
    for key in ("mean", "variance"):
        if not isinstance(entry.get(key), list):
            fail(f"'normalization' lacks '{key}'", "it holds a number for each observation", REMEDY)
        for value in entry[key]:
            check_type(value, float, f"'normalization' has '{key}' with")
        arrays[key] = np.asarray(entry[key], np.float64)
    for key in ("epsilon", "clip"):
        if key in entry:
            check_type(entry[key], float, f"'normalization' has '{key}'")
    if (arrays["variance"] < 0).any():
        fail("'normalization' has a negative 'variance'", "it is the mean of squares", REMEDY)
    if entry.get("epsilon", 0) < 0:
        fail(f"'normalization' has 'epsilon' {entry['epsilon']}", "it must not be negative", REMEDY)
    if entry.get("clip") is not None and not entry["clip"] > 0:
        fail(f"'normalization' has 'clip' {entry['clip']}", "it must be positive", REMEDY)
    return Normalization(
        mean=arrays["mean"],
        variance=arrays["variance"],
        epsilon=float(entry.get("epsilon", 1e-8)),
        clip=None if entry.get("clip") is None else float(entry["clip"]),
    )
