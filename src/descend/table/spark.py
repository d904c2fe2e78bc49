"""A Spark session for an address: started if none is running, and again if it was stopped."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from descend.errors import DataError

if TYPE_CHECKING:
    from types import ModuleType

    from ibis.backends.sql import SQLBackend
    from pyspark.sql import DataFrame, SparkSession

QUIET = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.app.name": "descend",
}
"""Settings of a session that is started here, unless the address says otherwise."""
VIEWS = itertools.count(1)


def connect_spark(
    ibis: ModuleType, address: str, master: str | None, options: Mapping[str, str]
) -> tuple[SQLBackend, str | None, Callable[[], None]]:
    """Return the backend, the name of a view of the Parquet files that ``options`` name, and how to start again.

    master: such as ``spark://host:7077``; None for the session that runs already, or one on this machine.
    options: ``master``, ``parquet``, and settings of Spark, whose names begin with ``spark.``.
    Raises DataError where there is no Java, or an option means nothing.
    """
    settings = dict(options)
    files = settings.pop("parquet", None)
    master = settings.pop("master", master)
    for name in settings:
        if not name.startswith("spark."):
            raise DataError(
                f"`{address}` has the option `{name}`, which means nothing here. Use `table`, `parquet`, `master`, "
                "or a setting of Spark such as `spark.executor.memory`."
            )
    if files is not None and "://" not in files and not os.path.exists(files):
        raise DataError(f"There is no file or folder `{files}` for `{address}`. Check the path.")
    backend = ibis.pyspark  # says what is missing, if PySpark is
    _refuse_without_java(address)
    view = None if files is None else f"descend_files_{next(VIEWS)}"
    backend = backend.connect(_session(master, settings))

    def open_files() -> None:
        if view is not None:
            backend._session.read.parquet(files).createOrReplaceTempView(view)

    def again() -> None:
        if stopped(backend._session):
            backend.do_connect(_session(master, settings))
            open_files()

    open_files()
    return backend, view, again


def stopped(session: SparkSession) -> bool:
    """Whether a session has been stopped."""
    context = session.sparkContext
    return context._jsc is None or bool(context._jsc.sc().isStopped())


def _session(master: str | None, settings: Mapping[str, str]) -> SparkSession:
    from pyspark.sql import SparkSession

    running = SparkSession.getActiveSession()
    if running is not None and not stopped(running):
        return running
    builder = SparkSession.builder
    for name, value in {**QUIET, **settings}.items():
        builder = builder.config(name, value)
    if master is not None:
        builder = builder.master(master)
    return builder.getOrCreate()


def _refuse_without_java(address_text: str) -> None:
    home = os.environ.get("JAVA_HOME")
    if shutil.which("java") is None and (home is None or not os.path.exists(os.path.join(home, "bin", "java"))):
        raise DataError(
            f"`{address_text}` cannot be reached: Spark runs on Java, and there is none. Install Java 17 or newer "
            "(on Debian: apt-get install default-jre-headless), or set JAVA_HOME to where it is."
        )


class PartitionCursor:
    """Rows of a Spark data frame, of which only one partition at a time is held here."""

    def __init__(self, frame: DataFrame) -> None:
        self.rows = frame.toLocalIterator()

    def fetchmany(self, rows: int) -> list[Sequence[float]]:
        """Return the next rows, as a cursor does; none at the end."""
        return list(itertools.islice(self.rows, rows))
