"""Generated data: columns computed from equations such as ``y = 2*x + 2*uniform()``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray
from sympy import Expr

from descend.errors import ConfigError, FormulaError
from descend.formula.build import Builder, Extra
from descend.formula.compile import over_rows
from descend.formula.printers.code import plain_name
from descend.formula.symbols import Column
from descend.formula.syntax import parse_assignment
from descend.formula.tree import Node
from descend.table import parse_column_range
from descend.wording import spell, worded

Array = NDArray[np.float64]
Draw = Callable[..., Array]
EXAMPLE = "y = 2*x + uniform()"


def _bernoulli(rng: np.random.Generator, rows: int, probability: Array) -> Array:
    if not ((probability >= 0.0) & (probability <= 1.0)).all():
        raise ValueError("probability < 0, probability > 1 or NaN")
    return (rng.uniform(size=rows) < probability).astype(np.float64)


DISTRIBUTIONS: dict[str, tuple[tuple[int, ...], Draw]] = {
    "uniform": ((0, 2), lambda rng, rows, low=0.0, high=1.0: rng.uniform(low, high, rows)),
    "normal": ((0, 2), lambda rng, rows, mean=0.0, deviation=1.0: rng.normal(mean, deviation, rows)),
    "exponential": ((0, 1), lambda rng, rows, mean=1.0: rng.exponential(mean, rows)),
    "poisson": ((1,), lambda rng, rows, mean: rng.poisson(mean, rows).astype(np.float64)),
    "bernoulli": ((1,), _bernoulli),
}
"""What an equation may draw from: argument counts, and how to draw. uniform(low, high), normal(mean, deviation),
exponential(mean), poisson(mean), bernoulli(probability); without arguments uniform(0, 1) and normal(0, 1)."""


def read_columns(
    columns: Mapping[str, str | npt.ArrayLike], rows: int | None
) -> tuple[list[str], dict[str, Array], int]:
    """Return the equations of computed columns, the columns that are given, and the number of rows.

    Raises ConfigError where that is not clear.
    """
    columns_read: dict[str, Array] = {}
    computed: list[str] = []
    for name, value in columns.items():
        if not isinstance(value, str) and np.ndim(value) != 1:
            raise ConfigError(
                f"The column `{name}` must be a range such as `0:10:0.1`, an expression of columns before it, or a "
                f"list of numbers, not {value!r}."
            )
        if isinstance(value, str) and ":" not in value and ".." in value:
            with_colons = re.sub(r"\s*\.{2,}\s*", ":", value.strip())
            raise ConfigError(
                f"`{value.strip()}` is not a range. Write start:stop:step with colons, such as {with_colons}:0.1."
            )
        if isinstance(value, str) and ":" not in value:
            computed.append(f"{plain_name(name)} = {value}")
        else:
            columns_read[name] = (
                parse_column_range(value) if isinstance(value, str) else np.asarray(value, dtype=np.float64)
            )
    lengths = {name: len(array) for name, array in columns_read.items()}
    for name, length in lengths.items():
        if rows is not None and length != rows:
            raise ConfigError(
                f"The column `{name}` has {length} values, but {rows} rows are asked for. Change one of them."
            )
        if length != next(iter(lengths.values())):
            first = next(iter(lengths))
            raise ConfigError(
                f"`{first}` has {lengths[first]} values and `{name}` has {length}. Give them the same length."
            )
    count = rows if rows is not None else next(iter(lengths.values()), None)
    if count is None:
        raise ConfigError(f"How many rows? Give {spell('rows', 100)}, or a column such as x=0:10:0.1.")
    return computed, columns_read, count


def generate(equations: Sequence[str], columns: Mapping[str, Array], rows: int, seed: int) -> dict[str, Array]:
    """Return ``columns`` with one more for each equation, in order; an equation may use the columns before it.

    Each call of a distribution draws one number per row, from a generator that ``seed`` fixes. A column, and each
    call inside it, is drawn in the order written.

    >>> data = generate(["y = 2*x + uniform()"], {"x": np.arange(3.0)}, rows=3, seed=0)
    >>> (data["y"] - 2 * data["x"]).round(3).tolist()
    [0.637, 0.27, 0.041]
    """
    rng = np.random.default_rng(seed)
    table = dict(columns)
    for equation in equations:
        name, index, node = parse_assignment(equation, EXAMPLE)
        if index is not None:
            raise FormulaError(f"`{equation}`: a column name cannot be indexed. Write it as `{EXAMPLE}`.")
        if name.name in table:
            raise ConfigError(f"The column `{name.name}` is defined twice. Give each column one definition.")
        table[name.name] = _column(equation, node, table, rows, rng)
    return table


def _column(equation: str, node: Node, table: Mapping[str, Array], rows: int, rng: np.random.Generator) -> Array:
    draws: dict[Column, tuple[str, tuple[Expr, ...]]] = {}

    def drawn(name: str) -> Callable[..., Expr]:
        def build(*arguments: Expr) -> Expr:
            symbol = Column(f"{name}() number {len(draws) + 1}")
            draws[symbol] = (name, arguments)
            return symbol

        return build

    extra: dict[str, Extra] = {name: (drawn(name), counts) for name, (counts, _) in DISTRIBUTIONS.items()}
    builder = Builder(equation, tuple(table), tuple(table), extra=extra)
    expression = builder.build(node)
    for unknown, (at, _) in builder.parameters.items():
        option = worded("column_range", f"columns={{{unknown!r}: '0:10:0.1'}}".replace("'", '"'), name=unknown)
        builder.fail(at, f"`{unknown}` is not defined.", f"Define it before, with {option} or an equation.")
    values: dict[str, Array] = dict(table)
    for symbol, (name, arguments) in draws.items():
        settings = [over_rows(argument, values, rows) for argument in arguments]
        try:
            values[symbol.name] = DISTRIBUTIONS[name][1](rng, rows, *settings)
        except ValueError as error:
            raise ConfigError(
                f"`{equation}`: {name} cannot draw with these arguments ({error}). Check their signs."
            ) from None
    result = over_rows(expression, values, rows)
    if not np.isfinite(result).all():
        row = int((~np.isfinite(result)).argmax()) + 1
        raise ConfigError(f"`{equation}` is not finite in row {row}. Check for logarithms and divisions there.")
    return result.astype(np.float64)
