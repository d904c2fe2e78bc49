"""From the address of a database, such as ``postgres://user@host/database?table=t``, to its table."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, ParamSpec, TypeVar
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from descend.errors import DataError
from descend.registry import closest
from descend.table.connection import Connection
from descend.table.database import quiet
from descend.table.remote import RemoteTable
from descend.table.spark import connect_spark
from descend.table.sql import import_ibis, reason
from descend.table.table import listing

if TYPE_CHECKING:
    from types import ModuleType

    from ibis.backends.sql import SQLBackend

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")
NAME = re.compile(r'"((?:[^"]|"")+)"|([^."]+)')
NAMES = re.compile(rf"(?:{NAME.pattern})(?:\.(?:{NAME.pattern}))*")
"""Names separated by dots, in double quotes where a dot is part of a name."""
FILES = ("duckdb", "sqlite")
"""Databases that are files: a wrong path must not create a new one."""
BACKENDS = {"spark": "pyspark", "postgresql": "postgres"}
"""Ibis's names of backends that addresses call by another one."""
NEEDED = {
    "duckdb": ("what Ibis needs for duckdb", "descend[query]"),
    "postgres": ("psycopg", "descend[postgres]"),
    "pyspark": ("PySpark", "descend[spark]"),
}
"""Packages that databases need, and what installs them; for others Ibis has extras of its own."""
POSTGRES = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "application_name": "descend",
}
"""How to connect to Postgres, unless the address says otherwise; an unresponsive server is given up in seconds."""


CLOSED = (*FILES, "postgres")
"""Databases whose connections are closed when they are no longer needed; others may be shared."""


class Address(NamedTuple):
    """The parts of an address.

    backend: Ibis's name of the kind of database. shown: the address without table, options, user and password.
    table: its name, with a dot after that of its schema. url: the address without the table. options: all others.
    """

    backend: str
    shown: str
    table: str
    url: str
    host: str | None
    port: int | None
    user: str | None
    password: str | None
    path: str
    options: dict[str, str]

    @property
    def file(self) -> str:
        """The path of a database that is a file."""
        return self.path if self.backend in FILES else ""


def from_url(text: str) -> RemoteTable:
    """Open the table that an address names.

    Raises DataError if the database cannot be reached, or has no such table.
    """
    address = read_address(text)
    ibis = import_ibis(f"`{address.shown}`", _needed(address)[1])
    if address.file and not os.path.isfile(address.file):
        raise DataError(f"There is no file `{address.file}` for the database `{address.shown}`. Check the path.")
    backend, view, again = _connected(ibis, address)
    exclusive = address.backend == "duckdb"
    connection = Connection(backend, f"`{address.shown}`", again, address.backend in CLOSED, exclusive)
    table_readings = readings(address.table) if view is None else [((), view)]
    failure: Exception | None = None
    for folder, name in table_readings:
        try:
            remote_table = _quietly(backend.table, name, **_within(folder))
        except Exception as error:  # each database has its own
            failure = error
            continue
        if address.backend != "sqlite" or folder in ((), ("main",)):  # SQLite does not say that there is no such place
            return RemoteTable(remote_table, f"`{address.table}` of {address.shown}", connection=connection)
    raise DataError(_no_table(backend, address, *table_readings[-1], failure)) from None


def readings(table: str) -> list[tuple[tuple[str, ...], str]]:
    """Return what the name of a table in an address may mean, in the order tried: where it lies, and its own name.

    >>> readings("orders"), readings("sales.orders")
    ([((), 'orders')], [((), 'sales.orders'), (('sales',), 'orders')])
    >>> readings('sales."a.b"')
    [((), 'sales."a.b"'), (('sales',), 'a.b')]
    """
    table_readings: list[tuple[tuple[str, ...], str]] = [((), table)]
    if NAMES.fullmatch(table):
        *folder, name = (quoted.replace('""', '"') if quoted else plain for quoted, plain in NAME.findall(table))
        if (tuple(folder), name) not in table_readings:
            table_readings.append((tuple(folder), name))
    return table_readings


def _within(folder: tuple[str, ...]) -> dict[str, str | tuple[str, ...]]:
    """Return how to tell Ibis where a table lies: in a schema, or in a catalog and a schema of it."""
    return {"database": folder if len(folder) > 1 or "." in folder[0] else folder[0]} if folder else {}


def read_address(text: str) -> Address:
    """Take an address apart. Raises DataError if it names no table, or has a password that cannot be told apart.

    >>> read_address("postgres://me:secret@host:5433/shop?table=sales.orders").shown
    'postgres://host:5433/shop'
    """
    scheme = text.partition("://")[0]
    try:
        url_parts = urlsplit(text)
        port, host, user, password = url_parts.port, url_parts.hostname, url_parts.username, url_parts.password
    except ValueError:
        raise _unreadable(scheme) from None
    if "@" in text.partition("?")[0].partition("://")[2].removeprefix(url_parts.netloc):
        raise _unreadable(scheme)  # the rest of a password, perhaps, which no message may show
    backend = BACKENDS.get(scheme, scheme)
    options = dict(parse_qsl(url_parts.query, keep_blank_values=True))
    table = options.pop("table", None)
    path = url_parts.netloc + url_parts.path.replace("//", "/", 1) if backend in FILES else url_parts.path
    address_text = f"{scheme}://{path if backend in FILES else url_parts.netloc.rpartition('@')[2] + url_parts.path}"
    if backend == "pyspark" and "parquet" in options:
        table = options["parquet"]
    if not table:
        raise DataError(f"`{address_text}` names no table. Add it to the address: `{address_text}?table=NAME`.")
    # Even without a host, an address has two slashes: trino://?table=t.
    url = f"{backend}://{url_parts.netloc}{url_parts.path}" + (f"?{urlencode(options)}" if options else "")
    user, password = (None if secret_part is None else unquote(secret_part) for secret_part in (user, password))
    return Address(backend, address_text, table, url, host, port, user, password, path, options)


def _unreadable(scheme: str) -> DataError:
    return DataError(
        f"The address `{scheme}://...` cannot be read. Write it as `{scheme}://USER:PASSWORD@HOST:PORT/DATABASE"
        "?table=NAME`, with %40 for @, %2F for /, %3A for :, %3F for ? and %23 for # in user and password."
    )


def _connected(ibis: ModuleType, address: Address) -> tuple[SQLBackend, str | None, Callable[[], None] | None]:
    """Connect; returns the backend, a view if one was made, and how to connect again where Ibis does not know how."""
    try:
        if address.backend == "sqlite":
            return ibis.sqlite.connect(address.file), None, None
        if address.backend == "duckdb":
            return _duckdb(ibis, address.file)
        if address.backend == "postgres":
            return _postgres(ibis, address)
        if address.backend == "pyspark":
            master = f"spark://{address.host}:{address.port or 7077}" if address.host else None
            return connect_spark(ibis, address.shown, master, address.options)
        return ibis.connect(address.url), None, None
    except DataError:
        raise
    except ImportError:
        package, extra = _needed(address)
        raise DataError(
            f'`{address.shown}` cannot be reached: {package} is not installed. Install it with: pip install "{extra}".'
        ) from None
    except Exception as error:  # each database has its own
        raise DataError(f"`{address.shown}` cannot be reached: {_refusal(error)}. Check the address.") from None


def _needed(address: Address) -> tuple[str, str]:
    """Return the package that a database needs beside Ibis, and what installs both."""
    package_needed = f"what Ibis needs for {address.backend}", f"ibis-framework[{address.backend}]"
    return NEEDED.get(address.backend, package_needed)


def _duckdb(ibis: ModuleType, path: str) -> tuple[SQLBackend, None, Callable[[], None]]:
    """Open a DuckDB file for reading only, unless this process has it open for writing: then that handle is shared."""

    def opened(connect: Callable[..., SQLBackend]) -> SQLBackend:
        try:
            return connect(path, read_only=True)
        except Exception as error:
            if "different configuration" not in str(error):
                raise
            return connect(path)

    def again() -> None:
        opened(backend.do_connect)
        quiet(backend.con)

    backend = opened(ibis.duckdb.connect)
    quiet(backend.con)
    return backend, None, again


def _postgres(ibis: ModuleType, address: Address) -> tuple[SQLBackend, None, Callable[[], None]]:
    """Connect to Postgres, for reading only."""
    login = {"host": address.host, "port": address.port, "user": address.user, "password": address.password}
    login["database"] = unquote(address.path.strip("/")) or None
    named = {**POSTGRES, **address.options, **{name: value for name, value in login.items() if value is not None}}
    backend = ibis.postgres.connect(**named)

    def prepare() -> None:
        # Scans always begin at the first page, even while others read the table: the same rows in the same order.
        backend.con.execute("SET synchronize_seqscans = off")
        backend.con.execute("SET default_transaction_read_only = on")

    def again() -> None:
        if backend.con.closed:
            backend.reconnect()
            prepare()

    prepare()
    return backend, None, again


def _refusal(error: Exception) -> str:
    """Return the reason a database gives for refusing a connection: the last part of its first line."""
    java = getattr(error, "java_exception", None)  # of Spark, whose own words say only that there was one
    server_message = reason(error) if java is None else str(java.getMessage()).split("\n", 1)[0].rstrip(".")
    return server_message.rpartition("failed: ")[2].removeprefix("FATAL:").strip()


def _quietly(function: Callable[Arguments, Answer], *arguments: Arguments.args, **named: Arguments.kwargs) -> Answer:
    """Call a function of Ibis without its warnings, which are about the libraries that it uses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*arguments, **named)


def _no_table(
    backend: SQLBackend, address: Address, folder: tuple[str, ...], name: str, error: Exception | None
) -> str:
    try:
        table_names = _listed(backend, folder)
    except Exception as unlisted:
        server_message = reason(error or unlisted)
        return f"The table `{address.table}` of `{address.shown}` cannot be opened: {server_message}."
    tables = listing(sorted(table_names)) if table_names else "none"
    return (
        f"There is no table `{address.table}` in `{address.shown}`.{closest(name, table_names)} Its tables: {tables}."
    )


def _listed(backend: SQLBackend, folder: tuple[str, ...]) -> list[str]:
    """Return the tables in the place where one was looked for; if it does not exist, those that need no place."""
    if backend.name == "duckdb":  # which Ibis asks by a method that newer versions of it do not have
        rows = backend.raw_sql("SELECT table_schema, table_name, current_schema() FROM information_schema.tables")
        table_paths = [(schema, table, default) for schema, table, default in rows.fetchall()]
        tables_of_folder = [table for schema, table, _ in table_paths if schema == ".".join(folder)]
        return tables_of_folder or [table for schema, table, default in table_paths if schema == default]
    if folder:
        try:
            if tables_of_folder := _quietly(backend.list_tables, **_within(folder)):
                return list(tables_of_folder)
        except Exception:  # there is no such schema
            pass
    return list(_quietly(backend.list_tables))
