"""Golden rows from outside: what is taken, and the message of what is not."""

from __future__ import annotations

import pickle
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from models import affine

from dempilot import Error
from dempilot.convert import rows as rows_module
from dempilot.convert.rows import read_rows
from dempilot.model import Array, Model, Outputs

COUNT = 5


class Remembering:
    """What it decides is what it remembers and sees; it forgets half at every step."""

    def __call__(self, observation: Array, carry: Array) -> Outputs:
        mean = carry + observation[:, :3]
        std = np.full_like(mean, 0.5)
        return Outputs(mean, std, mean.clip(-1, 1), observation[:, 3], mean / 2)


class Choosing:
    """The first two values are the logits of two categories."""

    def __call__(self, observation: Array, carry: Array) -> Outputs:
        mean = observation[:, :2]
        return Outputs(mean, None, mean.argmax(1, keepdims=True), observation[:, 3], carry)


def remembering() -> Model:
    return replace(affine(4, 3), carry_size=3, oracle=Remembering(), notes=("computes: a -> b",))


def choosing() -> Model:
    model = affine(4, 2)
    return replace(model, metadata={**model.metadata, "discrete": True}, oracle=Choosing())


def recorded(model: Model) -> dict[str, Array]:
    """All that the model computes from random rows."""
    rng = np.random.default_rng(3)
    observation = rng.normal(size=(COUNT, 4)).astype(np.float32)
    carry = rng.normal(size=(COUNT, model.carry_size)).astype(np.float32)
    outputs = model.oracle(observation, carry)
    rows = {"observation": observation, "mean": outputs.mean, "value": outputs.value}
    rows["action"] = outputs.action
    if outputs.std is not None:
        rows["std"] = outputs.std
    if model.carry_size:
        rows |= {"carry": carry, "next_carry": outputs.next_carry}
    return rows


def save(folder: Path, rows: dict[str, Array]) -> Path:
    path = folder / "rows.npz"
    np.savez(path, **rows)
    return path


@pytest.mark.parametrize("make", [remembering, choosing, affine])
def test_rows_that_the_model_gives_are_taken_as_they_are(make, tmp_path):
    model = make()
    rows = recorded(model)
    rows["mean"] = rows["mean"] + 5e-6
    found = read_rows(save(tmp_path, rows), model)
    assert set(found) == set(rows)
    for name, array in rows.items():
        assert found[name].dtype == np.float32
        assert np.array_equal(found[name], np.asarray(array, np.float32)), name


@pytest.mark.parametrize("kept", ["mean", "action"])
def test_what_is_left_out_is_filled_in(kept, tmp_path):
    model = remembering()
    rows = recorded(model)
    path = save(
        tmp_path, {k: v for k, v in rows.items() if k not in {"mean", "action", "std"} - {kept}}
    )
    found = read_rows(path, model)
    assert set(found) == set(rows)
    for name in ("mean", "action", "std"):
        assert np.array_equal(found[name], np.asarray(rows[name], np.float32))


def refusal(path: Path, model: Model) -> str:
    with pytest.raises(Error) as caught:
        read_rows(path, model)
    return str(caught.value).replace(str(path), "rows.npz")


@pytest.mark.parametrize("name", ["mean", "std", "value", "next_carry", "action"])
def test_an_array_that_the_model_does_not_give_is_named(name, tmp_path):
    model = remembering()
    rows = recorded(model)
    rows[name] = rows[name].copy()
    rows[name].reshape(COUNT, -1)[3, -1] += 0.25
    error = 0.25 / max(1.0, np.abs(rows[name]).max())
    assert refusal(save(tmp_path, rows), model) == (
        f"'{name}' in rows.npz is off by {error:.3g} from the converted model, most in row 3 "
        "(rounding explains 1e-05; computes: a -> b) Compare that with your forward pass, and the "
        "rows with docs/convert/README.md."
    )


def test_a_close_call_is_refused(tmp_path):
    rows = recorded(choosing())
    rows["observation"][2, :2] = [0.5, 0.50001]
    rows["mean"] = rows["observation"][:, :2]
    rows["action"][2] = 0
    for left_out in ("action", "mean"):
        path = save(tmp_path, {name: rows[name] for name in rows if name != left_out})
        assert refusal(path, choosing()) == (
            "row 2 of rows.npz is too close a call (its two best logits are so alike that rounding "
            "decides the category) Leave that row out of every array."
        )


SHAPES = {
    "observation": "[n, 4] with n from 1 to 4096) Give one row for each step of each agent.",
    "carry": "[5, 3]) See docs/convert/README.md for what it holds.",
    "mean": "[5, 3]) See docs/convert/README.md for what it holds.",
    "std": "[5, 3]) See docs/convert/README.md for what it holds.",
    "action": "[5, 3]) See docs/convert/README.md for what it holds.",
    "value": "[5]) See docs/convert/README.md for what it holds.",
    "next_carry": "[5, 3]) See docs/convert/README.md for what it holds.",
}


@pytest.mark.parametrize("name", SHAPES)
def test_each_array_has_its_shape(name, tmp_path):
    rows = recorded(remembering())
    rows[name] = rows[name][..., None]
    shape = list(rows[name].shape)
    assert refusal(save(tmp_path, rows), remembering()) == (
        f"'{name}' in rows.npz has shape {shape} (expected {SHAPES[name]}"
    )


@pytest.mark.parametrize("count", [0, 4097])
def test_rows_are_some_and_no_more_than_a_load_replays(count, tmp_path):
    rows = recorded(remembering()) | {"observation": np.zeros((count, 4), np.float32)}
    assert refusal(save(tmp_path, rows), remembering()) == (
        f"'observation' in rows.npz has shape [{count}, 4] (expected {SHAPES['observation']}"
    )


def test_categories_are_a_column(tmp_path):
    rows = recorded(choosing())
    rows["action"] = rows["action"][:, 0]
    assert refusal(save(tmp_path, rows), choosing()) == (
        "'action' in rows.npz has shape [5] (expected [5, 1]) See docs/convert/README.md for what "
        "it holds."
    )


@pytest.mark.parametrize("name", ["observation", "value", "next_carry"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e39])
def test_numbers_that_are_not_finite_are_refused(name, bad, tmp_path):
    rows = recorded(remembering())
    rows[name] = rows[name].astype(np.float64)
    rows[name][2, ...] = bad
    assert refusal(save(tmp_path, rows), remembering()) == (
        f"'{name}' in rows.npz holds what is no finite number in row 2 (golden rows are finite in "
        "float32) Leave that row out of every array, or record again."
    )


@pytest.mark.parametrize("kind", [np.complex64, np.bool_, "S8", "V2"])
def test_what_is_no_number_is_refused(kind, tmp_path):
    rows = recorded(remembering())
    rows["value"] = np.zeros(COUNT, kind)
    assert refusal(save(tmp_path, rows), remembering()) == (
        f"'value' in rows.npz holds {np.dtype(kind)} (numbers are needed) Save float32."
    )


class Bomb:
    """Unpickling it leaves a trace."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, "w"))


def test_objects_are_not_unpickled(tmp_path):
    trace = tmp_path / "trace"
    rows = recorded(remembering()) | {"value": np.array([Bomb(trace)] * COUNT, object)}
    assert refusal(save(tmp_path, rows), remembering()) == (
        "'value' in rows.npz holds Python objects (these are pickled, and unpickling runs code "
        "that the file brings along) Save arrays of numbers."
    )
    assert not trace.exists()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(lambda trace: pickle.dumps(Bomb(trace)), id="a pickle"),
        pytest.param(lambda trace: b"", id="nothing"),
    ],
)
def test_what_is_no_archive_is_refused_unread(content, tmp_path):
    path = tmp_path / "rows.npz"
    path.write_bytes(content(tmp_path / "trace"))
    assert refusal(path, remembering()) == (
        "rows.npz is no npz (it is no archive of arrays) Save it with numpy.savez."
    )
    assert not (tmp_path / "trace").exists()


def test_a_damaged_array_is_refused(tmp_path):
    path = tmp_path / "rows.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("value.npy", b"\x93NUMPY\x01\x00\xff\xff")
    message = refusal(path, remembering())
    assert message.startswith("rows.npz cannot be read (")
    assert message.endswith(") Save it again with numpy.savez.")


def test_an_archive_that_unpacks_to_too_much_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(rows_module, "LARGEST", 1000)
    path = save(tmp_path, {"observation": np.zeros((300, 4))})
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("observation.npy").file_size
    assert refusal(path, remembering()) == (
        f"rows.npz unpacks to {size} bytes (at most 1000 are read) Record fewer rows."
    )


def test_a_file_that_is_not_there_is_refused(tmp_path):
    assert refusal(tmp_path / "rows.npz", remembering()) == (
        "rows.npz does not exist (--rows names it) Check the path."
    )


LACKING = {
    ("observation",): "'observation'",
    ("value", "carry", "next_carry"): "'value', 'carry', 'next_carry'",
    ("mean", "action"): "'mean' or 'action'",
}


@pytest.mark.parametrize("names", LACKING)
def test_missing_arrays_are_named(names, tmp_path):
    rows = {k: v for k, v in recorded(remembering()).items() if k not in names}
    assert refusal(save(tmp_path, rows), remembering()) == (
        f"rows.npz lacks {LACKING[names]} (it has {', '.join(rows)}) Record all of a step."
    )


def test_arrays_of_another_name_are_refused(tmp_path):
    rows = recorded(remembering()) | {"done": np.zeros(COUNT)}
    assert refusal(save(tmp_path, rows), remembering()) == (
        "'done' in rows.npz is unknown (known: observation, carry, mean, std, value, next_carry, "
        "action) Leave it out."
    )


@pytest.mark.parametrize("name", ["carry", "next_carry"])
def test_a_model_without_memory_takes_no_carry(name, tmp_path):
    rows = recorded(affine()) | {name: np.ones((COUNT, 3))}
    assert refusal(save(tmp_path, rows), affine()) == (
        f"'{name}' in rows.npz has no place (the model has no memory) Leave it out."
    )


def test_categories_take_no_deviation(tmp_path):
    rows = recorded(choosing()) | {"std": np.ones((COUNT, 2))}
    assert refusal(save(tmp_path, rows), choosing()) == (
        "'std' in rows.npz has no place (the model chooses categories) Leave it out."
    )


def test_a_memory_that_is_never_read_is_refused(tmp_path):
    rows = recorded(remembering())
    rows["carry"][:] = 0
    assert refusal(save(tmp_path, rows), remembering()) == (
        "'carry' in rows.npz holds nothing but zeros (what the model does with its memory would go "
        "unchecked) Record later steps of an episode as well."
    )
