"""A connection to a database that is made again when it is lost, so that a run outlives a server's restart."""

from __future__ import annotations

import re
import time
import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from descend.errors import ConnectionLostError, DataError
from descend.table.spark import stopped
from descend.table.sql import reason

if TYPE_CHECKING:
    from ibis.backends.sql import SQLBackend

Result = TypeVar("Result")
WAITS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each try to go on."""
GONE = re.compile(
    r"connection (is |was |has been )?(already )?(lost|closed|reset|refused|aborted|terminated)|gone away|broken pipe|"
    r"closed the connection|terminating connection|server (is )?(starting up|shutting down)|not (yet )?accepting|"
    r"(stopped|shut ?down).{0,40}SparkContext|SparkContext.{0,40}(stopped|shut ?down)|"
    r"ExecutorLostFailure|FetchFailed|Answer from Java side is empty|database is locked",
    re.IGNORECASE | re.DOTALL,
)
"""What databases say when a connection, or something it depends on, is lost; another try may help."""
GONE_STATES = ("08", "57P", "40001", "40P01")
"""How SQLSTATE codes of a lost connection, a shutdown or a conflict with another session begin."""


class Connection:
    """How one database is queried, again if the connection breaks.

    source_text: its address, without a password. again: makes the connection anew, if that can be done.
    owned: whether it was opened here, to be closed when nobody needs it any more.
    exclusive: whether nobody else can write while it is open; if so it can rest, and ``again`` reopens it.
    losses: how often the connection was lost and made again. openings: how often it was opened after a rest.
    """

    def __init__(
        self,
        backend: SQLBackend,
        source_text: str,
        again: Callable[[], None] | None = None,
        owned: bool = False,
        exclusive: bool = False,
    ) -> None:
        self.backend = backend
        self.shown = source_text
        self.again = again
        self.exclusive = exclusive
        self.losses = self.openings = 0
        self._resting = self._closed = False
        self._depth = 0
        if owned:
            weakref.finalize(self, backend.disconnect)

    @property
    def note(self) -> str | None:
        """How often the connection was lost, in words; None if never."""
        if not self.losses:
            return None
        times = "once" if self.losses == 1 else f"{self.losses} times"
        return f"the connection to {self.shown} was lost {times} and made again"

    def attempt(self, query: Callable[[], Result]) -> Result:
        """Do some work, and repeat it from its beginning if the connection is lost meanwhile.

        A resting connection is opened for as long as the work takes.

        Raises ConnectionLostError if it stays lost; any other error of the work passes through.
        """
        if not self._resting:
            return self._attempted(query)
        if self._closed:
            self._open()
        self._depth += 1
        try:
            return self._attempted(query)
        finally:
            self._depth -= 1
            self._close()

    def release(self) -> None:
        """Let others write: close this connection if it is in their way, until there is work for it."""
        if self.exclusive:
            self._resting = True
            self._close()

    def _open(self) -> None:
        assert self.again is not None
        try:
            self.again()
        except Exception as error:  # each database has its own
            raise DataError(f"{self.shown} cannot be opened again: {reason(error)}.") from None
        self._closed = False
        self.openings += 1

    def _close(self) -> None:
        if self._depth == 0 and not self._closed:
            self.backend.disconnect()
            self._closed = True

    def _attempted(self, query: Callable[[], Result]) -> Result:
        waits = iter(WAITS)
        began = time.monotonic()
        while True:
            try:
                return query()
            except Exception as error:  # each database has its own
                if not self.is_lost(error):
                    raise
                self._restore(error, waits, began)
                self.losses += 1

    def is_lost(self, error: Exception) -> bool:
        """Whether an error means that the connection is lost, rather than that the question was wrong."""
        sql_state = getattr(error, "sqlstate", None)
        if isinstance(sql_state, str):
            return sql_state.startswith(GONE_STATES)
        return self._gone() or isinstance(error, ConnectionError | EOFError) or GONE.search(f"{error}") is not None

    def _restore(self, error: Exception, waits: Iterator[float], began: float) -> None:
        """Wait and connect, until it works."""
        for wait in waits:
            time.sleep(wait)
            try:
                (self.again or self._reconnect)()
            except ConnectionLostError:
                raise
            except Exception as another:
                error = another
            else:
                return
        seconds = time.monotonic() - began
        raise ConnectionLostError(
            f"The connection to {self.shown} was lost, and {len(WAITS)} tries to make it again in {seconds:.0f} "
            f"seconds have failed: {reason(error)}."
        ) from None

    def _reconnect(self) -> None:
        """Connect as Ibis was told to, if the connection is gone; an open one is kept, with any temporary tables."""
        if not self._gone():
            return
        if self.backend.name != "postgres" or not self.backend._can_reconnect:
            raise ConnectionLostError(
                f"The connection to {self.shown} was lost, and cannot be made again from here, for it was handed over "
                "open."
            )
        self.backend.reconnect()

    def _gone(self) -> bool:
        if self.backend.name == "postgres":
            return bool(self.backend.con.closed)
        return self.backend.name == "pyspark" and stopped(self.backend._session)
