"""A formula as code for many groups at once: columns are (rows, groups), parameters (p, groups)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Add, Expr, Mul

from descend.formula.compile import Compiled, define, numpy_names
from descend.formula.printers.code import NUMPY, Writer
from descend.formula.symbols import Column, Component, Parameter
from descend.gradients.contract import Program
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE

Array = NDArray[np.float64]


@dataclass(frozen=True)
class BatchCode:
    """Score, derivatives, and value, slope and weight of the loss, of every row of many groups.

    columns: the columns that it reads. parameters: how many components. linear: which of these the score is linear in.
    """

    columns: tuple[str, ...]
    parameters: int
    linear: NDArray[np.bool_]
    compiled: Compiled

    def __call__(self, theta: Array, columns: Mapping[str, Array], y: Array) -> Sequence[Array]:
        """Return value, slope and weight of the loss, and the derivatives of the score by each component.

        theta: (p, groups); columns and y: (rows, groups). Each result is an array of rows and groups, of groups, or a
        number, to be broadcast.
        """
        found: Sequence[Array] = self.compiled(y, *(columns[name] for name in self.columns), *theta)
        return found


@lru_cache(maxsize=64)
def batch_code(program: Program) -> BatchCode:
    """Return the code of a program: every derivative in one pass, what they share computed once."""
    formula, loss = program.formula, program.loss
    components: list[Expr] = []
    spelled: dict[Expr, Expr] = {}
    slopes: dict[Expr, Expr] = {}
    for name, labels in program.parameters.shapes.items():
        if labels is None:
            components.append(Parameter(name))
            slopes[Parameter(name)] = program.slopes.with_limits[Parameter(name)]
            continue
        for place, label in enumerate(labels):
            component = Component(f"{name}[{label}]")
            components.append(component)
            slopes[component] = Add(
                *(
                    Mul(program.slopes.with_limits[predictor], term.items[place])
                    for predictor, term in formula.terms.items()
                    if term.vector == name
                )
            )
    for predictor, term in formula.terms.items():
        parts = (
            Mul(Component(f"{term.vector}[{label}]"), item) for label, item in zip(term.labels, term.items, strict=True)
        )
        spelled[predictor] = Add(*parts)
    score = program.score.xreplace(spelled)
    derivatives = [slopes[component].xreplace(spelled) for component in components]
    unknown = set(components)
    linear = np.array([not (slope.free_symbols & {each}) for each, slope in zip(components, derivatives, strict=True)])
    names = tuple(
        sorted({symbol.name for part in (score, *derivatives) for symbol in part.atoms(Column)} | set(loss.own_columns))
    )
    of_loss = [part.xreplace({RESPONSE: RESPONSE}) for part in loss.expressions]
    arguments = {RESPONSE: "y", **{Column(name): f"c{place}" for place, name in enumerate(names)}}
    arguments |= {component: f"p{place}" for place, component in enumerate(components)}
    del unknown
    shared, (inside, *written) = sympy.cse(
        [score, *derivatives], symbols=(sympy.Symbol(f"t{n}") for n in range(10**6)), order="none"
    )
    lines = []
    spelling: dict[Expr, str] = dict(arguments)
    for symbol, part in shared:
        lines.append(f"{symbol.name} = {Writer(NUMPY, spelling).write(part)}")
        spelling[symbol] = symbol.name
    lines.append(f"s = {Writer(NUMPY, spelling).write(inside)}")
    if any(RESIDUAL in part.free_symbols for part in of_loss):
        lines.append("r = s - y")
    inner = {
        PREDICTION: "s",
        RESPONSE: "y",
        RESIDUAL: "r",
        **{Column(name): arguments[Column(name)] for name in loss.own_columns},
    }
    results = [Writer(NUMPY, inner).write(part) for part in of_loss] + [
        Writer(NUMPY, spelling).write(part) for part in written
    ]
    body = "\n    ".join([*lines, f"return ({', '.join(results)},)"])
    source = f"def evaluate({', '.join(arguments.values())}):\n    {body}\n"
    return BatchCode(names, len(components), linear, define("evaluate", source, numpy_names()))
