"""From text to a quantity: ``half_life = log(2)/b``, ``prediction(x=3)``, ``ec50[B]/ec50[A]``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

import sympy
from sympy import Expr

from descend.errors import ConfigError
from descend.formula import symbols as kinds
from descend.formula import syntax, tree
from descend.formula.build import Builder
from descend.formula.printers.code import plain_name
from descend.formula.symbols import Parameter
from descend.formula.tokens import pointed, tokenize
from descend.inference.quantities.curve import curve_of, group_columns, inputs_named, placed
from descend.inference.quantities.features import FEATURES, Feature
from descend.inference.quantities.quantity import Quantity, Used
from descend.models import Model
from descend.parameters.components import QUOTES, equations, with_components
from descend.parameters.ties import Ties
from descend.registry import closest
from descend.table.headers import in_full
from descend.table.levels import Levels
from descend.table.table import label

EXAMPLE = "half_life = log(2)/b"
INFINITY = Parameter("inf")


def read_quantities(quantities_asked: Ties, model: Model) -> list[Quantity]:
    """Read several quantities: texts, or expressions by name.

    Raises FormulaError or ConfigError for a wrong one, or two of the same name.
    """
    quantities: dict[str, Quantity] = {}
    named: list[tuple[object, str]] = [(None, text) for text in equations(quantities_asked, "=")]
    if isinstance(quantities_asked, Mapping):
        named = [(name, str(text)) for name, text in quantities_asked.items()]
    for name, text in named:
        quantity = read_quantity(text, model)
        if name is not None:
            quantity = replace(quantity, name=str(name))
        if quantity.name in quantities:
            raise ConfigError(f"Two quantities are called `{quantity.name}`. Give each a name of its own.")
        quantities[quantity.name] = quantity
    return list(quantities.values())


def read_quantity(text: str, model: Model) -> Quantity:
    """Read ``name = expression``, or an expression, which then is its own name.

    The expression may hold parameters of the model, components of vectors such as ``ec50[B]``, functions of formulas,
    and features of the curve (see ``features``). Raises FormulaError, pointing at the place, or ConfigError.
    """
    if model.in_place:
        raise ConfigError(f"A {model.kind} has no named parameters of which a quantity could be made. Use a formula.")
    plain, components = with_components(text, model.every_parameter)
    node, name, typed = _parsed(plain, text)
    reader = _Reader(text, model, components)
    expression = reader.built(node)
    if name is not None and name.name in model.every_parameter.shapes:
        fault = f"`{name.name}` is a parameter, so it cannot be the name of a quantity."
        raise pointed(text, name.start, name.end, fault, "Choose another name.")
    return Quantity(typed if name is None else name.name, typed, model, expression, reader.features)


def _parsed(plain: str, text: str) -> tuple[tree.Node, tree.Name | None, str]:
    """Return the expression, its name, if it has one, and its text.

    plain: the text with a plain name for each component (see ``with_components``).
    """
    depth = 0
    for token in tokenize(plain):
        if token.kind == "operator":
            depth += (token.text in "([") - (token.text in ")]")
            if token.text == "=" and depth == 0:
                name, index, node = syntax.parse_assignment(plain, EXAMPLE)
                if index is not None:
                    fault = f"`{name.name}[ ]` cannot be the name of a quantity."
                    raise pointed(text, name.start, node.start, fault, f"Write it as `{EXAMPLE}`.")
                return node, name, text[token.end :].strip()
    return syntax.parse_expression(plain), None, text.strip()


class _Reader:
    """Reads the expression of one quantity, and collects the features in it."""

    def __init__(self, text: str, model: Model, components: Mapping[str, Expr]) -> None:
        self.text, self.model, self.curve = text, model, curve_of(model)
        self.features: dict[Expr, Used] = {}
        self.parameters = model.every_parameter
        self.builder, self.inputs = Builder(text, model.inputs, starts=None), inputs_named(model)
        calls: dict[str, Callable[[tree.Call], Expr]] = {
            name: partial(self._feature, kind) for name, kind in FEATURES.items()
        }
        self.builder.calls, self.builder.given = calls, components

    def built(self, node: tree.Node) -> Expr:
        """Return the expression of a node; every symbol in it is a parameter or a feature."""
        for name in _outside_features(node):
            self._check(name)
        return self.builder.build(node)

    def _check(self, name: tree.Name) -> None:
        known_shapes = self.parameters.shapes
        if name.name in self.builder.given or (name.name in known_shapes and known_shapes[name.name] is None):
            return
        if name.name in known_shapes:
            some = next(label for label in self.parameters.labels if label.startswith(f"{name.name}["))
            fault = f"`{name.name}` is a vector, and a quantity is one number."
            raise pointed(self.text, name.start, name.end, fault, f"Name a component, such as `{some}`.")
        if in_full(name.name, self.inputs) in self.inputs:
            fault = f"`{name.name}` is a column, and a quantity is one number for the whole fit."
            next_step = f"For the curve at one place write `prediction({plain_name(name.name)}=3)`."
            raise pointed(self.text, name.start, name.end, fault, next_step)
        from descend.formula.functions import CONSTANTS

        if name.name in CONSTANTS and not name.quoted:
            return
        fault = f"`{name.name}` is not a parameter of the model.{closest(name.name, known_shapes)}"
        raise pointed(self.text, name.start, name.end, fault, f"Parameters: {', '.join(known_shapes)}.")

    def _feature(self, kind: type[Feature], node: tree.Call) -> Expr:
        """Return the symbol that stands for a feature, and note what it is."""
        self.model.loss.refuse_classes(f"no curve of which `{kind.name}` is read off")
        inputs, groups, order = self.inputs, group_columns(self.model), list(node.arguments)
        along = ""
        if kind.arguments:
            along = self._input(kind, node, order.pop(0) if order else None)
        arguments_given = dict(zip(kind.arguments, order, strict=False))
        inputs_held: dict[str, Expr] = {}
        levels: dict[str, str] = {}
        if not kind.arguments and len(order) == len(inputs) == 1:
            inputs_held[inputs[0]] = self._value(order.pop())
        if len(order) > len(kind.arguments):
            fault = f"`{kind.name}` takes the value of each input by name."
            if kind.arguments:
                fault = f"`{kind.name}` takes at most the arguments {', '.join(('the input', *kind.arguments))}."
            self._fail(node, fault, self._example(kind))
        for typed, value in node.named:
            name = replace(typed, name=in_full(typed.name, inputs))
            if name.name in kind.arguments and name.name not in arguments_given:
                arguments_given[name.name] = value
            elif name.name in groups:
                levels[name.name] = self.text[value.start : value.end].strip(QUOTES)
            elif name.name in inputs and name.name != along:
                inputs_held[name.name] = self._value(value)
            else:
                fault = f"`{typed.name}` is no input of the model, and no argument of `{kind.name}`."
                raise pointed(self.text, name.start, name.end, fault, self._example(kind))
        missing = [name for name in inputs if name != along and name not in inputs_held and name not in levels]
        if missing:
            fault = f"`{kind.name}` needs a value for each other input: {', '.join(map(plain_name, missing))}."
            self._fail(node, fault, self._example(kind))
        arguments = self._arguments(kind, node, arguments_given)
        varying = [name for name in self.model.inputs if name in inputs_held] if not kind.arguments else [along]
        numbers = {name: self._number(node, name, value) for name, value in inputs_held.items() if name not in varying}
        placed_inputs = placed(self.model, {**dict.fromkeys(varying, 0.0), **numbers, **levels})
        if not kind.arguments:
            arguments = tuple(inputs_held[name] for name in varying)
        symbol = kinds.Quantity(self.text[node.start : node.end])
        self.features[symbol] = Used(kind(self.curve, tuple(varying), placed_inputs), arguments)
        return symbol

    def _input(self, kind: type[Feature], node: tree.Call, first: tree.Node | None) -> str:
        if isinstance(first, tree.Name) and (name := in_full(first.name, self.model.inputs)) in self.model.inputs:
            return name
        fault = f"The first argument of `{kind.name}` is the input that varies."
        self._fail(node if first is None else first, fault, self._example(kind))
        return ""

    def _arguments(self, kind: type[Feature], node: tree.Call, arguments: dict[str, tree.Node]) -> tuple[Expr, ...]:
        needed = len(kind.arguments) - len(kind.defaults)
        argument_expressions: list[Expr] = []
        for argument_number, name in enumerate(kind.arguments):
            if name in arguments:
                argument_expressions.append(self._value(arguments[name]))
            elif argument_number >= needed:
                argument_expressions.append(sympy.Float(kind.defaults[argument_number - needed]))
            else:
                self._fail(node, f"`{kind.name}` needs its argument `{name}`.", self._example(kind))
            if argument_expressions[-1].has(sympy.oo) and not kind.open_range:
                self._fail(node, f"The range of `{kind.name}` must be finite.", self._example(kind))
        return tuple(argument_expressions)

    def _value(self, node: tree.Node) -> Expr:
        sign, inner = (-1, node.operand) if isinstance(node, tree.Prefix) and node.operator == "-" else (1, node)
        if isinstance(inner, tree.Name) and inner.name == INFINITY.name and not inner.quoted:
            return sign * sympy.oo
        return self.built(node)

    def _number(self, node: tree.Call, name: str, value: Expr) -> float:
        if not value.is_number:
            fault = f"The value of `{name}` must be a number here."
            self._fail(node, fault, "Only `prediction` takes expressions of parameters for its inputs.")
        return float(value)

    def _example(self, kind: type[Feature]) -> str:
        """Return a call of a feature that is right for these inputs."""
        groups: dict[str, str] = {}
        for coding in self.model.codings:
            if isinstance(coding, Levels):
                groups |= dict(zip(coding.columns, map(label, coding.keys[0]), strict=True))
        numbers = [name for name in self.inputs if name not in groups]
        first = [plain_name(numbers.pop(0)), "0", "10"] if kind.arguments and numbers else []
        inputs_needed = [name for name in self.inputs if name in groups or name in numbers]
        example_inputs = [f"{plain_name(name)}={groups.get(name, 1)}" for name in inputs_needed]
        return f"Write it as `{kind.name}({', '.join((*first, *example_inputs))})`."

    def _fail(self, node: tree.Node, fault: str, next_step: str) -> None:
        raise pointed(self.text, node.start, node.end, fault, next_step)


def _outside_features(node: object) -> Iterable[tree.Name]:
    """Yield the names in a tree that are not inside a feature, which reads its own."""
    if isinstance(node, tree.Name):
        yield node
    elif isinstance(node, tree.Call) and node.function in FEATURES:
        return
    elif isinstance(node, tree.Node):
        for field in node.__slots__:
            yield from _outside_features(getattr(node, field))
    elif isinstance(node, tuple):
        for subnode in node:
            yield from _outside_features(subnode)
