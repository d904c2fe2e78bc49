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
from descend.losses import Loss
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE

Array = NDArray[np.float64]


@dataclass(frozen=True)
class BatchCode:
    """Loss and derivatives of every row of many groups.

    columns: those that it reads. parameters: how many components there are.
    """

    columns: tuple[str, ...]
    parameters: int
    compiled: Compiled
    value: Compiled

    def __call__(self, theta: Array, columns: Mapping[str, Array], y: Array) -> Sequence[Array]:
        """Return value, slope and weight of the loss, and the derivatives of the score by each component.

        theta: (p, groups); columns and y: (rows, groups). Each result is an array of rows and groups, of groups, or a
        number, to be broadcast.
        """
        found: Sequence[Array] = self.compiled(y, *(columns[name] for name in self.columns), *theta)
        return found

    def loss(self, theta: Array, columns: Mapping[str, Array], y: Array, omega: Array | None) -> Array:
        """Return the sum of the loss over the rows of each group."""
        value: Array = np.broadcast_to(self.value(y, *(columns[name] for name in self.columns), *theta), y.shape)
        total: Array = np.add.reduce(value, axis=0) if omega is None else np.einsum("rg,rg->g", value, omega)
        return total


@lru_cache(maxsize=64)
def batch_code(program: Program) -> BatchCode:
    """Return the code of a program, in which what several results share is computed once."""
    score, derivatives = _by_component(program)
    loss = program.loss
    read = {symbol.name for part in (score, *derivatives.values()) for symbol in part.atoms(Column)}
    columns = tuple(sorted(read | set(loss.own_columns)))
    names: dict[Expr, str] = {Column(name): f"c{place}" for place, name in enumerate(columns)}
    names |= {component: f"p{place}" for place, component in enumerate(derivatives)}
    plain = dict(names)
    arguments = ", ".join(("y", *names.values()))
    places = (sympy.Symbol(f"t{place}") for place in range(10**6))
    shared, results = sympy.cse([score, *derivatives.values()], symbols=places, order="none")
    lines = []
    for symbol, part in shared:
        lines.append(f"{symbol.name} = {Writer(NUMPY, names).write(part)}")
        names[symbol] = symbol.name
    inside, *slopes = (Writer(NUMPY, names).write(part) for part in results)
    lines += [f"s = {inside}", *(["r = s - y"] if _of_residual(loss) else [])]
    of_loss = names | {PREDICTION: "s", RESPONSE: "y", RESIDUAL: "r"}
    value = Writer(NUMPY, of_loss).write(loss.expressions[0])
    returned = [*(Writer(NUMPY, of_loss).write(part) for part in loss.expressions), *slopes]
    body = "\n    ".join([*lines, f"return ({', '.join(returned)},)"])
    source = f"def evaluate({arguments}):\n    {body}\n"
    at = define("evaluate", source, numpy_names())
    alone = f"def loss({arguments}):\n    s = {Writer(NUMPY, plain).write(score)}\n    r = s - y\n    return {value}\n"
    return BatchCode(columns, len(derivatives), at, define("loss", alone, numpy_names()))


def _of_residual(loss: Loss) -> bool:
    return any(RESIDUAL in part.free_symbols for part in loss.expressions)


def _by_component(program: Program) -> tuple[Expr, dict[Expr, Expr]]:
    """Return the score, and its derivative by each component, with ``w @ [x1, x2]`` written out as w[x1]*x1 + w[x2]*x2.

    The derivative of such a component is that of the whole times its item.
    """
    slopes, terms = program.slopes.with_limits, program.formula.terms
    written_out = {
        predictor: Add(
            *(
                Mul(Component(f"{term.vector}[{label}]"), item)
                for label, item in zip(term.labels, term.items, strict=True)
            )
        )
        for predictor, term in terms.items()
    }
    derivatives: dict[Expr, Expr] = {}
    for name, labels in program.parameters.shapes.items():
        if labels is None:
            derivatives[Parameter(name)] = slopes[Parameter(name)].xreplace(written_out)
            continue
        within = [(slopes[predictor], term.items) for predictor, term in terms.items() if term.vector == name]
        for place, label in enumerate(labels):
            combined = Add(*(Mul(slope, items[place]) for slope, items in within))
            derivatives[Component(f"{name}[{label}]")] = combined.xreplace(written_out)
    return program.score.xreplace(written_out), derivatives
