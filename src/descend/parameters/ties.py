"""Fixed and tied parameters: what is left to fit once they are put into the formula, and how they follow from that."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

import numpy as np
from sympy import Expr

from descend.errors import ConfigError
from descend.formula.build import Builder
from descend.formula.functions import CONSTANTS
from descend.formula.names import not_a_parameter
from descend.formula.symbols import Component, Parameter
from descend.formula.syntax import parse_assignment
from descend.formula.tokens import pointed
from descend.formula.tree import Name, Node, names_in
from descend.parameters.bounds import Given as Bounded
from descend.parameters.bounds import read_bounds
from descend.parameters.components import equations, spelled_out, with_components
from descend.parameters.constraints import Constraints, Value, as_expressions
from descend.parameters.vector import Parameters
from descend.registry import closest

Ties = Mapping[str, object] | Sequence[str] | str | None
EXAMPLE = "Write it as `b2 = 2*b1`."
COMPONENT = "A component of a vector can be fixed or bounded, but neither tied nor tied to."
ITS_OWN = "Take its column out of the list, and write it as a parameter of its own."
MANY_OF_GROUPS = 200
"""Parameters above which a formula with parameters per group is summed as an arrow (``engines.arrow``): the one place
where that is decided. With fewer, they form a vector, each multiplied by whether a row is in its group.

Then levels that are held leave the vector; otherwise they are components that stay where they are.
"""


def mentioned(fix: Mapping[str, object] | None, ties: Ties, bounds: Bounded) -> set[str]:
    """Return the names in constraints, which a formula then takes for parameters, whatever they look like."""
    if not (fix or ties or bounds):
        return set()
    names = {name.partition("[")[0] for name in fix or ()}
    for option_given in (ties, bounds):
        texts = [option_given] if isinstance(option_given, str) else option_given or ()
        names |= {name for text in texts for name in re.findall(r"[^\W\d]\w*", str(text))}
    return names


def constrained(
    parameters: Parameters,
    fix: Mapping[str, object] | None,
    ties: Ties,
    bounds: Bounded,
    columns: Iterable[str] = (),
    references: Mapping[str, float] | None = None,
) -> Constraints | None:
    """Read the constraints on parameters; None if there are none.

    fix: values by name: of a scalar, of a vector (one number, or one per component), or of one component, ``w[x2]``.
    ties: ``{"b2": "2*b1"}`` or ``["b2 = 2*b1"]``. bounds: see ``read_bounds``. columns: names that are data.
    references: components to be held at a value beside those that the user fixes.

    Raises ConfigError or FormulaError.
    """
    if not (fix or ties or bounds or references):
        return None
    fixed, pinned = _read_fixed(parameters, {**(fix or {}), **(references or {})})
    tied, texts = _read_ties(parameters, {**fixed, **pinned}, ties, tuple(columns))
    if parameters.size > MANY_OF_GROUPS and (by_group := next((label for label in tied if "[" in label), None)):
        raise ConfigError(
            f"`{by_group}` cannot be tied: with more than {MANY_OF_GROUPS} parameters, those of groups cannot follow "
            "each other. Write what they share as a parameter without brackets."
        )
    some_held = parameters.groups if parameters.size <= MANY_OF_GROUPS else {}
    every = {
        name: _still_fitted(name, some_held[name], {*pinned, *tied}) if name in some_held else labels
        for name, labels in parameters.shapes.items()
        if name not in fixed and name not in tied
    }
    free = Parameters({name: labels for name, labels in every.items() if labels != ()})
    if not free.shapes:
        raise ConfigError("There is nothing to fit: every parameter is fixed or tied. Leave one of them free.")
    why_not = dict.fromkeys((*fixed, *pinned), ("fixed", "Leave out one of the two."))
    first = {name: tied.get(name) or next(tie for label, tie in tied.items() if _is_of(label, name)) for name in texts}
    why_not |= {name: (f"tied ({name} = {text})", _instead(first[name])) for name, text in texts.items()}
    bounds_read = read_bounds(
        bounds, free, parameters, why_not, {label: pinned[label] for label in free.labels if label in pinned}
    )
    return Constraints(parameters, free, {**fixed, **pinned}, tied, texts, bounds_read, frozenset(references or ()))


def _is_of(label: str, name: str) -> bool:
    return label.partition("[")[0] == name


def _still_fitted(name: str, labels: tuple[str, ...], held_names: Collection[str]) -> tuple[str, ...]:
    """Return the labels of the components of a parameter of groups that are fitted, where some are held."""
    if not any(f"{name}[{label}]" in held_names for label in labels):
        return labels
    return tuple(label for label in labels if f"{name}[{label}]" not in held_names)


def _read_fixed(parameters: Parameters, fix: Mapping[str, object]) -> tuple[dict[str, Value], dict[str, float]]:
    """Return the values of whole parameters, and those of single components of vectors."""
    fixed: dict[str, Value] = {}
    fixed_parts: dict[str, dict[str, float]] = {}
    fix = spelled_out(fix, parameters)
    for name, value in fix.items():
        vector = name.partition("[")[0]
        if name not in parameters.shapes and name in parameters.labels:
            if vector in fix:
                raise ConfigError(f"`{name}` is fixed by itself and with all of `{vector}`. Leave out one of the two.")
            number_of = Parameters({name: None}).checked(name, value, "fixed value")
            fixed_parts.setdefault(vector, {})[name] = float(number_of)
            continue
        if name not in parameters.shapes:
            vectors = parameters.labels if vector in parameters.shapes else tuple(parameters.shapes)
            raise ConfigError(
                not_a_parameter(name, "fixed")
                or f"There is no parameter `{name}` to fix.{closest(name, vectors)} Parameters: {', '.join(vectors)}."
            )
        labels, array = parameters.shapes[name], parameters.checked(name, value, "fixed value")
        each = np.broadcast_to(np.ravel(array), (1 if labels is None else len(labels),))
        fixed[name] = parameters.shaped(name, each)
    pinned: dict[str, float] = {}
    for vector, values in fixed_parts.items():
        labels = parameters.labels[parameters.slices[vector]]
        if len(values) == len(labels):
            fixed[vector] = parameters.shaped(vector, np.array([values[label] for label in labels]))
        else:
            pinned |= values
    return fixed, pinned


def _instead(tie: Expr) -> str:
    """Say what to bound in place of a tied parameter."""
    names = sorted(symbol.name for symbol in tie.atoms(Parameter, Component))
    named = " and ".join(f"`{name}`" for name in names)
    return f"Bound {named} instead, which it follows." if names else "Leave out one of the two."


@dataclass(frozen=True)
class _Tie:
    """A tie of one parameter or component. components: those behind some names in the tree."""

    text: str
    name: Name
    node: Node
    components: Mapping[str, Expr]

    @property
    def right(self) -> str:
        return self.text[self.node.start : self.node.end].strip()

    def label(self, name: str) -> str:
        """Return the parameter or component that a name in the tree means."""
        return str(self.components[name].name) if name in self.components else name

    def fail(self, node: Node, fault: str, next_step: str) -> NoReturn:
        raise pointed(self.text, node.start, node.end, fault, next_step)


def _read_ties(
    parameters: Parameters, fixed: Mapping[str, Value], ties: Ties, columns: tuple[str, ...]
) -> tuple[dict[str, Expr], dict[str, str]]:
    """Return the expression of each tie, in free parameters and components only, and the texts as they were given."""
    ties_found: dict[str, _Tie] = {}
    texts: dict[str, str] = {}
    for text in equations(ties, "="):
        for component in re.finditer(r"(\w+)\s*\[[^\]]*\]?", text):
            if component[1] in parameters.shapes.keys() - parameters.groups.keys():
                raise pointed(text, component.start(), component.end(), COMPONENT, ITS_OWN)
        plain, components = with_components(text, parameters)
        name, index, node = parse_assignment(plain, "b2 = 2*b1")
        tie = _Tie(text, name, node, components)
        _check(tie, index is not None, parameters, columns)
        left = tie.label(name.name)
        texts[left] = tie.right
        for label, each in _of_each_group(tie, parameters).items():
            if label in fixed or label.partition("[")[0] in fixed:
                tie.fail(name, f"`{label}` is both fixed and tied.", "Leave out one of the two.")
            if label in ties_found:
                tie.fail(name, f"`{label}` is tied twice.", "Tie it once.")
            ties_found[label] = each
    values_fixed = _values(parameters, fixed)
    for tied in ties_found:
        _resolve(tied, ties_found, values_fixed, ())
    return {label: values_fixed[label] for label in ties_found}, texts


def _of_each_group(tie: _Tie, parameters: Parameters) -> dict[str, _Tie]:
    """Return the tie itself, or, of a parameter of groups that is tied to others of the same groups, one for each."""
    name = tie.label(tie.name.name)
    labels = parameters.shapes.get(name)
    if labels is None:
        return {name: tie}
    other_names = {each.name for each in names_in(tie.node) if parameters.shapes.get(each.name) is not None}
    return {
        f"{name}[{end}]": replace(
            tie, components={**tie.components, **{other: Component(f"{other}[{end}]") for other in other_names}}
        )
        for end in labels
    }


def _values(parameters: Parameters, fixed: Mapping[str, Value]) -> dict[str, Expr]:
    """Return what stands for fixed parameters, and for the components of those of groups."""
    fixed_values: dict[str, Expr] = {}
    for name, value in fixed.items():
        expressions = as_expressions(value)
        if isinstance(expressions, tuple):
            labels = parameters.labels[parameters.slices[name]]
            fixed_values |= {label: each for label, each in zip(labels, expressions, strict=True) if each is not None}
        else:
            fixed_values[name] = expressions
    return fixed_values


def _check(tie: _Tie, indexed: bool, parameters: Parameters, columns: tuple[str, ...]) -> None:
    """Refuse names on either side that are not scalar parameters."""
    if indexed:
        tie.fail(tie.name, COMPONENT, ITS_OWN)
    left = parameters.shapes.get(tie.name.name)
    for name in (tie.name, *names_in(tie.node)):
        if name.name in tie.components or (name.name in CONSTANTS and not name.quoted and name is not tie.name):
            continue
        if name.name in columns:
            fault = f"`{name.name}` is a column, and a tie holds parameters and numbers only."
            tie.fail(name, fault, "Write what differs from row to row into the formula.")
        if name.name not in parameters.shapes:
            fault = f"`{name.name}` is not a parameter of the model.{closest(name.name, parameters.shapes)}"
            tie.fail(name, fault, f"Parameters: {', '.join(parameters.shapes)}.")
        labels, of_groups = parameters.shapes[name.name], name.name in parameters.groups
        if labels is not None and of_groups and labels != left:
            fault = f"`{name.name}` has a value for each group, and what it is tied with has not the same groups."
            tie.fail(name, fault, f"Name the value of one group, such as `{name.name}[{labels[0]}]`.")
        if labels is not None and not of_groups:
            tie.fail(name, f"`{name.name}` is a vector, and only single parameters are tied.", EXAMPLE)


def _resolve(label: str, ties_known: Mapping[str, _Tie], values_fixed: dict[str, Expr], above: tuple[str, ...]) -> None:
    """Put the expression of one tie into ``values_fixed``, after those of the ties it depends on."""
    if label in values_fixed:
        return
    tie = ties_known[label]
    tied_expressions: dict[Expr, Expr] = {}
    for name in names_in(tie.node):
        if name.name in CONSTANTS and not name.quoted:
            continue
        other_label = tie.label(name.name)
        if other_label in (*above, label):
            chain = " -> ".join((*above[above.index(other_label) if other_label in above else len(above) :], label))
            tie.fail(name, f"`{other_label}` is tied to itself: {chain} -> {other_label}.", "Leave one of them free.")
        if other_label in ties_known:
            _resolve(other_label, ties_known, values_fixed, (*above, label))
        symbol = tie.components.get(name.name, Parameter(name.name))
        tied_expressions[Parameter(name.name)] = values_fixed.get(other_label, symbol)
    built = Builder(tie.text, (), starts=None).build(tie.node)
    values_fixed[label] = built.xreplace(tied_expressions)
