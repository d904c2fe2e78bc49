"""Whose turn it is to compute."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turn:
    """Lets one thread compute at a time: threads side by side would share one interpreter, and each would take longer.

    What a hand on a slider waits for goes before what can be read later.

    >>> turn = Turn()
    >>> with turn.taken(soon=True):
    ...     turn.busy
    True
    """

    def __init__(self) -> None:
        self.busy = False
        self._soon = 0
        self._free = threading.Condition()

    @contextmanager
    def taken(self, soon: bool) -> Iterator[None]:
        """Wait for the turn, and have it. soon: before all who can wait."""
        with self._free:
            self._soon += soon
            self._free.wait_for(lambda: not self.busy and (soon or not self._soon))
            self._soon -= soon
            self.busy = True
        try:
            yield
        finally:
            with self._free:
                self.busy = False
                self._free.notify_all()
