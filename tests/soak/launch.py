"""Runs LAMMPS on several ranks and watches how much memory each of them has."""

from __future__ import annotations

import os
import queue
import shlex
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
PERIOD = 1.0  #: seconds from one look at the memory to the next
KEPT_LINES = 25  #: of LAMMPS's output, in a message
MIB = 2**20


class SoakError(Exception):
    """The soak cannot go on; the message reads "problem (why) what to do"."""


@dataclass(frozen=True)
class Row:
    """A line of LAMMPS's thermo output."""

    step: int
    atoms: int
    agents: int
    decisions: int
    value: float  #: mean of what the agents think of their state
    momentum: float  #: along x, given to all agents since the first run


@dataclass(frozen=True)
class Sample:
    """One look at the memory; the tuples have an entry for each rank, in bytes."""

    seconds: float  #: since the launch
    step: int  #: the last that LAMMPS told; -1 before the first
    phase: str  #: setup, run, restart (being written) or end
    resident: tuple[int, ...]
    peak: tuple[int, ...]  #: the largest resident set so far


@dataclass
class Launch:
    """What came of one process: its thermo lines and the samples of its memory."""

    rows: list[Row] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    @property
    def begin(self) -> int:
        """The step with which its run began."""
        if not self.rows:
            raise SoakError("LAMMPS told of no step (its output has no thermo lines). See its log")
        return self.rows[0].step

    def resident(self, first: int, last: int) -> np.ndarray:
        """Mean resident set of each rank from step `first` of the launch to `last`, in bytes."""
        chosen = [s.resident for s in self.samples
                  if s.phase == "run" and first <= s.step - self.begin <= last]
        if not chosen:
            raise SoakError(f"the memory of steps {first} to {last} is not known (nobody looked at "
                            "it in time). Take more steps")
        return np.mean(np.array(chosen, dtype=float), axis=0)

    def resident_at(self, steps: range) -> np.ndarray:
        """Mean resident set of each rank when LAMMPS told of `steps` of the launch, in bytes.

        Of each step one look counts, so that launches of different speed can be compared.
        """
        first = {}
        for s in self.samples:
            if s.phase == "run":
                first.setdefault(s.step - self.begin, s.resident)
        missing = [step for step in steps if step not in first]
        if missing:
            raise SoakError(f"the memory of step {missing[0]} is not known (LAMMPS did not tell of "
                            "it). See its log")
        return np.mean(np.array([first[step] for step in steps], dtype=float), axis=0)

    def peak(self, last: int) -> np.ndarray:
        """Largest resident set of each rank up to step `last` of the launch, in bytes."""
        chosen = [s.peak for s in self.samples
                  if s.phase in ("setup", "run") and s.step - self.begin <= last]
        return np.max(np.array(chosen, dtype=float), axis=0)

    def final_peak(self) -> np.ndarray:
        """Largest resident set of each rank, the writing of the restart included, in bytes."""
        return np.array(self.samples[-1].peak, dtype=float)


def _descendants(pid: int) -> list[int]:
    """All processes that a process started, and those that these started."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *_descendants(child)]
    return found


def find_ranks(pid: int, program: Path) -> list[int]:
    """Processes below `pid` that run `program`, in the order in which they were started."""
    ranks = []
    for child in _descendants(pid):
        try:
            if Path(f"/proc/{child}/exe").resolve() == program:
                ranks.append(child)
        except OSError:
            continue  # it has ended
    return sorted(ranks)


def read_memory(pid: int) -> tuple[int, int]:
    """Resident set of a process and the largest that it had, in bytes."""
    kibibytes = {}
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        key, _, value = line.partition(":")
        if key in ("VmRSS", "VmHWM"):
            kibibytes[key] = int(value.split()[0])
    return 1024 * kibibytes["VmRSS"], 1024 * kibibytes["VmHWM"]


def parse_row(line: str) -> Row | None:
    """The thermo output in a line, None where it is something else."""
    words = line.split()
    if len(words) != 6:
        return None
    try:
        counts = [int(float(word)) for word in words[:4]]
        return Row(*counts, float(words[4]), float(words[5]))
    except ValueError:
        return None


def command(ranks: int, variables: Mapping[str, object], log: Path) -> list[str]:
    """How LAMMPS is called for one launch."""
    lmp = os.environ.get("DEMPILOT_LMP")
    if not lmp:
        raise SoakError("no LAMMPS is known (DEMPILOT_LMP is not set). Start this by ./run soak")
    mpirun = shlex.split(os.environ.get("DEMPILOT_MPIRUN", "mpirun"))
    call = [*mpirun, "-np", str(ranks), lmp, "-nonbuf", "-in", str(HERE / "soak.in"),
            "-log", str(log)]
    for key, value in variables.items():
        call += ["-var", key, str(value)]
    return call


class Watch:
    """One launch of LAMMPS: follows what it says and looks at the memory of its ranks."""

    def __init__(self, call: list[str], ranks: int, folder: Path,
                 show: Callable[[Sample], None]) -> None:
        self._call = call
        self._ranks = ranks
        self._folder = folder
        self._show = show
        self._program = Path(os.environ["DEMPILOT_LMP"]).resolve()
        self._pids: list[int] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._kept: list[str] = []
        self._step = -1
        self._phase = "setup"
        self.launch = Launch()

    def run(self) -> Launch:
        """Runs it to its end. Raises SoakError where LAMMPS fails."""
        # Ranks that wait for each other give way: on a busy machine that is faster.
        environment = {"OMP_NUM_THREADS": "1", "OMPI_MCA_mpi_yield_when_idle": "1", **os.environ}
        try:
            process = subprocess.Popen(self._call, stdout=subprocess.PIPE, text=True,
                                       stderr=subprocess.STDOUT, cwd=self._folder, env=environment)
        except OSError as error:
            raise SoakError(f"LAMMPS cannot be started ({error}). See DEMPILOT_MPIRUN") from error
        try:
            self._follow(process)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait()
        if process.returncode != 0:
            raise SoakError(f"LAMMPS failed with {process.returncode} (see below). Correct that:\n"
                            + "".join(self._kept))
        if not self._seen_whole():
            raise SoakError("the largest memory is not known (LAMMPS ended before anybody looked). "
                            "Run it again on a machine that is less busy")
        return self.launch

    def _follow(self, process: subprocess.Popen) -> None:
        begin = time.monotonic()
        threading.Thread(target=self._read, args=(process,), daemon=True).start()
        due = begin + PERIOD
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, due - time.monotonic()))
                if line is None:
                    return
                look = self._take(line)
            except queue.Empty:
                look = True
                due += PERIOD * (1 + (time.monotonic() - due) // PERIOD)
            if look and not self._seen_whole():
                self._sample(process.pid, time.monotonic() - begin)

    def _read(self, process: subprocess.Popen) -> None:
        for line in process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _take(self, line: str) -> bool:
        """Notes what LAMMPS said; whether that is a reason to look at its memory."""
        self._kept = [*self._kept[1 - KEPT_LINES:], line]
        row = parse_row(line)
        if row is not None:
            self.launch.rows.append(row)
            self._step, self._phase = row.step, "run"
            return True
        phase = {"soak: ran": "restart", "soak: wrote": "end"}.get(line.strip())
        self._phase = phase or self._phase
        return phase is not None

    def _seen_whole(self) -> bool:
        """Whether the last sample is that of the end; what follows is memory being given back."""
        return bool(self.launch.samples) and self.launch.samples[-1].phase == "end"

    def _sample(self, pid: int, seconds: float) -> None:
        if len(self._pids) != self._ranks:
            self._pids = find_ranks(pid, self._program)
        if len(self._pids) != self._ranks:
            return  # they are being started
        try:
            memory = [read_memory(rank) for rank in self._pids]
        except (OSError, KeyError):
            return  # they are ending
        resident, peak = zip(*memory, strict=True)
        sample = Sample(seconds, self._step, self._phase, resident, peak)
        self.launch.samples.append(sample)
        self._show(sample)
