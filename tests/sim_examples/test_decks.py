"""The experiments' input scripts in LAMMPS, small and short, with the policies beside them."""

import sys
from pathlib import Path

import numpy as np
import pytest

from common.dump import first_step, read_dump
from common.engine import simulate
from dempilot import Recording

EXPERIMENTS = Path(__file__).resolve().parents[2] / "sim_examples"


@pytest.fixture
def module(monkeypatch):
    """Imports a module from an experiment's own folder; several experiments have a run.py."""

    def load(experiment, name):
        monkeypatch.syspath_prepend(EXPERIMENTS / experiment)
        for other in ("run", "bed", "draw", "contract", "controls"):
            sys.modules.pop(other, None)
        return __import__(name)

    return load


def run(experiment, folder, ranks=2, **variables):
    deck = EXPERIMENTS / experiment / f"{experiment}.in"
    simulate(deck, variables, folder / "log", ranks=ranks)


def test_burrow_earns_what_its_readme_says(module, tmp_path):
    bed = module("burrow", "bed").settled_bed(tmp_path, 9.0, 4, 250, seed=5, ranks=1)
    policy = EXPERIMENTS / "burrow" / "burrow.policy.h5"
    folder = tmp_path / "recording"
    run("burrow", tmp_path, bed=bed, policy=policy, out=tmp_path / "some", seed=3, decisions=25,
        training="yes", record=folder)
    trails = read_dump(tmp_path / "some.trails")
    assert trails.shape == (26, 4, 7)
    recorded = Recording(folder).dense()
    height, told, push = (trails[:, :, column] for column in (3, 4, 5))
    assert np.isin(told, [2.0, 4.5, 7.0]).all()
    earned = -np.abs(height - told) / 3 - 0.3 * push**2
    np.testing.assert_allclose(recorded["reward"][1:], earned[1:], atol=1e-3)
    # what is recorded at a decision acts until the next one
    size = np.linalg.norm(recorded["action"], axis=-1)
    np.testing.assert_allclose(push[1:], size[:-1], atol=1e-3)
    # the phase of the shaking is another for each seed, and the floor never jumps
    assert first_step(tmp_path / "some.trails") % 100 == 0
    assert first_step(tmp_path / "some.trails") >= 1000


@pytest.mark.parametrize("contestant", ["carry_reset", "proportional", "derivative", "none"])
def test_burrow_has_its_contestants(module, tmp_path, contestant):
    bed = module("burrow", "bed").settled_bed(tmp_path, 9.0, 4, 250, seed=5, ranks=1)
    run("burrow", tmp_path, bed=bed, contestant=contestant, decisions=10, out=tmp_path / "some",
        policy=EXPERIMENTS / "burrow" / "burrow.policy.h5")
    push = read_dump(tmp_path / "some.trails")[1:, :, 5]
    assert (push.max() > 0.1) == (contestant != "none")
    assert push.max() <= 1


def test_burrow_measures_the_second_half(module):
    trails = np.zeros((241, 2, 7))
    trails[:, :, 4] = 3.0
    trails[:, :, 3] = 3.0 + np.tile([0.5, -0.5], 121)[:241, None]  # bounces about its height
    trails[:120, :, 3] = 9.0
    trails[120:, 0, 5] = 0.4
    assert module("burrow", "run").measure(trails) == pytest.approx((0.5, 0.0, 20.0))


def test_hopper_tells_how_many_came_out(module, tmp_path):
    small = {"width": 16, "fill": 24, "settling": 1000, "decisions": 25, "out": tmp_path}
    policy = EXPERIMENTS / "hopper" / "hopper.policy.h5"
    run("hopper", tmp_path, contestant="policy", policy=policy, seed=2, **small)
    hopper = module("hopper", "run")
    lines = (tmp_path / "log").read_text().split("c_effort")[-1].splitlines()[1:27]
    rows = np.array([line.split() for line in lines], float)
    assert rows[:, 0].tolist() == [100 * n for n in range(26)]
    assert rows[0, 1] == 0
    assert rows[-1, 1] > 5  # it runs at first, whoever is at the controls
    assert 0 < rows[1:, 2].mean() < 0.5
    episode = hopper.Episode(rows[:, 1], rows[:, 2])
    assert episode.measures()[0] == rows[-1, 1]


def test_a_hopper_is_clogged_after_ten_decisions_without_a_grain(module):
    discharged = np.minimum(np.arange(41.0), 20)
    episode = module("hopper", "run").Episode(discharged, np.full(41, 0.25))
    # of the 31 spans of 10 decisions those that begin at 20 and later
    assert episode.clogged() == pytest.approx(11 / 31)
    assert episode.measures() == pytest.approx((20, 11 / 31, 0.25))


def test_rollers_roll_towards_their_goals(module, tmp_path):
    small = {"rollers": 16, "balls": 40, "table": 30, "inner": 15, "outer": 26, "decisions": 20}
    run("rollers", tmp_path, contestant="policy", policies=EXPERIMENTS / "rollers", seed=4,
        out=tmp_path, **small)
    trails = read_dump(tmp_path / "policy-4.trails")
    assert trails.shape[:2] == (21, 16)
    place, goal = trails[:, :, 1:3], trails[0, :, 4:6]
    away = np.linalg.norm(place - goal, axis=-1)
    np.testing.assert_allclose(np.linalg.norm(place[0] + goal, axis=-1), 0, atol=1e-3)  # opposite
    assert (away[-1] < away[0]).mean() > 0.8
