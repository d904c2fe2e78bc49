"""Many fits of a request and its data."""

from __future__ import annotations

import time
from dataclasses import replace

from descend.errors import ConfigError, LimitsError
from descend.losses import LOSSES
from descend.many.fits import Fits
from descend.many.fitting import fit_each
from descend.many.grouped import Grouped
from descend.many.progress import Done
from descend.many.refusals import refuse_of_files, refuse_of_one, refuse_options, refuse_reweighting
from descend.many.shared_model import model_by_groups
from descend.many.source_of_fits import OfRows
from descend.many.where_rows_lie import fit_placed
from descend.options.request import Request
from descend.problem.model_reading import columns_read
from descend.registry import names_listed
from descend.table import Table, open_table
from descend.table.by_file import FILENAME, Files, by_file
from descend.table.table import listing
from descend.wording import spell

MANY = 1000
"""Groups from which on it is said what is done in one after the other."""


def _with_units(request: Request, table: Table) -> Request:
    """Return a request that knows what is said of units, if anything is."""
    if not request.says_units(table):
        return request
    from descend.problem.units import with_units

    return with_units(request, table)


def fit_groups(request: Request, where: str | None = None, on_groups: Done | None = None) -> Fits:
    """Fit each group of the data that ``request.by`` names; where: a condition on the rows.

    on_groups: called with how many groups are done, and how many there are.

    Raises DescendError for what fits none of them.
    """
    from descend.problem.response_levels import with_levels

    began = time.perf_counter()
    refuse_of_one(request)
    split = names_listed(request.by, ())
    if not split:
        raise ConfigError(f"{spell('by')} names no column. Name those that tell groups apart.")
    if by_file(request.data, split):
        return _fit_files(request, split, Files.of(request.data, where), on_groups, began)
    table = open_table(request.data, where)
    request = _with_units(request, table)
    refuse_reweighting(request, table)
    by = names_listed(request.by, table.names)
    zero_notes = table.keep_zeros(by)
    if LOSSES.build(request.loss).of_classes:
        from descend.problem.classes import with_classes

        request, table = with_classes(request, table)
    if request.censored is not None or request.rounded is not None:
        from descend.problem.censoring import with_censoring

        request, table = with_censoring(request, table)

    def fitted(request: Request, table: Table) -> Fits:
        groups, outcomes, notes = with_levels(lambda coded: fit_placed(request, coded, by, on_groups), request, table)
        notes_of_fits = (*request.notes, *zero_notes, *notes, *_followed(groups), *_unit_notes(groups))
        return Fits(groups, outcomes, time.perf_counter() - began, notes_of_fits)

    try:
        return fitted(request, table)
    except LimitsError as refused:
        from descend.problem.censoring import censored_by_cells

        return fitted(*censored_by_cells(request, table, refused))


def _unit_notes(groups_fitted: OfRows) -> tuple[str, ...]:
    """Say what does not fit about the units of the formula, which all groups have."""
    if not groups_fitted.request.stated:
        return ()
    from descend.inference.units import notes_of

    return notes_of(groups_fitted.model, groups_fitted.request.stated, groups_fitted.request.sigma)


def _followed(groups_fitted: OfRows) -> list[str]:
    """Say which quantities took their time in many groups, as each curve was followed by itself."""
    slow = [quantity.name for quantity in groups_fitted.derived_quantities if quantity.of_free is None]
    if not slow or len(groups_fitted.groups) < MANY:
        return []
    are = "is" if len(slow) == 1 else "are"
    return [f"{listing(slow, 'and')} {are} read off the curve of each group by itself, one after the other"]


def _fit_files(request: Request, by: list[str], files: Files, on_groups: Done | None, began: float) -> Fits:
    """Fit each file; one that cannot be read costs itself only."""
    refuse_of_files(request)
    keys = [name for name in by if name != FILENAME]
    request = _with_units(request, files.example())
    model = model_by_groups(request, files.example(), keys)
    needed = tuple(dict.fromkeys((*model.columns, *columns_read(request, model))))
    table, failed = files.read(needed, keys, gaps=not keys)
    work = Grouped.of(request, table, by)
    causes = {} if keys else {group: failed[name] for group, (name,) in enumerate(work.groups.keys) if name in failed}
    work = replace(work, unreadable=causes)
    refuse_options(work)
    notes = (*(failed.values() if keys else ()), *_unit_notes(work))
    return Fits(work, fit_each(work, on_done=on_groups), time.perf_counter() - began, notes)
