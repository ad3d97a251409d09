"""`info` and `verify`: what the C++ says about files; and what is in a recording."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import h5py

from dempilot.errors import Error, fail
from dempilot.library import candidates
from dempilot.policy import Policy, load
from dempilot.recording import Recording, describe


def info(path: Path) -> int:
    """Prints what a policy file holds, after loading it."""
    policy = load(path)
    actions = (
        f"one of {policy.category_count} categories"
        if policy.category_count
        else f"{policy.action_size} actions"
    )
    print(f"{path}: {policy.contract['model']}")
    print(f"  observes {policy.observation_size} values, gives {actions}")
    print(f"  remembers {policy.carry_size} values, has {policy.parameter_count} parameters")
    print(f"  {_replayed(policy)}")
    print(json.dumps(policy.contract, indent=2))
    return 0


def _replayed(policy: Policy) -> str:
    if policy.golden_rows == 0:
        return "has no golden rows"
    return f"reproduced {policy.golden_rows} golden rows within {policy.golden_tolerance:g}"


def verify(paths: Sequence[Path]) -> int:
    """Loads each policy file; golden files of models go to the C++ tool. 1 if any fails."""
    failed = 0
    for path in paths:
        try:
            if _is_golden(path):
                failed += _hand_over(path)
            else:
                print(f"{path}: {_replayed(load(path))}")
        except Error as error:
            print(f"FAILED {error}", file=sys.stderr)
            failed += 1
    return 1 if failed else 0


def recording_info(path: Path, *, as_json: bool) -> int:
    """Prints what a recording holds."""
    said = describe(Recording(path))
    if as_json:
        print(json.dumps(said, indent=2))
        return 0
    print(f"{path}: {said['rows']} rows of {said['agents']} agents, recorded by {said['source']}")
    if said["rows"]:
        print(
            f"  {said['decisions']} decisions, {said['first_decision']} to "
            f"{said['last_decision']}, at steps {said['first_step']} to {said['last_step']}"
        )
    print(f"  columns: {', '.join(said['columns'])}")
    print(
        f"  an observation has {said['observation_size']} values, an action "
        f"{said['action_size']}, a carry {said['carry_size'] or 'was not recorded'}"
    )
    for launch in said["launches"]:
        print(
            f"  launch {launch['number']}: from decision {launch['from_decision']} (step "
            f"{launch['from_step']}), every {launch['every']}, on {launch['ranks']} ranks, policy "
            f"{launch['policy']}"
        )
    print(
        f"  {said['segments']} segments of {said['bytes']} bytes; {said['superseded_rows']} rows "
        f"are superseded, {len(said['ignored_files'])} files ignored"
    )
    return 0


def _is_golden(path: Path) -> bool:
    """A golden file of a model says so by its attribute `case`."""
    try:
        with h5py.File(path, "r") as file:
            return "case" in file.attrs
    except OSError:
        return False  # the C++ says what is wrong with it


def _hand_over(path: Path) -> int:
    tool = _find_tool()
    if tool is None:
        fail(
            f"{path} is a golden file of a model",
            "only the C++ tool recomputes those, and it does not lie beside libdempilot.so",
            f"Build it with './run build', then: ./run dempilot verify {path}",
        )
    return subprocess.run([tool, "verify", str(path)], check=False).returncode


def _find_tool() -> str | None:
    """The tool in the build or installation of the library; on the PATH it might be this one."""
    for library in candidates():
        for folder in (library.parent, library.parent.parent / "bin"):
            if library.is_file() and (folder / "dempilot").is_file():
                return str(folder / "dempilot")
    return None
