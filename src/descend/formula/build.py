"""From syntax tree to SymPy expression: names become columns or parameters, and nonsense is refused where it stands."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
import sympy
from sympy import Add, Expr, Float, Mul, Pow

from descend.errors import FormulaError
from descend.formula import syntax
from descend.formula.functions import CONSTANTS, FUNCTIONS, NAMES, RealFunction, exact, inexact
from descend.formula.printers.code import as_text, plain_name
from descend.formula.symbols import Column, Parameter, Predictor, Term
from descend.registry import closest

RELATIONS = {"<": sympy.Lt, "<=": sympy.Le, ">": sympy.Gt, ">=": sympy.Ge, "==": sympy.Eq, "!=": sympy.Ne}
OTHER_SPELLING = {
    "ln": "log",
    "pow": "^",
    "power": "^",
    "square": "^",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctan2": "atan2",
    "expit": "sigmoid",
    "logistic": "sigmoid",
    "fabs": "abs",
    "maximum": "max",
    "minimum": "min",
    "if": "where",
    "ifelse": "where",
    "iff": "where",
}
WITHOUT_DERIVATIVE = ("floor", "ceil", "round", "trunc", "sign", "heaviside", "mod", "digamma", "factorial")


def listed(names: Iterable[str], most: int = 12) -> str:
    """Write names for a message, at most ``most`` of them."""
    known = list(names)
    more = f" and {len(known) - most} more" if len(known) > most else ""
    return ", ".join(plain_name(name) for name in known[:most]) + more


Extra = tuple[Callable[..., Expr], tuple[int, ...]]
"""A function that only some texts may call: how to build it, and how many arguments it takes."""


class Builder:
    """Turns the trees of one formula into expressions and gathers what they use.

    columns: the names that are data; numeric: those of them that patterns may choose from.
    starts: names the user gave a start, hence parameters whatever they look like.
    """

    def __init__(
        self,
        text: str,
        columns: Sequence[str],
        numeric: Sequence[str],
        starts: Iterable[str] = (),
        extra: Mapping[str, Extra] | None = None,
    ) -> None:
        self.text = text
        self.known = set(columns)
        self.all_columns = columns
        self.numeric = numeric
        self.starts = set(starts)
        self.extra = extra or {}
        self.columns: dict[str, syntax.Node] = {}
        self.parameters: dict[str, tuple[syntax.Node, tuple[str, ...] | None]] = {}
        self.terms: dict[Predictor, Term] = {}
        self.named_elsewhere: set[str] = set()

    def fail(self, node: syntax.Node | syntax.Token, what: str, next_step: str) -> NoReturn:
        raise syntax.pointed(self.text, node.start, node.end, what, next_step)

    def build(self, node: syntax.Node) -> Expr:
        """Return the expression of a tree. Raises FormulaError where it is not a finite real number."""
        try:
            result = self._value(node)
        except RecursionError:
            self.fail(node, "The formula is nested too deeply.", "Simplify it, or split it into columns of the data.")
        except (OverflowError, MemoryError):
            self.fail(node, "A number in the formula is too large.", "Use numbers below 1e308.")
        if any(not _ordinary(number) for number in result.atoms(sympy.Number)) or result.has(
            sympy.I, sympy.zoo, sympy.nan
        ):
            self.fail(
                node, "The formula holds a number that is not finite or not real.", "Check its constants and powers."
            )
        return result

    def _value(self, node: syntax.Node) -> Expr:
        if isinstance(node, syntax.Comparison | syntax.Logic):
            self.fail(node, "A comparison is not a number.", "Use it as the condition of where(condition, a, b).")
        result = self._visit(node)
        if result.is_number and not isinstance(node, syntax.Number) and not self._finite(result):
            self.fail(
                node,
                "This is not a finite real number.",
                "Check for a division by zero, or a root or logarithm of a negative number.",
            )
        return result

    def _visit(self, node: syntax.Node) -> Expr:
        match node:
            case syntax.Number():
                if not math.isfinite(float(node.text)):
                    self.fail(node, f"{node.text} is too large a number.", "Use numbers below 1e308.")
                return exact(node.text)
            case syntax.Name():
                return self._name(node)
            case syntax.Negative():
                return -self._value(node.operand)
            case syntax.Sum():
                return Add(*(self._value(part) if sign == "+" else -self._value(part) for sign, part in node.terms))
            case syntax.Product():
                return Mul(
                    *(self._value(part) if sign == "*" else self._reciprocal(part) for sign, part in node.factors)
                )
            case syntax.Power():
                return self._power(node)
            case syntax.Call():
                return self._call(node)
            case syntax.Dot():
                return self._dot(node)
        self.fail(node, "A pattern of columns stands only inside `w @ [ ]`.", "Write `w @ [x*]`.")

    def _reciprocal(self, node: syntax.Node) -> Expr:
        divisor = self._value(node)
        if divisor.is_zero:
            self.fail(node, "This divides by zero.", "Check the denominator.")
        return 1 / divisor

    def _power(self, node: syntax.Power) -> Expr:
        base, exponent = self._value(node.base), self._value(node.exponent)
        if base.is_number and exponent.is_number:
            value = self._float_power(base, exponent)
            if value is None:
                self.fail(node, "This power is not a finite real number.", "Check its base and exponent.")
            small = exponent.is_Rational and abs(exponent) <= 64
            return Pow(base, exponent) if small else inexact(value)
        if exponent.is_number and abs(float(exponent)) > 1000:
            exponent = Float(float(exponent), precision=53)  # exact powers of numbers would grow without end
        if base.is_zero:
            self.fail(node, "This is a power of zero.", "Check the base.")
        return Pow(base, exponent)

    @staticmethod
    def _float_power(base: Expr, exponent: Expr) -> float | None:
        try:
            value = float(base) ** float(exponent)
        except (OverflowError, ZeroDivisionError):
            return None
        return value if isinstance(value, float) and math.isfinite(value) else None

    def _call(self, node: syntax.Call) -> Expr:
        name = node.function
        if name in self.extra:
            build, counts = self.extra[name]
            if len(node.arguments) not in counts:
                counted = " or ".join(str(count) for count in counts)
                plural = "" if counts == (1,) else "s"
                self.fail(
                    node, f"`{name}` takes {counted} argument{plural}, not {len(node.arguments)}.", "Check the brackets."
                )
            return build(*(self._value(argument) for argument in node.arguments))
        if name not in FUNCTIONS:
            self._unknown_function(node)
        if name == "where" and len(node.arguments) == 3:
            condition, chosen, other = node.arguments
            return FUNCTIONS["where"].build(self._condition(condition), self._value(chosen), self._value(other))
        least, most = FUNCTIONS[name].arguments
        if len(node.arguments) < least or (most is not None and len(node.arguments) > most):
            counted = f"{least} argument{'s' if least > 1 else ''}" + ("" if most else " or more")
            example = {"where": "where(x > 0, a, b)", "atan2": "atan2(y, x)"}.get(
                name, f"{name}({', '.join('ab'[:least])})"
            )
            self.fail(node, f"`{name}` takes {counted}, not {len(node.arguments)}.", f"Write it as `{example}`.")
        arguments = [self._value(argument) for argument in node.arguments]
        if all(argument.is_number for argument in arguments):
            value = constant_call(name, [float(argument) for argument in arguments])
            if not math.isfinite(value):
                self.fail(node, "This is not a finite real number.", "Check the argument of the function.")
            result = FUNCTIONS[name].build(*arguments)
            return inexact(value) if result.has(RealFunction) or not self._finite(result) else result
        return FUNCTIONS[name].build(*arguments)

    def _unknown_function(self, node: syntax.Call) -> NoReturn:
        name = node.function
        at = syntax.Name(node.start, node.start + len(name), name, quoted=False)
        if name in self.known:
            self.fail(at, f"`{name}` is a column, so it cannot be called.", f"To multiply, write `{name}*(...)`.")
        if name in WITHOUT_DERIVATIVE:
            self.fail(
                at,
                f"`{name}` has no derivative to descend along, so formulas cannot use it.",
                "Compute it beforehand, as a column of the data.",
            )
        hint = closest(name, FUNCTIONS)
        if name in OTHER_SPELLING:
            hint = f" Here it is written `{OTHER_SPELLING[name]}`."
        self.fail(at, f"There is no function `{name}`.{hint}", f"Known: {', '.join((*FUNCTIONS, *self.extra))}.")

    def _condition(self, node: syntax.Node) -> Any:
        if isinstance(node, syntax.Logic):
            parts = [self._condition(part) for part in node.operands]
            return {"and": sympy.And, "or": sympy.Or, "not": sympy.Not}[node.operator](*parts)
        if not isinstance(node, syntax.Comparison):
            self.fail(node, "The first argument of where( ) must be a comparison.", "Write it as where(x > 0, a, b).")
        values = [self._value(part) for part in node.operands]
        pairs = zip(values, node.operators, values[1:], strict=False)
        return sympy.And(*(RELATIONS[operator](left, right) for left, operator, right in pairs))

    def _name(self, node: syntax.Name) -> Expr:
        name = node.name
        if name in self.known:
            self.columns.setdefault(name, node)
            return Column(name)
        if node.quoted:
            self.fail(
                node,
                f"There is no column `{name}`.{closest(name, self.known)}",
                f"Columns: {listed(self.all_columns)}.",
            )
        if name in CONSTANTS:
            return CONSTANTS[name]
        if name in self.extra or name in FUNCTIONS:
            self._refuse_function_name(node)
        self._parameter(node, None)
        return Parameter(name)

    def _refuse_function_name(self, node: syntax.Name) -> NoReturn:
        self.fail(
            node,
            f"`{node.name}` is a built-in function, so it cannot be a parameter.",
            f"Rename it, for example `{node.name}_`.",
        )

    def _parameter(self, node: syntax.Name, labels: tuple[str, ...] | None) -> None:
        name = node.name
        if name not in self.starts:
            near = next((column for column in self.all_columns if _misspelt(name, column)), None)
            if near is not None:
                self.fail(
                    node,
                    f"`{name}` is not a column; did you mean `{near}`?",
                    f"If it is a parameter, give it a start: --start {name}=1.",
                )
        known = self.parameters.setdefault(name, (node, labels))[1]
        if (known is None) != (labels is None):
            self.fail(node, f"`{name}` is used both as a number and as a vector.", "Give one of them another name.")
        if known is not None and labels is not None and len(known) != len(labels):
            self.fail(
                node,
                f"`{name}` has {len(known)} components in one place and {len(labels)} in another.",
                "Use lists of the same length, or another name.",
            )

    def _dot(self, node: syntax.Dot) -> Expr:
        name = node.vector.name
        if name in self.known:
            self.fail(
                node.vector, f"`{name}` is a column, so it cannot be the vector parameter.", "Choose another name."
            )
        if name in FUNCTIONS or name in CONSTANTS:
            self._refuse_function_name(node.vector)
        items: list[Expr] = []
        for item in node.items:
            items.extend(self._matching(item) if isinstance(item, syntax.Pattern) else [self._item(item)])
        labels = tuple(as_text(item) for item in items)
        if len(set(labels)) < len(labels):
            twice = next(label for label in labels if labels.count(label) > 1)
            self.fail(node, f"`{twice}` is twice in the list.", "Name each column once.")
        self._parameter(node.vector, labels)
        predictor = Predictor(f"{name} @ [{', '.join(labels)}]")
        self.terms[predictor] = Term(name, tuple(items), labels)
        return predictor

    def _item(self, node: syntax.Node) -> Expr:
        before = set(self.parameters)
        item = self._value(node)
        if set(self.parameters) - before or item.atoms(Parameter, Predictor):
            unknown = next((name for name in self.parameters if name not in before), "")
            del_hint = closest(unknown, self.known) if unknown else ""
            what = (
                f"`{unknown}` is not a column.{del_hint}"
                if unknown
                else "A list after `@` holds data only, no parameters."
            )
            self.fail(node, what, f"Columns: {listed(self.all_columns)}.")
        return item

    def _matching(self, pattern: syntax.Pattern) -> list[Expr]:
        taken = self.named_elsewhere if pattern.text == "*" else self.response_names
        found = [name for name in self.numeric if name not in taken and fnmatch.fnmatchcase(name, pattern.text)]
        if not found:
            self.fail(
                pattern,
                f"No other numeric column matches `{pattern.text}`.",
                f"Numeric columns: {listed(self.numeric)}.",
            )
        for name in found:
            self.columns.setdefault(name, pattern)
        return [Column(name) for name in found]

    response_names: frozenset[str] = frozenset()

    @staticmethod
    def _finite(expression: Expr) -> bool:
        try:
            value = complex(expression)
        except (TypeError, ValueError, OverflowError):
            return False
        return value.imag == 0 and math.isfinite(value.real)


def names_in(node: Any) -> Iterable[syntax.Name]:
    """Yield every name in a tree (or in a tuple of trees), in order."""
    if isinstance(node, syntax.Name):
        yield node
    elif isinstance(node, tuple):
        for part in node:
            yield from names_in(part)
    elif isinstance(node, syntax.Node):
        for field in node.__slots__:
            yield from names_in(getattr(node, field))


def constant_call(name: str, arguments: list[float]) -> float:
    """Evaluate a function of numbers; NaN or infinity where it has no finite value."""
    from scipy import special

    code = FUNCTIONS[name].numpy
    with np.errstate(all="ignore"):
        value = arguments[0]
        for other in arguments[1:] or [value]:
            # The template is ours; what is filled in are the reprs of floats.
            value = float(
                eval(code.format(f"np.float64({value!r})", f"np.float64({other!r})"), {"np": np, "special": special})
            )
    return value


def _ordinary(number: Expr) -> bool:
    try:
        return math.isfinite(float(number))
    except OverflowError:
        return False


def _misspelt(name: str, column: str) -> bool:
    if name.casefold() == column.casefold():
        return True
    import difflib

    return (
        min(len(name), len(column)) >= 3
        and difflib.SequenceMatcher(None, name.casefold(), column.casefold()).ratio() >= 0.8
    )


__all__ = ["NAMES", "Builder", "FormulaError", "listed", "names_in"]
