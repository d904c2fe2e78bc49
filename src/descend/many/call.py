"""Many fits of a request and its data."""

from __future__ import annotations

import time
from dataclasses import replace

from descend.errors import ConfigError, LimitsError
from descend.losses import LOSSES
from descend.many.common_model import model_by_groups
from descend.many.fits import Fits
from descend.many.fitting import Grouped, fit_each
from descend.many.progress import Done
from descend.many.refusals import refuse_options
from descend.many.source_of_fits import OfRows
from descend.many.where_rows_lie import fit_placed
from descend.options.request import Request
from descend.problem.model_reading import columns_read
from descend.registry import names_listed
from descend.results.fitting import follows_prediction
from descend.table import Table, open_table
from descend.table.by_file import FILENAME, Files, by_file
from descend.table.table import listing
from descend.wording import spell

MANY = 1000
"""Groups from which on it is said what is done in one after the other."""


def _refuse_reweighting(request: Request, table: Table) -> None:
    """Refuse weights that follow from the prediction, for which each group would be fitted again and again."""
    if follows_prediction(request, table):
        key = "variance" if request.variance is not None else "sigma" if request.sigma is not None else "weights"
        raise ConfigError(
            f"{spell(key)} follows from the prediction of one fit, and {spell('by')} makes many. Leave out one of the "
            "two; one fit of all groups has parameters of each, as in a[site]."
        )


def _with_units(request: Request, table: Table) -> Request:
    """Return a request that knows what is said of units, if anything is."""
    if not request.says_units(table):
        return request
    from descend.problem.units import with_units

    return with_units(request, table)


def _refuse_of_one(request: Request) -> None:
    """Refuse what is told of one fit, from all of its rows."""
    if isinstance(request["l1"], str) or isinstance(request["l2"], str):
        raise ConfigError(
            f"A penalty is chosen by cross-validation for one fit, and {spell('by')} makes many. Give it as a number."
        )
    if request.validation is not None and not isinstance(request.validation, float):
        raise ConfigError(
            f"Rows of their own do not say which group each is held out of. Give {spell('validation')} as a share of "
            f"the rows, such as 0.2, or leave out {spell('by')}."
        )
    if request.outliers:
        raise ConfigError(
            f"{spell('outliers')} are told from the rows of one fit, and {spell('by')} makes many. Leave out one of "
            "the two, or fit one group alone."
        )


def fit_groups(request: Request, where: str | None = None, on_groups: Done | None = None) -> Fits:
    """Fit each group of the data that ``request.by`` names; where: a condition on the rows.

    on_groups: called with how many groups are done, and how many there are.

    Raises DescendError for what fits none of them.
    """
    from descend.problem.response_levels import with_levels

    began = time.perf_counter()
    for key in ("log_every", "on_step"):
        if request[key] is not None:
            raise ConfigError(
                f"{spell(key)} follows the steps of one fit, and {spell('by')} makes many. Leave it out; in Python "
                "on_groups=function is told how many are done."
            )
    for key in ("checkpoint", "resume"):
        if request[key]:
            raise ConfigError(f"{spell(key)} keeps the run of one fit, and {spell('by')} makes many. Leave it out.")
    if request.roles.clusters:
        raise ConfigError(
            f"Clustered errors are of one fit, and {spell('by')} makes many. Leave out one of the two; one fit of all "
            "groups has parameters of each, as in a[site]."
        )
    _refuse_of_one(request)
    split = names_listed(request.by, ())
    if not split:
        raise ConfigError(f"{spell('by')} names no column. Name those that tell groups apart.")
    if by_file(request.data, split):
        return _fit_files(request, split, Files.of(request.data, where), on_groups, began)
    table = open_table(request.data, where)
    request = _with_units(request, table)
    _refuse_reweighting(request, table)
    by = names_listed(request.by, table.names)
    zero_notes = table.keep_zeros(by)
    if LOSSES.build(request.loss).of_classes:
        from descend.problem.classes import with_classes

        request, table = with_classes(request, table)
    if request.censored is not None or request.rounded is not None:
        from descend.problem.censoring import with_censoring

        request, table = with_censoring(request, table)

    def fitted(request: Request, table: Table) -> Fits:
        groups, outcomes, notes = with_levels(lambda known: fit_placed(request, known, by, on_groups), request, table)
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
    for key in ("memory_limit", "engine"):
        if request[key] not in (None, "auto"):
            raise ConfigError(
                f"{spell('by', FILENAME)} reads all files into memory, so that {spell(key)} has no meaning there. "
                "Leave it out."
            )
    for key in ("censored", "rounded"):
        if request[key] is not None:
            raise ConfigError(
                f"{spell(key)} is read of one table, and {spell('by', FILENAME)} makes one of each file. Read the "
                "files into one table, with a column that tells them apart."
            )
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
