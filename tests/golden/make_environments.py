"""Makes environments.h5: states of JaxDEM's reference environments, and what is observed there.

    git -C JaxDEM checkout 5d9c13ad1a777bfc56b916fcf7fe8eda3030d097
    PYTHONPATH=JaxDEM:plugin/python python3 tests/golden/make_environments.py

with jax, flax, distrax and what else JaxDEM's pyproject.toml asks for installed. Each environment
is reset with a fixed key and steps with random actions held for some steps, on the CPU and in
float64, so that nothing is at rest where it began. README.md says what the file holds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import jax
import numpy as np

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")

from jaxdem.rl.environments import (  # noqa: E402
    Environment,
    swarm_roller,
    swarm_roller_3d,
    swarm_stacking_3d,
)
from jaxdem.rl.environments.two_gears import y_min  # noqa: E402

from dempilot.environments import environment_contract  # noqa: E402

COMMIT = "5d9c13ad1a777bfc56b916fcf7fe8eda3030d097"
DECISIONS = 6


# Three environments of this commit cannot be reset: they pass the LiDAR a number of neighbors,
# which it no longer takes. Functions by name, with how many arguments they do take by position.
OUTDATED = {
    swarm_roller: {"lidar_2d": 4, "cross_lidar_2d": 5},
    swarm_roller_3d: {"lidar_3d": 5, "cross_lidar_3d": 6},
    swarm_stacking_3d: {"lidar_3d": 5},
}


def repair() -> None:
    """Lets those environments call the LiDAR without that number."""

    def shortened(function: Callable[..., Any], count: int) -> Callable[..., Any]:
        return lambda *arguments, **keywords: function(*arguments[:count], **keywords)

    for module, functions in OUTDATED.items():
        for name, count in functions.items():
            setattr(module, name, shortened(getattr(module, name), count))


@dataclass(frozen=True)
class Case:
    """One group of the file. `episodes` of an environment with one agent share a box."""

    environment: str
    arguments: dict[str, Any] = field(default_factory=dict)
    options: dict[str, float] = field(default_factory=dict)  # of dempilot's preset
    strength: float = 3.0  # of random actions
    episodes: int = 1
    held: int = 20  # steps for which an action is held
    apart: bool = False  # each gear sees the two others


NEAR = {"min_box_size": 9.0, "max_box_size": 9.0}  # some goals are nearer than the clip
CROWDED = {"min_box_size": 9.4, "max_box_size": 9.4, "box_padding": 0.0}  # magnets reach
VARIED = {"min_box_size": 17.0, "max_box_size": 23.0}
CASES = {
    "singleNavigator": Case("singleNavigator", NEAR, episodes=12),
    "singleNavigator-3d": Case(
        "singleNavigator", {"dim": 3, **NEAR}, options={"dim": 3}, episodes=12
    ),
    "multiNavigator": Case("multiNavigator", {"N": 48, **VARIED}),
    "swarmNavigator": Case("swarmNavigator", {"N": 48, **VARIED}),
    "singleRoller3D": Case("singleRoller3D", NEAR, episodes=12),
    "multiRoller": Case("multiRoller", {"N": 48, **VARIED}),
    "swarmRoller": Case("swarmRoller", {"N": 48, **VARIED}),
    "swarmRoller3D": Case("swarmRoller3D", {"N": 14}),
    "swarmStacking3D": Case("swarmStacking3D", CROWDED),
    "TwoGears": Case("TwoGears", held=200),
    "ThreeGears": Case("ThreeGears", held=200),
    "ThreeGears-apart": Case("ThreeGears", held=200, apart=True),
}


def play(case: Case, seed: int) -> Environment:
    """Returns the environment after some decisions at random."""
    environment = Environment.create(case.environment, **case.arguments)
    key = jax.random.PRNGKey(seed)
    environment = environment.reset(environment, key)

    @jax.jit
    def decide(environment: Environment, key: jax.Array) -> Environment:
        shape = (environment.max_num_agents, environment.action_space_size)
        action = case.strength * jax.random.normal(key, shape)
        return jax.lax.fori_loop(
            0, case.held, lambda _, current: current.step(current, action), environment
        )

    for each in jax.random.split(key, DECISIONS):
        environment = decide(environment, each)
    return set_apart(environment) if case.apart else environment


def set_apart(environment: Environment) -> Environment:
    """Returns the environment with its gears, which see each other, in the first rows of the state.

    ThreeGears takes the numbers of gears for rows: of two others it sees whatever spheres stand in
    rows 0 to 2, which are the first gear's.
    """
    gears = np.asarray(environment.state.clump_id)
    first = np.unique(gears, return_index=True)[1]
    order = np.concatenate([first, np.delete(np.arange(len(gears)), first)])
    environment.state = jax.tree.map(lambda rows: rows[order], environment.state)
    return environment


def agents_of(environment: Environment) -> np.ndarray:
    """Returns the row of each agent in the state: a gear stands in those of all its spheres."""
    gears = np.asarray(environment.state.clump_id)
    first = np.unique(gears, return_index=True)[1]
    return first[-environment.max_num_agents :]


def describe(environment: Environment) -> dict[str, np.ndarray]:
    """Returns what stands in a group, as far as each episode has its own."""
    state, rows = environment.state, agents_of(environment)
    return {
        "position": np.asarray(state.pos_c)[rows],
        "velocity": np.asarray(state.vel)[rows],
        "angular_velocity": np.asarray(state.ang_vel)[rows],
        "radius": np.asarray(state.rad)[rows],
        "observation": np.asarray(environment.observation(environment)),
        **(
            {"objective": np.asarray(environment.env_params["objective"])}
            if "objective" in environment.env_params
            else {}
        ),
    }


def magnet_force(environment: Environment) -> np.ndarray:
    """Returns the force (agents, 3) by which all agents attract each agent."""
    parameters = environment.env_params
    return np.asarray(
        swarm_roller_3d._magnetic_force(
            environment.state.pos,
            np.ones(environment.max_num_agents),
            parameters["magnet_strength"],
            parameters["magnet_range"],
            environment.system,
        )
    )


def write_gears(group: h5py.Group, environment: Environment) -> None:
    """The spheres of all gears, the fixed one of TwoGears too."""
    state = environment.state
    gears = np.asarray(state.clump_id)
    order = np.argsort(gears, kind="stable")
    first = np.unique(gears, return_index=True)[1]
    group["gear/position"] = np.asarray(state.pos_c)[first]
    group["gear/velocity"] = np.asarray(state.vel)[first]
    group["gear/angular_velocity"] = np.asarray(state.ang_vel)[first]
    group["sphere/position"] = np.asarray(state.pos)[order]
    group["sphere/radius"] = np.asarray(state.rad)[order]
    group["sphere/gear"] = gears[order].astype(np.int32)
    group.attrs["floor"] = float(1.0 - y_min)  # centre of a gear that stands upright on it


def write(file: h5py.File, name: str, case: Case) -> None:
    """Plays a case and writes its group."""
    episodes = [play(case, 20 + seed) for seed in range(case.episodes)]
    described = [describe(episode) for episode in episodes]
    domains = [episode.system.domain for episode in episodes]
    box, anchor = np.asarray(domains[0].box_size), np.asarray(domains[0].anchor)
    for domain in domains:
        assert (np.asarray(domain.box_size) == box).all()
        assert (np.asarray(domain.anchor) == anchor).all()
    group = file.create_group(name)
    group.attrs["environment"] = case.environment
    group.attrs["options"] = json.dumps(case.options)
    group.attrs["components"] = json.dumps(
        environment_contract(case.environment, case.options).components
    )
    environment = episodes[0]
    parameters = environment.env_params.items()
    group.attrs["parameters"] = json.dumps(
        {key: np.asarray(value).item() for key, value in parameters if np.ndim(value) == 0}
    )
    group["box"], group["anchor"] = box, anchor
    for key in described[0]:
        rows = np.concatenate([episode[key] for episode in described])
        assert np.isfinite(rows).all()
        group[key] = rows
    if "magnet_strength" in environment.env_params:
        group["magnet_force"] = magnet_force(environment)
    if "Gears" in name:
        write_gears(group, environment)


def main() -> None:
    """Writes the file beside this one."""
    repair()
    with h5py.File(Path(__file__).with_name("environments.h5"), "w", libver="v110") as file:
        file.attrs["provenance"] = f"JaxDEM {COMMIT}, jax {jax.__version__}, float64 on the CPU"
        for name, case in CASES.items():
            write(file, name, case)


if __name__ == "__main__":
    main()
