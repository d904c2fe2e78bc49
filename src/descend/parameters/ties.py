"""Fixed and tied parameters: what is left to fit once they are put into the formula, and how they follow from that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.errors import ConfigError
from descend.formula.build import Builder
from descend.formula.compile import compile_expression
from descend.formula.functions import CONSTANTS
from descend.formula.names import not_a_parameter
from descend.formula.printers.code import NUMPY, TORCH, Language, plain_name
from descend.formula.symbols import Parameter, number
from descend.formula.syntax import names_in, parse_assignment
from descend.formula.tokens import pointed
from descend.formula.tree import Name, Node
from descend.parameters.bounds import Bounds, read_bounds
from descend.parameters.bounds import Given as Bounded
from descend.parameters.vector import Parameters, Values
from descend.registry import closest

Array = NDArray[np.float64]
Value = float | Array
Substitute: TypeAlias = Expr | tuple[Expr, ...]
"""What stands in a formula for a parameter, or for each component of a vector."""
Ties = Mapping[str, object] | Sequence[str] | str | None
FIXED = "fixed"
"""Marks a value that was given rather than estimated."""
EXAMPLE = "Write it as `b2 = 2*b1`."
COMPONENT = "A component of a vector can be fixed or bounded, but neither tied nor tied to."
ITS_OWN = "Take its column out of the list, and write it as a parameter of its own."
MOST_NAMED = 3
"""Parameters at a bound that a note names; the table marks all of them."""


@dataclass(frozen=True, eq=False)
class Constraints:
    """Which parameters are free, and how the others follow from them.

    parameters, free: all of them, and those that are fitted. fixed: values by name, an array for a vector; also those
    of single components such as ``w[x2]``, whose vector is still fitted while ``bounds`` pin them.
    tied: expressions of free parameters by name; tie_texts: as the user wrote them. bounds: on the free ones.
    """

    parameters: Parameters
    free: Parameters
    fixed: Mapping[str, Value] = field(default_factory=dict)
    tied: Mapping[str, Expr] = field(default_factory=dict)
    tie_texts: Mapping[str, str] = field(default_factory=dict)
    bounds: Bounds | None = None

    @cached_property
    def given(self) -> dict[str, Substitute]:
        """What replaces each parameter that is not free in the formula (see ``read_formula``)."""
        fixed = {name: _numbers(value) for name, value in self.fixed.items() if name in self.parameters.shapes}
        return fixed | dict(self.tied)

    def complete(self, values: Mapping[str, object]) -> Values:
        """Return the values of all parameters from those of the free ones: numbers, arrays or tensors."""
        language = TORCH if any(hasattr(value, "detach") for value in values.values()) else NUMPY
        every = {**values, **self.fixed}
        for name, expression in self.tied.items():
            every[name] = self._value(expression, values, language)
        return {name: every[name] for name in self.parameters.shapes}

    def _value(self, expression: Expr, values: Mapping[str, object], language: Language = NUMPY) -> Value:
        symbols = tuple(sorted(expression.atoms(Parameter), key=str))
        function = compile_expression(expression, symbols, language)
        with np.errstate(all="ignore"):
            value = function(*(values[symbol.name] for symbol in symbols))
        return float(value) if language is NUMPY and np.ndim(value) == 0 and np.isrealobj(value) else value

    def jacobian(self, theta: Array) -> Array:
        """Return (parameters, free): the derivative of every component by every free one, zero for fixed ones."""
        result = np.zeros((self.parameters.size, self.free.size))
        values = self.free.named(theta)
        for name, place in self.parameters.slices.items():
            if name in self.free.shapes:
                own = self.free.slices[name]
                result[place, own] = np.eye(own.stop - own.start)
            if name in self.tied:
                for other, slope in self._slopes(name, values).items():
                    result[place.start, other] = slope
        return result

    def slopes(self, name: str, theta: Array) -> dict[int, float]:
        """Return the derivatives of a tied parameter by the free components that it depends on, by their place."""
        return self._slopes(name, self.free.named(theta))

    def _slopes(self, name: str, values: Mapping[str, object]) -> dict[int, float]:
        tie = self.tied[name]
        symbols = sorted(tie.atoms(Parameter), key=str)
        return {self.free.slices[symbol.name].start: float(self._value(tie.diff(symbol), values)) for symbol in symbols}

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
        found = {}
        for name, expression in self.tied.items():
            symbols = list(expression.atoms(Parameter))
            if len(symbols) == 1:
                slope = self._value(expression.diff(symbols[0]), values)
                found[name] = np.abs(slope) * errors[symbols[0].name]
        return found

    def mark(self, label: str, theta: Array) -> str:
        """Say in a few words what holds a component: ``fixed``, ``= 2*b1``, ``at its bound``; empty if nothing."""
        name = label.partition("[")[0]
        if name in self.fixed or label in self.fixed:
            return FIXED
        if name in self.tied:
            return f"= {self.tie_texts[name]}"
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
        others = f", and those of the others are with {it} held there" if len(labels) < self.free.size else ""
        return f"{', '.join(named)}; {they}{others}"

    def at_bound(self, theta: Array) -> list[str]:
        """Return the labels of the components that lie at a bound without being fixed there."""
        if self.bounds is None:
            return []
        return [self.free.labels[place] for place in np.flatnonzero(self.bounds.held(theta) & ~self.bounds.pinned)]

    def standing(self, theta: Array) -> int:
        """Return how many components of theta lie at a bound or are fixed."""
        return 0 if self.bounds is None else int(np.count_nonzero(self.bounds.held(theta)))


def narrowed(
    held: Constraints | None, parameters: Parameters, within: Mapping[str, tuple[float, float]]
) -> Constraints:
    """Return constraints that also keep parameters, by name, between two numbers."""
    free = parameters if held is None else held.free
    low, high = np.full(free.size, -np.inf), np.full(free.size, np.inf)
    strict = np.zeros((2, free.size), dtype=bool)
    if held is not None and held.bounds is not None:
        low, high, strict = held.bounds.low.copy(), held.bounds.high.copy(), held.bounds.strict
    for name, (least, most) in within.items():
        place = free.slices[name].start
        low[place], high[place] = max(low[place], least), min(high[place], most)
    bounds = Bounds(free.labels, low, high, strict, np.zeros_like(strict))
    return Constraints(free, free, bounds=bounds) if held is None else replace(held, bounds=bounds)


def mentioned(fix: Mapping[str, object] | None, ties: Ties, bounds: Bounded) -> set[str]:
    """Return the names in constraints, which a formula then takes for parameters, whatever they look like."""
    if not (fix or ties or bounds):
        return set()
    names = {name.partition("[")[0] for name in fix or ()}
    for given in (ties, bounds):
        texts = [given] if isinstance(given, str) else given or ()
        names |= {name for text in texts for name in re.findall(r"[^\W\d]\w*", str(text))}
    return names


def constrained(
    parameters: Parameters,
    fix: Mapping[str, object] | None,
    ties: Ties,
    bounds: Bounded,
    columns: Iterable[str] = (),
) -> Constraints | None:
    """Read the constraints on parameters; None if there are none.

    fix: values by name: of a scalar, of a vector (one number, or one per component), or of one component, ``w[x2]``.
    ties: ``{"b2": "2*b1"}`` or ``["b2 = 2*b1"]``. bounds: see ``read_bounds``. columns: names that are data.

    Raises ConfigError or FormulaError.
    """
    if not (fix or ties or bounds):
        return None
    fixed, pinned = _read_fixed(parameters, fix or {})
    tied, texts = _read_ties(parameters, fixed, ties, tuple(columns))
    free = Parameters(
        {name: labels for name, labels in parameters.shapes.items() if name not in fixed and name not in tied}
    )
    if not free.shapes:
        raise ConfigError("There is nothing to fit: every parameter is fixed or tied. Leave one of them free.")
    why_not = dict.fromkeys((*fixed, *pinned), ("fixed", "Leave out one of the two."))
    why_not |= {name: (f"tied ({name} = {text})", _instead(tied[name])) for name, text in texts.items()}
    read = read_bounds(bounds, free, parameters, why_not, pinned)
    return Constraints(parameters, free, {**fixed, **pinned}, tied, texts, read)


def refuse_starts(constraints: Constraints, given: Iterable[str]) -> None:
    """Refuse starting values of parameters that are not free. Raises ConfigError."""
    for name in given:
        if name in constraints.fixed or name in constraints.tied:
            held = "fixed" if name in constraints.fixed else f"tied ({name} = {constraints.tie_texts[name]})"
            raise ConfigError(f"`{name}` is {held}, so it takes no start. Leave out one of the two.")


def _read_fixed(parameters: Parameters, fix: Mapping[str, object]) -> tuple[dict[str, Value], dict[str, float]]:
    """Return the values of whole parameters, and those of single components of vectors."""
    fixed: dict[str, Value] = {}
    parts: dict[str, dict[str, float]] = {}
    for name, value in fix.items():
        vector = name.partition("[")[0]
        if name not in parameters.shapes and name in parameters.labels:
            if vector in fix:
                raise ConfigError(f"`{name}` is fixed by itself and with all of `{vector}`. Leave out one of the two.")
            number_of = Parameters({name: None}).checked(name, value, "fixed value")
            parts.setdefault(vector, {})[name] = float(number_of)
            continue
        if name not in parameters.shapes:
            known = parameters.labels if vector in parameters.shapes else tuple(parameters.shapes)
            raise ConfigError(
                not_a_parameter(name, "fixed")
                or f"There is no parameter `{name}` to fix.{closest(name, known)} Parameters: {', '.join(known)}."
            )
        labels, array = parameters.shapes[name], parameters.checked(name, value, "fixed value")
        fixed[name] = float(array) if labels is None else np.array(np.broadcast_to(array, (len(labels),)))
    pinned: dict[str, float] = {}
    for vector, values in parts.items():
        labels = parameters.labels[parameters.slices[vector]]
        if len(values) == len(labels):
            fixed[vector] = np.array([values[label] for label in labels])
        else:
            pinned |= values
    return fixed, pinned


def _instead(tie: Expr) -> str:
    """Say what to bound in place of a tied parameter."""
    names = sorted(symbol.name for symbol in tie.atoms(Parameter))
    named = " and ".join(f"`{name}`" for name in names)
    return f"Bound {named} instead, which it follows." if names else "Leave out one of the two."


def _numbers(value: Value) -> Substitute:
    parts = tuple(number(float(part)) for part in np.atleast_1d(value))
    return parts if np.ndim(value) else parts[0]


@dataclass(frozen=True)
class _Tie:
    text: str
    name: Name
    node: Node

    @property
    def right(self) -> str:
        return self.text[self.node.start : self.node.end].strip()

    def fail(self, node: Node, fault: str, next_step: str) -> NoReturn:
        raise pointed(self.text, node.start, node.end, fault, next_step)


def _read_ties(
    parameters: Parameters, fixed: Mapping[str, Value], ties: Ties, columns: tuple[str, ...]
) -> tuple[dict[str, Expr], dict[str, str]]:
    """Return the expression of each tie, in free parameters only, and its text."""
    found: dict[str, _Tie] = {}
    for text in texts_of(ties):
        for one in re.finditer(r"(\w+)\s*\[[^\]]*\]?", text):
            if one[1] in parameters.shapes:
                raise pointed(text, one.start(), one.end(), COMPONENT, ITS_OWN)
        name, index, node = parse_assignment(text, "b2 = 2*b1")
        tie = _Tie(text, name, node)
        _check(tie, index is not None, parameters, columns)
        if name.name in fixed:
            tie.fail(name, f"`{name.name}` is both fixed and tied.", "Leave out one of the two.")
        if name.name in found:
            tie.fail(name, f"`{name.name}` is tied twice.", "Tie it once.")
        found[name.name] = tie
    given: dict[str, Substitute] = {name: _numbers(value) for name, value in fixed.items()}
    for tied in found:
        _resolve(tied, found, given, ())
    return {name: given[name] for name in found}, {name: tie.right for name, tie in found.items()}


def texts_of(ties: Ties) -> list[str]:
    """Return equations as texts, ``b2 = 2*b1``, of one text, several, or right sides by name."""
    if isinstance(ties, Mapping):
        return [f"{plain_name(name)} = {text}" for name, text in ties.items()]
    return [ties] if isinstance(ties, str) else [str(text) for text in ties or ()]


def _check(tie: _Tie, indexed: bool, parameters: Parameters, columns: tuple[str, ...]) -> None:
    """Refuse names on either side that are not scalar parameters."""
    if indexed:
        tie.fail(tie.name, COMPONENT, ITS_OWN)
    for name in (tie.name, *names_in(tie.node)):
        if name.name in CONSTANTS and not name.quoted and name is not tie.name:
            continue
        if name.name in columns:
            fault = f"`{name.name}` is a column, and a tie holds parameters and numbers only."
            tie.fail(name, fault, "Write what differs from row to row into the formula.")
        if name.name not in parameters.shapes:
            fault = f"`{name.name}` is not a parameter of the model.{closest(name.name, parameters.shapes)}"
            tie.fail(name, fault, f"Parameters: {', '.join(parameters.shapes)}.")
        if parameters.shapes[name.name] is not None:
            tie.fail(name, f"`{name.name}` is a vector, and only single parameters are tied.", EXAMPLE)


def _resolve(name: str, found: Mapping[str, _Tie], given: dict[str, Substitute], above: tuple[str, ...]) -> None:
    """Put the expression of one tie into ``given``, after those of the ties it depends on."""
    if name in given:
        return
    tie = found[name]
    for other in names_in(tie.node):
        if other.name in CONSTANTS and not other.quoted:
            continue
        if other.name in (*above, name):
            chain = " -> ".join((*above[above.index(other.name) if other.name in above else len(above) :], name))
            tie.fail(other, f"`{other.name}` is tied to itself: {chain} -> {other.name}.", "Leave one of them free.")
        if other.name in found:
            _resolve(other.name, found, given, (*above, name))
    builder = Builder(tie.text, (), starts=None)
    builder.given = given
    given[name] = builder.build(tie.node)
