"""Texts such as ``b ~ normal(0.5, 0.1)``, read as priors of the parameters of a model."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import NoReturn

import numpy as np
from sympy import Expr

from descend.errors import ConfigError
from descend.formula.build import Builder
from descend.formula.compile import compile_expression
from descend.formula.functions import CONSTANTS
from descend.formula.symbols import Component, Parameter, number
from descend.formula.syntax import parse_expression
from descend.formula.tokens import pointed
from descend.formula.tree import Call, Name, Node, names_in
from descend.parameters.components import component, equations, with_components
from descend.parameters.constraints import Constraints
from descend.parameters.prior_distributions import PRIORS, Distribution
from descend.parameters.priors import Expressed, Prior, Priors
from descend.parameters.vector import Parameters
from descend.registry import closest

Given = Mapping[str, object] | Sequence[str] | str | None
ONE = re.compile(r"""\w+|`[^`]*`|(?:\w+|`[^`]*`)\s*\[(?:"[^"]*"|[^\]"])*\]""")
"""Matches a parameter, or one of its components."""
EXAMPLE = "Write it as `b ~ normal(0.5, 0.1)`."


def names_of(priors_given: Given) -> set[str]:
    """Return the names of parameters that have a prior as a whole, with all their components."""
    return {read_distribution(text)[0].strip("`") for text in equations(priors_given, "~")}


@lru_cache(maxsize=256)
def read_distribution(text: str) -> tuple[str, Distribution]:
    """Return the left side of a prior, and its distribution. Raises FormulaError or ConfigError.

    >>> read_distribution("b ~ student_t(3, 0, scale=log(2))")
    ('b', StudentT(df=3.0, location=0.0, scale=0.6931471805599453))
    """
    left, sign, right = (part.strip() for part in text.partition("~"))
    if not (left and sign and right):
        raise ConfigError(f"The prior `{text}` does not say which parameter has which distribution. {EXAMPLE}")
    call = parse_expression(right)
    if not isinstance(call, Call):
        raise pointed(right, call.start, call.end, "This is no distribution.", f"Known: {', '.join(PRIORS)}.")
    part = type(PRIORS.build(call.function))
    settings = [field.name for field in fields(part) if field.metadata]
    settings_given = {setting: _number(right, node) for setting, node in zip(settings, call.arguments, strict=False)}
    settings_given |= {key.name: _number(right, node) for key, node in call.named}
    if settings_given.keys() != set(settings) or len(call.arguments) + len(call.named) != len(settings):
        example = f"{part.name}({', '.join(settings)})"
        raise pointed(right, call.start, call.end, f"The prior {part.name} has other settings.", f"Write `{example}`.")
    distribution = part(**settings_given)
    low, high, _ = distribution.support
    if not low < high:
        raise ConfigError(f"The prior `{text}` leaves no room: give the smaller number first.")
    return left, distribution


def _number(text: str, node: Node) -> float:
    """Return a setting, a number or an expression of numbers."""
    value = Builder(text, (), starts=None).build(node)
    if not value.is_number:
        raise pointed(text, node.start, node.end, "A setting of a prior is a number.", EXAMPLE)
    return float(value)


def bounds_of(priors: Given) -> list[str]:
    """Return the bounds, as texts, that follow from priors whose distribution ends somewhere.

    >>> bounds_of(["b ~ lognormal(0, 1)", "c ~ uniform(-1, 2)"])
    ['0.0 < b', '-1.0 <= c <= 2.0']
    """
    bounds_texts = []
    for text in equations(priors, "~"):
        left, distribution = read_distribution(text)
        low, high, strict = distribution.support
        sign = "<" if strict else "<="
        above = f"{low!r} {sign} " if low > -math.inf else ""
        below = f" {sign} {high!r}" if high < math.inf else ""
        bounds_texts += [f"{above}{left}{below}"] if above or below else []
    return bounds_texts


def read_priors(priors: Given, parameters: Parameters, held: Constraints | None, columns: Sequence[str] = ()) -> Priors:
    """Read priors of the free parameters of a model, whose constraints are ``held``.

    columns: names that are data, which have no prior. Raises ConfigError or FormulaError.
    """
    reader = _Reader(parameters, parameters if held is None else held.parameters, held, tuple(columns))
    return Priors(tuple(map(reader.read, equations(priors, "~"))), parameters.labels)


@dataclass(frozen=True)
class _Reader:
    """Reads priors. parameters: the free ones; every: also those that are fixed or tied, as ``held`` says."""

    parameters: Parameters
    every: Parameters
    held: Constraints | None
    columns: tuple[str, ...]

    def read(self, text: str) -> Prior:
        left, distribution = read_distribution(text)
        label = component(left.strip("`"), self.every) if ONE.fullmatch(left) else left
        if label in self.parameters.shapes:
            prior_places = np.arange(self.parameters.size)[self.parameters.slices[label]]
        elif label in self.parameters.labels:
            prior_places = np.array([self.parameters.labels.index(label)])
        elif label in self.every.shapes or label in self.every.labels:
            self._refuse_held(label)
        else:
            return Prior(text, left, distribution, np.empty(0, np.intp), self._expressed(text, left, distribution))
        return Prior(text, label, distribution, prior_places)

    def _refuse_held(self, label: str) -> NoReturn:
        """Refuse a prior of what is not fitted."""
        held, name = self.held, label.partition("[")[0]
        assert held is not None
        if label in held.references:
            raise ConfigError(
                f"`{label}` is the reference, held at {held.reference_values[label]:g}, so it takes no prior. Give one "
                f"to all of `{name}`, or choose another reference."
            )
        for each in (label, name):
            if each in held.tie_texts:
                raise ConfigError(
                    f"`{each}` is tied ({each} = {held.tie_texts[each]}), so it takes no prior. Give one to what it "
                    "follows."
                )
        raise ConfigError(f"`{label}` is fixed, so it takes no prior. Leave out one of the two.")

    def _expressed(self, text: str, left: str, distribution: Distribution) -> Expressed:
        """Return the expression of parameters on the left of a prior."""
        plain, components = with_components(left, self.every)
        node = parse_expression(plain)
        for name in names_in(node):
            if name.name not in components and (name.quoted or name.name not in CONSTANTS):
                self._check(left, name)
        if distribution.support[:2] != (-math.inf, math.inf):
            raise ConfigError(
                f"The prior `{text}` is of an expression, which no bound keeps where {distribution.name} has a "
                "density. Use normal, student_t or cauchy, or give a prior to each parameter."
            )
        expression = Builder(plain, (), starts=None).build(node)
        expression = self._free(expression.xreplace({Parameter(name): each for name, each in components.items()}))
        symbols = sorted(expression.atoms(Parameter, Component), key=str)
        if not symbols:
            raise ConfigError(f"The prior `{text}` is of no parameter that is fitted. {EXAMPLE}")
        derivatives = (expression.diff(symbol) for symbol in symbols)
        functions = [compile_expression(each, tuple(symbols)) for each in (expression, *derivatives)]
        prior_places = np.array([self.parameters.labels.index(str(symbol.name)) for symbol in symbols])
        return Expressed(prior_places, functions)

    def _check(self, text: str, name: Name) -> None:
        """Refuse a name in an expression that is not one number of the model."""
        shapes = self.every.shapes
        if name.name in self.columns:
            fault = f"`{name.name}` is a column, and a prior is of parameters."
            raise pointed(text, name.start, name.end, fault, EXAMPLE)
        if name.name not in shapes:
            fault = f"`{name.name}` is not a parameter of the model.{closest(name.name, shapes)}"
            raise pointed(text, name.start, name.end, fault, f"Parameters: {', '.join(shapes)}.")
        if shapes[name.name] is not None:
            first = self.every.labels[self.every.slices[name.name].start]
            fault = f"`{name.name}` has several components, and an expression needs one of them."
            raise pointed(text, name.start, name.end, fault, f"Name it, such as `{first}`.")

    def _free(self, expression: Expr) -> Expr:
        """Return an expression of free parameters, without those that are fixed or tied."""
        constraints, substitutes = self.held, dict[Expr, Expr]()
        for symbol in () if constraints is None else expression.atoms(Parameter, Component):
            label = str(symbol.name)
            if constraints is not None and label in constraints.tied:
                substitutes[symbol] = constraints.tied[label]
            elif constraints is not None and label in constraints.fixed:
                substitutes[symbol] = number(float(np.asarray(constraints.fixed[label]).item()))
        return expression.xreplace(substitutes)
