from __future__ import annotations

import json
from typing import Any

import pytest

from dempilot import Error
from dempilot.contract import parse_contract, read_contract

VELOCITY = {"name": "velocity", "dimensions": 2}
SEE = " See docs/policy_file.md for what a contract holds."


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
        "unknown component 'smell' (known: velocity, angular_velocity, goal_direction, "
        "goal_displacement, lidar)" + SEE,
    ),
    "misspelt key": (
        {"observation": {"components": [VELOCITY | {"dimension": 2}]}},
        "component 'velocity' has an unknown key 'dimension' (known: name, dimensions)" + SEE,
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
        "component 'velocity' has 4 dimensions (it has 2 or 3)" + SEE,
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
        "unknown action target 'magic' (known: force, torque, force_and_torque)" + SEE,
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
        "unknown component '[]' (known: velocity, angular_velocity, goal_direction, "
        "goal_displacement, lidar)" + SEE,
    ),
    "a target that is a list": (
        {"action": {"target": []}},
        "unknown action target '[]' (known: force, torque, force_and_torque)" + SEE,
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
    "statistics of another width": (
        {"normalization": {"mean": [0, 0, 0], "variance": [1, 1, 1]}},
        "normalization 'mean' has shape [3] (the model reads 2 values) Give one number for each.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_contract_that_does_not_hold_is_refused(name):
    data, expected = REFUSED[name]
    assert message(data) == expected


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
