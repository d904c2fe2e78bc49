"""A named curve as a formula has it, such as ``gaussian(x, width=2)``; `curves` has the curves themselves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar

from sympy import Expr

from descend.formula.names import is_function
from descend.formula.symbols import Parameter
from descend.formula.tree import Call, Node, walk

Value = TypeVar("Value")
Build = Callable[[Node], Expr]


@dataclass(frozen=True, eq=False)
class NamedCurve:
    """A named curve in a formula.

    name: of the curve. text: as the user typed it. x: its first argument. value: what it stands for. own: the parameter
    that stands for each argument that was left out.
    """

    name: str
    text: str
    x: Expr
    value: Expr
    own: Mapping[str, Parameter]


Curves = Callable[[Build], tuple[NamedCurve, ...]]


def written_out(
    text: str, sides: tuple[Node, Node], columns: Collection[str], starts: frozenset[str]
) -> tuple[tuple[Node, Node], frozenset[str], Curves]:
    """Return the sides of a formula with its named curves written out, and the names of parameters.

    columns: names that are data. starts: names that are known to be parameters; those of arguments left out join them.
    The last of what is returned makes the curves, once trees can be built.
    """
    if not any(isinstance(node, Call) and not is_function(node.function) for node in walk(*sides)):
        return sides, starts, lambda build: ()
    from descend.formula.curves.writing_out import written_out as written

    sides_written, curves = written(text, sides, columns, starts)

    def named(build: Build) -> tuple[NamedCurve, ...]:
        return tuple(
            NamedCurve(
                each.curve.name,
                each.text,
                build(each.x),
                build(each.value),
                {name: Parameter(own_symbol) for name, own_symbol in each.own.items()},
            )
            for each in curves
        )

    return sides_written, starts.union(*(each.own.values() for each in curves)), named


def in_order_of_arguments(parameters: Mapping[str, Value], curves: Collection[NamedCurve]) -> dict[str, Value]:
    """Return parameters so that those of a curve, where it left out arguments, are in the order of these."""
    names = list(parameters)
    for curve in curves:
        own_names = [symbol.name for symbol in curve.own.values() if symbol.name in parameters]
        positions = sorted(names.index(name) for name in own_names)
        for position, name in zip(positions, own_names, strict=True):
            names[position] = name
    return {name: parameters[name] for name in names}
