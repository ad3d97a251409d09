"""Reads pickles without running them.

A pickle is a program: whoever loads one runs what its author wrote. Stable-Baselines3 keeps spaces
and VecNormalize as pickles, of which a few plain classes are needed. Here each class that a pickle
names becomes a `Record` of ours that only remembers what it was given; nothing is imported and
nothing of the pickle's is called. A class that is not listed is refused by its name.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np

from dempilot.errors import Error, fail
from dempilot.model import Array

LARGEST = 64 * 1024 * 1024
DEEPEST = 64
MOST_VALUES = 1_000_000
# spaces of gym and gymnasium, statistics of Stable-Baselines3, activations and optimisers by name
PLAIN = {
    "numpy": ("ndarray", "dtype", "float32", "float64", "int32", "int64", "uint8", "bool_"),
    "numpy.core.multiarray": ("_reconstruct", "scalar"),
    "numpy._core.multiarray": ("_reconstruct", "scalar"),
    "numpy.core.numeric": ("_frombuffer",),
    "numpy._core.numeric": ("_frombuffer",),
    "numpy.random._pickle": ("__generator_ctor", "__bit_generator_ctor", "__randomstate_ctor"),
    "numpy.random._pcg64": ("PCG64",),
    "numpy.random._mt19937": ("MT19937",),
    "numpy.random.bit_generator": ("__pyx_unpickle_SeedSequence", "SeedSequence"),
    "collections": ("OrderedDict", "defaultdict"),
    "builtins": ("dict", "list", "tuple", "set", "type", "int", "float", "bool", "slice"),
    "_codecs": ("encode",),
    "gym.spaces.box": ("Box",),
    "gym.spaces.discrete": ("Discrete",),
    "gym.spaces.multi_discrete": ("MultiDiscrete",),
    "gym.spaces.multi_binary": ("MultiBinary",),
    "gym.spaces.dict": ("Dict",),
    "gym.spaces.tuple": ("Tuple",),
    "gymnasium.spaces.box": ("Box",),
    "gymnasium.spaces.discrete": ("Discrete",),
    "gymnasium.spaces.multi_discrete": ("MultiDiscrete",),
    "gymnasium.spaces.multi_binary": ("MultiBinary",),
    "gymnasium.spaces.dict": ("Dict",),
    "gymnasium.spaces.tuple": ("Tuple",),
    "stable_baselines3.common.policies": (
        "ActorCriticPolicy", "ActorCriticCnnPolicy", "MultiInputActorCriticPolicy",
    ),
    "sb3_contrib.common.recurrent.policies": (
        "RecurrentActorCriticPolicy", "RecurrentActorCriticCnnPolicy",
        "RecurrentMultiInputActorCriticPolicy",
    ),
    "stable_baselines3.common.vec_env.vec_normalize": ("VecNormalize",),
    "stable_baselines3.common.running_mean_std": ("RunningMeanStd",),
    "stable_baselines3.common.torch_layers": ("FlattenExtractor", "MlpExtractor", "NatureCNN"),
    "torch.nn.modules.activation": (
        "Tanh", "ReLU", "LeakyReLU", "SiLU", "ELU", "Sigmoid", "Softplus", "GELU",
    ),
    "torch.nn.modules.linear": ("Identity",),
    "torch.optim.adam": ("Adam",),
    "torch.optim.adamw": ("AdamW",),
    "torch.optim.rmsprop": ("RMSprop",),
    "torch.optim.sgd": ("SGD",),
    "stable_baselines3.common.sb2_compat.rmsprop_tf_like": ("RMSpropTFLike",),
}  # fmt: skip
ARRAY_KINDS = "fiub"
# what a value that is put together wrongly makes us raise
UNUSABLE = (
    TypeError, ValueError, IndexError, AttributeError, OverflowError, MemoryError, RecursionError,
)  # fmt: skip


class Record:
    """What a pickle said about an object of one class: its arguments and its state."""

    name = ""

    args: tuple[Any, ...]
    state: dict[str, Any]
    raw_state: Any

    def __new__(cls, *args: Any, **_: Any) -> Record:  # noqa: D102
        # not __init__, which a pickle may pass over
        record = super().__new__(cls)
        record.args = args
        record.state = {}
        record.raw_state = None
        return record

    def __setstate__(self, state: Any) -> None:
        self.raw_state = state
        parts = state if isinstance(state, tuple) and len(state) == 2 else (state,)
        for part in parts:
            if isinstance(part, dict):
                self.state.update(part)

    def __setitem__(self, key: Any, value: Any) -> None:
        pass  # the entries of mappings and lists are not needed

    def append(self, value: Any) -> None:
        """What a pickle calls to fill a list."""

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    @property
    def kind(self) -> str:
        """The class's own name, without its module."""
        return self.name.rpartition(".")[2]

    def get(self, key: str, default: Any = None) -> Any:
        """An attribute of the pickled object."""
        return self.state.get(key, default)


class _Entries(dict[Any, Any]):
    """A dict that is filled entry by entry, where the reader sees each key."""

    def __init__(self) -> None:
        super().__init__()


# The reader written in Python: the one in C allocates whatever size a file asks for.
# The form written in Python, whose steps can be looked into; typing stubs know little of it.
_PythonUnpickler: Any = pickle._Unpickler  # type: ignore[attr-defined,unused-ignore]


class _Reader(_PythonUnpickler):  # type: ignore[misc]
    dispatch = dict(_PythonUnpickler.dispatch)  # noqa: RUF012

    def __init__(self, data: bytes, what: str) -> None:
        super().__init__(io.BytesIO(data))
        self._what = what
        self._classes: dict[tuple[str, str], Any] = {}

    def find_class(self, module: str, name: str) -> Any:
        if name not in PLAIN.get(module, ()):
            fail(
                f"{self._what} needs the class {module}.{name}",
                "unpickling a class that is not known runs code that the file brings along",
                "If you trust who made the file, repeat with --trust.",
            )
        if (module, name) in (("builtins", "dict"), ("collections", "OrderedDict")):
            return _Entries
        if (module, name) not in self._classes:
            self._classes[module, name] = type(name, (Record,), {"name": f"{module}.{name}"})
        return self._classes[module, name]

    def persistent_load(self, pid: Any) -> Any:
        fail(f"{self._what} points outside itself", "by a persistent id", "Save it as one file.")

    def _load_setitem(self) -> None:
        _check_keys(self.stack[-2:-1])
        super().load_setitem()

    def _load_setitems(self) -> None:
        _check_keys(self.stack[::2])
        super().load_setitems()

    def _load_dict(self) -> None:
        _check_keys(self.stack[::2])
        super().load_dict()

    def _load_members(self) -> None:
        _check_keys(self.stack)
        super().load_additems()

    def _load_frozenset(self) -> None:
        _check_keys(self.stack)
        super().load_frozenset()

    def _load_bytearray(self) -> None:
        super().load_binbytes8()  # which takes what is there, and not whatever size is asked for

    dispatch[pickle.SETITEM[0]] = _load_setitem
    dispatch[pickle.SETITEMS[0]] = _load_setitems
    dispatch[pickle.DICT[0]] = _load_dict
    dispatch[pickle.ADDITEMS[0]] = _load_members
    dispatch[pickle.FROZENSET[0]] = _load_frozenset
    dispatch[pickle.BYTEARRAY8[0]] = _load_bytearray


def _check_keys(keys: Sequence[Any]) -> None:
    """Hashing a tuple hashes what it holds, which can be made to take forever or all the stack."""
    for key in keys:
        if key is not None and type(key) not in (str, int, bool):
            raise pickle.UnpicklingError(f"a key is a {type(key).__name__}")


def _check_extent(value: Any) -> None:
    """Refuses what printing or walking would never end: a few bytes can share a list many times."""
    todo, count = [(value, 0)], 0
    while todo:
        one, depth = todo.pop()
        parts: Sequence[Any] = ()
        if isinstance(one, Record):
            parts = (*one.args, one.raw_state)
        elif isinstance(one, dict):
            parts = tuple(one.values())
        elif isinstance(one, (list, tuple)):
            parts = one
        count += len(parts)
        if count > MOST_VALUES:
            raise pickle.UnpicklingError(f"it holds more than {MOST_VALUES} values")
        if depth > DEEPEST:
            raise pickle.UnpicklingError(f"it is nested more than {DEEPEST} deep")
        todo += [(part, depth + 1) for part in parts]


def read_pickle(data: bytes, what: str) -> Any:
    """Returns the pickled object, with a `Record` for each object of a class.

    Raises `Error` for damaged data and for each class that is not one of `PLAIN`.
    """
    if len(data) > LARGEST:
        fail(f"{what} takes {len(data)} bytes", f"at most {LARGEST} are read", "Check the file.")
    try:
        value = _Reader(data, what).load()
        _check_extent(value)
    except Error:
        raise
    except Exception as error:  # damaged pickles make the machine raise anything
        fail(f"{what} is no readable pickle", f"{type(error).__name__}: {error}", "Save it again.")
    return value


def to_array(value: Any, what: str) -> Array:
    """Returns the values of an unpickled NumPy array, scalar, number or list of numbers."""
    try:
        if not isinstance(value, Record):
            result = np.asarray(_flat(value))
        elif value.kind == "_reconstruct":
            _, shape, dtype, fortran, data = value.raw_state
            result = _from_bytes(data, dtype, shape, "F" if fortran else "C")
        elif value.kind == "_frombuffer":
            data, dtype, shape, order = value.args
            result = _from_bytes(data, dtype, shape, order)
        elif value.kind == "scalar":
            result = _from_bytes(value.args[1], value.args[0], (), "C")
        else:
            raise ValueError(f"it is a {value.name}")
        if result.dtype.kind not in ARRAY_KINDS:
            raise ValueError(f"its type is {result.dtype}")
    except UNUSABLE as error:
        fail(f"{what} holds no numbers", str(error) or type(error).__name__, "Save it again.")
    return result


def to_number(value: Any, what: str) -> float:
    """Returns the one finite number that a value holds."""
    array = to_array(value, what)
    if array.size != 1 or not np.isfinite(array).all():
        fail(f"{what} is no finite number", f"it holds {array.size} values", "Save it again.")
    return float(array.ravel()[0])


def _flat(value: Any) -> Any:
    """A number, an array, or a list of numbers; NumPy would walk through lists in lists."""
    for one in value if isinstance(value, (list, tuple)) else ():
        if not isinstance(one, (int, float, np.number)):
            raise ValueError(f"its list holds a {type(one).__name__}")
    if not isinstance(value, (list, tuple, int, float, np.number, np.ndarray, np.bool_)):
        raise ValueError(f"it is a {type(value).__name__}")
    return value


def _from_bytes(data: Any, dtype: Any, shape: Any, order: Any) -> Array:
    if isinstance(data, Record) and data.kind == "encode":  # how protocol 2 writes bytes
        data = data.args[0].encode("latin-1")
    if not isinstance(data, bytes):
        raise ValueError(f"its data is a {type(data).__name__}")
    if not isinstance(dtype, Record) or dtype.kind != "dtype" or type(dtype.args[0]) is not str:
        raise ValueError("its type is none of NumPy's")
    code = np.dtype(dtype.args[0])
    if code.kind not in ARRAY_KINDS:
        raise ValueError(f"its type is {code}")
    endian = dtype.raw_state[1] if isinstance(dtype.raw_state, tuple) else "="
    flat: Array = np.frombuffer(data, dtype=code.newbyteorder(">" if endian == ">" else "="))
    return flat.reshape(shape, order="F" if order == "F" else "C").astype(code)
