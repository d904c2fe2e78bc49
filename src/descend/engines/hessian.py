"""All second derivatives of a loss in one pass over the rows, where a formula has them as expressions."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations_with_replacement

from sympy import Add, Expr, Integer

from descend.formula.derivative import derivatives, slopes
from descend.formula.domain import bends
from descend.formula.printers.code import ROWWISE
from descend.formula.row_code import RowCode
from descend.formula.symbols import OMEGA
from descend.gradients.derived import Program
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE

MOST = 12
"""Parameters at most: their second derivatives grow with the square."""
Seconds = dict[tuple[int, int], Expr]
"""The second derivative of the score by two parameters, by their places; of most pairs it is 0."""


class HessianCode:
    """Sums of the loss and, as its curvature, of l'' s_j s_k + l' s_jk, with the score s of a row and l' by the score.

    functions, lay_out, block_rows: see `Compiled`; of the functions there is that of order 2.
    """

    def __init__(self, program: Program, weighted: bool, seconds: Seconds) -> None:
        quantities = {PREDICTION: program.score, RESPONSE: program.formula.response, RESIDUAL: PREDICTION - RESPONSE}
        slices, size = program.parameters.slices, program.parameters.size
        code = RowCode(program.formula, slices, ROWWISE, quantities, program.more_columns, weighted)
        omega: Expr = OMEGA if weighted else Integer(1)
        value, slope, _ = (each * omega for each in program.loss.expressions)
        bend = Add(*derivatives(slope, (PREDICTION, RESIDUAL)).values())  # r = s - y changes as s does
        bent = {pair: slope * second for pair, second in seconds.items()}
        writer = code.writer()
        writer.count([value, bend, *program.columns, *bent.values()])
        lines = [f"loss = {writer.sum_over_rows(value)}", f"jacobian = np.empty(({size}, count))"]
        lines += [f"jacobian[{place}] = {writer.name(column)}" for place, column in enumerate(program.columns)]
        lines.append(f"hessian = (jacobian*({writer.name(bend)})).dot(jacobian.T)")
        for (j, k), expression in bent.items():
            lines.append(f"hessian[{j}, {k}] += {writer.sum_over_rows(expression)}")
            lines += [f"hessian[{k}, {j}] = hessian[{j}, {k}]"] if j != k else []
        self.functions = {2: code.define([*writer.lines, *lines], ["loss", "None", "hessian"])}
        self.lay_out, self.block_rows = code.lay_out, code.block_rows


@lru_cache(maxsize=32)
def hessian_code(program: Program, weighted: bool) -> HessianCode | None:
    """Return the sums; None for what bends, has kinks, limits, vectors, columns of its own or a gradient by hand."""
    loss, names = program.loss, tuple(program.slopes.parts)
    plain = loss.plain and not loss.kinked and not program.formula.terms and program.by_hand is None
    if not plain or len(names) > MOST or len(names) != program.parameters.size:
        return None
    if bends(program.score):
        return None  # J curves there by how many rows bend, too
    seconds: Seconds = {}
    for place, slope in enumerate(program.columns):
        found = slopes(slope, names)
        if program.at_edges and (found.edges or found.anywhere):
            return None
        seconds |= {
            (place, program.parameters.slices[symbol.name].start): second for symbol, second in found.inside.items()
        }
    pairs = combinations_with_replacement(range(len(names)), 2)
    return HessianCode(program, weighted, {pair: seconds[pair] for pair in pairs if seconds[pair] != 0})
