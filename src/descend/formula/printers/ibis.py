"""Write expressions as an Ibis query: nested selects that compute each shared part once, for the database to sum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import sympy
from sympy import Add, Expr, Integer, Mul, Rational
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Boolean, Not, Or

from descend.formula.functions import FUNCTIONS, entry_of
from descend.formula.printers.database import LONG, Abilities, DatabaseFunctions, parameter
from descend.formula.real_functions import where
from descend.formula.symbols import Column, Predictor, Quantity

if TYPE_CHECKING:
    from ibis.expr.types import FloatingValue as Value
    from ibis.expr.types import Table

PER_ROW = (Column, Predictor, Quantity)
SMALL_POWERS = range(2, 5)
"""Whole powers that are written as products, which every database computes faster than a power."""


class QueryWriter:
    """Names subexpressions that several expressions share, and writes all of them as columns of one Ibis table.

    table: an Ibis table of doubles. columns: what each `Column` is called in it.
    definitions: symbols that stand for an expression of each row, such as the prediction.
    bound: expressions of parameters alone, in the order in which ``PARAMETER(k)`` stands for them.
    columns_passed: further columns of the table, which are handed on as they are.
    """

    def __init__(
        self,
        table: Table,
        columns: Mapping[Expr, str],
        definitions: Mapping[Expr, Expr],
        abilities: Abilities,
        columns_passed: Sequence[str] = (),
    ) -> None:
        self.start, self.kept = table, tuple(columns_passed)
        self.definitions = definitions
        self.calls = DatabaseFunctions(abilities)
        self.bound: list[Expr] = []
        self.names: dict[Expr, str] = dict(columns)
        self.levels: dict[Expr, int] = dict.fromkeys(columns, 0)
        self.waiting: list[dict[str, Expr]] = []
        self.uses: Counter[Expr] = Counter()
        self._rows: dict[Expr, bool] = {}

    def count(self, expressions: Iterable[Expr]) -> None:
        """Take note of what ``expressions`` share; call it before naming any of them."""
        for expression in expressions:
            self.uses[expression] += 1
            if self.uses[expression] == 1:
                definition = self.definitions.get(expression)
                self.count(expression.args if definition is None else [definition])

    def per_row(self, node: Expr) -> bool:
        """Whether an expression differs from row to row."""
        row = self._rows.get(node)
        if row is None:
            row = self._rows[node] = isinstance(node, PER_ROW) or any(self.per_row(argument) for argument in node.args)
        return row

    def name(self, node: Expr) -> Expr:
        """Give an expression a column of its own, if it differs from row to row; returns what to write in its place."""
        node = self._resolved(node)
        if self.per_row(node) and node not in self.names:
            level = self.prepare(node)
            while len(self.waiting) <= level:
                self.waiting.append({})
            self.names[node] = f"t{sum(map(len, self.waiting))}"
            self.levels[node] = level + 1
            self.waiting[level][self.names[node]] = self.definitions.get(node, node)
        return node

    def table(self, outputs: Iterable[Expr]) -> Table:
        """Return an Ibis table in which ``outputs`` can be written: every level is selected from the one before."""
        columns_needed: set[str] = set().union(*map(self._used, outputs))
        levels_of_query = []
        for level in reversed(self.waiting):
            definitions = {name: node for name, node in level.items() if name in columns_needed}
            columns_passed = sorted(columns_needed - definitions.keys())
            columns_needed = set(columns_passed).union(*map(self._used_inside, definitions.values()))
            levels_of_query.append((columns_passed, definitions))
        table = self.start
        for columns_passed, definitions in reversed(levels_of_query):
            table = table.select(
                *self.kept, *columns_passed, **{name: self._inside(node, table) for name, node in definitions.items()}
            )
        return table

    def _used(self, node: Expr) -> set[str]:
        """Return the names that an expression is written with."""
        node = self._resolved(node)
        return {self.names[node]} if node in self.names else self._used_inside(node)

    def _used_inside(self, node: Expr) -> set[str]:
        if not self.per_row(node):
            return set()
        if node.is_Symbol:
            return {self.names[node]}
        return set().union(*map(self._used, self._parts(node)))

    def write(self, node: Expr, table: Table) -> Value:
        """Write an expression whose parts have names already as an Ibis value over ``table``."""
        node = self._resolved(node)
        if node in self.names:
            return table[self.names[node]]
        return self._inside(node, table)

    def _resolved(self, node: Expr) -> Expr:
        """Follow symbols that merely stand for another symbol or a number."""
        while node in self.definitions and node not in self.names:
            definition = self.definitions[node]
            if not (definition.is_Symbol or not self.per_row(definition)):
                break
            node = definition
        return node

    def prepare(self, node: Expr) -> int:
        """Name what is shared inside an expression; returns the highest level among the names it is written with."""
        level = 0
        subexpressions = [self.definitions[node]] if node in self.definitions else list(self._parts(node))
        for part in subexpressions:
            part = self._resolved(part)
            if not self.per_row(part):
                continue
            # Symbols, which SymPy counts as Boolean too, have names; conditions need none.
            shared = self.uses[part] > 1 and not isinstance(part, Boolean)
            if shared or part in self.definitions or part in self._bases(node):
                self.name(part)
            level = max(level, self.levels[part] if part in self.names else self.prepare(part))
        return level

    @staticmethod
    def _parts(node: Expr) -> tuple[Expr, ...]:
        """Return the expressions that an expression is written with."""
        below = node.is_Pow and node.exp.is_Number and node.exp < 0
        subexpressions: tuple[Expr, ...] = (1 / node,) if below else node.args
        return subexpressions

    @staticmethod
    def _bases(node: Expr) -> tuple[Expr, ...]:
        """Return the subexpressions that are written more than once though they occur once."""
        if node.is_Pow and node.exp in (*SMALL_POWERS, Rational(3, 2)):
            return (node.base,)
        function = entry_of(node)
        if function is None or not (function.query_repeats or function.name in LONG):
            return ()
        return tuple(node.args)

    def _inside(self, node: Expr, table: Table) -> Value:
        if not self.per_row(node):
            return self._number(node)
        if node.is_Symbol:
            return table[self.names[node]]
        if node.is_Add:
            return self._sum(node, table)
        if node.is_Mul:
            return self._product(node, table)
        if node.is_Pow:
            return self._power(node, table)
        if node.func is where:
            condition, value_if, value_else = node.args
            return self._condition(condition, table).ifelse(self.write(value_if, table), self.write(value_else, table))
        if isinstance(node, Relational):
            return self._condition(node, table)
        function = entry_of(node)
        assert function is not None
        return self.calls.call(function, [self.write(argument, table) for argument in node.args])

    def _number(self, node: Expr) -> Value:
        import ibis

        if not node.free_symbols:
            return ibis.literal(float(node), "float64")
        if node not in self.bound:
            self.bound.append(node)
        return parameter(self.bound.index(node))

    def _split(self, node: Expr, operation: Callable[..., Expr]) -> tuple[Expr | None, list[Expr]]:
        """Return the numbers among terms or factors, combined into one, and the others."""
        numbers = [factor for factor in node.args if not self.per_row(factor)]
        return (operation(*numbers) if numbers else None), [factor for factor in node.args if self.per_row(factor)]

    def _sum(self, node: Expr, table: Table) -> Value:
        number, rows = self._split(node, Add)
        rows.sort(key=lambda term: term.could_extract_minus_sign())
        total = self.write(rows[0], table)
        for term in rows[1:]:
            if term not in self.names and term.is_Mul and term.could_extract_minus_sign():
                # Not -term, which may have a name that is not passed on to here.
                total = total - self._product(term, table, negated=True)
            else:
                total = total + self.write(term, table)
        return total if number is None else total + self._number(number)

    def _product(self, node: Expr, table: Table, negated: bool = False) -> Value:
        number, rows = self._split(node, Mul)
        if negated:
            number = Integer(-1) if number is None else -number
        upper: list[Expr] = []
        lower: list[Expr] = []
        for factor in rows:
            below = factor.is_Pow and factor not in self.names and factor.exp.is_Number and factor.exp < 0
            (lower if below else upper).append(1 / factor if below else factor)
        product: Value = None if number is None or number in (1, -1) else self._number(number)
        for factor in upper:
            value = self.write(factor, table)
            product = value if product is None else product * value
        if lower:
            below = self.write(lower[0], table)
            for factor in lower[1:]:
                below = below * self.write(factor, table)
            product = self.calls.divided(self._number(Integer(1)) if product is None else product, below)
        return -product if number == -1 else product

    def _power(self, node: Expr, table: Table) -> Value:
        base, exponent = node.args
        if exponent.is_Number and exponent < 0:
            return self.calls.divided(self._number(Integer(1)), self.write(1 / node, table))
        value = self.write(base, table)
        if exponent in SMALL_POWERS:
            product = value
            for _ in range(int(exponent) - 1):
                product = product * value
            return product
        if exponent == Rational(1, 2):
            return self.calls.call(FUNCTIONS["sqrt"], [value])
        if exponent == Rational(3, 2):
            return value * self.calls.call(FUNCTIONS["sqrt"], [value])
        return self.calls.power(value, self.write(exponent, table), bool(exponent.is_Integer))

    def _condition(self, node: Expr, table: Table) -> Value:
        import ibis

        if node in (sympy.true, sympy.false):
            return ibis.literal(bool(node))
        if not self.per_row(node):
            return self._number(where(node, Integer(1), Integer(0))) > 0.5
        if isinstance(node, Not):
            return ~self._condition(node.args[0], table)
        if isinstance(node, And | Or):
            conditions = [self._condition(part, table) for part in node.args]
            condition = conditions[0]
            for part in conditions[1:]:
                condition = condition & part if isinstance(node, And) else condition | part
            return condition
        left, right = self.write(node.lhs, table), self.write(node.rhs, table)
        return COMPARISONS[type(node)](left, right)


COMPARISONS: dict[type, Callable[[Value, Value], Value]] = {
    sympy.Eq: lambda left, right: left == right,
    sympy.Ne: lambda left, right: left != right,
    sympy.Lt: lambda left, right: left < right,
    sympy.Le: lambda left, right: left <= right,
    sympy.Gt: lambda left, right: left > right,
    sympy.Ge: lambda left, right: left >= right,
}
