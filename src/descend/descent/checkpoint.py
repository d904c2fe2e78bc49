"""A run on disk: its state, so that it can be resumed on the same trajectory, bit for bit."""

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

from descend.descent.beginning import Beginning
from descend.descent.loop import Plan
from descend.descent.step import Snapshot, Step, Trace
from descend.errors import ConfigError, ConnectionLostError, DataError
from descend.optimizers import Optimizer
from descend.options.request import Request
from descend.output import refuse_unwritable, write_atomically
from descend.parameters import Parameters
from descend.problem.objective import VectorObjective
from descend.wording import spell, using

FORMAT = 1
EVERY = 2.0
"""Seconds between two writes."""
REMEMBERED = 500
"""How many past steps are kept beside the current state."""
SHOWN = 6
"""How many parameters a message shows."""


@dataclass(frozen=True)
class Checkpoint:
    """The content of a checkpoint file.

    run: what must be the same for the trajectory to be the same. start: the parameters at epoch 0, by name.
    snapshot: the state of the run; loss: J there. steps: some of its steps so far.
    """

    run: Mapping[str, object]
    start: Mapping[str, object]
    loss: float
    snapshot: Snapshot
    steps: tuple[Step, ...]


class Writer:
    """Reads steps and writes a checkpoint at most every few seconds and at the end; each write is atomic."""

    def __init__(self, path: str | os.PathLike[str], run: Mapping[str, object], start: Mapping[str, object]) -> None:
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
        """Write the current state, unless it is already written."""
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
        if (best := snapshot.best) is not None:
            position["best"] = [*_written(best), best.validation_loss]
        steps = [_written(each) for each in self.steps]
        write_atomically(self.path, json.dumps(self.head | {"position": position, "steps": steps}) + "\n")
        self.written, self.waiting = time.monotonic(), None

    def _remember(self, step: Step) -> None:
        if step.epoch % self.stride == 0:
            self.steps.append(step)
        if len(self.steps) > REMEMBERED:
            self.stride *= 2
            self.steps = [saved_step for saved_step in self.steps if saved_step.epoch % self.stride == 0]


def _written(step: Step) -> list[object]:
    return [step.epoch, step.theta.tolist(), step.loss, step.gradient_norm, step.learning_rate, step.seconds]


def _read_step(epoch: int, theta: list[float], loss: float, norm: float, rate: float, seconds: float) -> Step:
    return Step(epoch, np.array(theta), loss, norm, rate, seconds)


def read(path: str | os.PathLike[str]) -> Checkpoint | None:
    """Read a checkpoint; None if there is no such file yet. Raises DataError if it is not a checkpoint."""
    saved_path = Path(path)
    try:
        content = json.loads(saved_path.read_text(encoding="utf-8"))
        if content["checkpoint"] != FORMAT:
            raise ValueError
        position = content["position"]
        theta = np.array(position["theta"], dtype=np.float64)
        memory = tuple(live(position["judge"]))
        optimizer_state, order, seconds = live(position["state"]), position["order"], position["seconds"]
        best = None
        if (found := position.get("best")) is not None:
            best = _read_step(*found[:-1])
            best.measures = {"validation_loss": found[-1]}
        snapshot = Snapshot(position["epoch"], theta, optimizer_state, order, memory, seconds, best)
        steps = tuple(_read_step(*each) for each in content["steps"] if each[0] < snapshot.epoch)
        return Checkpoint(content["run"], content["start"], position["loss"], snapshot, steps)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataError(
            f"The checkpoint `{saved_path}` cannot be read: {(error.strerror or str(error)).lower()}. Check its name."
        ) from None
    except (ValueError, KeyError, TypeError):
        raise DataError(
            f"`{saved_path}` is not a checkpoint. Give a file that {spell('checkpoint')} wrote, or start without "
            f"{spell('resume')}."
        ) from None


def refuse_other_properties(
    path: str | os.PathLike[str], properties: Mapping[str, object], other_properties: Mapping[str, object]
) -> None:
    """Raise ConfigError unless what has to be the same of two runs is the same, in the file and here."""
    for name, value in plain_json(other_properties).items():
        if properties.get(name) != value:
            raise ConfigError(
                f"`{path}` is the checkpoint of another run: its {name} is {_shown(properties.get(name))}, here it is "
                f"{_shown(value)}. Give the same options again, or start anew without {spell('resume')}."
            )


def refuse_another_run(path: str | os.PathLike[str], found: Checkpoint, run: Mapping[str, object], loss: float) -> None:
    """Raise ConfigError unless this run is the one in the file; loss: J of this run at the parameters in the file."""
    refuse_other_properties(path, found.run, run)
    summed_anew = run["engine"] == "query"  # by a database, whose order of summation may differ each time
    if not (loss == found.loss or (summed_anew and math.isclose(loss, found.loss, rel_tol=1e-10))):
        raise ConfigError(
            f"`{path}` is the checkpoint of a run over other data: at its parameters the loss was {found.loss!r}, "
            f"here it is {loss!r}. Give the same data again, or start anew without {spell('resume')}."
        )


def _shown(value: object) -> str:
    return f"`{value}`" if isinstance(value, str) else "none" if value is None else json.dumps(value)


def plain_json(run: Mapping[str, object]) -> dict[str, object]:
    """Return ``run`` as it would be after a round trip through JSON."""
    read_again: dict[str, object] = json.loads(json.dumps(dict(run)))
    return read_again


def plain(optimizer: object) -> Any:
    """Turn an optimizer's state, of numbers, arrays, None, lists and tuples, into what JSON holds without loss."""
    if isinstance(optimizer, np.ndarray):
        return {"array": optimizer.ravel().tolist(), "shape": list(optimizer.shape)}
    if isinstance(optimizer, tuple):
        return {"tuple": [plain(element) for element in optimizer]}
    if isinstance(optimizer, list):
        return [plain(element) for element in optimizer]
    return optimizer.item() if isinstance(optimizer, np.generic) else optimizer


def live(content: object) -> Any:
    """Turn what `plain` made back into a state."""
    if isinstance(content, list):
        return [live(element) for element in content]
    if not isinstance(content, dict):
        return content
    if "tuple" in content:
        return tuple(live(element) for element in content["tuple"])
    return np.array(content["array"], dtype=np.float64).reshape(content["shape"])


def writer_of(
    beginning: Beginning,
    request: Request,
    objective: VectorObjective,
    optimizer: Optimizer,
    plan: Plan,
    trace: Trace,
    resumed: Checkpoint | None,
) -> Writer:
    """Return the writer of a run's checkpoints; for a resumed run it begins with the steps that were kept."""
    assert request.checkpoint is not None
    problem, model, penalty = beginning.problem, beginning.problem.model, objective.penalty
    same: dict[str, object] = {
        "model": str(model),
        "parameters": list(model.parameters.labels),
        "loss": repr(model.loss),
        "penalty": None if penalty is None else [penalty.l1.tolist(), penalty.l2.tolist()],
        "bounds": None if objective.bounds is None else list(objective.bounds.texts),
        "gradient": problem.gradient,
        "engine": objective.engine.name,
        "rows": objective.rows,
        "optimizer": repr(optimizer),
        "learning rate": plan.rate,
        "schedule": repr(plan.schedule),
        "standardised": request.standardize,
        "batch size": plan.batch_size,
        "seed": plan.seed,
    }
    if objective.priors is not None:
        same["penalty"] = [*objective.priors.priors.texts, objective.priors.dispersion]
    if not plan.schedule.constant:
        same["number of epochs"] = plan.epochs
    same |= request.identity
    keep = Writer(request.checkpoint, same, model.parameters.named(beginning.start))
    if resumed is not None:
        at = resumed.snapshot
        refuse_another_run(request.checkpoint, resumed, same, objective(at.theta, at.order).loss)
        for step in resumed.steps:
            step.names = model.parameters
            trace.append(step)
            keep(step)
    return keep


def where_it_stood(
    error: ConnectionLostError,
    trace: Trace,
    parameters: Parameters,
    keep: Writer | None,
    path: str | os.PathLike[str] | None,
) -> ConnectionLostError:
    """Write the last checkpoint; return the error, extended by where the run stood and how to resume it."""
    if not len(trace):
        return ConnectionLostError(f"{error} The run had not begun. Fit again once the database is back.")
    last = trace[-1]
    values = parameters.mentioned(last.theta, 10, SHOWN).replace("  ", ", ")
    stood = f"At epoch {last.epoch:,} the parameters were {values}."
    if keep is not None:
        keep.flush()
        return ConnectionLostError(
            f"{error} {stood} Once the database is back, go on from `{path}`{using('resume', True)}."
        )
    return ConnectionLostError(
        f"{error} {stood} Once the database is back, start from there{using('start')}; a run{using('checkpoint')} "
        "can be resumed."
    )


def to_resume(path: str | os.PathLike[str], resume: bool) -> Checkpoint | None:
    """Return where an earlier run stood, to go on from there if asked; refuse a file that cannot be written."""
    refuse_unwritable(path)
    return read(path) if resume else None
