"""Fixed and tied parameters: what is left to fit once they are put into the formula, and how they follow from that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from sympy import Expr

from descend.errors import ConfigError
from descend.formula.build import Builder
from descend.formula.functions import CONSTANTS
from descend.formula.names import not_a_parameter
from descend.formula.printers.code import plain_name
from descend.formula.symbols import Parameter
from descend.formula.syntax import names_in, parse_assignment
from descend.formula.tokens import pointed
from descend.formula.tree import Name, Node
from descend.parameters.bounds import Given as Bounded
from descend.parameters.bounds import read_bounds
from descend.parameters.constraints import Constraints, Substitute, Value, as_expressions
from descend.parameters.given import spelled_out
from descend.parameters.vector import Parameters
from descend.registry import closest
from descend.table.levels import GroupLabels

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
    tied, texts = _read_ties(parameters, fixed, ties, tuple(columns))
    free = Parameters(
        {
            name: _still_fitted(name, labels, pinned) if parameters.size <= MANY_OF_GROUPS else labels
            for name, labels in parameters.shapes.items()
            if name not in fixed and name not in tied
        }
    )
    if not free.shapes:
        raise ConfigError("There is nothing to fit: every parameter is fixed or tied. Leave one of them free.")
    why_not = dict.fromkeys((*fixed, *pinned), ("fixed", "Leave out one of the two."))
    why_not |= {name: (f"tied ({name} = {text})", _instead(tied[name])) for name, text in texts.items()}
    read = read_bounds(
        bounds, free, parameters, why_not, {label: pinned[label] for label in free.labels if label in pinned}
    )
    return Constraints(parameters, free, {**fixed, **pinned}, tied, texts, read, frozenset(references or ()))


def _still_fitted(name: str, labels: tuple[str, ...] | None, pinned: Mapping[str, float]) -> tuple[str, ...] | None:
    """Return the labels of the components of a parameter that are fitted, where levels of one of groups are held."""
    if not isinstance(labels, GroupLabels) or not any(f"{name}[{label}]" in pinned for label in labels):
        return labels
    return tuple(label for label in labels if f"{name}[{label}]" not in pinned)


def _read_fixed(parameters: Parameters, fix: Mapping[str, object]) -> tuple[dict[str, Value], dict[str, float]]:
    """Return the values of whole parameters, and those of single components of vectors."""
    fixed: dict[str, Value] = {}
    parts: dict[str, dict[str, float]] = {}
    fix = spelled_out(fix, parameters)
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
        each = np.broadcast_to(np.ravel(array), (1 if labels is None else len(labels),))
        fixed[name] = parameters.shaped(name, each)
    pinned: dict[str, float] = {}
    for vector, values in parts.items():
        labels = parameters.labels[parameters.slices[vector]]
        if len(values) == len(labels):
            fixed[vector] = parameters.shaped(vector, np.array([values[label] for label in labels]))
        else:
            pinned |= values
    return fixed, pinned


def _instead(tie: Expr) -> str:
    """Say what to bound in place of a tied parameter."""
    names = sorted(symbol.name for symbol in tie.atoms(Parameter))
    named = " and ".join(f"`{name}`" for name in names)
    return f"Bound {named} instead, which it follows." if names else "Leave out one of the two."


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
    given: dict[str, Substitute] = {name: as_expressions(value) for name, value in fixed.items()}
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
