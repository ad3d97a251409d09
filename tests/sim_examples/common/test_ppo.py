"""The training of sim_examples against flax's own cell, sums written out, and the C++ library."""

import dempilot
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from common.networks import LSTMActorCritic, max_norm
from common.policy import Statistics, write_policy
from common import ppo
from common.ppo import (
    Rollout,
    Settings,
    Trainer,
    advantages,
    choice_of,
    join,
    latent_of,
    read_rollout,
)

OBSERVATIONS, ACTIONS, TIMES, AGENTS = 5, 3, 7, 6
CONTRACT = {
    "observation": {
        "components": [
            {"name": "velocity", "dimensions": 3},
            {"name": "director", "dimensions": 2},
        ]
    },
    "action": {"target": "force", "scale": 2.0},
}


@pytest.fixture
def random():
    return np.random.default_rng(5)


@pytest.fixture
def policy():
    return LSTMActorCritic(OBSERVATIONS, ACTIONS, 8, 16, 20, nnx.Rngs(3))


def rollout(random, fresh=None):
    shape = (TIMES, AGENTS)
    latent = random.normal(size=(*shape, ACTIONS)).astype(np.float32)
    valid = np.ones(shape, np.float32)
    valid[-1] = 0
    return Rollout(
        rows=random.normal(size=(*shape, OBSERVATIONS)).astype(np.float32),
        latent=latent,
        reward=random.normal(size=shape).astype(np.float32),
        last=(random.random(shape) < 0.2).astype(np.float32),
        fresh=np.zeros(shape, np.float32) if fresh is None else fresh,
        valid=valid,
    )


def test_latent_actions_come_back(random):
    latent = random.normal(0, 1.5, (1000, ACTIONS)).astype(np.float32)
    squashed = np.asarray(max_norm(jnp.asarray(latent)))
    np.testing.assert_allclose(latent_of(squashed), latent, atol=1e-2)  # they saturate
    assert np.isfinite(latent_of(np.eye(3))).all()
    assert (latent_of(np.zeros((2, 3))) == 0).all()


def test_a_sequence_is_the_cell_stepped(random, policy):
    rows = jnp.asarray(random.normal(size=(TIMES, AGENTS, OBSERVATIONS)), jnp.float32)
    fresh = np.zeros((TIMES, AGENTS), np.float32)
    fresh[3, 2] = fresh[5] = 1
    features = policy.sequence(rows, fresh)
    carry = policy.blank(AGENTS)
    for time in range(TIMES):
        carry = tuple(part * (1 - fresh[time])[:, None] for part in carry)
        mean, value, carry = policy(rows[time], carry)
        there = policy.heads(features[time])
        np.testing.assert_allclose(there[0], mean, atol=1e-6)
        np.testing.assert_allclose(there[1], value, atol=1e-6)


def test_advantages_are_discounted_sums_of_surprises(random):
    settings = Settings(discount=0.9, smoothing=0.8)
    taken, value = rollout(random), random.normal(size=(TIMES, AGENTS)).astype(np.float32)
    expected = np.zeros_like(value)
    for agent in range(AGENTS):
        for start in range(TIMES - 1):
            weight = 1.0
            for time in range(start, TIMES - 1):
                ends = taken.last[time, agent]
                after = 0.0 if ends else value[time + 1, agent]
                surprise = taken.reward[time, agent] + 0.9 * after - value[time, agent]
                expected[start, agent] += weight * surprise
                if ends:
                    break
                weight *= 0.9 * 0.8
    np.testing.assert_allclose(advantages(taken, value, settings), expected, atol=1e-5)


def test_statistics_pool_what_comes_in_parts(random):
    rows = random.normal(3.0, 2.0, (500, OBSERVATIONS))
    statistics = Statistics(OBSERVATIONS)
    for part in np.array_split(rows, [10, 200]):
        statistics.add(part)
    np.testing.assert_allclose(statistics.mean, rows.mean(0))
    np.testing.assert_allclose(statistics.variance, rows.var(0))


def test_what_never_changes_is_not_blown_up():
    statistics = Statistics(2)
    statistics.add(np.array([[1.0, 4.0], [3.0, 4.0]]))
    np.testing.assert_allclose(statistics.normalise(np.array([[3.0, 4.1]])), [[1.0, 0.1]], 1e-6)


def test_a_written_policy_decides_as_flax_does(random, policy, tmp_path):
    statistics = Statistics(OBSERVATIONS)
    statistics.add(random.normal(1.0, 4.0, (100, OBSERVATIONS)))
    path = tmp_path / "some.policy.h5"
    write_policy(path, policy, statistics, 3.0, CONTRACT, "a test")
    agents, carry = dempilot.load(path).agents(AGENTS), policy.blank(AGENTS)
    for _ in range(TIMES):
        rows = random.normal(1.0, 4.0, (AGENTS, OBSERVATIONS))
        mean, value, carry = policy(jnp.asarray(statistics.normalise(rows)), carry)
        step = agents.step(rows)
        np.testing.assert_allclose(step.action, max_norm(mean), atol=1e-5)
        np.testing.assert_allclose(step.value, 3 * value, atol=1e-5)


def test_practice_makes_what_paid_likelier(random):
    """One decision pays if its first action is positive: soon it mostly is."""
    settings = Settings(iterations=30, rate=1e-2, hidden=8, lstm=8)
    trainer = Trainer(OBSERVATIONS, ACTIONS, settings, seed=1)
    trainer.statistics.add(random.normal(size=(100, OBSERVATIONS)))
    for _ in range(settings.iterations):
        taken = rollout(random)
        rows = trainer.statistics.normalise(taken.rows)
        mean, _ = trainer.policy().heads(trainer.policy().sequence(jnp.asarray(rows)))
        deviation = np.exp(np.asarray(trainer.policy().log_std()))
        latent = np.asarray(mean) + deviation * taken.latent
        reward = np.where(latent[..., 0] > 0, 1.0, -1.0).astype(np.float32)
        trainer.learn(taken._replace(latent=latent.astype(np.float32), reward=reward))
    mean, _ = trainer.policy().heads(trainer.policy().sequence(jnp.asarray(rows)))
    assert float(jnp.mean(mean[..., 0] > 0)) > 0.95


def test_lessons_teach(random):
    settings = Settings(hidden=8, lstm=8, lesson_epochs=200, batches=2)
    trainer = Trainer(OBSERVATIONS, ACTIONS, settings, seed=1)
    taken = rollout(random)
    trainer.statistics.add(taken.rows.reshape(-1, OBSERVATIONS))
    rows = jnp.asarray(trainer.statistics.normalise(taken.rows))

    def teacher(rows):
        return 0.5 * np.tanh(rows[..., :ACTIONS])

    def away():
        mean, _ = trainer.policy().heads(trainer.policy().sequence(rows))
        return np.abs(np.asarray(max_norm(mean)) - teacher(taken.rows))[:-1].mean()

    assert away() > 0.2
    trainer.imitate(taken, teacher)
    assert away() < 0.1


def test_learning_is_the_same_twice(random):
    taken = rollout(random)

    def learnt():
        trainer = Trainer(OBSERVATIONS, ACTIONS, Settings(hidden=8, lstm=8), seed=1)
        trainer.statistics.add(taken.rows.reshape(-1, OBSERVATIONS))
        trainer.learn(taken)
        return nnx.state(trainer.policy())

    same = jax.tree.map(lambda a, b: bool((a == b).all()), learnt(), learnt())
    assert all(jax.tree.leaves(same))


def test_discrete_choices_are_told_from_their_actions():
    table = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, -1.0]])
    chosen = np.array([[0, 2], [1, 1]])
    actions = table[chosen].astype(np.float32)
    np.testing.assert_array_equal(choice_of(actions, table), np.eye(3)[chosen])


def test_a_discrete_policy_learns_what_pays(random):
    settings = Settings(iterations=20, batches=1, rate=1e-2, discrete=True)
    trainer = Trainer(OBSERVATIONS, ACTIONS, settings, 0)
    taken = rollout(random)
    for _ in range(20):
        features = trainer.policy().sequence(trainer.statistics.normalise(taken.rows))
        chance = np.asarray(nnx.softmax(trainer.policy().heads(features)[0]))
        choice = (random.random(chance.shape[:2])[..., None] > chance.cumsum(-1)).sum(-1)
        drawn = np.eye(ACTIONS, dtype=np.float32)[np.minimum(choice, ACTIONS - 1)]
        trainer.learn(taken._replace(latent=drawn, reward=drawn[..., 1],
                                     last=np.ones_like(taken.last)))
    assert chance[..., 1].mean() > 0.7


def test_a_discrete_policy_does_the_same_in_c(tmp_path):
    policy = LSTMActorCritic(OBSERVATIONS, ACTIONS, 8, 16, 20, nnx.Rngs(3), discrete=True)
    path = tmp_path / "discrete.policy.h5"
    action = {"target": "force", "table": [[0.0, 0.0], [1.0, 0.0], [0.0, -1.0]]}
    write_policy(path, policy, Statistics(OBSERVATIONS), 1.0, CONTRACT | {"action": action}, "test")
    dempilot.Policy(path)  # replays the rows that flax computed


class Recorded(dict):
    """Columns of a recording, (T, B, ...), and who was there."""

    def __init__(self, mask, **columns):
        super().__init__(columns)
        self.mask = np.array(mask, bool)

    def dense(self):
        return self


def test_a_reward_belongs_to_the_decision_before_it(monkeypatch, tmp_path):
    # the first agent stays and is done at decision 2, the second leaves, the third comes late
    recorded = Recorded(
        [[1, 1, 0], [1, 1, 0], [1, 0, 1], [1, 0, 1]],
        observation=np.arange(24, dtype=np.float32).reshape(4, 3, 2),
        action=np.zeros((4, 3, 2), np.float32),
        reward=np.array([[9.0, 9, 0], [1, 4, 0], [2, 0, 9], [3, 0, 5]]),
        done=np.array([[0, 0, 0], [0, 0, 0], [1, 0, 0], [0, 0, 0]], bool),
    )
    monkeypatch.setattr(ppo, "Recording", lambda folder: recorded)
    found = read_rollout(tmp_path)
    assert found.rows.tolist() == recorded["observation"].tolist()
    assert found.reward[:, 0].tolist() == [1, 2, 3, 0]
    assert found.reward[:, 1].tolist() == [4, 0, 0, 0]
    assert found.reward[2:, 2].tolist() == [5, 0]
    assert found.last[:3].T.tolist() == [[0, 1, 0], [0, 1, 1], [1, 0, 0]]
    assert found.fresh[:, 0].tolist() == [1, 0, 0, 0]
    assert found.fresh[2:, 2].tolist() == [1, 0]
    assert found.valid.T.tolist() == [[1, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 0]]
    del recorded["done"]
    assert read_rollout(tmp_path).last[:3, 0].tolist() == [0, 0, 0]


def test_beds_lie_side_by_side(random):
    parts = [rollout(random), rollout(random)]
    joined = join(parts)
    assert joined.rows.shape == (TIMES, 2 * AGENTS, OBSERVATIONS)
    np.testing.assert_array_equal(joined.reward[:, AGENTS:], parts[1].reward)


def test_too_few_agents_for_the_batches_are_an_error(random):
    trainer = Trainer(OBSERVATIONS, ACTIONS, Settings(batches=AGENTS + 1), seed=1)
    message = r"6 agents cannot be cut into 7 batches \(each needs one\)"
    with pytest.raises(ValueError, match=message):
        trainer.learn(rollout(random))
