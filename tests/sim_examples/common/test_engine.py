"""How LAMMPS is called, with a program in the place of mpirun."""

import pytest

from common.engine import EngineError, simulate


@pytest.fixture
def program(tmp_path, monkeypatch):
    """A program that tells its arguments, and ends as its last one says."""
    path = tmp_path / "mpirun"
    path.write_text('#!/bin/bash\necho "$@" >arguments\necho "1 0.5"\nexit "${@: -1}"\n')
    path.chmod(0o755)
    monkeypatch.setenv("DEMPILOT_MPIRUN", f"{path} --some-option")
    monkeypatch.setenv("DEMPILOT_LMP", "/opt/lmp")
    return path


def test_variables_reach_the_deck(program, tmp_path):
    seconds = simulate(tmp_path / "a.in", {"seed": 7, "end": 0}, tmp_path / "a.log", ranks=3)
    assert seconds >= 0
    assert (tmp_path / "arguments").read_text() == (
        f"--some-option -np 3 /opt/lmp -in {tmp_path}/a.in -log {tmp_path}/a.log "
        "-var seed 7 -var end 0\n"
    )


def test_a_failure_tells_what_lammps_said(program, tmp_path):
    with pytest.raises(EngineError) as raised:
        simulate(tmp_path / "a.in", {"end": 3}, tmp_path / "a.log")
    assert str(raised.value) == f"LAMMPS failed with 3 (a.in; see {tmp_path}/a.log):\n1 0.5\n"


def test_without_lammps_the_message_says_what_to_do(program, tmp_path, monkeypatch):
    monkeypatch.delenv("DEMPILOT_LMP")
    with pytest.raises(EngineError) as raised:
        simulate(tmp_path / "a.in", {}, tmp_path / "a.log")
    assert str(raised.value) == (
        "no LAMMPS is known (DEMPILOT_LMP is not set): start this by ./run"
    )
