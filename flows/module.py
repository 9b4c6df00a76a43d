"""Modules: the building blocks of strategies, nested as in ``torch.nn``.

A module owns its state as arrays with one row per symbol slot, declared with :meth:`Module.state`, and other modules
as plain attributes (also in lists, tuples and dicts). State is grown, collected and restored by walking the
attributes, so the author of a strategy never writes state handling and never keys by symbol.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

StateDict = dict[str, Any]


class Module:
    """Base of indicators and strategies.

    >>> class Count(Module):
    ...     def __init__(self):
    ...         self.seen = self.state(dtype=np.int64)
    >>> class Pair(Module):
    ...     def __init__(self):
    ...         self.a, self.b = Count(), Count()
    >>> pair = Pair()
    >>> pair.reserve(2)
    >>> pair.b.seen[1] = 7
    >>> {name: array.tolist() for name, array in pair.state_dict().items()}
    {'a.seen': [0, 0], 'b.seen': [0, 7]}
    """

    def state(self, *shape: int, dtype: DTypeLike = np.float64, fill: float = 0.0) -> NDArray[Any]:
        """Declare a state array: ``(slots, *shape)``, where a new slot starts as ``fill``. Assign it to self.x."""
        array = np.full((0, *shape), fill, dtype=dtype)
        self.__dict__.setdefault("_fills", []).append((array, fill))
        return array

    def __setattr__(self, name: str, value: Any) -> None:
        fills = self.__dict__.setdefault("_fills", [])
        for index, (array, fill) in enumerate(fills):
            if array is value:
                self.__dict__.setdefault("_states", {})[name] = fill
                del fills[index]
                break
        self.__dict__[name] = value

    def reserve(self, slots: int) -> None:
        """Make room for at least this many symbol slots, here and in all modules below. Cheap when there is room."""
        if self.__dict__.get("_slots", 0) >= slots:
            return
        room = max(slots, 2 * self.__dict__.get("_slots", 0))
        for name, fill in self.__dict__.get("_states", {}).items():
            old = self.__dict__[name]
            new = np.full((room, *old.shape[1:]), fill, dtype=old.dtype)
            new[: len(old)] = old
            self.__dict__[name] = new
        self.__dict__["_slots"] = room
        for _, child in self.children():
            child.reserve(slots)

    def children(self) -> Iterator[tuple[str, Module]]:
        """The modules right below this one, by attribute name, in the order of assignment."""
        for name, value in self.__dict__.items():
            if isinstance(value, Module):
                yield name, value
            elif isinstance(value, dict):
                yield from ((f"{name}.{key}", item) for key, item in value.items() if isinstance(item, Module))
            elif isinstance(value, list | tuple):
                yield from ((f"{name}.{key}", item) for key, item in enumerate(value) if isinstance(item, Module))

    def state_dict(self) -> StateDict:
        """A copy of all state, here and below: dotted attribute name to array."""
        found = {name: self.__dict__[name].copy() for name in self.__dict__.get("_states", {})}
        for prefix, child in self.children():
            found.update({f"{prefix}.{name}": array for name, array in child.state_dict().items()})
        return found

    def load_state_dict(self, state: StateDict) -> None:
        """Put back what :meth:`state_dict` gave. Raises KeyError or ValueError when it is of another module.

        Two modules that differ in a number only (a smoothing factor) have the same structure: whoever keeps states
        keeps the parameters they belong to.
        """
        names = self.__dict__.get("_states", {})
        for name in names:
            old, new = self.__dict__[name], state[name]
            if old.shape[1:] != new.shape[1:] or old.dtype != new.dtype:
                raise ValueError(f"state {name} is {new.dtype}{new.shape[1:]}, but must be {old.dtype}{old.shape[1:]}")
            self.__dict__[name] = new.copy()
            self.__dict__["_slots"] = len(state[name])
        for prefix, child in self.children():
            below = f"{prefix}."
            child.load_state_dict({k[len(below) :]: v for k, v in state.items() if k.startswith(below)})
        if not names:
            self.__dict__["_slots"] = min((child.__dict__["_slots"] for _, child in self.children()), default=0)

    @property
    def warmup(self) -> int:
        """Rows of a symbol before the first value that is not NaN: 0 when the first row has one."""
        return 0
