"""Which responses are censored: what the user said of it, read into columns that the censored loss knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.errors import ConfigError, DataError, DescendError, LimitsError
from descend.losses import LOSSES, Loss
from descend.losses.censored import BETWEEN, EXACT, LEFT, RIGHT, Censored
from descend.options.request import Request
from descend.problem.model_reading import check_sigma_wish
from descend.registry import closest
from descend.table import Table, open_table
from descend.table.in_memory import columns_in_memory
from descend.table.limits import limits_of
from descend.table.table import listing
from descend.wording import spell

Array = NDArray[np.float64]
WORDS: Mapping[str, int] = {
    **dict.fromkeys(("left", "<", "<=", "≤", "below", "-1"), LEFT),
    **dict.fromkeys(("none", "=", "==", "exact", "0"), EXACT),
    **dict.fromkeys(("right", ">", ">=", "≥", "above", "1"), RIGHT),
    **dict.fromkeys(("interval", "between", "2"), BETWEEN),
}
"""What the cells of a column of states mean."""
NAMES: Mapping[int, str] = {LEFT: "left", EXACT: "none", RIGHT: "right", BETWEEN: "interval"}
MOST_WORDS = 20
"""Different cells of a column of states that are read; more are no states."""


@dataclass(frozen=True)
class Sides:
    """What is known of the response in each row: it is ``low`` (0), at most (-1) or at least ``low`` (1), or lies
    between ``low`` and ``high`` (2), by the number in ``status``; NaN where that is not known."""

    low: Array
    high: Array
    status: Array
    example: str = ""
    """The first cell that was a limit, if any was."""

    @property
    def between(self) -> NDArray[np.bool_]:
        return np.asarray(self.status == BETWEEN)


def with_censoring(request: Request, table: Table, limits: str | None = None) -> tuple[Request, Table]:
    """Return a request of a censored loss, and the table with the columns that it reads.

    limits: the column of the response, if its cells are limits such as ``<0.5``.

    Raises ConfigError or DataError for what says nothing of the response, and where no row says how large it is.
    """
    loss = LOSSES.build(request.loss)
    _refuse_with(request, loss, limits)
    response = Response.of(request, table)
    notes: tuple[str, ...] = ()
    if limits is not None:
        sides = _of_cells(table, response, loss)
        table, columns = _by_arrays(request, table, response, sides)
        notes = (_note(limits, sides),)
    else:
        table, columns = _by_option(request, table, response, loss)
    if loss.quadratic and request.sigma is not None:
        check_sigma_wish(request, loss)
        columns = {**columns, "sigma": request.sigma}
        request = request.but(sigma=None)
    censored = Censored(of=str(loss), parameter=_free_name(loss.scale_name, request, table), **columns)
    _check(table, censored, response)
    return request.but(loss=censored, censored=None, rounded=None, notes=(*request.notes, *notes)), table


def censored_by_cells(request: Request, table: Table, refused: LimitsError) -> tuple[Request, Table]:
    """Do the same where the response was refused, as its cells are limits; raise the refusal for another column."""
    try:
        response = Response.of(request, table)
    except DescendError:
        raise refused from None
    if refused.column not in response.columns:
        raise refused
    return with_censoring(request, table, refused.column)


def _refuse_with(request: Request, loss: Loss, limits: str | None) -> None:
    if limits is not None and request.censored is not None:
        raise ConfigError(
            f"`{limits}` holds limits such as <0.5, which say themselves what is censored. Leave out "
            f"{spell('censored')}."
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


@dataclass(frozen=True)
class Response:
    """The left side of a model: its text, the columns in it, and what it makes of them, if it is no plain column."""

    text: str
    columns: tuple[str, ...]
    expression: Expr | None = None

    @classmethod
    def of(cls, request: Request, table: Table) -> Response:
        if not isinstance(request.model, str):
            name = request.response or ""
            return cls(name, (name,))
        left = request.model.partition("~")[0].strip()
        bare = left.strip("`")
        if bare in table.names or bare.isidentifier():
            return cls(bare, (bare,))
        from descend.formula.build import Builder
        from descend.formula.syntax import parse_expression

        builder = Builder(left, table.names, starts=None)
        expression = builder.build(parse_expression(left))
        return cls(left, tuple(builder.columns), expression)

    def __call__(self, values: Array) -> Array:
        """Return the left side for other values of its column."""
        if self.expression is None:
            return values
        from descend.formula.compile import over_rows

        (name,) = self.one()
        with np.errstate(all="ignore"):
            return np.asarray(over_rows(self.expression, {name: values}, len(values)))

    def one(self) -> tuple[str]:
        if len(self.columns) != 1:
            raise ConfigError(
                f"The left side `{self.text}` is made of {listing(self.columns, 'and')}, so that limits of one of them "
                "say nothing of it. Use one column on the left."
            )
        return (self.columns[0],)

    def falls(self, values: Array) -> bool:
        """Whether it falls where its column rises, as 1/y does. Raises ConfigError where it does both."""
        if self.expression is None:
            return False
        from descend.formula.compile import over_rows
        from descend.formula.symbols import Column

        (name,) = self.one()
        with np.errstate(all="ignore"):
            slope = over_rows(self.expression.diff(Column(name)), {name: values}, len(values))
        slope = np.asarray(slope)[np.isfinite(slope)]
        if (slope > 0.0).any() and (slope < 0.0).any():
            raise ConfigError(
                f"The left side `{self.text}` rises and falls with `{name}`, so that a limit of one is none of the "
                f"other. Write `{name}` on the left."
            )
        return bool((slope < 0.0).any())


# What the user said ----------------------------------------------------------------------------------------------


def _by_option(request: Request, table: Table, response: Response, loss: Loss) -> tuple[Table, dict[str, str]]:
    names, codes, table = _columns(request.censored, table)
    for name in names:
        if name not in table.names:
            raise ConfigError(
                f"There is no column `{name}` to say what is censored.{closest(name, table.names)} Columns: "
                f"{listing(table.names)}."
            )
    pair = len(names) == 2 and (names[0] in response.columns or not set(response.columns) <= {*table.names})
    if pair:
        return _by_arrays(request, table, response, _of_pair(table, names, loss))
    if not names:
        y = table.with_gaps(response.one())[response.columns[0]]
        return _by_arrays(request, table, response, Sides(y, y, np.where(np.isfinite(y), 0.0, np.nan)))
    table = _with_states(table, names[0], codes)
    if len(names) == 1 and request.rounded is None and response.expression is None:
        return table, {"status": names[0]}
    found = table.with_gaps((*response.one(), *names))
    low, high = found[response.columns[0]], found[names[-1]]
    return _by_arrays(request, table, response, Sides(low, high, found[names[0]]))


def _columns(given: Any, table: Table) -> tuple[tuple[str, ...], Mapping[str, str] | None, Table]:
    """Return the columns that are named, and what their cells mean if that is said, too."""
    if given is None:
        return (), None, table
    if isinstance(given, Mapping):
        if len(given) != 1 or not all(isinstance(codes, Mapping) for codes in given.values()):
            raise ConfigError(
                "`censored` as values by name says what the codes of one column mean, such as "
                'censored={"died": {0: "right", 1: "none"}}.'
            )
        ((name, codes),) = given.items()
        return (name,), {str(code): str(meaning) for code, meaning in codes.items()}, table
    if isinstance(given, str):
        if given in table.names:
            return (given,), None, table
        name, colon, codes_text = given.partition(":")
        if colon:
            pairs = [part.partition("=") for part in codes_text.split(",")]
            return (name.strip(),), {code.strip(): meaning.strip() for code, _, meaning in pairs}, table
        given = given.split(",")
    if isinstance(given, Sequence):
        names = tuple(name.strip() for name in given)
        if len(names) > 2 or not all(names):
            raise ConfigError(
                "`censored` names a column that says `left`, `right` or `none` in each row, or two that hold the lower "
                f"and the upper end, such as {spell('censored', 'low,high')}."
            )
        return names, None, table
    name = unused("censored", table)
    return (name,), None, in_arrays(table, {name: given})


def _with_states(table: Table, name: str, codes: Mapping[str, str] | None) -> Table:
    """Return a table in which a column of states holds -1, 0, 1 and 2."""
    words = table.words(name, MOST_WORDS + 1)
    meanings = WORDS if codes is None else {code: _meaning(name, meaning) for code, meaning in codes.items()}
    counted: dict[str, float] = {}
    for word in words:
        known = meanings.get(word, meanings.get(word.strip().casefold()))
        if known is None:
            raise _no_state(table, name, word, codes)
        counted[word] = float(known)
    text = table.text(name) if table.types[name] == "text" else None
    if text is not None and any(cell is None for cell in text.tolist()):  # a blank is no mark
        return in_arrays(table, {name: np.array([0.0 if cell is None else counted[cell] for cell in text.tolist()])})
    return table if all(word == f"{number:g}" for word, number in counted.items()) else table.with_words(name, counted)


def _meaning(name: str, meaning: str) -> int:
    known = WORDS.get(meaning.casefold())
    if known is None:
        raise ConfigError(
            f"`{meaning}` says nothing of what is censored in `{name}`. Write left, right, none or interval."
        )
    return known


def _no_state(table: Table, name: str, word: str, codes: Mapping[str, str] | None) -> DescendError:
    start = f"`{name}` in {table.source} holds `{word}`, which does not say what is censored."
    if codes is not None:
        return DataError(f"{start} Of its cells, {listing(list(codes), 'and')} are explained. Explain this, too.")
    return DataError(
        f"{start} It may hold left (or <, -1), right (or >, 1), none (or =, 0) and interval (or 2). Say what other "
        f"codes mean, such as those of R's survival package: {spell('censored', f'{name}: 0=right, 1=none')}."
    )


def _of_pair(table: Table, names: tuple[str, ...], loss: Loss) -> Sides:
    """Read the ends of intervals: one that is missing or infinite is open, and two that are equal are exact."""
    low, high = (table.with_gaps(names)[name] for name in names)
    low, high = np.where(np.isneginf(low), np.nan, low), np.where(np.isposinf(high), np.nan, high)
    if (wrong := low > high).any():
        row = int(wrong.argmax())
        raise DataError(
            f"`{names[0]}` is {low[row]:g} and `{names[1]}` is {high[row]:g} in {table.place(row)} of {table.source}: "
            "the lower end lies above the upper one. Correct them."
        )
    left, right = np.isnan(low) & ~np.isnan(high), np.isnan(high) & ~np.isnan(low)
    if loss.counts:
        left |= low <= 0.0
    status = np.select([left, right, low == high, low < high], [LEFT, RIGHT, EXACT, BETWEEN], np.nan)
    return Sides(np.where(left, high, low), high, status)


def _of_cells(table: Table, response: Response, loss: Loss) -> Sides:
    """Read cells such as ``<0.5``; of whole numbers that says 0 or less."""
    (name,) = response.one()
    found = limits_of(table.text(name), name, table.source, table.place)
    values, side = found.values, found.side
    if loss.counts:
        below, above = np.ceil(values) - found.strict, np.floor(values) + found.strict
        values = np.where(side < 0, np.where(found.strict, below, np.floor(values)), values)
        values = np.where(side > 0, np.where(found.strict, above, np.ceil(values)), values)
    return Sides(values, values, np.where(np.isnan(values), np.nan, side), found.example)


def _rounded(sides: Sides, unit: float) -> Sides:
    """Return exact values as intervals of half a unit on both sides."""
    exact = sides.status == EXACT
    low = np.where(exact, sides.low - unit / 2.0, sides.low)
    high = np.where(exact, sides.low + unit / 2.0, sides.high)
    return replace(sides, low=low, high=high, status=np.where(exact, float(BETWEEN), sides.status))


# The columns that the loss reads ---------------------------------------------------------------------------------


def _by_arrays(request: Request, table: Table, response: Response, sides: Sides) -> tuple[Table, dict[str, str]]:
    """Return the table with the response, the states and the upper ends as columns, and the names of the latter."""
    if request.engine == "query" or request.memory_limit is not None:
        key = "engine" if request.engine == "query" else "memory_limit"
        raise ConfigError(
            f"Intervals, limits in cells and rounded values are read into memory, so that {spell(key)} does not go "
            f"with them. Leave it out, or give a column that says left, right or none with {spell('censored')}."
        )
    if request.rounded is not None:
        sides = _rounded(sides, request.rounded)
    (name,) = response.one()
    low, high, status = sides.low, sides.high, sides.status
    if (wrong := sides.between & ~(high > low)).any():
        row = int(wrong.argmax())
        raise DataError(
            f"`{name}` is {low[row]:g} in {table.place(row)} of {table.source}, the lower end of an interval whose "
            f"upper end is {high[row]:g}. Name the column of the upper ends with "
            f"{spell('censored', 'STATUS,UPPER')}, above the lower ones."
        )
    if response.falls(low):
        low, high = np.where(sides.between, high, low), np.where(sides.between, low, high)
        status = np.where(np.abs(status) == 1.0, -status, status)
    columns, named = {name: low}, {"status": unused(f"censored {name}", table)}
    columns[named["status"]] = status
    if sides.between.any():
        named["upper"] = unused(f"upper {name}", table)
        columns[named["upper"]] = np.where(sides.between, response(high), 0.0)
    return in_arrays(table, columns), named


def in_arrays(table: Table, columns: Mapping[str, Any]) -> Table:
    """Return the same rows in memory, with further columns, or others in place of some."""
    found = open_table({**columns_in_memory(table), **columns})
    found.source = table.source
    return found


def unused(name: str, table: Table) -> str:
    """Return a name that is no column yet."""
    while name in table.names:
        name += "_"
    return name


def _free_name(scale: str, request: Request, table: Table) -> str:
    """Return a name for the parameter of the scale that neither the formula nor the table uses."""
    from descend.options.arrays_in_a_row import mentioned_in

    if not scale:
        return ""
    taken = {*mentioned_in(request.model), *table.names}
    while scale in taken:
        scale += "_"
    return scale


def _check(table: Table, loss: Censored, response: Response) -> None:
    """Refuse states from which nothing can be estimated."""
    words = table.counted.get(loss.status)
    codes = (float(word) for word in table.words(loss.status, MOST_WORDS)) if words is None else words.values()
    kinds = {int(code) for code in codes}
    if kinds in ({LEFT}, {RIGHT}):
        side, way = ("left", "low") if kinds == {LEFT} else ("right", "high")
        raise DataError(
            f"Every row of {table.source} is censored on the {side}, so that predictions may be as {way} as they like "
            "and nothing can be estimated. Give rows with a value, or with a limit on the other side."
        )
    if BETWEEN in kinds and not loss.upper:
        raise ConfigError(
            f"`{loss.status}` says `interval`, of which `{response.text}` is the lower end. Name the column of the "
            f"upper ends, too: {spell('censored', f'{loss.status},UPPER')}."
        )


def _note(name: str, sides: Sides) -> str:
    """Say how many cells were read as limits, and on which side."""
    counts = {"left": int((sides.status == LEFT).sum()), "right": int((sides.status == RIGHT).sum())}
    found = [f"{count:,} censored {side}" for side, count in counts.items() if count]
    return f"cells of `{name}` such as {sides.example} are read as limits: {' and '.join(found)}"
