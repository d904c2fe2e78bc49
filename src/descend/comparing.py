"""Compare: several models of the same rows, or several optimizers on one problem."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, overload

import numpy as np

from descend.api import fit
from descend.descent.outcome import Outcome
from descend.errors import ConfigError
from descend.models import kind_of
from descend.options.arguments import read_request
from descend.options.request import check_options
from descend.registry import split_list
from descend.results import Fit
from descend.results.comparing import compare_models
from descend.results.comparison import Comparison
from descend.results.model_comparison import ModelComparison
from descend.table import open_table
from descend.table.headers import in_full
from descend.table.memory import enough_memory

Model = str | Callable[..., object]


@overload
def compare(
    model: Model,
    data: object,
    optimizers: str | Sequence[str],
    *,
    on_fit: Callable[[str, Fit], None] | None = None,
    **options: Any,
) -> Comparison: ...


@overload
def compare(
    model: Sequence[Model],
    data: object,
    optimizers: None = None,
    *,
    folds: int | None = None,
    fold_by: str | None = None,
    fold_order: str | None = None,
    on_fit: Callable[[str, Fit], None] | None = None,
    **options: Any,
) -> ModelComparison: ...


def compare(
    model: Model | Sequence[Model],
    data: object,
    optimizers: str | Sequence[str] | None = None,
    *,
    folds: int | None = None,
    fold_by: str | None = None,
    fold_order: str | None = None,
    on_fit: Callable[[str, Fit], None] | None = None,
    **options: Any,
) -> Comparison | ModelComparison:
    """Compare several models of the same rows, or several optimizers on one problem, from the same start.

    model: a list of formulas or functions: nested ones are recognised, and compared by the F test and the likelihood
        ratio, all others by AIC, AICc and BIC (see `ModelComparison`). Or a single model, with ``optimizers``.
    optimizers: such as ``["gd", "momentum(momentum=0.8)", "lbfgs"]``, or all in one text, with commas between them.
    folds: of models, also the error of held-out rows, in so many folds: drawn at random, or with ``fold_by`` whole
        groups of a column, or with ``fold_order`` stretches in the order of a column.
    options: those of `fit`. on_fit: called with each text and fit as it ends; an interrupted run ends the comparison.

    Raises FormulaError, DataError or ConfigError for what cannot be fitted, or not be compared.

    >>> x = np.arange(0, 10, 0.1)
    >>> compared = compare("y ~ w*x + b", {"x": x, "y": 2 * x + 1}, ["gd", "lbfgs"])
    >>> [(name, str(fitted.outcome)) for name, fitted in compared.fits.items()]
    [('gd', 'converged'), ('lbfgs', 'converged')]
    >>> models = compare(["y ~ a + b*x", "y ~ a + b*x + c*x^2"], {"x": x, "y": 2 * x + 1 + np.sin(9 * x)})
    >>> [(test.small, test.df, round(test.p, 2)) for test in models.tests]
    [('y ~ a + b*x', (1, 97), 0.73)]
    """
    if isinstance(model, str) or callable(model):
        if folds is not None or fold_by is not None or fold_order is not None:
            raise ConfigError("Rows are held out to compare models. Give a list of them, such as [first, second].")
        check_options({"optimizers": optimizers, "on_fit": on_fit}, "optimizers")
        return _optimizers(model, data, optimizers or (), on_fit, options)
    if optimizers is not None:
        raise ConfigError("Compare several models, or several optimizers on one model, not both at once.")
    check_options({"on_fit": on_fit})
    models = list(model)
    if any(kind_of(each).in_place for each in models):
        raise ConfigError("PyTorch modules have no likelihood, so they are not compared. Give formulas or functions.")
    with np.errstate(all="ignore"), enough_memory():
        requests = [read_request(each, data, (), options) for each in models]
        if not requests:
            raise ConfigError("A comparison needs two models at least.")
        if requests[0].by is not None:
            raise ConfigError("A comparison is of models for all rows together: leave out `by`.")
        table = open_table(requests[0].data, requests[0].where)
        try:
            group, order = (name and in_full(name, table.names) for name in (fold_by, fold_order))
            return compare_models(requests, table, folds=folds, group=group, order=order, on_fit=on_fit)
        finally:
            table.release()


def _optimizers(
    model: Model,
    data: object,
    optimizers: str | Sequence[str],
    on_fit: Callable[[str, Fit], None] | None,
    options: dict[str, Any],
) -> Comparison:
    """Fit the same model from the same start with several optimizers."""
    texts = split_list(optimizers) if isinstance(optimizers, str) else optimizers
    names = list(dict.fromkeys(text.strip() for text in texts if text.strip()))
    if not names:
        raise ConfigError('Name at least one optimizer to compare, such as ["gd", "lbfgs"].')
    fits: dict[str, Fit] = {}
    for name in names:
        # What is trained where it is, each optimizer gets a copy of.
        fits[name] = fit(copy.deepcopy(model) if kind_of(model).in_place else model, data, optimizer=name, **options)
        if on_fit is not None:
            on_fit(name, fits[name])
        if fits[name].outcome is Outcome.INTERRUPTED:
            break
    return Comparison(fits)


__all__ = ["Comparison", "ModelComparison", "compare"]
