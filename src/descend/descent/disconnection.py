"""What is left of a run whose database went away and did not come back."""

from __future__ import annotations

import os

from descend.descent.checkpoint import Writer
from descend.descent.step import Trace
from descend.parameters import Parameters
from descend.table.connection import Connection, ConnectionLostError
from descend.wording import using

SHOWN = 6
"""Parameters that the message gives."""


def connection_of(engine: object) -> Connection | None:
    """Return the connection over which an engine asks for its sums, if there is one."""
    connection: Connection | None = getattr(getattr(engine, "lazy", None), "connection", None)
    return connection


def where_it_stood(
    error: ConnectionLostError,
    trace: Trace,
    parameters: Parameters,
    keep: Writer | None,
    path: str | os.PathLike[str] | None,
) -> ConnectionLostError:
    """Write the last checkpoint; returns the error with where the run stood, and how to go on from there."""
    if not len(trace):
        return ConnectionLostError(f"{error} The run had not begun. Fit again once the database is back.")
    last = trace[-1]
    values = parameters.mentioned(last.theta, 10, SHOWN).replace("  ", ", ")
    stood = f"At epoch {last.epoch:,} the parameters were {values}."
    if keep is not None:
        keep.flush()
        return ConnectionLostError(f"{error} {stood} Once the database is back, go on from `{path}`{using('resume')}.")
    return ConnectionLostError(
        f"{error} {stood} Once the database is back, start from there{using('start')}; a run{using('checkpoint')} "
        "can be resumed."
    )
