"""Sums of a squared loss over many rows: each block is read once, into arrays that were made before."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

import numpy as np
from sympy import Expr, cos, sin, tan

from descend.engines.in_place import ONE_THREAD, LeastSquares, UnsuitableError, square
from descend.engines.threads import in_turn
from descend.engines.totals import Array
from descend.formula.compile import define, numpy_names
from descend.formula.printers.code import ROWWISE
from descend.formula.row_code import ONES, RowCode
from descend.formula.shared_products import SharedProducts, apart
from descend.formula.symbols import OMEGA, Quantity
from descend.gradients.contract import Program, Sums
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE
from descend.table.rows import Rows

SIZE = 1 << 14
"""Rows per block: a few of its arrays stay in the processor's cache, and a block costs far more than handing it out."""
WORTH_IT = 2_000
"""Rows from which on what is left out of them is more than what it takes to put it into the sums."""
TOGETHER = 2
"""Blocks that a thread takes at a time."""
MOST = 8
"""Parameters and residual: of more, products of whole matrices are as fast."""


class Blockwise:
    """Loss, gradient and curvature of w r**2 / 2, with w and the numbers that J is scaled by left out of the rows.

    With J = B S, where S is diagonal and depends on parameters only, and A = [B, r]: A'A holds B'B, B'r and r'r, and

        loss = w r'r / 2,   gradient = w S B'r,   curvature = w S B'B S
    """

    def __init__(self, program: Program, weighted: bool) -> None:
        quantities = {RESPONSE: program.formula.response, RESIDUAL: PREDICTION - RESPONSE}
        self.code = RowCode(
            program.formula, program.parameters.slices, ROWWISE, quantities, program.more_columns, weighted
        )
        self.weight = float(program.loss.expressions[2])
        kinds = self.code.writer()
        halves, turned = half_angles([*program.jacobian.values(), program.score])
        shared = SharedProducts(kinds.varies, kinds.given)
        *slopes, score = shared.rewritten(turned)
        scales, columns = zip(*(apart(slope, kinds.same) for slope in slopes), strict=True)
        writer = self.code.writer({**halves, **shared.definitions, PREDICTION: score})
        writer.count([*columns, RESIDUAL])
        arrays = [writer.row(column) for column in (*columns, RESIDUAL)]
        weights = writer.name(OMEGA) if weighted else ""
        prepared, numbers = self.code.prepared, list(self.code.numbers.values())
        code = LeastSquares(writer.lines, arrays, weights, numbers, list(prepared.values()), prepared.get(ONES, ""))
        self.size = len(arrays)
        self.places = square(self.size)
        self.bind = define("bind", code.of_blocks(), numpy_names())
        self.scales = self._scales(scales)

    def _scales(self, scales: Iterable[Expr]) -> Callable[[Array], Array]:
        """Make the function from theta to what each column of J is multiplied by, and 1 for the residuals."""
        writer = self.code.writer().numbers
        parts = ", ".join([*(writer.write(scale) for scale in scales), "1.0"])
        lines = [f"{name} = theta[{place}]" for place, name in enumerate(self.code.numbers.values())]
        body = "".join(f"    {line}\n" for line in [*lines, f"return np.array([{parts}])"])
        return define("scales", f"def scales(theta):\n{body}", numpy_names())

    def of_few(self, rows: Rows, share: float) -> Callable[[Array], Sums]:
        """Return the function from theta to the sums over rows that are one block, divided by ``share``.

        It must not be called twice at the same time.
        """
        block = self.code.prepare(rows)
        products = self.bind(rows.count, max(1, ONE_THREAD // self.size))
        return lambda theta: self._sums(theta, products(theta, block), share)

    def over(self, rows: Rows, threads: int | None = None) -> Callable[[Array], Sums]:
        """Return the function from theta to the sums over these rows.

        Blocks are cut, and their sums added, in an order that only depends on the number of rows.
        """
        count, blocks = rows.count, -(-rows.count // SIZE)
        lay = self.code.lay_out(rows, SIZE)

        def sums(theta: Array) -> Sums:
            def worker() -> Callable[[int], Array]:
                block_of, usual = lay(), self.bind(SIZE, SIZE)

                def share(number: int) -> Array:
                    found = np.zeros(self.size * (self.size + 1) // 2)
                    for begin in range(number * TOGETHER * SIZE, min((number + 1) * TOGETHER * SIZE, count), SIZE):
                        end = min(begin + SIZE, count)
                        products = usual if end - begin == SIZE else self.bind(end - begin, SIZE)
                        found += products(theta, block_of(begin, end))
                    return found

                return share

            return self._sums(theta, np.add.reduce(in_turn(-(-blocks // TOGETHER), worker, threads)), 1.0)

        return sums

    def _sums(self, theta: Array, products: Array, share: float) -> Sums:
        scales = self.scales(theta)
        gram = products.take(self.places) * (self.weight / share * scales * scales[:, None])
        return 0.5 * float(gram[-1, -1]), gram[-1, :-1], gram[:-1, :-1]


def half_angles(expressions: list[Expr]) -> tuple[dict[Expr, Expr], list[Expr]]:
    """Return expressions in which sine and cosine of the same angle u come from one tangent, and what these stand for.

    With t = tan(u/2):   sin u = 2 t / (1 + t**2),   cos u = 2 / (1 + t**2) - 1
    """
    sines = set().union(*(expression.atoms(sin) for expression in expressions))
    cosines = set().union(*(expression.atoms(cos) for expression in expressions))
    definitions: dict[Expr, Expr] = {}
    replaced: dict[Expr, Expr] = {}
    for number, angle in enumerate(sorted({s.args[0] for s in sines} & {c.args[0] for c in cosines}, key=str)):
        tangent, twice, sine, cosine = (Quantity(f"{name} {number}") for name in ("tangent", "twice", "sine", "cosine"))
        definitions |= {tangent: tan(angle / 2), twice: 2 / (1 + tangent**2), sine: tangent * twice, cosine: twice - 1}
        replaced |= {sin(angle): sine, cos(angle): cosine}
    return definitions, [expression.xreplace(replaced) for expression in expressions]


@lru_cache(maxsize=128)
def blockwise(program: Program, weighted: bool) -> Blockwise | None:
    """Return what sums a program over many rows in blocks; None where its loss or its formula is not of that kind."""
    value, slope, weight = program.loss.expressions
    squared = weight.is_Number and value == weight * RESIDUAL**2 / 2 and slope == weight * RESIDUAL
    scalars = all(labels is None for labels in program.formula.parameters.values())
    if not squared or not scalars or program.by_hand is not None or program.parameters.size >= MOST:
        return None
    try:
        return Blockwise(program, weighted)
    except UnsuitableError:
        return None
