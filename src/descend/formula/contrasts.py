"""Levels that the rest of a formula can make up for: which of them to hold, so that all others are determined.

In ``b0 + u[color]`` a change of all u is the same as one of b0. One level of u, the reference, is held at 0, and the
others are differences from it: treatment contrasts. In ``A*u[color]`` it is held at 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.formula.compile import evaluated
from descend.formula.dependence import DEPENDENT, multiples, random_column
from descend.formula.formula import Formula
from descend.formula.symbols import Column, Predictor
from descend.table.levels import Key, Label, Levels

Array = NDArray[np.float64]
First = Mapping[str, Mapping[str, Label]]
"""For each parameter of groups the reference level of each of its columns."""
Cells = Callable[[tuple[str, ...]], Levels]
ROWS_EACH = 8
"""Random rows for each direction in which a prediction may move."""


@dataclass(frozen=True, eq=False)
class Direction:
    """How the prediction of a row moves with some components of a parameter: along(row), in the rows of each group.

    name: of the parameter. along: its values in random rows. levels: the groups, each with a component of its own; None
    for a single one. labels: of the components, group by group.
    """

    name: str
    along: Array
    levels: Levels | None
    labels: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return () if self.levels is None else self.levels.columns


@dataclass(frozen=True)
class References:
    """held: the value of each level that is held, by its label. repeated: parameters of which all levels would be."""

    held: Mapping[str, float]
    repeated: tuple[str, ...] = ()


def references(
    formula: Formula, fixed: frozenset[str], first: First, cells: Cells, constant: bool = False
) -> References:
    """Return the levels that are redundant with the rest of a formula, whatever the parameters.

    1. The derivatives of the prediction by the unknowns are taken in random rows, where ``a[site]`` has random values.
       Those that are multiples or sums of each other form a family: its members can make up for each other.
    2. Within a family each component moves the prediction in the cells, the combinations of groups that occur, where it
       stands. They are gone through in an order: fewer columns first, and of one parameter the first levels last.
       A component that moves nothing that those before it cannot move together is held.
    3. The same is done with derivatives times parameters, for factors that can make up for each other.

    fixed: labels of components that the user holds. first: for each parameter the reference level of each column.
    cells: returns the combinations of groups that occur in some columns. constant: whether what is outside the formula,
    such as the cutpoints of a loss, makes up for a constant that is added to the prediction.
    """
    added = list(_directions(formula, scaled=False))
    if constant and added:
        added.append(Direction("", np.ones_like(added[0].along), None, ("",)))
    held = {label: 0.0 for label in _redundant(added, fixed, first, cells)}
    redundant_names = {direction.name for direction in added if any(label in held for label in direction.labels)}
    factors = [each for each in (*_directions(formula, scaled=True), *added) if each.name not in redundant_names]
    for family in multiples(np.array([[each.along] for each in factors])):
        directions_known: dict[str, Direction] = {}
        for place in family:
            directions_known.setdefault(factors[place].name, factors[place])  # of one name, that of the factor
        held |= {label: 1.0 for label in _redundant(list(directions_known.values()), fixed | set(held), first, cells)}
    labels = {each.name: each.labels for each in added if each.levels is not None}
    repeated = tuple(name for name, every in labels.items() if set(every) <= set(held))
    return References(held, repeated)


def _directions(formula: Formula, scaled: bool) -> Iterator[Direction]:
    """Yield the directions of each unknown, in random rows of any size and sign; of vectors per group one per item."""
    generator = np.random.default_rng(3)
    directions = len(formula.unknowns) + sum(len(term.each) for term in formula.terms.values())
    rows = max(64, ROWS_EACH * directions)
    values: dict[Expr, Array | float] = {Column(name): random_column(generator, rows) for name in formula.columns}
    for symbol in formula.unknowns:
        vary = rows if isinstance(symbol, Predictor) else None
        values[symbol] = generator.uniform(0.4, 1.9, vary)
    with np.errstate(all="ignore"):
        slopes = {symbol: evaluated(slope, values, rows) for symbol, slope in formula.jacobian.items()}
        usable = np.logical_and.reduce([np.isfinite(slope) for slope in slopes.values()])
    directions_of_items: dict[tuple[str, int], Direction] = {}
    for symbol, slope in slopes.items():
        along, term = slope[usable], formula.terms.get(symbol)
        along = along * np.broadcast_to(values[symbol], rows)[usable] if scaled else along
        if term is None:
            yield Direction(symbol.name, along, None, (symbol.name,))
            continue
        if scaled and len(term.each) > 1:
            continue
        labels = tuple(f"{term.vector}[{label}]" for label in term.labels)
        for item_number, item in enumerate(term.each):
            column_values = along * evaluated(item, values, rows)[usable]
            before = directions_of_items.get((term.vector, item_number))  # a vector may stand at several places
            column_values = column_values if before is None else column_values + before.along
            directions_of_items[term.vector, item_number] = Direction(
                term.vector, column_values, term.levels, labels[item_number :: len(term.each)]
            )
    yield from directions_of_items.values()


def _redundant(directions: Sequence[Direction], fixed: frozenset[str], first: First, cells: Cells) -> Iterator[str]:
    """Yield the labels of components of groups that move nothing which components before them cannot move together."""
    for family, shares in _families(directions):
        columns = tuple(dict.fromkeys(column for each in family for column in each.columns))
        if not columns or len(family) < 2:
            continue
        reducer = Reducer()
        levels = _places(family, cells(columns), columns)
        order = sorted(range(len(family)), key=lambda k: (len(family[k].columns), k))
        for k in order:
            direction = family[k]
            for group in _sequence(direction, first):
                label = direction.labels[group]
                if label in fixed or not levels[k][group]:
                    continue
                cells_moved = {(cell, part): share for cell in levels[k][group] for part, share in shares[k].items()}
                if not reducer.adds(cells_moved) and direction.levels is not None:
                    yield label


def _places(family: Sequence[Direction], cells: Levels, columns: Sequence[str]) -> list[list[list[int]]]:
    """Return for each direction and group the cells in which its component stands."""
    cells_of_levels = []
    for direction in family:
        if direction.levels is None:
            cells_of_levels.append([list(range(len(cells)))])
            continue
        groups: list[list[int]] = [[] for _ in direction.levels.keys]
        number_of_key = {key: number for number, key in enumerate(direction.levels.keys)}
        columns_taken = [columns.index(column) for column in direction.columns]
        for cell, key in enumerate(cells.keys):
            groups[number_of_key[tuple(key[column] for column in columns_taken)]].append(cell)
        cells_of_levels.append(groups)
    return cells_of_levels


def _sequence(direction: Direction, first: First) -> list[int]:
    """Return groups in an order that ends with the reference: those that differ from it in the most columns first."""
    if direction.levels is None:
        return [0]
    keys = direction.levels.keys
    reference = [first[direction.name][column] for column in direction.columns]

    def differing(key: Key) -> int:
        return sum(value != reference_value for value, reference_value in zip(key, reference, strict=True))

    return sorted(range(len(keys)), key=lambda group: (-differing(keys[group]), -group))


def _families(directions: Sequence[Direction]) -> Iterator[tuple[list[Direction], list[dict[int, float]]]]:
    """Yield directions that can make up for each other, each with its shares of the ones that span them all."""
    basis: list[Array] = []
    shares: list[dict[int, float]] = []
    for direction in directions:
        size = float(np.linalg.norm(direction.along))
        unit = direction.along / size if size > 0.0 else direction.along
        if basis:
            matrix = np.column_stack(basis)
            weights = np.linalg.lstsq(matrix, unit, rcond=None)[0]
            if np.linalg.norm(unit - matrix @ weights) < DEPENDENT:
                shares.append({k: float(w) for k, w in enumerate(weights.tolist()) if abs(w) > DEPENDENT})
                continue
        shares.append({len(basis): 1.0})
        basis.append(unit)
    member = list(range(len(basis)))
    for shared in shares:
        joined = {member[cell] for cell in shared}
        member = [min(joined) if each in joined else each for each in member]
    for root in dict.fromkeys(member):
        members = [k for k, shared in enumerate(shares) if shared and member[next(iter(shared))] == root]
        yield [directions[k] for k in members], [shares[k] for k in members]


class Reducer:
    """Tells whether sparse vectors depend on those before them, by elimination.

    >>> reducer = Reducer()
    >>> [reducer.adds(each) for each in ({(1, 0): 1.0, (2, 0): 1.0}, {(2, 0): 1.0}, {(1, 0): 1.0})]
    [True, True, False]
    """

    def __init__(self) -> None:
        self.rows: dict[tuple[int, int], dict[tuple[int, int], float]] = {}

    def adds(self, vector: Mapping[tuple[int, int], float]) -> bool:
        """Return whether a vector adds a dimension, and keep it if so."""
        left, size = dict(vector), max(map(abs, vector.values()), default=0.0)
        while left:
            pivot = next((entry for entry in left if entry in self.rows), None)
            if pivot is None:
                break
            factor = left.pop(pivot)
            for entry, value in self.rows[pivot].items():
                if entry != pivot:
                    value = left.get(entry, 0.0) - factor * value
                    left[entry] = value
                    if abs(value) < DEPENDENT * size:
                        del left[entry]
        if not left:
            return False
        pivot = max(left, key=lambda entry: abs(left[entry]))
        scale = left[pivot]
        self.rows[pivot] = {entry: value / scale for entry, value in left.items()}
        return True
