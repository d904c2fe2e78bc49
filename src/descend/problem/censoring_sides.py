"""What the user said of each response: that it is exact, or lies below, above or between limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError, DataError, DescendError
from descend.losses import Loss
from descend.losses.censored import BETWEEN, EXACT, LEFT, RIGHT
from descend.problem.left_side import LeftSide
from descend.table import Table, open_table
from descend.table.in_memory import columns_in_memory
from descend.table.limits import limits_of
from descend.table.table import label, listing
from descend.wording import spell

Array = NDArray[np.float64]
WORDS: Mapping[str, int] = {
    **dict.fromkeys(("left", "<", "<=", "≤", "below", "-1"), LEFT),
    **dict.fromkeys(("none", "=", "==", "exact", "0"), EXACT),
    **dict.fromkeys(("right", ">", ">=", "≥", "above", "1"), RIGHT),
    **dict.fromkeys(("interval", "between", "2"), BETWEEN),
}
"""What the cells of a column of states mean."""
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


def columns_named(given: Any, table: Table) -> tuple[tuple[str, ...], Mapping[str, str] | None, Table]:
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
        return _listed(name), {label(code): str(meaning) for code, meaning in codes.items()}, table
    if isinstance(given, str):
        if given in table.names:
            return (given,), None, table
        name, colon, codes_text = given.partition(":")
        if colon:
            pairs = [code_pair.partition("=") for code_pair in codes_text.split(",")]
            return _listed(name), {code.strip(): meaning.strip() for code, _, meaning in pairs}, table
    return _listed(given), None, table


def _listed(given: str | Sequence[str]) -> tuple[str, ...]:
    names = tuple(name.strip() for name in (given.split(",") if isinstance(given, str) else given))
    if len(names) > 2 or not all(names):
        raise ConfigError(
            "`censored` names a column that says `left`, `right` or `none` in each row, or two that hold the lower and "
            f"the upper end, such as {spell('censored', 'low,high')}."
        )
    return names


def with_states(table: Table, name: str, codes: Mapping[str, str] | None) -> Table:
    """Return a table in which a column of states holds -1, 0, 1 and 2."""
    words = table.words(name, MOST_WORDS + 1)
    meanings = WORDS if codes is None else {code: _meaning(name, meaning) for code, meaning in codes.items()}
    counted: dict[str, float] = {}
    for word in words:
        state_code = meanings.get(word, meanings.get(word.strip().casefold()))
        if state_code is None:
            raise _no_state(table, name, word, codes)
        counted[word] = float(state_code)
    text = table.text(name) if table.types[name] == "text" else None
    if text is not None and any(cell is None for cell in text.tolist()):  # a blank is no mark
        return in_arrays(table, {name: np.array([0.0 if cell is None else counted[cell] for cell in text.tolist()])})
    return table if all(word == f"{number:g}" for word, number in counted.items()) else table.with_words(name, counted)


def _meaning(name: str, meaning: str) -> int:
    state_code = WORDS.get(meaning.casefold())
    if state_code is None:
        raise ConfigError(
            f"`{meaning}` says nothing of what is censored in `{name}`. Write left, right, none or interval."
        )
    return state_code


def _no_state(table: Table, name: str, word: str, codes: Mapping[str, str] | None) -> DescendError:
    start = f"`{name}` in {table.source} holds `{word}`, which does not say what is censored."
    if codes is not None:
        return DataError(f"{start} Of its cells, {listing(list(codes), 'and')} are explained. Explain this, too.")
    quoted = f"{name}: 0=right, 1=none"
    return DataError(
        f"{start} It may hold left (or <, -1), right (or >, 1), none (or =, 0) and interval (or 2). Say what other "
        f"codes mean, such as those of R's survival package: {spell('censored', quoted)}."
    )


def of_pair(table: Table, names: tuple[str, ...]) -> Sides:
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
    status = np.select([left, right, low == high, low < high], [LEFT, RIGHT, EXACT, BETWEEN], np.nan)
    return Sides(np.where(left, high, low), high, status)


def of_cells(table: Table, response: LeftSide, loss: Loss) -> Sides:
    """Read cells such as ``<0.5``; of whole numbers that says 0 or less."""
    (name,) = response.one()
    sides_of_cells = limits_of(table.text(name), name, table.source, table.place)
    values, side = sides_of_cells.values, sides_of_cells.side
    if loss.counts:
        below, above = np.ceil(values) - sides_of_cells.strict, np.floor(values) + sides_of_cells.strict
        values = np.where(side < 0, np.where(sides_of_cells.strict, below, np.floor(values)), values)
        values = np.where(side > 0, np.where(sides_of_cells.strict, above, np.ceil(values)), values)
    return Sides(values, values, np.where(np.isnan(values), np.nan, side), sides_of_cells.example)


def rounded(sides: Sides, unit: float) -> Sides:
    """Return exact values as intervals of half a unit on both sides."""
    exact = sides.status == EXACT
    low = np.where(exact, sides.low - unit / 2.0, sides.low)
    high = np.where(exact, sides.low + unit / 2.0, sides.high)
    return replace(sides, low=low, high=high, status=np.where(exact, float(BETWEEN), sides.status))


def in_arrays(table: Table, columns: Mapping[str, object]) -> Table:
    """Return the same rows in memory, with further columns, or others in place of some."""
    censored_table = open_table({**columns_in_memory(table), **columns})
    censored_table.source = table.source
    return censored_table


def unused(name: str, table: Table) -> str:
    """Return a name that is no column yet."""
    while name in table.names:
        name += "_"
    return name
