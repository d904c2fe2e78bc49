"""A column that is computed from others, such as ``0.05*y``: the text that names it says what it is in any rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.errors import FormulaError
from descend.formula.build import Builder
from descend.formula.compile import over_rows
from descend.formula.functions import CONSTANTS
from descend.formula.syntax import ASSIGNED, parse_expression
from descend.formula.tokens import pointed
from descend.formula.tree import names_in
from descend.registry import closest

Array = NDArray[np.float64]
PREDICTION = "prediction"
"""What the model predicts in a row, by name, where no column has that name."""
OPERATORS = frozenset("*/+-^(")


@dataclass(frozen=True)
class Computed:
    """A column that an expression computes row by row. columns: the names in it, ``prediction`` among them.

    >>> read_computed("0.1 + 0.05*y", ["x", "y"]).over({"y": np.array([1.0, 2.0])}, 2)
    array([0.15, 0.2 ])
    """

    text: str
    expression: Expr
    columns: tuple[str, ...]

    def over(self, columns: Mapping[str, Array], count: int) -> Array:
        """Return its value in each row, (count,)."""
        return np.asarray(over_rows(self.expression, columns, count), dtype=np.float64)


def is_computed(text: str) -> bool:
    """Whether a text is a number or an expression, rather than a name.

    >>> is_computed("0.05*y"), is_computed("0.3"), is_computed("my sigma")
    (True, True, False)
    >>> is_computed("y1=1e-3, y2=s")  # of each response
    False
    """
    if text.isidentifier():
        return False
    try:
        float(text)
    except ValueError:
        return bool(set(text) & OPERATORS) and not ASSIGNED.search(text)
    return True


def read_computed(text: str, names: Sequence[str], role: str = "a column", others: Sequence[str] = ()) -> Computed:
    """Read an expression of columns. names: of the columns; others: what else may stand in it.

    Raises FormulaError for other names. role: what the column is for.
    """
    builder = Builder(text, (*names, *others), starts=None)
    expression = builder.build(parse_expression(text))
    for name, (token, _) in builder.parameters.items():
        fault = f"`{name}` is not a column.{closest(name, (*names, *others))}"
        also = "".join(f" and `{column}`" for column in others)
        advice = f"`{role}` is a column, or computed from columns{also}, not from parameters."
        raise pointed(text, token.start, token.end, fault, advice)
    return Computed(text, expression, tuple(builder.columns))


@lru_cache(maxsize=64)
def computed_anywhere(text: str) -> Computed | None:
    """Read a text as an expression of whatever names are in it; None if it is no expression, but a name.

    >>> computed_anywhere("0.05*y").columns, computed_anywhere("my sigma")
    (('y',), None)
    """
    if not is_computed(text):
        return None
    try:
        names = {name.name for name in names_in(parse_expression(text)) if name.quoted or name.name not in CONSTANTS}
        return read_computed(text, tuple(sorted(names)))
    except FormulaError:
        return None
