"""Formula text to a formula; several formulas, fitted together, to one whose rows tell which of them they are for."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Lt, Rational

from descend.errors import ConfigError, FormulaError
from descend.formula.build import Builder
from descend.formula.compile import over_rows
from descend.formula.computed_column import computed_anywhere, is_computed, read_computed
from descend.formula.formula import Formula, names_beside_constants, read_one
from descend.formula.names import is_function, may_be_quoted
from descend.formula.printers.code import as_text
from descend.formula.real_functions import where
from descend.formula.symbols import Column
from descend.formula.syntax import ASSIGNED, formulas_in, parse_formula
from descend.formula.tree import Call, Dot, Grouped, Name, names_in, walk
from descend.registry import closest
from descend.table import Table
from descend.table.headers import SIGN, alike, plain_names
from descend.table.levels import Levels

EQUATION = "equation"
"""The column that tells which formula a row is for, by its response."""
ROW = "row of the table"
"""The column that tells which row of the table it was."""
USUALLY_DATA = re.compile(r"[xtz](_\w+|\d*)")
EACH = "Give each response a column or a number, such as y1=s1, y2=0.1."


def read_formula(
    text: str,
    columns: Sequence[str],
    numeric: Sequence[str] | None = None,
    starts: Iterable[str] = (),
    excluded: Iterable[str] = (),
    given: Mapping[str, Expr] | None = None,
    levels: Iterable[Levels] = (),
) -> Formula:
    """Read ``response ~ expression``: names in ``columns`` are data, any other name is a parameter.

    Several, with semicolons between them, become one formula for a table in which each row stands once for every
    response (see `stacked`): parameters of one name are one.

    numeric: the columns that patterns such as ``w @ [x*]`` choose from (default: all).
    levels: the groups of the columns in brackets after a parameter, as in ``a[site]``.
    starts: names that have a starting value, hence parameters even if they look like a misspelt column.
    excluded: columns that ``[*]`` leaves out, such as the weights.
    given: an expression for each fixed or tied parameter (for a vector, one per component), put in its place.

    ``t`` stands for a column ``t (s)``, where nothing else is called so (see `headers`).

    Raises FormulaError, pointing at the place.

    >>> formula = read_formula("y ~ w*x + b", columns=["x", "y"])
    >>> list(formula.parameters), formula.columns
    (['w', 'b'], ('y', 'x'))
    >>> print(read_formula("y ~ w*x; z ~ w*x + b", columns=["x", "y", "z"]))
    `y, z` ~ where(`[equation]` < 0.5, w*x, b + w*x)
    """
    starts = frozenset(starts)
    text = in_full(text, columns, starts)
    texts = formulas_in(text)
    if len(texts) == 1:
        return read_one(text, columns, numeric, starts, excluded, given, levels)
    responses = _responses(texts)
    names_in_use = {", ".join(responses), EQUATION, ROW}  # which no user wrote, and no message need list
    named = [name for name in columns if name not in names_in_use]
    patterns = [name for name in (columns if numeric is None else numeric) if name not in names_in_use]
    reading_options = starts, (*excluded, *responses), given, tuple(levels)
    return _joined(text, [read_one(equation_text, named, patterns, *reading_options) for equation_text in texts])


def in_full(text: str, columns: Sequence[str], parameters: Collection[str] | None = None) -> str:
    """Return a formula in which each ``t`` that stands for a column ``t (s)`` is that column; see `headers`."""
    if SIGN.search("\n".join(columns)) is None or not (plain_names(columns) or alike(columns)):
        return text
    from descend.formula.headers import with_columns

    return with_columns(text, columns, parameters)


def guess_columns(text: str) -> tuple[str, ...]:
    """Say which names of a formula are data when there is no table to ask.

    These are the names on the left, those inside ``[ ]``, the x of a named curve, those in backticks that name no
    function or constant, and x, t, z with or without a number or suffix (``x1``, ``t_start``). If that leaves no
    parameter or no column the caller must be told.
    """
    if len(formula_texts := formulas_in(text)) > 1:
        return tuple(dict.fromkeys(name for formula_text in formula_texts for name in guess_columns(formula_text)))
    left, right = parse_formula(text)
    names = {name.name: None for name in names_beside_constants(left)}
    odd = (name.name for name in names_in(right) if name.quoted and not may_be_quoted(name.name))
    usual = (name.name for name in names_beside_constants(right) if USUALLY_DATA.fullmatch(name.name))
    names |= dict.fromkeys((*odd, *usual))
    for node in walk(right):
        if isinstance(node, Call) and not is_function(node.function):
            names |= {name.name: None for name in node.arguments[:1] if isinstance(name, Name)}  # the x of a curve
        if isinstance(node, Dot):
            names |= {name.name: None for item in node.items for name in names_beside_constants(item)}
        elif isinstance(node, Grouped):
            names |= {column.name: None for column in node.columns}
    return tuple(names)


def levels_in(text: str, table: Table) -> tuple[Levels, ...]:
    """Return the groups of rows that a formula tells apart by columns in brackets after a parameter.

    Columns that the table lacks are left to `read_formula`, which points at them.
    """
    if "[" not in text:
        return ()
    groupings = _groupings(in_full(text, table.names))
    return tuple(Levels.of(table, columns) for columns in groupings if set(columns) <= set(table.names))


@lru_cache(maxsize=128)
def _groupings(text: str) -> tuple[tuple[str, ...], ...]:
    """Return the columns, or combinations of columns, that parameters have in brackets after them."""
    sides = (side for formula_text in formulas_in(text) for side in parse_formula(formula_text))
    groups = (node for node in walk(*sides) if isinstance(node, Grouped))
    return tuple(dict.fromkeys(tuple(dict.fromkeys(column.name for column in node.columns)) for node in groups))


def _responses(texts: Sequence[str]) -> list[str]:
    """Return the left side of each formula. Raises FormulaError for one that stands twice."""
    responses = [equation_text.partition("~")[0].strip() for equation_text in texts]
    if twice := next((each for each in responses if responses.count(each) > 1), None):
        raise FormulaError(f"`{twice}` is the response of two formulas. Each formula needs a response of its own.")
    return responses


def _joined(text: str, equations: Sequence[Formula]) -> Formula:
    """Return the formula of rows that are each for one of several formulas."""
    names = [as_text(equation.response) for equation in equations]
    equation_levels, expression = Levels((EQUATION,), tuple((name,) for name in names)), equations[-1].expression
    for number in range(len(equations) - 2, -1, -1):
        before = Lt(Column(equation_levels.name), Rational(2 * number + 1, 2))
        expression = where(before, equations[number].expression, expression)
    parameters: dict[str, tuple[str, ...] | None] = {}
    for equation in equations:
        for name, labels in equation.parameters.items():
            if parameters.setdefault(name, labels) != labels:
                raise FormulaError(f"`{name}` has other components in `{equation.text}` than in a formula before it.")
    value = ", ".join(names)
    used = dict.fromkeys(name for equation in equations for name in equation.inputs)
    return Formula(
        text,
        Column(value),
        expression,
        parameters,
        {symbol: term for equation in equations for symbol, term in equation.terms.items()},
        (value, *used, equation_levels.name),
        tuple(dict.fromkeys(name for equation in equations for name in equation.unused)),
        (*dict.fromkeys(levels for equation in equations for levels in equation.levels), equation_levels),
        tuple(equations),
        tuple(side for equation in equations for side in equation.sides),
        tuple(curve for equation in equations for curve in equation.curves),
    )


def stacked(text: str, table: Table, spread: str | None = None) -> Table:
    """Return a table in which each row stands once for every formula of a text; the table itself if there is only one.

    It has the responses if the table has, which predictions do without.
    spread: the column of weights or standard deviations, or that of each response, ``y1=s1, y2=0.1``.

    Raises ConfigError.

    >>> from descend.table import open_table
    >>> table = stacked("y ~ w*x; log(z) ~ w*x + b", open_table({"x": [0.0, 1.0], "y": [2.0, 3.0], "z": [1.0, 1.0]}))
    >>> table.text("equation").tolist(), table.numbers(["y, log(z)"])
    (['y', 'y', 'log(z)', 'log(z)'], {'y, log(z)': array([2., 3., 0., 0.])})
    """
    texts = formulas_in(in_full(text, table.names))
    if len(texts) == 1:
        return table
    from descend.table.stacked import StackedTable

    if isinstance(table, StackedTable):
        return table
    left = [_response(equation_text) for equation_text in texts]
    names, rows = [as_text(response) for response in left], table.rows
    if EQUATION in table.names:
        if {*table.text(EQUATION).tolist()} <= {*names}:
            return table
        raise ConfigError(
            f"`{EQUATION}` is a column of {table.source}, and tells which of several formulas a row is for. Rename it."
        )
    own: dict[str, NDArray[np.generic]] = {EQUATION: np.repeat(np.array(names, dtype=object), rows)}
    own[ROW] = np.tile(np.arange(float(rows)), len(texts))
    notes = table.notes
    columns = dict.fromkeys(symbol.name for response in left for symbol in response.free_symbols)
    if set(columns) <= set(table.names):
        columns_there = table.with_gaps(tuple(columns))
        own[", ".join(names)] = np.concatenate([over_rows(response, columns_there, rows) for response in left])
        if spread is None:
            listed = " and ".join(f"`{name}`" for name in names)
            notes = (*notes, f"{listed} count alike, each in its unit; where these differ, give `sigma` by response")
    if spread is not None and spread not in table.names and is_by_response(spread):
        own[spread] = _of_each(spread, names, table)
    stacked_table = StackedTable(table, len(texts), own)
    stacked_table.notes = notes
    return stacked_table


def is_stacked(data: object) -> bool:
    """Whether data have a column that tells which of several formulas a row is for."""
    names = (
        data.names if isinstance(data, Table) else data if isinstance(data, Mapping) else getattr(data, "columns", ())
    )
    return EQUATION in names


def _response(text: str) -> Expr:
    """Return the left side of a formula, all of whose names are columns."""
    node = parse_formula(text)[0]
    return Builder(text, [name.name for name in names_in(node)]).build(node)


def is_by_response(spread: str) -> bool:
    """Whether weights or standard deviations are given for each response, ``y1=s1, y2=0.1``."""
    return ASSIGNED.search(spread) is not None


def at_commas(text: str) -> list[str]:
    """Split at the commas that are neither in brackets nor in backticks."""
    texts_between, depth, quoted = [""], 0, False
    for letter in text:
        quoted ^= letter == "`"
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0 and not quoted:
            texts_between.append("")
        else:
            texts_between[-1] += letter
    return [text_between.strip() for text_between in texts_between]


def _by_response(spread: str) -> dict[str, str]:
    response_texts = (response_text.partition("=") for response_text in at_commas(spread))
    return {name.strip().strip("`"): of.strip().strip("`") for name, _, of in response_texts}


def columns_of_each(spread: str) -> tuple[str, ...]:
    """Return the columns of weights or standard deviations given by response.

    >>> columns_of_each("y1=s1, y2=0.1, y3=1/t^2")
    ('s1', 't')
    """
    spread_names = [of for of in _by_response(spread).values() if of]
    computed_columns = [computed_anywhere(of) for of in spread_names]
    each = zip(spread_names, computed_columns, strict=True)
    return tuple(dict.fromkeys(name for of, column in each for name in ([of] if column is None else column.columns)))


def _of_each(spread: str, responses: Sequence[str], table: Table) -> NDArray[np.generic]:
    """Return the weights or standard deviations of the rows of every response, from ``y1=s1, y2=0.1``."""
    spread_by_response = _by_response(spread)
    names = [name.strip("`") for name in responses]
    for name in spread_by_response:
        if name not in names:
            raise ConfigError(f"`{name}` of `{spread}` is no response.{closest(name, names)} {EACH}")
    if lacking := [name for name in names if not spread_by_response.get(name)]:
        raise ConfigError(f"`{spread}` says nothing of `{lacking[0]}`. {EACH}")
    spread_columns = []
    for name in names:
        if spread_by_response[name] in table.names or not is_computed(spread_by_response[name]):
            spread_columns.append(table.with_gaps((spread_by_response[name],))[spread_by_response[name]])
            continue
        computed = read_computed(spread_by_response[name], table.names, f"what is said of {name}")
        spread_columns.append(computed.over(table.with_gaps(computed.columns), table.rows))
    return np.concatenate(spread_columns)
