"""A formula: what its text says, as expressions of columns and parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from sympy import Expr

from descend.errors import FormulaError
from descend.formula.build import Builder, listed, names_in
from descend.formula.printers.code import as_text
from descend.formula.symbols import Column, Parameter, Predictor, Term
from descend.formula.syntax import Dot, Node, parse_formula, pointed
from descend.registry import closest

USUALLY_DATA = re.compile(r"[xtz](_\w+|\d*)")


@dataclass(frozen=True, eq=False)
class Formula:
    """``response ~ expression``, read.

    text: as the user wrote it.
    response, expression: both sides; the response holds data only.
    parameters: name -> labels of its components, or None for a scalar; in order of appearance.
    terms: what each ``w @ [...]`` in the expression stands for.
    columns: the names of the columns either side uses.
    """

    text: str
    response: Expr
    expression: Expr
    parameters: Mapping[str, tuple[str, ...] | None]
    terms: Mapping[Predictor, Term]
    columns: tuple[str, ...]

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The columns the expression needs, so those that prediction needs."""
        used = self.expression.atoms(Column).union(
            *(item.atoms(Column) for term in self.terms.values() for item in term.items)
        )
        return tuple(name for name in self.columns if Column(name) in used)

    @cached_property
    def jacobian(self) -> Mapping[Expr, Expr]:
        """Derivative of the expression by each scalar parameter and each predictor ``w @ [...]``."""
        return {symbol: self.expression.diff(symbol) for symbol in self.unknowns}

    @cached_property
    def unknowns(self) -> tuple[Expr, ...]:
        """The symbols that depend on parameters: scalar parameters, then predictors."""
        scalars = tuple(Parameter(name) for name, labels in self.parameters.items() if labels is None)
        return scalars + tuple(self.terms)

    @cached_property
    def linear(self) -> bool:
        """Whether the expression is linear in all parameters at once."""
        return not any(slope.atoms(Parameter, Predictor) for slope in self.jacobian.values())

    def __str__(self) -> str:
        return f"{as_text(self.response)} ~ {as_text(self.expression)}"


def read_formula(
    text: str,
    columns: Sequence[str],
    numeric: Sequence[str] | None = None,
    starts: Iterable[str] = (),
    excluded: Iterable[str] = (),
) -> Formula:
    """Read ``response ~ expression``: names in ``columns`` are data, any other name is a parameter.

    numeric: the columns that patterns such as ``w @ [x*]`` choose from (default: all).
    starts: names that have a starting value, hence parameters even if they look like a misspelt column.
    excluded: columns that ``[*]`` leaves out, such as the weights.

    Raises FormulaError, pointing at the place.

    >>> formula = read_formula("y ~ w*x + b", columns=["x", "y"])
    >>> list(formula.parameters), formula.columns
    (['w', 'b'], ('y', 'x'))
    """
    return _read(
        text, tuple(columns), tuple(columns if numeric is None else numeric), frozenset(starts), frozenset(excluded)
    )


@lru_cache(maxsize=256)
def _read(
    text: str, columns: tuple[str, ...], numeric: tuple[str, ...], starts: frozenset[str], excluded: frozenset[str]
) -> Formula:
    left, right = parse_formula(text)
    builder = Builder(text, columns, numeric, starts)
    for name in names_in(left):
        if name.name not in builder.known:
            _refuse_response(text, name.start, name.end, name.name, columns)
    response = builder.build(left)
    builder.response_names = frozenset(builder.columns) | excluded
    builder.named_elsewhere = {name.name for name in names_in((left, right))} | excluded
    if not builder.columns:
        raise pointed(text, left.start, left.end, "The response must be a column.", f"Columns: {listed(columns)}.")
    expression = builder.build(right)
    if not builder.parameters:
        raise pointed(
            text,
            right.start,
            right.end,
            "There is nothing to fit: every name here is a column or a constant.",
            "Add a parameter, for example `y ~ w*x`.",
        )
    for name, (node, labels) in builder.parameters.items():
        gone = (
            Parameter(name) not in expression.free_symbols
            if labels is None
            else not any(
                term.vector == name and predictor in expression.free_symbols
                for predictor, term in builder.terms.items()
            )
        )
        if gone:
            raise pointed(
                text,
                node.start,
                node.end,
                f"`{name}` cancels out, so no data can determine it.",
                "Remove it from the formula.",
            )
    parameters = {name: labels for name, (_, labels) in builder.parameters.items()}
    return Formula(text, response, expression, parameters, builder.terms, tuple(builder.columns))


def _refuse_response(text: str, start: int, end: int, name: str, columns: Sequence[str]) -> None:
    raise pointed(
        text,
        start,
        end,
        f"`{name}` is on the left of `~` but is not a column.{closest(name, columns)}",
        f"Columns: {listed(columns)}.",
    )


def guess_columns(text: str) -> tuple[str, ...]:
    """Say which names of a formula are data when there is no table to ask.

    These are the names on the left, those inside ``[ ]``, those in backticks, and x, t, z with or without a number
    or suffix (``x1``, ``t_start``). If that leaves no parameter or no column the caller must be told.
    """
    left, right = parse_formula(text)
    names = {name.name: None for name in names_in(left)}
    names |= {name.name: None for name in names_in(right) if name.quoted or USUALLY_DATA.fullmatch(name.name)}
    for dot in _dots(right):
        names |= {name.name: None for name in names_in(dot.items)}
    return tuple(names)


def _dots(node: object) -> Iterable[Dot]:
    if isinstance(node, Dot):
        yield node
    elif isinstance(node, tuple):
        for part in node:
            yield from _dots(part)
    elif isinstance(node, Node):
        for field in node.__slots__:
            yield from _dots(getattr(node, field))


__all__ = ["Formula", "FormulaError", "guess_columns", "read_formula"]
