"""What agents saw and did, as `record` of fix pilot wrote it (docs/recording.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from dempilot.errors import UnknownColumn, fail
from dempilot.model import Array
from dempilot.recording_files import (
    AGAIN,
    Index,
    Launch,
    Segment,
    attribute,
    open_segment,
    read_index,
    text,
)

if TYPE_CHECKING:
    from dempilot.recording_torch import Windows

KINDS: dict[str, np.dtype[Any]] = {
    **dict.fromkeys(("decision", "step", "agent", "tag"), np.dtype(np.int64)),
    **dict.fromkeys(("observation", "action", "log_prob", "value", "carry"), np.dtype(np.float32)),
    "reward": np.dtype(np.float64),
    "done": np.dtype(np.bool_),
}


@dataclass(frozen=True, eq=False)
class Trajectory(Mapping[str, Array]):
    """The rows of one agent, in the order of its decisions: a mapping from column to array."""

    agent: int
    recording: Recording
    rows: Array  # (T), places in the columns of the recording

    def __getitem__(self, column: str) -> Array:
        """The values of a column, (T) or (T, width)."""
        values: Array = self.recording[column][self.rows]
        return values

    def __iter__(self) -> Iterator[str]:
        return iter(self.recording.columns)

    def __len__(self) -> int:
        """Number of columns; the number of decisions is len(trajectory.decisions)."""
        return len(self.recording.columns)

    @property
    def decisions(self) -> Array:
        """Numbers of its decisions, (T)."""
        return self["decision"]

    @property
    def steps(self) -> Array:
        """Time steps of its decisions, (T)."""
        return self["step"]


@dataclass(frozen=True, eq=False)
class Dense(Mapping[str, Array]):
    """All decisions of some agents as arrays (T, B, …): a mapping from column to array."""

    mask: Array  # (T, B), whether agent b made decision t
    decisions: Array  # (T)
    steps: Array  # (T)
    agents: Array  # (B)
    recording: Recording
    rows: Array  # (T, B), places in the columns of the recording, 0 where the mask is False

    def __getitem__(self, column: str) -> Array:
        """The values of a column, (T, B) or (T, B, width); zero where the mask is False."""
        column_values = self.recording[column]
        if len(column_values) == 0:
            return np.zeros((*self.mask.shape, *column_values.shape[1:]), column_values.dtype)
        values: Array = column_values[self.rows]
        values[~self.mask] = 0
        return values

    def __iter__(self) -> Iterator[str]:
        return iter(self.recording.columns)

    def __len__(self) -> int:
        """Number of columns."""
        return len(self.recording.columns)


class Recording:
    """A recording, whatever number of files, ranks and launches it was written by.

    Rows are in the order of (decision, agent). Columns are read when they are first asked for, and
    kept.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._index = read_index(self.path)
        self._columns: dict[str, Array] = {}
        self._takes = [self._open(segment) for segment in self._index.segments]
        kept = self._concatenate("decision", "agent")
        self._order = np.lexsort((kept["agent"], kept["decision"]))
        for name in ("decision", "agent"):
            self._columns[name] = kept[name][self._order]
        self._refuse_twice()

    def __len__(self) -> int:
        """Number of rows: decisions of agents."""
        return len(self._order)

    def __getitem__(self, column: str) -> Array:
        """The values of a column, (rows) or (rows, width), sorted by decision and agent."""
        if column not in self.columns:
            fail(
                f"{self.path} has no column '{column}'",
                f"it has {', '.join(self.columns)}",
                "Record it: 'carry yes', 'reward v_name', 'done v_name'.",
                UnknownColumn,
            )
        if column not in self._columns:
            self._columns[column] = self._concatenate(column)[column][self._order]
        return self._columns[column]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of what a row holds."""
        return self._index.columns

    @property
    def source(self) -> str:
        """ID of the fix that recorded."""
        return self._index.source

    @property
    def observation_size(self) -> int:
        """Values of an observation."""
        return self._index.observation_size

    @property
    def action_size(self) -> int:
        """Values of an action."""
        return self._index.action_size

    @property
    def carry_size(self) -> int:
        """Values of a carry; 0 if carries are not recorded."""
        return self._index.carry_size

    @property
    def launches(self) -> tuple[Launch, ...]:
        """The launches of simulations that wrote to it."""
        return self._index.launches

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The files that hold its rows."""
        return self._index.segments

    @property
    def ignored(self) -> tuple[Path, ...]:
        """Files that do not count: a simulation was killed while its ranks wrote them."""
        return self._index.ignored

    @property
    def superseded(self) -> int:
        """Rows in the files that do not count: a later launch made these decisions anew."""
        return sum(segment.rows for segment in self.segments) - len(self)

    @property
    def decisions(self) -> Array:
        """Numbers of the decisions, each once, (T)."""
        return np.unique(self["decision"])

    @property
    def steps(self) -> Array:
        """Time step of each of `decisions`, (T)."""
        _, first = np.unique(self["decision"], return_index=True)
        steps: Array = self["step"][first]
        return steps

    @property
    def agents(self) -> Array:
        """Ids of the agents, each once, (B)."""
        return np.unique(self["agent"])

    def agent(self, agent: int) -> Trajectory:
        """The trajectory of one agent. Raises `Error` where it has none."""
        rows = np.flatnonzero(self["agent"] == agent)
        if len(rows) == 0:
            fail(
                f"{self.path} has no agent {agent}",
                "none of its rows has this id",
                "Ask for one of recording.agents.",
            )
        return Trajectory(int(agent), self, rows)

    def dense(self, agents: Sequence[int] | Array | None = None) -> Dense:
        """Arrays (T, B, …) of all recorded decisions of `agents`, by default of all, with a mask.

        An agent that was not there yet, or no longer, is masked out.
        """
        ids = self.agents if agents is None else np.asarray(agents, np.int64)
        unknown = np.setdiff1d(ids, self.agents)
        if len(unknown):
            self.agent(int(unknown[0]))
        decisions = self.decisions
        order = np.argsort(ids)
        wanted = np.flatnonzero(np.isin(self["agent"], ids))
        places = order[np.searchsorted(ids, self["agent"][wanted], sorter=order)]
        times = np.searchsorted(decisions, self["decision"][wanted])
        shape = (len(decisions), len(ids))
        rows = np.zeros(shape, np.int64)
        mask = np.zeros(shape, np.bool_)
        rows[times, places] = wanted
        mask[times, places] = True
        return Dense(mask, decisions, self.steps, ids, self, rows)

    def torch(self, length: int | None = None) -> Windows:
        """A torch.utils.data.Dataset of trajectories; PyTorch is imported here.

        An item is a dictionary of tensors (L, …). `length` cuts trajectories into windows of that
        many recorded decisions without a gap, so that a DataLoader can stack them; what is left at
        the end of a trajectory is shorter and left out, as it is where a later launch goes on with
        another interval of recording. By default an item is all of an agent.
        """
        try:
            from dempilot.recording_torch import Windows
        except ImportError as error:
            fail("torch cannot be imported", str(error), "Install it: pip install torch.")
        return Windows(self, self._every(), length)

    def _every(self) -> Array:
        """Of each row, decisions from one recorded to the next in the launch that made it."""
        by_launch = {launch.number: launch.every for launch in self.launches}
        parts = [np.zeros(0, np.int64)]
        for segment, take in zip(self.segments, self._takes, strict=True):
            rows = segment.rows if isinstance(take, slice) else len(take)
            parts.append(np.full(rows, by_launch[segment.launch], np.int64))
        every: Array = np.concatenate(parts)[self._order]
        return every

    def _open(self, segment: Segment) -> Array | slice:
        """Which rows of a segment count."""
        with open_segment(segment.path) as file:
            self._check(file, segment)
            if segment.before is None or segment.last_decision < segment.before:
                return slice(None)
            decision = _read(file, segment, "decision", None)
            return np.flatnonzero(decision < segment.before)

    def _check(self, file: h5py.File, segment: Segment) -> None:
        expected = {"launch": segment.launch, "rank": segment.rank, "flush": segment.flush}
        for name, value in {**expected, "rows": segment.rows}.items():
            found = attribute(file, segment.path, name)
            if found != value:
                fail(
                    f"{segment.path} belongs elsewhere",
                    f"its {name} is {found}, expected {value}",
                    AGAIN,
                )
        source = text(file, "source")
        if source != self.source:
            fail(
                f"{segment.path} is of another recording",
                f"fix '{source}' wrote it, not '{self.source}'",
                AGAIN,
            )

    def _concatenate(self, *columns: str) -> dict[str, Array]:
        """Rows that count of some columns, in the order of the segments."""
        parts: dict[str, list[Array]] = {
            name: [np.zeros(_shape(self._index, name, 0), KINDS[name])] for name in columns
        }
        for segment, take in zip(self.segments, self._takes, strict=True):
            with open_segment(segment.path) as file:
                for name, read in parts.items():
                    values = _read(file, segment, name, _shape(self._index, name, segment.rows))
                    read.append(values[take].astype(KINDS[name], copy=False))
        return {name: np.concatenate(read) for name, read in parts.items()}

    def _refuse_twice(self) -> None:
        decision, agent = self["decision"], self["agent"]
        twice = np.flatnonzero((decision[1:] == decision[:-1]) & (agent[1:] == agent[:-1]))
        if len(twice):
            fail(
                f"{self.path} holds decision {decision[twice[0]]} of agent {agent[twice[0]]} twice",
                "segments of several recordings are mixed",
                AGAIN,
            )


def _shape(index: Index, column: str, rows: int) -> tuple[int, ...]:
    width = index.width(column)
    return (rows,) if width is None else (rows, width)


def _read(file: h5py.File, segment: Segment, column: str, shape: tuple[int, ...] | None) -> Array:
    try:
        dataset = file[column]
        if shape is not None and dataset.shape != shape:
            fail(
                f"{segment.path} is damaged",
                f"its {column} has shape {dataset.shape}, expected {shape}",
                AGAIN,
            )
        values: Array = dataset[...]
    except (KeyError, OSError, AttributeError) as error:
        fail(f"{segment.path} is damaged", f"its {column}: {error}", AGAIN)
    return values


def describe(recording: Recording) -> dict[str, Any]:
    """What `dempilot recording info` says, ready for JSON."""
    decisions, steps = recording.decisions, recording.steps
    return {
        "path": str(recording.path),
        "source": recording.source,
        "rows": len(recording),
        "agents": len(recording.agents),
        "decisions": len(decisions),
        "first_decision": int(decisions[0]) if len(decisions) else None,
        "last_decision": int(decisions[-1]) if len(decisions) else None,
        "first_step": int(steps[0]) if len(steps) else None,
        "last_step": int(steps[-1]) if len(steps) else None,
        "columns": list(recording.columns),
        "observation_size": recording.observation_size,
        "action_size": recording.action_size,
        "carry_size": recording.carry_size,
        "launches": [vars(launch) for launch in recording.launches],
        "segments": len(recording.segments),
        "bytes": sum(segment.path.stat().st_size for segment in recording.segments),
        "superseded_rows": recording.superseded,
        "ignored_files": [path.name for path in recording.ignored],
    }
