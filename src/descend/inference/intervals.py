"""Intervals of the parameters by any method, and the quantiles that the methods share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from descend.errors import ConfigError
from descend.inference.covariance.standard_errors import flat_errors, kind_in_words
from descend.inference.estimates import Estimates
from descend.losses import Loss
from descend.parameters import Bounds
from descend.registry import closest
from descend.showing import Shown
from descend.table.levels import ByGroup

if TYPE_CHECKING:
    from descend.inference.quantities.estimate import Estimated

Ends = Mapping[str, tuple[float, float]]
MOST_NAMED = 3
"""Most parameters that a note names."""
OF_CURVATURE = ("model", "observed")
"""The kinds of errors that follow from the curvature of a likelihood."""
METHODS = ("t", "profile", "bootstrap", "sandwich")
NOT_AT_MINIMUM = "intervals hold at the minimum only, which this run did not reach"


class Intervals(Shown, dict[str, tuple[Any, Any]]):
    """Name -> (low, high), with arrays for a vector; an end that the data leave open is infinite.

    Tied parameters are included, fixed ones are not. No end is beyond a bound. An end is NaN if the method finds none;
    a note says why.

    labelled: the ends of each component by its label. level: the share of data sets whose interval would contain the
    true value. method: one of METHODS. convention: the variant of the method, in a few words. notes: what was noticed
    on the way, in sentences. quantities: those of the fit, with their intervals by the same method.
    """

    quantities: Mapping[str, Estimated] = MappingProxyType({})

    def __init__(self, estimates: Estimates, ends: Ends, level: float, method: str, notes: Iterable[str] = ()) -> None:
        constraints, parameters = estimates.model.constraints, estimates.model.every_parameter
        self.labelled, notes_on_bounds = _within_bounds(None if constraints is None else constraints.bounds, ends)
        self.convention = _convention(estimates, method)
        short = [] if estimates.at_minimum else [NOT_AT_MINIMUM]
        self.level, self.method, self.notes = (
            level,
            method,
            (*notes, *_left_open(estimates.undetermined), *notes_on_bounds, *short),
        )
        fixed = () if constraints is None else constraints.fixed
        both = np.array([self.labelled.get(label, (math.nan, math.nan)) for label in parameters.labels]).reshape(-1, 2)
        low, high = parameters.named(both[:, 0]), parameters.named(both[:, 1])
        super().__init__({name: (low[name], high[name]) for name in parameters.shapes if name not in fixed})

    def plain(self) -> dict[str, list[object]]:
        """Return name -> [low, high] as plain values, with None for an end that is open."""
        return {name: [_plain(low), _plain(high)] for name, (low, high) in self.items()}


def _convention(estimates: Estimates, method: str) -> str:
    """Name the quantile behind the ends, and the kind of standard error or of bootstrap."""
    degrees, loss = estimates.degrees, estimates.model.loss
    scale = "normal quantile" if math.isinf(degrees) else f"Student's t, {degrees:.6g} degrees of freedom"
    return {
        "t": scale if estimates.kind == "model" else f"{kind_in_words(estimates.kind, loss)} errors, {scale}",
        "sandwich": f"{kind_in_words('sandwich', loss)} errors, {scale}",
        "profile": f"likelihood ratio, {scale}",
        "bootstrap": "BCa, whole rows drawn",
    }[method]


def _within_bounds(bounds: Bounds | None, ends: Ends) -> tuple[Ends, list[str]]:
    """Return the ends, moved to the bound where they lie beyond it, and sentences that name those."""
    if bounds is None:
        return ends, []
    ends_within, sentences = dict(ends), []
    for label, lowest, most in zip(bounds.labels, bounds.low.tolist(), bounds.high.tolist(), strict=True):
        low, high = ends[label]
        ends_within[label] = (lowest if low < lowest else low, most if high > most else high)
        if lowest == most:
            continue  # fixed
        sentences += [f"the lower end of `{label}` is its bound {lowest:g}"] if low <= lowest > -math.inf else []
        sentences += [f"the upper end of `{label}` is its bound {most:g}"] if high >= most < math.inf else []
    notes_left = [f"{len(sentences) - MOST_NAMED} more ends are bounds"] if len(sentences) > MOST_NAMED else []
    return ends_within, [*sentences[:MOST_NAMED], *notes_left]


def _left_open(labels: Sequence[str]) -> list[str]:
    """Say which parameters have no ends because the data do not determine them."""
    return (
        [f"the intervals of {listed(labels)} are open: the data do not determine them by themselves"] if labels else []
    )


def listed(labels: Sequence[str], most: int = MOST_NAMED) -> str:
    """Name parameters in a sentence; of more than ``most``, the first ones and how many more there are."""
    texts = [f"`{label}`" for label in labels]
    if len(texts) > most:
        texts[most - 1 :] = [f"{len(texts) - most + 1} more"]
    return " and ".join(text_part for text_part in (", ".join(texts[:-1]), texts[-1]) if text_part)


def _plain(end: Any) -> object:
    if isinstance(end, ByGroup):
        return {label: _plain(end_part) for label, end_part in end.by_label().items()}
    if np.ndim(end):
        return [_plain(end_part) for end_part in end]
    return float(end) if math.isfinite(end) else None


def t_intervals(estimates: Estimates, level: float, method: str) -> Intervals:
    """Return estimate -+ quantile * standard error.

    The quantile is that of Student's t with the degrees of freedom of the fit; of the normal distribution where the
    scale is known, as it is with ``sigma`` and for the poisson and logistic losses.
    """
    covariance, parameters = estimates.needed_covariance(), estimates.model.every_parameter
    best = parameters.flat(estimates.model.complete(estimates.theta))
    ends = quantile(level, estimates.degrees) * flat_errors(
        estimates.model, estimates.theta, covariance, estimates.undetermined
    )
    both = {label: (value - end, value + end) for label, value, end in zip(parameters.labels, best, ends, strict=True)}
    for label in estimates.undetermined:
        both[label] = (-math.inf, math.inf)
    notes = []
    if estimates.at_bound:
        where = f"at its bound, where {listed(estimates.at_bound)} ended"
        notes.append(f"a parameter has no {method} interval {where}: ask for profile instead")
    return Intervals(estimates, both, level, method, notes)


def quantile(level: float, degrees: float) -> float:
    """Return the number that |t| stays below with probability ``level``; degrees may be infinite."""
    from scipy import special

    upper = 0.5 + 0.5 * level
    return float(special.ndtri(upper) if math.isinf(degrees) else special.stdtrit(degrees, upper))


def checked_errors(kind: str | None, loss: Loss, weighted: bool = False) -> str:
    """Return the kind of standard errors, "" for the usual one. Raises ConfigError if the loss does not have it.

    weighted: whether rows have weights or a sigma.
    """
    if kind is None:
        return ""
    name = kind
    if kind not in ("model", "sandwich"):
        from descend.options.kinds_of_errors import read_errors

        name, kind = read_errors(kind).name, read_errors(kind).text
    if name not in OF_CURVATURE and loss.several_scores:
        raise ConfigError(
            f"The {loss.name} loss has parameters of its own, which no {name} errors are known for. Use model."
        )
    if name in OF_CURVATURE and not loss.likelihood:
        raise ConfigError(
            f"The {loss.name} loss is not the likelihood of a distribution, so its curvature alone tells no standard "
            "errors. Use sandwich."
        )
    if name in ("HC0", "HC1", "HC2", "HC3", "iid") and loss.kinked:
        raise ConfigError(
            f"The {loss.name} loss bends at residuals of 0 alone, so it has no {name} errors. Use sandwich."
        )
    if name == "iid" and not loss.quadratic:
        _refuse_unlike_rows(loss, weighted)
    return kind


def _refuse_unlike_rows(loss: Loss, weighted: bool) -> None:
    if loss.likelihood:
        raise ConfigError(
            f"The errors iid take the residuals of all rows as alike, but for the {loss.name} loss their size follows "
            "from the prediction. Use model."
        )
    if weighted:
        raise ConfigError("The errors iid take all rows as alike, but these have weights. Use sandwich.")


def refuse_clusters(clusters: Mapping[str, int], method: str) -> None:
    """Refuse a method that takes rows as independent where errors are clustered. Raises ConfigError."""
    if clusters and method in ("profile", "bootstrap"):
        raise ConfigError(
            f"A {method} interval takes all rows as independent, but the errors of this fit are clustered. Use the "
            "method t."
        )


def checked_level(level: object) -> float:
    """Return a confidence level as a float. Raises ConfigError unless it is a number between 0 and 1."""
    if isinstance(level, bool) or not isinstance(level, int | float) or not 0.0 < level < 1.0:
        hint = f" A method is named as one: method={level!r}." if isinstance(level, str) else ""
        raise ConfigError(f"The level must be a number between 0 and 1, such as 0.95; it is {level!r}.{hint}")
    return float(level)


def checked_method(method: str, methods: tuple[str, ...] = METHODS) -> str:
    """Return the name of a method of intervals. Raises ConfigError if there is no such method."""
    if method not in methods:
        raise ConfigError(
            f"There is no interval by `{method}`.{closest(str(method), methods)} Known: {', '.join(methods)}."
        )
    return method
