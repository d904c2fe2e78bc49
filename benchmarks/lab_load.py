"""The lab under load: 50 scripted readers on loopback for a minute, each with a page and sliders of their own.

    python benchmarks/lab_load.py [--readers 50] [--seconds 60] [--drag] [--before OTHER/src]

A reader opens a problem, moves the rate or the start, or chooses other optimizers, with two seconds or so between, and
reads the words to what he sees. With --drag all drag the slider of the rate at once: each asks for the next film as
soon as he has the last, as the page does while a hand moves, and there is nothing to read before it rests. A reader
holds as many connections open as a browser does, six, and uses one of them.
It fails on any error, where one answer in twenty takes longer than half a second, and where memory grows: by more
than a tenth over the second half of the minute.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from descend.lab.data.problems import PROBLEMS

SLOWEST = 0.5
GROWTH = 1.1
PAUSE = (1.0, 3.0)
"""Seconds between what a reader does."""
CONNECTIONS = 6
"""What a browser keeps open to one server."""


class Reader(threading.Thread):
    """One reader: what it asked took ``times``; ``errors`` are what it was told instead.

    problems: what it may open. places: the elements whose words are asked of Dash, in a version that has them there;
    None for this one. drag: whether it moves the slider without a pause.
    """

    def __init__(
        self, number: int, port: int, end: float, problems: list[str], places: list[str] | None, drag: bool
    ) -> None:
        super().__init__(daemon=True)
        self.problems, self.places, self.drag = problems, places, drag
        self.random = random.Random(number)
        self.port, self.end = port, end
        self.times: list[float] = []
        self.errors: list[str] = []
        self.said = ""
        self.settings: dict[str, Any] = {}
        self.marks: dict[str, str] = {}
        self.open()

    def open(self) -> None:
        """Choose a problem, as it begins."""
        recipe = PROBLEMS[self.random.choice(self.problems)]
        self.settings = {
            "formula": recipe.formula, "loss": recipe.loss, "optimizers": list(recipe.optimizers), "rate": -3.0,
            "auto": [], "start": ", ".join(f"{name}={value}" for name, value in recipe.start.items()),
            "epochs": str(recipe.epochs), "batch": "all", "noise": recipe.noise or 0.0,
            "context": {"problem": recipe.name, "seed": 0, "lang": self.random.choice(["en", "zh"])},
            "by-hand": [], "theme": self.random.choice(["light", "dark"]),
        }  # fmt: skip

    def run(self) -> None:
        """Read until the time is over."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        idle = [socket.create_connection(("127.0.0.1", self.port), timeout=30) for _ in range(CONNECTIONS - 1)]
        time.sleep(self.random.uniform(0, PAUSE[1]))
        while time.monotonic() < self.end:
            self.act()
            try:
                film = self.answer(connection, "/film", self.asked())["film"]
                self.marks = film.get("marks", {})
                if not self.drag and not self.words(connection, film["link"]):
                    self.errors.append(self.said)
            except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError, AttributeError) as error:
                self.errors.append(f"{error!r} {self.said}")
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            if not self.drag:
                time.sleep(self.random.uniform(*PAUSE))
        for other in idle:
            other.close()

    def act(self) -> None:
        """Change one thing, as a reader would."""
        settings, chance = self.settings, self.random.random()
        if chance < 0.1 and not self.drag:
            self.open()
        elif chance < 0.8 or self.drag:
            settings["rate"] = round(self.random.uniform(-4.0, -0.5), 2)
        elif chance < 0.9:
            names = [part.partition("=")[0] for part in settings["start"].split(", ")]
            settings["start"] = ", ".join(f"{name}={self.random.uniform(0.0, 2.0):.3f}" for name in names)
        else:
            settings["optimizers"] = self.random.sample(["gd", "momentum", "nesterov", "adam"], 2)

    def words(self, connection: http.client.HTTPConnection, link: str) -> Any:
        """Ask for the words to a film, and return how its descents ended."""
        if self.places is None:
            said = self.answer(connection, "/words", json.dumps({"link": link, "key": None}))
        else:
            said = self.answer(connection, "/_dash-update-component", words_to(link, self.places))["response"]
        return said["told"]["children"]

    def answer(self, connection: http.client.HTTPConnection, path: str, body: str) -> Any:
        """Ask for one thing, and note how long it took."""
        began = time.perf_counter()
        self.said = ""
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        self.said = reply.read().decode()
        self.times.append(time.perf_counter() - began)
        answer = json.loads(self.said)
        self.said = f"{reply.status} {self.said[:300]}"
        return answer

    def asked(self) -> str:
        """Write what the page sends for a film."""
        return json.dumps({"settings": self.settings, "gradient": "", "key": None, "have": self.marks})


def words_to(link: str, places: list[str]) -> str:
    """Write what a page sends for the words to a film in a version that asks Dash for them."""
    given = [("opening", "data", {"key": None}), ("rate", "min", -6.0), ("rate", "max", 1.0)]
    return json.dumps(
        {
            "output": ".." + "...".join(places) + "..",
            "outputs": [dict(zip(("id", "property"), place.split("."), strict=True)) for place in places],
            "inputs": [{"id": "link", "property": "data", "value": link}],
            "changedPropIds": ["link.data"],
            "state": [{"id": name, "property": what, "value": value} for name, what, value in given],
        }
    )


def processor(process: int) -> float:
    """Return the processor time of a process, in seconds."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(process: int) -> float:
    """Return the resident memory of a process, in MB."""
    text = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", text)
    return int(found[1]) / 1024 if found else 0.0


def places_of(source: Path) -> list[str] | None:
    """Return the elements whose words a version asks of Dash; None if it does not."""
    text = (source / "descend/lab/page/callbacks.py").read_text(encoding="utf-8")
    found = re.search(r"^WORDS_OF_FILM = \((.*?)^\)", text, re.DOTALL | re.MULTILINE)
    return None if found is None else "".join(re.findall(r'"(.*?)"', found[1])).split()


def measured(readers: int, seconds: float, source: Path | None, problems: list[str], drag: bool) -> bool:
    """Start a lab, let the readers loose, print what it took, and return whether that is too much.

    source: the folder that holds the package of another version; None for this one. problems: what readers open.
    """
    places = None if source is None else places_of(source)
    command = [sys.executable, "-m", "descend", "lab", "--no-browser", "--port", "0"]
    environment = dict(os.environ) if source is None else os.environ | {"PYTHONPATH": str(source)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as lab:
        assert lab.stderr is not None
        port = int(re.search(r":(\d+)/", lab.stderr.readline())[1])  # type: ignore[index]
        threading.Thread(target=lab.stderr.read, daemon=True).start()
        end = time.monotonic() + seconds
        class_of = [Reader(number, port, end, problems, places, drag) for number in range(readers)]
        for reader in class_of:
            reader.start()
        sizes, begun, warm = [], 0.0, 0
        while time.monotonic() < end:
            time.sleep(1.0)
            sizes.append(memory(lab.pid))
            if not begun and time.monotonic() > end - seconds / 2:  # what is made once is made by then
                begun, warm = processor(lab.pid), sum(len(reader.times) for reader in class_of)
        for reader in class_of:
            reader.join(60)
        used = processor(lab.pid)
        lab.terminate()
    times = sorted(value for reader in class_of for value in reader.times)
    errors = [error for reader in class_of for error in reader.errors]
    slowest = times[int(0.95 * len(times))]
    half = sizes[len(sizes) // 2]
    print(f"{source or 'this version'}: {readers} readers, {seconds:g} s, {len(times)} answers, {len(errors)} errors")
    print(f"median {times[len(times) // 2] * 1000:.0f} ms, 95th percentile {slowest * 1000:.0f} ms, "
          f"slowest {times[-1] * 1000:.0f} ms")  # fmt: skip
    each = (used - begun) / (len(times) - warm) * 1000
    print(f"{each:.1f} ms of a processor an answer in the second half, {used:.0f} s in all; "
          f"load of this machine {os.getloadavg()[0]:.1f}")  # fmt: skip
    print(f"memory {sizes[0]:.0f} MB after a second, {half:.0f} MB halfway, {sizes[-1]:.0f} MB at the end")
    for error in errors[:3]:
        print(error)
    return bool(errors) or slowest > SLOWEST or sizes[-1] > GROWTH * half


def main() -> int:
    """Measure this version, and before it another one if that is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--drag", action="store_true", help="all drag the slider, without a pause")
    parser.add_argument("--before", type=Path, metavar="SRC", help="the src folder of a version to measure first")
    options = parser.parse_args()
    problems = list(PROBLEMS)
    if options.before is not None:
        there = next(options.before.glob("descend/lab/**/problems.py")).read_text(encoding="utf-8")
        problems = [name for name in problems if f'"{name}",' in there]
        measured(options.readers, options.seconds, options.before, problems, options.drag)
    return int(measured(options.readers, options.seconds, None, problems, options.drag))


if __name__ == "__main__":
    sys.exit(main())
