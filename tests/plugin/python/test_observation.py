from __future__ import annotations

from typing import Any

import pytest
from models import affine

from dempilot import Error, load
from dempilot.contract import parse_contract
from dempilot.golden import record
from dempilot.observation import COMPONENTS, component_width, parse_components
from dempilot.policy_file import write_policy_file

SEE = " See docs/policy_file.md for what a contract holds."

# every component: as short as it can be, then with all of its keys; with the width of both
WIDTHS: list[tuple[dict[str, Any], int]] = [
    ({"name": "velocity", "dimensions": 1}, 1),
    ({"name": "velocity", "dimensions": 3, "frame": "body"}, 3),
    ({"name": "angular_velocity", "dimensions": 1}, 1),
    ({"name": "angular_velocity", "dimensions": 2, "frame": "body"}, 2),
    ({"name": "goal_direction", "dimensions": 2}, 2),
    ({"name": "goal_direction", "dimensions": 3, "bind": "exit", "frame": "body"}, 3),
    ({"name": "goal_displacement", "dimensions": 1}, 1),
    (
        {
            "name": "goal_displacement",
            "dimensions": 2,
            "clip": 0.5,
            "bind": "exit",
            "frame": "body",
        },
        2,
    ),
    ({"name": "lidar", "range": 4.5, "n_azimuth": 6}, 6),
    (
        {
            "name": "lidar",
            "range": 4.5,
            "n_azimuth": 6,
            "n_elevation": 5,
            "walls": True,
            "bind": "grains",
            "frame": "body",
        },
        30,
    ),
    ({"name": "neighbors", "range": 2.5, "count": 4, "dimensions": 3}, 12),
    (
        {
            "name": "neighbors",
            "range": 2.5,
            "count": 64,
            "dimensions": 2,
            "velocity": True,
            "radius": True,
            "type": True,
            "bind": "grains",
            "frame": "body",
        },
        384,
    ),
    ({"name": "contact_force", "dimensions": 2}, 2),
    ({"name": "contact_force", "dimensions": 3, "frame": "body"}, 3),
    ({"name": "contact_count"}, 1),
    ({"name": "contact_count", "walls": True, "bind": "grains"}, 1),
    ({"name": "wall_distance", "range": 3.5}, 1),
    ({"name": "wall_distance", "range": 3.5, "bind": "floor"}, 1),
    ({"name": "wall_direction", "dimensions": 2, "range": 3.5}, 2),
    (
        {
            "name": "wall_direction",
            "dimensions": 3,
            "range": 3.5,
            "bind": "floor",
            "frame": "body",
        },
        3,
    ),
    ({"name": "quaternion"}, 4),
    ({"name": "director", "dimensions": 2}, 2),
    ({"name": "director", "dimensions": 3, "axis": 2}, 3),
    ({"name": "previous_action", "dimensions": 2}, 2),
    ({"name": "time_since_reset"}, 1),
    ({"name": "time_since_reset", "clip": 12.5}, 1),
    ({"name": "field", "dimensions": 7, "bind": "temperature"}, 7),
]
# what the library adds to what was not said
FALLBACK = {
    "clip": 3.0,
    "n_elevation": 0,
    "walls": False,
    "velocity": False,
    "radius": False,
    "type": False,
    "axis": 0,
}


def completed(component: dict[str, Any]) -> dict[str, Any]:
    """The component with everything said, as the library writes it."""
    keys = COMPONENTS[component["name"]]
    defaults = {key: FALLBACK[key] for key in keys.optional if key in FALLBACK}
    if component["name"] == "time_since_reset":
        defaults = {}  # it is not clipped
    if keys.default is not None:
        defaults["bind"] = keys.default
    return defaults | component


def through_a_file(path, components: list[dict[str, Any]], action: dict[str, Any], actions: int):
    contract = parse_contract({"observation": {"components": components}, "action": action})
    width = sum(map(component_width, components))
    model = affine(width, actions)
    contract.check(width, actions, discrete=False)
    write_policy_file(path, model, contract, record(model))
    policy = load(path)
    assert policy.observation_size == width
    return policy.contract


def test_every_component_and_every_key_is_tried():
    tried = {component["name"]: set(component) - {"name"} for component, _ in WIDTHS}
    assert list(tried) == list(COMPONENTS)
    for name, keys in COMPONENTS.items():
        assert tried[name] == {*keys.required, *keys.optional} or name == "quaternion"


@pytest.mark.parametrize(("component", "width"), WIDTHS, ids=lambda value: str(value))
def test_the_library_reads_each_component_with_the_same_width(tmp_path, component, width):
    """It refuses a file whose widths do not add up to what the model reads."""
    assert component_width(component) == width
    path = tmp_path / "a.policy.h5"
    read = through_a_file(path, [component], {"target": "force"}, 2)
    assert read["observation"] == [completed(component)]


def test_the_library_reads_all_of_them_in_their_order(tmp_path):
    components = [component for component, _ in WIDTHS]
    read = through_a_file(tmp_path / "a.policy.h5", components, {"target": "force"}, 2)
    assert read["observation"] == [completed(component) for component in components]


REFUSED: dict[str, tuple[Any, str]] = {
    "four dimensions": (
        {"name": "velocity", "dimensions": 4},
        "component 'velocity' has 'dimensions' 4 (it takes an integer from 1 to 3)",
    ),
    "no dimensions": (
        {"name": "director", "dimensions": 0},
        "component 'director' has 'dimensions' 0 (it takes an integer from 1 to 3)",
    ),
    "dimensions missing": (
        {"name": "contact_force"},
        "component 'contact_force' lacks 'dimensions' (it decides what is observed)",
    ),
    "an action of no entries": (
        {"name": "previous_action", "dimensions": 0},
        "component 'previous_action' has 'dimensions' 0 (it takes an integer from 1 to 16384)",
    ),
    "a field of too many entries": (
        {"name": "field", "dimensions": 16385, "bind": "heat"},
        "component 'field' has 'dimensions' 16385 (it takes an integer from 1 to 16384)",
    ),
    "half a dimension": (
        {"name": "velocity", "dimensions": 1.5},
        "component 'velocity' has 'dimensions' 1.5 (it takes an integer)",
    ),
    "a field without a name": (
        {"name": "field", "dimensions": 1},
        "component 'field' lacks 'bind' (it decides what is observed)",
    ),
    "an empty name": (
        {"name": "field", "dimensions": 1, "bind": ""},
        "component 'field' has 'bind' \"\" (it takes a name of 1 to 80 printable characters)",
    ),
    "a long name": (
        {"name": "wall_distance", "range": 1, "bind": "w" * 81},
        f"component 'wall_distance' has 'bind' \"{'w' * 81}\" (it takes a name of 1 to 80 "
        "printable characters)",
    ),
    "a name with a line's end": (
        {"name": "goal_direction", "dimensions": 2, "bind": "a\nb"},
        "component 'goal_direction' has 'bind' \"a\\nb\" (it takes a name of 1 to 80 printable "
        "characters)",
    ),
    "half a character": (
        {"name": "goal_direction", "dimensions": 2, "bind": "\ud800"},
        "component 'goal_direction' has 'bind' \"\\ud800\" (it takes a name of 1 to 80 printable "
        "characters)",
    ),
    "a name that is a number": (
        {"name": "contact_count", "bind": 7},
        "component 'contact_count' has 'bind' 7 (it takes a string)",
    ),
    "no frame": (
        {"name": "velocity", "dimensions": 2, "frame": "moon"},
        "component 'velocity' has 'frame' \"moon\" (known: lab, body)",
    ),
    "a frame where none is": (
        {"name": "wall_distance", "range": 1, "frame": "body"},
        "component 'wall_distance' has an unknown key 'frame' (known: name, range, bind)",
    ),
    "keys of a quaternion": (
        {"name": "quaternion", "dimensions": 4},
        "component 'quaternion' has an unknown key 'dimensions' (known: name)",
    ),
    "range missing": (
        {"name": "wall_direction", "dimensions": 2},
        "component 'wall_direction' lacks 'range' (it decides what is observed)",
    ),
    "a negative range": (
        {"name": "neighbors", "range": -1, "count": 1, "dimensions": 2},
        "component 'neighbors' has 'range' -1 (it must be positive)",
    ),
    "a vanishing range": (
        {"name": "wall_distance", "range": 1e-200},
        "component 'wall_distance' has 'range' 1e-200 (its square is too small to compare "
        "distances with)",
    ),
    "an endless range": (
        {"name": "wall_distance", "range": float("inf")},
        "component 'wall_distance' has 'range' inf (it takes a number that float32 can hold)",
    ),
    "no bins": (
        {"name": "lidar", "range": 1, "n_azimuth": 0},
        "component 'lidar' has 'n_azimuth' 0 (it takes an integer from 1 to 16384)",
    ),
    "negative elevation": (
        {"name": "lidar", "range": 1, "n_azimuth": 1, "n_elevation": -1},
        "component 'lidar' has 'n_elevation' -1 (it takes an integer from 0 to 16384)",
    ),
    "too many bins": (
        {"name": "lidar", "range": 1, "n_azimuth": 16384, "n_elevation": 65},
        "component 'lidar' has 1064960 bins (at most 1048576 are read)",
    ),
    "too many neighbors": (
        {"name": "neighbors", "range": 1, "count": 65, "dimensions": 2},
        "component 'neighbors' has 'count' 65 (it takes an integer from 1 to 64)",
    ),
    "a number for truth": (
        {"name": "neighbors", "range": 1, "count": 1, "dimensions": 2, "radius": 1},
        "component 'neighbors' has 'radius' 1 (it takes true or false)",
    ),
    "a fourth axis": (
        {"name": "director", "dimensions": 3, "axis": 3},
        "component 'director' has 'axis' 3 (it takes an integer from 0 to 2)",
    ),
    "a clip of zero": (
        {"name": "time_since_reset", "clip": 0},
        "component 'time_since_reset' has 'clip' 0 (it must be positive)",
    ),
}


def message(data: Any) -> str:
    with pytest.raises(Error) as caught:
        parse_components(data)
    return str(caught.value)


@pytest.mark.parametrize("name", REFUSED)
def test_a_component_that_does_not_hold_is_refused(name):
    component, expected = REFUSED[name]
    assert message([component]) == expected + SEE


def test_too_many_components_are_refused():
    assert message([{"name": "quaternion"}] * 1025) == (
        "'observation' has 1025 components (at most 1024 fit)" + SEE
    )
    assert len(parse_components([{"name": "quaternion"}] * 1024)) == 1024


def test_a_name_stands_for_one_thing():
    goal = {"name": "goal_direction", "dimensions": 2, "bind": "walls"}
    expected = (
        "'walls' is bound to a goal and to walls (a name stands for one of them) Give each kind a "
        "name of its own."
    )
    assert message([goal, {"name": "wall_distance", "range": 1}]) == expected
    assert message([goal, {"name": "lidar", "range": 1, "n_azimuth": 1, "walls": True}]) == expected


def test_a_field_has_one_width():
    fields = [{"name": "field", "dimensions": n, "bind": "heat"} for n in (2, 3)]
    assert message(fields) == (
        "field 'heat' has 2 entries, and 3 elsewhere (a name stands for one field) Give one of "
        "them another name."
    )
