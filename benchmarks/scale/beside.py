"""Contenders side by side, each in a process of its own, so that its peak memory is its own.

A round runs every contender once, in turn, so that whatever else the machine does falls on all of them alike; the
median of the rounds counts. Where other programs keep the processors busy, the seconds of processor time beside it, of
all threads added up, tell more. A process imports its library, fits something small of another form, reads its data,
and only then starts its clock: what is timed is one call as a user makes it, with whatever it compiles for it.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Contender:
    """What to time. Nothing but ``run`` is.

    prepare: from the folder of the data to what ``run`` takes. run: returns numbers by name, to be compared.
    rounds: at most so many. memory: bytes of data this process may have (``ulimit -d``); the process fails beyond.
    """

    name: str
    prepare: Callable[[Path], Any]
    run: Callable[[Any], Mapping[str, float]]
    rounds: int = 99
    memory: int | None = None


@dataclass
class Measured:
    """Seconds, processor seconds, the largest peak in MiB, the numbers of the last round; what went wrong, if so."""

    seconds: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    peak: float = 0.0
    numbers: dict[str, float] = field(default_factory=dict)
    failure: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.seconds) if self.seconds else float("nan")


def alone(contender: Contender, folder: Path) -> None:
    """Run one contender once, in this process, and print what it took."""
    if contender.memory is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (contender.memory, contender.memory))
    given = contender.prepare(folder)
    began, busy = time.perf_counter(), time.process_time()
    numbers = contender.run(given)
    seconds, busy = time.perf_counter() - began, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    plain = {name: float(value) for name, value in numbers.items()}
    print(json.dumps({"seconds": seconds, "busy": busy, "peak": peak, "numbers": plain}))


def measure(part: str, names: Mapping[str, int], folder: Path, rounds: int) -> dict[str, Measured]:
    """Run each contender ``rounds`` times at most, in turn, each in a process of its own."""
    found = {name: Measured() for name in names}
    for number in range(rounds):
        for name, most in names.items():
            if number >= most or found[name].failure:
                continue
            command = [sys.executable, "-W", "ignore", str(HERE), "--alone", part, name, "--folder", str(folder)]
            if sys.stderr.isatty():
                print(f"\r{part}: round {number + 1}, {name:<60}", end="", file=sys.stderr, flush=True)
            ended = subprocess.run(command, check=False, capture_output=True, text=True)
            lines = ended.stdout.splitlines()
            if ended.returncode or not lines:
                found[name].failure = (ended.stderr.strip().splitlines() or ["no answer"])[-1][:100]
                continue
            answer = json.loads(lines[-1])
            found[name].seconds.append(answer["seconds"])
            found[name].busy.append(answer["busy"])
            found[name].peak = max(found[name].peak, answer["peak"])
            found[name].numbers = answer["numbers"]
    if sys.stderr.isatty():
        print(f"\r{'':<80}\r", end="", file=sys.stderr)
    return found


def show(title: str, measured: Mapping[str, Measured], reference: str) -> None:
    """Print a table: seconds, their ratio to the reference's, processor time, peak memory, difference from it."""
    ours = measured[reference]
    print(f"\n{title}\n{'':<52}{'seconds':>9}{'ratio':>8}{'cpu s':>9}{'peak MiB':>10}{'difference':>12}")
    for name, row in measured.items():
        if row.failure:
            print(f"{name:<52}  failed: {row.failure}")
            continue
        away = [
            abs(value - row.numbers[key]) / max(abs(value), 1e-300)
            for key, value in ours.numbers.items()
            if key in row.numbers and not key.startswith("_")
        ]
        shown = f"{max(away):>12.1e}" if away and name != reference else ""
        times = f"{row.median:>9.3f}{row.median / ours.median:>8.2f}{statistics.median(row.busy):>9.3f}"
        print(f"{name:<52}{times}{row.peak:>10.0f}{shown}")


def target(what: str, value: float, least: float | None = None, most: float | None = None, unit: str = "") -> None:
    """Print whether a target is met."""
    met = (least is None or value >= least) and (most is None or value <= most)
    bound = f"at least {least:g}" if least is not None else f"at most {most:g}"
    print(f"{what}: {value:.3g}{unit} (target {bound}{unit}: {'met' if met else 'MISSED'})")
