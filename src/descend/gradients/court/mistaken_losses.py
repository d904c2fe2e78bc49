"""The gradients of other losses than the one that is fitted, as people write them by mistake."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from descend.gradients.court.evidence import Case, Point
from descend.losses import LOSSES, Loss

Array = NDArray[np.float64]
TRIED, TRIED_SHARES = (0.5, 1.345, 1.5, 2.0), (0.1, 0.25, 0.75, 0.9)
"""Settings that people try; for a setting within a range, such as a quantile, shares of that range."""
GRID = 24
"""How many values of a setting a search for it starts from."""
MOST_ROWS = 20_000
"""Rows up to which settings are searched for."""


@dataclass(frozen=True)
class View:
    """The argument of another loss as a function of the argument of the fitted one, with its derivative.

    words: a phrase to follow the name of the other loss.
    """

    words: str
    of: Callable[[Array], Array]
    slope: Callable[[Array], Array]


def _one(score: Array) -> Array:
    return np.ones_like(score)


def _sigmoid(score: Array) -> Array:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * score)))


DIRECT = View("", lambda score: score, _one)
PROBABILITY = View(" of the probabilities", _sigmoid, lambda score: _sigmoid(score) * _sigmoid(-score))
ODDS = View(
    ", the prediction taken for the probability,",
    lambda score: np.log(score / (1.0 - score)),
    lambda score: 1.0 / (score * (1.0 - score)),
)
MEAN = View(", the prediction taken for the logarithm of the mean,", np.exp, np.exp)


@dataclass(frozen=True)
class Other:
    """Another gradient that may have been given instead: of a loss, seen in some way, or without the response."""

    loss: Loss
    view: View = DIRECT
    response: bool = True

    def __str__(self) -> str:
        return f"{self.loss} loss{self.view.words}"


def others(mine: Loss) -> Iterator[Other]:
    """Yield every other registered loss, and this one with other settings, each in all possible views."""
    for loss in other_losses(mine):
        yield Other(loss)
        if mine.of_mean == loss.of_mean:
            continue  # in another view it is the fitted loss itself
        if mine.link is not None and loss.link is None:
            yield Other(loss, PROBABILITY)
        if mine.link is None and loss.link is not None:
            yield Other(loss, ODDS)
        if loss.convex_in_log:
            yield Other(loss, MEAN)
    if mine.convex_in_log:
        yield Other(mine, MEAN)


def other_losses(mine: Loss) -> list[Loss]:
    """Return every other registered loss, and this one with other settings."""
    losses_alike = []
    for loss in plain_losses():
        tried = [loss]
        if (setting := only_setting(loss)) is not None:
            name, low, high = setting
            values = TRIED if math.isinf(high) else [low + share * (high - low) for share in TRIED_SHARES]
            tried += [replace(loss, **{name: value}) for value in values]
        losses_alike += [each for each in tried if str(each) != str(mine)]
    return losses_alike


def plain_losses() -> Iterator[Loss]:
    """Yield the registered losses that can be evaluated by prediction and response alone."""
    return (loss for name in LOSSES if (loss := LOSSES.build(name)).plain)


def only_setting(loss: Loss) -> tuple[str, float, float] | None:
    """Return name and range of a loss's only numeric setting; None if it does not have exactly one."""
    numbers = [field for field in fields(loss) if isinstance(field.default, float)]
    if len(numbers) != 1:
        return None
    bounds = numbers[0].metadata["bounds"]
    return numbers[0].name, bounds.get("above", 0.0), bounds.get("below", math.inf)


class Gradients:
    """Gradients under other losses at the points of a trial, each computed once."""

    def __init__(self, case: Case, scales: Array, points: Sequence[Point]) -> None:
        self.case, self.scales, self.points = case, scales, points
        self.known: dict[tuple[str, bool], Array] = {}
        self.parts: list[tuple[Array, Array, Array]] = []

    def under(self, other_loss: Other) -> Array:
        """Return the gradient at the points, (points, p)."""
        key = (str(other_loss), other_loss.response)
        if key not in self.known:
            with np.errstate(all="ignore"):
                self.known[key] = np.stack([self._at(other_loss, *contribution) for contribution in self._parts()])
        return self.known[key]

    def _parts(self) -> list[tuple[Array, Array, Array]]:
        """Return score, response and jacobian at each point."""
        if not self.parts:
            model, columns = self.case.model, self.case.columns
            y = model.response(columns)
            for point in self.points:
                jacobian, _ = model.jacobian(point.theta, columns, self.scales)
                self.parts.append((model.score(point.theta, columns), y, jacobian))
        return self.parts

    def _at(self, other_loss: Other, score: Array, y: Array, jacobian: Array) -> Array:
        slope = other_loss.loss.slope(other_loss.view.of(score), y if other_loss.response else np.zeros_like(y))
        return self.case.mean((slope * other_loss.view.slope(score))[:, None] * jacobian)

    def with_setting(self, gradient_given: Array, k: int) -> Iterator[Other]:
        """Yield losses with the setting that comes closest to what was given for component k."""
        if self.case.rows > MOST_ROWS:
            return
        from scipy.optimize import minimize_scalar

        for loss in plain_losses():
            if (setting := only_setting(loss)) is None:
                continue
            name, lowest, most = setting
            low, high = (
                (1e-3, 1e3) if math.isinf(most) else (lowest + 0.01 * (most - lowest), most - 0.01 * (most - lowest))
            )

            def off(power: float, loss: Loss = loss, name: str = name) -> float:
                other_loss = Other(replace(loss, **{name: float(np.exp(power))}))
                with np.errstate(all="ignore"):
                    under = np.stack([self._at(other_loss, *contribution)[k] for contribution in self._parts()])
                return float(np.nan_to_num(np.square(under - gradient_given).sum(), nan=np.inf))

            grid = np.linspace(np.log(low), np.log(high), GRID)
            values = [off(power) for power in grid]
            best = int(np.argmin(values))
            span = (grid[max(best - 1, 0)], grid[min(best + 1, GRID - 1)])
            best_setting = minimize_scalar(off, bounds=span, method="bounded", options={"xatol": 1e-12})
            yield Other(replace(loss, **{name: float(f"{np.exp(best_setting.x):.9g}")}))
