"""Write a SymPy expression as formula text, NumPy, PyTorch or SQL: one writer, four languages."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import sympy
from sympy import Expr, Integer, Rational
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Not, Or

from descend.errors import FormulaError
from descend.formula.functions import CONSTANTS, FUNCTIONS, Function, constant_call, entry_of, reserved
from descend.formula.symbols import LARGEST_EXACT, Column, Predictor, Typed
from descend.formula.tokens import LONGEST, SIMPLIFY

OR, AND, NOT, COMPARE, SUM, PRODUCT, SIGN, POWER, ATOM = range(9)
MOST_TO_SORT = 200
"""Terms of a sum beyond which sorting by degree takes minutes, and nobody reads them."""
LONGEST_CHAIN = 100
LONG_FRACTION = 10**6
"""Numerator or denominator from which on code writes a fraction as its value, which is no longer."""
PLAIN_CALL = re.compile(r"[\w.]+\([{}\d, ]+\)")
COMPARISONS = {sympy.Eq: "==", sympy.Ne: "!=", sympy.Lt: "<", sympy.Le: "<=", sympy.Gt: ">", sympy.Ge: ">="}


LACKING = {"torch": "is not available in PyTorch", "sql": "cannot be written in SQL"}
"""What is said of a function that a language lacks."""


class LackingError(FormulaError):
    """A language lacks a function of an expression; whoever asked for the language says what to do."""


@dataclass(frozen=True, eq=False)
class Language:
    """What differs between the languages.

    power: template of a power; None writes it with the operator ``power_operator``.
    logic: spelling of and, or, not; tight: whether they bind tighter than comparisons and need brackets.
    """

    name: str
    power_operator: str
    power: str | None
    logic: Mapping[str, str]
    tight: bool
    comparisons: Mapping[str, str]
    number: Callable[[Expr], str]
    column: Callable[[str], str]
    constant: Callable[[str], str]


def _bracketed(text: str, precedence: int, looser_than: int) -> str:
    return f"({text})" if precedence < looser_than else text


def signed_sum(term_texts: list[str]) -> str:
    """Join the terms of a sum, some of which begin with a minus sign."""
    remainder = (f" - {part[1:]}" if part.startswith("-") else f" + {part}" for part in term_texts[1:])
    return term_texts[0] + "".join(remainder)


def plain_name(name: str, called: Collection[str] = ()) -> str:
    """Write the name of a column or parameter for a formula: in backticks where it would be read otherwise.

    called: the functions that the formula calls, whose names mean nothing else in it.

    >>> plain_name("k1"), plain_name("k1", called=["k1"]), plain_name("e"), plain_name("unit price")
    ('k1', '`k1`', '`e`', '`unit price`')
    """
    plain = name.isidentifier() and not reserved(name) and name not in called
    return name if plain else f"`{name.replace('`', '``')}`"


def identifier(name: str) -> str:
    """Write a name as a Python identifier."""
    word = re.sub(r"\W", "_", name)
    return f"_{word}" if not word.isidentifier() or keyword.iskeyword(word) else word


def quoted(name: str) -> str:
    """Write a column name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def exact_number(number: Expr) -> str:
    """Write a number so that reading it as a formula gives the same number."""
    if isinstance(number, Integer) and abs(number) < LARGEST_EXACT:
        return str(int(number))
    short = repr(float(number))
    if Rational(short) == number:
        return short
    return f"{number.p}/{number.q}" if number.q != 1 else str(number.p)


def sql_number(number: Expr) -> str:
    """Write a number for SQL. Short ones are exact decimals there; an exponent makes the others double precision."""
    text = repr(float(number))
    return text if "e" in text or len(text) <= 16 else f"{text}e0"


def python_number(number: Expr) -> str:
    """Write a number for Python: as an integer as long as a float holds it exactly."""
    return str(int(number)) if isinstance(number, Integer) and abs(number) < LARGEST_EXACT else repr(float(number))


PYTHON_LOGIC = {"and": "&", "or": "|", "not": "~"}
WORDS = {"and": "and", "or": "or", "not": "not"}
SAME = {symbol: symbol for symbol in COMPARISONS.values()}

TEXT = Language("text", "^", None, WORDS, False, SAME, exact_number, plain_name, lambda name: name)
NUMPY = Language("numpy", "**", None, PYTHON_LOGIC, True, SAME, python_number, identifier, lambda name: f"np.{name}")
ROWWISE = replace(NUMPY, number=lambda number: repr(float(number)))
"""NumPy code whose operands are nearly all arrays: 1.0/x takes half the time of 1/x."""
TORCH = Language("torch", "**", None, PYTHON_LOGIC, True, SAME, python_number, identifier, lambda name: f"math.{name}")
SQL = Language(
    "sql",
    "",
    "power({0}, {1})",
    WORDS,
    False,
    SAME | {"==": "=", "!=": "<>"},
    sql_number,
    quoted,
    lambda name: {"pi": "pi()", "e": "exp(1)"}[name],
)


class Writer:
    """Writes expressions in one language.

    names: how a symbol is written, where it is not by its own name.
    known: expressions that already have a name (shared subexpressions); consulted at every node.
    """

    def __init__(
        self, language: Language, names: Mapping[Expr, str] | None = None, known: dict[Expr, str] | None = None
    ) -> None:
        self.language = language
        self.names = names or {}
        self.known = known if known is not None else {}

    def write(self, expression: Expr, strength: int = OR) -> str:
        """Return the text of ``expression``, in brackets if it binds more loosely than ``strength``."""
        text, precedence = self._node(expression)
        return f"({text})" if precedence < strength else text

    def _node(self, node: Expr) -> tuple[str, int]:
        if node in self.known:
            return self.known[node], ATOM
        if node.is_Symbol:
            return self._symbol(node)
        if node.is_Number:
            text = self.language.number(node)
            return text, PRODUCT if "/" in text else SIGN if text.startswith("-") else ATOM
        if node.is_Add:
            return self._sum(node), SUM
        if node.is_Mul:
            return self._product(node)
        if node.is_Pow:
            return self._power(node.base, node.exp)
        if (function := entry_of(node)) is not None:
            return self._call(function, node.args)
        for name, constant in CONSTANTS.items():
            if node == constant:
                return self.language.constant(name), ATOM
        if isinstance(node, Relational):
            return self._comparison(node), COMPARE
        return self._logic(node)

    def _symbol(self, symbol: Expr) -> tuple[str, int]:
        if symbol in self.names:
            return self.names[symbol], ATOM
        if isinstance(symbol, Predictor):  # `w @ [x1, x2]` is a product, and `a[site]` a single value
            return symbol.name, PRODUCT if " @ [" in symbol.name else ATOM
        if isinstance(symbol, Typed):
            return symbol.name, ATOM
        in_sql = self.language is SQL and not isinstance(symbol, Column)
        return symbol.name if in_sql else self.language.column(symbol.name), ATOM

    def _sum(self, node: Expr) -> str:
        terms = self._terms(node)
        leader = next((term for term in terms if not term.could_extract_minus_sign()), terms[0])
        terms.sort(key=lambda term: term is not leader)  # `b - a` rather than `-a + b`
        return self._joined([self.write(term, SUM) for term in terms], signed_sum)

    def _terms(self, node: Expr) -> list[Expr]:
        """Return the terms of a sum in the order they are written."""
        return node.as_ordered_terms() if len(node.args) <= MOST_TO_SORT else list(node.args)

    def _product(self, node: Expr) -> tuple[str, int]:
        coefficient, remainder = node.as_coeff_Mul()
        negative = bool(coefficient < 0)
        coefficient = abs(coefficient)
        upper: list[str] = []
        lower: list[tuple[str, int]] = []
        if self.language is not TEXT and coefficient.is_Rational and coefficient.q >= LONG_FRACTION:
            upper.append(self.language.number(coefficient))  # either part alone could overflow a product
            coefficient = Integer(1)
        elif coefficient.is_Rational and "/" in exact_number(coefficient):
            lower.append((self.language.number(Integer(coefficient.q)), ATOM))
            coefficient = Integer(coefficient.p)
        if coefficient != 1:
            upper.append(self.language.number(coefficient))
        for factor in remainder.as_ordered_factors():
            base, exponent = self._base_and_exponent(factor)
            if exponent.is_Number and exponent < 0:
                lower.append(self._node(base) if exponent == -1 else self._power(base, -exponent))
            else:
                upper.append(self.write(factor, PRODUCT + 1 if upper else PRODUCT))
        text = ("-" if negative else "") + (self._joined(upper, "*".join) or self.language.number(Integer(1)))
        below = [_bracketed(*factor_text, looser_than=SIGN) for factor_text in lower]
        if len(lower) == 2 and SUM in (precedence for _, precedence in lower):
            text += f"/{below[0]}/{below[1]}"  # read again, 3*(a + b) alone would become 3*a + 3*b
        elif lower:
            text += f"/{below[0]}" if len(below) == 1 else f"/({'*'.join(below)})"
        return text, PRODUCT if len(upper) + len(lower) > 1 else SIGN

    def _joined(self, term_texts: list[str], join: Callable[[list[str]], str]) -> str:
        """Join parts, a long list in nested brackets: Python counts each operator of a chain as a level of nesting."""
        while len(term_texts) > LONGEST_CHAIN and self.language is not TEXT:
            chunks = (term_texts[begin : begin + LONGEST_CHAIN] for begin in range(0, len(term_texts), LONGEST_CHAIN))
            term_texts = [f"({join(chunk)})" for chunk in chunks]
        return join(term_texts)

    def _base_and_exponent(self, factor: Expr) -> tuple[Expr, Expr]:
        if factor in self.known or not factor.is_Pow:
            return factor, Integer(1)
        return factor.base, factor.exp

    def _power(self, base: Expr, exponent: Expr) -> tuple[str, int]:
        if exponent == Rational(1, 2):
            return self._call(FUNCTIONS["sqrt"], [base])
        if exponent.is_Number and exponent < 0:
            below = self._node(base) if exponent == -1 else self._power(base, -exponent)
            return f"{self.language.number(Integer(1))}/{_bracketed(*below, looser_than=SIGN)}", PRODUCT
        if base == sympy.E:
            return self._call(FUNCTIONS["exp"], [exponent])
        if self.language.power is not None:
            return self.language.power.format(self.write(base), self.write(exponent)), ATOM
        return f"{self.write(base, ATOM)}{self.language.power_operator}{self.write(exponent, ATOM)}", POWER

    def _call(self, function: Function, arguments: Sequence[Expr]) -> tuple[str, int]:
        texts = [self.write(argument) for argument in arguments]
        if self.language is TEXT:
            return f"{function.name}({', '.join(texts)})", ATOM
        orders = {order_place: str(arguments[order_place]) for order_place in function.orders}
        if self.language is TORCH:  # whose functions take tensors only
            if all(argument.is_number for argument in arguments):
                value = constant_call(function, [float(argument) for argument in arguments])
                return repr(value), ATOM if value >= 0 else SIGN
            texts = [
                f"torch.tensor({text}, dtype=torch.float64)" if argument.is_number else text
                for argument, text in zip(arguments, texts, strict=True)
            ]
        if self.language is NUMPY:  # whole numbers alone would make an array of integers
            texts = [
                repr(float(argument)) if argument.is_Integer else text
                for argument, text in zip(arguments, texts, strict=True)
            ]
        texts = [orders.get(order_place, text) for order_place, text in enumerate(texts)]
        template: str | None = getattr(function, self.language.name)
        if template is None:
            raise LackingError(f"`{function.name}` {LACKING[self.language.name]}.")
        if template.count("{0}") > 1 and len(texts[0]) > LONGEST:  # it would double once more
            raise FormulaError(f"The formula is nested too deeply to be written as {self.language.name}. {SIMPLIFY}")
        return template.format(*texts), ATOM if PLAIN_CALL.fullmatch(template) else OR

    def _comparison(self, node: Expr) -> str:
        symbol = self.language.comparisons[COMPARISONS[type(node)]]
        return f"{self.write(node.lhs, SUM)} {symbol} {self.write(node.rhs, SUM)}"

    def _logic(self, node: Expr) -> tuple[str, int]:
        words = self.language.logic
        strength = ATOM if self.language.tight else COMPARE
        if isinstance(node, Not):
            return f"{words['not']} {self.write(node.args[0], ATOM)}", NOT
        if isinstance(node, And | Or):
            word, precedence = (words["and"], AND) if isinstance(node, And) else (words["or"], OR)
            return f" {word} ".join(sorted(self.write(argument, strength) for argument in node.args)), precedence
        if node in (sympy.true, sympy.false):
            return ("1 == 1" if node else "1 == 0"), COMPARE
        raise TypeError(f"no way to write {type(node).__name__}")


def as_text(expression: Expr) -> str:
    """Write an expression as formula text, which parses back to the same expression.

    >>> from descend.formula import read_formula
    >>> as_text(read_formula("y ~ a*exp(-b*x) + 1/2*c", columns=["x", "y"]).expression)
    'a*exp(-b*x) + 0.5*c'
    """
    return Writer(TEXT, doubles(expression)).write(expression)


def doubles(expression: Expr) -> dict[Expr, str]:
    """Return how the symbols are written whose names are those of functions that the expression calls."""
    called = {function.name for node in expression.atoms(sympy.Function) if (function := entry_of(node)) is not None}
    symbols = (symbol for symbol in expression.free_symbols if symbol.name in called)
    return {symbol: plain_name(symbol.name, called) for symbol in symbols}
