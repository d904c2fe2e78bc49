"""Robust losses before their descent: the scale is estimated from the data, and a close start found where needed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from descend.descent.run import run
from descend.engines.weighted_median import median
from descend.errors import ConfigError, DataError
from descend.gradients.derived import as_program
from descend.gradients.sources import is_source
from descend.losses import LEAST_SQUARES, LOSSES, Loss
from descend.losses.contract import NORMAL
from descend.losses.huber import Huber
from descend.options.request import Request
from descend.parameters.vector import Values
from descend.problem.model_reading import check_sigma_wish
from descend.problem.posing import pose
from descend.problem.problem import Problem
from descend.starts.choice_of_start import begin
from descend.starts.neighbouring_rows import neighbours
from descend.table import Table
from descend.wording import spell

ROUNDS = 60
NEARLY = 1e-2
"""Relative change of the noise below which the next estimate is extrapolated by a line through the last two."""
SETTLED = 1e-12
"""Relative change of the noise at which its estimate has settled."""
NOISELESS = 1e-12
"""Share of the largest response below which the median residual counts as rounding."""
EXACT = 1e-9
"""Share of the largest response that is then taken for the noise."""
CLEARLY = 0.99
"""A fit with less than this share of the noise of another is not the same."""


def loss_of(request: Request) -> Loss:
    """Return the loss of a request; its scale is to be estimated unless it is given.

    A gradient written by hand is that of one particular loss, so its scale is the default one: 1 for huber.
    """
    if not isinstance(request.loss, str):
        return request.loss
    loss = LOSSES.build(request.loss)
    return loss.to_estimate() if is_source(request.gradient) and not _is_configured(request) else loss


def _is_configured(request: Request) -> bool:
    """Whether the loss was given with its settings, rather than by its name alone."""
    return not isinstance(request.loss, str) or "(" in request.loss


def settled(request: Request, table: Table) -> Request:
    """Return the request with every setting of its loss known, and with a start where a robust loss needs one.

    The noise s is estimated by fits of the loss itself, after fits with huber, each with the setting
    ``loss.efficient`` times the s that the last one left, s = 1.4826 times the weighted median of |r|, until s no
    longer changes. Where half of the rows are fitted exactly there is no noise; then s is ``EXACT`` times the largest
    response.

    Source: Huber (1981), Robust Statistics, ch. 7; Hampel (1974), J. Am. Stat. Assoc. 69, 383-393.

    Raises ConfigError where the gradient is a function, and DataError where an estimate is asked for and there is no
    noise.
    """
    loss = loss_of(request)
    if loss.estimated is None and (not loss.many_minima or callable(request.gradient)):
        return request
    if request.sigma is not None:
        check_sigma_wish(request, loss)
    if callable(request.gradient):
        raise ConfigError(
            f"The {loss.estimated} of the {loss.name} loss cannot be estimated with a gradient function, which knows "
            "one loss only. Give the scale as a number, or leave the gradient out."
        )
    assert loss.efficient is not None
    setting = next(iter(loss.settings))
    if loss.estimated is None:
        delta = Huber.efficient * loss.settings[setting] / loss.efficient
        problem = _problem_of(replace(request, loss=Huber(delta)), table)
        if not request.polish and problem.model.parameters.shapes.keys() <= (request.start or {}).keys():
            return replace(request, loss=loss)
        start, begun = _lower_start(replace(request, loss=loss), table, _end(problem, request))
        note = f"started from {begun}, as this loss has many minima"
        return replace(request, start=_honoured(request, start), loss=loss, notes=(note,), unsettled=request)
    noise = _estimated(request, table, loss)
    value = loss.efficient * noise.noise
    if not noise.exact:
        note = (
            f"{setting} {value:.4g} of the {loss.name} loss is {loss.efficient:g} times the noise, {noise.noise:.4g}, "
            f"estimated from {noise.source}"
        )
    elif _is_configured(request):
        raise DataError(
            "The noise cannot be estimated: the formula fits at least half of the rows exactly. "
            "Give the scale of the loss as a number."
        )
    else:
        note = (
            f"{setting} {value:.4g} of the {loss.name} loss is all but 0, since the formula fits at least half of the "
            f"rows exactly and leaves no noise to estimate it from: give it as a number, as in "
            f'"{loss.name}({setting}=1)"'
        )
    loss, start = replace(loss, **{setting: value}), _honoured(request, noise.start)
    grow = request.grow and (request.near or bool(request.start))  # else found is the minimum over all rows
    return replace(request, start=start, loss=loss, notes=(note,), unsettled=request, grow=grow)


def _honoured(request: Request, start_values: Values) -> Values:
    """Return the starts of a run; where the user named an optimizer, to watch its way, the given ones are kept."""
    return start_values if request.polish else {**start_values, **(request.start or {})}


@dataclass(frozen=True)
class Noise:
    """The noise that a fit leaves, where it ended; whether the formula fits most rows exactly; and what tells it."""

    noise: float
    start: Values
    exact: bool = False
    source: str = "the median residual"


def _estimated(request: Request, table: Table, loss: Loss) -> Noise:
    """Estimate the noise by fits of the loss whose setting depends on it; also return where the last fit ends."""
    first = Huber("auto")  # type: ignore[arg-type]
    beside = _noise_beside(request, table)
    noise = _noise_of(replace(request, loss=LEAST_SQUARES), table, nearly=True) if beside is None else beside
    if (loss != first or beside is not None) and not noise.exact:
        noise = _fixed_point(request, table, first, noise, NEARLY)
    if loss.settings[next(iter(loss.settings))] == "mm":
        if request.x_sigma:
            raise ConfigError(
                f"The scale of an S-estimate takes inputs as exact, but {spell('x_sigma')} gives them errors. Give the "
                'scale as a number, or "auto".'
            )
        return _of_s_estimate(request, table, noise)
    if not noise.exact and not (request.near and loss == first):
        noise = _fixed_point(request, table, loss, noise, NEARLY if request.near else SETTLED)
    return noise if noise.exact or not loss.many_minima else _beside(request, table, loss, noise)


def _of_s_estimate(request: Request, table: Table, noise: Noise) -> Noise:
    """Return the scale of the S-estimate, which an MM-estimate keeps."""
    from descend.starts.s_estimate import mm_start

    problem = _problem_of(replace(request, loss=LEAST_SQUARES), table)
    model = problem.model
    end = mm_start(problem, model.parameters.flat(noise.start))
    start = model.parameters.named(end.theta)
    largest_response = float(np.abs(model.observed(problem.columns)).max())
    if not end.scale > NOISELESS * largest_response:
        return Noise(EXACT * largest_response or 1.0, start, exact=True)
    return Noise(end.scale, start, source="an S-estimate")


def _beside(request: Request, table: Table, loss: Loss, noise: Noise) -> Noise:
    """Return the noise of a fit from the S-estimate, if that is less than the noise found from a huber fit."""
    from descend.starts.s_estimate import better_start

    problem = _problem_of(replace(request, loss=LEAST_SQUARES), table)
    model = problem.model
    start_stays = (
        bool(request.start or request.x_sigma) and not model.linear
    )  # a start that a user gave has a second look of its own
    better = None if start_stays else better_start(problem, model.parameters.flat(noise.start))
    if better is None or not better.scale > NOISELESS * noise.noise:
        return noise
    start = Noise(better.scale, model.parameters.named(better.theta))
    other = _fixed_point(request, table, loss, start, SETTLED)
    return other if not other.exact and other.noise < CLEARLY * noise.noise else noise


def _lower_start(request: Request, table: Table, near: Values) -> tuple[Values, str]:
    """Return where to start, and what that is: a huber fit, or the S-estimate if J is lower where that leads."""
    from descend.starts.s_estimate import better_start

    problem = _problem_of(replace(request, loss=LEAST_SQUARES), table)
    start_stays = (bool(request.start) and not problem.model.linear) or bool(request.x_sigma)
    better = None if start_stays else better_start(problem, problem.model.parameters.flat(near))
    if better is None:
        return near, "a huber fit"
    starts = (near, problem.model.parameters.named(better.theta))
    ends = []
    for start in starts:
        there = replace(request, start=start)
        own_problem = _problem_of(there, table)
        ends.append(own_problem.objective(own_problem.model.parameters.flat(_end(own_problem, there)), 0).loss)
    return (starts[1], "an S-estimate") if ends[1] < ends[0] else (near, "a huber fit")


def _noise_beside(request: Request, table: Table) -> Noise | None:
    """Return the noise of neighbouring rows, where a start is searched for: a first fit by squares goes to outliers."""
    problem = _problem_of(replace(request, loss=LEAST_SQUARES), table)
    model = problem.model
    if model.formula is None or model.linear or model.log_linear or problem.all_rows is not None:
        return None
    if model.parameters.shapes.keys() <= problem.given.keys():
        return None
    noise = neighbours(model.formula, problem.rows)
    return None if noise is None or not noise.noise > 0.0 else Noise(noise.noise, dict(request.start or {}))


def _fixed_point(request: Request, table: Table, loss: Loss, noise: Noise, settled: float) -> Noise:
    """Return the noise s that a fit leaves when its setting is chosen for s: a fixed point.

    Near it, a line through the last two changes leads there sooner. As the median jumps from row to row the estimates
    may go in circles instead; then the last is as good as any.
    """
    assert loss.efficient is not None
    setting = next(iter(loss.settings))
    tried, before = noise.noise, None
    for _ in range(ROUNDS):
        there = replace(request, loss=replace(loss, **{setting: loss.efficient * tried}), start=noise.start)
        nearly = settled >= NEARLY
        noise = _noise_of(there if nearly else replace(there, grow=False), table, nearly)  # samples would lead off it
        change = noise.noise - tried
        if noise.exact or abs(change) <= settled * tried:
            return noise
        ahead = noise.noise
        if before is not None and abs(change) <= NEARLY * tried and change != before[1]:
            secant = tried - change * (tried - before[0]) / (change - before[1])
            ahead = secant if abs(secant - noise.noise) <= abs(change) * 10.0 and secant > 0.0 else ahead
        before, tried = (tried, change), ahead
    return noise


def _noise_of(request: Request, table: Table, nearly: bool = False) -> Noise:
    """Return the noise that a fit leaves. nearly: a fit to samples will do, where rows are many (see `_end`)."""
    problem = _problem_of(request, table)
    start = _end(problem, request, nearly)
    columns = problem.columns
    theta = problem.model.parameters.flat(start)
    observed, omega = problem.model.observed(columns), problem.rows.omega
    scored = problem.code.scored(theta, problem.rows)
    if scored is not None:  # distances from the curve, in units of what is known of the errors
        residual, counting = scored[0], None if omega is None else (omega > 0.0).astype(np.float64)
        observed = observed if omega is None else np.sqrt(omega) * observed
        omega = counting
    else:
        residual = problem.model.predict(theta, columns) - observed
    size = median(np.abs(residual), omega)
    if problem.all_rows is not None and len(residual) < problem.objective.rows and size > 0.0:
        from descend.engines.response_sums import median_residual

        program = as_program(problem.code) if problem.objective.engine.by_database else None
        size = median_residual(problem.model, program, problem.all_rows.lazy, theta, size)
    largest_response = float(np.abs(observed).max())
    if not NORMAL * size > NOISELESS * largest_response:
        return Noise(EXACT * largest_response or 1.0, start, exact=True)
    return Noise(NORMAL * size, start)


def _problem_of(request: Request, table: Table) -> Problem:
    by_text = not is_source(request.gradient)
    return pose(replace(request, gradient=None) if by_text else request, table)


def _end(problem: Problem, request: Request, nearly: bool = False) -> Values:
    """Return where a plain descent ends; nearly: or where samples of many rows lead, which is close by."""
    beginning = begin(problem, request)
    there = nearly and beginning.near
    end = beginning.first.theta if there else run(beginning, Request()).trace.last_finite.theta
    return problem.model.parameters.named(end)
