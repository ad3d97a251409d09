"""A framework as a contestant: reads commands from stdin, one JSON object a line, and answers each.

    python serve.py MODULE WEIGHTS.npz THREADS

    {"do": "prepare", "mode": "step" | "sequence", "steps": T, "agents": B, "observation": FILE,
     "clock": "wall" | "cpu"}
        makes every form that MODULE knows of this work, tries each, keeps the fastest by that clock
    {"do": "check", "calls": N, "rows": [agent, ...], "file": FILE}
        N calls from a carry of zeros; writes, as float32, the mean and the value of these agents at
        every step, then their carries [h | c]
    {"do": "run", "seconds": S, "least": N}
        calls it for S seconds and at least N times; the carry goes on from call to call

The observations are T x B rows of float32. dempilot_bench_server understands the same commands.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import sys
import time
from typing import Any

import numpy as np
from form import Form, Weights, Work

TRIALS = 8  #: of each form, besides its first calls, at most; the best of them counts
TRIAL_SECONDS = 0.04
TRIALS_SECONDS = 1.0  #: after which there is no other trial
FIRST_CALLS = 2


def measure(form: Form, seconds: float, least: int) -> tuple[int, float, float]:
    """Calls of `form`, the seconds that they took, and those of processor time."""
    calls, passed = 0, 0.0
    used = time.process_time()
    begin = time.perf_counter()
    while calls < least or passed < seconds:
        form.run()
        calls += 1
        passed = time.perf_counter() - begin
    return calls, passed, time.process_time() - used


def give_back_memory() -> None:
    """To the system, what no form holds any longer: the allocator keeps it otherwise."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


def seconds_per_call(form: Form, clock: str) -> float:
    """The best of several trials; with the clock "cpu" of processor time."""
    begin = time.perf_counter()
    best = float("inf")
    for _ in range(TRIALS):
        calls, passed, cpu = measure(form, TRIAL_SECONDS, 1)
        best = min(best, (cpu if clock == "cpu" else passed) / calls)
        if time.perf_counter() - begin > TRIALS_SECONDS:
            break
    return best


def fastest(forms: list[tuple[str, Any]], clock: str) -> tuple[str, Form, dict[str, float]]:
    """The fastest of several forms, and the seconds of one call of each.

    No more than two are kept at a time: the largest sizes fill a memory.
    """
    best: tuple[str, Form] | None = None
    seconds: dict[str, float] = {}
    for name, make in forms:
        form = make()
        for _ in range(FIRST_CALLS):  # what a form compiles or packs, it does now
            form.run()
        seconds[name] = seconds_per_call(form, clock)
        if best is None or seconds[name] < seconds[best[0]]:
            best = (name, form)
        del form
        give_back_memory()
    assert best is not None
    best[1].run()  # takes back what of it was its own
    return *best, seconds


class Server:
    """One framework with one policy."""

    def __init__(self, module: str, weights: str, threads: int) -> None:
        self._module = importlib.import_module(module)
        self._weights = Weights.load(weights)
        self._module.configure(threads)
        self._form: Form | None = None

    def answer(self, command: dict[str, Any]) -> dict[str, Any]:
        what = command["do"]
        if what == "prepare":
            return self._prepare(command)
        if what == "check":
            return self._check(command)
        calls, seconds, cpu = measure(self._form, command["seconds"], command["least"])
        return {"calls": calls, "seconds": seconds, "cpu": cpu}

    def _prepare(self, command: dict[str, Any]) -> dict[str, Any]:
        self._form = None
        give_back_memory()
        steps, agents = command["steps"], command["agents"]
        rows = np.fromfile(command["observation"], np.float32)
        work = Work(self._weights, rows.reshape(steps, agents, self._weights.inputs),
                    command["whole"])
        forms = self._module.forms(work, command["mode"])
        name, self._form, seconds = fastest(forms, command["clock"])
        return {"form": name, "trials": seconds}

    def _check(self, command: dict[str, Any]) -> dict[str, Any]:
        rows = command["rows"]
        self._form.reset()
        with open(command["file"], "wb") as file:  # noqa: PTH123
            for _ in range(command["calls"]):
                self._form.run()
                mean, value = self._form.outputs()
                for step in range(len(mean)):
                    np.ascontiguousarray(mean[step, rows], np.float32).tofile(file)
                    np.ascontiguousarray(value[step, rows], np.float32).tofile(file)
            np.ascontiguousarray(self._form.carry()[rows], np.float32).tofile(file)
        return {}


def main() -> None:
    """Answers until stdin ends."""
    # What a framework prints must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    server = Server(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    print(json.dumps({"ready": True, "version": server._module.version()}), file=answers)
    for line in sys.stdin:
        try:
            answer = server.answer(json.loads(line))
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    main()
