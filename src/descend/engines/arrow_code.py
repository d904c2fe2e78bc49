"""A formula with parameters per group as code for many cells at once: columns are (rows, cells), parameters (cells,).

A cell is the rows that share a value of every grouping, so that each parameter has one value in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Add, Expr, Mul

from descend.engines.arrow import Layout
from descend.formula.compile import Compiled, define, numpy_names
from descend.formula.printers.code import NUMPY, Writer
from descend.formula.symbols import Column, Component, Parameter, Term
from descend.gradients.derived import Program
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE

Array = NDArray[np.float64]
Places = NDArray[np.intp]


class Slot(NamedTuple):
    """One component as it is met in a cell: number ``item`` of the ``items`` of a vector, or a scalar.

    grouping: the column that holds its level; empty if it is the same everywhere.
    """

    name: str
    item: int
    items: int
    grouping: str


@dataclass(frozen=True, eq=False)
class Slots:
    """Which components of theta a formula with parameters per group meets in a cell.

    each: own parameters of the finest grouping first (``own`` of them), then those of coarser groupings, ``local``,
    then the others. groupings: columns that hold the group of a row, the finest first.
    """

    each: tuple[Slot, ...]
    starts: tuple[int, ...]
    groupings: tuple[str, ...]
    layout: Layout

    @classmethod
    def of(cls, program: Program, each: tuple[Slot, ...]) -> Slots:
        """Return the slots of a program; its finest grouping is that of most groups."""
        sizes = {term.levels.name: len(term.levels) for term in program.formula.terms.values() if term.levels}
        groupings = tuple(sorted(sizes, key=lambda name: -sizes[name]))
        slices = program.parameters.slices
        starts = tuple(slices[slot.name].start + slot.item for slot in each)
        own_starts = [
            start + np.arange(sizes[groupings[0]]) * slot.items
            for slot, start in zip(each, starts, strict=True)
            if slot.grouping == groupings[0]
        ]
        shared = np.ones(program.parameters.size, dtype=bool)
        shared[np.concatenate(own_starts)] = False
        return cls(each, starts, groupings, Layout(np.array(own_starts), np.flatnonzero(shared), shared.size))

    @cached_property
    def kinds(self) -> tuple[list[int], list[int], list[int]]:
        """The places among the slots of own, local and global components."""
        finest = self.groupings[0]
        own_slots = [k for k, slot in enumerate(self.each) if slot.grouping == finest]
        local = [k for k, slot in enumerate(self.each) if slot.grouping not in ("", finest)]
        return own_slots, local, [k for k, slot in enumerate(self.each) if not slot.grouping]

    @cached_property
    def among_shared(self) -> Places:
        """(p,), where a component lies among the shared ones."""
        shared_places = np.full(self.layout.size, -1)
        shared_places[self.layout.shared] = np.arange(len(self.layout.shared))
        return shared_places

    def places(self, codes: Places) -> list[Places | int]:
        """Return where in theta each slot of some cells lies: (cells,), or one place. codes: (groupings, cells)."""
        return [
            start + codes[self.groupings.index(slot.grouping)] * slot.items if slot.grouping else start
            for slot, start in zip(self.each, self.starts, strict=True)
        ]


@dataclass(frozen=True)
class CellCode:
    """Loss and derivatives of every row of many cells.

    columns: those that it reads. slots: of its parameters, those of groups first.
    """

    columns: tuple[str, ...]
    slots: tuple[Slot, ...]
    compiled: Compiled
    value: Compiled

    def __call__(self, theta: Sequence[Array | float], columns: Mapping[str, Array], y: Array) -> Sequence[Array]:
        """Return value, slope and weight of the loss, and the derivatives of the score by each slot.

        theta: (cells,) or a number for each slot; columns and y: (rows, cells). Each result is an array of rows and
        cells, of cells, or a number, to be broadcast.
        """
        cell_values: Sequence[Array] = self.compiled(y, *(columns[name] for name in self.columns), *theta)
        return cell_values

    def loss(self, theta: Sequence[Array | float], columns: Mapping[str, Array], y: Array) -> Array:
        """Return the value of the loss in each row."""
        cell_losses: Array = self.value(y, *(columns[name] for name in self.columns), *theta)
        return cell_losses


@lru_cache(maxsize=64)
def cell_code(program: Program) -> CellCode:
    """Return the code of a program, in which what several results share is computed once."""
    score, derivatives = by_slot(program)
    loss = program.loss
    columns_read = {symbol.name for expression in (score, *derivatives.values()) for symbol in expression.atoms(Column)}
    columns = tuple(sorted(columns_read | set(loss.own_columns)))
    names: dict[Expr, str] = {Column(name): f"c{name_number}" for name_number, name in enumerate(columns)}
    names |= {symbol_of(slot): f"p{name_number}" for name_number, slot in enumerate(derivatives)}
    plain, arguments = dict(names), ", ".join(("y", *names.values()))
    temporaries = (sympy.Symbol(f"t{name_number}") for name_number in range(10**6))
    shared, results = sympy.cse([score, *derivatives.values()], symbols=temporaries, order="none")
    lines = []
    for symbol, expression in shared:
        lines.append(f"{symbol.name} = {Writer(NUMPY, names).write(expression)}")
        names[symbol] = symbol.name
    loss_code, *slopes = (Writer(NUMPY, names).write(expression) for expression in results)
    of_residual = any(RESIDUAL in expression.free_symbols for expression in loss.expressions)
    lines += [f"s = {loss_code}", *(["r = s - y"] if of_residual else [])]
    of_loss = names | {PREDICTION: "s", RESPONSE: "y", RESIDUAL: "r"}
    returned = [*(Writer(NUMPY, of_loss).write(expression) for expression in loss.expressions), *slopes]
    body = "\n    ".join([*lines, f"return ({', '.join(returned)},)"])
    source = f"def evaluate({arguments}):\n    {body}\n"
    value = Writer(NUMPY, of_loss).write(loss.expressions[0])
    alone = f"def loss({arguments}):\n    s = {Writer(NUMPY, plain).write(score)}\n    r = s - y\n    return {value}\n"
    at, only = define("evaluate", source, numpy_names()), define("loss", alone, numpy_names())
    return CellCode(columns, tuple(derivatives), at, only)


def by_slot(program: Program) -> tuple[Expr, dict[Slot, Expr]]:
    """Return the score and its derivatives, with the value of each vector written out as the sum of its products.

    The derivative by a component is that by the value of the vector, times its item.
    """
    terms, slopes = program.formula.terms, program.jacobian
    written_out = {
        predictor: Add(*(Mul(symbol_of(_slot(term, k)), item) for k, item in enumerate(term.each)))
        for predictor, term in terms.items()
    }
    slopes_by_slot: dict[Slot, Expr] = {}
    for symbol, slope in slopes.items():
        term = terms.get(symbol)
        slot_slopes = (
            [(Slot(symbol.name, 0, 1, ""), slope)]
            if term is None
            else [(_slot(term, k), Mul(slope, item)) for k, item in enumerate(term.each)]
        )
        for slot, slot_slope in slot_slopes:
            slopes_by_slot[slot] = slopes_by_slot.get(slot, sympy.Integer(0)) + slot_slope.xreplace(written_out)
    grouped = sorted(
        slopes_by_slot, key=lambda slot: not slot.grouping
    )  # stable: otherwise in the order of the formula
    return program.score.xreplace(written_out), {slot: slopes_by_slot[slot] for slot in grouped}


def _slot(term: Term, item: int) -> Slot:
    return Slot(term.vector, item, len(term.each), "" if term.levels is None else term.levels.name)


def symbol_of(slot: Slot) -> Expr:
    """Return the symbol that stands for a slot in what `by_slot` returns."""
    return Parameter(slot.name) if not slot.grouping and slot.items == 1 else Component(f"{slot.name}[{slot.item}]")
