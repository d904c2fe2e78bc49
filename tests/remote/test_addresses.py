"""What is said of addresses that lead nowhere; never a word of a password."""

from __future__ import annotations

import sqlite3
import sys

import numpy as np
import pytest
from tests.remote.servers import PASSWORD, WRITTEN, free_port

import descend
from descend.errors import DataError

X = np.linspace(1.0, 4.0, 12)
ROWS = {"x": X, "y": 2.0 * X}


def refusal(address: str) -> str:
    with pytest.raises(DataError) as caught:
        descend.fit("y ~ a*x", address)
    assert PASSWORD not in str(caught.value) and WRITTEN not in str(caught.value)
    return str(caught.value)


@pytest.mark.postgres
def test_servers_that_are_not_there(postgres):
    port = free_port()
    assert refusal(f"postgres://descend:{WRITTEN}@127.0.0.1:{port}/postgres?table=t") == (
        f"`postgres://127.0.0.1:{port}/postgres` cannot be reached: Connection refused. Check the address."
    )
    told = refusal(f"postgres://descend:{WRITTEN}@nowhere.invalid/postgres?table=t")
    assert told.startswith("`postgres://nowhere.invalid/postgres` cannot be reached: failed to resolve host")


@pytest.mark.postgres
def test_what_the_server_refuses(postgres):
    shown = f"`postgres://127.0.0.1:{postgres.port}/postgres`"
    assert refusal(postgres.url("t", password="wrong")) == (
        f'{shown} cannot be reached: password authentication failed for user "descend". Check the address.'
    )
    assert refusal(postgres.url("t").replace("/postgres?", "/nothing?")) == (
        f'`postgres://127.0.0.1:{postgres.port}/nothing` cannot be reached: database "nothing" does not exist. '
        "Check the address."
    )
    assert refusal(postgres.url("t", sslmode="require")).startswith(
        f"{shown} cannot be reached: server does not support SSL"
    )
    assert refusal(postgres.url("t", cores="4")) == (
        f'{shown} cannot be reached: invalid connection option "cores". Check the address.'
    )


@pytest.mark.postgres
def test_tables_that_are_not_there(postgres):
    shown = f"`postgres://127.0.0.1:{postgres.port}/postgres`"
    postgres.load("orders", ROWS)
    with postgres.connect() as own:
        own.execute("create schema if not exists sales")
        own.execute("create table if not exists sales.orders as select * from orders")
    told = refusal(postgres.url("order"))
    assert told.startswith(f"There is no table `order` in {shown}. Did you mean `orders`? Its tables: ")
    assert refusal(postgres.url("sales.order")) == (
        f"There is no table `sales.order` in {shown}. Did you mean `orders`? Its tables: `orders`."
    )
    assert descend.fit("y ~ a*x", postgres.url("sales.orders")).parameters["a"] == pytest.approx(2.0)
    assert refusal(postgres.url("").replace("table=", "")) == (
        f"{shown} names no table. Add it to the address: `{shown.strip('`')}?table=NAME`."
    )


@pytest.mark.postgres
def test_tables_of_others(postgres):
    """A table that may not be read, and one that an address can never change."""
    postgres.load("closed", ROWS)
    with postgres.connect() as own:
        own.execute("drop role if exists guest")
        own.execute(f"create role guest login password '{PASSWORD}'")
    told = refusal(postgres.url("closed").replace("descend:", "guest:"))
    assert told == (
        f"`closed` of postgres://127.0.0.1:{postgres.port}/postgres cannot be read: permission denied for table closed."
    )
    table = descend.table.open_table(postgres.url("closed"))
    with pytest.raises(Exception, match="read-only transaction"):
        table.connection.backend.con.execute("drop table closed")


@pytest.mark.parametrize(
    "address",
    ["postgres://me:pa/ss@host/shop?table=t", "postgres://me:pa#ss@host/shop?table=t", "postgres://me:pa@s/s@host/shop?table=t",
     "postgres://me:pa[ss@host/shop?table=t"],
)  # fmt: skip
def test_passwords_with_signs_that_end_them(address):
    with pytest.raises(DataError) as caught:
        descend.fit("y ~ a*x", address)
    assert str(caught.value) == (
        "The address `postgres://...` cannot be read. Write it as "
        "`postgres://USER:PASSWORD@HOST:PORT/DATABASE?table=NAME`, with %40 for @, %2F for /, %3A for :, %3F for ? "
        "and %23 for # in user and password."
    )


@pytest.mark.parametrize(
    ("module", "address", "message"),
    [
        ("psycopg", "postgres://me:pass@host/shop?table=t", "`postgres://host/shop` cannot be reached: psycopg is "
         "not installed. Install it with: pip install \"descend[postgres]\"."),
        ("pyspark", "spark://?table=t", "`spark://` cannot be reached: PySpark is not installed. "
         "Install it with: pip install \"descend[spark]\"."),
        ("java", "spark://?table=t", "`spark://` cannot be reached: Spark runs on Java, and there is none. Install "
         "Java 17 or newer (on Debian: apt-get install default-jre-headless), or set JAVA_HOME to where it is."),
    ],
)  # fmt: skip
def test_what_is_not_installed(module, address, message, monkeypatch):
    if module == "java":
        pytest.importorskip("pyspark")
        monkeypatch.setattr("shutil.which", lambda name: None)
        monkeypatch.delenv("JAVA_HOME", raising=False)
    else:
        for loaded in [name for name in sys.modules if name.startswith(f"ibis.backends.{BACKEND[module]}")]:
            monkeypatch.delitem(sys.modules, loaded)
        import ibis

        monkeypatch.delattr(ibis, BACKEND[module], raising=False)
        monkeypatch.setitem(sys.modules, module, None)
    assert refusal(address) == message


BACKEND = {"psycopg": "postgres", "pyspark": "pyspark"}


def test_sqlite_files(tmp_path):
    path = tmp_path / "rows.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table orders (x real, y real)")
        connection.executemany(
            "insert into orders values (?, ?)", zip(*map(np.ndarray.tolist, ROWS.values()), strict=True)
        )
    connection.close()
    assert refusal(f"sqlite:///{path}?table=order") == (
        f"There is no table `order` in `sqlite://{path}`. Did you mean `orders`? Its tables: `orders`."
    )
    assert refusal(f"sqlite:///{path}x?table=orders") == (
        f"There is no file `{path}x` for the database `sqlite://{path}x`. Check the path."
    )
    path.write_bytes(b"no database" * 100)
    assert refusal(f"sqlite:///{path}?table=orders") == (
        f"`sqlite://{path}` cannot be reached: file is not a database. Check the address."
    )


@pytest.mark.postgres
def test_a_name_with_a_dot_is_found_before_a_table_of_a_schema(postgres):
    postgres.load("shop.rows", {"x": X, "y": 3.0 * X})
    postgres.load("rows", {"x": X, "y": 4.0 * X})
    with postgres.connect() as own:
        own.execute("create schema if not exists shop")
        own.execute("create table if not exists shop.rows as select * from rows")
        own.execute('create table if not exists shop."2.b" as select x, 5*x as y from rows')
    for name, factor in {"shop.rows": 3.0, '"shop.rows"': 3.0, '"shop"."rows"': 4.0, 'shop."2.b"': 5.0}.items():
        assert descend.fit("y ~ a*x", postgres.url(name)).parameters["a"] == pytest.approx(factor)
    told = refusal(postgres.url("nowhere.rows"))
    assert told.startswith(f"There is no table `nowhere.rows` in `postgres://127.0.0.1:{postgres.port}/postgres`.")
    assert "`shop.rows`" in told
