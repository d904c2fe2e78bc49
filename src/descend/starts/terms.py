"""The terms of a sum, each with its own nonlinear parameters and amplitude, which a search looks for in turn."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from sympy import Add, Expr, Symbol

from descend.formula import Formula
from descend.formula.structure import measures, waves
from descend.formula.symbols import Parameter
from descend.starts.projection import Amplitude, Projection

MOST_TERMS = 24


@dataclass(frozen=True)
class Term:
    """A part of the sum with nonlinear parameters of its own.

    amplitudes: the linear ones. unknowns: the nonlinear parameters.
    """

    amplitudes: tuple[Amplitude, ...]
    unknowns: tuple[Parameter, ...]

    @property
    def single(self) -> bool:
        """Whether it has one linear parameter, and no phase."""
        return sum(len(each.columns) for each in self.amplitudes) == 1

    @property
    def kind(self) -> tuple[Expr, ...]:
        """The term regardless of the names of its parameters: like terms are tried at the same points."""
        names = {symbol: Symbol(f"#{theta_index}") for theta_index, symbol in enumerate(self.unknowns)}
        columns = (column.as_coeff_Mul()[1] for each in self.amplitudes for column in each.columns)
        return tuple(column.xreplace(names) for column in columns)


def terms_of(projection: Projection, held: Collection[Parameter]) -> tuple[list[Amplitude], list[Term]] | None:
    """Split a sum into a part with linear unknowns only, and terms; None if some part has no amplitude.

    held: parameters that do not move; parts that share no others are separate terms.
    """
    free = {symbol for symbol in projection.formula.unknowns if symbol not in held}
    free -= {each.symbol for each in projection.amplitudes} | {each.phase for each in projection.amplitudes}
    if projection.remainder.free_symbols & free or not all(isinstance(symbol, Parameter) for symbol in free):
        return None
    base: list[Amplitude] = []
    groups: list[tuple[list[Amplitude], set[Parameter]]] = []
    for each in projection.amplitudes:
        symbols = {symbol for column in each.columns for symbol in column.free_symbols & free}
        if not symbols:
            base.append(each)
            continue
        touched = [group for group in groups if group[1] & symbols]
        groups = [group for group in groups if group not in touched]
        groups.append(
            ([*(one for group in touched for one in group[0]), each], symbols.union(*(g[1] for g in touched)))
        )
    if len(groups) > 1 and any(each.rate for each in projection.amplitudes):
        return None
    order = {symbol: theta_index for theta_index, symbol in enumerate(projection.formula.unknowns)}
    return base, [Term(tuple(some), tuple(sorted(symbols, key=order.__getitem__))) for some, symbols in groups]


def with_amplitudes(formula: Formula, projection: Projection, scanned: Collection[Expr]) -> Formula | None:
    """Return a formula with a factor of its own for each term that has none; None if every term has one.

    A term whose amplitude is fixed, or tied to something else, is thereby found as if it were free.
    """
    dependent = _without_amplitude(formula, projection, scanned)
    if not dependent or len(Add.make_args(formula.expression)) == 1:
        return None
    factors = [Parameter(f" {dependent_index}") for dependent_index in range(len(dependent))]
    amplitude_terms = [
        factor * term if amplitude is None else term.xreplace({amplitude: factor})
        for factor, (term, amplitude) in zip(factors, dependent, strict=True)
    ]
    expression = Add(formula.expression - Add(*(term for term, _ in dependent)), *amplitude_terms)
    return replace(
        formula, expression=expression, parameters={**formula.parameters, **{each.name: None for each in factors}}
    )


def _without_amplitude(
    formula: Formula, projection: Projection, scanned: Collection[Expr]
) -> list[tuple[Expr, Expr | None]]:
    """Return the terms that have no linear parameter of their own, with the one that they share, if any."""
    moving = set(scanned).union(*({each.phase} for each in projection.amplitudes))
    dependent: list[tuple[Expr, Expr | None]] = [
        (term, None) for term in Add.make_args(projection.remainder) if term.free_symbols & moving
    ]
    for each in projection.amplitudes:
        terms = [term for term in Add.make_args(formula.expression) if each.symbol in term.free_symbols]
        unknowns = [term.free_symbols & moving for term in terms]
        if len(terms) > 1 and all(unknowns) and not set.intersection(*unknowns) and not each.rate:
            dependent += [(term, each.symbol) for term in terms[1:]]
    return dependent


def worth_peeling(formula: Formula, terms: Sequence[Term]) -> bool:
    """Whether trial points alone are too few: for several terms, for waves, and for peaks that may be narrow."""
    unknowns = [symbol for term in terms for symbol in term.unknowns]
    located = (symbol in waves(formula) or measures(formula)[symbol].location is not None for symbol in unknowns)
    return 1 < len(terms) <= MOST_TERMS or (len(terms) == 1 and any(located))
