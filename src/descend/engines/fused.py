"""All sums of a formula as one kernel compiled by PyTorch: each row is read once, and nothing is stored for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from sympy import Expr, Integer

from descend.engines.totals import Array
from descend.engines.triangles import symmetric
from descend.formula.compile import define, torch_names
from descend.formula.printers.code import TORCH
from descend.formula.row_code import DATA, ROWS, RowCode
from descend.formula.symbols import OMEGA
from descend.gradients.derived import Program
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE
from descend.table.rows import Rows

if TYPE_CHECKING:
    from torch import Tensor

MOST_PARAMETERS = 8
"""Parameters beyond which the kernel has so many sums that matrix products are faster."""


class Fused:
    """Loss, gradient and the upper half of the curvature of a Program, of order 0 to 2, as straight-line code.

    >>> from descend.formula import read_formula
    >>> from descend.gradients.derived import derived
    >>> from descend.losses import LOSSES
    >>> program = derived(read_formula("y ~ w*x", ["x", "y"]), LOSSES.build("squared"))
    >>> print(Fused(program).functions[0].source)
    def rows(theta, block):
        c0, c1, = block
        count = block[0].shape[0]
        p0 = theta[0]
        t0 = p0*c1
        t1 = t0 - c0
        t2 = t1*t1
        return torch.stack([(t2).sum()])
    <BLANKLINE>
    """

    def __init__(self, program: Program, weighted: bool = False) -> None:
        self.program = program
        quantities = {PREDICTION: program.score, RESPONSE: program.formula.response, RESIDUAL: PREDICTION - RESPONSE}
        self.omega: Expr = OMEGA if weighted else Integer(1)
        self.code = RowCode(
            program.formula, program.parameters.slices, TORCH, quantities, program.more_columns, weighted
        )
        bodies = [self._body(order) for order in range(3)]
        names = ", ".join(self.code.prepared.values())
        self.functions = [self._define(names, *body) for body in bodies]

    def prepare(self, rows: Rows) -> tuple[Array, ...]:
        """Return what the kernel reads: the columns, and what is computed from data alone."""
        return self.code.prepare(rows)

    def _define(self, names: str, lines: list[str], sums: list[str]) -> Callable[..., Tensor]:
        theta = [f"p{place.start} = theta[{place.start}]" for place in self.program.parameters.slices.values()]
        lines = [f"{names}, = block", "count = block[0].shape[0]", *theta, *lines]
        lines.append(f"return torch.stack([{', '.join(sums)}])")
        return define("rows", "def rows(theta, block):\n" + "".join(f"    {line}\n" for line in lines), torch_names())

    def _body(self, order: int) -> tuple[list[str], list[str]]:
        """Return lines of code, and the sums that follow from them."""
        program, writer = self.program, self.code.writer()
        value, slope, weight = (each * self.omega for each in program.loss.expressions)
        columns = list(program.jacobian.values())
        products: list[tuple[Expr, ...]] = [(value,)] + [(slope, column) for column in columns if order]
        if order == 2:
            products += [(weight, one, second_column) for k, one in enumerate(columns) for second_column in columns[k:]]
        writer.count(factor for product in products for factor in product)
        sums = []
        for product in products:
            factors = [(writer.name(factor), writer.kind(factor) in (DATA, ROWS)) for factor in product if factor != 1]
            text = "*".join(name for name, _ in factors) or "1.0"
            sums.append(f"({text}).sum()" if any(rows for _, rows in factors) else f"({text})*theta.new_ones(())*count")
        return writer.lines, sums


@lru_cache(maxsize=128)
def fused(program: Program, weighted: bool) -> Fused | None:
    """Return the kernel of a program; None where it has too many sums, or one that needs matrix products."""
    few = program.parameters.size <= MOST_PARAMETERS and not program.formula.terms
    scalars = all(labels is None for labels in program.formula.parameters.values())
    return Fused(program, weighted) if few and scalars and program.by_hand is None else None


def split(sums: Array, size: int, order: int) -> tuple[float, Array | None, Array | None]:
    """Split what the kernel returns into loss, gradient and curvature."""
    if order == 0:
        return float(sums[0]), None, None
    gradient = sums[1 : 1 + size].copy()
    return float(sums[0]), gradient, None if order == 1 else symmetric(sums[1 + size :], size)
