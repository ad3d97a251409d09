from __future__ import annotations

import json
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

import dempilot
from dempilot import Error, Recording
from dempilot.cli import main

COLUMNS = ["decision", "step", "agent", "tag", "observation", "action", "log_prob", "value"]


def row(decision: int, agent: int, launch: int) -> dict[str, object]:
    """Numbers that tell decision, agent and launch."""
    return {
        "decision": decision,
        "step": 10 * decision,
        "agent": agent,
        "tag": 100 + agent,
        "observation": [decision, agent, launch],
        "action": [decision + 0.5],
        "log_prob": -decision,
        "value": agent + 0.25,
        "reward": decision + 0.1,
        "done": decision % 4 == 3,
    }


class Writer:
    """Writes recordings as the plugin does (docs/recording.md), through h5py and json alone."""

    def __init__(self, folder: Path, **changes: object) -> None:
        folder.mkdir()
        self.folder = folder
        self.index = {
            "format": "dempilot-recording",
            "version": 1,
            "source": "pilot",
            "observation_size": 3,
            "action_size": 1,
            "carry_size": 0,
            "columns": [*COLUMNS, "reward", "done"],
            "launches": [],
        } | changes
        self.save()

    def save(self) -> None:
        (self.folder / "index.json").write_text(json.dumps(self.index))

    def launch(self, ranks: int = 1, from_decision: int = 0, every: int = 1) -> int:
        number = len(self.index["launches"]) + 1
        self.index["launches"].append(
            {
                "launch": number,
                "policy": f"policy-{number}",
                "every": every,
                "ranks": ranks,
                "from_decision": from_decision,
                "from_step": 10 * from_decision,
                "flushes": [],
            }
        )
        self.save()
        return number

    def segment(
        self, launch: int, rank: int, flush: int, span: tuple[int, int], rows: list[dict]
    ) -> Path:
        """Writes one file, with the decisions of `span`, both included."""
        entry = self.index["launches"][launch - 1]
        path = self.folder / f"segment-{launch:04}-{rank:05}-{flush:06}.h5"
        with h5py.File(path, "w") as file:
            file.attrs.update(
                {
                    "format": np.bytes_(b"dempilot-recording-segment"),
                    "version": 1,
                    "source": np.bytes_(b"pilot"),
                    "policy": np.bytes_(entry["policy"].encode()),
                    "launch": launch,
                    "rank": rank,
                    "ranks": entry["ranks"],
                    "flush": flush,
                    "first_decision": span[0],
                    "last_decision": span[1],
                    "first_step": 10 * span[0],
                    "last_step": 10 * span[1],
                    "rows": len(rows),
                }
            )
            for name in self.index["columns"]:
                width = {"observation": (3,), "action": (1,)}.get(name, ())
                kind = {"decision": np.int64, "step": np.int64, "agent": np.int64, "tag": np.int64}
                values = np.array([r[name] for r in rows], dtype=kind.get(name, np.float32))
                if name == "reward":
                    values = np.array([r[name] for r in rows], np.float64)
                if name == "done":
                    values = values.astype(np.int8)
                file[name] = values.reshape(len(rows), *width)
        return path

    def flush(self, launch: int, span: tuple[int, int], by_rank: list[list[dict]]) -> None:
        """Segments of all ranks, and the index."""
        flushes = self.index["launches"][launch - 1]["flushes"]
        for rank, rows in enumerate(by_rank):
            if rows:
                self.segment(launch, rank, len(flushes), span, rows)
        flushes.append(
            {
                "flush": len(flushes),
                "first_decision": span[0],
                "last_decision": span[1],
                "first_step": 10 * span[0],
                "last_step": 10 * span[1],
                "rows": [len(rows) for rows in by_rank],
            }
        )
        self.save()


def rows_of(decisions: range, agents: list[int], launch: int = 1) -> list[dict]:
    return [row(decision, agent, launch) for decision in decisions for agent in agents]


@pytest.fixture
def travelled(tmp_path) -> Path:
    """Agent 2 changes its rank, agent 3 comes late, agent 1 leaves early; ten decisions."""
    writer = Writer(tmp_path / "run.recording")
    launch = writer.launch(ranks=3)
    writer.flush(launch, (0, 4), [rows_of(range(5), [2, 1]), [], []])
    writer.flush(
        launch,
        (5, 9),
        [rows_of(range(5, 8), [1]), rows_of(range(6, 10), [3]), rows_of(range(5, 10), [2])],
    )
    return writer.folder


def expected_rows() -> list[tuple[int, int]]:
    made = {1: range(8), 2: range(10), 3: range(6, 10)}
    return sorted((decision, agent) for agent, decisions in made.items() for decision in decisions)


def test_segments_of_all_ranks_are_one_table(travelled):
    recording = Recording(travelled)
    assert len(recording) == 22
    found = list(zip(recording["decision"].tolist(), recording["agent"].tolist(), strict=True))
    assert found == expected_rows()
    for name, kind, shape in [
        ("step", np.int64, (22,)),
        ("tag", np.int64, (22,)),
        ("observation", np.float32, (22, 3)),
        ("action", np.float32, (22, 1)),
        ("log_prob", np.float32, (22,)),
        ("value", np.float32, (22,)),
        ("reward", np.float64, (22,)),
        ("done", np.bool_, (22,)),
    ]:
        assert recording[name].dtype == kind
        expected = np.array([row(d, a, 1)[name] for d, a in expected_rows()], kind)
        np.testing.assert_array_equal(recording[name], expected.reshape(shape))
    assert recording.columns == (*COLUMNS, "reward", "done")
    assert recording.decisions.tolist() == list(range(10))
    assert recording.steps.tolist() == list(range(0, 100, 10))
    assert recording.agents.tolist() == [1, 2, 3]
    assert (recording.observation_size, recording.action_size, recording.carry_size) == (3, 1, 0)
    assert recording.source == "pilot"
    assert recording.superseded == 0 and recording.ignored == ()
    assert [segment.rank for segment in recording.segments] == [0, 0, 1, 2]


def test_an_agent_has_a_trajectory(travelled):
    trajectory = Recording(travelled).agent(3)
    assert trajectory.decisions.tolist() == [6, 7, 8, 9]
    assert trajectory.steps.tolist() == [60, 70, 80, 90]
    assert trajectory["observation"].tolist() == [[d, 3, 1] for d in range(6, 10)]
    assert dict(trajectory).keys() == set(Recording(travelled).columns)


def test_dense_arrays_have_a_mask(travelled):
    dense = Recording(travelled).dense()
    assert dense.mask.shape == (10, 3)
    assert dense.mask.sum(axis=0).tolist() == [8, 10, 4]
    assert dense.agents.tolist() == [1, 2, 3]
    assert dense.steps.tolist() == list(range(0, 100, 10))
    observation = dense["observation"]
    assert observation.shape == (10, 3, 3)
    for time in range(10):
        for place, agent in enumerate(dense.agents):
            there = (time, agent) in expected_rows()
            assert dense.mask[time, place] == there
            assert observation[time, place].tolist() == ([time, agent, 1] if there else [0, 0, 0])
    assert dense["done"].dtype == np.bool_


def test_columns_can_be_asked_for_without_an_error(travelled):
    recording = Recording(travelled)
    for columns in (recording.dense(), recording.agent(3)):
        assert "done" in columns
        assert "carry" not in columns
        assert columns.get("carry") is None


def test_dense_arrays_of_some_agents_keep_their_order(travelled):
    dense = Recording(travelled).dense([3, 1])
    assert dense.agents.tolist() == [3, 1]
    assert dense["value"][7].tolist() == [3.25, 1.25]
    assert dense["value"][9].tolist() == [3.25, 0]


def test_an_empty_recording_has_no_rows(tmp_path):
    writer = Writer(tmp_path / "r")
    writer.launch()
    recording = Recording(writer.folder)
    assert len(recording) == 0
    assert recording["observation"].shape == (0, 3)
    assert recording.dense()["action"].shape == (0, 0, 1)
    assert recording.steps.tolist() == []


def test_a_resumed_launch_supersedes_what_came_after_its_restart_file(tmp_path):
    writer = Writer(tmp_path / "r")
    first = writer.launch(ranks=2)
    writer.flush(first, (0, 4), [rows_of(range(5), [1]), rows_of(range(5), [2])])
    writer.flush(first, (5, 9), [rows_of(range(5, 10), [1]), rows_of(range(5, 10), [2])])
    second = writer.launch(ranks=1, from_decision=7)
    # nothing is superseded before there is something in its place
    assert len(Recording(writer.folder)) == 20
    writer.flush(second, (7, 8), [rows_of(range(7, 9), [1, 2], second)])
    recording = Recording(writer.folder)
    assert recording.decisions.tolist() == list(range(9))
    assert recording.superseded == 6
    assert recording.agent(1)["observation"][:, 2].tolist() == [1] * 7 + [2] * 2
    # a third goes on from an older restart file, and supersedes both
    third = writer.launch(ranks=1, from_decision=3)
    writer.flush(third, (3, 3), [rows_of(range(3, 4), [1, 2], third)])
    recording = Recording(writer.folder)
    assert recording.decisions.tolist() == [0, 1, 2, 3]
    assert recording.agent(2)["observation"][:, 2].tolist() == [1, 1, 1, 3]
    assert [launch.number for launch in recording.launches] == [1, 2, 3]


def test_a_flush_that_was_killed_before_its_index_is_ignored(tmp_path):
    writer = Writer(tmp_path / "r")
    launch = writer.launch(ranks=2)
    writer.flush(launch, (0, 4), [rows_of(range(5), [1]), rows_of(range(5), [2])])
    half = writer.segment(launch, 1, 1, (5, 9), rows_of(range(5, 10), [2]))
    (writer.folder / "segment-0001-00000-000001.h5.partial").write_bytes(b"x")
    (writer.folder / "notes.txt").write_text("mine")
    recording = Recording(writer.folder)
    assert len(recording) == 10
    assert recording.ignored == (half,)


def test_a_last_flush_without_index_counts_as_far_as_all_ranks_got(tmp_path):
    writer = Writer(tmp_path / "r")
    launch = writer.launch(ranks=2)
    writer.segment(launch, 0, 0, (0, 5), rows_of(range(6), [1]))
    writer.segment(launch, 1, 0, (0, 4), [])
    recording = Recording(writer.folder)
    assert recording.decisions.tolist() == [0, 1, 2, 3, 4]
    assert recording.ignored == ()


def test_a_damaged_segment_that_the_index_does_not_know_is_ignored(tmp_path):
    writer = Writer(tmp_path / "r")
    launch = writer.launch()
    writer.flush(launch, (0, 0), [rows_of(range(1), [1])])
    damaged = writer.folder / "segment-0001-00000-000001.h5"
    damaged.write_bytes(b"\x89HDF\r\n")
    stranger = writer.segment(launch, 0, 2, (0, 0), [])
    stranger = stranger.rename(writer.folder / "segment-0009-00000-000000.h5")
    assert Recording(writer.folder).ignored == (damaged, stranger)


def refusal(path: Path) -> str:
    with pytest.raises(Error) as caught:
        Recording(path)
    return str(caught.value)


def test_what_is_no_recording_is_refused(tmp_path):
    assert refusal(tmp_path) == (
        f"{tmp_path} is no recording (it has no index.json) Check the path."
    )
    index = tmp_path / "index.json"
    index.write_text("{")
    assert refusal(tmp_path).startswith(f"{index} cannot be read (Expecting property name")
    index.write_text("[]")
    assert refusal(tmp_path) == (
        f"{index} is damaged (TypeError: list indices must be integers or slices, not str) Copy "
        "the recording again."
    )
    index.write_text('{"format": "music"}')
    assert refusal(tmp_path) == (
        f"{tmp_path} is no recording (its format is 'music') Check the path."
    )
    index.write_text('{"format": "dempilot-recording", "version": 2}')
    assert refusal(tmp_path) == (
        f"{tmp_path} has format version 2 (this package reads version 1) Use the DEMPilot that "
        "wrote it."
    )
    index.write_text('{"format": "dempilot-recording", "version": 1}')
    assert refusal(tmp_path) == (
        f"{index} is damaged (KeyError: 'launches') Copy the recording again."
    )


def test_missing_damaged_and_mixed_segments_are_refused(travelled, tmp_path):
    path = travelled / "segment-0001-00001-000001.h5"
    content = path.read_bytes()
    path.unlink()
    assert refusal(travelled) == (
        f"{path} is missing (index.json says that it holds 4 rows) Copy the recording again."
    )
    path.write_bytes(content[:600])
    assert refusal(travelled).startswith(f"{path} cannot be opened (")
    assert refusal(travelled).endswith(") Copy the recording again.")

    def changed(**attributes: object) -> str:
        path.write_bytes(content)
        with h5py.File(path, "r+") as file:
            file.attrs.update(attributes)
        return refusal(travelled)

    assert changed(rank=2) == (
        f"{path} belongs elsewhere (its rank is 2, expected 1) Copy the recording again."
    )
    assert changed(rows=5) == (
        f"{path} belongs elsewhere (its rows is 5, expected 4) Copy the recording again."
    )
    assert changed(source=np.bytes_(b"other")) == (
        f"{path} is of another recording (fix 'other' wrote it, not 'pilot') Copy the recording "
        "again."
    )
    assert changed(format=np.bytes_(b"music")) == (
        f"{path} is no segment of a recording (its format is 'music') Copy the recording again."
    )
    assert changed(version=7) == (
        f"{path} has format version 7 (this package reads version 1) Use the DEMPilot that wrote "
        "it."
    )


def test_damaged_columns_are_refused(travelled):
    path = travelled / "segment-0001-00001-000001.h5"
    with h5py.File(path, "r+") as file:
        del file["action"]
        del file["value"]
        file["value"] = np.zeros(3, np.float32)
    recording = Recording(travelled)
    for column, why in [
        ("action", "its action: "),
        ("value", "its value has shape (3,), expected (4,)) "),
    ]:
        with pytest.raises(Error) as caught:
            recording[column]
        assert str(caught.value).startswith(f"{path} is damaged ({why}")
        assert str(caught.value).endswith("Copy the recording again.")


def test_rows_that_are_there_twice_are_refused(tmp_path):
    writer = Writer(tmp_path / "r")
    launch = writer.launch(ranks=2)
    writer.flush(launch, (0, 4), [rows_of(range(5), [1]), rows_of(range(3, 5), [1])])
    assert refusal(writer.folder) == (
        f"{writer.folder} holds decision 3 of agent 1 twice (segments of several recordings are "
        "mixed) Copy the recording again."
    )


def test_unknown_columns_and_agents_are_refused(travelled):
    recording = Recording(travelled)
    with pytest.raises(Error) as caught:
        recording["carry"]
    assert str(caught.value) == (
        f"{travelled} has no column 'carry' (it has decision, step, agent, tag, observation, "
        "action, log_prob, value, reward, done) Record it: 'carry yes', 'reward v_name', 'done "
        "v_name'."
    )
    for ask in (recording.agent, lambda agent: recording.dense([1, agent])):
        with pytest.raises(Error) as caught:
            ask(9)
        assert str(caught.value) == (
            f"{travelled} has no agent 9 (none of its rows has this id) Ask for one of "
            "recording.agents."
        )


def test_the_command_says_what_is_in_it(travelled, capsys):
    assert main(["recording", "info", str(travelled)]) == 0
    size = sum(path.stat().st_size for path in travelled.glob("segment*"))
    assert capsys.readouterr().out == (
        f"{travelled}: 22 rows of 3 agents, recorded by pilot\n"
        "  10 decisions, 0 to 9, at steps 0 to 90\n"
        f"  columns: {', '.join([*COLUMNS, 'reward', 'done'])}\n"
        "  an observation has 3 values, an action 1, a carry was not recorded\n"
        "  launch 1: from decision 0 (step 0), every 1, on 3 ranks, policy policy-1\n"
        f"  4 segments of {size} bytes; 0 rows are superseded, 0 files ignored\n"
    )
    assert main(["recording", "info", "--json", str(travelled)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["rows"] == 22 and said["agents"] == 3 and said["segments"] == 4
    assert said["launches"][0]["policy"] == "policy-1"
    assert (said["last_decision"], said["last_step"]) == (9, 90)


def test_the_command_refuses_what_is_no_recording(tmp_path, capsys):
    assert main(["recording", "info", str(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        f"dempilot: {tmp_path} is no recording (it has no index.json) Check the path.\n"
    )


def test_without_torch_it_says_so(travelled, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "dempilot.recording_torch", raising=False)
    with pytest.raises(Error) as caught:
        dempilot.Recording(travelled).torch()
    assert str(caught.value) == (
        "torch cannot be imported (import of torch halted; None in sys.modules) Install it: pip "
        "install torch."
    )
