"""What a checkpoint holds by name, and what of it was used."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from dempilot.errors import fail
from dempilot.model import Array
from dempilot.network import Cell, Linear


class Tensors(ABC):
    """A checkpoint's tensors. Each is to be used, or left out on purpose.

    What a framework calls its tensors, and how it lays them out, is for its own class to know.
    """

    def __init__(self, tensors: Mapping[str, Any]) -> None:
        self.by_name = tensors
        self._used: set[str] = set()

    def modules(self) -> list[str]:
        """First components of the tensors' names, in their order."""
        return list(dict.fromkeys(name.split(".")[0] for name in self.by_name))

    def below(self, module: str) -> dict[str, Any]:
        """The tensors at and below a module, without its name."""
        prefix = f"{module}."
        found = {
            name.removeprefix(prefix): tensor
            for name, tensor in self.by_name.items()
            if name.startswith(prefix)
        }
        if not found:
            fail(
                f"'{module}' is missing",
                f"the checkpoint has {', '.join(self.modules())}",
                "Check its name, or what saved the checkpoint.",
            )
        return found

    def take(self, name: str) -> Array:
        """A tensor by its whole name, which counts as used."""
        if name not in self.by_name:
            fail(f"'{name}' is missing", "its module cannot do without it", "Save the whole model.")
        self._used.add(name)
        return self.values(name)

    @abstractmethod
    def values(self, name: str) -> Array:
        """A tensor as an array of a type that NumPy has."""

    @abstractmethod
    def linears(self, module: str) -> list[Linear]:
        """The dense layers at and below a module, in their order."""

    @abstractmethod
    def cells(self, module: str) -> list[Cell]:
        """The recurrent layers of a module."""

    def ignore(self, module: str) -> None:
        """Counts a module's tensors as used."""
        if module in self.by_name:
            self._used.add(module)
        else:
            self._used.update(f"{module}.{name}" for name in self.below(module))

    def unused(self) -> list[str]:
        """Names of the tensors that were neither taken nor ignored."""
        return [name for name in self.by_name if name not in self._used]
