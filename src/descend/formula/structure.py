"""What an expression shows before any descent: which parameters are linear, and in what unit each is measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, pairwise, permutations

import numpy as np
import sympy
from sympy import Expr

from descend.formula.formula import Formula
from descend.formula.functions import entry_of
from descend.formula.symbols import Column, Parameter, Predictor

Own = tuple[Parameter, ...]
Unit = dict[Expr, float]
"""Exponents of symbols: {x: 1, b: 1} is the unit of b*x. A parameter's symbol stands for its unit, still unknown."""
RESPONSE_UNIT = sympy.Symbol("response")


@lru_cache(maxsize=128)
def linear_unknowns(formula: Formula) -> frozenset[Expr]:
    """Return the largest set of parameters (and predictors ``w @ [...]``) in which the expression is jointly linear.

    Two of them are compatible if neither appears in the derivative by the other; the set is a largest clique of that
    relation, so `a*exp(-b*x) + c` gives a and c, and `b1*(1 - exp(-b2*x))` gives b1.
    """
    within = {symbol: slope.free_symbols for symbol, slope in formula.jacobian.items()}
    alone = [symbol for symbol in formula.unknowns if symbol not in within[symbol]]
    linear_together = {
        one: {
            second for second in alone if second is not one and second not in within[one] and one not in within[second]
        }
        for one in alone
    }
    return max(_cliques(frozenset(), set(alone), set(), linear_together), key=len, default=frozenset())


def _cliques(
    clique: frozenset[Expr], open_: set[Expr], done: set[Expr], neighbours: Mapping[Expr, set[Expr]]
) -> Iterator[frozenset[Expr]]:
    """Enumerate maximal cliques. Source: Bron & Kerbosch (1973), Commun. ACM 16, 575-577, with a pivot."""
    if not open_ and not done:
        yield clique
        return
    pivot = max(open_ | done, key=lambda symbol: len(neighbours[symbol] & open_))
    for symbol in sorted(open_ - neighbours[pivot], key=str):
        yield from _cliques(clique | {symbol}, open_ & neighbours[symbol], done & neighbours[symbol], neighbours)
        open_ = open_ - {symbol}
        done = done | {symbol}


@dataclass(frozen=True)
class Measure:
    """In what unit a parameter is measured: a product of powers of data expressions and of the response.

    location: the data expression it is subtracted from or added to, if any; it then lies within the range of that.
    """

    unit: Mapping[Expr, float]
    location: Expr | None


@lru_cache(maxsize=128)
def measures(formula: Formula) -> Mapping[Expr, Measure]:
    """Infer the unit of each scalar parameter, and of each ``w @ [...]``, from the formula by dimensional analysis.

    Terms that are added have one unit; the argument of a function such as exp is a pure number; the expression has the
    unit of the response. Each largest expression of data alone counts as one quantity, and so does a number that is
    added: in 5 + x/k, k is a fifth of x. That gives linear equations for the exponents, solved by least squares: a
    formula that respects no units is no error here.
    """
    unknowns = formula.unknowns
    equations: list[Unit] = []
    locations: dict[Expr, Expr] = {}
    unit = _unit(formula.expression, equations, locations)
    if unit is not None:
        equations.append(_times(unit, {RESPONSE_UNIT: 1.0}, -1.0))
    bases = sorted({base for equation in equations for base in equation if base not in unknowns}, key=str)
    matrix = np.array([[equation.get(symbol, 0.0) for symbol in unknowns] for equation in equations])
    equation_matrix = np.array([[-equation.get(base, 0.0) for base in bases] for equation in equations])
    if not equations or not bases:
        return {symbol: Measure({}, locations.get(symbol)) for symbol in unknowns}
    exponents = np.linalg.lstsq(matrix, equation_matrix, rcond=1e-9)[0].round(6)
    return {
        symbol: Measure({base: power for base, power in zip(bases, row, strict=True) if power}, locations.get(symbol))
        for symbol, row in zip(unknowns, exponents.tolist(), strict=True)
    }


def _unit(node: Expr, equations: list[Unit], locations: dict[Expr, Expr]) -> Unit | None:
    """Return the unit of an expression, None for a bare zero or a condition; collect the equations inside it."""
    if not node.atoms(Parameter, Predictor):
        return {-node if node.could_extract_minus_sign() else node: 1.0} if node.atoms(Column) else {}
    if isinstance(node, Parameter | Predictor):
        return {node: 1.0}
    if node.is_Add:
        return _unit_of_sum(node, equations, locations)
    if node.is_Mul:
        unit: Unit = {}
        data = [factor for factor in node.args if not factor.atoms(Parameter, Predictor)]
        for factor in (sympy.Mul(*data), *(factor for factor in node.args if factor not in data)):
            unit = _times(unit, _unit(factor, equations, locations) or {})
        return unit
    if node.is_Pow and node.exp.is_number:
        return _times({}, _unit(node.base, equations, locations) or {}, float(node.exp))
    arguments = [argument for argument in node.args if isinstance(argument, Expr)]
    units = [unit for unit in (_unit(argument, equations, locations) for argument in arguments) if unit is not None]
    function = entry_of(node)
    if function is not None and function.keeps_unit and units:
        equations += [_times(first_unit, second_unit, -1.0) for first_unit, second_unit in pairwise(units)]
        return units[0]
    equations += units  # pure numbers
    return {}


def _unit_of_sum(node: Expr, equations: list[Unit], locations: dict[Expr, Expr]) -> Unit | None:
    data = [term for term in node.args if not term.atoms(Parameter, Predictor)]
    mixed = [term for term in node.args if term.atoms(Parameter, Predictor)]
    level = sympy.Add(*data)
    if level.atoms(Column):
        # SymPy writes 350*(x - c) as 350*x - 350*c; what counts is what c is compared with, which is x.
        factors = (term.as_coeff_Mul() for term in mixed)
        numbers_of_symbols = {symbol: number for number, symbol in factors if isinstance(symbol, Parameter)}
        locations |= {symbol: -level / number for symbol, number in numbers_of_symbols.items()}
        level /= abs(next(iter(numbers_of_symbols.values()), sympy.S.One))
    units = [unit for unit in (_unit(term, equations, locations) for term in mixed) if unit is not None]
    if data:
        number = level.is_number and abs(level) != 1
        units.insert(0, {abs(level): 1.0} if number else _unit(level, equations, locations) or {})
    equations += [_times(first_unit, second_unit, -1.0) for first_unit, second_unit in pairwise(units)]
    return units[0] if units else None


def _times(first_unit: Unit, second_unit: Unit, power: float = 1.0) -> Unit:
    result = dict(first_unit)
    for symbol, exponent in second_unit.items():
        result[symbol] = result.get(symbol, 0.0) + power * exponent
    return {symbol: exponent for symbol, exponent in result.items() if exponent}


def is_periodic(node: Expr) -> bool:
    """Whether a node is a call of a periodic function, such as sin, cos or tan."""
    function = entry_of(node)
    return function is not None and function.periodic


def _turning(expression: Expr) -> list[Expr]:
    return sorted(filter(is_periodic, expression.atoms(sympy.Function)), key=str)


MOST_PERMUTED = 5
"""Parameters of a term up to which each order is tried in which they may answer to those of another."""
MOST_PARTS = 200
"""A wave runs along something simpler than what has more parts; multiplied out, that could have millions."""


@dataclass(frozen=True)
class Wave:
    """A frequency, by which ``along`` is multiplied inside sin, cos or tan, or a period, by which it is divided."""

    along: Expr
    is_period: bool


@lru_cache(maxsize=128)
def waves(formula: Formula) -> Mapping[Parameter, Wave]:
    """Return the frequencies and periods, such as w in `sin(w*x + p)`, or t in `cos(2*pi*x/t)`."""
    waves_found: dict[Parameter, Wave] = {}
    for node in _turning(formula.expression):
        if len(list(islice(sympy.preorder_traversal(node), MOST_PARTS + 1))) > MOST_PARTS:
            continue
        for term in sympy.Add.make_args(sympy.expand(node.args[0])):
            for symbol in term.atoms(Parameter):
                for along, is_period in ((term / symbol, False), (term * symbol, True)):
                    if along.atoms(Column) and not along.atoms(Parameter, Predictor):
                        waves_found.setdefault(symbol, Wave(along, is_period))
    return waves_found


@lru_cache(maxsize=128)
def phases(formula: Formula) -> Mapping[Parameter, Parameter | None]:
    """Return the parameters to which a full turn makes no difference, such as p in `a*sin(w*x + p)`.

    Each comes with the amplitude, if any, whose change of sign makes up for half a turn.
    """
    if not _turning(formula.expression):
        return {}
    scalars = [symbol for symbol in formula.unknowns if isinstance(symbol, Parameter)]
    linear = [symbol for symbol in scalars if symbol in linear_unknowns(formula)]
    phases_found: dict[Parameter, Parameter | None] = {}
    for symbol in scalars:
        around, own_symbols = _around(formula, symbol)
        if symbol in linear or around.xreplace({symbol: symbol + 2 * sympy.pi}) != around:
            continue
        half = {symbol: symbol + sympy.pi}
        linear_partners = (partner for partner in linear if partner in own_symbols)
        amplitudes = (partner for partner in linear_partners if around.xreplace({**half, partner: -partner}) == around)
        phases_found[symbol] = next(amplitudes, None)
    return phases_found


@lru_cache(maxsize=128)
def even_parameters(formula: Formula) -> Mapping[Parameter, Own]:
    """Return the parameters whose sign makes no difference, each with those that must change sign with it.

    Such as the width in `exp(-((x - m)/s)^2)`, alone, or in `a/s*exp(-((x - m)/s)^2)`, together with a. A phase changes
    along with its frequency: `cos(w*x + p)`.
    """
    linear_symbols = linear_unknowns(formula)
    linear = [symbol for symbol in formula.unknowns if symbol in linear_symbols and isinstance(symbol, Parameter)]
    turned = [*phases(formula)]
    even_symbols: dict[Parameter, Own] = {}
    for symbol in formula.unknowns:
        if isinstance(symbol, Predictor) or symbol in linear or symbol in turned:
            continue
        term_around, own_symbols = _around(formula, symbol)
        amplitudes, turning = ([each for each in some if each in own_symbols] for some in (linear, turned))
        partners = [(), *((partner,) for partner in amplitudes), *((phase,) for phase in turning)]
        partners += [(phase, partner) for phase in turning for partner in amplitudes]
        for other_partners in partners:
            if term_around.xreplace({each: -each for each in (symbol, *other_partners)}) == term_around:
                even_symbols[symbol] = other_partners
                break
    return even_symbols


@lru_cache(maxsize=128)
def interchangeable(formula: Formula) -> tuple[tuple[Own, ...], ...]:
    """Return groups of parameters that can change places as a whole, such as those of two peaks in a sum.

    Each element lists two or more tuples of parameters: those, in order of appearance, of parts of the sum that are
    the same but for the names. Terms that share a parameter, as in `a*sin(w*x) + b*cos(w*x)`, make one part, unless
    they are alike themselves, as peaks of one width are.
    """
    groups: list[tuple[Own, ...]] = []
    separate_terms, single = _parts(formula), []
    families = _families(separate_terms)
    for family in families:
        if len(family) > 1:
            groups.append(tuple(own_symbols for _, own_symbols in family))
        else:
            single.append(family[0])
    for part, own_symbols in single:
        terms = sympy.Add.make_args(part)
        counts = Counter(symbol for term in terms for symbol in term.atoms(Parameter))
        common = [symbol for symbol in own_symbols if counts[symbol] > 1]
        if common and len(terms) > 1:
            alike = _families(_parts_of(formula, terms, common))
            groups += [tuple(mine for _, mine in family) for family in alike if len(family) > 1]
    return tuple(groups)


def symmetric(formula: Formula) -> bool:
    """Whether several parameters may be as good as others: of other signs, turned on, or with like terms exchanged."""
    return bool(even_parameters(formula) or phases(formula) or interchangeable(formula))


def _families(separate_terms: Sequence[tuple[Expr, Own]]) -> list[list[tuple[Expr, Own]]]:
    """Gather parts that are the same but for the names; parameters stand where those of the first of a family do."""
    families: list[list[tuple[Expr, Own]]] = []
    for term, own_symbols in separate_terms:
        for family in families:
            answering = _answering(*family[0], term, own_symbols)
            if answering is not None:
                family.append((term, answering))
                break
        else:
            families.append([(term, own_symbols)])
    return families


def _answering(first: Expr, names: Own, term: Expr, own_symbols: Own) -> Own | None:
    """Return the parameters of a part in the order in which they answer to those of the first; None if it is unlike."""
    if len(names) != len(own_symbols):
        return None
    if first.xreplace(dict(zip(names, own_symbols, strict=True))) == term:
        return own_symbols
    same = sympy.Dummy()
    if first.xreplace(dict.fromkeys(names, same)) != term.xreplace(dict.fromkeys(own_symbols, same)):
        return None
    for order in permutations(own_symbols) if len(own_symbols) <= MOST_PERMUTED else ():
        if first.xreplace(dict(zip(names, order, strict=True))) == term:
            return order
    return None


def _around(formula: Formula, symbol: Parameter) -> tuple[Expr, Collection[Parameter]]:
    """Return the part of the sum that a parameter is in, and the parameters of that part."""
    return _by_parameter(formula).get(symbol) or (formula.expression, formula.expression.atoms(Parameter))


@lru_cache(maxsize=128)
def _by_parameter(formula: Formula) -> Mapping[Parameter, tuple[Expr, Own]]:
    """Return for each parameter its part of the sum, with the parameters of that; none where vectors link the parts."""
    separate_terms = [] if formula.terms else _parts(formula)
    return {symbol: (term, own_symbols) for term, own_symbols in separate_terms for symbol in own_symbols}


def _parts(formula: Formula) -> list[tuple[Expr, Own]]:
    """Cut the sum into parts that share no parameter, each with its parameters in order of appearance."""
    return _parts_of(formula, sympy.Add.make_args(formula.expression))


def _parts_of(formula: Formula, terms: Iterable[Expr], common: Collection[Parameter] = ()) -> list[tuple[Expr, Own]]:
    """Put terms together that share a parameter other than the ``common`` ones; leave out those without parameters."""
    order = {name: name_number for name_number, name in enumerate(formula.parameters)}
    terms_found: list[tuple[Expr, set[Parameter]]] = []
    for term in terms:
        own = term.atoms(Parameter).difference(common)
        if not own or term.atoms(Predictor):
            continue
        together = [part for part in terms_found if part[1] & own]
        terms_found = [part for part in terms_found if part not in together]
        terms_found.append(
            (sympy.Add(term, *(part for part, _ in together)), own.union(*(names for _, names in together)))
        )
    terms_listed = [(part, tuple(sorted(own, key=lambda symbol: order[symbol.name]))) for part, own in terms_found]
    return sorted(terms_listed, key=lambda part: order[part[1][0].name])
