"""Bounds on parameters: read from text or numbers, kept beside the flat vector theta."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError, FormulaError
from descend.formula.build import Builder
from descend.formula.names import not_a_parameter
from descend.formula.syntax import parse_expression
from descend.formula.tokens import pointed
from descend.parameters.components import component, spelled_out
from descend.parameters.vector import Parameters
from descend.registry import closest

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
IN_BRACKETS = re.compile(r"""\[(?:"[^"]*"|[^\]"])*\]""")
RELATION = re.compile(r"<=|>=|≤|≥|<|>")
NEARER = 0.9
"""Largest step towards a bound where J is not finite, as a share of the distance."""
GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0
EXAMPLE = 'Write it as "b > 0" or "0 <= c <= 1".'


@dataclass(frozen=True, eq=False)
class Bounds:
    """low <= theta <= high, component by component; infinite where there is no bound.

    labels: of the components. strict: (2, p), whether low, and high, is itself excluded; the descent includes it all
    the same, as the nearest value inside differs from it by rounding only.
    barred: (2, p), where J is not finite at the bound itself, so that steps come nearer but never reach it.

    >>> bounds = Bounds(("b",), np.zeros(1), np.ones(1), np.zeros((2, 1), bool), np.zeros((2, 1), bool))
    >>> bounds.project(np.array([-2.0]), theta_here=np.array([0.5]))
    array([0.])
    """

    labels: tuple[str, ...]
    low: Array
    high: Array
    strict: Mask
    barred: Mask

    @property
    def pinned(self) -> Mask:
        """Mark the components that are fixed: those whose two bounds are equal."""
        same: Mask = self.low == self.high
        return same

    def room(self, theta_here: Array) -> tuple[Array, Array]:
        """Return the least and the largest move of each component from ``theta_here``."""
        share = np.where(self.barred, NEARER, 1.0)
        return share[0] * (self.low - theta_here), share[1] * (self.high - theta_here)

    def moved(self, here: Array, move: Array) -> Array:
        """Return here + move, exactly at the bound where the move takes all the room there is."""
        least_move, most = self.room(here)
        rounding = 4.0 * np.finfo(float).eps * np.abs(move)
        theta = here + move
        theta = np.where(move - least_move <= rounding, np.where(self.barred[0], here + least_move, self.low), theta)
        return np.where(most - move <= rounding, np.where(self.barred[1], here + most, self.high), theta)

    def project(self, theta: Array, theta_here: Array) -> Array:
        """Return the point nearest to ``theta`` that a step from ``theta_here`` may reach."""
        least_move, most = self.room(theta_here)
        low = np.where(self.barred[0], theta_here + least_move, self.low)
        high = np.where(self.barred[1], theta_here + most, self.high)
        return np.minimum(np.maximum(theta, low), high)

    def held(self, theta: Array) -> Mask:
        """Mark the components that lie at a bound."""
        held_at_bounds: Mask = ((theta <= self.low) & ~self.barred[0]) | ((theta >= self.high) & ~self.barred[1])
        return held_at_bounds

    def blocked(self, theta: Array, slope: Array) -> Mask:
        """Mark the components that a descent against ``slope`` would take out of their bounds."""
        return ((theta <= self.low) & (slope > 0.0)) | ((theta >= self.high) & (slope < 0.0))

    def contains(self, theta: Array) -> Mask:
        """Mark the components inside their bounds; a strict bound itself is outside."""
        above = np.where(self.strict[0], theta > self.low, theta >= self.low)
        below = np.where(self.strict[1], theta < self.high, theta <= self.high)
        within_bounds: Mask = above & below
        return within_bounds

    def interior(self, theta: Array) -> Array:
        """Return ``theta`` with components at or beyond a bound moved well inside."""
        both = np.isfinite(self.low) & np.isfinite(self.high)
        low, high = (np.where(np.isfinite(bound), bound, 0.0) for bound in (self.low, self.high))
        one_sided = np.where(np.isfinite(self.low), low + np.maximum(1.0, abs(low)), high - np.maximum(1.0, abs(high)))
        middle = np.where(both, 0.5 * (low + high), one_sided)
        return np.where((theta > self.low) & (theta < self.high), theta, middle)

    def folded(self, theta: Array, number: int) -> Array:
        """Return trial point ``number``, its components outside mirrored at a single bound, or spread between two.

        The spread follows the golden ratio: a different place for each number.
        """
        both = np.isfinite(self.low) & np.isfinite(self.high)
        share = np.clip((0.5 + (number + 1) * GOLDEN * np.arange(1, theta.size + 1)) % 1.0, 0.01, 0.99)
        low, high = (np.where(np.isfinite(bound), bound, 0.0) for bound in (self.low, self.high))
        mirrored = np.where(np.isfinite(self.low), low + np.abs(theta - low), high - np.abs(theta - high))
        within_bounds = (theta > self.low) & (theta < self.high)
        return np.where(within_bounds, theta, np.where(both, low + (high - low) * share, mirrored))

    def of(self, chosen: Mask) -> Bounds:
        """Return the bounds of the chosen components alone."""
        labels = tuple(label for label, is_chosen in zip(self.labels, chosen, strict=True) if is_chosen)
        return Bounds(labels, self.low[chosen], self.high[chosen], self.strict[:, chosen], self.barred[:, chosen])

    def beside(self, components_added: int) -> Bounds:
        """Return these bounds followed by ``components_added`` components without bounds."""
        free, none = np.full(components_added, math.inf), np.zeros((2, components_added), dtype=bool)
        labels = (*self.labels, *(str(component) for component in range(components_added)))
        strict, barred = (np.hstack([mask, none]) for mask in (self.strict, self.barred))
        return Bounds(labels, np.append(self.low, -free), np.append(self.high, free), strict, barred)

    def text(self, component: int) -> str:
        """Write the bounds of one component as the user would."""
        label, low, high = self.labels[component], float(self.low[component]), float(self.high[component])
        above, below = ("<" if strict else "<=" for strict in self.strict[:, component])
        if math.isfinite(low) and math.isfinite(high):
            return f"{_short(low)} {above} {label} {below} {_short(high)}"
        if math.isfinite(low):
            return f"{label} {above.replace('<', '>')} {_short(low)}"
        return f"{label} {below} {_short(high)}"

    @property
    def texts(self) -> list[str]:
        """Write all bounds, one text per component; for a pinned one ``w[x2] = 1``."""
        pinned = [f"{self.labels[place]} = {_short(float(self.low[place]))}" for place in np.flatnonzero(self.pinned)]
        return [*self.free_texts, *pinned]

    @property
    def free_texts(self) -> list[str]:
        """Write the bounds of components that are not pinned."""
        bounded = (np.isfinite(self.low) | np.isfinite(self.high)) & ~self.pinned
        return [self.text(int(component)) for component in np.flatnonzero(bounded)]

    def barred_where(self, passable: Callable[[Array], Mask], theta: Array) -> Bounds:
        """Bar the bounds at which J is not finite, or the parameter itself loses its influence.

        Such is c = 0 in c**2: J is stationary along c there, which a descent would take for a minimum.

        passable: marks the components that may be where they are; looked at around ``theta``.
        """
        sides = (self.low, self.high)
        corners = [np.where(np.isfinite(side), side, theta) for side in sides]
        if all(passable(corner).all() for corner in corners):
            return self
        barred = self.barred.copy()
        for number, side in enumerate(sides):
            for j in np.flatnonzero(np.isfinite(side)):
                theta_at_side = theta.copy()
                theta_at_side[j] = side[j]
                barred[number, j] = not passable(theta_at_side)[j]
        return replace(self, barred=barred)


def _short(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


Given = Mapping[str, object] | Sequence[str] | str | None


def read_bounds(
    bounds_given: Given,
    parameters: Parameters,
    every: Parameters,
    why_not: Mapping[str, tuple[str, str]],
    pinned: Mapping[str, float] | None = None,
) -> Bounds | None:
    """Read bounds such as ``["b > 0", "0 <= c <= 1"]`` or ``{"b": (0, None), "c": (0, 1)}``; None if there are none.

    parameters: the free ones, which can be bounded; every: also those that are fixed or tied.
    why_not: for each fixed or tied name or component, which of the two it is, and what to do instead.
    pinned: values of components that are fixed.

    Raises ConfigError or FormulaError.
    """
    if not (bounds_given or pinned):
        return None
    size = parameters.size
    low, high, strict = np.full(size, -math.inf), np.full(size, math.inf), np.zeros((2, size), dtype=bool)
    for label, (below, below_strict), (above, above_strict) in _entries(bounds_given, every):
        if (name := label if label in why_not else label.partition("[")[0]) in why_not:
            how, next_step = why_not[name]
            raise ConfigError(f"`{name}` is {how}, so it takes no bounds. {next_step}")
        component = label not in parameters.shapes
        for place in [parameters.labels.index(label)] if component else range(size)[parameters.slices[label]]:
            if below > low[place] or (below == low[place] and below_strict):
                low[place], strict[0, place] = below, below_strict
            if above < high[place] or (above == high[place] and above_strict):
                high[place], strict[1, place] = above, above_strict
    bounds = Bounds(parameters.labels, low, high, strict, np.zeros((2, size), dtype=bool))
    for place in np.flatnonzero(low >= high).tolist():
        label = parameters.labels[place]
        same = low[place] == high[place]
        next_step = f"To hold it at {_short(float(low[place]))}, fix it." if same else "Give the smaller number first."
        raise ConfigError(f"The bounds {bounds.text(place)} leave no room for `{label}`. {next_step}")
    for label, value in (pinned or {}).items():
        place = parameters.labels.index(label)
        low[place] = high[place] = value
        strict[:, place] = False
    return bounds


Side = tuple[float, bool]


def _entries(bounds_given: Given, every: Parameters) -> list[tuple[str, Side, Side]]:
    """Return the label, (low, strict) and (high, strict) of each bound."""
    if isinstance(bounds_given, Mapping):
        return [(_known(label, every), *_pair(label, pair)) for label, pair in spelled_out(bounds_given, every).items()]
    each = [bounds_given] if isinstance(bounds_given, str) else bounds_given or ()
    some = (_entries(bound, every) if isinstance(bound, Mapping) else [_read(bound, every)] for bound in each)
    return [entry for entries in some for entry in entries]


def _known(label: str, every: Parameters) -> str:
    if label not in every.shapes and label not in every.labels:
        raise ConfigError(
            not_a_parameter(label, "bounded")
            or f"There is no parameter `{label}` to bound.{closest(label, every.shapes)} "
            f"Parameters: {', '.join(every.labels)}."
        )
    return label


def _pair(label: str, pair: Any) -> tuple[Side, Side]:
    try:
        lowest, most = pair
        low, high = -math.inf if lowest is None else float(lowest), math.inf if most is None else float(most)
        if math.isnan(low) or math.isnan(high) or isinstance(pair, str):
            raise ValueError
    except (TypeError, ValueError):
        raise ConfigError(
            f"The bounds of `{label}` must be two numbers, None where there is none, such as (0, None); "
            f"they are {pair!r}."
        ) from None
    return (low, False), (high, False)


def _read(text: str, every: Parameters) -> tuple[str, Side, Side]:
    """Read ``b > 0`` or ``0 <= c <= 1``."""
    if not isinstance(text, str):
        raise ConfigError(f"A bound is a text such as `b > 0`; this is {text!r}.")
    signs = [*RELATION.finditer(IN_BRACKETS.sub(lambda label: "_" * len(label[0]), text))]
    if not 1 <= len(signs) <= 2:
        raise pointed(text, 0, len(text), "A bound compares one parameter with one or two numbers.", EXAMPLE)
    edges = [0, *(edge for sign in signs for edge in sign.span()), len(text)]
    pieces = (text[begin:end].strip().strip("`") for begin, end in zip(edges[::2], edges[1::2], strict=True))
    parts = [component(piece, every) for piece in pieces]
    named = [number for number, bound in enumerate(parts) if bound in every.shapes or bound in every.labels]
    numbers = {
        number: _number(text, bound, edges[2 * number], edges[2 * number + 1], every)
        for number, bound in enumerate(parts)
        if number not in named
    }
    if named != [1] if len(signs) == 2 else len(named) != 1:
        constant = next((why for bound in parts if not named and (why := not_a_parameter(bound, "bounded"))), None)
        if constant is not None:
            raise ConfigError(constant)
        raise pointed(text, 0, len(text), "A bound compares one parameter with one or two numbers.", EXAMPLE)
    low, high = (-math.inf, False), (math.inf, False)
    for number, sign in enumerate(signs):
        strict, rising = sign[0] in "<>", sign[0] in ("<", "<=", "≤")
        value_first = number in numbers
        value = numbers[number if value_first else number + 1]
        if rising == value_first:
            if low[0] > -math.inf:
                raise pointed(text, sign.start(), sign.end(), "Both sides bound it from below.", EXAMPLE)
            low = (value, strict)
        else:
            if high[0] < math.inf:
                raise pointed(text, sign.start(), sign.end(), "Both sides bound it from above.", EXAMPLE)
            high = (value, strict)
    return parts[named[0]], low, high


def _number(text: str, bound_text: str, begin: int, end: int, every: Parameters) -> float:
    """Read a number, or an expression of numbers such as ``2*pi``."""
    begin += len(text[begin:end]) - len(text[begin:end].lstrip())
    end -= len(text[begin:end]) - len(text[begin:end].rstrip())
    if not bound_text:
        raise pointed(text, begin, end, "Something is missing here.", EXAMPLE)
    try:
        value = Builder(bound_text, (), starts=None).build(parse_expression(bound_text))
    except FormulaError:
        value = None
    if value is None or not value.is_number:
        fault = f"`{bound_text}` is neither a number nor a parameter of the model.{closest(bound_text, every.labels)}"
        raise pointed(text, begin, end, fault, f"Parameters: {', '.join(every.labels)}.")
    return float(value)
