"""Where a descent begins: at given values, at values found by a search, or where samples of very many rows lead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from descend.descent.beginning import Beginning
from descend.gradients.derived import as_program, derived
from descend.identifiability.verdict import at_start, free_values
from descend.options.request import Request
from descend.problem import preflight
from descend.problem.point import Array, Point
from descend.problem.problem import Problem
from descend.starts.residual_noise import something_left
from descend.starts.search import Start, search
from descend.starts.trial_points import descended

FEWEST_SAMPLED = 8_000
"""Rows of which no sample helps: a 16th of them would be fewer than the smallest (see `growth`)."""


def begin(problem: Problem, request: Request) -> Beginning:
    """Choose where the descent begins, and evaluate J there.

    Starting values that were not given are searched for, and a start is improved on samples of very many rows.

    Raises ConfigError or DataError where J has no value, or the data cannot determine the parameters.
    """
    model, starts_given, objective = problem.model, problem.given, problem.objective
    if model.in_place:
        return Beginning(problem, objective(problem.start, 1), problem.notes)
    searching = not (model.linear or model.log_linear) and model.formula is not None
    search_start = None
    if searching and len(starts_given) < len(model.parameters.shapes):
        search_start = _searched(problem, request, problem.start, starts_given)
    elif problem.gradient == "numeric" and len(starts_given) < len(model.parameters.shapes):
        from descend.starts.sampling import sampled

        search_start = sampled(problem, starts_given)
    if model.loss.turns and request.polish and len(starts_given) < len(model.parameters.shapes):
        from descend.starts.circular_starts import turned

        search_start = turned(problem, search_start, starts_given)
    origin = problem.start if search_start is None else search_start.theta
    on_samples = _on_samples(problem, request, origin)
    first = _first(problem, origin if on_samples is None else on_samples.theta, starts_given)
    if request.optimizer is None and not starts_given and (end := _shortest(problem, first)) is not None:
        first = objective(end, 2)
    silent = objective.penalty is not None or request.bare
    doubts = () if silent else at_start(model, first, problem.rows.columns, problem.table.source)
    free = free_values(model) if search_start is not None and doubts else {}
    if searching and free.keys() - starts_given.keys():  # what may be chosen freely leads a search astray
        held_values = {**free, **starts_given}
        again = _searched(problem, request, model.parameters.start(held_values, 1.0), held_values)
        if again is not None:
            search_start, first = again, _first(problem, again.theta, held_values)
    if doubts:
        from descend.models.misnamed_columns import mistaken_columns

        doubts = (*mistaken_columns(model, problem.table, starts_given), *doubts)
    searched = (each.note for each in (search_start, on_samples) if each is not None)
    notes = (*problem.notes, *searched, *problem.remarks, *doubts)
    beginning = Beginning(problem, first, notes, None if on_samples is None else origin, bool(doubts))
    return beginning if problem.gradient != "by_hand" else _judged(beginning)


def _shortest(problem: Problem, first: Point) -> Array | None:
    """Return the shortest of equally good answers, where a linear least-squares problem has several."""
    if not problem.model.linear or problem.all_rows is not None:
        return None
    from descend.identifiability.shortest_solution import shortest

    return shortest(problem.model, problem.objective, first)


def _searched(problem: Problem, request: Request, theta: Array, starts_given: Mapping[str, object]) -> Start | None:
    """Search for starting values of what is not ``starts_given``."""
    model = problem.model
    assert model.formula is not None
    program = derived(model.formula, model.loss)
    if problem.objective.arrow:
        from descend.starts.groups import search_of_groups

        every = problem.objective.engine.grouped
        assert every is not None
        return search_of_groups(program, problem.rows, every, theta, starts_given, problem.objective.bounds)
    found_start = search(program, problem.rows, theta, starts_given, request.polish, problem.objective.bounds)
    if found_start is not None and model.codings and problem.all_rows is None and request.polish:
        from descend.starts.groups import EPOCHS, start_of_each_group

        before, end = descended(problem.objective, found_start.theta, EPOCHS)
        if model.symbolic is not None and something_left(model.symbolic, end, problem.rows):
            found_start = start_of_each_group(
                program, problem.rows, problem.objective, found_start, before, starts_given
            )
    if found_start is not None and model.symbolic is not None and (found_start.theta < 0.0).any():
        from descend.identifiability.symmetry import upright

        end = upright(model.symbolic, found_start.theta, problem.rows.columns, starts_given, problem.objective.bounds)
        found_start = replace(found_start, theta=end)
    if found_start is None or problem.all_rows is None:
        return found_start
    return found_start.in_sample(problem.rows.count, problem.objective.rows)


def _on_samples(problem: Problem, request: Request, theta: Array) -> Start | None:
    """Improve a start on samples, where there are so many rows that it pays."""
    objective = problem.objective
    if not request.grow or problem.parabola or objective.rows < FEWEST_SAMPLED:
        return None
    if as_program(problem.code) is None and not problem.model.per_class:
        return None
    from descend.starts import growth

    sample_starts = growth.improved(problem.code, problem.rows, objective, theta)
    if sample_starts is not None:
        objective.passes += sample_starts.passes
    return sample_starts


def _first(problem: Problem, theta: Array, starts_given: Mapping[str, object]) -> Point:
    """Evaluate J where the descent begins; refuse a start at which it has no value."""
    if problem.all_rows is None:
        return preflight.finite_start(problem.objective, problem.model, theta, starts_given, problem.rows.columns)
    from descend.problem.out_of_core import finite_start

    return finite_start(problem, theta, starts_given)


def _judged(beginning: Beginning) -> Beginning:
    """Judge a gradient by hand; where it is right and the loss has kinks, the derived one may say where they lie."""
    from descend.problem import suspicion
    from descend.problem.posing import pieces_of_rows

    problem, first = beginning.problem, beginning.first
    model, objective = problem.model, problem.objective
    if problem.all_rows is None:
        judgement = suspicion.before_fit(model, problem.code, problem.rows, objective.engine, first)
    else:
        from descend.problem.out_of_core import gradient_judged

        judgement = gradient_judged(problem, first)
    if not judgement.agree:
        sampled = None if problem.all_rows is None else problem.rows.count
        notes = (*beginning.notes, suspicion.accusation(judgement, sampled))
        return replace(beginning, notes=notes, judgement=judgement)
    if model.loss.kinked:
        objective.pieces = pieces_of_rows(model, problem.rows, objective, problem.all_rows)
        first = objective(first.theta, objective.last_order)
    return replace(beginning, first=first, judgement=judgement)
