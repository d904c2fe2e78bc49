"""A Postgres server for tests: real, of this machine's packages, in a folder of its own, gone with the tests."""

from __future__ import annotations

import glob
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest

PASSWORD = "not:a/secret@all"
WRITTEN = "not%3Aa%2Fsecret%40all"


def found(program: str) -> str | None:
    """Where a program of Postgres is; Debian keeps most of them out of the way."""
    kept = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{program}"))
    return shutil.which(program) or (kept[-1] if kept else None)


def free_port() -> int:
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        return some.getsockname()[1]


class PostgresServer:
    """One server on the loopback address; its one user is `descend`."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="descend-postgres-", dir="/tmp"))
        self.port = free_port()
        self.clients: list = []
        # Postgres refuses to be run by root.
        self.user = None
        if os.geteuid() == 0:
            known = {entry.pw_name for entry in pwd.getpwall()}
            self.user = "postgres" if "postgres" in known else "nobody"
            shutil.chown(self.folder, self.user)
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self.run("initdb", "-U", "descend", "-A", "scram-sha-256", "--auth-local=trust", f"--pwfile={secret}",
                 "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")  # fmt: skip
        self.start()

    def run(self, program: str, *arguments: str) -> None:
        command = [found(program), "-D", str(self.folder / "data"), *arguments]
        log = self.folder / "log"
        with open(log, "a") as written:
            os.chmod(log, 0o666)
            subprocess.run(command, user=self.user, cwd=self.folder, stdout=written, stderr=written, check=True)

    def start(self) -> None:
        settings = f"-p {self.port} -k {self.folder} -h 127.0.0.1 -c fsync=off -c shared_buffers=32MB"
        self.run("pg_ctl", "start", "-w", "-l", str(self.folder / "log"), "-o", settings)

    def stop(self, mode: str = "immediate") -> None:
        self.run("pg_ctl", "stop", "-w", "-m", mode)

    def remove(self) -> None:
        for client in self.clients:
            client.disconnect()
        try:
            self.stop()
        except subprocess.CalledProcessError:  # a test left it stopped, or half so
            pid = (self.folder / "data" / "postmaster.pid").read_text().split()[0] if self.runs() else None
            if pid is not None:
                os.kill(int(pid), signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def runs(self) -> bool:
        return (self.folder / "data" / "postmaster.pid").exists()

    def connect(self):
        import psycopg

        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="descend", password=PASSWORD, dbname="postgres", autocommit=True
        )

    def url(self, table: str, password: str = WRITTEN, **more: str) -> str:
        options = "".join(f"&{name}={value}" for name, value in more.items())
        return f"postgres://descend:{password}@127.0.0.1:{self.port}/postgres?table={table}{options}"

    def ibis(self):
        import ibis

        client = ibis.postgres.connect(
            host="127.0.0.1", port=self.port, user="descend", password=PASSWORD, database="postgres"
        )
        self.clients.append(client)
        return client

    def load(self, name: str, columns: dict[str, np.ndarray]) -> str:
        """Make a table of columns; returns its address."""
        kinds = {"f": "double precision", "i": "bigint", "b": "boolean", "U": "text", "O": "text"}
        types = ", ".join(
            f"{quoted(column)} {kinds[np.asarray(cells).dtype.kind]}" for column, cells in columns.items()
        )
        with self.connect() as connection:
            connection.execute(f"drop table if exists {quoted(name)}")
            connection.execute(f"create table {quoted(name)} ({types})")
            with connection.cursor().copy(f"copy {quoted(name)} from stdin") as copy:
                for row in zip(*(np.asarray(cells).tolist() for cells in columns.values()), strict=True):
                    copy.write_row(row)
            connection.execute(f"analyze {quoted(name)}")
        return self.url(name)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def skip_without_spark() -> None:
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip('PySpark is not installed: pip install "descend[spark]"')
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Java is not installed (on Debian: apt-get install default-jre-headless)")


def spark_session(master: str, folder: Path, **settings: str):
    """Start Spark. It compiles no code, which for a few rows takes far longer than to go without."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(master)
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.adaptive.enabled": "false",
        "spark.log.level": "OFF",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.local.dir": str(folder),
    } | {name.replace("_", "."): value for name, value in settings.items()}
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def written_as_parquet(folder: Path, columns: dict[str, np.ndarray], files: int = 3) -> Path:
    """Write columns into Parquet files, so that Spark has several partitions."""
    import pyarrow
    from pyarrow import parquet

    folder.mkdir(exist_ok=True)
    table = pyarrow.table({name: np.asarray(cells) for name, cells in columns.items()})
    share = -(-len(table) // files)
    for place in range(files):
        parquet.write_table(table.slice(place * share, share), folder / f"part{place}.parquet")
    return folder
