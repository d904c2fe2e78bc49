"""A run on disk: where it stands, so that it can be taken up again to the same trajectory, bit for bit."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.descent.step import Snapshot, Step
from descend.errors import ConfigError, DataError
from descend.output import write_atomically
from descend.wording import spell

Array = NDArray[np.float64]
FORMAT = 1
EVERY = 2.0
"""Seconds between two writings."""
REMEMBERED = 500
"""Steps of the run so far that are kept beside where it stands."""


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds.

    run: what has to be the same for the trajectory to be. start: the parameters at epoch 0, by name.
    snapshot: where the run stands, at loss J. steps: some of its steps so far.
    """

    run: Mapping[str, Any]
    start: Mapping[str, Any]
    loss: float
    snapshot: Snapshot
    steps: tuple[Step, ...]


class Writer:
    """A reader of steps that writes a checkpoint, at most every few seconds and at the end; each in one step."""

    def __init__(self, path: str | os.PathLike[str], run: Mapping[str, Any], start: Mapping[str, Any]) -> None:
        self.path = path
        values = {name: np.asarray(value).tolist() for name, value in start.items()}
        self.head = {"checkpoint": FORMAT, "run": dict(run), "start": values}
        self.steps: list[Step] = []
        self.stride = 1
        self.written = -EVERY
        self.waiting: tuple[Step, Snapshot] | None = None

    def __call__(self, step: Step) -> None:
        snapshot, step.snapshot = step.snapshot, None
        self._remember(step)
        if snapshot is None or not np.isfinite(step.loss):
            return
        self.waiting = step, snapshot
        if step.outcome is not None or time.monotonic() - self.written >= EVERY:
            self.flush()

    def flush(self) -> None:
        """Write where the run stands, unless that is written already."""
        if self.waiting is None:
            return
        step, snapshot = self.waiting
        position = {
            "epoch": step.epoch,
            "theta": snapshot.theta.tolist(),
            "loss": step.loss,
            "seconds": step.seconds,
            "order": snapshot.order,
            "judge": plain(snapshot.judge),
            "state": plain(snapshot.state),
        }
        steps = [
            [each.epoch, each.theta.tolist(), each.loss, each.gradient_norm, each.learning_rate, each.seconds]
            for each in self.steps
        ]
        write_atomically(self.path, json.dumps(self.head | {"position": position, "steps": steps}) + "\n")
        self.written, self.waiting = time.monotonic(), None

    def _remember(self, step: Step) -> None:
        if step.epoch % self.stride == 0:
            self.steps.append(step)
        if len(self.steps) > REMEMBERED:
            self.stride *= 2
            self.steps = [kept for kept in self.steps if kept.epoch % self.stride == 0]


def read(path: str | os.PathLike[str]) -> Checkpoint | None:
    """Read a checkpoint; None if there is no such file yet. Raises DataError if it is not a checkpoint."""
    place = Path(path)
    try:
        content = json.loads(place.read_text(encoding="utf-8"))
        if content["checkpoint"] != FORMAT:
            raise ValueError
        position = content["position"]
        theta = np.array(position["theta"], dtype=np.float64)
        snapshot = Snapshot(
            position["epoch"], theta, live(position["state"]), position["order"], tuple(live(position["judge"])),
            position["seconds"],
        )  # fmt: skip
        steps = tuple(
            Step(epoch, np.array(values), loss, norm, rate, seconds, None, None)
            for epoch, values, loss, norm, rate, seconds in content["steps"]
            if epoch < snapshot.epoch
        )
        return Checkpoint(content["run"], content["start"], position["loss"], snapshot, steps)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataError(
            f"The checkpoint `{place}` cannot be read: {(error.strerror or str(error)).lower()}. Check its name."
        ) from None
    except (ValueError, KeyError, TypeError):
        raise DataError(
            f"`{place}` is not a checkpoint. Give a file that `{spell('checkpoint')}` wrote, or start without "
            f"`{spell('resume')}`."
        ) from None


def refuse_another_run(path: str | os.PathLike[str], found: Checkpoint, run: Mapping[str, Any], loss: float) -> None:
    """Raise ConfigError unless the run at hand is the one in the file; loss: J here, at the parameters there."""
    for name, here in plain_json(run).items():
        there = found.run.get(name)
        if there != here:
            raise ConfigError(
                f"`{path}` is the checkpoint of another run: its {name} is {_shown(there)}, here it is {_shown(here)}. "
                f"Give the same options again, or start anew without {spell('resume')}."
            )
    summed_anew = run["engine"] == "query"  # by a database, whose order of summation may be another each time
    if not (loss == found.loss or (summed_anew and math.isclose(loss, found.loss, rel_tol=1e-10))):
        raise ConfigError(
            f"`{path}` is the checkpoint of a run over other data: at its parameters the loss was {found.loss!r}, "
            f"here it is {loss!r}. Give the same data again, or start anew without {spell('resume')}."
        )


def _shown(value: Any) -> str:
    return f"`{value}`" if isinstance(value, str) else "none" if value is None else json.dumps(value)


def plain_json(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``run`` is once it has been written and read."""
    read_again: dict[str, Any] = json.loads(json.dumps(dict(run)))
    return read_again


def plain(state: Any) -> Any:
    """Turn an optimizer's state, of numbers, arrays, None, lists and tuples, into what JSON holds without loss."""
    if isinstance(state, np.ndarray):
        return {"array": state.ravel().tolist(), "shape": list(state.shape)}
    if isinstance(state, tuple):
        return {"tuple": [plain(part) for part in state]}
    if isinstance(state, list):
        return [plain(part) for part in state]
    return state.item() if isinstance(state, np.generic) else state


def live(content: Any) -> Any:
    """Turn what `plain` made back into a state."""
    if isinstance(content, list):
        return [live(part) for part in content]
    if not isinstance(content, dict):
        return content
    if "tuple" in content:
        return tuple(live(part) for part in content["tuple"])
    return np.array(content["array"], dtype=np.float64).reshape(content["shape"])
