"""From syntax tree to SymPy expression: names become columns or parameters, and nonsense is refused where it stands."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NoReturn

import sympy
from sympy import Add, Expr, Mul, Pow

from descend.formula import syntax, tree
from descend.formula.compile import called_with_numbers
from descend.formula.functions import CONSTANTS, FUNCTIONS, function_named, reserved
from descend.formula.names import called_and_named, is_function, may_be_quoted
from descend.formula.operator_calls import OPERANDS, as_operation
from descend.formula.printers.code import plain_name
from descend.formula.real_functions import RealFunction, absolute
from descend.formula.symbols import (
    Column,
    Parameter,
    Predictor,
    Term,
    exact,
    finite,
    float_power,
    number,
    real,
    shortened,
)
from descend.formula.tokens import Token, pointed, refuse_depth
from descend.formula.vectors import VectorBuilder, listing
from descend.registry import closest
from descend.table.levels import Levels
from descend.wording import spell, worded

RELATIONS = {"<": sympy.Lt, "<=": sympy.Le, ">": sympy.Gt, ">=": sympy.Ge, "==": sympy.Eq, "!=": sympy.Ne}

EXAMPLES = {"where": "where(x > 0, a, b)", "atan2": "atan2(y, x)"}
SIZES = "Use numbers between 1e-307 and 1e308."


Extra = tuple[Callable[..., Expr], tuple[int, ...]]
"""A function that only some formulas may call: how to build it, and the numbers of arguments it may take."""


class Builder(VectorBuilder):
    """Turns the syntax trees of one formula into expressions, and collects the names that they use.

    columns: the names that are data. numeric: the columns that patterns choose from, or a mapping of them per vector.
    starts: names with a starting value, so parameters whatever they look like; None: any name may be a parameter.
    extra: functions beside the built-in ones: how to build them, and the numbers of arguments they may take.

    no_pattern: columns that no pattern matches; no_star: further columns that ``[*]`` leaves out.
    given: parameters with a known value: a number or an expression of others; for a vector, one for each component.
    levels: the groups of the columns that stand in brackets after a parameter, as in ``a[site]``.
    calls: functions that read their arguments themselves.
    """

    def __init__(
        self,
        text: str,
        columns: Sequence[str],
        numeric: Sequence[str] | Mapping[str, Sequence[str]] = (),
        starts: Iterable[str] | None = (),
        extra: Mapping[str, Extra] | None = None,
        levels: Iterable[Levels] = (),
    ) -> None:
        self.text = text
        self.known = set(columns)
        self.all_columns = columns
        self.numeric = numeric
        self.starts = None if starts is None else set(starts)
        self.extra = extra or {}
        self.levels = {each.columns: each for each in levels}
        self.no_pattern: frozenset[str] = frozenset()
        self.no_star: frozenset[str] = frozenset()
        self.given: Mapping[str, Expr] = {}
        self.calls: Mapping[str, Callable[[tree.Call], Expr]] = {}
        self.columns: dict[str, tree.Node] = {}
        self.parameters: dict[str, tuple[tree.Node, tuple[str, ...] | None]] = {}
        self.forms: dict[str, str] = {}
        self.terms: dict[Predictor, Term] = {}
        self.groups: dict[str, Levels] = {}

    def fail(self, node: tree.Node | Token, fault: str, next_step: str) -> NoReturn:
        raise pointed(self.text, node.start, node.end, fault, next_step)

    @refuse_depth
    def build(self, node: tree.Node) -> Expr:
        """Return the expression of a syntax tree. Raises FormulaError where it is not a finite real number."""
        if any(isinstance(each, tree.Call) and not reserved(each.function) for each in tree.walk(node)):
            self._refuse_both(node)
        result = self._value(node)
        if not real(result):
            self.fail(node, "This holds a number that is not finite or not real.", "Check its constants and powers.")
        if result.has(sympy.Abs):  # from sqrt(x^2)
            result = result.replace(sympy.Abs, absolute)
        powers = {power for power in result.atoms(Pow) if power.is_number and not exact(power.base, power.exp)}
        result = result.xreplace({power: number(float(power)) for power in powers})
        short = {value: shortened(value) for value in result.atoms(sympy.Rational)}
        if any(value is None for value in short.values()):
            self.fail(node, "The formula holds a number that is too large or too small.", SIZES)
        return result.xreplace({value: short[value] for value in short if short[value] != value})

    def _refuse_both(self, node: tree.Node) -> None:
        """Refuse a name that is called as a function and also stands for a column or parameter."""
        for call in called_and_named(node):
            name = call.function
            if is_function(name) or name == "I" or name not in self.known:
                role = "column" if name in self.known else "parameter"
                fault = f"`{name}` is called as a function here, and is a {role} elsewhere in the formula."
                quote = f"; for the function put the {role} in backticks: `{name}`" if is_function(name) else ""
                self.fail(_called(call), fault, f"To multiply, write `{name}*(...)`{quote}.")

    def _value(self, node: tree.Node) -> Expr:
        if isinstance(node, tree.Call) and node.function in OPERANDS:
            node = as_operation(node)
        if _is_condition(node):
            self.fail(node, "A comparison is not a number.", "Use it as the condition of where(condition, a, b).")
        result = self._visit(node)
        if result.is_number and not isinstance(node, tree.Number) and not finite(result):
            next_step = "Check for a division by zero, or a root or logarithm of a negative number."
            self.fail(node, "This is not a finite real number.", next_step)
        return result

    def _visit(self, node: tree.Node) -> Expr:
        match node:
            case tree.Number():
                return self._number(node)
            case tree.Name():
                return self._name(node)
            case tree.Prefix():
                return -self._value(node.operand)
            case tree.Chain():
                return self._chain(node)
            case tree.Power():
                return self._power(node)
            case tree.Call():
                return self._call(node)
            case tree.Dot():
                return self._dot(node)
            case tree.Grouped():
                return self._grouped(node)
            case tree.Listed():
                self.fail(node, "A list of numbers is no number.", "Write it only where a curve takes one, as knots.")
        self.fail(node, "A pattern of columns stands only inside `w @ [ ]`.", "Write `w @ [x*]`.")

    def _chain(self, node: tree.Chain) -> Expr:
        first, *later_operands = node.operands
        values = [self._value(first)]
        for operator, operand in zip(node.operators, later_operands, strict=True):
            value = self._value(operand)
            if operator == "/" and value == 0:
                self.fail(operand, "This divides by zero.", "Check the denominator.")
            values.append(1 / value if operator == "/" else -value if operator == "-" else value)
        return Add(*values) if node.rank == syntax.SUM else Mul(*values)

    def _number(self, node: tree.Number) -> Expr:
        value = float(node.text)
        if math.isinf(value) or (value == 0 and node.text.lower().partition("e")[0].strip("0.")):
            self.fail(node, f"`{node.text}` is too {'large' if value else 'small'} a number.", SIZES)
        return number(value)

    def _power(self, node: tree.Power) -> Expr:
        base, exponent = self._value(node.base), self._value(node.exponent)
        if base == 0 and not exponent.is_number:
            self.fail(node, "This is a power of zero.", "Check the base.")
        if exponent.is_number:
            # SymPy keeps powers of numbers exact, however many digits that takes; so they are tried as floats first.
            numbers = Mul(*(factor for factor in Mul.make_args(base) if factor.is_number))
            value = float_power(numbers if base.is_number else abs(numbers), exponent)
            if value is None:
                self.fail(node, "This power is too large, too small or not real.", "Check its base and exponent.")
            if base.is_number and not exact(base, exponent):
                return number(value)
        result = Pow(base, exponent)
        if not real(result):
            self.fail(node, "This power is not a real number.", "Check its base and exponent.")
        return result

    def _call(self, node: tree.Call) -> Expr:
        name = node.function
        if name in self.calls:
            return self.calls[name](node)
        function = None if name in self.extra else function_named(name)
        if node.named and (name in self.extra or function is not None):
            self._refuse_named(node)
        if name in self.extra:
            build, counts = self.extra[name]
            if len(node.arguments) not in counts:
                counted = " or ".join(map(str, counts)) + (" argument" if counts == (1,) else " arguments")
                self.fail(node, f"`{name}` takes {counted}, not {len(node.arguments)}.", "Check the brackets.")
            return build(*map(self._value, node.arguments))
        if name == "I" and len(node.arguments) == 1 and name not in self.known:
            return self._value(node.arguments[0])  # as in R, where I( ) keeps ^ a power
        if function is None:
            return self._curve(node)
        self._check_count(node, *function.arguments)
        if function.name == "where":
            condition, value_if, value_else = node.arguments
            return function.build(self._condition(condition), self._value(value_if), self._value(value_else))
        arguments = [self._value(argument) for argument in node.arguments]
        for order_place in function.orders:
            if not (arguments[order_place].is_Integer and arguments[order_place] >= 0):
                fault = f"`{name}` needs a whole number from 0 on here, written as such."
                self.fail(node.arguments[order_place], fault, f"Write it as `{name}(2, x)`.")
        result = function.build(*arguments)
        if all(argument.is_number for argument in arguments):
            value = called_with_numbers(function, arguments, result)
            if not math.isfinite(value):
                self.fail(node, "This is not a finite real number.", "Check the argument of the function.")
            # Parts of a shorthand may lie beyond a double where the whole does not, as in sech(1e5) = 1/cosh(1e5).
            inexact = result.has(RealFunction) or (function.nodes is None and result.has(sympy.Function))
            return number(value) if inexact or not finite(result) else result
        return result

    def _curve(self, node: tree.Call) -> Expr:
        """Return a named curve in what is no formula, such as a quantity; arguments left out are names."""
        from descend.formula.curves.writing_out import by_itself

        curve_text = by_itself(self.text, node)
        if curve_text is None:
            if node.named:
                self._refuse_named(node)
            self._unknown_function(node)
        return self._value(curve_text)

    def _refuse_named(self, node: tree.Call) -> NoReturn:
        named, value = node.named[0]
        fault = f"`{named.name} = ...` cannot stand here."
        next_step = "Give arguments in order; to compare two values write `==` inside where( )."
        raise pointed(self.text, named.start, value.end, fault, next_step)

    def _check_count(self, node: tree.Call, fewest: int, most: int | None) -> None:
        name, arguments_count = node.function, len(node.arguments)
        if arguments_count < fewest or (most is not None and arguments_count > most):
            either = f"{fewest} or {most} arguments"
            counted = either if most and most > fewest else f"{fewest} argument{'s' if fewest > 1 else ''}"
            example = EXAMPLES.get(name, f"{name}({', '.join('abc'[:fewest])})")
            next_step = f"Write it as `{example}`."
            counted += "" if most else " or more"
            if not reserved(name) and arguments_count == 1 and isinstance(node.arguments[0], tree.Chain):
                next_step += f" To multiply by a parameter `{name}`, write `{name}*(...)`."
            self.fail(node, f"`{name}` takes {counted}, not {arguments_count}.", next_step)

    def _unknown_function(self, node: tree.Call) -> NoReturn:
        from descend.formula.unknown_functions import unknown_function

        at = _called(node)
        if node.function in OPERANDS:
            self._check_count(node, *[OPERANDS[node.function]] * 2)
        if node.function in self.known:
            fault = f"`{node.function}` is a column, so it cannot be called."
            self.fail(at, fault, f"To multiply, write `{node.function}*(...)`.")
        arguments = tuple(self.text[argument.start : argument.end] for argument in node.arguments)
        names_inside = (name.name for name in tree.names_in(node.arguments))
        nested_name = next((name for name in names_inside if name not in self.known), None)
        self.fail(at, *unknown_function(node.function, arguments, nested_name, (*FUNCTIONS, *self.extra)))

    def _condition(self, node: tree.Node) -> Expr:
        node = as_operation(node)
        if not _is_condition(node):
            self.fail(node, "The first argument of where( ) must be a comparison.", "Write it as where(x > 0, a, b).")
        if isinstance(node, tree.Prefix):
            return sympy.Not(self._condition(node.operand))
        assert isinstance(node, tree.Chain)
        if node.rank != syntax.COMPARISON:
            join = sympy.And if node.rank == syntax.AND else sympy.Or
            return join(*map(self._condition, node.operands))
        values = [self._value(operand) for operand in node.operands]
        pairs = zip(values, node.operators, values[1:], strict=False)
        # Left unevaluated unless it compares numbers: SymPy's search for a proof can take minutes.
        compared = (
            RELATIONS[operator](left, right, evaluate=bool(left.is_number and right.is_number))
            for left, operator, right in pairs
        )
        return sympy.And(*compared)

    def _name(self, node: tree.Name) -> Expr:
        name = node.name
        if name in self.known:
            if name in CONSTANTS and not node.quoted:
                value = repr(float(CONSTANTS[name]))
                next_step = f"For the column put it in backticks: `{name}`; for the constant write {value}."
                self.fail(node, f"`{name}` is a column, and also the name of a constant.", next_step)
            self.columns.setdefault(name, node)
            return Column(name)
        if node.quoted and not may_be_quoted(name, self.extra):
            fault = f"There is no column `{name}`.{closest(name, self.known)}"
            self.fail(node, fault, f"Columns: {listing(self.all_columns)}.")
        if name in CONSTANTS and not node.quoted:
            return CONSTANTS[name]
        self._refuse_built_in(node)
        self._parameter(node, None)
        return self.given.get(name, Parameter(name))

    def _refuse_built_in(self, node: tree.Name) -> None:
        if node.quoted or not (node.name in self.extra or reserved(node.name)):
            return
        fault = "the name of a constant" if node.name in CONSTANTS else "a built-in function"
        fault = f"`{node.name}` is {fault}, so it cannot be a parameter."
        self.fail(node, fault, f"Rename it, for example `{node.name}_`.")

    def _parameter(self, node: tree.Name, labels: tuple[str, ...] | None, form: str = "") -> None:
        """Take note of a parameter, and of the form in which it is used: ``a[site]``, if it has a value per group."""
        name = node.name
        if name not in self.parameters:
            self._check_spelling(node)
            self.forms[name] = form
        labels_before = self.parameters.setdefault(name, (node, labels))[1]
        if self.forms[name] != form:
            first_form, second_form = (f"`{each or plain_name(name)}`" for each in (self.forms[name], form))
            fault = f"`{name}` is used both as {first_form} and as {second_form}."
            self.fail(node, fault, "Give one of them another name.")
        if (labels_before is None) != (labels is None):
            self.fail(node, f"`{name}` is used both as a number and as a vector.", "Give one of them another name.")
        if labels_before is not None and labels is not None and len(labels_before) != len(labels):
            fault = f"`{name}` has {len(labels_before)} components in one place and {len(labels)} in another."
            self.fail(node, fault, "Use lists of the same length, or another name.")

    def _check_spelling(self, node: tree.Name) -> None:
        name = node.name
        if self.starts is None or name in self.starts:
            return
        near = next((column for column in self.all_columns if _misspelt(name, column)), None)
        if near is not None:
            start = f"give it a start: {spell('start', {name: 1})}"
            next_step = f"If it is a parameter, {worded('taken_for_column', start)}."
            self.fail(node, f"`{name}` is not a column; did you mean `{near}`?", next_step)


def _called(call: tree.Call) -> tree.Name:
    return tree.Name(call.start, call.start + len(call.function), call.function, quoted=False)


def _is_condition(node: tree.Node) -> bool:
    if isinstance(node, tree.Chain):
        return node.rank <= syntax.COMPARISON
    return isinstance(node, tree.Prefix) and node.operator == "not"


def _misspelt(name: str, column: str) -> bool:
    name, column = name.casefold(), column.casefold()
    long = min(len(name), len(column)) >= 3
    return name == column or (long and difflib.SequenceMatcher(None, name, column).ratio() >= 0.8)
