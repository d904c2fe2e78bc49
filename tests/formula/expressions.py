"""Random formula texts, and how to read one without a response."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st
from sympy import Expr

from descend.formula.build import Builder
from descend.formula.functions import FUNCTIONS
from descend.formula.printers.code import plain_name
from descend.formula.syntax import parse_expression

COLUMNS = ("x", "z", "unit price", "价格", "a`b", "log", "and", "__x", "select", "x.1", "1st")
PARAMETERS = ("a", "b", "c_2", "alpha", "β", "lambda_")
UNARY = tuple(name for name, entry in FUNCTIONS.items() if entry.arguments[0] == 1)

EVERYWHERE = tuple(name for name in UNARY if None not in (FUNCTIONS[name].sql, FUNCTIONS[name].torch))
"""The functions that every language has."""


def read(text: str, columns: tuple[str, ...] = COLUMNS) -> Expr:
    """Read one expression; names that are not columns are parameters."""
    return Builder(text, columns, columns, starts=None).build(parse_expression(text))


def call_of(name: str, *arguments: str) -> str:
    """Write a call of a function with as many of these arguments as it needs; 2 where it takes an order."""
    if name == "where":
        return f"where({arguments[0]} > {arguments[1]}, {arguments[1]}, {arguments[2]})"
    entry = FUNCTIONS[name]
    given = iter(arguments)
    texts = ["2" if place in entry.orders else next(given) for place in range(entry.arguments[0])]
    if entry.domain == ">= 1":
        texts = [f"1 + ({texts[0]})^2"]
    return f"{name}({', '.join(texts)})"


NUMBERS = ("0", "1", "2", "3", "7", "12", "0.5", "2.5", ".25", "1e-3", "3.", "1.5e2", "0.1", "7.125", "1e5", "pi")
EXPONENTS = ("2", "3", "-1", "-2", "0.5", "1.5", "(1/3)", "-0.5", "a", "x")


@st.composite
def texts(
    draw: st.DrawFn,
    columns: tuple[str, ...] = COLUMNS,
    parameters: tuple[str, ...] = PARAMETERS,
    numbers: tuple[str, ...] = NUMBERS,
    exponents: tuple[str, ...] = EXPONENTS,
    functions: tuple[str, ...] = UNARY,
    depth: int = 3,
) -> str:
    """Texts of random expressions: sums, products, powers, signs, functions, conditions, vectors."""
    names = [plain_name(name) for name in columns] + list(parameters)

    def pick(choices: Sequence[str]) -> str:
        return draw(st.sampled_from(choices))

    def condition(depth: int) -> str:
        form = pick(["{0}", "({0} and {1})", "({0} or not {1})", "not ({0} or {1})"])
        sides = ["<", "<=", ">", ">=", "==", "!="]
        first, second = (f"{grown(depth)} {pick(sides)} {grown(depth)}" for _ in range(2))
        return form.format(first, second)

    def grown(depth: int) -> str:
        kind = draw(st.integers(0, 9)) if depth else 0
        if kind <= 1:
            return pick(numbers) if draw(st.integers(0, 3)) == 0 else pick(names)
        inner = grown(depth - 1)
        if kind <= 4:
            form = pick(["({}{}{})", "{}{}{}"])
            return form.format(inner, pick([" + ", " - ", "*", "/", " * "]), grown(depth - 1))
        if kind == 5:
            return f"({inner})^{pick(exponents)}"
        if kind == 6:
            return f"-{inner}"
        if kind <= 8:
            return f"{pick(functions)}({inner})"
        if draw(st.booleans()):
            return f"{pick(['min', 'max', 'atan2'])}({inner}, {grown(depth - 1)})"
        return f"where({condition(depth - 1)}, {inner}, {grown(depth - 1)})"

    return grown(depth)
