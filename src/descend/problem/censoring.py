"""Turns a request whose responses are censored into one of a censored loss, with the columns that it reads."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from descend.errors import ConfigError, DataError, DescendError, LimitsError
from descend.losses import LOSSES, Loss
from descend.losses.censored import BETWEEN, LEFT, RIGHT, Censored
from descend.models.reading import known_column
from descend.options.request import Request
from descend.problem.censoring_sides import (
    MOST_WORDS,
    Sides,
    columns_named,
    in_arrays,
    of_cells,
    of_pair,
    rounded,
    unused,
    with_states,
)
from descend.problem.left_side import LeftSide
from descend.problem.model_reading import check_sigma_wish
from descend.registry import closest
from descend.table import Table
from descend.table.rows import Fault, Outside, check_roles, first_outside
from descend.table.table import listing
from descend.wording import spell


def with_censoring(request: Request, table: Table, limits: str | None = None) -> tuple[Request, Table]:
    """Return a request of a censored loss, and the table with the columns that it reads.

    limits: the column of the response, if its cells are limits such as ``<0.5``.

    Raises ConfigError or DataError for what says nothing of the response, and where no row says how large it is.
    """
    loss = LOSSES.build(request.loss)
    _refuse_with(request, loss, limits)
    response = LeftSide.of(request, table)
    notes = _note_of_codes(request.given.get("censored"), table)
    if limits is not None:
        sides, least = of_cells(table, response, loss), loss.response_domain.low
        table, columns = _by_arrays(request, table, response, sides, least)
        notes = (_note(limits, sides),)
    else:
        table, columns = _by_option(request, table, response, loss)
    if loss.quadratic and request.sigma is not None:
        check_sigma_wish(request, loss)
        if request.sigma not in table.names:
            raise ConfigError(
                f"Where values are censored, sigma is a column, a number or an expression of columns, and "
                f"`{request.sigma}` is none.{closest(request.sigma, table.names)} Columns: {listing(table.names)}."
            )
        known_column(request.sigma, table, "sigma")
        if table.rows:
            check_roles(request.roles, _outside(table), table.source, ())
        columns = {**columns, "sigma": request.sigma}
        request = request.but(sigma=None)
    censored = Censored(of=str(loss), parameter=_free_name(loss.scale_name, request, table), **columns)
    kinds = _kinds(censored.status, table)
    if BETWEEN in kinds and not censored.upper:
        quoted = f"{censored.status}: 1=right, 2=none"
        survival = f" Where 1 is censored and 2 an event, as in R's survival package, say {spell('censored', quoted)}."
        raise ConfigError(
            f"`{censored.status}` says `interval`, of which `{response.text}` is the lower end. Name the column of the "
            f"upper ends, too: {spell('censored', f'{censored.status},UPPER')}."
            + (survival if kinds <= {RIGHT, BETWEEN} else "")
        )
    return request.but(loss=censored, censored=None, rounded=None, notes=(*request.notes, *notes)), table


def _outside(table: Table) -> Outside:
    """Return what finds values out of range; a missing one is in it, for such rows are left out or told later."""

    def found(name: str, low: float, high: float) -> Fault | None:
        values = table.with_gaps((name,))[name]
        return first_outside(np.where(np.isnan(values), low if math.isfinite(low) else high, values), low, high)

    return found


def censored_by_cells(request: Request, table: Table, refused: LimitsError) -> tuple[Request, Table]:
    """Do the same where the response was refused, as its cells are limits; raise the refusal for another column."""
    try:
        response = LeftSide.of(request, table)
    except DescendError:
        raise refused from None
    if refused.column not in response.columns:
        raise refused
    return with_censoring(request, table, refused.column)


def _refuse_with(request: Request, loss: Loss, limits: str | None) -> None:
    has_states = request.censored is not None or (not isinstance(request.loss, str) and request.loss.states)
    if limits is not None and has_states:
        raise ConfigError(
            f"`{limits}` holds limits such as <0.5, which say themselves what is censored. Leave out "
            f"{spell('censored')}."
        )
    if isinstance(request.model, str) and ";" in request.model:
        raise ConfigError(
            "Several formulas have several responses, of which censored values are not told apart. Fit one by one, or "
            "leave the rows with limits out."
        )
    if request.x_sigma:
        raise ConfigError(
            f"Errors of inputs are fitted by least squares, which does not go with censored values. Leave out "
            f"{spell('x_sigma')}, or the rows with limits."
        )
    if request.rounded is not None and loss.counts:
        raise ConfigError(
            f"The {loss.name} loss is of whole numbers, so that {spell('rounded')} says nothing. Give the ends of "
            f"intervals with {spell('censored', 'LOW,HIGH')}."
        )
    if loss.two_levels:
        raise ConfigError(
            f"The {loss.name} loss is of outcomes 0 and 1, of which none can be censored: one that is not known is "
            f"missing. Leave out {spell('censored')}."
        )


def _by_option(request: Request, table: Table, response: LeftSide, loss: Loss) -> tuple[Table, dict[str, str]]:
    names, codes, table = columns_named(request.censored, table)
    least = loss.response_domain.low
    for name in names:
        if name not in table.names:
            raise ConfigError(
                f"There is no column `{name}` to say what is censored.{closest(name, table.names)} Columns: "
                f"{listing(table.names)}."
            )
    pair = len(names) == 2 and (names[0] in response.columns or not set(response.columns) <= {*table.names})
    if pair:
        return _by_arrays(request, table, response, of_pair(table, names), least)
    if not names:
        y = table.with_gaps(response.one())[response.columns[0]]
        return _by_arrays(request, table, response, Sides(y, y, np.where(np.isfinite(y), 0.0, np.nan)), least)
    try:
        table = with_states(table, names[0], codes)
    except DataError as error:
        if len(names) == 1 or codes is not None:
            raise
        raise DataError(
            f"{error} Where `{names[0]}` and `{names[1]}` are the ends of intervals, the left side of the formula is "
            f"`{names[0]}` or a new name, but no other column."
        ) from None
    if len(names) == 1 and request.rounded is None and response.expression is None:
        return table, {"status": names[0]}
    cells = table.with_gaps((*response.one(), *names))
    low, high = cells[response.columns[0]], cells[names[-1]]
    return _by_arrays(request, table, response, Sides(low, high, cells[names[0]]), least)


def _by_arrays(
    request: Request, table: Table, response: LeftSide, sides: Sides, least: float
) -> tuple[Table, dict[str, str]]:
    """Return the table with the response, the states and the upper ends as columns, and the names of the latter.

    least: what every response is anyway, so that an interval from there is a limit from above.
    """
    if request.engine == "query" or request.memory_limit is not None:
        key = "engine" if request.engine == "query" else "memory_limit"
        raise ConfigError(
            f"Intervals, limits in cells and rounded values are read into memory, so that {spell(key)} does not go "
            f"with them. Leave it out, or give a column that says left, right or none with {spell('censored')}."
        )
    if request.rounded is not None:
        sides = rounded(sides, request.rounded)
    (name,) = response.one()
    low, high, status = sides.low, sides.high, sides.status
    from_least = sides.between & (low <= least)
    low, status = np.where(from_least, high, low), np.where(from_least, float(LEFT), status)
    sides = replace(sides, low=low, status=status)
    lacking = np.isnan(low) | (np.isnan(high) & (request.missing == "drop"))
    if (wrong := sides.between & ~lacking & ~(high > low)).any():
        row = int(wrong.argmax())
        raise DataError(
            f"`{name}` is {low[row]:g} in {table.place(row)} of {table.source}, the lower end of an interval whose "
            f"upper end is {high[row]:g}. Name the column of the upper ends with "
            f"{spell('censored', 'STATUS,UPPER')}, above the lower ones."
        )
    falls = response.falls(low)
    columns, named = {name: low}, {"status": unused(f"censored {name}", table)}
    columns[named["status"]] = np.where(np.abs(status) == 1.0, -status, status) if falls else status
    if sides.between.any():
        columns[name] = np.where(sides.between, 0.5 * (low + high), low)
        for side, end in zip(("lower", "upper"), (high, low) if falls else (low, high), strict=True):
            named[side] = unused(f"{side} {name}", table)
            columns[named[side]] = np.where(sides.between, response(end), 0.0)
    return in_arrays(table, columns), named


def _free_name(scale: str, request: Request, table: Table) -> str:
    """Return a name for the parameter of the scale that neither the formula nor the table uses."""
    from descend.options.arrays_in_a_row import mentioned_in

    if not scale:
        return ""
    names_in_use = {*mentioned_in(request.model), *table.names}
    while scale in names_in_use:
        scale += "_"
    return scale


def refuse_open(states: str, table: Table) -> None:
    """Refuse rows all of which are censored on one side. Raises DataError."""
    kinds = _kinds(states, table)
    if kinds in ({LEFT}, {RIGHT}):
        side, way = ("left", "low") if kinds == {LEFT} else ("right", "high")
        raise DataError(
            f"Every row of {table.source} is censored on the {side}, so that predictions may be as {way} as they like "
            "and nothing can be estimated. Give rows with a value, or with a limit on the other side."
        )


def _kinds(states: str, table: Table) -> set[float]:
    """Return the different states that a table holds."""
    words = table.counted.get(states)
    if words is not None:
        return set(words.values())
    if table.size(1):  # rows that a database can look through
        return {float(word) for word in table.words(states, MOST_WORDS)}
    censoring_codes = table.with_gaps((states,))[states]
    return set(np.unique(censoring_codes[np.isfinite(censoring_codes)]).tolist())


def _note_of_codes(given: object, table: Table) -> tuple[str, ...]:
    """Say how a column of 0 and 1 is read, which other programs read the other way round."""
    if not isinstance(given, str) or given not in table.names or table.types[given] != "number":
        return ()
    if _kinds(given, table) != {0.0, 1.0}:
        return ()
    other = spell("censored", f"{given}: 0=right, 1=none")
    return (
        f"in `{given}`, 0 is taken for an exact value and 1 for one that is censored on the right. Where 1 marks an "
        f"event that was seen, as in R's survival package, say {other}",
    )


def _note(name: str, sides: Sides) -> str:
    """Say how many cells were read as limits, and on which side."""
    counts = {"left": int((sides.status == LEFT).sum()), "right": int((sides.status == RIGHT).sum())}
    censored_counts = [f"{count:,} censored {side}" for side, count in counts.items() if count]
    return f"cells of `{name}` such as {sides.example} are read as limits: {' and '.join(censored_counts)}"
