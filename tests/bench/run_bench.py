#!/usr/bin/env python3
"""Times DEMPilot beside other frameworks, on several ranks, and inside of LAMMPS.

Needs python3, numpy, h5py, matplotlib, the package dempilot, and what `./run bench` names in the
environment: the servers' programs, and the Pythons of the other frameworks.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import frameworks
import lammps
import ranks
from common.contest import positive
from make_bed import make_bed, write_data  # the lighthouse's
from model import BenchError, fresh_weights, read_weights, write_policy
from picture import draw

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

PARTS = ("frameworks", "ranks", "lammps")
RANKS_SIZES = (frameworks.Size("step", 1, 64), frameworks.Size("step", 1, 1024),
               frameworks.Size("step", 1, 16384))
QUICK = {"rounds": 3, "seconds": 0.1, "sizes": ["1", "64", "1024"], "decisions": 20}
FULL = {"rounds": 7, "seconds": 0.3, "sizes": None, "decisions": 200}


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="./run bench", description=__doc__.split("\n")[0],
        epilog="'./run bench micro ARG…' runs the benchmarks of the C++ core: "
               "'./run bench micro --help'.")
    parser.add_argument("part", nargs="?", choices=PARTS, default="frameworks",
                        help="frameworks: side by side (default); ranks: two processes or threads "
                             "against one; lammps: a whole simulation with and without fix pilot")
    parser.add_argument("--only", nargs="+", choices=frameworks.CONTESTANTS, metavar="NAME",
                        default=list(frameworks.CONTESTANTS),
                        help=f"contestants, of {', '.join(frameworks.CONTESTANTS)} (default: all)")
    parser.add_argument("--sizes", nargs="+", metavar="SIZE",
                        help="agents, or steps x agents of a sequence (default: "
                             "1 64 1024 16384 262144 64x1024; of ranks: 64 1024 16384)")
    parser.add_argument("--threads", type=positive, nargs="+", metavar="N",
                        help="each with a core of its own (default: 1 and 2 where there are two)")
    parser.add_argument("--cores", type=int, nargs="+", metavar="CORE", default=allowed_cores(),
                        help="which cores (default: all that it may run on)")
    parser.add_argument("--rounds", type=positive, help=f"default {FULL['rounds']}")
    parser.add_argument("--seconds", type=float,
                        help=f"of a contestant's turn in a round (default {FULL['seconds']})")
    parser.add_argument("--decisions", type=positive,
                        help=f"of the run in LAMMPS (default {FULL['decisions']})")
    parser.add_argument("--every", type=positive, default=10,
                        help="steps between decisions in LAMMPS (default 10)")
    parser.add_argument("--policy", type=Path,
                        help="policy file to compare (default: random weights, default model)")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall",
                        help="cpu: by the time for which threads ran, where others use the cores "
                             "too; not where threads wait for each other (default wall)")
    parser.add_argument("--whole", action="store_true",
                        help="the others take all agents in one call, as they are called by who "
                             "does not help them by a loop over 1,024 at a time")
    parser.add_argument("--quick", action="store_true",
                        help="three short rounds of the smaller sizes: does it work?")
    parser.add_argument("--json", action="store_true", help="one record a line instead of tables")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench",
                        help="folder for records, picture and logs (default: build/bench)")
    options = parser.parse_args(arguments)
    for name, value in (QUICK if options.quick else FULL).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    options.output = options.output.resolve()
    return options


def allowed_cores() -> list[int]:
    """Cores that this process may run on; `taskset` makes them fewer."""
    return sorted(os.sched_getaffinity(0))


def take_cores(cores: Sequence[int], count: int) -> list[int]:
    """The first `count` of them."""
    if count > len(cores):
        raise BenchError(f"{count} threads or ranks have {len(cores)} core(s) (each needs one, or "
                         "they would wait for each other). Ask for fewer, or give more by --cores")
    return list(cores[:count])


def progress() -> Callable[[str], None]:
    """Shows on stderr what is being done, with the time since the start."""
    begin = time.monotonic()

    def say(text: str) -> None:
        passed = int(time.monotonic() - begin)
        print(f"[{passed // 60:2d}:{passed % 60:02d}] {text}", file=sys.stderr, flush=True)

    return say


class Output:
    """Records go to a file, and either they or tables to stdout."""

    def __init__(self, path: Path, as_json: bool) -> None:
        self._path = path
        self._as_json = as_json
        self.records: list[dict[str, Any]] = []
        path.write_text("")

    def add(self, records: Iterable[dict[str, Any]], text: str) -> None:
        """Records and the table that shows them."""
        with self._path.open("a") as file:
            for record in records:
                self.records.append(record)
                line = json.dumps(record)
                print(line, file=file)
                if self._as_json:
                    print(line, flush=True)
        if not self._as_json:
            print(text + "\n", flush=True)


def processor() -> str:
    """What the machine calls its processor."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def make_settings(options: argparse.Namespace, say: Callable[[str], None]) -> frameworks.Settings:
    """With the policy file that is measured."""
    policy = options.policy
    if policy is None:
        policy = options.output / "bench.policy.h5"
        write_policy(policy, fresh_weights())
    sizes = [frameworks.parse_size(size) for size in options.sizes or ()]
    return frameworks.Settings(policy=policy.resolve(), output=options.output, sizes=sizes,
                               names=options.only, rounds=options.rounds,
                               seconds=options.seconds, clock=options.clock,
                               whole=options.whole, say=say)


def compare_frameworks(options: argparse.Namespace, settings: frameworks.Settings,
                       output: Output) -> None:
    """The part `frameworks`."""
    weights = read_weights(settings.policy)
    threads = options.threads or [n for n in (1, 2) if n <= len(options.cores)]
    for count in threads:
        cores = take_cores(options.cores, count)
        with frameworks.Comparison(settings, weights, cores).started() as comparison:
            for size in settings.sizes or frameworks.SIZES:
                records, limits, text = comparison.compare(size)
                machine = {
                    "peak_flop_per_s": statistics.median(limit.flop_per_s for limit in limits),
                    "rested_peak_flop_per_s": statistics.median(
                        limit.rested_flop_per_s for limit in limits),
                    "copy_bytes_per_s": statistics.median(limit.bytes_per_s for limit in limits),
                }
                output.add([record.as_dict() | machine for record in records], text)
                warn_of_others(records, settings.say)
        output.add([], f"{processor()}, core(s) {cores}: "
                       f"{machine['peak_flop_per_s'] / 1e9:.1f} GFLOP/s of multiply-adds at "
                       f"work, {machine['rested_peak_flop_per_s'] / 1e9:.1f} rested, "
                       f"{machine['copy_bytes_per_s'] / 1e9:.1f} GB/s copied")


def warn_of_others(records: Sequence[Any], say: Callable[[str], None]) -> None:
    """Where the cores were not the contestants' own, the figures are too low."""
    disturbed = [record.contestant for record in records
                 if record.cpu_share < 0.95 and record.threads == 1 and record.clock == "wall"]
    if disturbed:
        say(f"warning: others ran on the same core as {', '.join(disturbed)} (the figures are too "
            "low). Choose an idle core by --cores and repeat, or count by --clock cpu")


def compare_ranks(options: argparse.Namespace, settings: frameworks.Settings,
                  output: Output) -> None:
    """The part `ranks`."""
    inputs = read_weights(settings.policy).inputs
    cores = take_cores(options.cores, max(options.threads or [2]))
    for size in settings.sizes or RANKS_SIZES:
        records = ranks.measure_ranks(settings, inputs, size, cores)
        output.add(records, ranks.ranks_table(records))


def compare_lammps(options: argparse.Namespace, settings: frameworks.Settings,
                   output: Output) -> None:
    """The part `lammps`."""
    for count in options.threads or [n for n in (1, 2) if n <= len(options.cores)]:
        cores = take_cores(options.cores, count)
        os.sched_setaffinity(0, cores)  # the ranks inherit it
        folder = options.output / f"lammps-{count}"
        folder.mkdir(exist_ok=True)
        write_data(make_bed(1), folder / "bed.data")
        simulation = lammps.Simulation(folder, count, options.every, options.decisions)
        settings.say(f"LAMMPS, {count} rank(s): writing down what agents do")
        simulation.prepare()
        runs: dict[str, list[lammps.Run]] = {name: [] for name in lammps.CONTESTANTS}
        for n in range(settings.rounds):
            for name in lammps.CONTESTANTS[::1 if n % 2 else -1]:
                settings.say(f"LAMMPS, {count} rank(s): round {n + 1} of {settings.rounds}, {name}")
                runs[name].append(simulation.run(name))
        lammps.check_motion(runs["pushed"][0], runs["fix pilot"][0])
        records = lammps.lammps_records(runs, ranks=count, every=options.every,
                                        clock=options.clock)
        output.add(records, lammps.lammps_table(records))


def main() -> int:
    """Runs one part; returns the exit status."""
    options = parse()
    say = progress()
    try:
        options.output.mkdir(parents=True, exist_ok=True)
        settings = make_settings(options, say)
        output = Output(options.output / f"{options.part}.jsonl", options.json)
        {"frameworks": compare_frameworks, "ranks": compare_ranks,
         "lammps": compare_lammps}[options.part](options, settings, output)
        if options.part == "frameworks":
            say(f"picture: {draw(output.records, options.output / 'frameworks.png')}")
        say(f"records: {options.output / options.part}.jsonl")
    except (BenchError, OSError) as error:
        print(f"run_bench.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
