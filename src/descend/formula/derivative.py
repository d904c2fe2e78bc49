"""Derivatives by the rules of calculus, over real numbers.

SymPy's own ``diff`` takes time that grows with the square of the factors of a product, and much of Python's stack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import sympy
from sympy import Add, Expr, Integer, Mul

from descend.formula.edges_of_data import Condition, Edges, alternatives, either, of_data
from descend.formula.functions import entry_of
from descend.formula.real_functions import where
from descend.formula.tokens import refuse_depth

ZERO, ONE = Integer(0), Integer(1)


Parts = dict[Condition, Expr]
"""A derivative as a sum: condition -> the part that is 0 in rows where the condition holds."""


@dataclass(frozen=True, eq=False)
class Slopes:
    """Derivatives, split by the conditions under which a part of them has the limit 0; see `Edges`.

    parts: symbol -> {condition: the part that is 0 where the condition holds}; all else is under ``sympy.false``.
    logarithms: those written as 0 at an edge, where x^b log(x) has the limit 0 -> the plain logarithm.
    """

    parts: Mapping[Expr, Mapping[Condition, Expr]]
    logarithms: Mapping[Expr, Expr]

    @cached_property
    def with_limits(self) -> dict[Expr, Expr]:
        """The derivatives, correct in every row."""
        if not self._conditions:
            return self.inside
        return {
            symbol: Add(*(part if edge is sympy.false else where(edge, ZERO, part) for edge, part in parts.items()))
            for symbol, parts in self.parts.items()
        }

    @cached_property
    def inside(self) -> dict[Expr, Expr]:
        """The derivatives by the rules of calculus, correct in rows away from every edge."""
        return {
            symbol: Add(*derivative.values()).xreplace(self.logarithms) for symbol, derivative in self.parts.items()
        }

    def written(self, each: Callable[[Expr], Expr]) -> Slopes:
        """Return the same slopes in a form to be read: each limit is taken around the product it belongs to."""
        slopes_written: dict[Expr, Parts] = {}
        for symbol, derivative_parts in self.parts.items():
            terms = [
                {either(edge, *(log.args[0] for log in self._factors(term))): term.xreplace(self._factors(term))}
                for edge, derivative_part in derivative_parts.items()
                for term in Add.make_args(self._apart(derivative_part))
            ]
            slopes_written[symbol] = {edge: each(derivative_part) for edge, derivative_part in _added(terms).items()}
        return Slopes(slopes_written, self.logarithms)

    def _apart(self, part: Expr) -> Expr:
        """Expand products of sums, so that each logarithm with a limit is a factor of a term."""
        return part if len(part.atoms(where)) == len(self._factors(part)) else sympy.expand_mul(part)

    def _factors(self, term: Expr) -> dict[Expr, Expr]:
        """Return the logarithms among the factors of a term, with their plain form: the term is 0 where they are."""
        return {factor: self.logarithms[factor] for factor in Mul.make_args(term) if factor in self.logarithms}

    @cached_property
    def edges(self) -> tuple[Expr, ...]:
        """Expressions of data alone; where none of them is 0, no row is at an edge that depends on data alone."""
        zeros = {zero.lhs for condition in self._conditions for zero in condition.atoms(sympy.Eq) if of_data(zero)}
        return tuple(sorted(zeros, key=str))

    @cached_property
    def anywhere(self) -> bool:
        """Whether it also depends on parameters if a row is at an edge, as in max(x - m, 0)^p."""
        return not all(any(map(of_data, condition.atoms(sympy.Eq))) for condition in self._conditions)

    @cached_property
    def _conditions(self) -> set[Condition]:
        edges = {edge for derivative in self.parts.values() for edge in derivative if edge is not sympy.false}
        edges |= {logarithm.args[0] for logarithm in self.logarithms}
        return {condition for edge in edges for condition in alternatives(edge)}


def derivatives(expression: Expr, symbols: Iterable[Expr]) -> dict[Expr, Expr]:
    """Return the derivative of ``expression`` by each symbol.

    >>> x, b = sympy.symbols("x b", real=True)
    >>> derivatives(x**2 + sympy.exp(b * x), [x, b])
    {x: b*exp(b*x) + 2*x, b: x*exp(b*x)}
    """
    return slopes(expression, symbols).inside


@refuse_depth
def slopes(expression: Expr, symbols: Iterable[Expr]) -> Slopes:
    """Return the derivatives of ``expression`` by each symbol, and where they take limits.

    >>> from descend.formula.symbols import Column
    >>> x, b = Column("x"), sympy.Symbol("b", real=True)
    >>> slopes(x**b, [b]).with_limits
    {b: x**b*where(Eq(x, 0), 0, log(x))}
    """
    terms: dict[Expr, list[Expr]] = {symbol: [] for symbol in symbols}
    terms_sought = set(terms)
    symbols_held: dict[Expr, frozenset[Expr]] = {}
    # In a sum, each symbol concerns only its own terms: 5,000 terms with a parameter each take 5,000 steps.
    for term in Add.make_args(expression):
        for symbol in _held(term, terms_sought, symbols_held):
            terms[symbol].append(term)
    edges: Edges = Edges() if _may_have_edges(expression) else _NoEdges()
    logarithms: dict[Expr, Expr] = {}
    slopes_found = {}
    for symbol in terms:
        rule = _Derivative(symbol, symbols_held, edges, logarithms)
        slopes_found[symbol] = _added(_finite(rule.of(term), edges.infinite(term)) for term in terms[symbol])
    return Slopes(slopes_found, logarithms)


class _NoEdges(Edges):
    """Stands for the edges of an expression that has none."""

    def __init__(self) -> None:
        self.infinite = lambda node: sympy.false

    def beside(self, node: Expr, argument: Expr) -> Condition:
        return sympy.false


def _may_have_edges(expression: Expr) -> bool:
    """Whether a part of an expression may be infinite, or have an infinite slope, where something inside it is 0."""
    functions = map(entry_of, expression.atoms(sympy.Function))
    return expression.has(sympy.Pow) or any(
        each is not None and (each.infinite_at_zero or each.steep_at_zero) for each in functions
    )


def _finite(derivative: Parts, infinite: Condition) -> Parts:
    """Drop the edges at which the term itself is infinite, where no derivative is of use."""
    if infinite is sympy.false:
        return derivative
    idle = alternatives(infinite)
    return _added(
        {either(*(each for each in alternatives(edge) if each not in idle)): part} for edge, part in derivative.items()
    )


def _added(derivatives: Iterable[Parts]) -> Parts:
    terms: dict[Condition, list[Expr]] = {}
    for derivative in derivatives:
        for edge, derivative_part in derivative.items():
            terms.setdefault(edge, []).append(derivative_part)
    sums_by_edge = {edge: Add(*derivative_parts) for edge, derivative_parts in terms.items()}
    return {edge: derivative_part for edge, derivative_part in sums_by_edge.items() if derivative_part != 0}


def _times(derivative: Parts, edge: Condition, factor: Callable[[Expr], Expr]) -> Parts:
    """Apply ``factor`` to the parts of a derivative, all of which are 0 at one more edge."""
    if edge is sympy.false:
        return {edge_of_part: factor(part) for edge_of_part, part in derivative.items()}
    return _added({either(edge_of_part, edge): factor(part)} for edge_of_part, part in derivative.items())


def _held(node: Expr, symbols_sought: set[Expr], symbols_by_node: dict[Expr, frozenset[Expr]]) -> frozenset[Expr]:
    """Return which of the ``symbols_sought`` symbols an expression contains."""
    symbols_of_node = symbols_by_node.get(node)
    if symbols_of_node is None:
        symbols_inside = (_held(argument, symbols_sought, symbols_by_node) for argument in node.args)
        symbols_of_node = symbols_by_node[node] = (
            frozenset([node]) if node in symbols_sought else frozenset().union(*symbols_inside)
        )
    return symbols_of_node


class _Derivative:
    """The derivative by one symbol; shared subexpressions are derived once."""

    def __init__(
        self, symbol: Expr, symbols_by_node: dict[Expr, frozenset[Expr]], edges: Edges, logarithms: dict[Expr, Expr]
    ) -> None:
        self.symbol = symbol
        self.held = symbols_by_node
        self.edges = edges
        self.logarithms = logarithms
        self.known: dict[Expr, Parts] = {symbol: {sympy.false: ONE}}

    def of(self, node: Expr) -> Parts:
        if self.symbol not in self.held[node]:
            return {}
        if node not in self.known:
            self.known[node] = self._rule(node)
        return self.known[node]

    def _rule(self, node: Expr) -> Parts:
        arguments = node.args
        if node.is_Add:
            return _added(map(self.of, arguments))
        if node.is_Mul:
            return _added(
                _times(self.of(factor), sympy.false, partial(_product, arguments, argument_number))
                for argument_number, factor in enumerate(arguments)
                if self.symbol in self.held[factor]
            )
        if node.is_Pow:
            return self._power(node)
        if node.func is where:
            condition, value_if, value_else = arguments
            cases = (self.of(value_if), self.of(value_else))
            return {edge: where(condition, *(case.get(edge, ZERO) for case in cases)) for edge in cases[0] | cases[1]}
        return _added(
            _times(self.of(argument), self.edges.beside(node, argument), partial(Mul, _slope(node, argument_number)))
            for argument_number, argument in enumerate(arguments, 1)
            if self.symbol in self.held[argument]
        )

    def _power(self, node: Expr) -> Parts:
        base, exponent = node.args
        infinite = either(self.edges.infinite(node), self.edges.infinite(base), self.edges.infinite(exponent))
        by_base = self._by_base(node, infinite)
        if self.symbol not in self.held[exponent]:
            return by_base
        logarithm, zero = sympy.log(base), self.edges.zero(base)
        if zero is sympy.false and not base.is_positive:
            zero = sympy.Eq(base, ZERO, evaluate=False)
        if zero is not sympy.false:
            plain, logarithm = logarithm, where(zero, ZERO, logarithm)
            self.logarithms[logarithm] = plain
        return _added([_times(self.of(exponent), infinite, partial(Mul, node, logarithm)), by_base])

    def _by_base(self, node: Expr, infinite: Condition) -> Parts:
        """Return the derivative by the base; that of (x/k)^b by k as -b/k (x/k)^b, which has its limit at 0."""
        base, exponent = node.args
        if self.symbol not in self.held[base]:
            return {}
        factors = [factor for factor in Mul.make_args(base) if self.symbol in self.held[factor]]
        below = factors[0].is_Pow and factors[0].base == self.symbol and factors[0].exp.is_negative
        if not exponent.is_number and self.edges.zero(base) is not sympy.false and len(factors) == 1 and below:
            return {infinite: node * exponent * factors[0].exp / self.symbol}
        edge = self.edges.beside(node, base)
        return _times(self.of(base), edge, partial(Mul, exponent * base ** (exponent - 1)))


def _slope(node: Expr, argument_number: int) -> Expr:
    """Return the derivative of a function by its argument at a place, from 1 on."""
    function = entry_of(node)
    slopes = () if function is None else function.slopes
    return slopes[argument_number - 1](*node.args) if slopes else node.fdiff(argument_number)


def _product(factors: Sequence[Expr], argument_number: int, derivative: Expr) -> Expr:
    return Mul(*factors[:argument_number], derivative, *factors[argument_number + 1 :])
