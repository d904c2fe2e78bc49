"""Expressions to Python functions of numbers, arrays or tensors."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Function, Pow

from descend.formula.factor import numpy_factor, products, torch_factor, whitened
from descend.formula.functions import Function as Entry
from descend.formula.functions import constant_call, special
from descend.formula.printers.code import NUMPY, TORCH, Language, Writer
from descend.formula.real_functions import RealFunction
from descend.formula.symbols import OMEGA, Column, finite
from descend.table.in_matrix import InMatrix

Array = NDArray[np.float64]
Compiled = Callable[..., Any]
"""A function of numbers, arrays or tensors, which returns the kind it is given."""
Names = Mapping[str, object]


@lru_cache(maxsize=1)
def numpy_names() -> Names:
    """Return the names that NumPy code refers to; SciPy's functions load at their first use."""
    return {
        "np": np,
        "special": special,
        "factor": numpy_factor,
        "whitened": whitened,
        "products": products,
        "total": np.add.reduce,
        "spread": lambda number, count: np.full(count, number),
    }


@lru_cache(maxsize=1)
def torch_names() -> Names:
    """Return the names that PyTorch code refers to."""
    import torch

    return {
        "torch": torch,
        "math": math,
        "factor": torch_factor,
        "total": torch.sum,
        "spread": lambda number, count: number.expand(count),
    }


def names_of(language: Language) -> Names:
    """Return the names that code in ``language`` refers to."""
    return torch_names() if language is TORCH else numpy_names()


def define(name: str, source: str, names: Names) -> Compiled:
    """Turn source code written by this module into a function.

    It is safe to run: every name in it was made up here, and every number went through ``float``.
    """
    space: dict[str, Any] = dict(names)
    exec(compile(source, f"<descend: {name}>", "exec"), space)
    function: Compiled = space[name]
    function.source = source  # type: ignore[attr-defined]
    return function


@lru_cache(maxsize=512)
def compile_expression(expression: Expr, symbols: tuple[Expr, ...], language: Language = NUMPY) -> Compiled:
    """Return a function of arrays (or numbers), one per symbol, that evaluates ``expression``; cached."""
    arguments = {symbol: f"v{number}" for number, symbol in enumerate(symbols)}
    body = Writer(language, arguments).write(expression)
    return define(
        "evaluate", f"def evaluate({', '.join(arguments.values())}):\n    return {body}\n", names_of(language)
    )


@lru_cache(maxsize=64)
def compile_together(expressions: tuple[Expr, ...], symbols: tuple[Expr, ...]) -> Compiled:
    """Return a NumPy function that evaluates several expressions at once; what they share is computed once; cached."""
    arguments = {symbol: f"v{number}" for number, symbol in enumerate(symbols)}
    writer, lines = Writer(NUMPY, arguments, {}), []
    costly = {node for expression in expressions for node in expression.atoms(Function, Pow) if node.free_symbols}
    for number, node in enumerate(sorted(costly, key=lambda node: (node.count_ops(), str(node)))):
        lines.append(f"    t{number} = {writer.write(node)}\n")
        writer.known[node] = f"t{number}"
    expressions_code = ", ".join(map(writer.write, expressions))
    source = f"def evaluate({', '.join(arguments.values())}):\n{''.join(lines)}    return ({expressions_code},)\n"
    return define("evaluate", source, names_of(NUMPY))


def items_matrix(items: Sequence[Expr], columns: Mapping[str, Array], count: int) -> Array:
    """Return the (rows, k) matrix of the items inside ``[ ]``."""
    if (matrix_of_data := listed_matrix(items, columns)) is not None:
        return matrix_of_data
    matrix = np.empty((len(items), count))
    for row, item in zip(matrix, items, strict=True):
        row[...] = columns[item.name] if isinstance(item, Column) else over_rows(item, columns, count)
    return matrix.T


def listed_matrix(items: Sequence[Expr], columns: Mapping[str, Array]) -> Array | None:
    """Return the matrix (rows, k) whose columns the items are, in order; None if the data hold no such matrix."""
    if not isinstance(columns, InMatrix) or len(items) != len(columns.listed):
        return None
    names = tuple([item.name if type(item) is Column else None for item in items])
    return columns.matrix if names == columns.listed else None


def names_of_columns(items: tuple[Expr, ...]) -> tuple[str, ...]:
    """Return the names of items that are columns, each of them; none if any is not."""
    return tuple(item.name for item in items) if all(isinstance(item, Column) for item in items) else ()


@lru_cache(maxsize=512)
def _columns_of(expression: Expr) -> tuple[Column, ...]:
    return tuple(sorted(expression.atoms(Column), key=lambda column: column.name))


def over_rows(expression: Expr, columns: Mapping[str, Array], count: int, omega: Array | None = None) -> Array:
    """Evaluate an expression of data, and perhaps of row weights, alone: one number (or truth value) per row."""
    used = _columns_of(expression)
    values = [omega if symbol is OMEGA else columns[symbol.name] for symbol in used]
    with np.errstate(all="ignore"):
        value = compile_expression(expression, used)(*values)
    if type(value) is np.ndarray and value.dtype == np.float64 and value.shape == (count,) and value.flags.c_contiguous:
        return value
    array = np.broadcast_to(np.asarray(value), (count,))
    return np.ascontiguousarray(array, dtype=None if array.dtype == bool else np.float64)


def evaluated(expression: Expr, values: Mapping[Expr, object], count: int) -> Array:
    """Evaluate an expression where symbols have these values, a number or one for each row: one number per row."""
    value = compile_expression(expression, tuple(values))(*values.values())
    return np.broadcast_to(np.asarray(value, dtype=np.float64), (count,))


def called_with_numbers(function: Entry, arguments: Sequence[Expr], result: Expr) -> float:
    """Return what a function is for arguments that are numbers, having built ``result``; NaN where it has no value."""
    fewest, most = function.arguments
    if function.nodes is not None and (most is None or fewest == len(arguments)):
        return constant_call(function, [float(argument) for argument in arguments])
    if not (finite(result) or result.has(RealFunction)):
        return math.nan
    with np.errstate(all="ignore"):
        return float(compile_expression(result, ())())
