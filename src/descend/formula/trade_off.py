"""How parameters trade off, in words: the combinations of them that stay determined."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr

from descend.formula.formula import Formula
from descend.formula.printers.code import as_text
from descend.formula.symbols import Column, Parameter, Predictor, number
from descend.wording import using, worded

Array = NDArray[np.float64]
COUNTS = {2: "two", 3: "three", 4: "four", 5: "five"}


@dataclass(frozen=True)
class Redundancy:
    """Parameters that can be changed together without changing any prediction.

    parameters: their labels. determined: the combinations that such a change leaves as they are; empty if they have no
    simple form, or if a single parameter has no influence. fixed: values at which parameters may be fixed. spare: how
    many parameters there are too many.
    """

    parameters: tuple[str, ...]
    determined: tuple[str, ...]
    fixed: Mapping[str, float]
    spare: int = 1

    def __str__(self) -> str:
        if not self.determined:
            left = len(self.parameters) - self.spare
            if not left:
                return f"{self.parameters[0]} cancels out, so no data can determine it. Drop it."
            combinations = "one combination" if left == 1 else f"{COUNTS.get(left, left)} combinations"
            return (
                f"{joined(self.parameters)} trade off: only {combinations} of them can be determined, of no simple "
                f"form. Drop {'one of them, or fix it' if self.spare == 1 else f'{self.spare} of them, or fix those'}."
            )
        some = f"{joined(self.parameters)} trade off: only {joined(self.determined)} "
        some += "is determined. " if len(self.determined) == 1 else "are determined. "
        names, them = tuple(self.fixed), "it" if len(self.fixed) == 1 else "them"
        if any("[" in name for name in names):
            return f"{some}Drop {joined(names)}."
        values = ",".join(f"{name}={value:g}" for name, value in self.fixed.items())
        fixing = worded("fixing", f"fix {them}{using('fix', self.fixed)}", them=them, values=values)
        return f"{some}Drop {joined(names)}, or {fixing}."

    def as_dict(self) -> dict[str, object]:
        return {
            "parameters": list(self.parameters),
            "determined": list(self.determined),
            "fix": dict(self.fixed),
            "sentence": str(self),
        }


def joined(names: Sequence[str]) -> str:
    """Join names with commas, and with "and" before the last."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


@dataclass(frozen=True)
class Motion:
    """How one parameter moves along a direction in which nothing changes: p <- p exp(rate t), or p <- p + rate t."""

    scales: bool
    rate: Expr

    def moved(self, value: float, time: float) -> float:
        """Follow the motion from a value for some time."""
        rate = float(self.rate)
        return float(value * np.exp(rate * time)) if self.scales else value + rate * time


def constant(values: Array, tolerance: float = 1e-6, simple: bool = False) -> Expr | None:
    """Return the number that all values equal, as a simple fraction or multiple of a logarithm where it is near one."""
    middle = float(np.mean(values))
    if not np.isfinite(middle) or abs(middle) < 1e-9 or (np.abs(values - middle) > tolerance * abs(middle)).any():
        return None
    for unit in (sympy.Integer(1), sympy.log(10), sympy.log(2)):
        share = Fraction(middle / float(unit)).limit_denominator(4)
        if share and abs(share) <= 6 and abs(float(share) * float(unit) - middle) <= tolerance * abs(middle):
            return sympy.Rational(share.numerator, share.denominator) * unit
    return None if simple else number(float(f"{middle:.6g}"))


def combination(formula: Formula, labels: Sequence[str], thetas: Array, slopes: Array) -> Redundancy | None:
    """Find the u(p, q, ...) through which parameters enter, given the ratios of their derivatives to that of p.

    u is a part of the expression as it stands, or a sum of terms m_p p and e_p log p.
    """
    standing = _standing(formula.expression, {Parameter(label) for label in labels})
    if standing is not None:
        free = {label: _neutral(standing, Parameter(label)) for label in labels[1:]}
        return Redundancy(tuple(labels), (as_text(standing),), free)
    for first in (1.0 / thetas[:, 0], np.ones(len(thetas))):
        motions = _motions(1.0 / thetas, slopes * first[:, None])
        if motions is not None:
            free = {label: float(motion.scales) for label, motion in zip(labels[1:], motions[1:], strict=True)}
            return Redundancy(tuple(labels), (_written(labels, motions),), free)
    return _joint(formula, labels)


def _joint(formula: Formula, labels: Sequence[str]) -> Redundancy | None:
    """Do the same symbolically where other parameters take part, as a does in `a*log(b*x) + c`."""
    symbols = [Parameter(label) for label in labels]
    if not set(symbols) <= formula.jacobian.keys():
        return None
    for first, inner in [(symbol, sympy.Integer(1)) for symbol in symbols] + [(symbol, symbol) for symbol in symbols]:
        total, product, free = sympy.Integer(0), sympy.Integer(1), {}
        for symbol in symbols:
            slope = sympy.cancel(formula.expression.diff(symbol) / formula.expression.diff(first)) / inner
            rates = (slope, sympy.cancel(slope * symbol))
            fixed = [each for each in rates if not each.atoms(Column, Predictor) | (each.free_symbols & {*symbols})]
            if not fixed:
                break
            logarithmic = fixed[0] is not rates[0]
            total += fixed[0] * (sympy.log(symbol) if logarithmic else symbol)
            product *= symbol ** fixed[0] if logarithmic else sympy.exp(fixed[0] * symbol)
            if symbol is not first:
                free[symbol.name] = float(logarithmic)
        else:
            combined = total if inner == 1 else product
            return Redundancy(tuple(labels), (_text(combined),), free)
    return None


def _standing(expression: Expr, symbols: set[Parameter]) -> Expr | None:
    """Return the sum or product of these parameters alone that holds all of them and occurs once; None if none does."""
    standing_part = None
    for node in sympy.preorder_traversal(expression):
        if not (node.is_Add or node.is_Mul) or not symbols <= node.free_symbols:
            continue
        arguments = [argument for argument in node.args if argument.free_symbols and argument.free_symbols <= symbols]
        other_arguments = [argument for argument in node.args if argument not in arguments]
        if set().union(*(argument.free_symbols for argument in arguments)) != symbols:
            continue
        if any(argument.free_symbols & symbols for argument in other_arguments):
            return None
        standing_part = node.func(*arguments)
    count = sum(node in symbols for node in sympy.preorder_traversal(expression))
    if standing_part is None or count != sum(node in symbols for node in sympy.preorder_traversal(standing_part)):
        return None
    return -standing_part if standing_part.could_extract_minus_sign() else standing_part


def _neutral(expression: Expr, symbol: Parameter) -> float:
    """Return the value at which a parameter has no effect: 0 for one that is added or an exponent, 1 for a factor."""
    added = expression.is_Add and symbol in expression.args
    return 0.0 if added or symbol not in sympy.cancel(expression.diff(symbol) / expression).free_symbols else 1.0


def _motions(own_direction: Array, values: Array, tolerance: float = 1e-6, simple: bool = False) -> list[Motion] | None:
    """Return for each column its constant value over the points, or its ratio to ``own_direction``; None if neither."""
    motions = []
    for column, scale in zip(values.T, own_direction.T, strict=True):
        rate = constant(column / scale, tolerance, simple)
        shift = constant(column, tolerance, simple) if rate is None else None
        if rate is None and shift is None:
            return None
        motions.append(Motion(rate is not None, rate if rate is not None else shift))
    return motions


def _written(labels: Sequence[str], terms: Sequence[Motion]) -> str:
    """Write the sum of m p and e log p: as a sum if no logarithm is in it, as a product otherwise."""
    symbols = [Parameter(label) for label in labels]
    if not any(term.scales for term in terms):
        return _text(sympy.Add(*(term.rate / terms[0].rate * p for p, term in zip(symbols, terms, strict=True))))
    powers = [term.rate for term in terms if term.scales]
    unit = powers[0]
    if all(power.is_Rational for power in powers):
        denominator = math.lcm(*(int(power.q) for power in powers))
        share = math.gcd(*(int(power * denominator) for power in powers))
        unit = sympy.Rational(share, denominator) * sympy.sign(powers[0])
    product = sympy.Mul(*(p ** (term.rate / unit) for p, term in zip(symbols, terms, strict=True) if term.scales))
    shifts = sympy.Add(*(term.rate / unit * p for p, term in zip(symbols, terms, strict=True) if not term.scales))
    tens = shifts / sympy.log(10)
    if tens.has(sympy.log) or not shifts:
        return _text(product * sympy.exp(shifts))
    return _text(product * sympy.Integer(10) ** tens)


def _text(expression: Expr) -> str:
    return as_text(expression).replace("`", "")


def integrated(labels: Sequence[str], thetas: Array, velocity: Array) -> Redundancy | None:
    """Integrate a velocity, with the last parameter as the clock."""
    motions = motions_along(thetas, velocity)
    return None if motions is None else trade_off(labels, motions)


def motions_along(
    thetas: Array, velocity: Array, tolerance: float = 1e-6, simple: bool = False
) -> tuple[Motion, ...] | None:
    """Return the motions with a velocity known at some points, (points, p); None if they have no simple form."""
    for clock in (thetas[:, -1], np.ones(len(thetas))):
        with np.errstate(all="ignore"):
            motions = _motions(thetas, velocity / velocity[:, -1:] * clock[:, None], tolerance, simple)
        if motions is not None:
            return tuple(motions)
    return None


def trade_off(labels: Sequence[str], motions: Sequence[Motion]) -> Redundancy:
    """Name the combinations that motions leave unchanged: each parameter but the last, combined with the last."""
    clock, last = Parameter(labels[-1]), motions[-1]
    left = []
    for label, motion in zip(labels[:-1], motions[:-1], strict=True):
        symbol, share = Parameter(label), motion.rate / last.rate
        if last.scales:
            invariant = symbol * clock ** (-share) if motion.scales else symbol - share * sympy.log(clock)
            if motion.scales and share.is_Rational and share.q > 1:
                invariant = symbol**share.q * clock ** (-share.p)
        else:
            invariant = symbol * sympy.exp(-share * clock) if motion.scales else symbol - share * clock
        left.append(_text(invariant))
    return Redundancy(tuple(labels), tuple(left), {labels[-1]: float(last.scales)})
