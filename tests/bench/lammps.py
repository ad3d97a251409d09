"""What fix pilot costs a simulation: the lighthouse's bed with and without it, in turns."""

from __future__ import annotations

import os
import re
import shlex
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from figures import paired
from model import BenchError
from replay import scripts, write_pushes

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parent.parent / "sim_examples" / "lighthouse"
PHASES = ("inputs", "observe", "infer", "act")
CONTESTANTS = ("pushed", "fix pilot", "at rest")  #: the second is with the fix

LOOP = re.compile(r"^Loop time of (\S+) on \d+ procs for (\d+) steps with (\d+) atoms"
                  r"(?:(?!^Loop time).)*?^(\S+)% CPU use", re.M | re.S)
BUILDS = re.compile(r"^Neighbor list builds = (\d+)", re.M)
PILOT = re.compile(r"(\d+) decisions, (\d+) agents; seconds per rank: "
                   r"inputs (\S+), observe (\S+), infer (\S+), act (\S+)")


@dataclass(frozen=True)
class Run:
    """What LAMMPS and the fix said of one run; the fix says nothing where it is not."""

    seconds: float  #: of the loop, or of the pieces it was run in
    cpu_share: float  #: of its cores' time that LAMMPS had in the loop
    steps: int
    atoms: int
    builds: int = 0  #: of neighbor lists
    decisions: int = 0
    agents: int = 0
    phases: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)  #: seconds of PHASES, of each rank

    def loop(self, clock: str) -> float:
        """Seconds of the loop: those that passed, or with "cpu" those for which it ran."""
        return self.seconds * (self.cpu_share if clock == "cpu" else 1)


def parse_log(text: str) -> Run:
    """All of LAMMPS's log: a run, or one in pieces."""
    loops = LOOP.findall(text)
    if not loops:
        raise BenchError("LAMMPS's log has no 'Loop time' (the run did not end). See the log")
    seconds = sum(float(loop[0]) for loop in loops)
    busy = sum(float(loop[0]) * float(loop[3]) / 100 for loop in loops)
    run = Run(seconds, busy / seconds, sum(int(loop[1]) for loop in loops), int(loops[-1][2]),
              int(BUILDS.findall(text)[-1]))
    said = PILOT.findall(text)
    if not said:
        return run
    decisions, agents, *phases = said[-1]
    return replace(run, decisions=int(decisions), agents=int(agents),
                   phases=tuple(float(phase.rstrip(",")) for phase in phases))


@dataclass(frozen=True)
class Simulation:
    """The lighthouse in a folder that holds its bed."""

    folder: Path
    ranks: int
    every: int
    decisions: int

    def prepare(self) -> None:
        """Writes the scripts, and down what agents do."""
        for name, text in scripts(EXAMPLE / "lighthouse.in").items():
            self._script(name).write_text(text)
        self.run("write down")
        write_pushes(self.folder)

    def run(self, name: str) -> Run:
        """Runs one of the scripts."""
        log = self.folder / f"{name.replace(' ', '_')}.log"
        pilot = name in ("fix pilot", "write down")
        variables = {"seed": 1, "contestant": "policy" if pilot else "none",
                     "bed": self.folder / "bed.data", "out": self.folder, "policies": EXAMPLE,
                     "interval": self.every, "decisions": self.decisions, "flash": 5}
        lmp = os.environ.get("DEMPILOT_LMP")
        if not lmp:
            raise BenchError("no LAMMPS is known (DEMPILOT_LMP is not set). Start this by ./run "
                             "bench")
        call = [*shlex.split(os.environ.get("DEMPILOT_MPIRUN", "mpirun")), "-np", str(self.ranks),
                lmp, "-in", str(self._script(name)), "-log", str(log), "-screen", "none"]
        for key, value in variables.items():
            call += ["-var", key, str(value)]
        done = subprocess.run(call, cwd=self.folder, env=os.environ | {"OMP_NUM_THREADS": "1"},
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False)
        if done.returncode != 0:
            raise BenchError(f"LAMMPS failed with {done.returncode} (see {log}). It said:\n"
                             + done.stdout[-1000:])
        return parse_log(log.read_text())

    def _script(self, name: str) -> Path:
        return self.folder / f"{name.replace(' ', '_')}.in"


def check_motion(pushed: Run, piloted: Run) -> None:
    """Without the same motion nothing would follow from the times."""
    if abs(pushed.builds - piloted.builds) > 0.1 * piloted.builds:
        raise BenchError(
            f"agents that are pushed again rebuild neighbor lists {pushed.builds} times, with the "
            f"fix {piloted.builds} times (the motion is not the same, so that times cannot be "
            "compared). Compare lighthouse.in and world.py with the policy's drag and scale")


def lammps_records(
    runs: dict[str, Sequence[Run]], *, ranks: int, every: int, clock: str
) -> list[dict[str, Any]]:
    """One record for each contestant; runs are paired by round."""
    records = []
    pushed = runs[CONTESTANTS[0]]
    for name in CONTESTANTS:
        own = runs[name]
        times = [1e3 * run.loop(clock) / run.steps for run in own]
        shares = {f"{phase}_share": statistics.median(run.phases[i] / run.seconds for run in own)
                  for i, phase in enumerate(PHASES)}
        decided = max(1, own[0].decisions)
        records.append({
            "contestant": name,
            "mode": "lammps",
            "ranks": ranks,
            "threads": 1,
            "atoms": own[0].atoms,
            "agents": own[0].agents,
            "neighbor_list_builds": own[0].builds,
            "every": every,
            "clock": clock,
            "rounds": len(own),
            "ms_per_step": statistics.median(times),
            "fastest": min(times),
            "slowest": max(times),
            "ratio_to_pushed": paired([run.loop(clock) for run in own],
                                      [run.loop(clock) for run in pushed]),
            "ratio_to_rest": statistics.median(
                run.seconds / (run.seconds - sum(run.phases)) for run in own),
            "cpu_share": statistics.median(run.cpu_share for run in own),
            **{f"{phase}_ms_per_decision": 1e3 * statistics.median(
                run.phases[i] for run in own) / decided for i, phase in enumerate(PHASES)},
            **shares,
        })
    return records


def lammps_table(records: Sequence[dict[str, Any]]) -> str:
    """All records."""
    first = records[CONTESTANTS.index("fix pilot")]
    lines = [f"{first['atoms']:,} atoms, {first['agents']} agents, a decision every "
             f"{first['every']} steps, {first['ranks']} rank(s)",
             f"{'':12}{'ms a step':>11}{'fastest to slowest':>22}{'to pushed':>11}"
             f"{'to the rest':>13}{'inputs':>10}{'observe':>10}{'infer':>9}{'act':>9}"
             "   (shares of the loop)"]
    for record in records:
        spread = f"{record['fastest']:.3g} to {record['slowest']:.3g}"
        shares = "".join(f"{100 * record[f'{phase}_share']:{width}.2f} %"
                         for phase, width in zip(PHASES, (8, 8, 7, 7), strict=True))
        lines.append(f"{record['contestant']:12}{record['ms_per_step']:11.4g}{spread:>22}"
                     f"{record['ratio_to_pushed']:11.3f}{record['ratio_to_rest']:13.3f}{shares}")
    return "\n".join(lines)
