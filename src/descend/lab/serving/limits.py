"""How much one reader may ask of a lab."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """How much a descent, and one reader, may take.

    rows: of a table; of more a sample is taken. epochs: of a descent. seconds: of all descents of a race together.
    groups: seconds of the fits of all groups. upload: bytes of a file. work: seconds of the processor in each minute,
    for one reader; requests: in each minute, of one reader. None for no limit.
    """

    rows: int = 10_000
    epochs: int = 5_000
    seconds: float = 1.5
    groups: float = 20.0
    upload: int = 512 * 2**20
    work: float | None = None
    requests: int | None = None


OWN = Limits()
"""Those of a lab on one's own machine."""
PUBLIC = Limits(rows=5_000, epochs=2_000, seconds=0.5, groups=4.0, upload=2**20, work=12.0, requests=400)
"""Those of a public lab."""
LIMITS: ContextVar[Limits] = ContextVar("LIMITS", default=OWN)


@contextmanager
def within(limits: Limits) -> Iterator[None]:
    """Let what follows keep to some limits."""
    token = LIMITS.set(limits)
    try:
        yield
    finally:
        LIMITS.reset(token)


class Allowance:
    """So much a minute for each of many readers: it fills up evenly, and a minute's worth can be saved.

    >>> now = 0.0
    >>> allowance = Allowance(60.0, clock=lambda: now)
    >>> allowance.wait("ann"), allowance.take("ann", 61.0), allowance.wait("ann"), allowance.wait("bob")
    (0.0, None, 2.0, 0.0)
    """

    MOST = 10_000
    """Readers that are remembered, at most."""

    def __init__(self, minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.minute = minute
        self._clock = clock
        self._lock = threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, reader: str, amount: float = 1e-9) -> float:
        """Return the seconds until a reader may take some amount again: whole ones, 0 if he may now."""
        with self._lock:
            lacking = amount - self._now(reader)
        return 0.0 if lacking <= 0.0 else float(max(1, int(lacking * 60.0 / self.minute) + 1))

    def take(self, reader: str, amount: float) -> None:
        """Take some amount from what a reader has left: it may be more than there is, which he then waits for."""
        with self._lock:
            self._left[reader] = (self._now(reader) - amount, self._clock())
            self._left.move_to_end(reader)
            while len(self._left) > self.MOST:
                self._left.popitem(last=False)

    def _now(self, reader: str) -> float:
        left, since = self._left.get(reader, (self.minute, self._clock()))
        return min(self.minute, left + (self._clock() - since) * self.minute / 60.0)
