"""Fits of several models to the same rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError
from descend.models.call import name_of
from descend.options.request import Request
from descend.results.cross_validation import HeldOut, folds_of, held_out_error
from descend.results.fitting import fit_table
from descend.results.model_comparison import ModelComparison, compared
from descend.results.solved import SolvedFit
from descend.table import Table, open_table
from descend.table.in_memory import columns_in_memory
from descend.wording import spell

Fits = dict[str, SolvedFit]


def compare_models(
    requests: Sequence[Request],
    table: Table,
    *,
    folds: int | None = None,
    group: str | None = None,
    order: str | None = None,
    on_fit: Callable[[str, SolvedFit], None] | None = None,
) -> ModelComparison:
    """Fit several models, and compare them.

    requests: one for each model, alike but for it. folds: in how many parts rows are held out; at random, or whole
    groups of a column, or stretches in the order of one. on_fit: called with each model's text and fit as it ends.

    Raises FormulaError, DataError or ConfigError for what cannot be fitted, or not be compared.
    """
    names = [request.model if isinstance(request.model, str) else name_of(request.model) for request in requests]
    if len(names) < 2:
        raise ConfigError("A comparison needs two models at least.")
    if requests[0].priors:
        raise ConfigError(
            f"Models are compared by their likelihoods, of which priors are no part: leave {spell('priors')} out, or "
            "fit each model and compare what the fits say."
        )
    if (twice := next((name for name in names if names.count(name) > 1), None)) is not None:
        raise ConfigError(f"`{twice}` is named twice. Name each model once.")
    if folds is None and (group or order) is not None:
        raise ConfigError(f"Say in how many folds rows are held out by `{group or order}`, such as folds 5.")
    if group is not None and order is not None:
        raise ConfigError(
            f"Rows are held out by whole groups of `{group}`, or in the order of `{order}`. Leave out one of the two."
        )
    if folds is not None and requests[0].validation is not None:
        raise ConfigError(
            f"Folds are held out in turn, and {spell('validation')} holds rows out for good. Leave out one of the two."
        )
    if any(request.says_units(table) for request in requests):
        from descend.problem.units import with_units

        requests = [with_units(request, table) for request in requests]
    fits, notes = _fitted(names, requests, table), list[str]()
    used = _used(fits, requests[0], table)
    if len({fit.rows for fit in fits.values()}) > 1 and requests[0].missing == "drop":
        notes.append(f"{np.count_nonzero(~used):,} rows in which one of the models lacks a value are left out of all")
        table = open_table({name: cells[used] for name, cells in columns_in_memory(table).items()})
        used = np.ones(table.rows, dtype=bool)
        fits = _fitted(names, requests, table)
    for name, fit in fits.items():
        if on_fit is not None:
            on_fit(name, fit)
    held_out: dict[str, HeldOut] = {}
    if folds is not None:
        fold_rows = folds_of(table, used, folds, requests[0].seed, group, order)
        held_out = {name: held_out_error(fit.solution, fold_rows) for name, fit in fits.items()}
    return compared(fits, held_out, notes)


def _fitted(names: Sequence[str], requests: Sequence[Request], table: Table) -> Fits:
    both = zip(names, requests, strict=True)
    return {name: fit_table(request, table, None, time.perf_counter()) for name, request in both}


def _used(fits: Fits, request: Request, table: Table) -> NDArray[np.bool_]:
    """Return which rows have a value for every model."""
    fitted = next(iter(fits.values())).solution.table or table  # which knows how words of the response are counted
    coded = fitted.with_codings([coding for fit in fits.values() for coding in fit.model.codings])
    names = (name for fit in fits.values() for name in (*fit.model.response_columns, *fit.model.inputs))
    of_rows = (name for name in request.roles.columns if name in coded.names or name in coded.codings)
    return coded.complete(tuple(dict.fromkeys((*names, *of_rows))))
