"""DEMPilot and other frameworks side by side: the same weights, observations, cores and rounds."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from contestant import Contestant
from contestants.form import Weights
from figures import OURS, Limits, Record, Turn, judge, largest_difference, table, weights_line
from model import BenchError, Cost, expected

HERE = Path(__file__).resolve().parent

#: name: (the module in contestants/, the variable that names its Python)
PEERS = {
    "torch": ("eager", "DEMPILOT_BENCH_TORCH"),
    "torch.compile": ("compiled", "DEMPILOT_BENCH_TORCH"),
    "jax": ("xla", "DEMPILOT_BENCH_JAX"),
    "onnxruntime": ("onnxrt", "DEMPILOT_BENCH_TORCH"),
}
CONTESTANTS = (OURS, *PEERS)

TOLERANCE = 2e-6  #: on |a - b| / max(1, |b|), b in double
CHECKED_STEPS = (3, 8)  #: in single-step mode, at least and at most
CHECKED_AGENT_STEPS = 500_000  #: computed for it, about
CHECKED_AGENTS = 512  #: at most, spread over all
LEAST_CALLS = 3  #: in a turn
PEAK_SECONDS = 0.05  #: for each figure of the machine, in each round
COPIED_BYTES = 256 << 20  #: well beyond L2; where L3 is as large, that is what is measured


@dataclass(frozen=True)
class Size:
    """What one call does."""

    mode: str  #: "step" or "sequence"
    steps: int
    agents: int

    def __str__(self) -> str:
        return f"{self.agents:,} agents" + (f" x {self.steps} steps" * (self.mode == "sequence"))


SIZES = (Size("step", 1, 1), Size("step", 1, 64), Size("step", 1, 1024), Size("step", 1, 16384),
         Size("step", 1, 262144), Size("sequence", 64, 1024))


def parse_size(text: str) -> Size:
    """"1024" agents for one step, or "64x1024": 64 steps of 1,024 agents."""
    try:
        numbers = [int(word) for word in text.split("x")]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2) or min(numbers) < 1:
        raise BenchError(f"'{text}' is no size (agents, or steps x agents). Give 1024 or 64x1024")
    return Size("step", 1, numbers[0]) if len(numbers) == 1 else Size("sequence", *numbers)


@dataclass(frozen=True)
class Settings:
    """How it is measured, whatever is measured."""

    policy: Path
    output: Path
    sizes: Sequence[Size]
    names: Sequence[str]
    rounds: int
    seconds: float  #: of a turn
    clock: str  #: "wall" or "cpu"
    whole: bool  #: peers take all agents at once
    say: Callable[[str], None]  #: progress


def program(variable: str) -> Path:
    """A program that ./run has made and named in the environment."""
    path = os.environ.get(variable)
    if not path:
        raise BenchError(f"{variable} is not set (it names a program). Start this by ./run bench")
    return Path(path)


def server(policy: Path | None, cores: Sequence[int], log: Path) -> Contestant:
    """DEMPilot as a contestant; without a policy it measures the machine."""
    call = [program("DEMPILOT_BENCH_SERVER"), "--threads", str(len(cores))]
    return Contestant(OURS, call + (["--policy", policy] if policy else []), cores, log)


def peer(name: str, weights: Path, cores: Sequence[int], log: Path) -> Contestant:
    """Another framework."""
    module, python = PEERS[name]
    call = [program(python), HERE / "contestants" / "serve.py", module, weights, str(len(cores))]
    return Contestant(name, call, cores, log)


class Comparison:
    """All contestants on the same cores."""

    def __init__(self, settings: Settings, weights: Weights, cores: Sequence[int]) -> None:
        self._settings = settings
        self._weights = weights
        self._cores = cores
        self._cost = Cost.of(weights)
        self._contestants: dict[str, Contestant] = {}

    @contextmanager
    def started(self) -> Iterator[Comparison]:
        """With the processes of all contestants, which end with it."""
        settings, threads = self._settings, len(self._cores)
        weights = settings.output / "weights.npz"
        self._weights.save(str(weights))
        with ExitStack() as stack:
            def start(name: str, make: Callable[[Path], Contestant]) -> Contestant:
                contestant = make(settings.output / f"{name}-{threads}.log")
                stack.callback(contestant.close)
                if contestant.version:
                    settings.say(f"{name}: {contestant.version}")
                return contestant

            self._machine = start("machine", lambda log: server(None, self._cores, log))
            for name in settings.names:
                self._contestants[name] = start(name, lambda log, name=name: (
                    server(settings.policy, self._cores, log) if name == OURS
                    else peer(name, weights, self._cores, log)))
            yield self

    def compare(self, size: Size) -> tuple[list[Record], list[Limits], str]:
        """Prepares, checks and times all of them at one size; the records, and what to print."""
        forms = self._prepare(size)
        turns, limits = self._compete(size)
        records = judge(turns, limits, forms=forms, mode=size.mode, steps=size.steps,
                        agents=size.agents, threads=len(self._cores),
                        clock=self._settings.clock, whole=self._settings.whole,
                        flop=self._cost.flop, moved=self._cost.bytes)
        text = f"{size}, {len(self._cores)} thread(s)\n{table(records)}"
        if size == Size("step", 1, 1):
            hot = self._machine.ask("read", bytes=self._cost.weight_bytes, seconds=PEAK_SECONDS)
            text += f"\n{weights_line(self._cost.weight_bytes, hot['bytes_per_s'])}"
        return records, limits, text

    def _prepare(self, size: Size) -> dict[str, str]:
        """The form that each contestant chose; all of them have given the oracle's results."""
        settings = self._settings
        rng = np.random.default_rng(size.agents)
        shape = size.steps, size.agents, self._weights.inputs
        observation = rng.standard_normal(shape, np.float32)
        path = settings.output / "observation.f32"
        observation.tofile(path)
        rows = np.unique(np.linspace(0, size.agents - 1, CHECKED_AGENTS).astype(int))
        least, most = CHECKED_STEPS
        calls = min(most, max(least, CHECKED_AGENT_STEPS // size.agents))
        calls = calls if size.mode == "step" else 1
        oracle = expected(self._weights, [step[rows] for step in observation] * calls)
        forms = {}
        for name, contestant in self._contestants.items():
            settings.say(f"{size}: {name} prepares")
            answer = contestant.ask("prepare", mode=size.mode, steps=size.steps,
                                    agents=size.agents, observation=str(path),
                                    clock=settings.clock, whole=settings.whole)
            forms[name] = answer["form"]
            found = settings.output / "check.f32"
            contestant.ask("check", calls=calls, rows=rows.tolist(), file=str(found))
            difference = largest_difference(np.fromfile(found, np.float32), oracle)
            if not difference <= TOLERANCE:
                raise BenchError(
                    f"{name} computes something else ({size}: off by {difference:.2g}, at most "
                    f"{TOLERANCE:g} is rounding). Correct it before it is timed"
                )
            trials = ", ".join(f"{form}: {1e6 * seconds:.4g} µs"
                               for form, seconds in answer.get("trials", {}).items())
            settings.say(f"{size}: {name} agrees to {difference:.1e}" + (trials and f"; {trials}"))
        return forms

    def _compete(self, size: Size) -> tuple[dict[str, list[Turn]], list[Limits]]:
        """Turns of all contestants, round by round, and what the machine did in each round."""
        settings = self._settings
        names = list(self._contestants)
        turns: dict[str, list[Turn]] = {name: [] for name in names}
        limits = []
        for n in range(settings.rounds):
            settings.say(f"{size}: round {n + 1} of {settings.rounds}")
            rested = self._machine.ask("peak", seconds=PEAK_SECONDS)
            # at the clock of DEMPilot's steps, which is that of the others' too
            peak = self._contestants.get(OURS, self._machine).ask("peak", seconds=PEAK_SECONDS)
            copy = self._machine.ask("copy", bytes=COPIED_BYTES, seconds=PEAK_SECONDS)
            limits.append(Limits(peak["flop_per_s"], copy["bytes_per_s"], rested["flop_per_s"]))
            # nobody has a fixed predecessor
            for name in random.Random(n).sample(names, len(names)):
                contestant = self._contestants[name]
                answer = contestant.ask("run", seconds=settings.seconds, least=LEAST_CALLS)
                turns[name].append(contestant.turn(answer, size.steps * size.agents))
        return turns, limits
