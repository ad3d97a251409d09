from __future__ import annotations

import json
from pathlib import Path

import h5py
import pytest

from dempilot import Error
from dempilot.environments import ENVIRONMENTS, environment_contract
from dempilot.observation import component_width

# observation and action sizes of JaxDEM's environments with their defaults
SIZES = {
    "singleNavigator": (6, 2),
    "multiNavigator": (22, 2),
    "swarmNavigator": (50, 2),
    "singleRoller3D": (9, 3),
    "multiRoller": (22, 3),
    "swarmRoller": (51, 3),
    "swarmRoller3D": (131, 3),
    "swarmStacking3D": (67, 3),
    "TwoGears": (16, 1),
    "ThreeGears": (22, 1),
}
REFERENCE = Path(__file__).resolve().parents[2] / "golden" / "environments.h5"


def test_every_environment_is_known():
    assert [environment.name for environment in ENVIRONMENTS] == list(SIZES)


@pytest.mark.parametrize("name", SIZES)
def test_widths_are_those_of_the_environment(name):
    observation, actions = SIZES[name]
    contract = environment_contract(name)
    assert sum(map(component_width, contract.components or [])) == observation
    contract.check(observation, actions, discrete=False)
    assert contract.timing == {"time_step": 2e-3, "decision_interval": 1}


def test_rollers_are_braked_twice_and_navigators_once():
    force = environment_contract("swarmNavigator").action
    torque = environment_contract("multiRoller").action
    assert force == {"target": "force", "frame": "lab", "drag": 0.2}
    assert torque == {"target": "torque", "frame": "lab", "drag": 0.2, "angular_drag": 0.2}


def test_options_change_the_defaults():
    contract = environment_contract(
        "MULTINAVIGATOR", {"n_lidar_rays": 8, "lidar_range": 3.5, "decision_interval": 51}
    )
    assert contract.components is not None
    assert contract.components[-1] == {
        "name": "lidar",
        "range": 3.5,
        "n_azimuth": 8,
        "n_elevation": 0,
        "walls": True,
        "bind": "targets",
    }
    assert contract.timing == {"time_step": 2e-3, "decision_interval": 51}


def test_gears_are_bound_to_what_the_simulation_says_of_them():
    contract = environment_contract("ThreeGears", {"box_size": 12})
    assert contract.action == {
        "target": "torque",
        "frame": "lab",
        "drag": 0.2,
        "angular_drag": 0.2,
    }
    assert [part.get("bind") for part in contract.components or []] == [
        *("height", "left", "right", "goal", "goal"),
        *("gear_j", "gear_j", "turn_j", "gear_k", "gear_k", "turn_k", None, None),
    ]
    assert {part.get("range") for part in contract.components or []} == {None, 12.0}


def test_components_are_those_that_were_compared_with_the_environments():
    """LAMMPS gives what JaxDEM's environments observed, by the components in this file."""
    with h5py.File(REFERENCE) as file:
        compared = {str(group.attrs["environment"]) for group in file.values()}
        assert compared == set(SIZES)
        for group in file.values():
            options = json.loads(group.attrs["options"])
            contract = environment_contract(group.attrs["environment"], options)
            assert json.loads(group.attrs["components"]) == contract.components
            widths = sum(map(component_width, contract.components or []))
            assert group["observation"].shape == (len(group["position"]), widths)


def test_three_dimensions():
    environment_contract("singleNavigator", {"dim": 3}).check(9, 3, discrete=False)


def message(name: str, options: dict[str, float] | None = None) -> str:
    with pytest.raises(Error) as caught:
        environment_contract(name, options)
    return str(caught.value)


def test_unknown_names_and_options_are_refused():
    assert message("moon") == (
        "unknown environment 'moon' (known: singleNavigator, multiNavigator, swarmNavigator, "
        "singleRoller3D, multiRoller, swarmRoller, swarmRoller3D, swarmStacking3D, TwoGears, "
        "ThreeGears) Write its observation and action as a --contract."
    )
    assert message("singleNavigator", {"lidar_range": 3}) == (
        "singleNavigator has no option 'lidar_range' (known: dim, friction, decision_interval, "
        "time_step) Leave it out, or write a --contract."
    )
    assert message("multiRoller", {"n_lidar_rays": 2.5}) == (
        "option 'n_lidar_rays' is 2.5 (it counts something) Give an integer."
    )
