"""A small two-dimensional DEM in JAX: what the policies are trained in.

Soft discs with a linear spring, a dashpot and Coulomb friction that is viscous below the Coulomb
limit (the LAMMPS deck keeps a tangential history instead), periodic in both directions, with drag
on grains and agents. It is a stand-in: same densities, masses, forces, time step and decision
interval as the deck, not the same trajectories.
"""

from typing import Any, Callable, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from world import WORLD, World

SKIN = 1.0  #: neighbours are collected up to contact + SKIN
NEIGHBOURS = 12  #: kept for each particle
CELL_CAPACITY = 6
REBUILD = 10  #: steps between neighbour lists
TANGENTIAL_DAMPING = 12.0


class State(NamedTuple):
    """Positions and velocities (n, 2), spins (n,); the agents come first."""

    position: Array
    velocity: Array
    spin: Array


class Decision(NamedTuple):
    """What one decision leaves behind, for all agents."""

    observation: Array  #: (agents, obs)
    expert: Array  #: (agents, 2): the action of the controller that always knows the goal
    displacement: Array  #: (agents, 2): position - goal
    position: Array  #: (agents, 2)


def minimum_image(delta: Array, world: World = WORLD) -> Array:
    """Nearest periodic image of a difference of positions (..., 2)."""
    side = 2 * world.half_box
    return delta - side * jnp.round(delta / side)


def neighbours(position: Array, world: World) -> Array:
    """Indices (n, NEIGHBOURS) of the nearest particles within reach; n stands for none."""
    count = len(position)
    side, reach = 2 * world.half_box, 2 + SKIN
    cells = int(side / reach)
    column, row = jnp.floor((position / side + 0.5) * cells).astype(int).T % cells
    cell = column * cells + row
    order = jnp.argsort(cell)
    ranked = cell[order]
    slot = jnp.arange(count) - jnp.searchsorted(ranked, ranked, side="left")
    table = jnp.full((cells * cells, CELL_CAPACITY), count)
    table = table.at[ranked, slot].set(order, mode="drop")
    steps = jnp.array([-1, 0, 1])
    around = ((column[:, None, None] + steps[:, None]) % cells) * cells + (
        row[:, None, None] + steps
    ) % cells
    candidates = table[around.reshape(count, 9)].reshape(count, -1)
    padded = jnp.vstack([position, jnp.full((1, 2), jnp.inf)])
    delta = minimum_image(position[:, None] - padded[candidates], world)
    distance = jnp.where(candidates == count, jnp.inf, (delta**2).sum(-1))
    distance = jnp.where(candidates == jnp.arange(count)[:, None], jnp.inf, distance)
    nearness, chosen = jax.lax.top_k(-distance, NEIGHBOURS)
    found = jnp.take_along_axis(candidates, chosen, axis=1)
    return jnp.where(-nearness < reach**2, found, count)


def contact_forces(state: State, near: Array, mass: Array, world: World) -> tuple[Array, Array]:
    """Force (n, 2) and torque (n,) of all contacts."""
    count = len(mass)
    index = jnp.minimum(near, count - 1)
    delta = minimum_image(state.position[:, None] - state.position[index], world)
    distance = jnp.sqrt((delta**2).sum(-1) + 1e-12)
    overlap = jnp.where(near < count, jnp.maximum(2 - distance, 0), 0)
    normal = delta / distance[..., None]
    tangent = jnp.stack([-normal[..., 1], normal[..., 0]], -1)
    relative = state.velocity[:, None] - state.velocity[index]
    reduced = mass[:, None] * mass[index] / (mass[:, None] + mass[index])
    approach = (relative * normal).sum(-1)
    slip = (relative * tangent).sum(-1) - (state.spin[:, None] + state.spin[index])
    touching = overlap > 0
    push = world.stiffness * overlap - world.damping * reduced * approach
    push = jnp.where(touching, push, 0)
    limit = world.friction * jnp.abs(push)
    drag = -TANGENTIAL_DAMPING * reduced * slip
    drag = jnp.where(touching, jnp.clip(drag, -limit, limit), 0)
    force = (push[..., None] * normal + drag[..., None] * tangent).sum(1)
    return force, -drag.sum(1)


def advance(state: State, action: Array, world: World) -> State:
    """One decision interval under `action` (agents, 2) of norm at most 1."""
    count, agents = len(state.spin), len(action)
    is_agent = jnp.arange(count) < agents
    mass = jnp.where(is_agent, world.agent_mass, 1.0)
    drag = jnp.where(is_agent, world.agent_drag, world.grain_drag)
    inertia = 0.4 * mass
    drive = jnp.zeros((count, 2)).at[:agents].set(world.agent_force * action)

    def step(now: State, near: Array) -> State:
        force, torque = contact_forces(now, near, mass, world)
        force += drive - drag[:, None] * now.velocity
        velocity = now.velocity + world.time_step * force / mass[:, None]
        spin = now.spin + world.time_step * torque / inertia
        position = minimum_image(now.position + world.time_step * velocity, world)
        return State(position, velocity, spin)

    def stretch(now: State, _: None) -> tuple[State, None]:
        near = neighbours(now.position, world)
        return jax.lax.fori_loop(0, REBUILD, lambda _, s: step(s, near), now), None

    state, _ = jax.lax.scan(stretch, state, length=world.decision_interval // REBUILD)
    return state


def lidar(agents: Array, targets: Array, world: World) -> Array:
    """Proximity max(0, R - d) / R of the nearest target in each azimuth bin; (agents, bins)."""
    delta = minimum_image(targets[None] - agents[:, None], world)
    squared, near = jax.lax.top_k(-(delta**2).sum(-1), 36)
    delta = jnp.take_along_axis(delta, near[..., None], axis=1)
    proximity = jnp.maximum(0, 1 - jnp.sqrt(-squared) / world.lidar_range)
    angle = jnp.arctan2(delta[..., 1], delta[..., 0])
    bins = jnp.floor((angle + jnp.pi) * world.lidar_bins / (2 * jnp.pi)).astype(int)
    chosen = (bins % world.lidar_bins)[..., None] == jnp.arange(world.lidar_bins)
    return jnp.where(chosen, proximity[..., None], 0).max(1)


def observe(state: State, goals: Array, lit: Array, world: World) -> tuple[Array, Array]:
    """Observation rows (agents, obs) and the true displacement (agents, 2) from the goals.

    Agents in `lit` (agents,) of bool see the light.
    """
    agents = len(goals)
    displacement = minimum_image(state.position[:agents] - goals, world)
    distance = jnp.linalg.norm(displacement, axis=-1, keepdims=True)
    seen = jnp.where(lit, 1.0, 0.0)[:, None]
    direction = seen * displacement / jnp.maximum(distance, 1e-9)
    clip = world.displacement_clip
    proximity = lidar(state.position[:agents], state.position[agents:], world)
    clipped = seen * jnp.clip(displacement, -clip, clip)
    rows = [state.velocity[:agents], direction, clipped, proximity]
    return jnp.concatenate(rows, axis=-1), displacement


Act = Callable[[Any, Array, Any], tuple[Array, Any]]


def rollout(
    bed: State,
    goals: Array,
    act: Act,
    weights: Any,
    carry: Any,
    lit: Array,
    teach: Array,
    noise: Array,
    expert: Callable[[Array, Array, World], Array],
    world: World = WORLD,
) -> tuple[State, Decision]:
    """One episode; returns the final state and every decision, stacked (decisions, agents, …).

    `act(weights, observation, carry)` gives actions (agents, 2) and the next carry; agents see
    their goals where `lit` (decisions, agents) of bool; those in `teach` (agents,) of bool are
    driven by the expert, and all are disturbed by `noise` (decisions, agents, 2).
    """

    def decide(now: tuple[State, Any], what: tuple[Array, Array]) -> Any:
        state, memory = now
        light, disturbance = what
        observation, displacement = observe(state, goals, light, world)
        label = expert(observation, displacement, world)
        action, memory = act(weights, observation, memory)
        action = jnp.where(teach[:, None], label, action) + disturbance
        action /= jnp.maximum(1, jnp.linalg.norm(action, axis=-1, keepdims=True))
        kept = Decision(observation, label, displacement, state.position[: len(goals)])
        return (advance(state, action, world), memory), kept

    (state, _), decisions = jax.lax.scan(decide, (bed, carry), (lit, noise))
    return state, decisions
