"""The contracts of JaxDEM's environments, with their default sizes.

World frame, simulation units, time step 2e-3. What a policy was trained with may differ from the
defaults: the LiDAR's range and bins, the drag and the decision interval are options.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dempilot.contract import Contract, parse_contract
from dempilot.errors import fail

Component = dict[str, Any]
TIME_STEP = 2e-3


@dataclass(frozen=True)
class Environment:
    """One environment: its options with their defaults, what it observes, what it acts on."""

    name: str
    options: Mapping[str, float]
    components: Callable[[Mapping[str, float]], list[Component]]
    target: str
    note: str | None = None


def _velocity(dimensions: int) -> Component:
    return {"name": "velocity", "dimensions": dimensions}


def _goal(dimensions: int, bind: str = "goal") -> list[Component]:
    """Unit vector and clipped displacement, both away from what `bind` stands for."""
    return [
        {"name": "goal_direction", "dimensions": dimensions, "bind": bind},
        {"name": "goal_displacement", "dimensions": dimensions, "bind": bind, "clip": 3.0},
    ]


def _lidar(options: Mapping[str, float], *, targets: bool = False) -> Component:
    """The goal LiDAR (`targets`) sees the objectives alone, the other one particles and walls."""
    return {
        "name": "lidar",
        "range": float(options["lidar_range"]),
        "n_azimuth": int(options["n_lidar_rays"]),
        "n_elevation": int(options.get("n_lidar_elevation", 0)),
        "walls": not targets,
        "bind": "goals" if targets else "targets",
    }


def _navigator(options: Mapping[str, float]) -> list[Component]:
    dimensions = int(options["dim"])
    return [*_goal(dimensions), _velocity(dimensions)]


def _swarm(dimensions: int) -> Callable[[Mapping[str, float]], list[Component]]:
    return lambda options: [_velocity(dimensions), _lidar(options, targets=True), _lidar(options)]


def _gears(others: tuple[str, ...]) -> Callable[[Mapping[str, float]], list[Component]]:
    """Of each other gear its place, and sine and cosine of its angle against this one's."""

    def components(options: Mapping[str, float]) -> list[Component]:
        sides: list[Component] = [
            {"name": "wall_distance", "range": float(options["box_size"]), "bind": side}
            for side in ("left", "right")
        ]
        height = {"name": "field", "dimensions": 1, "bind": "height"}
        listed = [height, *sides, *_goal(2)]
        for suffix in others:
            listed += _goal(2, f"gear{suffix}")
            listed.append({"name": "field", "dimensions": 2, "bind": f"turn{suffix}"})
        return [*listed, _velocity(2), {"name": "angular_velocity", "dimensions": 1}]

    return components


MAGNET = "particles also attract each other there: the simulation must add that force itself"
ATTRACTION = "gears also attract each other there: the simulation must add that force itself"
PLANAR = {"lidar_range": 6.0, "n_lidar_rays": 16}
WIDE = {"lidar_range": 10.0, "n_lidar_rays": 24}
SPATIAL = {"lidar_range": 10.0, "n_lidar_rays": 8, "n_lidar_elevation": 8}

ENVIRONMENTS = (
    Environment("singleNavigator", {"dim": 2}, _navigator, "force"),
    Environment(
        "multiNavigator",
        PLANAR,
        lambda options: [*_goal(2), _velocity(2), _lidar(options)],
        "force",
    ),
    Environment("swarmNavigator", WIDE, _swarm(2), "force"),
    Environment(
        "singleRoller3D",
        {},
        lambda options: [
            *_goal(2),
            _velocity(2),
            {"name": "angular_velocity", "dimensions": 3},
        ],
        "torque",
    ),
    Environment(
        "multiRoller",
        PLANAR,
        lambda options: [*_goal(2), _velocity(2), _lidar(options)],
        "torque",
    ),
    Environment("swarmRoller", WIDE, _swarm(3), "torque"),
    Environment("swarmRoller3D", SPATIAL, _swarm(3), "torque", MAGNET),
    Environment(
        "swarmStacking3D",
        SPATIAL,
        lambda options: [_velocity(3), _lidar(options)],
        "torque",
        MAGNET,
    ),
    Environment("TwoGears", {"box_size": 10.0}, _gears(("",)), "torque", ATTRACTION),
    Environment("ThreeGears", {"box_size": 10.0}, _gears(("_j", "_k")), "torque"),
)
COMMON = {"friction": 0.2, "decision_interval": 1, "time_step": TIME_STEP}
INTEGERS = ("dim", "n_lidar_rays", "n_lidar_elevation", "decision_interval")


def find_environment(name: str) -> Environment:
    """Returns the environment of that name, whatever its upper and lower case."""
    for environment in ENVIRONMENTS:
        if environment.name.lower() == name.lower():
            return environment
    fail(
        f"unknown environment '{name}'",
        f"known: {', '.join(environment.name for environment in ENVIRONMENTS)}",
        "Write its observation and action as a --contract.",
    )


def environment_contract(name: str, options: Mapping[str, float] | None = None) -> Contract:
    """Returns the contract of a JaxDEM environment, with some of its options changed."""
    environment = find_environment(name)
    values = {**environment.options, **COMMON}
    for key, value in (options or {}).items():
        if key not in values:
            fail(
                f"{environment.name} has no option '{key}'",
                f"known: {', '.join(values)}",
                "Leave it out, or write a --contract.",
            )
        if key in INTEGERS and value != int(value):
            fail(f"option '{key}' is {value}", "it counts something", "Give an integer.")
        values[key] = value
    # the force gets the drag of both targets, the torque that of rolling environments
    action = {"target": environment.target, "frame": "lab", "drag": values["friction"]}
    if environment.target == "torque":
        action["angular_drag"] = values["friction"]
    return parse_contract(
        {
            "observation": {"components": environment.components(values)},
            "action": action,
            "timing": {
                "time_step": values["time_step"],
                "decision_interval": int(values["decision_interval"]),
            },
        }
    )
