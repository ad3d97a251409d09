"""Figures from turns: medians, spreads, shares, ratios, tables."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

OURS = "dempilot"


@dataclass(frozen=True)
class Turn:
    """What one contestant did in one round."""

    agent_steps: int
    seconds: float
    cpu_seconds: float  #: of all its threads

    def rate(self, threads: int, clock: str) -> float:
        """Agent-steps a second; with the clock "cpu" of the time for which its threads ran, which
        on a core that others use too is less than what passed."""
        return self.agent_steps / (self.cpu_seconds / threads if clock == "cpu" else self.seconds)


@dataclass(frozen=True)
class Limits:
    """What the machine did in one round."""

    flop_per_s: float  #: multiply-adds in float32, at the clock of the contestants' work
    bytes_per_s: float  #: of a copy, reads and writes together
    rested_flop_per_s: float  #: multiply-adds and nothing else, which leaves the clock higher


@dataclass(frozen=True)
class Record:
    """One contestant at one size."""

    contestant: str
    form: str
    mode: str  #: "step", "sequence"
    steps: int  #: of a call
    agents: int
    threads: int
    clock: str  #: "wall" or "cpu"
    whole: bool  #: peers took all agents at once
    rounds: int
    agent_steps_per_s: float  #: median over the rounds
    slowest: float
    fastest: float
    seconds_per_call: float  #: from the median
    peak_share: float  #: of the multiply-adds in the same round, at the same clock, median
    rested_peak_share: float  #: the same of a core that does nothing but multiply
    bandwidth_share: float  #: of the copy in the same round, median
    ratio_to_best_peer: float | None  #: median of the ratios in the same round
    cpu_share: float  #: of its cores' time that it used; below 1 it waited, for others perhaps

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def best_peer(rates: Mapping[str, Sequence[float]]) -> str | None:
    """The contestant, DEMPilot aside, whose median rate is the highest."""
    peers = {name: statistics.median(rate) for name, rate in rates.items() if name != OURS}
    return max(peers, key=peers.__getitem__) if peers else None


def paired(over: Sequence[float], under: Sequence[float]) -> float:
    """Median of the ratios of two series, round by round: what changes from round to round, as the
    clock does, drops out."""
    return statistics.median(a / b for a, b in zip(over, under, strict=True))


def judge(
    turns: Mapping[str, Sequence[Turn]],
    limits: Sequence[Limits],
    *,
    forms: Mapping[str, str],
    mode: str,
    steps: int,
    agents: int,
    threads: int,
    clock: str,
    whole: bool = False,
    flop: int,
    moved: int,
) -> list[Record]:
    """One record for each contestant; `flop` and `moved` bytes are those of an agent-step."""
    rates = {name: [turn.rate(threads, clock) for turn in series]
             for name, series in turns.items()}
    peer = best_peer(rates)
    records = []
    for name, series in turns.items():
        rate = rates[name]
        median = statistics.median(rate)
        cpu = sum(turn.cpu_seconds for turn in series) / sum(turn.seconds for turn in series)
        records.append(Record(
            contestant=name, form=forms.get(name, ""), mode=mode, steps=steps, agents=agents,
            threads=threads, clock=clock, whole=whole, rounds=len(series), agent_steps_per_s=median,
            slowest=min(rate), fastest=max(rate), seconds_per_call=steps * agents / median,
            peak_share=flop * paired(rate, [limit.flop_per_s for limit in limits]),
            rested_peak_share=flop * paired(rate, [limit.rested_flop_per_s for limit in limits]),
            bandwidth_share=moved * paired(rate, [limit.bytes_per_s for limit in limits]),
            ratio_to_best_peer=None if peer is None else paired(rate, rates[peer]),
            cpu_share=cpu / threads,
        ))
    return records


def duration(seconds: float) -> str:
    """Three digits and a unit."""
    for unit, size in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def table(records: Sequence[Record]) -> str:
    """All contestants at one size."""
    lines = [f"{'':16}{'agent-steps/s':>14}{'slowest to fastest':>22}{'a call':>10}"
             f"{'of peak':>9}{'rested':>9}{'of memory':>11}{'to best peer':>14}  form"]
    for record in sorted(records, key=lambda record: -record.agent_steps_per_s):
        spread = f"{record.slowest:.3g} to {record.fastest:.3g}"
        ratio = record.ratio_to_best_peer
        lines.append(
            f"{record.contestant:16}{record.agent_steps_per_s:14.3g}{spread:>22}"
            f"{duration(record.seconds_per_call):>10}{100 * record.peak_share:7.1f} %"
            f"{100 * record.rested_peak_share:7.1f} %"
            f"{100 * record.bandwidth_share:9.1f} %"
            f"{'' if ratio is None else f'{ratio:.2f}':>14}  {record.form}"
        )
    return "\n".join(lines)


def weights_line(weight_bytes: int, bytes_per_s: float) -> str:
    """How long a single agent's step takes at least: its weights are read once."""
    return (f"reading the weights once, {weight_bytes / 1024:.0f} KiB from the nearest cache that "
            f"holds them: {duration(weight_bytes / bytes_per_s)}")


def largest_difference(found: Sequence[float], expected: Sequence[float]) -> float:
    """Largest |a - b| / max(1, |b|); NaN counts as infinite."""
    if len(found) != len(expected):
        return float("inf")
    worst = 0.0
    for a, b in zip(found, expected, strict=True):
        difference = abs(a - b) / max(1.0, abs(b))
        if not difference <= worst:
            worst = difference if difference == difference else float("inf")
    return worst
