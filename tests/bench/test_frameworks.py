"""How contestants are checked and timed, with contestants that only pretend."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import frameworks
import numpy as np
import pytest
from contestant import Contestant
from contestants.form import TILE, Work
from figures import Turn
from frameworks import Comparison, Settings, Size
from model import BenchError, expected, fresh_weights

WEIGHTS = fresh_weights()


class Pretender:
    """Answers at once, with the oracle's results plus `error`."""

    version = ""

    def __init__(self, error=0.0):
        self.error = error
        self.asked = []

    def ask(self, what, **command):
        self.asked.append(what)
        if what == "prepare":
            rows = np.fromfile(command["observation"], np.float32)
            self.rows = rows.reshape(command["steps"], command["agents"], WEIGHTS.inputs)
            return {"form": "pretended"}
        if what == "check":
            seen = [step[command["rows"]] for step in self.rows] * command["calls"]
            (expected(WEIGHTS, seen) + self.error).astype(np.float32).tofile(command["file"])
            return {}
        return {"calls": 3, "seconds": 0.5, "cpu": 0.5, "flop_per_s": 1e9, "bytes_per_s": 1e9}

    def turn(self, answer, steps):
        return Turn(answer["calls"] * steps, answer["seconds"], answer["cpu"])

    def close(self):
        self.asked.append("close")


def compare(tmp_path, monkeypatch, size, error=0.0):
    contestants = {"machine": Pretender(), "dempilot": Pretender(), "jax": Pretender(error)}
    monkeypatch.setattr(frameworks, "server", lambda policy, *_: contestants[
        "dempilot" if policy else "machine"])
    monkeypatch.setattr(frameworks, "peer", lambda name, *_: contestants[name])
    settings = Settings(policy=Path("a.policy.h5"), output=tmp_path, sizes=[size],
                        names=["dempilot", "jax"], rounds=2, seconds=0.1, clock="wall",
                        whole=False, say=lambda text: None)
    try:
        with Comparison(settings, WEIGHTS, [0]).started() as comparison:
            return comparison.compare(size), contestants
    finally:
        assert all(contestant.asked[-1] == "close" for contestant in contestants.values())


@pytest.mark.parametrize("size", [Size("step", 1, 1), Size("step", 1, 700), Size("sequence", 4, 3)])
def test_who_agrees_is_timed_in_every_round(tmp_path, monkeypatch, size):
    (records, limits, text), contestants = compare(tmp_path, monkeypatch, size)
    assert contestants["jax"].asked == ["prepare", "check", "run", "run", "close"]
    assert [record.agent_steps_per_s for record in records] == [6 * size.steps * size.agents] * 2
    assert len(limits) == 2
    assert ("reading the weights once" in text) == (size.agents == 1)


def test_who_computes_something_else_is_an_error_and_not_timed(tmp_path, monkeypatch):
    with pytest.raises(BenchError, match=r"jax computes something else \(5 agents: off by 0\.0001"):
        compare(tmp_path, monkeypatch, Size("step", 1, 5), error=1e-4)


def test_peers_are_helped_by_a_loop_unless_they_take_all_at_once():
    rows = np.zeros((1, 4 * TILE, WEIGHTS.inputs), np.float32)
    assert Work(WEIGHTS, rows).tile_sizes() == [4 * TILE, TILE]
    assert Work(WEIGHTS, rows, whole=True).tile_sizes() == [4 * TILE]
    assert Work(WEIGHTS, rows[:, :TILE]).tile_sizes() == [TILE]


def answering(tmp_path, answer, end=""):
    script = f"import sys\nprint({answer!r}, flush=True)\nsys.stdin.readline()\n{end}"
    return Contestant("it", [sys.executable, "-c", script], [0], tmp_path / "it.log")


def test_a_contestant_tells_its_version_and_its_errors(tmp_path, monkeypatch):
    monkeypatch.setattr("os.sched_setaffinity", lambda *_: None)
    failing = f"print({json.dumps({'error': 'no'})!r})"
    contestant = answering(tmp_path, json.dumps({"version": "it 1"}), failing)
    assert contestant.version == "it 1"
    with pytest.raises(BenchError, match=r"it failed \(no\). See .*it.log"):
        contestant.ask("run")
    contestant.close()


@pytest.mark.parametrize(("end", "why"), [
    ("sys.exit(3)", "it has ended with 3"),
    ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
     "it was killed, probably for want of memory")])
def test_a_contestant_that_ends_is_an_error(tmp_path, monkeypatch, end, why):
    monkeypatch.setattr("os.sched_setaffinity", lambda *_: None)
    contestant = answering(tmp_path, "{}", end)
    with pytest.raises(BenchError, match=rf"it failed \({why}\)"):
        contestant.ask("run")
    contestant.close()
