from __future__ import annotations

import pytest
import torch
from test_recording import Writer, rows_of

from dempilot import Error, Recording


@pytest.fixture
def recording(tmp_path) -> Recording:
    """Agent 1 at decisions 0 to 9, agent 2 without decision 4."""
    writer = Writer(tmp_path / "r")
    launch = writer.launch()
    late = [*rows_of(range(4), [2]), *rows_of(range(5, 10), [2])]
    writer.flush(launch, (0, 9), [[*rows_of(range(10), [1]), *late]])
    return Recording(writer.folder)


def test_an_item_is_a_trajectory(recording):
    dataset = recording.torch()
    assert isinstance(dataset, torch.utils.data.Dataset)
    assert [len(item["decision"]) for item in dataset_items(dataset)] == [10, 9]
    item = dataset[1]
    assert item["observation"].shape == (9, 3) and item["observation"].dtype == torch.float32
    assert item["reward"].dtype == torch.float32
    assert item["done"].dtype == torch.bool
    assert item["agent"].tolist() == [2] * 9
    assert item["decision"].tolist() == [0, 1, 2, 3, 5, 6, 7, 8, 9]


def dataset_items(dataset):
    return [dataset[place] for place in range(len(dataset))]


def test_windows_have_no_gaps_and_stack(recording):
    dataset = recording.torch(4)
    assert [item["decision"].tolist() for item in dataset_items(dataset)] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [0, 1, 2, 3],
        [5, 6, 7, 8],
    ]
    batch = next(iter(torch.utils.data.DataLoader(dataset, batch_size=4)))
    assert batch["observation"].shape == (4, 4, 3)


def test_windows_follow_the_interval_of_recording(tmp_path):
    writer = Writer(tmp_path / "r")
    launch = writer.launch(every=3)
    rows = [row for n in (0, 3, 6, 12, 15) for row in rows_of(range(n, n + 1), [1])]
    writer.flush(launch, (0, 15), [rows])
    dataset = Recording(writer.folder).torch(2)
    assert [item["decision"].tolist() for item in dataset_items(dataset)] == [[0, 3], [12, 15]]


def windows(writer: Writer, length: int) -> list[list[int]]:
    dataset = Recording(writer.folder).torch(length)
    return [item["decision"].tolist() for item in dataset_items(dataset)]


def at(decisions: list[int], launch: int) -> list[dict]:
    return [row for n in decisions for row in rows_of(range(n, n + 1), [1], launch)]


def test_an_interval_of_which_no_row_is_left_does_not_matter(tmp_path):
    writer = Writer(tmp_path / "r")
    first = writer.launch(every=3)
    writer.flush(first, (0, 9), [at([0, 3, 6, 9], first)])
    second = writer.launch(every=2)
    writer.flush(second, (0, 6), [at([0, 2, 4, 6], second)])
    writer.launch(every=5, from_decision=4)  # it was killed before its first flush
    assert windows(writer, 2) == [[0, 2], [4, 6]]


def test_windows_end_where_a_later_launch_has_another_interval(tmp_path):
    writer = Writer(tmp_path / "r")
    first = writer.launch(every=2)
    writer.flush(first, (0, 10), [at([0, 2, 4, 6, 8, 10], first)])
    second = writer.launch(every=3, from_decision=7)
    writer.flush(second, (9, 15), [at([9, 12, 15], second)])
    # the same interval goes on in the same window
    third = writer.launch(every=3, from_decision=16)
    writer.flush(third, (18, 21), [at([18, 21], third)])
    fourth = writer.launch(every=1, from_decision=22)
    writer.flush(fourth, (22, 24), [at([22, 23, 24], fourth)])
    assert windows(writer, 2) == [[0, 2], [4, 6], [9, 12], [15, 18], [22, 23]]
    assert windows(writer, 3) == [[0, 2, 4], [9, 12, 15], [22, 23, 24]]


def test_windows_of_nothing_are_refused(recording):
    with pytest.raises(Error) as caught:
        recording.torch(0)
    assert str(caught.value) == (
        "a window has no 0 decisions (it is at least 1) Give another length."
    )
