from __future__ import annotations

import json
from typing import Any

import pytest
from models import affine

from dempilot import Error, load
from dempilot.contract import parse_contract, read_contract
from dempilot.golden import record
from dempilot.policy_file import write_policy_file

VELOCITY = {"name": "velocity", "dimensions": 2}
SEE = " See docs/policy_file.md for what a contract holds."
COMPONENT_NAMES = (
    "velocity, angular_velocity, goal_direction, goal_displacement, lidar, neighbors, "
    "contact_force, contact_count, wall_distance, wall_direction, quaternion, director, "
    "previous_action, time_since_reset, field"
)


def message(data: Any, observation: int = 2, actions: int = 2, discrete: bool = False) -> str:
    with pytest.raises(Error) as caught:
        parse_contract(data).check(observation, actions, discrete=discrete)
    return str(caught.value)


def test_a_whole_contract_is_read():
    contract = parse_contract(
        {
            "observation": {
                "components": [VELOCITY, {"name": "lidar", "range": 4, "n_azimuth": 6}]
            },
            "action": {"target": "force", "scale": 2, "drag": 0.2, "frame": "body"},
            "timing": {"time_step": 0.002, "decision_interval": 50},
            "units": {"length": 1e-3, "time": 1, "mass": 1e-6},
            "normalization": {"mean": [0] * 8, "variance": [1] * 8, "clip": 5},
        }
    )
    contract.check(8, 2, discrete=False)
    assert contract.action == {"target": "force", "scale": 2.0, "drag": 0.2, "frame": "body"}
    assert contract.timing == {"time_step": 0.002, "decision_interval": 50}
    assert contract.units == {"length": 1e-3, "time": 1.0, "mass": 1e-6}
    assert contract.normalization is not None and contract.normalization.clip == 5.0


def test_a_table_gives_each_category_its_actions():
    contract = parse_contract({"action": {"target": "force", "table": [[1, 0], [0, 1], [0, 0]]}})
    contract.check(2, 3, discrete=True)
    assert contract.table == [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
    assert contract.action == {"target": "force"}


REFUSED = {
    "not an object": ([], "the contract is no JSON object (it is a list)" + SEE),
    "unknown group": (
        {"actions": {}},
        "the contract has an unknown key 'actions' (known: observation, action, timing, units, "
        "normalization)" + SEE,
    ),
    "no components": (
        {"observation": {}},
        "'observation' has no list of components (it holds none)" + SEE,
    ),
    "unknown component": (
        {"observation": {"components": [{"name": "smell"}]}},
        "unknown component 'smell' (known: " + COMPONENT_NAMES + ")" + SEE,
    ),
    "misspelt key": (
        {"observation": {"components": [VELOCITY | {"dimension": 2}]}},
        "component 'velocity' has an unknown key 'dimension' (known: name, dimensions, frame)"
        + SEE,
    ),
    "missing key": (
        {"observation": {"components": [{"name": "lidar", "range": 3.0}]}},
        "component 'lidar' lacks 'n_azimuth' (it decides what is observed)" + SEE,
    ),
    "wrong type": (
        {"observation": {"components": [{"name": "lidar", "range": "far", "n_azimuth": 4}]}},
        "component 'lidar' has 'range' \"far\" (it takes a number)" + SEE,
    ),
    "truth for a number": (
        {"action": {"target": "force", "drag": True}},
        "'action' has 'drag' true (it takes a number)" + SEE,
    ),
    "four dimensions": (
        {"observation": {"components": [{"name": "velocity", "dimensions": 4}]}},
        "component 'velocity' has 'dimensions' 4 (it takes an integer from 1 to 3)" + SEE,
    ),
    "no range": (
        {"observation": {"components": [{"name": "lidar", "range": 0, "n_azimuth": 4}]}},
        "component 'lidar' has 'range' 0 (it must be positive)" + SEE,
    ),
    "widths": (
        {"observation": {"components": [VELOCITY, {"name": "goal_direction", "dimensions": 3}]}},
        "the observation components add up to 5 values (velocity 2 + goal_direction 3, and the "
        "model reads 2) Give the components that the policy was trained with, in their order.",
    ),
    "target": (
        {"action": {"target": "magic"}},
        "unknown action target 'magic' (known: force, torque, force_and_torque, "
        "thrust, thrust_and_turn, velocity)" + SEE,
    ),
    "frame": (
        {"action": {"target": "force", "frame": "moon"}},
        "unknown action frame 'moon' (known: lab, body)" + SEE,
    ),
    "target's width": (
        {"action": {"target": "torque"}},
        "action target 'torque' does not take 2 actions (it takes 1 or 3) Name the target that the "
        "policy was trained with.",
    ),
    "table of a continuous policy": (
        {"action": {"target": "force", "table": [[1, 0]]}},
        "action 'table' is given (the model's actions are not discrete) Leave the table out.",
    ),
    "ragged table": (
        {"action": {"target": "force", "table": [[1, 0], [1]]}},
        "action 'table' has rows of unequal length (each row holds all actions)" + SEE,
    ),
    "a name that is a list": (
        {"observation": {"components": [{"name": []}]}},
        "unknown component '[]' (known: " + COMPONENT_NAMES + ")" + SEE,
    ),
    "a target that is a list": (
        {"action": {"target": []}},
        "unknown action target '[]' (known: force, torque, force_and_torque, "
        "thrust, thrust_and_turn, velocity)" + SEE,
    ),
    "a huge number": (
        {"action": {"target": "force", "drag": 10**400}},
        "'action' has 'drag' an integer of 1329 bits (it takes a number that float32 can hold)"
        + SEE,
    ),
    "a negative variance": (
        {"normalization": {"mean": [0], "variance": [-1]}},
        "'normalization' has a negative 'variance' (it is the mean of squares)" + SEE,
    ),
    "a negative epsilon": (
        {"normalization": {"mean": [0], "variance": [1], "epsilon": -1}},
        "'normalization' has 'epsilon' -1 (it must not be negative)" + SEE,
    ),
    "a negative clip": (
        {"normalization": {"mean": [0], "variance": [1], "clip": -1}},
        "'normalization' has 'clip' -1 (it must be positive)" + SEE,
    ),
    "half a timing": (
        {"timing": {"time_step": 1.0}},
        "'timing' lacks 'decision_interval' (it holds time_step, decision_interval)" + SEE,
    ),
    "negative unit": (
        {"units": {"length": -1, "time": 1, "mass": 1}},
        "'units' has 'length' -1 (it must be positive)" + SEE,
    ),
    "two thrusts": (
        {"action": {"target": "thrust"}},
        "action target 'thrust' does not take 2 actions (it takes 1) Name the target that the "
        "policy was trained with.",
    ),
    "a thrust in the body frame": (
        {"action": {"target": "thrust", "frame": "body"}},
        "action target 'thrust' is in the body frame (a thrust turns with the body anyway) Leave "
        "the frame out.",
    ),
    "a fourth axis": (
        {"action": {"target": "thrust_and_turn", "axis": 3}},
        "'action' has 'axis' 3 (it takes an integer from 0 to 2)" + SEE,
    ),
    "the axis of a force": (
        {"action": {"target": "force", "axis": 0}},
        "action target 'force' has an axis (only a thrust has one) Remove it.",
    ),
    "the name of a thrust": (
        {"action": {"target": "thrust", "bind": "v"}},
        "action target 'thrust' binds a name (only a target velocity does) Remove it.",
    ),
    "a name that cannot be written": (
        {"action": {"target": "velocity", "bind": "\t"}},
        "'action' has 'bind' \"\\t\" (it takes a name of 1 to 80 printable characters)" + SEE,
    ),
    "another previous action": (
        {
            "observation": {"components": [{"name": "previous_action", "dimensions": 2}]},
            "action": {"target": "thrust"},
        },
        "component 'previous_action' has 2 entries (an action has 1) Give it as many.",
    ),
    "statistics of another width": (
        {"normalization": {"mean": [0, 0, 0], "variance": [1, 1, 1]}},
        "normalization 'mean' has shape [3] (the model reads 2 values) Give one number for each.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_contract_that_does_not_hold_is_refused(name):
    data, expected = REFUSED[name]
    assert message(data, actions=1 if name == "another previous action" else 2) == expected


def test_a_previous_action_is_a_row_of_the_table():
    seen = {"components": [{"name": "previous_action", "dimensions": 2}]}
    table = [[1, 0], [0, 1], [0, 0]]
    contract = parse_contract(
        {"observation": seen, "action": {"target": "thrust_and_turn", "table": table}}
    )
    contract.check(2, 3, discrete=True)


# every target: how many actions it takes, and what the library reads of it
TARGETS = [
    ({"target": "force"}, (2, 3), {}),
    ({"target": "force", "frame": "body"}, (2, 3), {}),
    ({"target": "torque"}, (1, 3), {}),
    ({"target": "force_and_torque", "frame": "body"}, (3, 6), {}),
    ({"target": "thrust"}, (1,), {"axis": 0}),
    ({"target": "thrust", "axis": 2}, (1,), {}),
    ({"target": "thrust_and_turn", "axis": 1}, (2, 4), {}),
    ({"target": "velocity"}, (2, 3), {"bind": "target_velocity"}),
    ({"target": "velocity", "bind": "v_drive", "frame": "body"}, (2, 3), {}),
]


@pytest.mark.parametrize(("action", "widths", "added"), TARGETS, ids=lambda value: str(value))
def test_the_library_reads_each_target_as_it_was_written(tmp_path, action, widths, added):
    """It refuses other numbers of actions, and so does Python."""
    given = action | {"scale": 2.0, "drag": 0.25, "angular_drag": 0.5}
    contract = parse_contract({"observation": {"components": [VELOCITY]}, "action": given})
    for actions in range(1, 8):
        path = tmp_path / f"{actions}.policy.h5"
        model = affine(2, actions)
        write_policy_file(path, model, contract, record(model))
        if actions in widths:
            contract.check(2, actions, discrete=False)
            assert load(path).contract["action"] == {"frame": "lab"} | given | added
        else:
            with pytest.raises(Error, match=f" {actions} actions"):
                contract.check(2, actions, discrete=False)
            with pytest.raises(Error, match=f" {actions} actions cannot be a "):
                load(path)


def test_categories_need_a_table():
    expected = (
        "action 'table' is missing (the model chooses among 3 categories) Give a row of actions "
        "for each category."
    )
    assert message({"action": {"target": "force"}}, actions=3, discrete=True) == expected


def test_a_table_needs_a_row_for_each_category():
    data = {"action": {"target": "force", "table": [[1, 0]]}}
    assert message(data, actions=3, discrete=True) == (
        "action 'table' has 1 rows (the model chooses among 3 categories) Give a row of actions "
        "for each category."
    )


def test_files_that_are_no_json_are_refused(tmp_path):
    path = tmp_path / "contract.json"
    with pytest.raises(Error) as caught:
        read_contract(path)
    assert str(caught.value) == (
        f"the contract {path} cannot be read ([Errno 2] No such file or directory: '{path}') Give "
        "a JSON file."
    )
    path.write_text("{")
    with pytest.raises(Error) as caught:
        read_contract(path)
    assert str(caught.value).startswith(f"the contract {path} is no JSON (")
    path.write_text(json.dumps({"units": {"length": float("inf"), "time": 1, "mass": 1}}))
    with pytest.raises(Error) as caught:
        read_contract(path)
    assert str(caught.value) == (
        "the contract holds Infinity (JSON has no such number) Write a finite number."
    )
