"""The teacher: an analytic controller that always knows where its goal is."""

import jax.numpy as jnp
from jax import Array

from world import World

ARRIVAL = 6.0  #: distance at which full thrust begins to fade
BRAKE = 0.04  #: thrust per velocity, once the goal is near
AVOIDANCE = 0.3  #: weight of the push away from what the lidar sees
FULL = 0.98  #: largest norm of an action asked for


def expert_action(observation: Array, displacement: Array, world: World) -> Array:
    """Pursuit with a proportional-derivative arrival and a push out of the crowd.

    `observation` (agents, obs) as the policy sees it, `displacement` (agents, 2) position - goal.
    Returns actions (agents, 2) of norm below 1.
    """
    velocity, proximity = observation[:, :2], observation[:, 6:]
    distance = jnp.linalg.norm(displacement, axis=-1, keepdims=True)
    nearness = jnp.clip(1 - distance / (2 * ARRIVAL), 0, 1)
    pursuit = -displacement / jnp.maximum(distance, ARRIVAL) - BRAKE * nearness * velocity
    width = 2 * jnp.pi / world.lidar_bins
    angle = (jnp.arange(world.lidar_bins) + 0.5) * width - jnp.pi
    outward = jnp.stack([jnp.cos(angle), jnp.sin(angle)], -1)
    away = -(proximity**2) @ outward
    action = pursuit + AVOIDANCE * (1 - nearness) * away
    return action * (FULL / jnp.maximum(jnp.linalg.norm(action, axis=-1, keepdims=True), FULL))
