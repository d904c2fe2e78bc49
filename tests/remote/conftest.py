"""Servers and clusters that tests of databases talk to; where one cannot be had, its tests are skipped."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import pytest
from tests.remote import servers


@pytest.fixture(scope="session")
def postgres() -> Iterator[servers.PostgresServer]:
    """A running Postgres server."""
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip('psycopg is not installed: pip install "descend[postgres]"')
    for program in ("initdb", "pg_ctl"):
        if servers.found(program) is None:
            pytest.skip(f"Postgres is not installed: there is no `{program}` (on Debian: apt-get install postgresql)")
    server = servers.PostgresServer()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory):
    """A Spark session on this machine, of two threads."""
    servers.skip_without_spark()
    session = servers.spark_session("local[2]", tmp_path_factory.mktemp("spark"))
    yield session
    session.stop()
