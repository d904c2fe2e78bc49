"""From a run that ended to the case: J as a function of one flat vector, whatever the model is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from descend.descent.run import Run
from descend.diagnosis.case import Array, Case
from descend.engines.stream import StreamEngine
from descend.engines.torch_engine import TorchEngine
from descend.optimizers import OPTIMIZERS, Optimizer
from descend.problem.posing import Problem
from descend.problem.standardized import StandardizedObjective


@contextlib.contextmanager
def case_of(problem: Problem, run: Run) -> Iterator[Case]:
    """Open the case of a run that ended; a module is left as it was found."""
    model: Any = problem.model
    if not model.in_place:
        yield _of_vector(problem, run)
        return
    from descend.training.flat import aside, joined

    objective: Any = problem.objective
    parameters: Any = problem.model.parameters
    with aside(objective) as flat:
        now = joined(parameters.trained)
        last = now if objective.finite else joined(parameters.kept or parameters.trained)
        start = joined(parameters.begun or parameters.trained)
        yield Case(
            problem, flat, start, last, _ours(run.optimizer), run.plan, run.trace, run.advice,
            _columns_of(problem),
            decays=_decays(run.optimizer), failed=None if objective.finite else now,
            rescaled=lambda columns: _module_on(flat, columns),
        )  # fmt: skip


def _of_vector(problem: Problem, run: Run) -> Case:
    names = dict.fromkeys((*problem.model.inputs, *problem.model.response_columns))
    failed, last = run.trace[-1], run.trace.last_finite
    # A run in standardised columns was a descent in other parameters than those it tells.
    objective = run.first.objective
    own = objective.units.u if isinstance(objective, StandardizedObjective) else np.asarray
    return Case(
        problem, objective, run.first.theta, own(last.theta), run.optimizer, run.plan, run.trace, run.advice,
        {name: problem.columns[name] for name in names}, failed=None if failed is last else own(failed.theta),
        rescaled=lambda columns: _rebuilt(problem, columns), sampled=problem.whole is not None,
    )  # fmt: skip


def _rebuilt(problem: Problem, columns: Mapping[str, Array]) -> Any:
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
    return objective_over(built, problem.objective.penalty, problem.objective.bounds)


def _columns_of(problem: Problem) -> dict[str, Array]:
    """Return what a module was fitted to as columns: those of the table, or the numbers of each row of a tensor."""
    engine: Any = problem.objective.engine
    response = problem.model.response
    inputs = engine.inputs.detach().reshape(len(engine.inputs), -1)
    y = engine.y.detach().cpu().double().numpy()
    if not inputs.is_floating_point():
        return {response: y}
    names = problem.model.inputs
    names = names if len(names) == inputs.shape[1] else tuple(f"X[{place}]" for place in range(inputs.shape[1]))
    return {**dict(zip(names, inputs.cpu().double().numpy().T, strict=True)), response: y}


def _module_on(flat: Any, columns: Mapping[str, Array]) -> Any:
    import torch

    from descend.training.objective import ModuleEngine

    rows = flat.objective.engine
    response = flat.objective.model.response
    parts = [array for name, array in columns.items() if name != response]
    inputs = torch.from_numpy(np.column_stack(parts)).to(rows.inputs.device, rows.inputs.dtype)
    y = torch.from_numpy(np.array(columns[response])).to(rows.y.device, rows.y.dtype)
    return flat.with_rows(ModuleEngine(inputs.reshape(rows.inputs.shape), y, rows.rows, rows.omega))


def _decays(optimizer: Any) -> bool:
    made = getattr(optimizer, "torch_optimizer", None)
    return any(float(group.get("weight_decay", 0.0) or 0.0) > 0.0 for group in getattr(made, "param_groups", ()))


def _ours(optimizer: Any) -> Optimizer:
    """Return the optimizer of ours that takes the steps of one of PyTorch, or steps like them."""
    ours = getattr(optimizer, "ours", optimizer)
    if ours is not None:
        chosen: Optimizer = ours
        return chosen
    made = optimizer.torch_optimizer
    momentum = float(made.defaults.get("momentum", 0.0) or 0.0)
    if type(made).__name__ == "SGD":
        return OPTIMIZERS.build("gd" if momentum == 0.0 else f"momentum(momentum={momentum})")
    return OPTIMIZERS.build("adam")
