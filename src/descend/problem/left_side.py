"""The left side of a model, as a function of the column in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.errors import ConfigError
from descend.options.request import Request
from descend.table import Table
from descend.table.table import listing

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LeftSide:
    """The left side of a model: its text, the columns in it, and what it makes of them, if it is no plain column."""

    text: str
    columns: tuple[str, ...]
    expression: Expr | None = None

    @classmethod
    def of(cls, request: Request, table: Table) -> LeftSide:
        if not isinstance(request.model, str):
            name = request.response or ""
            return cls(name, (name,))
        from descend.formula.equations import in_full

        left = in_full(request.model, table.names).partition("~")[0].strip()
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
