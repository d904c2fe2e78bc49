"""Parameters that the expression itself cannot tell apart, whatever the data: how they trade off, what is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr
from sympy.core.relational import Relational

from descend.formula.compile import evaluated, items_matrix
from descend.formula.dependence import DEPENDENT, multiples, random_column
from descend.formula.formula import Formula
from descend.formula.symbols import Column, Parameter, Predictor
from descend.formula.trade_off import Redundancy, combination, integrated

Array = NDArray[np.float64]
POINTS = 3
"""Random parameter points at which a redundancy must show; at a single one it might show by chance."""
ROWS_EACH = 12
"""Random rows for each parameter."""
NOTHING = 1e-12
"""Share of a row's derivatives below which the derivative by one parameter may be rounding."""
DIGITS = 60
"""Digits to which a dependence of no simple form must hold, so that it cannot be rounding."""
MOST = 60
"""Parameters above which the expression is not searched; the curvature at the data still shows dependences."""


@lru_cache(maxsize=128)
def redundancies(formula: Formula) -> tuple[Redundancy, ...]:
    """Return the redundancies of the expression that can be put in words.

    The derivatives by the parameters, as functions of the data, are linearly dependent at every theta if and only if
    some motion of the parameters changes no prediction. They are taken at random theta over random rows. What is
    compared in a condition must not move either: at a jump predictions change, which derivatives do not tell.
    1. Parameters whose derivatives are multiples of each other enter through one combination of them.
    2. One of each such group is kept. Where those are dependent, the null vector v(theta) is the velocity of the motion
       d theta/dt = v, integrated where each of its components is constant or proportional to its own parameter.
    3. A dependence that fits neither may be one of rounding, so it is reported only if it holds with many more digits.

    Source: Catchpole & Morgan (1997), Detecting parameter redundancy, Biometrika 84, 187-196.
    """
    labels = [label for name, component_names in formula.parameters.items() for label in _labels(name, component_names)]
    if not 1 < len(labels) <= MOST:
        return ()
    samples = list(_samples(formula, len(labels)))
    if len(samples) < POINTS:
        return ()
    thetas, matrices = (np.array([sample[k] for sample in samples]) for k in range(2))
    norms = np.sqrt((matrices**2).sum(axis=1))
    units = matrices / np.where(norms > 0.0, norms, 1.0)[:, None, :]
    active = [k for k in range(len(labels)) if (norms[:, k] > 0.0).all()]
    redundancies_found: list[Redundancy | None] = [
        Redundancy((label,), (), {label: 1.0})
        for label, idle in zip(labels, (norms <= NOTHING * np.sqrt(units.shape[1])).all(axis=0), strict=True)
        if idle and _exact(formula, [label])
    ]
    active = [
        k for k in active if (labels[k],) not in {each.parameters for each in redundancies_found if each is not None}
    ]
    redundancies_kept = []
    for places in multiples(units[:, :, active].transpose(2, 0, 1)):
        group = [active[place] for place in places]
        redundancies_kept.append(group[0])
        if len(group) > 1:
            signs = np.sign(np.einsum("prk,pr->pk", units[:, :, group], units[:, :, group[0]]))
            slopes = signs * norms[:, group] / norms[:, group[:1]]
            redundancies_found.append(combination(formula, [labels[k] for k in group], thetas[:, group], slopes))
    tangled: list[Redundancy] = []
    for circuit, null in _circuits(units, redundancies_kept):
        names, velocity = [labels[k] for k in circuit], null / norms[:, circuit]
        simple = integrated(names, thetas[:, circuit], velocity)
        redundancies_found.append(simple)
        if simple is None and _exact(formula, names):
            tangled = _merged(tangled, names, labels)
    return tuple(redundancy for redundancy in (*redundancies_found, *tangled) if redundancy is not None)


def _merged(tangled: Sequence[Redundancy], names: Sequence[str], order: Sequence[str]) -> list[Redundancy]:
    """Add a dependence of no simple form, merged with those that share a parameter with it."""
    near = [each for each in tangled if set(each.parameters) & set(names)]
    every = set(names).union(*(each.parameters for each in near))
    spare = 1 + sum(each.spare for each in near)
    merged = Redundancy(tuple(label for label in order if label in every), (), {}, spare)
    return [*(each for each in tangled if each not in near), merged]


def _labels(name: str, component_names: tuple[str, ...] | None) -> list[str]:
    return [name] if component_names is None else [f"{name}[{component_name}]" for component_name in component_names]


def _samples(formula: Formula, size: int) -> Iterator[tuple[Array, Array]]:
    """Yield random parameters, and the derivatives by them over random rows of any size and sign, (rows, p)."""
    generator = np.random.default_rng(1)
    conditions = _conditions(formula)
    magnitudes = sorted({1.0, *(abs(float(each)) for each in formula.expression.atoms(sympy.Number) if each)})
    rows = max(64, ROWS_EACH * size)
    for _ in range(4 * POINTS):
        theta = generator.uniform(0.4, 1.9, size)
        columns = {name: random_column(generator, rows, magnitudes) for name in formula.columns}
        with np.errstate(all="ignore"):
            sampled = _unit_rows(_jacobian(formula, formula.jacobian, theta, columns, rows))
            compared = [_unit_rows(_jacobian(formula, slopes, theta, columns, rows)) for slopes in conditions]
        if len(sampled) >= 3 * size and all(len(each) >= size for each in compared):
            yield theta, np.concatenate([sampled[: 3 * size], *(each[:size] for each in compared)])


def _unit_rows(jacobian: Array) -> Array:
    """Return the rows that are finite and not zero, each divided by its length."""
    lengths = np.sqrt((jacobian**2).sum(axis=1))
    usable = np.isfinite(lengths) & (lengths > 0.0)
    result: Array = jacobian[usable] / lengths[usable, None]
    return result


def _conditions(formula: Formula) -> list[dict[Expr, Expr]]:
    """Return the derivatives, by the parameters, of the difference of the two sides of each comparison."""
    comparisons = sorted(formula.expression.atoms(Relational), key=str)
    differences = [each.lhs - each.rhs for each in comparisons]
    slopes = [{symbol: each.diff(symbol) for symbol in formula.jacobian} for each in differences]
    return [each for each in slopes if any(each.values())]


def _jacobian(
    formula: Formula, slopes: Mapping[Expr, Expr], theta: Array, columns: Mapping[str, Array], rows: int
) -> Array:
    """Return derivatives by the parameters over some rows, (rows, p). slopes: by each symbol of the formula."""
    values: dict[Expr, Array | float] = {Column(name): column for name, column in columns.items()}
    items: dict[Expr, Array] = {}
    theta_slices: dict[str, slice] = {}
    for name, component_names in formula.parameters.items():
        begin = sum(theta_slice.stop - theta_slice.start for theta_slice in theta_slices.values())
        theta_slices[name] = slice(begin, begin + (1 if component_names is None else len(component_names)))
    for symbol in formula.unknowns:
        if isinstance(symbol, Predictor):
            items[symbol] = items_matrix(formula.terms[symbol].items, columns, rows)
            values[symbol] = items[symbol] @ theta[theta_slices[formula.terms[symbol].vector]]
        else:
            values[symbol] = float(theta[theta_slices[symbol.name].start])
    result = np.zeros((rows, theta.size))
    for symbol, slope in slopes.items():
        derivative = evaluated(slope, values, rows)
        if isinstance(symbol, Predictor):
            result[:, theta_slices[formula.terms[symbol].vector]] += derivative[:, None] * items[symbol]
        else:
            result[:, theta_slices[symbol.name].start] = derivative
    return result


def _exact(formula: Formula, labels: Sequence[str]) -> bool:
    """Whether derivatives by scalar parameters are dependent to all ``DIGITS`` digits, at random rational points.

    False where that cannot be decided: a function of the formula may be known to double precision only.
    """
    import mpmath

    symbols = [Parameter(label) for label in labels]
    if not set(symbols) <= formula.jacobian.keys():
        return False
    slopes = [formula.expression.diff(symbol) for symbol in symbols]
    other_symbols = sorted(formula.expression.free_symbols, key=str)
    own_parameters = {other for other in other_symbols if isinstance(other, Parameter)}
    generator = np.random.default_rng(2)

    def places(chosen: Sequence[Expr]) -> dict[Expr, Expr]:
        return {each: sympy.Rational(int(generator.integers(401, 1900)), 1000) for each in chosen}

    theta = places([other for other in other_symbols if other in own_parameters])
    nothing = mpmath.mpf(10) ** (-DIGITS // 2)
    try:
        with mpmath.workdps(DIGITS):
            rows = []
            for _ in range(len(labels) + 2):
                at = theta | places([other for other in other_symbols if other not in own_parameters])
                rows.append([mpmath.mpf(str(sympy.N(slope.xreplace(at), DIGITS))) for slope in slopes])
            if len(labels) == 1:
                return all(abs(row[0]) < nothing for row in rows)
            singular = mpmath.svd_r(mpmath.matrix(rows), compute_uv=False)
            return bool(singular[len(labels) - 1] < nothing * singular[0])
    except (TypeError, ValueError, ArithmeticError):
        return False


def _circuits(units: Array, columns: Sequence[int]) -> Iterator[tuple[list[int], Array]]:
    """Yield each column that depends on those before it, with those it depends on and the null vector at each point."""
    independent: list[int] = []
    for k in columns:
        if independent:
            pairs = list(zip(units[:, :, independent], units[:, :, k], strict=True))
            weights = np.array([np.linalg.lstsq(matrix, column, rcond=None)[0] for matrix, column in pairs])
            left = [column - matrix @ weight for (matrix, column), weight in zip(pairs, weights, strict=True)]
            if np.sqrt(np.square(left).sum(axis=1)).max() < DEPENDENT:
                involved = [number for number in range(weights.shape[1]) if (np.abs(weights[:, number]) > 1e-7).all()]
                null = np.column_stack([weights[:, involved], -np.ones(len(units))])
                yield [*(independent[number] for number in involved), k], null
                continue
        independent.append(k)
