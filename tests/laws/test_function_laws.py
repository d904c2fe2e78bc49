"""Laws of every function that formulas have: each language computes the same, and writes it so that it can be read.

A language that lacks a function must say so; nothing may be wrong in silence.
"""

from __future__ import annotations

import itertools
import math
import warnings
import xml.dom.minidom

import duckdb
import ibis
import numpy as np
import pyarrow
import pytest
import sympy
import torch
from tests.formula.expressions import call_of

from descend.formula import as_text
from descend.formula.build import Builder
from descend.formula.compile import compile_expression
from descend.formula.derivative import derivatives
from descend.formula.domain import RELATIONS
from descend.formula.functions import FUNCTIONS, entry_of
from descend.formula.printers.code import NUMPY, SQL, TORCH, LackingError, Writer
from descend.formula.printers.database import ABILITIES, Abilities, LackingFunctionError
from descend.formula.printers.ibis import QueryWriter
from descend.formula.printers.latex import as_latex
from descend.formula.printers.mathml import as_mathml
from descend.formula.real_functions import absolute
from descend.formula.symbols import Column, Parameter
from descend.formula.syntax import parse_expression

OWN = [name for name, entry in FUNCTIONS.items() if entry.nodes is not None]
"""Those that are no mere shorthands, which formulas hold as what they are short for."""
NUMBERS = (-30.5, -5.25, -2.5, -1.0, -0.75, -0.3, -1e-3, -1e-9, 1e-9, 1e-3, 0.2, 0.55, 0.999, 1.5, 3.7, 8.2, 19.6, 45.0)
SYMBOLS = ("u", "v", "w")
FEW = 40
LOOSE = {"polygamma": 1e-9, "digamma_gap": 1e-9}
"""How far PyTorch is from the others where it is no nearer: its trigamma has nine digits."""


def read(text, columns=()):
    return Builder(text, columns, columns, starts=None).build(parse_expression(text))


def points(name):
    """Return arguments from the domain of a function, the first ones in combination with a few of the others."""
    entry = FUNCTIONS[name]
    places = [place for place in range(entry.arguments[0]) if place not in entry.orders]
    choices = []
    for place in places:
        relation = "" if name == "where" else entry.domain_of(place)
        inside = [x for x in NUMBERS if not relation or RELATIONS[relation][0](np.array([x])).all()]
        if len(places) > 1:  # between neighbours of 0 and larger numbers nothing but rounding is left
            inside = [x for x in inside if abs(x) > 1e-4]
        choices.append(inside if place == places[0] else inside[::4])
    rows = list(itertools.product(*choices))
    rows = rows[:: max(1, len(rows) // FEW)]
    return dict(zip(SYMBOLS, np.array(rows).T, strict=False))


def numpy_values(expression, values):
    symbols = tuple(Parameter(name) for name in values)
    count = len(next(iter(values.values())))
    with np.errstate(all="ignore"):
        return np.broadcast_to(compile_expression(expression, symbols, NUMPY)(*values.values()), count).astype(float)


def torch_values(expression, values):
    symbols = tuple(Parameter(name) for name in values)
    count = len(next(iter(values.values())))
    tensors = [torch.from_numpy(value) for value in values.values()]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's own, of functions it calls experimental
        return np.broadcast_to(np.asarray(compile_expression(expression, symbols, TORCH)(*tensors)), count)


def rows_of(values):
    return ", ".join(
        f"({', '.join(f'{number!r}::double' for number in row)})"
        for row in zip(*(value.tolist() for value in values.values()), strict=True)
    )


def sql_values(expression, values):
    text = Writer(SQL).write(expression)
    query = f"select cast({text} as double) from (values {rows_of(values)}) as data({', '.join(values)})"
    with duckdb.connect(config={"threads": 1}) as connection:
        return np.array([math.nan if row[0] is None else row[0] for row in connection.execute(query).fetchall()])


def query_values(expression, values, abilities):
    """Compute what the engine `query` asks of a database that can do no more than ``abilities``."""
    columns = {Parameter(name): Column(name) for name in values}
    table = ibis.memtable(pyarrow.table(values))
    writer = QueryWriter(table, {Column(name): name for name in values}, {}, abilities)
    expression = expression.xreplace(columns)
    writer.count([expression])
    node = writer.name(expression)
    found = writer.table([node])
    column = found.select(value=writer.write(node, found).cast("float64")).to_pyarrow()["value"]
    return column.fill_null(math.nan).to_numpy()


def close(found, expected, expression, values, loose=0.0):
    """Hold values against NumPy's: to rounding, of the result and of the arguments; ``loose``: and so much more."""
    with np.errstate(all="ignore"):
        nudged = numpy_values(expression, {name: value * (1 + 2e-16) for name, value in values.items()})
        rounding = np.nan_to_num(abs(nudged - expected), nan=0.0, posinf=0.0)
        allowed = (2e-13 + loose) * abs(expected) + 50 * rounding + loose + 1e-300
        beside = [numpy_values(expression, {**values, "u": values["u"] * (1 + step)}) for step in (-1e-12, 1e-12)]
        steady = abs(beside[0] - beside[1]) < 1e-3 * (1 + abs(expected))  # at a jump either side is right
        fine = (
            (steady | ~np.isfinite(beside[0] - beside[1]))
            & np.isfinite(expected)
            & (abs(expected) > 1e-290)
            & (abs(expected) < 1e290)
        )
        bad = ~(abs(found - expected) <= allowed) & fine
    assert fine.any()
    shown = {key: value[bad][:5].tolist() for key, value in {**values, "found": found, "right": expected}.items()}
    assert not bad.any(), (str(expression), shown)


def parts_of(name):
    """Return the function of its arguments, and its derivatives, which are made of functions, too."""
    values = points(name)
    expression = read(call_of(name, *SYMBOLS))
    slopes = derivatives(expression, [Parameter(symbol) for symbol in values])
    return values, [expression, *(slope for slope in slopes.values() if slope != 0)]


@pytest.mark.parametrize("name", OWN)
def test_pytorch_computes_it_as_numpy_does_or_says_that_it_cannot(name):
    values, parts = parts_of(name)
    for expression in parts:
        lacks = [entry for node in expression.atoms(*[FUNCTIONS[own].nodes for own in OWN])
                 if (entry := entry_of(node)) is not None and entry.torch is None]  # fmt: skip
        if lacks:
            with pytest.raises(LackingError):
                Writer(TORCH).write(expression)
            continue
        try:
            found = torch_values(expression, values)
        except LackingError:  # of a function that only derivatives bring in
            continue
        called = {node.func.__name__ for node in expression.atoms(sympy.Function)}
        loose = max((LOOSE.get(each, 0.0) for each in called), default=0.0)
        close(found, numpy_values(expression, values), expression, values, loose)


@pytest.mark.parametrize("name", OWN)
def test_autograd_differentiates_it_or_says_that_it_cannot(name):
    entry = FUNCTIONS[name]
    if entry.torch is None:
        return
    values, (expression, *_) = parts_of(name)
    tensors = [torch.from_numpy(value).requires_grad_() for value in values.values()]
    symbols = tuple(Parameter(symbol) for symbol in values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        total = compile_expression(expression, symbols, TORCH)(*tensors)
        if not entry.autograd:
            with pytest.raises((RuntimeError, NotImplementedError)):
                total.sum().backward()
            return
        if total.requires_grad:
            total.sum().backward()
    for symbol, tensor in zip(symbols, tensors, strict=True):
        slope = derivatives(expression, [symbol])[symbol]
        if slope == 0 or tensor.grad is None:
            continue
        close(tensor.grad.numpy(), numpy_values(slope, values), slope, values, loose=1e-8)  # PyTorch's own digits


@pytest.mark.parametrize("name", OWN)
def test_sql_computes_it_as_numpy_does_or_says_that_it_cannot(name):
    values, parts = parts_of(name)
    for expression in parts:
        try:
            text = Writer(SQL).write(expression)
        except LackingError:
            continue
        assert text.count("(") == text.count(")")
        if "digamma" not in text:
            close(sql_values(expression, values), numpy_values(expression, values), expression, values)


@pytest.mark.parametrize("abilities", [ABILITIES["duckdb"], Abilities(ieee=False)], ids=["duckdb", "plain"])
@pytest.mark.parametrize("name", OWN)
def test_the_engine_query_computes_it_as_numpy_does_or_streams_its_rows(name, abilities):
    values, parts = parts_of(name)
    for expression in parts:
        if expression.free_symbols:
            try:
                found = query_values(expression, values, abilities)
            except LackingFunctionError:
                continue
            loose = 1e-14 if expression.has(sympy.tanh) else 0.0  # 1 - tanh(u)^2 has lost its digits in the tails
            close(found, numpy_values(expression, values), expression, values, loose)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_it_is_read_as_it_is_written_and_shown_well_formed(name):
    _, parts = parts_of(name)
    for expression in parts:
        if all(entry_of(node) is None or entry_of(node).name in FUNCTIONS for node in expression.atoms()):
            try:
                again = read(as_text(expression))
            except Exception as error:
                if "There is no function" in str(error) or "has no derivative" in str(error):
                    continue  # a function that only derivatives bring in
                raise
            assert again == expression.replace(sympy.Abs, absolute)
        latex = as_latex(expression)
        assert latex.count("{") == latex.count("}") and latex.count(r"\left") == latex.count(r"\right")
        xml.dom.minidom.parseString(
            f"<math>{as_mathml(expression)}</math>".replace("&InvisibleTimes;", "").replace("&nbsp;", "")
        )
