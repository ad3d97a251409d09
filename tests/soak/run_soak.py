#!/usr/bin/env python3
"""Soak: a million grains, one in ten an agent, in two launches; what is lost and what it costs.

The bed is run in two launches, the second from the restart of the first; then beds without the fix
and with one agent, in two launches of a few decisions each, tell what the plugin holds of it. Each
second, and at each decision, the resident set of every rank is read from /proc.

Needs python3, numpy, h5py and the package dempilot; from the environment it takes DEMPILOT_LMP
(the LAMMPS binary), LAMMPS_PLUGIN_PATH (the folder of dempilotplugin.so) and DEMPILOT_MPIRUN
(mpirun with its options). `./run soak` sets them.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import json
import math
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import memory
import policy
import resumption
from launch import HERE, MIB, Launch, Sample, SoakError, Watch, command

from dempilot.contract import parse_contract

SMALL_BED = 2_000  #: grains of the bed that tells what the fix holds whatever the number of grains
#: The decisions whose memory is compared with that of the references. Before, LAMMPS has not yet
#: rebuilt its neighbor lists, and agents have not changed ranks.
FIRST_DECISION, LAST_DECISION = 5, 9
SEED = 1

#: What the table tells: a name, the figure, its unit and format.
ROWS = (
    ("the fix itself, KiB", "fixed", 1 / 1024, ",.0f"),
    ("a grain, B", "grain", 1, ".1f"),
    ("a grain, at the peak, B", "grain_peak", 1, ".1f"),
    ("an agent, B", "agent", 1, ",.0f"),
    ("an agent, at the peak, B", "agent_peak", 1, ",.0f"),
    ("an agent, to write the restart, B", "agent_restart", 1, ",.0f"),
    ("growth, %", "growth", 100, ".3f"),
    ("growth at the end, %", "growth_at_end", 100, ".3f"),
    ("growth a decision, B", "growth_per_decision", 1, ",.0f"),
)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--grains", type=int, default=1_000_000,
                        help="grains, agents included (default 1,000,000)")
    parser.add_argument("--agents", type=int, default=100_000,
                        help="how many of them are agents (default 100,000)")
    parser.add_argument("--steps", type=int, default=1_000,
                        help="time steps, half of them in each launch (default 1,000)")
    parser.add_argument("--every", type=int, default=10,
                        help="time steps from one decision to the next (default 10)")
    parser.add_argument("--ranks", type=int, default=2, help="MPI ranks of LAMMPS (default 2)")
    parser.add_argument("--output", type=Path, default=HERE.parent.parent / "build" / "soak",
                        help="folder for what comes out (default: build/soak)")
    options = parser.parse_args()
    if options.ranks < 1 or options.every < 1:
        parser.error("--ranks and --every must be at least 1")
    if not 2 <= options.agents <= options.grains or options.grains < SMALL_BED:
        parser.error(f"--agents must be 2 to --grains, and --grains at least {SMALL_BED}")
    # Halves are whole decisions, so that the second launch begins where the first one decided, and
    # no shorter than the references.
    fewest = 2 * (LAST_DECISION + 1)
    if options.steps % (2 * options.every) or options.steps < fewest * options.every:
        parser.error(f"--steps must be a multiple of 2 x --every, and at least {fewest} x --every")
    options.output = options.output.resolve()
    return options


def bed_size(grains: int) -> dict[str, int]:
    """Length, width and height in fcc cells, of 4 grains each, of a bed twice as long as wide."""
    side = max(4, round((grains / 8) ** (1 / 3)))
    return {"length": math.ceil(grains / (4 * side * side)), "width": side, "height": side}


def show(label: str, last: int) -> Callable[[Sample], None]:
    """Shows how far a launch has come: each second on a terminal, else five times a launch."""
    shown = [0.0]

    def line(sample: Sample) -> None:
        resident = " + ".join(f"{n / MIB:.0f}" for n in sample.resident)
        text = (f"  {label}: {sample.phase}, step {max(sample.step, 0)} of {last}, "
                f"{sample.seconds:.0f} s, {resident} MiB")
        if sys.stdout.isatty():
            print(f"\r{text:<98}", end="\n" if sample.phase == "end" else "", flush=True)
        elif sample.phase == "end" or sample.seconds >= shown[0] + 20:
            shown[0] = sample.seconds
            print(text, flush=True)

    return line


class Soak:
    """The runs of one soak, in one folder."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self.policy = options.output / "soak.policy.h5"

    def run(self, name: str, grains: int, agents: int, steps: int) -> tuple[Launch, Launch]:
        """A bed in two launches of `steps` each, the second from the restart of the first.

        Without agents the fix is left out.
        """
        first = self._launch(name, 1, grains, agents, steps)
        second = self._launch(name, 2, grains, agents, steps)
        return first, second

    def reread(self, name: str, grains: int, agents: int) -> None:
        """Reads the restart of the first launch, and writes it again at once, as a third one."""
        self._launch(name, 3, grains, agents, 0)

    def restart(self, name: str, number: int) -> Path:
        """What launch `number` of `name` writes."""
        return self._options.output / f"{name}-{number}.restart"

    def _launch(self, name: str, number: int, grains: int, agents: int, steps: int) -> Launch:
        options = self._options
        variables = {
            "here": HERE,
            "launch": number,
            "from": self.restart(name, 1),
            "to": self.restart(name, number),
            "piloted": int(agents > 0),
            "policy": self.policy,
            "steps": steps,
            "every": options.every,
            "grains": grains,
            "agents": max(agents, 1),
            **bed_size(grains),
        }
        label = f"{name}, launch {number}"
        call = command(options.ranks, variables, options.output / f"{name}-{number}.log")
        last = number * steps if steps else options.steps // 2
        return Watch(call, options.ranks, options.output, show(label, last)).run()

    def remove_restarts(self) -> None:
        """They are large, and of no more use."""
        for path in self._options.output.glob("*.restart*"):
            path.unlink()

    def write_samples(self, launches: tuple[Launch, Launch]) -> None:
        """samples.csv: a line for each look at the memory of the soak's ranks, in bytes."""
        ranks = range(self._options.ranks)
        with (self._options.output / "samples.csv").open("w", newline="") as file:
            out = csv.writer(file)
            out.writerow(["launch", "seconds", "step", "phase", *(f"resident_{r}" for r in ranks),
                          *(f"peak_{r}" for r in ranks)])
            for number, launch in enumerate(launches, 1):
                for s in launch.samples:
                    when = [number, f"{s.seconds:.2f}", s.step, s.phase]
                    out.writerow([*when, *s.resident, *s.peak])


def run_references(soak: Soak, options: argparse.Namespace,
                   span: memory.Span) -> list[memory.References]:
    """The beds with which the launches are compared, for each of the two launches."""
    runs = {}
    for size, grains in (("small", SMALL_BED), ("large", options.grains)):
        for case, agents in (("without", 0), ("one", 1)):
            # a decision more than is compared: its memory may be that of the restart's writing
            runs[size, case] = soak.run(f"{size}-{case}", grains, agents, span.last + span.every)
    return [memory.References(
        memory.Pair(SMALL_BED, runs["small", "without"][k], runs["small", "one"][k]),
        memory.Pair(options.grains, runs["large", "without"][k], runs["large", "one"][k]))
        for k in (0, 1)]


def table(summary: dict) -> str:
    """The result, as a table in Markdown; what was not measured is left out."""
    bounds = {}
    if summary["memory_judged"]:
        bounds = {**summary["bounds"], "growth": summary["most_growth"],
                  "growth_at_end": summary["most_growth_at_end"]}
    lines = ["| memory, of all ranks | predicted | at most | launch 1 | launch 2 |",
             "| --- | --- | --- | --- | --- |"]
    for what, name, unit, how in ROWS:
        if name not in summary["launches"][0]:
            continue
        cells = [bounds.get(f"predicted_{name}"), bounds.get(name),
                 *(launch[name] for launch in summary["launches"])]
        told = ["" if cell is None else format(unit * cell, how) for cell in cells]
        lines.append(f"| {what} | {' | '.join(told)} |")
    for what in ("resident", "peak"):
        told = [" + ".join(f"{n / MIB:.0f}" for n in launch[what])
                for launch in summary["launches"]]
        lines.append(f"| {what}, of each rank, MiB | | | {' | '.join(told)} |")
    return "\n".join(lines)


def soak_and_judge(options: argparse.Namespace) -> tuple[dict, list[str]]:
    """Runs everything; returns what summary.json holds of it, and the problems."""
    half = options.steps // 2
    span = memory.Span(half, options.every, FIRST_DECISION * options.every,
                       LAST_DECISION * options.every)
    contract = parse_contract(policy.CONTRACT)
    widths = memory.Widths(policy.CARRY, policy.ACTIONS, policy.observation_width(contract),
                           policy.RANGE)
    bounds = memory.make_bounds(options.grains, options.agents, options.ranks, widths)
    soak = Soak(options)
    policy.write_policy(soak.policy, SEED)
    try:
        launches = soak.run("soak", options.grains, options.agents, half)
        soak.reread("soak", options.grains, options.agents)
        soak.write_samples(launches)
        expected = resumption.Expected(options.grains, options.agents, half, options.every)
        problems = resumption.check(launches, expected,
                                    [soak.restart("soak", number) for number in (1, 2, 3)])
        growth = [memory.measure_growth(launch, span) for launch in launches]
        found = [dataclasses.asdict(changes) for changes in growth]
        if memory.is_judged(options.grains):
            for k, references in enumerate(run_references(soak, options, span)):
                held = memory.measure(references, launches[k], options.agents, span)
                problems += memory.judge(f"launch {k + 1}", held, growth[k], bounds)
                found[k] |= dataclasses.asdict(held)
    finally:
        soak.remove_restarts()
    return {"bounds": dataclasses.asdict(bounds), "launches": found}, problems


def main() -> int:
    """Runs the soak; returns the exit status."""
    options = parse()
    # As after Ctrl-C, LAMMPS must not go on alone.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    options.output.mkdir(parents=True, exist_ok=True)
    print(f"{options.grains:,} grains, {options.agents:,} of them agents, {options.steps} steps in "
          f"two launches, a decision every {options.every}, {options.ranks} ranks", flush=True)
    judged = memory.is_judged(options.grains)
    if not judged:
        print(f"Only what is lost is judged, not the memory: below {memory.FEWEST_GRAINS:,} grains "
              "the processes' own hides that of the grains.", flush=True)
    begin = time.monotonic()
    try:
        measured, problems = soak_and_judge(options)
    except SoakError as error:
        print(f"\nrun_soak.py: {error}", file=sys.stderr)
        return 1
    seconds = time.monotonic() - begin
    asked = {key: getattr(options, key) for key in ("grains", "agents", "steps", "every", "ranks")}
    summary = {**asked, "seconds": seconds, "memory_judged": judged,
               "most_growth": memory.MOST_GROWTH,
               "most_growth_at_end": memory.MOST_GROWTH_AT_END, **measured, "problems": problems}
    results = options.output / "summary.json"
    results.write_text(json.dumps(summary, indent=2) + "\n")
    print(f"\n{table(summary)}\n\n{seconds:.0f} s, results: {results}", flush=True)
    for problem in problems:
        print(f"run_soak.py: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
