"""A contestant in a process of its own, on cores of its own: one JSON line answers another."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from figures import Turn
from model import BenchError

#: Memory that was given back is kept, and comes in large pages: otherwise frameworks that allocate
#: their outputs anew at every call would be measured by the page faults of the kernel.
ALLOCATOR = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 40),
    "MALLOC_TOP_PAD_": str(64 << 20),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}


def environment(threads: int, cache: Path) -> dict[str, str]:
    """For a contestant of so many threads."""
    count = str(threads)
    return {
        **os.environ,
        **ALLOCATOR,
        "OMP_NUM_THREADS": count,
        "MKL_NUM_THREADS": count,
        "OPENBLAS_NUM_THREADS": count,
        "OMP_PROC_BIND": "false",  # its cores are all that it may run on
        "JAX_PLATFORMS": "cpu",
        "TORCHINDUCTOR_CACHE_DIR": str(cache / "inductor"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


class Contestant:
    """A process that computes when it is told to, and else sleeps."""

    def __init__(
        self, name: str, call: Sequence[str | Path], cores: Sequence[int], log: Path
    ) -> None:
        self.name = name
        self.threads = len(cores)
        self._log = log
        with log.open("w") as errors:
            try:
                self._process = subprocess.Popen(
                    [str(word) for word in call], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    stderr=errors, text=True, env=environment(len(cores), log.parent),
                    preexec_fn=lambda: os.sched_setaffinity(0, cores),
                )
            except OSError as error:
                raise BenchError(f"{name} cannot be started ({error}). Build it first") from error
        self.version = str(self._answer().get("version", ""))

    def ask(self, what: str, **command: Any) -> dict[str, Any]:
        """Its answer to a command. Raises BenchError if it fails."""
        self.tell(what, **command)
        return self._answer()

    def tell(self, what: str, **command: Any) -> None:
        """Sends a command whose answer is awaited later, by `heard`."""
        try:
            self._process.stdin.write(json.dumps({"do": what, **command}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            self._fail(self._end())

    def heard(self) -> dict[str, Any]:
        """The answer to the last command told."""
        return self._answer()

    def turn(self, answer: dict[str, Any], agent_steps_per_call: int) -> Turn:
        """What a command "run" was answered by."""
        return Turn(answer["calls"] * agent_steps_per_call, answer["seconds"], answer["cpu"])

    def close(self) -> None:
        """Lets it end."""
        with contextlib.suppress(BrokenPipeError):  # it has ended by itself
            self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        if not line:
            self._fail(self._end())
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            self._fail(answer["error"])
        return answer

    def _end(self) -> str:
        """How a process that no longer answers has ended."""
        status = self._process.wait()
        if status == -signal.SIGKILL:
            return "it was killed, probably for want of memory"
        return f"it has ended with {status}"

    def _fail(self, why: str) -> None:
        raise BenchError(f"{self.name} failed ({why}). See {self._log}, or leave it out by --only, "
                         "or such sizes by --sizes")
