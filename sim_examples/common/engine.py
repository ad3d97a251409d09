"""Runs input scripts in LAMMPS.

The environment says where things are: DEMPILOT_LMP is the LAMMPS binary, LAMMPS_PLUGIN_PATH the
folder of dempilotplugin.so, DEMPILOT_MPIRUN is mpirun with its options. `./run` sets them.
"""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

#: turns the numbers of a thermo line into what the user is shown, or None to show nothing
Status = Callable[[list[float]], str | None]


class EngineError(Exception):
    """Something that the user can mend; the message says what and how."""


def simulate(
    deck: Path,
    variables: Mapping[str, object],
    log: Path,
    *,
    ranks: int = 2,
    label: str = "",
    status: Status | None = None,
) -> float:
    """Runs `deck` with `variables` in the folder of `log`; returns the seconds that it took.

    On a terminal `status` is shown after `label` while it runs. Raises `EngineError`, with the end
    of what LAMMPS printed, if it fails.
    """
    # Ranks that wait for each other give way: on a busy machine that is six times faster.
    environment = {"OMPI_MCA_mpi_yield_when_idle": "1", **os.environ}
    begin = time.monotonic()
    kept: list[str] = []
    try:
        with subprocess.Popen(_command(deck, variables, log, ranks), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, cwd=log.parent,
                              env=environment) as process:
            for line in process.stdout:
                kept.append(line)
                _show(label, status, line)
    except OSError as error:
        raise EngineError(f"LAMMPS cannot be started ({error}): see DEMPILOT_MPIRUN") from error
    if process.returncode != 0:
        raise EngineError(f"LAMMPS failed with {process.returncode} ({deck.name}; see {log}):\n"
                          + "".join(kept[-15:]))
    return time.monotonic() - begin


def report(text: str) -> None:
    """Prints a line in the place of the status that is shown."""
    start, rest = ("\r", 30 * " ") if sys.stdout.isatty() else ("", "")
    print(f"{start}{text}{rest}", flush=True)


def _command(deck: Path, variables: Mapping[str, object], log: Path, ranks: int) -> list[str]:
    lmp = os.environ.get("DEMPILOT_LMP")
    if not lmp:
        raise EngineError("no LAMMPS is known (DEMPILOT_LMP is not set): start this by ./run")
    mpirun = shlex.split(os.environ.get("DEMPILOT_MPIRUN", "mpirun"))
    call = [*mpirun, "-np", str(ranks), lmp, "-in", str(deck), "-log", str(log)]
    for key, value in variables.items():
        call += ["-var", key, str(value)]
    return call


def _show(label: str, status: Status | None, line: str) -> None:
    if status is None or not sys.stdout.isatty():
        return
    try:
        numbers = [float(word) for word in line.split()]
    except ValueError:
        return
    text = status(numbers) if numbers else None
    if text is not None:
        print(f"\r{label} {text}", end="", flush=True)
