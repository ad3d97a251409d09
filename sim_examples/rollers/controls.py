"""The sceptic's drivers: straight at the goal, and straight but keeping to the right.

Both are policy files of one linear layer, so that they sense at the same instants, act through the
same torque and feel the same drags as the trained policy.
"""

from pathlib import Path

import numpy as np
from dempilot.contract import parse_contract
from dempilot.golden import record
from dempilot.model import Model, Outputs
from dempilot.policy_file import write_policy_file

from contract import ACTION, BEACON, DECISION, TIMING

KEEP_RIGHT = 40.0  #: degrees by which the keep-right drivers turn from the goal
#: How a driver's torque grows with the distance from its goal to where it will be after a while, at
#: the next flash of the beacon: steepness (per radius) and that time.
HABIT = (0.2, BEACON * DECISION)

SENSES = [
    {"name": "goal_displacement", "dimensions": 2, "clip": 1000.0, "bind": "goal"},
    {"name": "angular_velocity", "dimensions": 2},
]


def kernel(degrees: float, steepness: float, braking: float) -> np.ndarray:
    """The linear layer (4, 3) from r - r_goal and the spin, in the plane, to a latent torque.

    A torque t rolls a sphere along t x z: to go along d it takes z x d. `d` is the way to where the
    goal is, seen from where the roller will be after the time `braking`, turned by `degrees` to the
    right.
    """
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rolling = np.array([[0.0, -1.0], [1.0, 0.0]])  # velocity of a sphere with such a spin
    right = np.array([[cos, -sin], [sin, cos]])  # of a row vector
    to_torque = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
    position = -steepness * right @ to_torque
    return np.vstack([position, braking * rolling @ position]).astype(np.float32)


def write_control(path: Path, weights: np.ndarray) -> None:
    """Writes the driver of the layer `weights` (4, 3) as a policy file."""

    def oracle(observation: np.ndarray, carry: np.ndarray) -> Outputs:
        mean = observation @ weights
        radius = np.sqrt((mean**2).sum(-1, keepdims=True) + 1e-12)
        action = (1 - 1e-6) * np.tanh(radius) * mean / radius
        return Outputs(mean, np.ones_like(mean), action, np.zeros(len(mean)), carry)

    zeros = np.zeros
    model = Model(
        name="SharedActorCritic",
        metadata={"observation_space_size": 4, "action_space_size": 3, "activation": "identity",
                  "architecture": [],
                  "action_space": {"type": "MaxNorm", "kw": {"max_norm": 1.0, "eps": 1e-6}}},
        parameters={"actor_mu.kernel": weights, "actor_mu.bias": zeros(3, np.float32),
                    "critic.kernel": zeros((4, 1), np.float32),
                    "critic.bias": zeros(1, np.float32), "_log_std": zeros((1, 3), np.float32)},
        carry_size=0,
        oracle=oracle,
        provenance="written by hand, see controls.py",
    )
    contract = {"observation": {"components": SENSES}, "action": ACTION, "timing": TIMING}
    write_policy_file(path, model, parse_contract(contract), record(model), force=True)


def write_controls(folder: Path) -> None:
    """Writes the policy files of all drivers into `folder`."""
    drivers = {"straight": 0.0, "keep_right": KEEP_RIGHT, "sighted": KEEP_RIGHT}
    for name, degrees in drivers.items():
        write_control(folder / f"{name}.policy.h5", kernel(degrees, *HABIT))
