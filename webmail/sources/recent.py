"""What a process has used lately, up to a limit."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

V = TypeVar("V")


class Recent(Generic[V]):
    """The values used last, as many as weigh `limit` together (each weighs 1, unless told otherwise); for several threads."""

    def __init__(self, limit: int, weigh: Callable[[V], int] = lambda _value: 1) -> None:
        self._limit, self._weigh = limit, weigh
        self._weight = 0
        self._values: OrderedDict[Hashable, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> V | None:
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def get_all(self, keys: Iterable[Hashable]) -> list[V | None]:
        """The values of these keys, None for each that is not held."""
        with self._lock:
            values, used = self._values, self._values.move_to_end
            found = []
            for key in keys:
                value = values.get(key)
                if value is not None:
                    used(key)
                found.append(value)
            return found

    def keep(self, key: Hashable, value: V) -> None:
        with self._lock:
            before = self._values.pop(key, None)
            self._values[key] = value
            self._weight += self._weigh(value) - (self._weigh(before) if before is not None else 0)
            while self._weight > self._limit:
                self._weight -= self._weigh(self._values.popitem(last=False)[1])
