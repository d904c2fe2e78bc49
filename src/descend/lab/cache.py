"""A cache: the latest few results, by what they depend on."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Cache(Generic[Value]):
    """The ``most`` results that were asked for last, by key; safe to share between threads.

    A result that two threads ask for at once is computed by one of them. Errors are not kept.

    >>> squares = Cache[int](most=2)
    >>> squares(3, lambda: 9), squares(3, lambda: 0), len(squares)
    (9, 9, 1)
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._kept: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = threading.Lock()
        self._busy: dict[Hashable, threading.Lock] = {}

    def __call__(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """Return the result of ``key``, computing it unless it is kept."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            busy = self._busy.setdefault(key, threading.Lock())
        with busy:
            if (cached := self.get(key)) is not None:
                return cached
            try:
                value = compute()
                self.put(key, value)
            finally:
                with self._lock:
                    self._busy.pop(key, None)
        return value

    def get(self, key: Hashable) -> Value | None:
        """Return what is kept under ``key``, or None."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key]

    def put(self, key: Hashable, value: Value) -> None:
        """Keep a result, and forget the one whose last use is longest ago."""
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            while len(self._kept) > self.most:
                self._kept.popitem(last=False)

    def __len__(self) -> int:
        return len(self._kept)
