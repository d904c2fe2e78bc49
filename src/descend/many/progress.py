"""How far many fits are, as whoever listens is told."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

Done = Callable[[int, int], object]
"""Is told how many groups are done, and how many there are."""


class Progress:
    """Counts groups that are done, from any thread, and tells a listener if there is one."""

    def __init__(self, groups: int, listener: Done | None = None) -> None:
        self.groups, self.listener = groups, listener
        self.done = 0
        self._ended = 0
        self._lock = Lock()

    def descents(self, ended: int, of: int) -> None:
        """Note that so many further descents ended, of so many that together are all groups."""
        if self.listener is not None:
            with self._lock:
                self._ended += ended
                self._tell(min(self.groups * self._ended // of, self.groups))

    def reached(self, done: int) -> None:
        """Note how many groups are done."""
        if self.listener is not None:
            with self._lock:
                self._tell(done)

    def _tell(self, done: int) -> None:
        if done > self.done and self.listener is not None:
            self.done = done
            self.listener(done, self.groups)
