"""Proximal policy optimisation (Schulman et al. 2017) of a recurrent policy, inside LAMMPS.

There is no second simulator: each iteration writes the policy file as it is, lets LAMMPS run the
experiment with it, and learns from what `fix pilot` recorded. All agents of all beds share the
policy; it is trained through time over whole episodes, which begin with a blank carry. A simple
controller may teach it at first: then it starts from there instead of from nothing.
"""

import csv
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from dempilot import Recording
from flax import nnx
from jax import Array

from common.networks import EPS, LSTMActorCritic
from common.policy import Statistics, write_policy

#: runs one episode: the policy file, the folder to record into, the seed of the bed and the noise
Episode = Callable[[Path, Path, int], None]
#: a simple controller to begin with: raw observations (..., O) to actions (..., A) of norm below 1,
#: or to the probabilities of the categories where actions are discrete
Teacher = Callable[[np.ndarray], np.ndarray]

LARGEST = 1 - 1e-6  #: share of the largest action that is still told apart from it


@dataclass(frozen=True)
class Settings:
    """How to train. Times are in decisions."""

    lessons: int = 4  #: iterations that imitate the teacher, if there is one (Ross et al. 2011)
    lesson_epochs: int = 60
    lesson_rate: float = 3e-3
    iterations: int = 60  #: iterations of PPO
    beds: int = 1  #: episodes an iteration
    epochs: int = 4
    batches: int = 4  #: per epoch; each has whole episodes of its share of the agents
    rate: float = 1e-3  #: of Adam, at the start; it falls to a tenth
    discount: float = 0.97
    smoothing: float = 0.95  #: lambda of generalised advantage estimation
    clip: float = 0.2
    value_weight: float = 0.5
    restraint: float = 1e-3  #: on the square of means, which else run away where the norm saturates
    hidden: int = 32
    lstm: int = 32
    horizon: int = 20  #: what the forget gates remember at the start, at most
    log_std: float = -0.7  #: of the latent action at the start
    discrete: bool = False  #: actions are the rows of the contract's table


class Rollout(NamedTuple):
    """Episodes of agents: leading shape (T, B), decisions and agents. Float32."""

    rows: Any  #: (T, B, O), raw observations
    latent: Any  #: (T, B, A), what was drawn, before the action space; 1 at a discrete choice
    reward: Any  #: (T, B), what this decision's action earned until the next
    last: Any  #: (T, B), 1 where nothing of the agent's episode follows
    fresh: Any  #: (T, B), 1 where the agent remembers nothing before this decision
    valid: Any  #: (T, B), 1 where there is a decision to learn from


class Batch(NamedTuple):
    """A rollout with what the policy thought of it at the time."""

    rollout: Rollout
    log_prob: Any  #: (T, B), of the latent action
    advantage: Any  #: (T, B), of unit variance
    value: Any  #: (T, B), the return to learn, in units of `Trainer`'s scale


def read_rollout(folder: Path, table: np.ndarray | None = None) -> Rollout:
    """What one simulation recorded; `table` (A, entries) has the rows of discrete actions.

    The reward of a decision stands in the row of the next one, so an agent's last decision earns
    nothing that is known, and the last of the recording is there for its value alone.
    """
    dense = Recording(folder).dense()
    here = dense.mask
    gone = np.vstack([~here[1:], np.zeros_like(here[:1])])
    ended = dense["done"] if "done" in dense else np.zeros_like(here)
    done = np.vstack([ended[1:], np.zeros_like(here[:1])])
    earned = np.vstack([dense["reward"][1:], np.zeros(here.shape[1])])
    valid = here.copy()
    valid[-1] = False
    before = np.vstack([np.zeros_like(here[:1]), here[:-1]])
    action = dense["action"]
    drawn = latent_of(action) if table is None else choice_of(action, table)
    return Rollout(dense["observation"], drawn, earned.astype(np.float32),
                   (gone | done).astype(np.float32), (~before).astype(np.float32),
                   valid.astype(np.float32))


def latent_of(action: np.ndarray) -> np.ndarray:
    """The inverse of `max_norm`, (..., A): what was drawn before it was squashed."""
    norm = np.linalg.norm(action, axis=-1, keepdims=True).astype(np.float64)
    radius = np.arctanh(np.minimum(norm / (1 - EPS), LARGEST))
    return (action * (radius / np.maximum(norm, 1e-12))).astype(np.float32)


def choice_of(action: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Which row of `table` (A, entries) each of the actions (..., entries) is, as ones (..., A)."""
    away = np.square(action[..., None, :] - table).sum(-1)
    return np.eye(len(table), dtype=np.float32)[away.argmin(-1)]


def join(rollouts: list[Rollout]) -> Rollout:
    """Agents of several beds side by side; all beds have equally many decisions."""
    return Rollout(*(np.concatenate(parts, axis=1) for parts in zip(*rollouts, strict=True)))


def advantages(rollout: Rollout, value: np.ndarray, settings: Settings) -> np.ndarray:
    """Generalised advantage estimates (T, B) (Schulman et al. 2016) from values (T, B)."""
    result, following = np.zeros_like(value), np.zeros(value.shape[1], value.dtype)
    for now in range(len(value) - 2, -1, -1):
        goes_on = 1 - rollout.last[now]
        surprise = (rollout.reward[now] + settings.discount * goes_on * value[now + 1]
                    - value[now])
        following = surprise + settings.discount * settings.smoothing * goes_on * following
        result[now] = following
    return result


def lesson(policy: LSTMActorCritic, batch: Batch, rows: Array, labels: Array) -> Array:
    """The loss of imitating `labels` (T, B, A), latent actions or the probabilities of categories.

    The critic learns as ever.
    """
    taken = batch.rollout
    mean, value = policy.heads(policy.sequence(rows, taken.fresh))
    miss = ((mean - labels) ** 2).sum(-1)
    if policy.discrete:
        miss = -(labels * nnx.log_softmax(mean)).sum(-1)
    loss = miss + (value - batch.value) ** 2
    return (loss * taken.valid).sum() / taken.valid.sum()


def objective(policy: LSTMActorCritic, batch: Batch, rows: Array, settings: Settings) -> Array:
    """PPO's loss of one batch; `rows` are its observations, normalised."""
    taken = batch.rollout
    mean, value = policy.heads(policy.sequence(rows, taken.fresh))
    ratio = jnp.exp(policy.log_probability(taken.latent, mean) - batch.log_prob)
    clipped = jnp.clip(ratio, 1 - settings.clip, 1 + settings.clip)
    gain = jnp.minimum(ratio * batch.advantage, clipped * batch.advantage)
    miss = (value - batch.value) ** 2
    size = (mean**2).sum(-1)
    loss = -gain + settings.value_weight * miss + settings.restraint * size
    return (loss * taken.valid).sum() / taken.valid.sum()


class Trainer:
    """A policy in training: parameters, optimisers, statistics of what it has seen."""

    def __init__(self, observations: int, actions: int, settings: Settings, seed: int) -> None:
        self.settings = settings
        self.statistics = Statistics(observations)
        self._random = np.random.default_rng(seed)
        policy = LSTMActorCritic(observations, actions, settings.hidden, settings.lstm,
                                 settings.horizon, nnx.Rngs(seed), settings.log_std,
                                 settings.discrete)
        self._graph, self._weights = nnx.split(policy)
        self._returns = 1.0  #: standard deviation of returns, the unit of the critic's values
        self._judge = jax.jit(self._evaluate)
        updates = settings.iterations * settings.epochs * settings.batches
        rate = optax.linear_schedule(settings.rate, settings.rate / 10, updates)
        self._practice = Descent(self._graph, self._weights, rate,
                                 partial(objective, settings=settings))
        self._imitate = Descent(self._graph, self._weights, settings.lesson_rate, lesson)

    def policy(self) -> LSTMActorCritic:
        """The policy as it is, whose value is in units of `value_scale`."""
        return nnx.merge(self._graph, self._weights)

    @property
    def value_scale(self) -> float:
        """What one unit of the policy's value is worth in rewards."""
        return self._returns

    def learn(self, rollout: Rollout) -> None:
        """Improves the policy by what it did; `rollout` was made with `self.policy()`."""
        batch, rows = self._batch(rollout)
        self._descend(self._practice, self.settings.epochs, batch, rows)

    def imitate(self, rollout: Rollout, teacher: Teacher) -> None:
        """Brings the policy towards what `teacher` does for the same observations."""
        batch, rows = self._batch(rollout)
        labels = teacher(rollout.rows)
        labels = labels if self.settings.discrete else latent_of(labels)
        self._descend(self._imitate, self.settings.lesson_epochs, batch, rows, labels)

    def _batch(self, rollout: Rollout) -> tuple[Batch, np.ndarray]:
        """What to learn from `rollout`, and its observations, normalised."""
        rows = self.statistics.normalise(rollout.rows)
        log_prob, value = map(np.asarray, self._judge(self._weights, rows, rollout))
        advantage = advantages(rollout, value * self._returns, self.settings)
        target = advantage + value * self._returns
        known = rollout.valid > 0
        self._returns = max(float(target[known].std()), 1e-6)
        advantage = (advantage - advantage[known].mean()) / (advantage[known].std() + 1e-8)
        return Batch(rollout, log_prob, advantage, target / self._returns), rows

    def _descend(self, descent: "Descent", epochs: int, *data: Any) -> None:
        agents = data[-1].shape[1]
        # equal parts, so that nothing is compiled twice; who is left over has a turn elsewhere
        size = agents // self.settings.batches
        if size == 0:
            raise ValueError(f"{agents} agents cannot be cut into {self.settings.batches} batches "
                             "(each needs one): run more beds an iteration, or set fewer batches")
        for _ in range(epochs):
            order = self._random.permutation(agents)
            for part in range(self.settings.batches):
                some = order[part * size : (part + 1) * size]
                piece = jax.tree.map(lambda array, some=some: array[:, some], data)
                self._weights = descent.step(self._weights, *piece)

    def _evaluate(self, weights: Any, rows: Array, rollout: Rollout) -> tuple[Array, Array]:
        policy = nnx.merge(self._graph, weights)
        mean, value = policy.heads(policy.sequence(rows, rollout.fresh))
        return policy.log_probability(rollout.latent, mean), value


class Descent:
    """Adam on one loss of a policy, `loss(policy, ...)`."""

    def __init__(self, graph: Any, weights: Any, rate: Any, loss: Callable[..., Array]) -> None:
        self._graph, self._loss = graph, loss
        self._optimiser = optax.chain(optax.clip_by_global_norm(0.5), optax.adam(rate))
        self._state = self._optimiser.init(weights)
        self._step = jax.jit(self._update)

    def step(self, weights: Any, *data: Any) -> Any:
        """Weights after one update."""
        weights, self._state = self._step(weights, self._state, data)
        return weights

    def _update(self, weights: Any, state: Any, data: Any) -> tuple[Any, Any]:
        slope = jax.grad(lambda w: self._loss(nnx.merge(self._graph, w), *data))(weights)
        change, state = self._optimiser.update(slope, state, weights)
        return optax.apply_updates(weights, change), state


def collect(
    episode: Episode, policy: Path, folder: Path, seeds: range, table: np.ndarray | None = None
) -> Rollout:
    """Runs the beds of `seeds`, one after the other; recordings are removed once they are read."""
    rollouts = []
    for seed in seeds:
        recording = folder / f"bed-{seed}"
        episode(policy, recording, seed)
        rollouts.append(read_rollout(recording, table))
        shutil.rmtree(recording)
    return join(rollouts)


def train(
    episode: Episode,
    contract: dict[str, Any],
    sizes: tuple[int, int],
    settings: Settings,
    output: Path,
    name: str,
    seed: int,
    teacher: Teacher | None = None,
) -> None:
    """Trains, and leaves `NAME.policy.h5` and `learning_curve.csv` in `output`.

    `contract` is what the policy senses and how it acts, as in docs/convert/README.md, `sizes` are
    those of its observation and its action. Beds have the seeds 1,000,000 + 1000 `seed` and on. The
    first iteration tells only how large observations are; then come the lessons of the teacher, if
    there is one, then PPO.
    """
    (output / "recordings").mkdir(parents=True, exist_ok=True)
    trainer = Trainer(*sizes, settings, seed)
    path, begin = output / f"{name}.policy.h5", time.monotonic()
    story = f"PPO in LAMMPS: {settings}, seed {seed}"

    rows = contract["action"].get("table")
    table = None if rows is None else np.asarray(rows)

    def save() -> None:
        """Writes the policy as it is."""
        write_policy(path, trainer.policy(), trainer.statistics, trainer.value_scale, contract,
                     story)

    lessons = settings.lessons if teacher else 0
    phases = ["look"] + ["imitate"] * lessons + ["practise"] * settings.iterations
    with (output / "learning_curve.csv").open("w", newline="") as file:
        curve = csv.writer(file)
        curve.writerow(["iteration", "phase", "reward", "latent_action", "std", "seconds"])
        for iteration, phase in enumerate(phases):
            save()
            first = 1_000_000 + 1000 * seed + iteration * settings.beds
            seeds = range(first, first + settings.beds)
            rollout = collect(episode, path, output / "recordings", seeds, table)
            if phase == "imitate":
                trainer.imitate(rollout, teacher)
            elif phase == "practise":
                trainer.learn(rollout)
            trainer.statistics.add(rollout.rows[rollout.valid > 0])
            line = _line(rollout, trainer, time.monotonic() - begin)
            curve.writerow([iteration, phase, *line])
            file.flush()
            print(f"{iteration:3d} of {len(phases) - 1} {phase:<8}: reward {line[0]:8.3f} an agent,"
                  f" |latent action| {line[1]:.2f}, std {line[2]:.2f}, {line[3]} s", flush=True)
    save()


def _line(rollout: Rollout, trainer: Trainer, seconds: float) -> list[float]:
    """Mean reward of an agent's episode, mean size of latent actions, deviation, time.

    Where actions are discrete the size is the share of all but the first; they do not deviate.
    """
    known = rollout.valid > 0
    reward = (rollout.reward * rollout.valid).sum() / rollout.rows.shape[1]
    size = np.linalg.norm(rollout.latent, axis=-1)[known].mean()
    deviation = 0.0
    if trainer.settings.discrete:
        size = 1 - rollout.latent[known][:, 0].mean()
    else:
        deviation = np.exp(np.asarray(trainer.policy().log_std())).mean()
    return [round(float(x), 4) for x in (reward, size, deviation)] + [round(seconds)]
