"""Rows that are held out of a fit: nothing is fitted to them, and J, without what is added to it, is told of them."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError, DataError, WordsError
from descend.gradients.contract import Summand
from descend.losses import LOSSES
from descend.models import Model, kind_of
from descend.options.kinds_of_errors import read_errors
from descend.options.request import Request
from descend.problem import out_of_core, preflight
from descend.problem.engine_choice import chosen_engine, engine_in_memory
from descend.problem.model_reading import columns_read, read_model
from descend.problem.objective import MeanLoss
from descend.table import Table, open_table
from descend.table.held_out import Divisible
from descend.table.in_memory import with_rows
from descend.table.opening import is_table
from descend.table.table import listing
from descend.wording import spell

Places = NDArray[np.intp]
Numbers = NDArray[np.float64]
CLASSES = 20
"""Up to this many whole values of the response are taken for classes."""


def split(y: Numbers, share: float, seed: int, groups: Sequence[Numbers] = ()) -> tuple[Places, Places, bool]:
    """Return the rows to train on and those held out, each in order, and whether each class keeps its share.

    groups: numbers of the groups that rows are in; of each group a row is left to train on. Raises ConfigError for a
    share that leaves none.

    >>> train, held, by_class = split(np.array([0.0, 0, 0, 0, 1, 1, 1, 1]), 0.25, seed=0)
    >>> len(train), len(held), by_class
    (6, 2, True)
    """
    random, rows = np.random.default_rng([seed, len(y)]), len(y)
    wanted = round(share * rows)
    if not 1 <= wanted < rows:
        raise ConfigError(
            f"`validation` of {share:g} holds back {wanted} of {rows} rows. Give a share that leaves rows for both."
        )
    values, places, counts = np.unique(y, return_inverse=True, return_counts=True)
    by_class = bool(1 < len(values) <= CLASSES and counts.min() >= 2 and (values == np.round(values)).all())
    order = random.permutation(rows)
    if by_class:
        # Rows of a class are spread evenly over the order, so that any beginning of it has the share of each.
        rank = np.empty(rows)
        for value in range(len(values)):
            own = order[places[order] == value]
            rank[own] = (np.arange(len(own)) + 0.5) / len(own)
        order = order[np.argsort(rank[order], kind="stable")]
    if groups:
        stays = np.zeros(rows, dtype=bool)
        for numbers in groups:
            stays[order[::-1][np.unique(numbers[order[::-1]], return_index=True)[1]]] = True
        order = order[np.argsort(stays[order], kind="stable")]
        if wanted > rows - stays.sum():
            raise ConfigError(
                f"`validation` of {share:g} holds back {wanted} of {rows} rows, but {stays.sum()} have to stay, one of "
                "each group that has a parameter of its own. Give a smaller share."
            )
    return np.sort(order[wanted:]), np.sort(order[:wanted]), by_class


def with_held_out(request: Request, table: Table) -> tuple[Request, Table]:
    """Return a request that knows the rows held out, and a table of the others.

    Raises ConfigError or DataError where no rows can be held out, or they lack what the model reads.
    """
    if request.covariance is not None or request.variance is not None:
        which = "covariance" if request.covariance is not None else "variance"
        raise ConfigError(
            f"{spell('validation')} does not go with {spell(which)}, which belongs to all rows together. Leave out one "
            "of the two."
        )
    model, _ = read_model(request, _laid_out(request, table), LOSSES.build(request.loss))
    names = read = _columns_of(request, model, table)
    if not isinstance(request.validation, float):
        if model.loss.states:
            raise ConfigError(
                "Rows of their own are not read as censored yet. Hold out a share of the rows instead, such as 0.2."
            )
        return request.but(held_out=_table_of(request.validation, names)), table
    chosen_by = isinstance(request["l1"], str) or isinstance(request["l2"], str)  # groups or an order, perhaps
    if model.formula is None or model.formula.parts or request.gradient is not None or chosen_by:
        names = table.names  # it may read more than it says
    if isinstance(table, Divisible) and (table.far is not None or out_of_core.rows_stay(request, table, len(names))[0]):
        groupings = [coding.columns for coding in model.codings if set(coding.columns) <= {*table.names}]
        groupings += [(name,) for name in model.response_columns if model.loss.of_classes and name in table.names]
        kinds = table.types if request.missing == "drop" else {}
        needed = [name for name in read if kinds.get(name) == "number"]
        held_out, others, how = table.shares(request.validation, request.seed, groupings, needed)
        note = f"validation on {request.validation:.3g} of the rows, {how}, with seed {request.seed}"
        return request.but(held_out=held_out, notes=(*request.notes, note)), others
    out, note = _drawn(request, model, table, read)
    request = request.but(held_out=with_rows(table, out, names), notes=(*request.notes, note))
    return request, with_rows(table, ~out, names)


def _drawn(request: Request, model: Model, table: Table, names: Sequence[str]) -> tuple[NDArray[np.bool_], str]:
    """Return which rows are held out by a share, and a note of it. Rows that are left out anyway are none of them."""
    assert isinstance(request.validation, float)
    codes = [coding.codes(table) for coding in model.codings if set(coding.columns) <= {*table.names}]
    response = {name: _numbers(table, name) for name in model.response_columns if name in table.names}
    used = np.ones(table.rows, dtype=bool)
    if request.missing == "drop":
        others = [name for name in names if name not in response and table.types[name] in ("number", "boolean")]
        used = np.isfinite(np.array([*table.with_gaps(others).values(), *codes, *response.values()])).all(axis=0)
    places = np.flatnonzero(used)
    y = next(iter(response.values()))[places] if len(response) == 1 else np.zeros(len(places))
    groups = [each[places] for each in codes]
    if model.loss.of_classes or (model.loss.two_levels and len(np.unique(y)) == 2):
        groups.append(y)
    _, held, by_class = split(y, request.validation, request.seed, groups)
    how = ", with the same share of each value of the response" if by_class else ""
    out = np.zeros(table.rows, dtype=bool)
    out[places[held]] = True
    return out, f"validation on {len(held):,} of {len(places):,} rows, drawn with seed {request.seed}{how}"


def _numbers(table: Table, name: str) -> Numbers:
    """Return a column of numbers, or the places of its words, NaN for none."""
    try:
        return table.with_gaps((name,))[name]
    except WordsError:
        words = table.text(name)
        absent = np.array([word is None for word in words.tolist()])
        return np.where(absent, np.nan, np.unique(words.astype(str), return_inverse=True)[1])


def _laid_out(request: Request, table: Table) -> Table:
    return kind_of(request.model).rows_of(request.model, table, request.roles.spread)


def _columns_of(request: Request, model: Model, table: Table) -> tuple[str, ...]:
    """Return the columns of a table that a fit reads."""
    read = [*table.with_codings(model.codings).given(columns_read(request, model))]
    if request.roles.clusters:
        read += read_errors(str(request.errors)).columns
    return tuple(name for name in dict.fromkeys(read) if name in table.names)


def _table_of(given: object, names: Sequence[str]) -> Table:
    """Return rows held out that are a table of their own."""
    if not is_table(given):
        raise ConfigError(
            "`validation` is a share of the rows, such as 0.2, or rows of their own in a form of `data`, such as a "
            f"file or (X, y); this is a {type(given).__name__}."
        )
    held = open_table(given)
    if held.source == "the data":
        held = copy.copy(held)
        held.source = "the rows held out"
    if lacking := [name for name in names if name not in held.names]:
        raise DataError(
            f"There is no column {listing(lacking, 'or')} in {held.source}, but the fit reads it. Add it, or hold out "
            "a share of the rows, such as 0.2."
        )
    return held


def _counted(held: Table, table: Table) -> Table:
    """Return the rows held out with words that count as they do in the others. Raises DataError for another word."""
    for name, words in table.counted.items():
        if name not in held.names:
            continue
        for place, word in enumerate(held.text(name).tolist()):
            if word is not None and word not in words:
                raise DataError(
                    f"`{name}` is `{word}` in {held.place(place)} of {held.source}, which no row that is fitted has. "
                    f"It holds {listing(sorted(words), 'and')}. Leave out such rows."
                )
        held = held.with_words(name, words)
    return held


def validation_of(
    request: Request, model: Model, code: Summand, table: Table, names: Sequence[str]
) -> tuple[MeanLoss, str]:
    """Return J of the rows held out, without what is added to it, and a note of how many they are.

    table, names: the rows to train on, and what is read of them. Raises DataError for values that a fit refuses.
    """
    assert request.held_out is not None
    held = _counted(_laid_out(request, request.held_out), table).with_codings(table.codings.values())
    names = [name for name in names if name not in request.roles.clusters]
    request = request.but(errors=None, engine="torch" if request.engine == "torch" else "auto")
    drawn = isinstance(request.validation, float)  # which was said as it was done
    if out_of_core.rows_stay(request, held, len(names))[0]:
        there = out_of_core.summed_there(model, code, held, names, request, ()).engine
        return MeanLoss(there), "" if drawn else f"validation on {there.count:,} rows of their own"
    rows = preflight.read_rows(model, held, names, request)
    rows.check()
    model.loss.check_columns(rows.outside, held.source)
    preflight.check_response(model.loss, rows, model.response, model.response_columns)
    plain = request.engine == "auto" and code.language != "torch"
    # No rows are summed before as moments: these lose digits where the loss is small.
    engine = engine_in_memory(code, rows) if plain else chosen_engine(request, code, rows)
    return MeanLoss(engine), "" if drawn else f"validation on {rows.count:,} rows of their own"
