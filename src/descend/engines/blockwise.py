"""Sums of a squared loss over many rows: each block is read once, into arrays that were made before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, cos, sin, tan

from descend.engines.in_place import ONE_THREAD, InPlace, LeastSquares, UnsuitableError
from descend.engines.threads import in_turn
from descend.engines.totals import Array
from descend.formula.compile import define, numpy_names
from descend.formula.printers.code import ROWWISE
from descend.formula.row_code import ONES, RowCode
from descend.formula.shared_products import SharedProducts, apart
from descend.formula.symbols import OMEGA, Quantity
from descend.gradients.contract import Sums
from descend.gradients.derived import Program
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE
from descend.table.rows import Rows

SIZE = 1 << 14
"""Rows per block: a few of its arrays stay in the processor's cache, and a block costs far more than handing it out."""
LEAST_ROWS = 2_000
"""Rows from which on what is left out of them is more than what it takes to put it into the sums."""
BLOCKS = 2
"""How many a thread takes at a time."""
TOGETHER = 4
"""Rows of a matrix that OpenBLAS multiplies with a vector at once; three take twice as long, and two a bit longer."""
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
        products = Products(code)
        self.places, self.height, self.size = products.places, products.height, products.size
        self.bind = define("bind", products.source(), numpy_names())
        self.scales = self._scales(scales)

    def _scales(self, scales: Iterable[Expr]) -> Callable[[Array], Array]:
        """Make the function from theta to what each column of J is multiplied by, and 1 for the residuals."""
        writer = self.code.writer().numbers
        scale_texts = ", ".join([*(writer.write(scale) for scale in scales), "1.0"])
        lines = [f"{name} = theta[{parameter}]" for parameter, name in enumerate(self.code.numbers.values())]
        body = "".join(f"    {line}\n" for line in [*lines, f"return np.array([{scale_texts}])"])
        return define("scales", f"def scales(theta):\n{body}", numpy_names())

    def of_few(self, rows: Rows, share: float) -> Callable[[Array], Sums]:
        """Return the function from theta to the sums over rows that are one block, divided by ``share``.

        It must not be called twice at the same time.
        """
        block = self.code.prepare(rows)
        products = self.bind(rows.count, max(1, ONE_THREAD // self.height))
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
                    sums_of_blocks = np.zeros(self.size)
                    for begin in range(number * BLOCKS * SIZE, min((number + 1) * BLOCKS * SIZE, count), SIZE):
                        end = min(begin + SIZE, count)
                        products = usual if end - begin == SIZE else self.bind(end - begin, SIZE)
                        sums_of_blocks += products(theta, block_of(begin, end))
                    return sums_of_blocks

                return share

            return self._sums(theta, np.add.reduce(in_turn(-(-blocks // BLOCKS), worker, threads)), 1.0)

        return sums

    def _sums(self, theta: Array, products: Array, share: float) -> Sums:
        scales = self.scales(theta)
        gram = products.take(self.places) * (self.weight / share * scales * scales[:, None])
        return 0.5 * float(gram[-1, -1]), gram[-1, :-1], gram[:-1, :-1]


@dataclass(frozen=True)
class Products:
    """Code for the inner products of the rows of A = [J, r] over a block of rows of the table.

    Three or four rows of A are multiplied with another together, and one or two each by itself. So A has rows of zeros
    below, up to ``height``, and each row of the lower triangle some zeros at its end.
    """

    code: LeastSquares

    @property
    def count(self) -> int:
        """How many rows A has."""
        return len(self.code.columns)

    @property
    def height(self) -> int:
        """How many it has with the rows of zeros."""
        return -(-self.count // TOGETHER) * TOGETHER

    @property
    def begins(self) -> NDArray[np.intp]:
        """Where the rows of the lower triangle begin, and the last ends."""
        return np.cumsum([0, *(-(-number // TOGETHER) * TOGETHER for number in range(1, self.count + 1))])

    @property
    def size(self) -> int:
        """How many numbers the lower triangle has, zeros counted."""
        return int(self.begins[-1])

    @property
    def places(self) -> NDArray[np.intp]:
        """Where each number of A A' is among them."""
        i, j = np.indices((self.count, self.count))
        return np.asarray(self.begins[np.maximum(i, j)] + np.minimum(i, j))

    def source(self) -> str:
        """Write a function of a number of rows: it returns the function that gives, at any theta and for any block of
        so many rows, the lower triangle of A A', row by row.

        Of up to ``step`` rows the products are taken at a time. Raises UnsuitableError.
        """
        code = InPlace(self.code.lines, self.code.columns, self.code.arrays)
        row_names = {row: name for row, name in code.given.items() if name != self.code.ones}
        names, operands = zip(*self._operands().items(), strict=True)
        before = [
            *self.code.made_before(code, self.height),
            f"parts = [({', '.join(operands)}) for at in range(0, count, step)]",
            *(f"{row}[:] = 1.0" for row in code.given if row not in row_names),
            "def sums(theta, block):",
        ]
        within = [
            f"{', '.join(self.code.arrays)}, = block",
            f"{', '.join(self.code.numbers)}, = theta.tolist()",
            *(f"{row}[:] = {name}" for row, name in row_names.items()),
            *self.code.written(code),
            f"flat = np.zeros({self.size})",
            f"for {', '.join(names)} in parts:",
            *(f"    {line}" for line in (f"more = np.zeros({self.size})", *self._products(), "flat += more")),
            "return flat",
        ]
        body = [*before, *(f"    {line}" for line in within), "return sums"]
        return "def bind(count, step):\n" + "".join(f"    {line}\n" for line in body)

    def _operands(self) -> dict[str, str]:
        """Return what is multiplied: rows of A and groups of them, and rows with their weights, by their names."""
        texts = {f"row{number}": f"whole[{number}, at : at + step]" for number in range(self.count)}
        texts |= {f"by{number}": f"{self.code.weighed}[{number}, at : at + step]" for number in range(self.count)}
        groups = range(0, self.count, TOGETHER)
        return texts | {f"rows{begin}": f"whole[{begin}:{begin + TOGETHER}, at : at + step]" for begin in groups}

    def _products(self) -> Iterator[str]:
        """Write the lower triangle, row by row."""
        for row, row_start in enumerate(self.begins[:-1].tolist()):
            for begin in range(0, row + 1, TOGETHER):
                at = row_start + begin
                if row + 1 - begin > TOGETHER // 2:
                    yield f"rows{begin}.dot(by{row}, more[{at}:{at + TOGETHER}])"
                else:
                    yield from (f"more[{row_start + k}] = row{k}.dot(by{row})" for k in range(begin, row + 1))


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
