"""Connections that break in the middle of a fit: cut by the server, by its restart, and for good."""

from __future__ import annotations

import json
import threading
import time

import numpy as np
import pytest
from tests.remote.servers import PostgresServer

import descend
from descend.errors import DataError
from descend.table import connection

pytestmark = pytest.mark.postgres
CURVE = "y ~ a*exp(-b*x) + c"
DESCENT = {"optimizer": "gd", "learning_rate": 0.05, "epochs": 60, "start": {"a": 1.0, "b": 1.0, "c": 1.0}}


def data(rows=300):
    random = np.random.default_rng(3)
    x = random.uniform(0.1, 3.0, rows)
    return {"x": x, "y": 1.5 * np.exp(-0.6 * x) + 0.8 + random.normal(0, 0.05, rows)}


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(connection, "WAITS", (0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6))


def cut(server):
    """End every session but the one that asks for it."""
    with server.connect() as own:
        others = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and usename = %s"
        own.execute(others, ["descend"])


def at(epoch, work):
    """A reader of steps that does something at one of them."""

    def read(step):
        if step.epoch == epoch:
            work()

    return read


@pytest.mark.parametrize("source", ["address", "table"])
def test_a_session_that_is_ended_is_begun_again(source, postgres):
    url = postgres.load("cut", data())
    given = url if source == "address" else postgres.ibis().table("cut")
    undisturbed = descend.fit(CURVE, data(), **DESCENT)
    fit = descend.fit(CURVE, given, on_step=at(25, lambda: cut(postgres)), **DESCENT)
    shown = f"`postgres://127.0.0.1:{postgres.port}/postgres`" if source == "address" else "the database (postgres)"
    assert f"the connection to {shown} was lost once and made again" in fit.notes
    np.testing.assert_allclose(fit.theta, undisturbed.theta, rtol=1e-12)
    assert fit.epochs == 60


def test_rows_that_stream_are_streamed_again(postgres, monkeypatch):
    """The rows come in blocks, and the session ends between two of them."""
    monkeypatch.setattr("descend.engines.stream.BLOCK", 70)
    url, calls = postgres.load("cut", data()), []

    def forward(x, w):
        return w * x

    def gradient(x, y, w):
        calls.append(len(x))
        if len(x) == 70 and calls.count(70) == 14:
            cut(postgres)
        return np.mean(2 * x * (w * x - y))

    options = {"response": "y", "optimizer": "gd", "learning_rate": 0.05, "epochs": 8, "start": {"w": 0.0}}
    fit = descend.fit(forward, url, gradient=gradient, **options)
    expected = descend.fit(forward, data(), gradient=gradient, **options)
    np.testing.assert_allclose(fit.theta, expected.theta, rtol=1e-12)
    assert any("was lost once and made again" in note for note in fit.notes)


def test_the_server_is_restarted(postgres):
    url = postgres.load("cut", data())

    def restart():
        postgres.stop()
        threading.Timer(0.3, postgres.start).start()

    fit = descend.fit(CURVE, url, on_step=at(25, restart), **DESCENT)
    np.testing.assert_allclose(fit.theta, descend.fit(CURVE, data(), **DESCENT).theta, rtol=1e-12)


def test_a_session_may_be_lost_many_times(postgres):
    url = postgres.load("cut", data())
    fit = descend.fit(CURVE, url, on_step=lambda step: cut(postgres) if step.epoch % 10 == 5 else None, **DESCENT)
    assert f"the connection to `postgres://127.0.0.1:{postgres.port}/postgres` was lost 6 times and made again" in (
        fit.notes
    )


def test_a_server_that_does_not_come_back(tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "WAITS", (0.01, 0.02, 0.03))
    server = PostgresServer()
    try:
        path, url = tmp_path / "run.json", server.load("cut", data())
        stood = {}

        def stop(step):
            stood[step.epoch] = step.parameters
            if step.epoch == 25:
                server.stop()

        with pytest.raises(DataError) as caught:
            descend.fit(CURVE, url, on_step=stop, checkpoint=path, **DESCENT)
        a, b, c = stood[25].values()
        shown = f"postgres://127.0.0.1:{server.port}/postgres"
        assert str(caught.value) == (
            f"The connection to `{shown}` was lost, and 3 tries to make it again in 0 seconds have failed: connection "
            f'failed: connection to server at "127.0.0.1", port {server.port} failed: Connection refused. '
            f"At epoch 25 the parameters were a={a:.10g}, b={b:.10g}, c={c:.10g}. "
            f"Once the database is back, go on from `{path}` with resume=True."
        )
        assert json.loads(path.read_text())["position"]["epoch"] == 25
        with pytest.raises(DataError) as caught:
            descend.fit(CURVE, url, on_step=stop, checkpoint=path, resume=True, **DESCENT)
        assert str(caught.value) == f"`{shown}` cannot be reached: Connection refused. Check the address."
        server.start()
        fit = descend.fit(CURVE, url, checkpoint=path, resume=True, **DESCENT)
        assert fit.notes[0] == f"resumed at epoch 25 from {path}"
        np.testing.assert_allclose(fit.theta, descend.fit(CURVE, data(), **DESCENT).theta, rtol=1e-12)
        with pytest.raises(DataError) as caught:
            descend.fit(CURVE, url, on_step=stop, **DESCENT)
        assert str(caught.value).endswith(
            "Once the database is back, start from there with `start`; a run with `checkpoint` can be resumed."
        )
    finally:
        server.remove()


def test_what_is_wrong_is_not_asked_again(postgres, monkeypatch):
    """A table that is dropped in mid-fit is no lost connection."""
    url = postgres.load("gone", data())

    def drop():
        with postgres.connect() as own:
            own.execute("drop table gone")

    began = time.monotonic()
    with pytest.raises(DataError) as caught:
        descend.fit(CURVE, url, on_step=at(5, drop), **DESCENT)
    assert str(caught.value) == (
        f'`gone` of postgres://127.0.0.1:{postgres.port}/postgres cannot be read: relation "gone" does not exist.'
    )
    assert time.monotonic() - began < 60
