from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dempilot import convert
from dempilot.cli import main


@pytest.mark.parametrize("source", convert.SOURCES)
def test_each_source_says_what_it_takes(source, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["convert", source, "--help"])
    assert caught.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith(f"usage: dempilot convert {source} [-h] -o FILE [--force]")
    assert "--contract FILE" in said and "--environment NAME" in said
    assert ("--trust" in said) == (source == "sb3")
    assert ("--rows" in said) == (source != "sb3")


def test_it_runs_as_a_module():
    ran = subprocess.run(
        [sys.executable, "-m", "dempilot", "--help"], capture_output=True, text=True, check=True
    )
    assert ran.stdout.startswith("usage: dempilot [-h] COMMAND ...\n")


def refusal(capsys, *arguments: str | Path) -> str:
    assert main([str(argument) for argument in arguments]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_sources_that_are_not_there_are_refused(tmp_path, capsys):
    source = tmp_path / "model.zip"
    for name in convert.SOURCES:
        message = refusal(capsys, "convert", name, source, "-o", tmp_path / "a.policy.h5")
        assert message == (
            f"dempilot: {source} does not exist (there is nothing to convert) Check the path.\n"
        )


def test_an_existing_output_is_refused_before_anything_is_read(tmp_path, capsys):
    output = tmp_path / "a.policy.h5"
    output.touch()
    assert refusal(capsys, "convert", "sb3", "nothing.zip", "-o", output) == (
        f"dempilot: {output} exists (it would be overwritten) Give another -o FILE, or --force.\n"
    )


def test_options_that_exclude_each_other_are_refused(capsys):
    common = ("convert", "sb3", "x.zip", "-o", "y.h5")
    both = ("--contract", "c.json", "--environment", "multiRoller")
    assert refusal(capsys, *common, *both) == (
        "dempilot: --contract and --environment are both given (each says what the policy "
        "observes) Leave one of them out.\n"
    )
    assert refusal(capsys, *common, "--option", "lidar_range=3") == (
        "dempilot: --option is given without --environment (it changes one) Name it.\n"
    )
    wrong = ("--environment", "multiRoller", "--option", "lidar_range")
    assert refusal(capsys, *common, *wrong) == (
        "dempilot: --option lidar_range (it is no KEY=NUMBER) Write it as lidar_range=4.\n"
    )


def test_a_framework_that_is_not_installed_is_named(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    (tmp_path / "agent.pth").touch()
    assert refusal(capsys, "convert", "torch", tmp_path / "agent.pth", "-o", tmp_path / "a.h5") == (
        "dempilot: torch cannot be imported (import of torch halted; None in sys.modules) "
        "Converting from torch computes with it: pip install torch.\n"
    )
