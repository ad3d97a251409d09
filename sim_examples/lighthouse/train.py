#!/usr/bin/env python3
"""Trains the two policies of the lighthouse by imitation, and writes their policy files.

A teacher that always knows its goal labels every decision (DAgger, Ross et al. 2011): in each round
one episode of the surrogate is driven partly by the teacher, partly by each of the two policies as
they are, all of it joins one data set, and both policies are trained on that data set with the same
batches, the same losses, the same optimiser and the same number of updates. The recurrent one is
trained through time over whole episodes.
"""

import argparse
import csv
import time
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array

from controller import expert_action
from make_bed import make_bed
from common.networks import LSTMActorCritic, max_norm
from networks import ACTIONS, SharedActorCritic, Trainee
from policy_file import fold_scales, write_policy
from surrogate import State, rollout
from world import WORLD, World

HIDDEN, LSTM = 64, 64
ARCHITECTURE = (64, 160, 144)  #: as many parameters as the recurrent policy has
VELOCITY_UNIT, LENGTH_UNIT = 5.0, 40.0
RECKONING_WEIGHT, VALUE_WEIGHT = 3.0, 0.1
BED_SEEDS = 1_000_000  #: beds of the training come from here on; the experiment's from far below
VALIDATION_SEED = 900_000
TEACHER, RECURRENT, MEMORYLESS = 0, 1, 2


class Batch(NamedTuple):
    """Whole episodes of single agents; float32, leading shape (time, sequences)."""

    rows: Any  #: (..., obs), raw
    expert: Any  #: (..., 2)
    displacement: Any  #: (..., 2)


def input_scales(world: World) -> np.ndarray:
    """Factors (obs,) that bring raw observations to about unit size."""
    scales = np.ones(world.observation_size, np.float32)
    scales[:2] = 1 / VELOCITY_UNIT
    scales[4:6] = 1 / LENGTH_UNIT
    return scales


def turned(batch: Batch, turns: Array, mirrored: Array, bins: int) -> Batch:
    """The same episodes in a world turned by `turns` lidar bins and perhaps mirrored in y.

    `turns` and `mirrored` have one entry per sequence. The law of motion knows no direction, so
    these are as good as new ones; a turn by whole bins moves the lidar's entries exactly.
    """
    angle = turns * (2 * jnp.pi / bins)
    cosine, sine = jnp.cos(angle), jnp.sin(angle)
    sign = jnp.where(mirrored, -1.0, 1.0)

    def turn(vector: Array) -> Array:
        x, y = vector[..., 0], sign * vector[..., 1]
        return jnp.stack([cosine * x - sine * y, sine * x + cosine * y], -1)

    lidar = batch.rows[..., 6:]
    lidar = jnp.where(mirrored[:, None], lidar[..., ::-1], lidar)
    source = (jnp.arange(bins) - turns[:, None]) % bins
    lidar = jnp.take_along_axis(lidar, source[None].repeat(len(lidar), 0), axis=-1)
    pairs = [turn(batch.rows[..., k : k + 2]) for k in (0, 2, 4)]
    rows = jnp.concatenate([*pairs, lidar], -1)
    return Batch(rows, turn(batch.expert), turn(batch.displacement))


def losses(trainee: Trainee, batch: Batch, scales: Array) -> tuple[Array, dict[str, Array]]:
    """The loss of one policy on a batch, and its parts in readable units."""
    features = trainee.policy.sequence(batch.rows * scales)
    mean, value = trainee.policy.heads(features)
    error = ((max_norm(mean) - batch.expert) ** 2).sum(-1)
    truth = batch.displacement / LENGTH_UNIT
    lost = ((trainee.reckoning(features) - truth) ** 2).sum(-1)
    distance = jnp.linalg.norm(truth, axis=-1)
    worth = (value + distance) ** 2
    total = error.mean() + RECKONING_WEIGHT * lost.mean() + VALUE_WEIGHT * worth.mean()
    parts = {"action": error.mean(), "lost": LENGTH_UNIT * jnp.sqrt(lost).mean(),
             "lost_end": LENGTH_UNIT * jnp.sqrt(lost[-1]).mean()}
    return total, parts


class Student:
    """One policy in training: its parameters, its optimiser, its update."""

    def __init__(self, trainee: Trainee, updates: int, rate: float, scales: Array) -> None:
        self.graph, self.weights, self.rest = nnx.split(trainee, nnx.Param, ...)
        schedule = optax.cosine_onecycle_schedule(updates, rate, 0.05, 10, 50)
        self._optimiser = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(schedule))
        self._state = self._optimiser.init(self.weights)
        self._scales = scales
        self._step = jax.jit(self._update)

    def _update(self, weights: Any, state: Any, batch: Batch) -> tuple[Any, Any, Any]:
        def objective(w: Any) -> tuple[Array, dict[str, Array]]:
            return losses(nnx.merge(self.graph, w, self.rest), batch, self._scales)

        (loss, parts), slope = jax.value_and_grad(objective, has_aux=True)(weights)
        change, state = self._optimiser.update(slope, state, weights)
        return optax.apply_updates(weights, change), state, parts | {"loss": loss}

    def learn(self, batch: Batch) -> dict[str, Array]:
        """One update; returns the loss and its parts before it."""
        self.weights, self._state, parts = self._step(self.weights, self._state, batch)
        return parts

    def policy(self) -> LSTMActorCritic | SharedActorCritic:
        """A copy of the policy as it is now."""
        return nnx.clone(nnx.merge(self.graph, self.weights, self.rest).policy)


class School:
    """The surrogate world with both students in it."""

    def __init__(self, students: dict[int, Student], scales: Array, world: World) -> None:
        self._students, self._scales, self._world = students, scales, world
        self._episode = jax.jit(partial(rollout, act=self._act, expert=expert_action, world=world))

    def _act(self, what: Any, observation: Array, carry: Any) -> tuple[Array, Any]:
        """Actions (agents, 2) of the student that drives each agent."""
        driver, weights = what
        merge = {k: nnx.merge(s.graph, weights[k], s.rest).policy
                 for k, s in self._students.items()}
        rows = observation * self._scales
        recurrent, _, carry = merge[RECURRENT](rows, carry)
        memoryless, _ = merge[MEMORYLESS](rows)
        chosen = jnp.where((driver == RECURRENT)[:, None], recurrent, memoryless)
        return max_norm(chosen), carry

    def episode(
        self, seed: int, driver: np.ndarray, lit: np.ndarray, noise: np.ndarray
    ) -> tuple[Batch, np.ndarray]:
        """Runs the bed of `seed`; `driver` (agents,) says who drives whom.

        `lit` (decisions, agents) says when each agent sees its goal; `noise` disturbs actions.
        Returns the episode, (time, agents, …), and whether each agent arrived.
        """
        world = self._world
        bed = make_bed(seed, world)
        position = jnp.asarray(np.vstack([bed.agents, bed.grains]), jnp.float32)
        start = State(position, jnp.zeros_like(position), jnp.zeros(len(position)))
        weights = {k: s.weights for k, s in self._students.items()}
        blank = self._students[RECURRENT].policy().blank(world.agents)
        _, seen = self._episode(start, jnp.asarray(bed.goals, jnp.float32), carry=blank,
                                weights=(jnp.asarray(driver), weights), lit=lit,
                                teach=driver == TEACHER, noise=noise)
        batch = Batch(*(np.asarray(a) for a in (seen.observation, seen.expert, seen.displacement)))
        distance = np.linalg.norm(batch.displacement[-1], axis=-1)
        return batch, distance <= world.threshold


def lights(rng: np.random.Generator, world: World) -> np.ndarray:
    """When each agent sees its goal, (decisions, agents) of bool.

    At the start, for a time of its own; some agents see a second flash later. A policy that always
    saw the same number of flashes would learn to add up that many looks instead of taking one.
    """
    number = np.arange(world.decisions)[:, None]
    low, high = world.flash_range
    length = rng.integers(low, high + 1, (2, world.agents))
    again = rng.integers(high, world.decisions, world.agents)
    second = rng.random(world.agents) < world.second_flash
    return (number < length[0]) | (second & (number >= again) & (number < again + length[1]))


def disturbance(rng: np.random.Generator, loud: np.ndarray, world: World) -> np.ndarray:
    """Slow noise on the actions of the agents in `loud` (agents,), (decisions, agents, 2)."""
    noise = np.zeros((world.decisions, world.agents, 2), np.float32)
    for now in range(1, world.decisions):
        noise[now] = 0.95 * noise[now - 1] + 0.12 * rng.normal(size=(world.agents, 2))
    return noise * loud[:, None]


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=0, help="of everything random (default 0)")
    parser.add_argument("--rounds", type=int, default=14, help="episodes collected (default 14)")
    parser.add_argument("--updates", type=int, default=250, help="per round (default 250)")
    parser.add_argument("--batch", type=int, default=64, help="sequences per update (default 64)")
    parser.add_argument("--rate", type=float, default=3e-3, help="peak of learning (default 3e-3)")
    parser.add_argument("--output", type=Path, default=Path("."), help="folder for what comes out")
    return parser.parse_args()


def make_students(options: argparse.Namespace, scales: Array, world: World) -> dict[int, Student]:
    """Both students, freshly initialised."""
    rngs = nnx.Rngs(options.seed)
    size, updates = world.observation_size, options.rounds * options.updates
    recurrent = LSTMActorCritic(size, ACTIONS, HIDDEN, LSTM, world.decisions, rngs)
    memoryless = SharedActorCritic(size, ARCHITECTURE, rngs)
    return {RECURRENT: Student(Trainee(recurrent, LSTM, rngs), updates, options.rate, scales),
            MEMORYLESS: Student(Trainee(memoryless, ARCHITECTURE[-1], rngs), updates,
                                options.rate, scales)}


def train(
    options: argparse.Namespace, world: World
) -> tuple[dict[int, Student], Batch, list[dict]]:
    """All rounds; returns the students, the data and the learning curve."""
    rng = np.random.default_rng(options.seed)
    scales = jnp.asarray(input_scales(world))
    students = make_students(options, scales, world)
    school = School(students, scales, world)
    turn = jax.jit(partial(turned, bins=world.lidar_bins))
    episodes: list[Batch] = []
    curve: list[dict] = []
    for number in range(options.rounds):
        begin = time.monotonic()
        share = [1.0, 0.0, 0.0] if number == 0 else [0.2, 0.4, 0.4]
        driver = rng.choice(3, world.agents, p=share)
        loud = (driver == TEACHER) & (rng.random(world.agents) < 0.5)
        seed = BED_SEEDS + 1000 * options.seed + number
        batch, arrived = school.episode(seed, driver, lights(rng, world),
                                        disturbance(rng, loud, world))
        episodes.append(batch)
        data = Batch(*(np.concatenate(parts, axis=1) for parts in zip(*episodes)))
        rates = {name: float(arrived[driver == who].mean()) if np.any(driver == who) else 0.0
                 for name, who in (("recurrent", RECURRENT), ("memoryless", MEMORYLESS))}
        kept: dict[int, list[dict]] = {RECURRENT: [], MEMORYLESS: []}
        for _ in range(options.updates):
            chosen = rng.integers(data.rows.shape[1], size=options.batch)
            sample = turn(Batch(*(part[:, chosen] for part in data)),
                          rng.integers(world.lidar_bins, size=options.batch),
                          rng.random(options.batch) < 0.5)
            for who, student in students.items():
                kept[who].append(student.learn(sample))
        line = {"round": number, "update": (number + 1) * options.updates}
        for name, who in (("recurrent", RECURRENT), ("memoryless", MEMORYLESS)):
            line[f"{name}_arrived"] = rates[name]
            for part in kept[who][0]:
                line[f"{name}_{part}"] = float(np.mean([k[part] for k in kept[who][-100:]]))
        curve.append(line)
        print(f"round {number:2d}, {time.monotonic() - begin:4.0f} s: "
              + ", ".join(f"{k} {v:.3g}" for k, v in line.items() if "_" in k), flush=True)
    return students, data, curve


def validate(students: dict[int, Student], world: World) -> dict[str, float]:
    """Success in the surrogate, on one bed that no training saw, each policy alone."""
    school = School(students, jnp.asarray(input_scales(world)), world)
    quiet = np.zeros((world.decisions, world.agents, 2), np.float32)
    lit = np.zeros((world.decisions, world.agents), bool)
    lit[: world.flash] = True
    rates = {}
    for name, who in (("teacher", TEACHER), ("recurrent", RECURRENT), ("memoryless", MEMORYLESS)):
        _, arrived = school.episode(VALIDATION_SEED, np.full(world.agents, who), lit, quiet)
        rates[name] = float(arrived.mean())
    return rates


def draw(curve: list[dict], path: Path) -> None:
    """The learning curve as a picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 3, figsize=(10, 3), layout="constrained")
    panels = (("arrived", "arrived in the surrogate"), ("action", "squared error of the action"),
              ("lost_end", "error of reckoning at the end (radii)"))
    for axis, (key, title) in zip(axes, panels):
        for name, colour in (("recurrent", "#0b6e99"), ("memoryless", "#d1495b")):
            # arrivals are counted before the updates of their round, errors after
            lines = [line for line in curve if key != "arrived" or line["round"] > 0]
            delay = curve[0]["update"] if key == "arrived" else 0
            axis.plot([line["update"] - delay for line in lines],
                      [line[f"{name}_{key}"] for line in lines],
                      marker="o", markersize=3, color=colour, label=name)
        axis.set(title=title, xlabel="updates", ylim=(0, None))
    axes[0].legend()
    figure.savefig(path, dpi=120)


def main() -> None:
    """Trains, validates and writes everything."""
    options = parse()
    options.output.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    students, data, curve = train(options, WORLD)
    with (options.output / "learning_curve.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, curve[0].keys())
        writer.writeheader()
        writer.writerows(curve)
    print("validation:", validate(students, WORLD), flush=True)
    rows = data.rows[::25, ::97].reshape(-1, WORLD.observation_size)[:64]
    story = (f"DAgger in the lighthouse surrogate, {options.rounds} rounds of {WORLD.agents} "
             f"agents, {options.rounds * options.updates} updates of {options.batch} episodes")
    for who, name in ((RECURRENT, "lighthouse"), (MEMORYLESS, "lighthouse-memoryless")):
        policy = students[who].policy()
        fold_scales(policy, input_scales(WORLD), LENGTH_UNIT)
        path = options.output / f"{name}.policy.h5"
        write_policy(path, policy, rows, WORLD, options.seed, story)
    draw(curve, options.output / "learning_curve.png")
    print(f"{time.monotonic() - begin:.0f} s in all; written to {options.output}")


if __name__ == "__main__":
    main()
