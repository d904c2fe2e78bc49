"""Makes a case of a run that ended: J as a function of one flat vector, whatever the model is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from descend.descent.run import Run
from descend.diagnosis.case import Array, Case
from descend.gradients.contract import Kernel
from descend.gradients.derived import Program
from descend.problem.engine_choice import summing
from descend.problem.point import Objective
from descend.problem.problem import Problem


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
    to_standardized = np.asarray if objective.units is None else objective.units.u
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
    from descend.engines.torch_engine import TorchEngine
    from descend.problem.objective import objective_over

    known, code, merged = problem.objective, problem.code, problem.rows.replaced(columns)
    assert isinstance(code, Program | Kernel)
    device = known.engine.device
    built = summing(code, merged) if device is None else TorchEngine(code, merged, device, passes=0)
    return known.with_priors_of(objective_over(built, known.penalty, known.bounds))
