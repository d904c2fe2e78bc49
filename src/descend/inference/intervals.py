"""Intervals of the parameters, whichever way they are found, and the quantiles they share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descend.descent.outcome import Outcome
from descend.errors import ConfigError
from descend.inference.covariance import sandwich_kind
from descend.inference.row_scores import refuse_without_data
from descend.losses import Loss
from descend.parameters import Bounds
from descend.registry import closest
from descend.showing import Shown

if TYPE_CHECKING:
    from descend.results.fit import Fit

Array = NDArray[np.float64]
Ends = Mapping[str, tuple[float, float]]
KINDS = ("model", "sandwich")
MOST_NAMED = 3
"""Parameters that a note names."""
METHODS = ("t", "profile", "bootstrap", "sandwich")
NOT_AT_MINIMUM = "intervals hold at the minimum only, which this run did not reach"


class Intervals(Shown, dict[str, tuple[Any, Any]]):
    """Name -> (low, high), with arrays for a vector; an end that the data leave open is infinite.

    Tied parameters are there too, fixed ones are not. Nothing is beyond a bound. NaN where there is no end by this
    method; a note says why.

    labelled: the ends of each component by its label. level: the share of data sets whose interval would hold the true
    value. method: one of METHODS. convention: which of its kinds, in a few words. notes: what was noticed on the way,
    in sentences.
    """

    def __init__(self, fit: Fit, ends: Ends, level: float, method: str, notes: Iterable[str] = ()) -> None:
        held = fit.constraints
        self.shown_by = None if fit.shown_by is None else fit.shown_by.short
        self.labelled, more = _within_bounds(None if held is None else held.bounds, ends)
        self.convention = _convention(fit, method)
        self.level, self.method, self.notes = level, method, (*notes, *_left_open(fit), *more, *_cut_short(fit))
        parameters = fit.model.parameters if held is None else held.whole
        fixed = () if held is None else held.fixed
        missing = (math.nan, math.nan)
        low, high = (parameters.named(np.array(side)) for side in zip(
            *(self.labelled.get(label, missing) for label in parameters.labels), strict=True))  # fmt: skip
        super().__init__({name: (low[name], high[name]) for name in parameters.shapes if name not in fixed})

    def plain(self) -> dict[str, list[Any]]:
        """Return name -> [low, high] as plain values, with None for an end that is open."""
        return {name: [_plain(low), _plain(high)] for name, (low, high) in self.items()}


def _convention(fit: Fit, method: str) -> str:
    """Name the quantile that the ends stand for, and the kind of standard error or of bootstrap."""
    degrees = fit.error_degrees
    scale = "normal quantile" if math.isinf(degrees) else f"Student's t, {degrees:.6g} degrees of freedom"
    kind = sandwich_kind(fit.loss_function)
    return {
        "t": scale if fit.kind_of_errors == "model" else f"{kind} errors, {scale}",
        "sandwich": f"{kind} errors, {scale}",
        "profile": f"likelihood ratio, {scale}",
        "bootstrap": "BCa, whole rows drawn",
    }[method]


def _within_bounds(bounds: Bounds | None, ends: Ends) -> tuple[Ends, list[str]]:
    """Return the ends with what is beyond a bound at it, and sentences that name those."""
    if bounds is None:
        return ends, []
    inside, told = dict(ends), []
    for label, least, most in zip(bounds.labels, bounds.low.tolist(), bounds.high.tolist(), strict=True):
        low, high = ends[label]
        inside[label] = (least if low < least else low, most if high > most else high)
        if least == most:
            continue  # fixed
        told += [f"the lower end of `{label}` is its bound {least:g}"] if low <= least > -math.inf else []
        told += [f"the upper end of `{label}` is its bound {most:g}"] if high >= most < math.inf else []
    more = [f"{len(told) - MOST_NAMED} more ends are bounds"] if len(told) > MOST_NAMED else []
    return inside, [*told[:MOST_NAMED], *more]


def _left_open(fit: Fit) -> list[str]:
    """Say which parameters have no ends because the data do not determine them."""
    if not fit.undetermined:
        return []
    return [f"the intervals of {named(fit.undetermined)} are open: the data do not determine them by themselves"]


def _cut_short(fit: Fit) -> list[str]:
    from descend.inference.digits import errors_hold  # which needs what is here

    return [] if errors_hold(fit) else [NOT_AT_MINIMUM]


def named(labels: Sequence[str]) -> str:
    """Name some parameters in a sentence, not all of many."""
    texts = [f"`{label}`" for label in labels]
    if len(texts) > MOST_NAMED:
        texts[MOST_NAMED - 1 :] = [f"{len(texts) - MOST_NAMED + 1} more"]
    return " and ".join(part for part in (", ".join(texts[:-1]), texts[-1]) if part)


def _plain(end: Any) -> Any:
    if np.ndim(end):
        return [_plain(part) for part in end]
    return float(end) if math.isfinite(end) else None


def intervals_by(
    fit: Fit, level: float, method: str, resamples: int, seed: int, on_resample: Callable[[int], None] | None
) -> Intervals:
    """Return the intervals of a fit by one of METHODS (see ``Fit.intervals``)."""
    level, method = checked_level(level), checked_method(method)
    if method in ("t", "sandwich"):
        from descend.inference.standard_errors import t_intervals

        return t_intervals(fit, level, fit.kind_of_errors if method == "t" else "sandwich", method)
    refuse_without_data(fit, f"{method} intervals")
    if method == "profile":
        from descend.inference.profile import profile_intervals

        return profile_intervals(fit, level)
    if fit.kept is not None and fit.kept.whole is not None:
        raise ConfigError(
            "The bootstrap draws rows from memory, but the rows of this fit stayed where they are. "
            "Use the method t, sandwich or profile, or fit with --engine numpy."
        )
    from descend.inference.bootstrap import bootstrap_intervals

    return bootstrap_intervals(fit, level, resamples, seed, on_resample)


def quantile(level: float, degrees: float) -> float:
    """Return the number that |t| stays below with probability ``level``; degrees may be infinite."""
    from scipy import special

    upper = 0.5 + 0.5 * level
    return float(special.ndtri(upper) if math.isinf(degrees) else special.stdtrit(degrees, upper))


def checked_errors(kind: str | None, loss: Loss) -> str:
    """Return the kind of standard errors, empty for that of the loss; ConfigError if there is none of that kind."""
    if kind is None:
        return ""
    if kind not in KINDS:
        raise ConfigError(
            f"There are no standard errors of the kind `{kind}`.{closest(str(kind), KINDS)} Known: {', '.join(KINDS)}."
        )
    if kind == "sandwich" and loss.own_parameters:
        raise ConfigError(
            f"The {loss.name} loss has parameters of its own, which no sandwich errors are known for. Use model."
        )
    if kind == "model" and not loss.likelihood:
        raise ConfigError(
            f"The {loss.name} loss is not the likelihood of a distribution, so its curvature alone tells no standard "
            "errors. Use sandwich."
        )
    return kind


def checked_level(level: Any) -> float:
    """Return a level of confidence; ConfigError unless it is a number between 0 and 1."""
    if isinstance(level, bool) or not isinstance(level, int | float) or not 0.0 < level < 1.0:
        raise ConfigError(f"The level must be a number between 0 and 1, such as 0.95; it is {level!r}.")
    return float(level)


def checked_method(method: str, known: tuple[str, ...] = METHODS) -> str:
    """Return the way intervals are to be found; ConfigError if there is no such way."""
    if method not in known:
        raise ConfigError(
            f"There is no interval by `{method}`.{closest(str(method), known)} Known: {', '.join(known)}."
        )
    return method


def why_none(fit: Fit) -> str:
    """Say why a fit has no standard errors, and what to do about it."""
    if fit.model.in_place:
        return f"A {fit.model.kind} has no standard errors: no curvature matrix is formed for it. Use a formula."
    if fit.penalised:
        return (
            "There are no standard errors: a penalty pulls the parameters away from where the data put them, by an "
            "unknown amount. Fit without --l1 and --l2."
        )
    if fit.outcome is Outcome.DIVERGED:
        return "There are no standard errors: the run diverged. Fit again, with the default optimizer or another start."
    if fit.degrees_of_freedom is not None and fit.degrees_of_freedom <= 0:
        return (
            f"There are no standard errors: {fit.model.parameters.size} parameters leave nothing of as many rows to "
            "tell the size of the errors. Give more rows."
        )
    return (
        "There are no standard errors: the data do not determine each parameter by itself. "
        "Remove one, or give data that tell them apart."
    )
