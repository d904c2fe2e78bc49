"""What holds parameters back: fixed and tied ones, levels that are held, and how these follow from the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.errors import ConfigError
from descend.formula.compile import compile_expression
from descend.formula.printers.code import NUMPY, TORCH, Language
from descend.formula.symbols import Component, Parameter, number
from descend.parameters.bounds import Bounds
from descend.parameters.vector import Parameters, Values, listed
from descend.table.levels import ByGroup

Array = NDArray[np.float64]
Value = float | Array | ByGroup
Substitute: TypeAlias = Expr | tuple[Expr | None, ...]
"""What stands in a formula for a parameter, or for each component of a vector; None for one that is fitted."""
FIXED = "fixed"
"""Marks a value that was given rather than estimated."""
REFERENCE = "reference"
"""Marks a level that others are compared with, whose value was chosen."""
MOST_NAMED = 3
"""Parameters at a bound that a note names; the table marks all of them."""


@dataclass(frozen=True, eq=False)
class Constraints:
    """Which parameters are free, and how the others follow from them.

    parameters, free: all of them, and those that are fitted. fixed: values by name, an array for a vector; also those
    of single components such as ``w[x2]``, whose vector is still fitted while ``bounds`` pin them, and of levels such
    as ``u[A]``, which are no longer among the free components.
    references: labels of those levels that were fixed not by the user, but because they are redundant.
    tied: expressions of free parameters by name, or of free components by the label of one of groups; tie_texts: as the
    user wrote them. bounds: on the free ones.
    """

    parameters: Parameters
    free: Parameters
    fixed: Mapping[str, Value] = field(default_factory=dict)
    tied: Mapping[str, Expr] = field(default_factory=dict)
    tie_texts: Mapping[str, str] = field(default_factory=dict)
    bounds: Bounds | None = None
    references: frozenset[str] = frozenset()

    @cached_property
    def given(self) -> dict[str, Substitute]:
        """What replaces each parameter that is not free in the formula (see ``read_formula``)."""
        fixed: dict[str, Substitute] = {
            name: as_expressions(value) for name, value in self.fixed.items() if name in self.parameters.shapes
        }
        for name, free_places in self.places.items():
            components = {component: self._expression(label) for component, label in self._held(name, free_places)}
            every = range(len(self.parameters.shapes[name] or ()))
            fixed[name] = tuple(components.get(component) for component in every)
        return fixed | {name: tie for name, tie in self.tied.items() if name in self.parameters.shapes}

    def _expression(self, label: str) -> Expr:
        """Return what stands in a formula for a component that is held."""
        return self.tied[label] if label in self.tied else number(self._number(label))

    @property
    def fixed_by_user(self) -> dict[str, Value]:
        """The fixed values, but for those of references."""
        return {name: value for name, value in self.fixed.items() if name not in self.references}

    @property
    def reference_values(self) -> dict[str, float]:
        """The value of each reference, by its label."""
        return {label: self._number(label) for label in self.parameters.labels if label in self.references}

    @cached_property
    def places(self) -> dict[str, tuple[int, ...]]:
        """Of each parameter of groups of which some components are no longer fitted: the places of those that are."""
        free_places: dict[str, tuple[int, ...]] = {}
        for name, every in self.parameters.shapes.items():
            tied_or_fixed = every is not None and name not in self.fixed and name not in self.free.shapes
            labels = () if tied_or_fixed else self.free.shapes.get(name)
            if labels is not None and every is not None and len(labels) < len(every):
                number_of_label = {label: component for component, label in enumerate(every)}
                free_places[name] = tuple(number_of_label[label] for label in labels)
        return free_places

    def _held(self, name: str, free_places: tuple[int, ...]) -> list[tuple[int, str]]:
        """Return the places, and the labels, of the components of a parameter that are no longer fitted."""
        every = self.parameters.labels[self.parameters.slices[name]]
        return [(component, label) for component, label in enumerate(every) if component not in set(free_places)]

    def complete(self, values: Mapping[str, object]) -> Values:
        """Return the values of all parameters from those of the free ones: numbers, arrays or tensors."""
        language = TORCH if any(hasattr(value, "detach") for value in values.values()) else NUMPY
        every = {**values, **self.fixed}
        for name, free_places in self.places.items():
            every[name] = self._complete(name, free_places, values)
        for name, expression in self.tied.items():
            if name in self.parameters.shapes:
                every[name] = self._value(expression, values, language)
        return {name: every[name] for name in self.parameters.shapes}

    def _number(self, label: str) -> float:
        """Return the value of a component that is held."""
        return float(np.asarray(self.fixed[label]).item())

    def _complete(self, name: str, free_places: tuple[int, ...], values: Mapping[str, object]) -> object:
        """Return all components of a parameter of groups, from those that are fitted; of many fits as an array."""
        fitted = np.asarray(values[name], dtype=np.float64) if free_places else np.empty(0)
        every = self.with_held(name, fitted)
        for component, label in self._held(name, free_places):
            if label in self.tied:
                every[..., component] = self._value(self.tied[label], values)
        return every if every.ndim > 1 else Parameters({name: self.parameters.shapes[name]}).named(every)[name]

    def with_held(self, name: str, values: Array, value_of_held: float | None = None) -> Array:
        """Return all components of a parameter, (..., all of them), from those that are fitted, (..., fitted).

        value_of_held: stands for those that are not, in place of their values; NaN stands for tied ones.
        """
        free_places = self.places.get(name)
        if free_places is None:
            return values
        every = np.full((*values.shape[:-1], len(self.parameters.shapes[name] or ())), np.nan)
        every[..., list(free_places)] = values
        for component, label in self._held(name, free_places):
            if label not in self.tied:
                every[..., component] = self._number(label) if value_of_held is None else value_of_held
        return every

    def reduced(self, values: Mapping[str, object]) -> dict[str, object]:
        """Return values by name of the free parameters from such of all of them; what is one number stays that."""
        reduced_values = dict(values)
        for name, free_places in self.places.items():
            each = np.asarray(listed(values.get(name, 0.0)), dtype=np.float64)
            if each.ndim and name in values:
                reduced_values[name] = each.ravel()[list(free_places)]
        return reduced_values

    def tied_value(self, label: str, values: Mapping[str, object]) -> float:
        """Return the value of a tied parameter or component, from those of the free ones, by name or by label."""
        return float(np.asarray(self._value(self.tied[label], values)).item())

    def _value(self, expression: Expr, values: Mapping[str, object], language: Language = NUMPY) -> Value:
        symbols = tuple(sorted(expression.atoms(Parameter, Component), key=str))
        function = compile_expression(expression, symbols, language)
        with np.errstate(all="ignore"):
            value = function(*(self.of_free(symbol.name, values) for symbol in symbols))
        return float(value) if language is NUMPY and np.ndim(value) == 0 and np.isrealobj(value) else value

    def jacobian(self, theta: Array) -> Array:
        """Return (parameters, free): the derivative of every component by every free one, zero for fixed ones."""
        result = np.zeros((self.parameters.size, self.free.size))
        values = self.free.named(theta)
        for name, theta_slice in self.parameters.slices.items():
            if name in self.free.shapes:
                free = self.free.slices[name]
                free_places = self.places.get(name, tuple(range(free.stop - free.start)))
                result[theta_slice.start + np.array(free_places, dtype=np.intp), np.arange(free.start, free.stop)] = 1.0
        rows = {label: row for row, label in enumerate(self.parameters.labels)} if self.tied else {}
        for label in self.tied:
            for tied_to, slope in self._slopes(label, values).items():
                result[rows[label], tied_to] = slope
        return result

    def of_free(self, label: str, values: Mapping[str, object]) -> object:
        """Return the value of a free parameter or component, from those by name or by label, free ones or all."""
        if label in values:
            return values[label]
        name = label.partition("[")[0]
        each, labels = np.asarray(values[name], dtype=np.float64), self.free.labels[self.free.slices[name]]
        each = each.ravel() if isinstance(values[name], Mapping) else each
        if each.shape[-1] != len(labels):
            labels = self.parameters.labels[self.parameters.slices[name]]
        return each[..., labels.index(label)]

    def slopes(self, name: str, theta: Array) -> dict[int, float]:
        """Return the derivatives of a tied parameter by the free components that it depends on, by their place."""
        return self._slopes(name, self.free.named(theta))

    def _slopes(self, name: str, values: Mapping[str, object]) -> dict[int, float]:
        tie = self.tied[name]
        symbols = sorted(tie.atoms(Parameter, Component), key=str)
        return {self.free.labels.index(symbol.name): self._slope(tie.diff(symbol), values) for symbol in symbols}

    def _slope(self, derivative: Expr, values: Mapping[str, object]) -> float:
        return float(np.asarray(self._value(derivative, values)).item())

    def standard_errors(self, theta: Array, covariance: Array) -> Values:
        """Return standard errors of all parameters from the covariance of the free ones, by the delta method.

        With K the derivatives of all by the free ones: the square roots of the diagonal of K C K'. NaN where a
        component depends on no parameter that can move.
        """
        jacobian = self.jacobian(theta)
        moving = np.ones(self.free.size, dtype=bool) if self.bounds is None else ~self.bounds.held(theta)
        with np.errstate(invalid="ignore"):
            errors = np.sqrt(np.einsum("ij,jk,ik->i", jacobian, covariance, jacobian))
        errors[~((jacobian != 0.0) & moving).any(axis=1)] = np.nan
        return self.parameters.named(errors)

    def errors_of_tied(self, values: Mapping[str, Array], errors: Mapping[str, Array]) -> dict[str, Array]:
        """Return the standard errors of many fits of those parameters that are tied to one free parameter each.

        values, errors: of the free ones, by name. Each error is that of the other times the slope.
        """
        errors_by_name = {}
        for name, expression in self.tied.items():
            symbols = list(expression.atoms(Parameter, Component))
            if len(symbols) == 1 and symbols[0].name in errors:
                slope = self._value(expression.diff(symbols[0]), values)
                errors_by_name[name] = np.abs(slope) * errors[symbols[0].name]
        return errors_by_name

    def mark(self, label: str, theta: Array) -> str:
        """Say in a few words what holds a component: ``fixed``, ``= 2*b1``, ``at its bound``; empty if nothing."""
        name = label.partition("[")[0]
        if label in self.references:
            return REFERENCE
        if name in self.fixed or label in self.fixed:
            return FIXED
        if label in self.tied:
            return f"= {self.tie_texts.get(label) or self.tie_texts[name]}"
        return "at its bound" if label in self.at_bound(theta) else ""

    def note(self, theta: Array) -> str | None:
        """Say which parameters lie at a bound, and what follows for standard errors; None if none does."""
        labels = self.at_bound(theta)
        if not labels:
            return None
        at = dict(zip(self.free.labels, theta.tolist(), strict=True))
        named = [f"`{label}` is at its bound {at[label]:g}" for label in labels[:MOST_NAMED]]
        if len(labels) > MOST_NAMED:
            named.append(f"{len(labels) - MOST_NAMED} more are at theirs")
        they, it = ("it has no standard error", "it") if len(labels) == 1 else ("they have no standard errors", "them")
        others_text = f", and those of the others are with {it} held there" if len(labels) < self.free.size else ""
        return f"{', '.join(named)}; {they}{others_text}"

    def at_bound(self, theta: Array) -> list[str]:
        """Return the labels of the components that lie at a bound without being fixed there."""
        if self.bounds is None:
            return []
        return [self.free.labels[place] for place in np.flatnonzero(self.bounds.held(theta) & ~self.bounds.pinned)]

    def standing(self, theta: Array) -> int:
        """Return how many components of theta lie at a bound or are fixed."""
        return 0 if self.bounds is None else int(np.count_nonzero(self.bounds.held(theta)))


def narrowed(
    constraints: Constraints | None, parameters: Parameters, within: Mapping[str, tuple[float, float]]
) -> Constraints:
    """Return constraints that also keep parameters, by name, between two numbers."""
    free = parameters if constraints is None else constraints.free
    low, high = np.full(free.size, -np.inf), np.full(free.size, np.inf)
    strict = np.zeros((2, free.size), dtype=bool)
    if constraints is not None and constraints.bounds is not None:
        low, high, strict = constraints.bounds.low.copy(), constraints.bounds.high.copy(), constraints.bounds.strict
    for name, (lowest, most) in within.items():
        component = free.slices[name].start
        low[component], high[component] = max(low[component], lowest), min(high[component], most)
    bounds = Bounds(free.labels, low, high, strict, np.zeros_like(strict))
    return Constraints(free, free, bounds=bounds) if constraints is None else replace(constraints, bounds=bounds)


def refuse_starts(constraints: Constraints, names_started: Iterable[str]) -> None:
    """Refuse starting values of parameters that are not free. Raises ConfigError."""
    for name in names_started:
        if name in constraints.fixed or name in constraints.tie_texts:
            held_word = "fixed" if name in constraints.fixed else f"tied ({name} = {constraints.tie_texts[name]})"
            raise ConfigError(f"`{name}` is {held_word}, so it takes no start. Leave out one of the two.")


def as_expressions(value: Value) -> Substitute:
    """Return a value as what stands for it in a formula."""
    expressions = tuple(number(float(component_value)) for component_value in np.ravel(np.asarray(value)))
    return expressions if np.ndim(value) else expressions[0]
