"""Robust losses before their descent: the scale estimated from the data, and a start close by where one is needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from descend.descent.problem import Problem, pose
from descend.descent.run import Settings, run
from descend.descent.wish import Wish
from descend.errors import ConfigError, DataError
from descend.losses import LOSSES, Huber, Loss
from descend.losses.contract import NORMAL
from descend.table import Table

ROUNDS = 20
SETTLED = 1e-3
"""Relative change of the noise at which its estimate is good enough."""
DERIVED = (None, "derived", "autograd")
"""Gradients that are not by hand."""


class NoNoiseError(DataError):
    """So many rows are fitted exactly that they have no noise to be estimated."""


def needs_preparation(loss: Loss) -> bool:
    """Whether a loss cannot be descended as it is."""
    return loss.estimated is not None or loss.many_minima


def loss_of(wish: Wish) -> Loss:
    """Return the loss that was wished for; its scale is to be estimated unless it is given.

    A gradient by hand is that of one loss, so there the scale is that of the name: 1 for huber.
    """
    if not isinstance(wish.loss, str):
        return wish.loss
    loss = LOSSES.build(wish.loss)
    return loss.to_estimate() if wish.gradient in DERIVED and not _told(wish) else loss


def _told(wish: Wish) -> bool:
    """Whether the loss was given with its settings, rather than by its name alone."""
    return not isinstance(wish.loss, str) or "(" in wish.loss


def prepare(model: str | Callable[..., Any], table: Table, wish: Wish, loss: Loss) -> tuple[Wish, tuple[str, ...]]:
    """Return the wish with every setting of its loss known and with a start where it needs one; and what was done.

    The noise is estimated by huber fits, the first of least squares, each with delta = 1.345 times the noise that the
    last one left, s = 1.4826 median |r|, until s no longer changes. The setting becomes ``loss.efficient`` times s.

    Source: Huber (1981), Robust Statistics, ch. 7; Hampel (1974), J. Am. Stat. Assoc. 69, 383-393.

    Raises ConfigError where the gradient is a function, and DataError where there is no noise.
    """
    by_function = callable(wish.gradient)
    if by_function and loss.estimated is None:
        return wish, ()
    if by_function:
        raise ConfigError(
            f"The {loss.estimated} of the {loss.name} loss cannot be estimated with a gradient function, which knows "
            "one loss only. Give the scale as a number, or leave the gradient out."
        )
    assert loss.efficient is not None and Huber.efficient is not None
    setting = next(iter(loss.settings))
    if loss.estimated is None:
        delta = Huber.efficient * loss.settings[setting] / loss.efficient
        problem = _posed(model, table, replace(wish, loss=Huber(delta)))
        if not wish.polish and problem.model.parameters.shapes.keys() <= (wish.start or {}).keys():
            return replace(wish, loss=loss), ()
        start = _honoured(wish, _end(problem))
        return replace(wish, start=start, loss=loss), ("started from a huber fit, as this loss has many minima",)
    try:
        noise, start = _estimated(model, table, wish)
    except NoNoiseError:
        if _told(wish):
            raise
        return prepare(model, table, wish, LOSSES.build(loss.name))  # nobody asked for an estimate
    value = loss.efficient * noise
    settled = replace(loss, **{setting: value})
    note = (
        f"{setting} {value:.4g} of the {loss.name} loss is {loss.efficient:g} times the noise, {noise:.4g}, "
        "estimated by huber fits"
    )
    return replace(wish, start=_honoured(wish, start), loss=settled), (note,)


def _honoured(wish: Wish, found: dict[str, Any]) -> dict[str, Any]:
    """Return the starts of a run: where the user named an optimizer, to see its way, those given stay as they are."""
    return found if wish.polish else {**found, **(wish.start or {})}


def _estimated(model: Any, table: Table, wish: Wish) -> tuple[float, dict[str, Any]]:
    """Return the noise, and the parameters of the last fit."""
    assert Huber.efficient is not None
    noise, start = _noise_of(model, table, replace(wish, loss="squared"))
    for _ in range(ROUNDS):
        before = noise
        noise, start = _noise_of(model, table, replace(wish, loss=Huber(Huber.efficient * noise), start=start))
        if abs(noise - before) <= SETTLED * before:
            break
    return noise, start


def _noise_of(model: Any, table: Table, wish: Wish) -> tuple[float, dict[str, Any]]:
    problem = _posed(model, table, wish)
    start = _end(problem)
    columns = problem.columns
    theta = problem.model.parameters.flat(start)
    residual = problem.model.predict(theta, columns) - problem.model.observed(columns)
    size = float(np.median(np.abs(residual)))
    if problem.whole is not None and len(residual) < problem.objective.rows and size > 0.0:
        from descend.engines.median import median_residual

        program = getattr(problem.objective.engine, "program", None)  # of one that asks the database
        size = median_residual(problem.model, program, problem.whole.lazy, theta, size)
    noise = NORMAL * size
    if not noise > 1e-12 * float(np.abs(problem.model.observed(columns)).max()):
        raise NoNoiseError(
            "The noise cannot be estimated: the formula fits at least half of the rows exactly. "
            "Give the scale of the loss as a number."
        )
    return noise, start


def _posed(model: Any, table: Table, wish: Wish) -> Problem:
    by_text = wish.gradient not in DERIVED
    return pose(model, table, replace(wish, gradient=None) if by_text else wish)


def _end(problem: Problem) -> dict[str, Any]:
    return problem.model.parameters.named(run(problem, Settings()).trace.last_finite.theta)
