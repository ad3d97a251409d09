"""What the plugin may hold, from its data structures, and what it was seen to hold.

The bounds below were written before the first run. All are in bytes over all ranks, of one grain
(an atom, agent or not) or of one agent. `Widths` are those of the policy. LAMMPS itself holds the
same in all runs that are compared, so that differences of resident sets are the plugin's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from launch import Launch

SLACK = 1.2  #: allocators round up, vectors and Kokkos views are a little larger than they are full
MOST_GROWTH = 0.01  #: of the mean resident set, from a launch's second quarter to its last
#: Of the same, from the first half of the last quarter to its second. Buffers that grow once, in
#: the launch's first half, are no leak; what still grows here is.
MOST_GROWTH_AT_END = 0.001

#: With fewer grains, bounds are not judged. A rank has some 10 MiB of its own for the library,
#: HDF5, the weights and buffers of MPI, whose size differs from run to run by some 100 KiB. That is
#: less than 1 B a grain at a million grains, and 25 B a grain, twice the bound, at 8,000; and as a
#: share of the small process it could pass for growth, or hide it.
FEWEST_GRAINS = 300_000

#: What the first use of the plugin touches of its library, of Kokkos and of HDF5: 2 MiB of code and
#: tables of each; 0.5 MiB of weights with their copies; 1 MiB of buffers; and as much again.
MOST_FIXED = 16 * 2**20  # of a rank

#: AgentPool's row number (4) and OutputRows' pointer (8), for every atom that LAMMPS stores.
GRAIN = 4 + 8
#: LAMMPS stores ghosts beside own atoms, here 8 of 100, and rounds up to 16,384.
STORED = 1.15

#: What is seen of a particle: position, identity and velocity in the SeenCloud.
SEEN = 24 + 8 + 24
#: A particle in the CellList that sorts what is seen (index, position, cell, place in it, and 0.8
#: cells), and a candidate of the HaloExchange.
SORTED = 4 + 24 + 4 + 4 + 4 + 4
PAGE_BYTES = 4096


@dataclass(frozen=True)
class Widths:
    """Widths of the policy, in floats, and how far it senses, in diameters of a grain."""

    carry: int
    action: int
    observation: int
    reach: float


def pool_row(widths: Widths) -> int:
    """An agent's row in the AgentPool: see AgentColumns.h; the last 4 are its atom's index."""
    return 8 + 48 + 8 + 4 * (widths.carry + 2 * widths.action + 2) + 4


def private(widths: Widths) -> int:
    """All that belongs to an agent alone, whatever surrounds it.

    Its row in the pool, its row of observations, its identity and place in the Scene, and its
    position in what agents of this rank tell of themselves, twice.
    """
    return pool_row(widths) + 4 * widths.observation + 8 + 2 * 24


def shared(grains: int, agents: int, ranks: int, widths: Widths) -> float:
    """What the neighborhoods and output rows of the agents hold, of one agent.

    Output rows lie where LAMMPS strides through them, a page of 4 KiB at a time: a page is in
    memory if one of its atoms is an agent. Particles are seen if they are within two cells, as wide
    as the range, of an agent; with more than one agent in a hundred these are all. A rank also sees
    a shell of two cells around it; those of its other ranks' were also packed, sent and received.
    """
    row = 8 * (9 + widths.action)
    share = agents / grains
    touched = 1 - (1 - share) ** (PAGE_BYTES / row)
    seen = 1 - (1 - share) ** ((5 * widths.reach) ** 3 * 1.414)
    side = (grains / ranks / 1.414) ** (1 / 3)  # of a rank's part, as a cube of 1.414 grains/d^3
    shell = (1 + 4 * widths.reach / side) ** 2 - 1  # z has no neighbors
    sent = 3 * SEEN * shell if ranks > 1 else 0.0
    return (row * touched + seen * ((SEEN + SORTED) * (1 + shell) + sent)) / share


@dataclass(frozen=True)
class Bounds:
    """Most bytes that are allowed of each of the Figures, and those predicted, without slack."""

    fixed: float
    grain: float
    grain_peak: float
    agent: float
    agent_peak: float
    agent_restart: float
    predicted_grain: float
    predicted_agent: float
    predicted_agent_peak: float
    predicted_agent_restart: float


def is_judged(grains: int) -> bool:
    """Whether a bed is large enough for its memory to be measured against references."""
    return grains >= FEWEST_GRAINS


def make_bounds(grains: int, agents: int, ranks: int, widths: Widths) -> Bounds:
    """The bounds of a soak, from the widths of its policy and the numbers of grains and agents.

    At its peak an agent also holds its row in the pool once more, while the rows move to a larger
    array. To write a restart, rank 0 gathers the rows of all agents, as bytes and as columns, or as
    columns and sorted by id: twice a row.
    """
    row = pool_row(widths)
    grain = STORED * GRAIN
    agent = private(widths) + shared(grains, agents, ranks, widths)
    return Bounds(
        fixed=float(MOST_FIXED * ranks),
        grain=SLACK * grain,
        grain_peak=SLACK * grain,
        agent=SLACK * agent,
        agent_peak=SLACK * (agent + row),
        agent_restart=SLACK * 2 * row,
        predicted_grain=grain,
        predicted_agent=agent,
        predicted_agent_peak=agent + row,
        predicted_agent_restart=2.0 * row,
    )


@dataclass(frozen=True)
class Pair:
    """The same launch of a bed without the fix and with one agent, `grains` large."""

    grains: int
    without: Launch
    one: Launch


@dataclass(frozen=True)
class References:
    """The beds with which a launch is compared: a small one, and one as large as its own."""

    small: Pair
    large: Pair


@dataclass(frozen=True)
class Span:
    """Which steps of a launch are compared: with references, those of decisions."""

    steps: int  #: of the launch
    every: int  #: from one decision to the next
    first: int  #: the first that is compared with references
    last: int  #: the last

    @property
    def decisions(self) -> range:
        """The steps that are compared with references."""
        return range(self.first, self.last + 1, self.every)


@dataclass(frozen=True)
class Growth:
    """How the resident sets of one launch changed, in bytes unless it says otherwise."""

    resident: list[float]  #: of each rank, mean of the last quarter
    peak: list[float]  #: of each rank, the writing of the restart included
    growth: float  #: of all ranks, from the second quarter to the last, a fraction
    growth_at_end: float  #: of all ranks, within the last quarter, a fraction
    growth_of_ranks: list[float]
    growth_per_decision: float  #: of all ranks


@dataclass(frozen=True)
class Figures:
    """What one launch held, in bytes over all ranks; see Bounds for why."""

    fixed: float  #: whatever the number of grains and agents
    grain: float
    grain_peak: float
    agent: float
    agent_peak: float
    agent_restart: float


def quarters(launch: Launch, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean resident set of each rank in the second quarter of a launch and in the last, in bytes.

    The last step is left out: LAMMPS may be writing the restart when one looks.
    """
    return (launch.resident(steps // 4, steps // 2 - 1),
            launch.resident(steps - steps // 4, steps - 1))


def measure_growth(launch: Launch, span: Span) -> Growth:
    """How the memory of a launch changed while it ran."""
    early, late = quarters(launch, span.steps)
    between = span.steps / 2 / span.every  # decisions from the middle of one to that of the other
    eighth = span.steps // 8
    before = launch.resident(span.steps - 2 * eighth, span.steps - eighth - 1).sum()
    after = launch.resident(span.steps - eighth, span.steps - 1).sum()
    return Growth(
        resident=[float(n) for n in late],
        peak=[float(n) for n in launch.final_peak()],
        growth=float(late.sum() / early.sum() - 1),
        growth_at_end=float(after / before - 1),
        growth_of_ranks=[float(n) for n in late / early - 1],
        growth_per_decision=float((late.sum() - early.sum()) / between),
    )


def measure(references: References, launch: Launch, agents: int, span: Span) -> Figures:
    """Compares a launch of `agents` agents with references of the same number of steps."""
    small, large = references.small, references.large

    def resident(of: Launch) -> float:
        return float(of.resident_at(span.decisions).sum())

    def peak(of: Launch) -> float:
        return float(of.peak(span.last).sum())

    def to_write(of: Launch, settled: np.ndarray) -> float:
        return float((of.final_peak() - settled).sum())

    more = large.grains - small.grains
    tiny = resident(small.one) - resident(small.without)
    tiny_peak = peak(small.one) - peak(small.without)
    grain = (resident(large.one) - resident(large.without) - tiny) / more
    restart = to_write(launch, quarters(launch, span.steps)[1]) - to_write(
        large.one, large.one.resident_at(span.decisions))
    return Figures(
        fixed=tiny - grain * small.grains,
        grain=grain,
        grain_peak=(peak(large.one) - peak(large.without) - tiny_peak) / more,
        agent=(resident(launch) - resident(large.one)) / (agents - 1),
        agent_peak=(peak(launch) - peak(large.one)) / (agents - 1),
        agent_restart=restart / (agents - 1),
    )


def judge(name: str, figures: Figures, growth: Growth, bounds: Bounds) -> list[str]:
    """What is wrong with the memory of a launch; messages read "problem (why) what to do"."""
    problems = []
    if growth.growth > MOST_GROWTH:
        problems.append(
            f"{name}: memory grew by {100 * growth.growth:.2f} % from the second quarter to the "
            f"last (at most {100 * MOST_GROWTH:g} % is allowed; {growth.growth_per_decision:.0f} B "
            "a decision). Look at samples.csv for when, and for what keeps memory at a decision")
    if growth.growth_at_end > MOST_GROWTH_AT_END:
        problems.append(
            f"{name}: memory still grew by {100 * growth.growth_at_end:.2f} % within the last "
            f"quarter (at most {100 * MOST_GROWTH_AT_END:g} % is allowed). Look at samples.csv for "
            "what keeps memory at a decision")
    for what, figure in (
        ("the fix itself takes", "fixed"),
        ("a grain takes", "grain"),
        ("a grain takes at the peak", "grain_peak"),
        ("an agent takes", "agent"),
        ("an agent takes at the peak", "agent_peak"),
        ("to write the restart an agent takes", "agent_restart"),
    ):
        found, most = getattr(figures, figure), getattr(bounds, figure)
        if found > most:
            problems.append(f"{name}: {what} {found:.0f} B (at most {most:.0f} B follow from what "
                            "the data structures hold, see memory.py). Find who holds more")
    return problems
