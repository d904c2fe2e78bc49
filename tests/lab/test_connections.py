"""A class of readers before one lab: what their browsers hold open locks nobody out."""

from __future__ import annotations

import http.client
import os
import re
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing

import pytest

from descend.lab.serving import server

IDLE, HALF_SENT = 200, 100


@pytest.fixture(scope="module")
def port():
    command = [sys.executable, "-m", "descend", "lab", "--no-browser", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ) as lab:
        assert lab.stderr is not None
        yield int(re.search(r":(\d+)/", lab.stderr.readline())[1])
        lab.terminate()
        lab.stderr.read()


def test_the_next_reader_is_answered_within_a_second(port):
    with ExitStack() as held:
        for number in range(IDLE + HALF_SENT):
            connection = held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            if number >= IDLE:
                connection.sendall(b"POST /film HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n{")
        began = time.monotonic()
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as reader:
            reader.request("GET", "/")
            assert reader.getresponse().status == 200
        assert time.monotonic() - began < 1.0


def test_a_connection_that_says_nothing_is_closed(monkeypatch):
    monkeypatch.setattr(server, "IDLE", 1)
    opened = threading.Event()
    addresses = []

    def tell(address):
        addresses.append(address)
        opened.set()

    app = server.make_app()
    threading.Thread(target=server.serve, args=(app, "127.0.0.1", 0, tell), daemon=True).start()
    assert opened.wait(30)
    with socket.create_connection(("127.0.0.1", int(addresses[0].rpartition(":")[2].strip("/"))), timeout=20) as idle:
        assert idle.recv(1) == b""


def test_connections_are_half_of_the_files_a_process_may_have_open(monkeypatch):
    resource = pytest.importorskip("resource")
    limits = [(100, 300)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: limits.append(pair))
    assert server._connections() == 150
    assert limits[-1] == (300, 300)
