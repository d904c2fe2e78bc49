"""Makes a case of a run that ended: J as a function of one flat vector, whatever the model is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from descend.descent.run import Run
from descend.diagnosis.case import Array, Case
from descend.engines.stream import StreamEngine
from descend.engines.torch_engine import TorchEngine
from descend.problem.point import Objective
from descend.problem.problem import Problem
from descend.problem.standardized import StandardizedObjective


@contextlib.contextmanager
def case_of(run: Run) -> Iterator[Case]:
    """Open the case of a run that ended; a module is left as it was found."""
    problem = run.beginning.problem
    if not problem.model.in_place:
        yield _of_vector(run)
        return
    objective: Any = problem.objective
    optimizer: Any = run.optimizer
    with objective.aside() as flat:
        start, last, failed = flat.path()
        yield Case(
            run=run,
            objective=flat,
            start=start,
            last=last,
            optimizer=optimizer.alike,
            columns=flat.columns() if problem.model.comparable else {},
            decays=optimizer.decays,
            failed=failed,
            over=flat.over,
        )


def _of_vector(run: Run) -> Case:
    problem = run.beginning.problem
    names = dict.fromkeys((*problem.model.inputs, *problem.model.response_columns))
    failed, last = run.trace[-1], run.trace.last_finite
    # A run in standardised columns descended in other parameters than those it reports.
    objective = run.first.objective
    to_standardized = objective.units.u if isinstance(objective, StandardizedObjective) else np.asarray
    return Case(
        run=run,
        objective=objective,
        start=run.first.theta,
        last=to_standardized(last.theta),
        optimizer=run.optimizer,
        columns={name: problem.columns[name] for name in names},
        failed=None if failed is last else to_standardized(failed.theta),
        over=lambda columns: _rebuilt(problem, columns),
        sampled=problem.all_rows is not None,
    )


def _rebuilt(problem: Problem, columns: Mapping[str, Array]) -> Objective:
    """Return J of the same model over other values of its columns."""
    from descend.engines.numpy_engine import NumpyEngine
    from descend.gradients.derived import derived
    from descend.problem.objective import objective_over

    engine: Any = problem.objective.engine
    merged = problem.rows.replaced(columns)
    if isinstance(engine, TorchEngine):
        built: Any = TorchEngine(engine.kernel, merged, engine.device)
    elif isinstance(engine, NumpyEngine):
        built = NumpyEngine(engine.kernel, merged)
    elif isinstance(engine, StreamEngine) and engine.device is not None:
        built = TorchEngine(engine.kernel, merged, engine.device)
    elif isinstance(engine, StreamEngine):
        built = NumpyEngine(engine.kernel, merged)
    else:
        built = NumpyEngine(derived(problem.model.formula, problem.model.loss), merged)
    objective = problem.objective
    return objective.with_priors_of(objective_over(built, objective.penalty, objective.bounds))
