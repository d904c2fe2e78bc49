"""A fit as plain values: what `--json` prints and the model file holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from descend.results.fit import Fit

MOST_LISTED = 10_000
"""Numbers of a module that are listed; the weights of a large one are better read from it."""


def summary(fit: Fit) -> dict[str, Any]:
    """Return the fit as values that JSON has; None stands for what is not finite, or does not exist."""
    return {
        "parameters": {} if _too_many_to_list(fit) else _plain(fit.parameters),
        "standard_errors": _plain(fit.standard_errors),
        "digits": _plain(None if fit.digits is None else {name: np.round(of, 1) for name, of in fit.digits.items()}),
        "guarantee": None if fit.guarantee is None else fit.guarantee.as_dict(),
        **_held_back(fit),
        "loss": _number(fit.loss),
        "rows": fit.rows,
        "passes": fit.passes,
        "epochs": fit.epochs,
        "outcome": str(fit.outcome),
        "cause": None if fit.cause is None else str(fit.cause),
        "evidence": _plain_evidence(fit.evidence),
        "advice": fit.advice,
        "gradient": fit.gradient,
        "optimizer": fit.optimizer,
        "learning_rate": _number(fit.learning_rate),
        "engine": fit.engine,
        "seconds": fit.seconds,
        "r_squared": fit.r_squared,
        "r_squared_about_zero": fit.r_squared_about_zero,
        "weights": fit.weights,
        "sigma": fit.sigma,
        "errors": None if fit.covariance is None else fit.kind_of_errors,
        "degrees_of_freedom": fit.degrees_of_freedom,
        "residual_standard_deviation": fit.residual_standard_deviation,
        **{name: _number(getattr(fit, name)) for name in ("log_likelihood", "aic", "aicc", "bic")},
        "deviance": _number(fit.deviance),
        "dispersion": _number(fit.dispersion),
        "chi_square": None if fit.goodness is None else _number(fit.goodness.chi_square),
        "reduced_chi_square": None if fit.goodness is None else _number(fit.goodness.reduced),
        "chi_square_p": None if fit.goodness is None else _number(fit.goodness.p),
        "formula": str(fit.model),
        "loss_function": str(fit.loss_function),
        "notes": [*fit.notes, *fit.failures],  # last, for what is above may fail
    }


def _held_back(fit: Fit) -> dict[str, Any]:
    """Return what is fixed, tied, bounded, at its bound, and not determined by the data."""
    held = fit.constraints
    return {
        "fixed": {} if held is None else _plain(held.fixed),
        "ties": {} if held is None else dict(held.tie_texts),
        "bounds": [] if held is None or held.bounds is None else held.bounds.free_texts,
        "at_bound": fit.at_bound,
        "undetermined": list(fit.undetermined),
    }


def _too_many_to_list(fit: Fit) -> bool:
    return fit.model.in_place and fit.model.parameters.size > MOST_LISTED


def _plain(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Turn arrays into lists, and what JSON has no number for into None."""
    return None if values is None else {name: _plain_value(value) for name, value in values.items()}


def _plain_evidence(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """Turn numbers that JSON has not into None."""

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return _plain_evidence(value)
        return _number(value) if isinstance(value, float) else value

    return {name: plain(value) for name, value in evidence.items()}


def _plain_value(value: Any) -> Any:
    return _number(value) if np.ndim(value) == 0 else [_plain_value(part) for part in value]


def _number(value: float | None) -> float | None:
    return float(value) if value is not None and np.isfinite(value) else None
