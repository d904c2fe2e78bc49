"""Parameters that the expression itself cannot tell apart, whatever the data: what they trade off, and what is left."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr

from descend.formula.compile import compile_expression, items_matrix
from descend.formula.formula import Formula
from descend.formula.printers.code import as_text
from descend.formula.symbols import Column, Parameter, Predictor, number
from descend.wording import using, worded

Array = NDArray[np.float64]
POINTS = 3
"""Random parameter points at which a redundancy must show: one might lie where it shows by chance."""
ROWS_EACH = 12
"""Random rows for each parameter."""
NOTHING = 1e-12
"""Share of a row's derivatives below which that by one parameter may be rounding."""
DEPENDENT = 1e-9
"""What is left of a derivative of length 1, less the others, where it depends on them."""
DIGITS = 60
"""Digits with which a dependence of no simple form must hold, so that it is not one of rounding."""
COUNTS = {2: "two", 3: "three", 4: "four", 5: "five"}
MOST = 60
"""Parameters above which the expression is not searched: the curvature at the data still tells."""


@dataclass(frozen=True)
class Redundancy:
    """Parameters of which some may be changed, and the others changed with them, without changing any prediction.

    parameters: their labels. determined: what such a change leaves as it is; nothing if that is of no simple form, or
    the one parameter there is changes nothing. fixed: values that may be chosen freely. spare: how many parameters
    there are too many.
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
        fixing = worded("fixing", f"fix {them}{using('fix', values)}", them=them, values=values)
        return f"{some}Drop {joined(names)}, or {fixing}."

    def as_dict(self) -> dict[str, object]:
        return {
            "parameters": list(self.parameters),
            "determined": list(self.determined),
            "fix": dict(self.fixed),
            "sentence": str(self),
        }


def joined(names: Sequence[str]) -> str:
    """Write a list with "and" before its last item."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


@dataclass(frozen=True)
class Motion:
    """How one parameter moves along a direction in which nothing changes: p <- p exp(rate t), or p <- p + rate t."""

    scales: bool
    rate: Expr

    def moved(self, value: float, time: float) -> float:
        """Follow the motion for some time from a value."""
        rate = float(self.rate)
        return float(value * np.exp(rate * time)) if self.scales else value + rate * time


@lru_cache(maxsize=128)
def redundancies(formula: Formula) -> tuple[Redundancy, ...]:
    """Return the redundancies of the expression that can be put in words.

    The derivatives by the parameters, as functions of the data, are linearly dependent at every theta if and only if
    some motion of the parameters changes no prediction. They are taken at random theta over random rows.
    1. Parameters whose derivatives are multiples of each other enter through one combination of them.
    2. One of each such group is kept. Where those are dependent, the null vector v(theta) is the velocity of the motion
       d theta/dt = v, integrated where each of its components is constant or proportional to its own parameter.
    3. A dependence that fits neither may be one of rounding, so it is reported only if it holds with many more digits.

    Source: Catchpole & Morgan (1997), Detecting parameter redundancy, Biometrika 84, 187-196.
    """
    labels = [label for name, parts in formula.parameters.items() for label in _labels(name, parts)]
    if not 1 < len(labels) <= MOST:
        return ()
    samples = list(_samples(formula, len(labels)))
    if len(samples) < POINTS:
        return ()
    thetas, matrices = (np.array([sample[k] for sample in samples]) for k in range(2))
    norms = np.sqrt((matrices**2).sum(axis=1))
    units = matrices / np.where(norms > 0.0, norms, 1.0)[:, None, :]
    active = [k for k in range(len(labels)) if (norms[:, k] > 0.0).all()]
    found: list[Redundancy | None] = [
        Redundancy((label,), (), {label: 1.0})
        for label, idle in zip(labels, (norms <= NOTHING * np.sqrt(units.shape[1])).all(axis=0), strict=True)
        if idle and _exact(formula, [label])
    ]
    active = [k for k in active if (labels[k],) not in {each.parameters for each in found if each is not None}]
    kept = []
    for group in _groups(units, active):
        kept.append(group[0])
        if len(group) > 1:
            signs = np.sign(np.einsum("prk,pr->pk", units[:, :, group], units[:, :, group[0]]))
            slopes = signs * norms[:, group] / norms[:, group[:1]]
            found.append(_combination(formula, [labels[k] for k in group], thetas[:, group], slopes))
    tangled: list[Redundancy] = []
    for circuit, null in _circuits(units, kept):
        names, velocity = [labels[k] for k in circuit], null / norms[:, circuit]
        simple = _trade_off(names, thetas[:, circuit], velocity)
        found.append(simple)
        if simple is None and _exact(formula, names):
            tangled = _merged(tangled, names, labels)
    return tuple(redundancy for redundancy in (*found, *tangled) if redundancy is not None)


def _merged(tangled: Sequence[Redundancy], names: Sequence[str], order: Sequence[str]) -> list[Redundancy]:
    """Add a dependence of no simple form, in one with those that share a parameter with it."""
    near = [each for each in tangled if set(each.parameters) & set(names)]
    every = set(names).union(*(each.parameters for each in near))
    spare = 1 + sum(each.spare for each in near)
    one = Redundancy(tuple(label for label in order if label in every), (), {}, spare)
    return [*(each for each in tangled if each not in near), one]


def _labels(name: str, parts: tuple[str, ...] | None) -> list[str]:
    return [name] if parts is None else [f"{name}[{part}]" for part in parts]


def _samples(formula: Formula, size: int) -> Iterator[tuple[Array, Array]]:
    """Yield random parameters, and the derivatives by them over random rows of any size and sign, (rows, p)."""
    generator = np.random.default_rng(1)
    magnitudes = sorted({1.0, *(abs(float(each)) for each in formula.expression.atoms(sympy.Number) if each)})
    rows = max(64, ROWS_EACH * size)
    for _ in range(4 * POINTS):
        theta = generator.uniform(0.4, 1.9, size)
        columns = {
            name: generator.choice([1.0, 1.0, -1.0], rows)
            * generator.choice(magnitudes, rows)
            * generator.uniform(0.2, 3.0, rows)
            for name in formula.columns
        }
        with np.errstate(all="ignore"):
            jacobian = _jacobian(formula, theta, columns, rows)
            lengths = np.sqrt((jacobian**2).sum(axis=1))
            usable = np.isfinite(lengths) & (lengths > 0.0)
        if usable.sum() >= 3 * size:
            yield theta, (jacobian[usable] / lengths[usable, None])[: 3 * size]


def _jacobian(formula: Formula, theta: Array, columns: Mapping[str, Array], rows: int) -> Array:
    values: dict[Expr, Array | float] = {Column(name): column for name, column in columns.items()}
    items: dict[Expr, Array] = {}
    places: dict[str, slice] = {}
    for name, parts in formula.parameters.items():
        begin = sum(place.stop - place.start for place in places.values())
        places[name] = slice(begin, begin + (1 if parts is None else len(parts)))
    for symbol in formula.unknowns:
        if isinstance(symbol, Predictor):
            items[symbol] = items_matrix(formula.terms[symbol].items, columns, rows)
            values[symbol] = items[symbol] @ theta[places[formula.terms[symbol].vector]]
        else:
            values[symbol] = float(theta[places[symbol.name].start])
    result = np.zeros((rows, theta.size))
    for symbol, slope in formula.jacobian.items():
        derivative = np.broadcast_to(compile_expression(slope, tuple(values))(*values.values()), (rows,))
        if isinstance(symbol, Predictor):
            result[:, places[formula.terms[symbol].vector]] += derivative[:, None] * items[symbol]
        else:
            result[:, places[symbol.name].start] = derivative
    return result


def _exact(formula: Formula, labels: Sequence[str]) -> bool:
    """Whether derivatives by scalar parameters are dependent in all of ``DIGITS`` digits, at random rational places.

    False where that cannot be told: a function of the formula may be known in double precision only.
    """
    import mpmath

    symbols = [Parameter(label) for label in labels]
    if not set(symbols) <= formula.jacobian.keys():
        return False
    slopes = [formula.expression.diff(symbol) for symbol in symbols]
    others = sorted(formula.expression.free_symbols, key=str)
    own = {other for other in others if isinstance(other, Parameter)}
    generator = np.random.default_rng(2)

    def places(chosen: Sequence[Expr]) -> dict[Expr, Expr]:
        return {each: sympy.Rational(int(generator.integers(401, 1900)), 1000) for each in chosen}

    theta = places([other for other in others if other in own])
    nothing = mpmath.mpf(10) ** (-DIGITS // 2)
    try:
        with mpmath.workdps(DIGITS):
            rows = []
            for _ in range(len(labels) + 2):
                at = theta | places([other for other in others if other not in own])
                rows.append([mpmath.mpf(str(sympy.N(slope.xreplace(at), DIGITS))) for slope in slopes])
            if len(labels) == 1:
                return all(abs(row[0]) < nothing for row in rows)
            singular = mpmath.svd_r(mpmath.matrix(rows), compute_uv=False)
            return bool(singular[len(labels) - 1] < nothing * singular[0])
    except (TypeError, ValueError, ArithmeticError):
        return False


def _groups(units: Array, active: Sequence[int]) -> list[list[int]]:
    """Group the columns that are multiples of each other at every point."""
    groups: list[list[int]] = []
    for k in active:
        for group in groups:
            cosines = np.einsum("pr,pr->p", units[:, :, k], units[:, :, group[0]])
            apart = units[:, :, k] - cosines[:, None] * units[:, :, group[0]]
            if (np.sqrt((apart**2).sum(axis=1)) < DEPENDENT).all():
                group.append(k)
                break
        else:
            groups.append([k])
    return groups


def _circuits(units: Array, columns: Sequence[int]) -> Iterator[tuple[list[int], Array]]:
    """Yield each column that depends on those before it, with those it depends on and the null vector at each point."""
    kept: list[int] = []
    for k in columns:
        if kept:
            pairs = list(zip(units[:, :, kept], units[:, :, k], strict=True))
            weights = np.array([np.linalg.lstsq(matrix, column, rcond=None)[0] for matrix, column in pairs])
            left = [column - matrix @ weight for (matrix, column), weight in zip(pairs, weights, strict=True)]
            if np.sqrt(np.square(left).sum(axis=1)).max() < DEPENDENT:
                involved = [place for place in range(len(kept)) if (np.abs(weights[:, place]) > 1e-7).all()]
                null = np.column_stack([weights[:, involved], -np.ones(len(units))])
                yield [*(kept[place] for place in involved), k], null
                continue
        kept.append(k)


def constant(values: Array, tolerance: float = 1e-6, simple: bool = False) -> Expr | None:
    """Return the number that all values are, as a fraction or a logarithm's multiple where it is near one."""
    middle = float(np.mean(values))
    if not np.isfinite(middle) or abs(middle) < 1e-9 or (np.abs(values - middle) > tolerance * abs(middle)).any():
        return None
    for unit in (sympy.Integer(1), sympy.log(10), sympy.log(2)):
        share = Fraction(middle / float(unit)).limit_denominator(4)
        if share and abs(share) <= 6 and abs(float(share) * float(unit) - middle) <= tolerance * abs(middle):
            return sympy.Rational(share.numerator, share.denominator) * unit
    return None if simple else number(float(f"{middle:.6g}"))


def _combination(formula: Formula, labels: Sequence[str], thetas: Array, slopes: Array) -> Redundancy | None:
    """Find the u(p, q, ...) through which parameters enter, given the ratios of their derivatives to that of p.

    u is a part of the expression as it stands, or a sum of m_p p and e_p log p.
    """
    whole = _standing(formula.expression, {Parameter(label) for label in labels})
    if whole is not None:
        free = {label: _neutral(whole, Parameter(label)) for label in labels[1:]}
        return Redundancy(tuple(labels), (as_text(whole),), free)
    for first in (1.0 / thetas[:, 0], np.ones(len(thetas))):
        motions = _motions(1.0 / thetas, slopes * first[:, None])
        if motions is not None:
            free = {label: float(motion.scales) for label, motion in zip(labels[1:], motions[1:], strict=True)}
            return Redundancy(tuple(labels), (_written(labels, motions),), free)
    return _joint(formula, labels)


def _joint(formula: Formula, labels: Sequence[str]) -> Redundancy | None:
    """Do the same with symbols where the other parameters take part, as a does in `a*log(b*x) + c`."""
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
            whole = total if inner == 1 else product
            return Redundancy(tuple(labels), (_text(whole),), free)
    return None


def _standing(expression: Expr, symbols: set[Parameter]) -> Expr | None:
    """Return the sum or product of nothing but these parameters that holds all of them, and stands there once."""
    found = None
    for node in sympy.preorder_traversal(expression):
        if not (node.is_Add or node.is_Mul) or not symbols <= node.free_symbols:
            continue
        parts = [part for part in node.args if part.free_symbols and part.free_symbols <= symbols]
        others = [part for part in node.args if part not in parts]
        if set().union(*(part.free_symbols for part in parts)) != symbols:
            continue
        if any(part.free_symbols & symbols for part in others):
            return None
        found = node.func(*parts)
    count = sum(node in symbols for node in sympy.preorder_traversal(expression))
    if found is None or count != sum(node in symbols for node in sympy.preorder_traversal(found)):
        return None
    return -found if found.could_extract_minus_sign() else found


def _neutral(whole: Expr, symbol: Parameter) -> float:
    """Return the value at which a parameter adds, or multiplies by, nothing: 0 for one that is added or an exponent."""
    added = whole.is_Add and symbol in whole.args
    return 0.0 if added or symbol not in sympy.cancel(whole.diff(symbol) / whole).free_symbols else 1.0


def _motions(own: Array, values: Array, tolerance: float = 1e-6, simple: bool = False) -> list[Motion] | None:
    """Say for each column whether it is constant over the points, or a constant multiple of ``own``."""
    motions = []
    for column, scale in zip(values.T, own.T, strict=True):
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
        whole = math.lcm(*(int(power.q) for power in powers))
        share = math.gcd(*(int(power * whole) for power in powers))
        unit = sympy.Rational(share, whole) * sympy.sign(powers[0])
    product = sympy.Mul(*(p ** (term.rate / unit) for p, term in zip(symbols, terms, strict=True) if term.scales))
    shifts = sympy.Add(*(term.rate / unit * p for p, term in zip(symbols, terms, strict=True) if not term.scales))
    tens = shifts / sympy.log(10)
    if tens.has(sympy.log) or not shifts:
        return _text(product * sympy.exp(shifts))
    return _text(product * sympy.Integer(10) ** tens)


def _text(expression: Expr) -> str:
    return as_text(expression).replace("`", "")


def _trade_off(labels: Sequence[str], thetas: Array, velocity: Array) -> Redundancy | None:
    """Integrate a velocity: the last parameter serves as the clock."""
    motions = motions_along(thetas, velocity)
    return None if motions is None else trade_off(labels, motions)


def motions_along(
    thetas: Array, velocity: Array, tolerance: float = 1e-6, simple: bool = False
) -> tuple[Motion, ...] | None:
    """Return the motions with a velocity known at some points, (points, p); None if they are of no simple kind."""
    for clock in (thetas[:, -1], np.ones(len(thetas))):
        with np.errstate(all="ignore"):
            motions = _motions(thetas, velocity / velocity[:, -1:] * clock[:, None], tolerance, simple)
        if motions is not None:
            return tuple(motions)
    return None


def trade_off(labels: Sequence[str], motions: Sequence[Motion]) -> Redundancy:
    """Name what motions leave as it is: for each parameter but the last, a combination of it with the last."""
    clock, last = Parameter(labels[-1]), motions[-1]
    left = []
    for label, motion in zip(labels[:-1], motions[:-1], strict=True):
        symbol, share = Parameter(label), motion.rate / last.rate
        if last.scales:
            kept = symbol * clock ** (-share) if motion.scales else symbol - share * sympy.log(clock)
            if motion.scales and share.is_Rational and share.q > 1:
                kept = symbol**share.q * clock ** (-share.p)
        else:
            kept = symbol * sympy.exp(-share * clock) if motion.scales else symbol - share * clock
        left.append(_text(kept))
    return Redundancy(tuple(labels), tuple(left), {labels[-1]: float(last.scales)})
