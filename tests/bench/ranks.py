"""How DEMPilot's policy scales: two processes of one thread each at once, or two threads of one."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
from figures import OURS, paired
from frameworks import LEAST_CALLS, PEAK_SECONDS, Settings, Size, server


def scaling_record(
    how: str, ranks: int, threads: int, size: Size, rates: Sequence[float], one: Sequence[float],
    peak: float | None = None,
) -> dict[str, Any]:
    """One record; `one` are the rates of one rank with one thread in the same rounds, `peak` is by
    how much the machine's multiply-adds scale."""
    return {
        "contestant": OURS,
        "mode": "ranks",
        "form": how,
        "ranks": ranks,
        "threads": threads,
        "agents": size.agents,
        "rounds": len(rates),
        "agent_steps_per_s": statistics.median(rates),
        "slowest": min(rates),
        "fastest": max(rates),
        "scaling": paired(rates, one),
        "peak_scaling": peak,
    }


def measure_ranks(
    settings: Settings, inputs: int, size: Size, cores: Sequence[int]
) -> list[dict[str, Any]]:
    """One rank; one on each of `cores` at once, each with `size.agents`; as many threads of one."""
    count = len(cores)
    rates: dict[str, list[float]] = {"one rank": [], "ranks": [], "threads": []}
    peaks: list[float] = []
    with ExitStack() as stack:
        def start(name: str, chosen: Sequence[int], policy: bool = True) -> Any:
            log = settings.output / f"{name}.log"
            made = server(settings.policy if policy else None, chosen, log)
            stack.callback(made.close)
            return made

        ranks = [start(f"rank-{n}", [core]) for n, core in enumerate(cores)]
        threads = start("threads", cores)
        one, all_cores = start("machine-1", cores[:1], False), start("machine", cores, False)
        for contestant, agents in (*((rank, size.agents) for rank in ranks),
                                   (threads, count * size.agents)):
            rows = np.random.default_rng(1).standard_normal((agents, inputs), np.float32)
            path = settings.output / "observation.f32"
            rows.tofile(path)
            contestant.ask("prepare", mode="step", steps=1, agents=agents, observation=str(path))
            contestant.ask("run", seconds=0.0, least=1)
        for n in range(settings.rounds):
            settings.say(f"{size} a rank: round {n + 1} of {settings.rounds}")
            work = {"seconds": settings.seconds, "least": LEAST_CALLS}
            alone = ranks[0].turn(ranks[0].ask("run", **work), size.agents)
            for rank in ranks:
                rank.tell("run", **work)
            together = [rank.turn(rank.heard(), size.agents) for rank in ranks]
            threaded = threads.turn(threads.ask("run", **work), count * size.agents)
            rates["one rank"].append(alone.rate(1, settings.clock))
            rates["ranks"].append(sum(turn.rate(1, settings.clock) for turn in together))
            rates["threads"].append(threaded.rate(count, settings.clock))
            peaks.append(all_cores.ask("peak", seconds=PEAK_SECONDS)["flop_per_s"]
                         / one.ask("peak", seconds=PEAK_SECONDS)["flop_per_s"])
    peak = statistics.median(peaks)
    whole = Size("step", 1, count * size.agents)
    return [
        scaling_record("one rank", 1, 1, size, rates["one rank"], rates["one rank"]),
        scaling_record("ranks", count, 1, whole, rates["ranks"], rates["one rank"], peak),
        scaling_record("threads", 1, count, whole, rates["threads"], rates["one rank"], peak),
    ]


def ranks_table(records: Sequence[dict[str, Any]]) -> str:
    """All records of one size."""
    lines = [f"{'':28}{'agents':>9}{'agent-steps/s':>15}{'to one rank':>13}{'peak does':>11}"]
    for record in records:
        name = f"{record['ranks']} rank(s) x {record['threads']} thread(s)"
        peak = record["peak_scaling"]
        lines.append(f"{name:28}{record['agents']:9,}{record['agent_steps_per_s']:15.3g}"
                     f"{record['scaling']:13.2f}{'' if peak is None else f'{peak:.2f}':>11}")
    return "\n".join(lines)
