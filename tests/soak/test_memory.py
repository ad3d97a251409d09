"""How the soak measures and judges memory, and a resumption, with made-up launches."""

from __future__ import annotations

from dataclasses import replace

import h5py
import numpy as np
import pytest
from launch import Launch, Row, Sample, SoakError
from memory import (
    FEWEST_GRAINS,
    Bounds,
    Figures,
    Pair,
    References,
    Span,
    Widths,
    is_judged,
    judge,
    make_bounds,
    measure,
    measure_growth,
    pool_row,
)
from resumption import Expected, check

SPAN = Span(steps=100, every=10, first=20, last=40)
WIDTHS = Widths(carry=256, action=3, observation=62, reach=1.9)
BOUNDS = make_bounds(1_000_000, 100_000, 2, WIDTHS)


def launch(resident: int, begin: int = 0, growth: int = 0, restart: int = 0) -> Launch:
    """A launch of two ranks with `resident` bytes each, and a decision's growth."""
    made = Launch()
    for step in range(begin, begin + 101, 10):
        here = resident + growth * (step - begin) // 10
        made.rows.append(Row(step, 5000, 10, 1 + step // 10, 0.5, 7.0))
        made.samples.append(Sample(0.1 * step, step, "run", (here, here), (here + 5, here + 5)))
    made.samples.append(Sample(99.0, begin + 100, "end", (here, here), (here + 5 + restart, here)))
    return made


def test_figures_are_slopes_and_differences() -> None:
    small = Pair(1_000, launch(10_000), launch(30_000))
    large = Pair(5_000, launch(50_000), launch(94_000))
    found = measure(References(small, large), launch(95_800, begin=500, restart=900), 10, SPAN)
    # 2 ranks: 88,000 - 40,000 B of 4,000 more grains, and 3,600 B of 9 more agents
    assert found == Figures(
        fixed=28_000, grain=12, grain_peak=12, agent=400, agent_peak=400, agent_restart=100
    )


def test_growth_is_that_of_the_last_quarter_over_the_second() -> None:
    # samples of steps 30, 40 against 80, 90: 3.5 and 8.5 decisions
    found = measure_growth(launch(1_000, growth=10), SPAN)
    assert found.resident == [1_085, 1_085]
    assert found.growth == pytest.approx(50 / 1_035)
    assert found.growth_of_ranks == pytest.approx([50 / 1_035] * 2)
    assert found.growth_per_decision == pytest.approx(20)
    # samples of step 80 against step 90
    assert found.growth_at_end == pytest.approx(10 / 1_080)


def test_each_step_counts_once_in_a_comparison() -> None:
    slow = launch(1_000)
    slow.samples.insert(3, replace(slow.samples[2], resident=(9_000, 9_000)))
    assert slow.resident_at(SPAN.decisions) == pytest.approx([1_000, 1_000])
    assert slow.resident(20, 40) == pytest.approx([3_000, 3_000])
    with pytest.raises(SoakError) as raised:
        slow.resident_at(range(20, 41, 5))
    assert str(raised.value) == (
        "the memory of step 25 is not known (LAMMPS did not tell of it). See its log"
    )


def test_a_window_that_nobody_looked_at_is_an_error() -> None:
    with pytest.raises(SoakError) as raised:
        launch(1_000).resident(41, 49)
    assert str(raised.value) == (
        "the memory of steps 41 to 49 is not known (nobody looked at it in time). Take more steps"
    )


def test_bounds_follow_the_widths() -> None:
    # id, force and torque, time; carry, two actions, value and log-probability; index
    assert pool_row(WIDTHS) == 8 + 48 + 8 + 1024 + 24 + 8 + 4
    wider = make_bounds(1_000_000, 100_000, 2, replace(WIDTHS, carry=512))
    assert wider.predicted_agent - BOUNDS.predicted_agent == pytest.approx(1024)
    assert wider.grain == BOUNDS.grain
    # alone in its surroundings an agent has pages and a neighborhood of its own
    lonely = make_bounds(1_000_000, 100, 2, WIDTHS)
    assert lonely.predicted_agent > 10 * BOUNDS.predicted_agent


def test_small_beds_are_not_judged() -> None:
    assert is_judged(FEWEST_GRAINS)
    assert not is_judged(8_000)


def at_most(bounds: Bounds) -> Figures:
    return Figures(**{name: getattr(bounds, name) for name in Figures.__dataclass_fields__})


def test_what_is_within_bounds_is_no_problem() -> None:
    assert judge("launch 1", at_most(BOUNDS), measure_growth(launch(1_000), SPAN), BOUNDS) == []


def test_what_is_beyond_bounds_is_named() -> None:
    figures = replace(at_most(BOUNDS), grain=17.0, agent=9_000.0)
    growth = measure_growth(launch(1_000, growth=10), SPAN)
    assert judge("launch 2", figures, growth, BOUNDS) == [
        "launch 2: memory grew by 4.83 % from the second quarter to the last (at most 1 % is "
        "allowed; 20 B a decision). Look at samples.csv for when, and for what keeps memory at a "
        "decision",
        "launch 2: memory still grew by 0.93 % within the last quarter (at most 0.1 % is allowed). "
        "Look at samples.csv for what keeps memory at a decision",
        "launch 2: a grain takes 17 B (at most 17 B follow from what the data structures hold, see "
        "memory.py). Find who holds more",
        f"launch 2: an agent takes 9000 B (at most {BOUNDS.agent:.0f} B follow from what the data "
        "structures hold, see memory.py). Find who holds more",
    ]


@pytest.fixture
def restarts(tmp_path):
    """Restarts of 10 agents: of two launches, whose carries differ, and the first one reread."""
    paths = [tmp_path / f"soak-{number}.restart" for number in (1, 2, 3)]
    for path, value in zip(paths, (0.1, 0.2, 0.1), strict=True):
        with h5py.File(f"{path}.pilot.h5", "w") as file:
            file["agents/id"] = np.arange(1, 11)
            file["agents/carry"] = np.full((10, 256), value, np.float32)
    return paths


EXPECTED = Expected(grains=5000, agents=10, half=100, every=10)


def test_what_goes_on_is_no_problem(restarts) -> None:
    assert check((launch(1), launch(1, begin=100)), EXPECTED, restarts) == []


def test_what_was_lost_is_named(restarts) -> None:
    first, second = launch(1), launch(1, begin=100)
    second.rows[3] = replace(second.rows[3], atoms=4999, agents=9)
    second.rows[0] = replace(second.rows[0], momentum=0.0)
    second.rows.pop()
    with h5py.File(f"{restarts[1]}.pilot.h5", "r+") as file:
        file["agents/carry"][4] = 0
    assert check((first, second), EXPECTED, restarts) == [
        "launch 2 has 4999 atoms, 9 agents and 14 decisions at step 130 (5000, 10 and 14 are "
        "right). Find out what was lost, or forgotten at the restart",
        "launch 2 ran from step 100 to 190 (100 to 200 were asked for). See its log",
        "the agents' momentum is 0 after the restart (it was 7 before). Find out what the restart "
        "does not bring back",
        "soak-2.restart.pilot.h5 holds 10 agents, 1 of them without a carry (it should hold agents "
        "1 to 10, each with one). Find out who was lost",
    ]


def test_carries_that_stand_still_are_named(restarts) -> None:
    with h5py.File(f"{restarts[1]}.pilot.h5", "r+") as file:
        file["agents/carry"][3:5] = np.float32(0.1)
    assert check((launch(1), launch(1, begin=100)), EXPECTED, restarts) == [
        "2 carries are those of the first launch's end (all should have gone on). Find out whose "
        "decisions are missing"
    ]


def test_carries_that_the_restart_does_not_bring_back_are_named(restarts) -> None:
    with h5py.File(f"{restarts[2]}.pilot.h5", "r+") as file:
        file["agents/carry"][3:5] = np.float32(0.11)
    assert check((launch(1), launch(1, begin=100)), EXPECTED, restarts) == [
        "2 carries are others after the restart (all should come back bit for bit). Find out what "
        "was lost"
    ]
