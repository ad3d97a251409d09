from __future__ import annotations

import collections
import datetime
import os
import pickle

import numpy as np
import pytest

from dempilot import Error
from dempilot.convert.unpickle import Record, read_pickle, to_array, to_number


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<i8", "|b1", "|u1"])
def test_arrays_are_read_as_numpy_wrote_them(protocol, dtype):
    array = np.arange(12).reshape(3, 4).astype(dtype)
    for written in (array, np.asfortranarray(array), array[::2]):
        found = to_array(read_pickle(pickle.dumps(written, protocol), "it"), "it")
        assert np.array_equal(found, written)
        assert found.dtype == written.dtype.newbyteorder("=")


def test_scalars_and_plain_values_are_read():
    data = {"a": np.float64(2.5), "b": [1, (2, "x")], "c": None, "d": collections.OrderedDict(e=1)}
    found = read_pickle(pickle.dumps(data), "it")
    assert to_array(found["a"], "it") == 2.5
    assert found["b"] == [1, (2, "x")] and found["c"] is None and found["d"] == {"e": 1}


def test_a_space_becomes_a_record_without_its_library():
    class_of_gym = type("Box", (), {"__module__": "gymnasium.spaces.box", "__qualname__": "Box"})
    space = class_of_gym()
    space.__dict__.update(low=np.zeros(2, np.float32), generator=np.random.default_rng(1))
    found = read_pickle(_pickled_as(space, "gymnasium.spaces.box", "Box"), "it")
    assert isinstance(found, Record) and found.kind == "Box"
    assert np.array_equal(to_array(found.get("low"), "it"), np.zeros(2))


def _pickled_as(value: object, module: str, name: str) -> bytes:
    """Pickles an object whose class nobody can import."""

    class Pickler(pickle._Pickler):
        def save_global(self, obj, name=None):
            if obj is type(value):
                self.write(pickle.GLOBAL + f"{module}\n{wanted}\n".encode())
                self.memoize(obj)
            else:
                super().save_global(obj, name)

    import io

    wanted, buffer = name, io.BytesIO()
    Pickler(buffer, 2).dump(value)
    return buffer.getvalue()


class Bomb:
    """Unpickling it would run a command."""

    def __init__(self, function, *arguments) -> None:
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    ("bomb", "name"),
    [
        (Bomb(os.system, "touch trace"), "posix.system"),
        (Bomb(eval, "1"), "builtins.eval"),
        (Bomb(getattr, "", "join"), "builtins.getattr"),
        (datetime.date(2020, 1, 1), "datetime.date"),
    ],
)
def test_other_classes_are_refused_by_name(bomb, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Error) as caught:
        read_pickle(pickle.dumps(bomb), "'action_space' in 'data'")
    assert str(caught.value) == (
        f"'action_space' in 'data' needs the class {name} (unpickling a class that is not known "
        "runs code that the file brings along) If you trust who made the file, repeat with --trust."
    )
    assert not list(tmp_path.iterdir())


def test_nothing_of_a_known_class_is_called():
    # numpy.ndarray of a size that no machine has: a record remembers it and that is all
    record = read_pickle(b"cnumpy\nndarray\n(I9999999999999999\ntR.", "it")
    assert record.args == (9999999999999999,)


@pytest.mark.parametrize("data", [b"", b"hello", b"\x80\x05.", pickle.dumps([1, 2])[:-3]])
def test_damaged_pickles_are_refused(data):
    with pytest.raises(Error) as caught:
        read_pickle(data, "world.pkl")
    assert str(caught.value).startswith("world.pkl is no readable pickle (")
    assert str(caught.value).endswith(") Save it again.")


def test_damaged_arrays_are_refused():
    data = pickle.dumps(np.arange(4.0), 2).replace(b"K\x04\x85", b"K\x05\x85")
    with pytest.raises(Error) as caught:
        to_array(read_pickle(data, "it"), "'mean' in world.pkl")
    assert str(caught.value) == (
        "'mean' in world.pkl holds no numbers (cannot reshape array of size 4 into shape (5,)) "
        "Save it again."
    )
    with pytest.raises(Error) as caught:
        to_array("text", "'mean'")
    assert str(caught.value) == "'mean' holds no numbers (it is a str) Save it again."


def deep(levels: int) -> bytes:
    """A tuple in a tuple in a tuple."""
    return b")" + b"\x85" * levels


def shared(levels: int) -> bytes:
    """A tuple that holds the one before twice, and so on: 2^levels values in few bytes."""
    return b"I1\n" + b"2\x86" * levels


HOSTILE = {
    "a deep key": (b"}" + deep(100_000) + b"I1\ns.", "UnpicklingError: a key is a tuple"),
    "a shared key": (b"}" + shared(60) + b"I1\ns.", "UnpicklingError: a key is a tuple"),
    "among keys": (b"}(I1\nI1\n" + shared(60) + b"I1\nu.", "UnpicklingError: a key is a tuple"),
    "of a whole dict": (b"(" + shared(60) + b"I1\nd.", "UnpicklingError: a key is a tuple"),
    "of a record": (b"cbuiltins\nset\n)R" + shared(60) + b"I1\ns.",
                    "UnpicklingError: a key is a tuple"),
    "in a set": (b"\x8f(" + shared(60) + b"\x90.", "UnpicklingError: a key is a tuple"),
    "in a frozen set": (b"(" + shared(60) + b"\x91.", "UnpicklingError: a key is a tuple"),
    "given to dict": (b"cbuiltins\ndict\n(" + shared(60) + b"tR.",
                      "TypeError: _Entries.__init__() takes 1 positional argument but 2 were "
                      "given"),
    "depth": (deep(100_000) + b".", "UnpicklingError: it is nested more than 64 deep"),
    "sharing": (shared(60) + b".", "UnpicklingError: it holds more than 1000000 values"),
    "a circle": (b"]q\x00h\x00a.", "UnpicklingError: it is nested more than 64 deep"),
    "size": (b"\x96" + b"\xff" * 5 + b"\x00" * 3 + b".", "EOFError: "),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_pickles_made_to_crash_or_hang_are_refused(name):
    data, reason = HOSTILE[name]
    with pytest.raises(Error) as caught:
        read_pickle(data, "world.pkl")
    assert str(caught.value) == f"world.pkl is no readable pickle ({reason}) Save it again."


def test_a_persistent_id_is_not_printed():
    with pytest.raises(Error) as caught:
        read_pickle(shared(60) + b"Q.", "world.pkl")
    assert str(caught.value) == (
        "world.pkl points outside itself (by a persistent id) Save it as one file."
    )


BUFFER = b"cnumpy.core.numeric\n_frombuffer\n("
FLOAT = b"cnumpy\ndtype\n(X\x02\x00\x00\x00f8tR"
UNUSABLE = {
    "a size": (BUFFER + b"I99999999999\n" + FLOAT + b"(I0\ntX\x01\x00\x00\x00CtR.",
               "its data is a int"),
    "no type": (BUFFER + b"C\x00I3\n(I0\ntX\x01\x00\x00\x00CtR.", "its type is none of NumPy's"),
    "a type of objects": (BUFFER + b"C\x00cnumpy\ndtype\n(X\x01\x00\x00\x00OtR)"
                          b"X\x01\x00\x00\x00CtR.",
                          "its type is object"),
    "no text to encode": (BUFFER + b"c_codecs\nencode\n(I3\ntR" + FLOAT + b")X\x01\x00\x00\x00CtR.",
                          "'int' object has no attribute 'encode'"),
    "lists in a list": (b"]]a.", "its list holds a list"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNUSABLE)
def test_arrays_that_are_put_together_wrongly_are_refused(name):
    data, reason = UNUSABLE[name]
    with pytest.raises(Error) as caught:
        to_array(read_pickle(data, "it"), "'mean'")
    assert str(caught.value) == f"'mean' holds no numbers ({reason}) Save it again."


def test_a_number_is_one_and_finite():
    assert to_number([3], "'n'") == 3
    with pytest.raises(Error) as caught:
        to_number([1.0, 2.0], "'n'")
    assert str(caught.value) == "'n' is no finite number (it holds 2 values) Save it again."
