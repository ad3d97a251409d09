"""The files of a recording (docs/recording.md): which there are, and which rows of them count."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py

from dempilot.errors import Error, fail

FORMAT = "dempilot-recording"
SEGMENT_FORMAT = "dempilot-recording-segment"
VERSION = 1
INDEX = "index.json"
SEGMENT = re.compile(r"segment-(\d{4,})-(\d{5,})-(\d{6,})\.h5")
AGAIN = "Copy the recording again."


@dataclass(frozen=True)
class Launch:
    """One launch of a simulation that wrote to the recording."""

    number: int
    policy: str  # digest of the policy file
    every: int  # decisions from one recorded to the next
    ranks: int
    from_decision: int  # number of the first decision that it made
    from_step: int


@dataclass(frozen=True)
class Segment:
    """The file that one rank wrote at one flush. Its rows from `before` on do not count."""

    path: Path
    launch: int
    rank: int
    flush: int
    first_decision: int
    last_decision: int
    first_step: int
    last_step: int
    rows: int
    before: int | None = None  # number of a decision; None: all rows count


@dataclass(frozen=True)
class Index:
    """What the recording holds."""

    source: str
    observation_size: int
    action_size: int
    carry_size: int
    columns: tuple[str, ...]
    launches: tuple[Launch, ...]
    segments: tuple[Segment, ...]
    ignored: tuple[Path, ...]  # segments of flushes that were not completed

    def width(self, column: str) -> int | None:
        """Entries of a column in one row; None for a single number."""
        widths = {
            "observation": self.observation_size,
            "action": self.action_size,
            "carry": self.carry_size,
        }
        return widths.get(column)


def read_index(folder: Path) -> Index:
    """Reads `index.json`, and finds what it does not know; raises `Error` for what cannot be."""
    path = folder / INDEX
    if not path.is_file():
        fail(f"{folder} is no recording", f"it has no {INDEX}", "Check the path.")
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        fail(f"{path} cannot be read", str(error), AGAIN)
    try:
        return _parse(folder, content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        fail(f"{path} is damaged", f"{type(error).__name__}: {error}", AGAIN)


def _parse(folder: Path, content: Mapping[str, Any]) -> Index:
    if content["format"] != FORMAT:
        fail(f"{folder} is no recording", f"its format is '{content['format']}'", "Check the path.")
    if content["version"] != VERSION:
        fail(
            f"{folder} has format version {content['version']}",
            f"this package reads version {VERSION}",
            "Use the DEMPilot that wrote it.",
        )
    launches = tuple(_launch(entry) for entry in content["launches"])
    segments = [
        segment
        for launch, entry in zip(launches, content["launches"], strict=True)
        for flush in entry["flushes"]
        for segment in _flush(folder, launch, flush)
    ]
    for segment in segments:
        if not segment.path.is_file():
            fail(
                f"{segment.path} is missing",
                f"{INDEX} says that it holds {segment.rows} rows",
                AGAIN,
            )
    found, ignored = _found(folder, launches, {segment.path for segment in segments})
    return Index(
        source=str(content["source"]),
        observation_size=int(content["observation_size"]),
        action_size=int(content["action_size"]),
        carry_size=int(content["carry_size"]),
        columns=tuple(map(str, content["columns"])),
        launches=launches,
        segments=tuple(_supersede(launches, [*segments, *found])),
        ignored=tuple(ignored),
    )


def _launch(entry: Mapping[str, Any]) -> Launch:
    return Launch(
        number=int(entry["launch"]),
        policy=str(entry["policy"]),
        every=int(entry["every"]),
        ranks=int(entry["ranks"]),
        from_decision=int(entry["from_decision"]),
        from_step=int(entry["from_step"]),
    )


def _flush(folder: Path, launch: Launch, entry: Mapping[str, Any]) -> Iterator[Segment]:
    if len(entry["rows"]) != launch.ranks:
        raise ValueError(f"{len(entry['rows'])} counts of rows for {launch.ranks} ranks")
    for rank, rows in enumerate(entry["rows"]):
        if rows:
            flush = int(entry["flush"])
            yield Segment(
                path=folder / f"segment-{launch.number:04}-{rank:05}-{flush:06}.h5",
                launch=launch.number,
                rank=rank,
                flush=flush,
                first_decision=int(entry["first_decision"]),
                last_decision=int(entry["last_decision"]),
                first_step=int(entry["first_step"]),
                last_step=int(entry["last_step"]),
                rows=int(rows),
            )


def _found(
    folder: Path, launches: tuple[Launch, ...], known: set[Path]
) -> tuple[list[Segment], list[Path]]:
    """Segments that the index does not know.

    They count where all ranks have written them, up to the decision that all have reached: a
    simulation that stops on an error writes what it has, but no index.
    """
    flushes: dict[tuple[int, int], list[Path]] = {}
    for path in sorted(folder.glob("segment-*.h5")):
        match = SEGMENT.fullmatch(path.name)
        if match is not None and path not in known:
            flushes.setdefault((int(match[1]), int(match[3])), []).append(path)
    ranks = {launch.number: launch.ranks for launch in launches}
    segments: list[Segment] = []
    ignored: list[Path] = []
    for (launch, _), paths in flushes.items():
        if launch not in ranks or len(paths) != ranks[launch]:
            ignored.extend(paths)
            continue
        try:
            heads = [_head(path) for path in paths]
        except Error:
            ignored.extend(paths)
            continue
        end = 1 + min(head.last_decision for head in heads)
        segments.extend(replace(head, before=end) for head in heads)
    return segments, ignored


def _head(path: Path) -> Segment:
    with open_segment(path) as file:
        names = ("first_decision", "last_decision", "first_step", "last_step", "rows")
        numbers = {name: attribute(file, path, name) for name in names}
        return Segment(
            path,
            *(attribute(file, path, name) for name in ("launch", "rank", "flush")),
            **numbers,
        )


def _supersede(launches: tuple[Launch, ...], segments: list[Segment]) -> Iterator[Segment]:
    """What a later launch made anew counts from there, once it has recorded anything."""
    wrote = {segment.launch for segment in segments}
    for segment in segments:
        ends = [
            launch.from_decision
            for launch in launches
            if launch.number > segment.launch and launch.number in wrote
        ]
        if segment.before is not None:
            ends.append(segment.before)
        yield replace(segment, before=min(ends, default=None))


@contextmanager
def open_segment(path: Path) -> Iterator[h5py.File]:
    """Opens a segment; raises `Error` where it is missing, damaged or no segment."""
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        fail(f"{path} cannot be opened", str(error), AGAIN)
    with file:
        if text(file, "format") != SEGMENT_FORMAT:
            found = text(file, "format")
            fail(f"{path} is no segment of a recording", f"its format is '{found}'", AGAIN)
        if attribute(file, path, "version") != VERSION:
            fail(
                f"{path} has format version {attribute(file, path, 'version')}",
                f"this package reads version {VERSION}",
                "Use the DEMPilot that wrote it.",
            )
        yield file


def attribute(file: h5py.File, path: Path, name: str) -> int:
    """A whole number among a segment's attributes."""
    try:
        return int(file.attrs[name])
    except (KeyError, TypeError, ValueError, OSError) as error:
        fail(f"{path} is damaged", f"its attribute '{name}': {error}", AGAIN)


def text(file: h5py.File, name: str) -> str:
    """A string among a segment's attributes; empty where there is none."""
    value = file.attrs.get(name, "")
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
