from __future__ import annotations

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
}


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


def test_three_dimensions():
    environment_contract("singleNavigator", {"dim": 3}).check(9, 3, discrete=False)


def message(name: str, options: dict[str, float] | None = None) -> str:
    with pytest.raises(Error) as caught:
        environment_contract(name, options)
    return str(caught.value)


def test_unknown_names_and_options_are_refused():
    assert message("moon") == (
        "unknown environment 'moon' (known: singleNavigator, multiNavigator, swarmNavigator, "
        "singleRoller3D, multiRoller, swarmRoller, swarmRoller3D, swarmStacking3D) Write its "
        "observation and action as a --contract."
    )
    assert message("singleNavigator", {"lidar_range": 3}) == (
        "singleNavigator has no option 'lidar_range' (known: dim, friction, decision_interval, "
        "time_step) Leave it out, or write a --contract."
    )
    assert message("multiRoller", {"n_lidar_rays": 2.5}) == (
        "option 'n_lidar_rays' is 2.5 (it counts something) Give an integer."
    )
