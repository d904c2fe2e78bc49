"""Products that several expressions share, so that no two arrays of rows are multiplied twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from sympy import Expr, Mul, Pow, preorder_traversal

from descend.formula.symbols import Quantity

MOST = 4
"""Largest power that is written as a product."""
Factors = Counter[Expr]


class SharedProducts:
    """Expressions of rows, rewritten so that each product of what differs from row to row is a quantity of its own.

    With w = K + x, the prediction V x/w and its derivatives x/w and -V x/w**2 become V t, t and -V t/w, where t = x/w.
    Numbers, and what depends on parameters only, stay outside the products; what is data alone stays together.

    varies, is_shared: whether an expression depends on data and on parameters, or on data alone.
    definitions: what each quantity stands for.

    Source: the elimination of common pairs, the most common first, Breuer (1969), Commun. ACM 12, 333-340.
    """

    def __init__(self, varies: Callable[[Expr], bool], is_shared: Callable[[Expr], bool]) -> None:
        self.varies, self.given = varies, is_shared
        self.products: dict[Expr, Factors] = {}
        self.inverses: dict[Expr, Expr] = {}
        self.definitions: dict[Expr, Expr] = {}
        self.known: dict[Expr, Expr] = {}

    def rewritten(self, expressions: Sequence[Expr]) -> list[Expr]:
        """Return the expressions in terms of quantities; to be called but once."""
        rewritten_expressions = [self._of(expression) for expression in expressions]
        while (pair := self._most_common()) is not None:
            self._name(pair)
        self.definitions = {name: _product(factors) for name, factors in self.products.items()}
        symbols = (symbol for each in (*self.definitions.values(), *rewritten_expressions) for symbol in _symbols(each))
        uses = Counter(symbols)
        once = {name: 1 / base for base, name in self.inverses.items() if uses[name] == 1}
        self.definitions |= {name: 1 / base for base, name in self.inverses.items() if name not in once}
        if once:  # dividing by it is as good as multiplying by its inverse
            self.definitions = {name: each.xreplace(once) for name, each in self.definitions.items()}
            rewritten_expressions = [each.xreplace(once) for each in rewritten_expressions]
        return rewritten_expressions

    def _of(self, expression: Expr) -> Expr:
        """Return an expression with its products replaced, from the inside out."""
        if expression not in self.known:
            self.known[expression] = self._replaced(expression)
        return self.known[expression]

    def _replaced(self, expression: Expr) -> Expr:
        if not (expression.args and self.varies(expression)) or any(not isinstance(a, Expr) for a in expression.args):
            return expression  # a choice between rows stays as it is
        if not (expression.is_Mul or _is_power(expression)):
            return expression.func(*map(self._of, expression.args))
        number, factors = self._split(expression)
        if factors.total() == 1:
            return number * next(iter(factors))
        return number * self._named(factors)

    def _split(self, product: Expr) -> tuple[Expr, Factors]:
        """Return what is the same in all rows, and how often each of the other factors occurs."""
        factors = Factors()
        numbers: list[Expr] = []
        data: list[Expr] = []
        for argument in Mul.make_args(product):
            if not self.varies(argument):
                (data if self.given(argument) else numbers).append(argument)
                continue
            base, power = (argument.base, int(argument.exp)) if _is_power(argument) else (argument, 1)
            number, base = self._without_number(self._of(base))
            numbers.append(number**power)
            factors[base if power > 0 else self._inverse(base)] += abs(power)
        if data:
            factors[Mul(*data)] += 1
        return Mul(*numbers), factors

    def _without_number(self, expression: Expr) -> tuple[Expr, Expr]:
        """Return a number and the rest of a sum, such that x - m and 2 m - 2 x have the same rest, data above 0."""
        if not expression.is_Add:
            return expression.as_coeff_Mul()  # type: ignore[no-any-return]
        number, remainder = expression.primitive()
        data = [each.could_extract_minus_sign() for each in remainder.args if self.given(each)]
        negative = data[0] if len(data) == 1 else remainder.could_extract_minus_sign()
        return (-number, -remainder) if negative else (number, remainder)

    def _inverse(self, base: Expr) -> Expr:
        return self.inverses.setdefault(base, Quantity(f"inverse {len(self.inverses)}"))

    def _named(self, factors: Factors) -> Expr:
        """Return the quantity that is the product of these factors."""
        for name, other_products in self.products.items():
            if other_products == factors:
                return name
        name = Quantity(f"product {len(self.products)}")
        self.products[name] = factors
        return name

    def _most_common(self) -> Factors | None:
        """Return the two factors that occur together most often; None if no two do so twice."""
        counts = Counter(pair for factors in self.products.values() for pair in _pairs(factors))
        pair, count = max(counts.items(), key=lambda item: item[1], default=(frozenset[Expr](), 0))
        return None if count < 2 else Factors([*pair] * (3 - len(pair)))

    def _name(self, pair: Factors) -> None:
        """Replace two factors by their product, wherever they occur."""
        name = self._named(pair)
        for other_product, factors in self.products.items():
            while other_product != name and pair <= factors:
                factors = factors - pair
                factors[name] += 1
                self.products[other_product] = factors


def _is_power(expression: Expr) -> bool:
    """Whether an expression is a power that is written as a product, or as one over a product."""
    return bool(expression.is_Pow and expression.exp.is_Integer and abs(int(expression.exp)) <= MOST)


def _pairs(factors: Factors) -> Iterator[frozenset[Expr]]:
    """Yield each two factors of a product, once: a set of one if they are the same."""
    some = [*factors]
    for factor_number, first_factor in enumerate(some):
        if factors[first_factor] > 1:
            yield frozenset([first_factor])
        for second_factor in some[factor_number + 1 :]:
            yield frozenset([first_factor, second_factor])


def _product(factors: Factors) -> Expr:
    return Mul(*(Pow(factor, times) for factor, times in factors.items()))


def _symbols(expression: Expr) -> Iterator[Expr]:
    """Yield each symbol of an expression as often as it occurs; one that is squared twice."""
    for subexpression in preorder_traversal(expression):
        if subexpression.is_Symbol:
            yield subexpression
        elif _is_power(subexpression) and subexpression.base.is_Symbol:
            yield subexpression.base


def apart(expression: Expr, same: Callable[[Expr], bool]) -> tuple[Expr, Expr]:
    """Return the factors of a product that are the same in all rows, and the rest."""
    factors = Mul.make_args(expression)
    return Mul(*(each for each in factors if same(each))), Mul(*(each for each in factors if not same(each)))
