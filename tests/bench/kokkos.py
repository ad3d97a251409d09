"""What fix pilot/kk costs a bed of grains in LAMMPS with KOKKOS, on a device or on threads."""

from __future__ import annotations

import argparse
import math
import os
import shlex
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from lammps import LOOP, PHASES, PILOT
from model import BenchError
from policy import write_policy

HERE = Path(__file__).resolve().parent
SOAK = HERE.parent / "soak"


@dataclass(frozen=True)
class Run:
    """One run of LAMMPS: seconds of a step, and of them those of the fix's phases."""

    step: float  #: as it is
    timed_step: float  #: waiting for the device
    phases: tuple[float, ...]  #: of each step, while waiting for the device; or none

    @property
    def share(self) -> float:
        """The fix's share of a step."""
        return sum(self.phases) / self.timed_step


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="./run bench kk", description=__doc__,
        epilog="Kokkos_ROOT, LAMMPS_SOURCE_DIR and LAMMPS_BINARY name your LAMMPS with KOKKOS.")
    parser.add_argument("--grains", type=int, default=1_000_000, help="agents included")
    parser.add_argument("--agents", type=int, default=100_000)
    parser.add_argument("--every", type=int, default=10, help="steps from decision to decision")
    parser.add_argument("--steps", type=int, default=200, help="that are timed, in each run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--precision", default="fp32", help="fp32, tf32x3, tf32 or bf16")
    parser.add_argument("--kokkos", default="-k on g 1 -sf kk -pk kokkos neigh half",
                        help='how LAMMPS uses KOKKOS (default "-k on g 1 -sf kk -pk kokkos neigh '
                             'half"; on a host "-k on t 2 -sf kk")')
    parser.add_argument("--output", type=Path, default=HERE.parent.parent / "build" / "bench",
                        help="folder for policy and logs (default: build/bench)")
    options = parser.parse_args()
    if options.steps < options.every or options.every < 1:
        parser.error("--steps must be at least --every, and --every at least 1")
    return options


def parse_log(text: str, steps: int) -> Run:
    """The last two runs of a log."""
    loops = LOOP.findall(text)
    if len(loops) < 3:
        raise BenchError("LAMMPS's log has fewer than 3 runs (it ended early). See the log")
    said = PILOT.findall(text)
    phases = tuple(float(phase) / steps for phase in said[-1][2:]) if said else ()
    return Run(float(loops[-2][0]) / steps, float(loops[-1][0]) / steps, phases)


def simulate(options: argparse.Namespace, policy: Path, pilot: bool) -> Run:
    """Runs LAMMPS with the fix, or without it."""
    side = max(4, round((options.grains / 8) ** (1 / 3)))
    variables = {
        "pilot": int(pilot), "plugin": os.environ["DEMPILOT_KK_PLUGIN"], "soak": SOAK,
        "policy": policy, "precision": options.precision, "every": options.every,
        "steps": options.steps, "length": math.ceil(options.grains / (4 * side * side)),
        "width": side, "height": side, "grains": options.grains, "agents": options.agents}
    log = options.output / f"kk-{'pilot' if pilot else 'bed'}.log"
    call = [os.environ["DEMPILOT_LMP"], *shlex.split(options.kokkos), "-in",
            str(HERE / "kokkos.in"), "-log", str(log), "-screen", "none"]
    if options.ranks > 1:
        call = [*shlex.split(os.environ.get("DEMPILOT_MPIRUN", "mpirun")), "-np",
                str(options.ranks), *call]
    for key, value in variables.items():
        call += ["-var", key, str(value)]
    done = subprocess.run(call, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    if done.returncode != 0:
        raise BenchError(f"LAMMPS failed with {done.returncode} (see {log}). It said:\n"
                         + done.stdout[-1000:])
    return parse_log(log.read_text(), options.steps)


def main() -> int:
    """Runs all rounds and prints medians; returns the exit status."""
    options = parse()
    try:
        options.output.mkdir(parents=True, exist_ok=True)
        policy = options.output / "kk.policy.h5"
        write_policy(policy, 1)
        runs: dict[bool, list[Run]] = {True: [], False: []}
        for n in range(options.rounds):
            for pilot in (n % 2 == 0, n % 2 == 1):
                print(f"round {n + 1} of {options.rounds}, {'with' if pilot else 'without'} the "
                      "fix", file=sys.stderr, flush=True)
                runs[pilot].append(simulate(options, policy, pilot))
    except (BenchError, OSError) as error:
        print(f"kokkos.py: {error}", file=sys.stderr)
        return 1
    show(options, runs)
    return 0


def show(options: argparse.Namespace, runs: dict[bool, list[Run]]) -> None:
    """The medians, and the extremes of the fix's share."""
    def median(pilot: bool, what: str) -> float:
        return statistics.median(getattr(run, what) for run in runs[pilot])

    shares = sorted(run.share for run in runs[True])
    print(f"{options.grains} grains, {options.agents} of them agents that decide every "
          f"{options.every} steps in {options.precision}; {options.ranks} rank(s), "
          f"{options.kokkos}; medians of {options.rounds}")
    print(f"  a step without the fix      {1e3 * median(False, 'step'):9.3f} ms")
    print(f"  a step with it              {1e3 * median(True, 'step'):9.3f} ms")
    print(f"  the same, timed             {1e3 * median(True, 'timed_step'):9.3f} ms")
    for k, phase in enumerate(PHASES):
        of_step = statistics.median(run.phases[k] for run in runs[True])
        print(f"    of it {phase:<22}{1e3 * of_step:9.3f} ms")
    print(f"  the fix's share             {100 * statistics.median(shares):9.1f} %  "
          f"({100 * shares[0]:.1f} to {100 * shares[-1]:.1f})")


if __name__ == "__main__":
    sys.exit(main())
