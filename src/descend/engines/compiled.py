"""From a Program to a kernel: four straight-line functions, for order 0 to 3, in NumPy or PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache

import numpy as np
from sympy import Expr, Integer

from descend.engines.in_place import AT_ONCE, LeastSquares, UnsuitableError
from descend.formula.compile import define, numpy_names
from descend.formula.printers.code import NUMPY, ROWWISE, TORCH, Language, Writer
from descend.formula.row_code import COUNT, DATA, ONES, ROWS, RowCode, RowWriter
from descend.formula.symbols import OMEGA, Parameter, Predictor
from descend.gradients.contract import Array, Kernel, Summand, Sums
from descend.gradients.derived import Program, as_program, row_sum
from descend.losses import Loss
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE
from descend.table.rows import Rows

LANGUAGES: dict[str, Language] = {"numpy": ROWWISE, "torch": TORCH}
OUTCOMES = [
    ("None", "None"),
    ("gradient", "None"),
    ("gradient", "curvature"),
    ("None", "factor(weight, slope, jacobian)"),
]
"""What the function of each order returns besides the loss."""
OWN_GRADIENT = ("gradient", "factor(weight, slope, jacobian)")
"""What the function of order 3 returns where the gradient is by hand, and so not that of the factor."""

SMALL_MATRIX = 1 << 18
"""Multiplications in a matrix product up to which OpenBLAS uses one thread."""
SMALL_VECTOR = 9_216
"""Numbers in a matrix up to which its product with a vector uses one thread."""

LONG = 4_096
"""Rows above which separate inner products cost less than copying their arrays into one matrix, ..."""
FEW = 8
"""... if there are no more arrays than this."""


Bind = Callable[[tuple[Array, ...], float], Callable[[Array], Sums]]
"""From a block and what to divide by to a function of order 2."""


class Compiled(Kernel):
    """The kernel of a Program."""

    def __init__(self, program: Program, language: str, weighted: bool = False) -> None:
        self.program = program
        self.gram: tuple[list[str], list[str], str] | None = None
        self.factor = 1.0
        """By which the inner products of J and of the residuals are multiplied, where the sums come from these."""
        self.language = language
        self.row_sums = row_sums(program)
        quantities = {PREDICTION: program.score, RESPONSE: program.formula.response, RESIDUAL: PREDICTION - RESPONSE}
        more = program.more_columns
        self.code = RowCode(program.formula, program.parameters.slices, LANGUAGES[language], quantities, more, weighted)
        self.omega: Expr = OMEGA if weighted else Integer(1)
        self.lay_out = self.code.lay_out
        bodies = [self._body(order) for order in range(4)]  # each may add to what the block holds
        outcomes = OUTCOMES if program.by_hand is None else [*OUTCOMES[:3], OWN_GRADIENT]
        self.functions = [self.code.define(body, ["loss", *outcomes[order]]) for order, body in enumerate(bodies)]
        self.finish = self._combiner()
        self.block_rows = self.code.block_rows

    def prepare(self, rows: Rows) -> tuple[Array, ...]:
        return self.code.prepare(rows)

    def sums(self, theta: Array, block: tuple[Array, ...], order: int) -> Sums:
        """Run the function of that order."""
        result: Sums = self.functions[order](theta, block)
        return result

    def bound(self, block: tuple[Array, ...], share: float) -> Callable[[Array], Sums] | None:
        """Return a function of order 2 for these few rows, with all sums divided by ``share``; None if there is none.

        It must not be called twice at the same time.
        """
        count, size = len(block[0]), self.program.parameters.size + 1
        bind = self._bind_few if count <= AT_ONCE or size > FEW else self._bind_more
        return None if bind is None else bind(block, share)

    @cached_property
    def _bind_few(self) -> Bind | None:
        return self._bind(lambda code: code.of_few(self.factor, True))

    @cached_property
    def _bind_more(self) -> Bind | None:
        return self._bind(lambda code: code.of_few(self.factor, False))

    def _bind(self, write: Callable[[LeastSquares], str]) -> Bind | None:
        if self.gram is None:
            return None
        prepared = self.code.prepared
        code = LeastSquares(
            *self.gram, list(self.code.numbers.values()), list(prepared.values()), prepared.get(ONES, "")
        )
        try:
            return define("bind", write(code), numpy_names())
        except UnsuitableError:
            return None

    def wakes_threads(self, rows: int) -> bool:
        """Whether products over this many rows are so large that BLAS would share them among threads."""
        size = self.program.parameters.size
        return rows * size * size > SMALL_MATRIX or (bool(self.code.matrices) and rows * size > SMALL_VECTOR)

    def _body(self, order: int) -> list[str]:
        program, writer = self.program, self.code.writer()
        omega = self.omega
        value, slope, weight = program.loss.expressions
        gradient = [(symbol, slope * omega * derivative) for symbol, derivative in program.jacobian.items()]
        weighed = order == 2 and self._weighed_rows(writer, weight * omega)
        if not (order == 1 or weighed) or program.by_hand is not None:
            gradient = []
        by_hand = [inner.args[0] * omega for inner in self.row_sums] if order else []
        jacobian = list(program.jacobian.items()) if order >= 2 else []
        writer.count(
            [value * omega, *(part for _, part in gradient), *by_hand, *(derivative for _, derivative in jacobian)]
            + ([weight * omega, slope * omega] if order >= 2 else [])
            + self._own(order)
        )
        if order == 2 and self._least_squares():
            return self._gram(writer, [derivative for _, derivative in jacobian], weight, omega)

        results = [f"loss = {writer.sum_over_rows(value * omega)}"]
        if order == 1 or weighed or (order and program.by_hand is not None):
            results.append(f"gradient = {self._zeros(str(len(by_hand) or program.parameters.size))}")
        for symbol, part in gradient:
            matrix = self.code.matrices.get(symbol)
            results.append(
                f"gradient[{self._place(symbol)}] {'+=' if matrix else '='} {writer.sum_over_rows(part, matrix)}"
            )
        for number, part in enumerate(by_hand):
            results.append(f"gradient[{number}] = {writer.sum_over_rows(part)}")
        if weighed:
            results.append(f"root = np.sqrt({writer.name(weight * omega)})")
        if jacobian:
            results += self._jacobian(writer, jacobian, "root" if weighed else "")
        if order == 2:
            if program.by_hand is None and not weighed:
                results.append(f"gradient = {writer.dot('jacobian', writer.name(slope * omega))}")
            results += self._curvature(writer, weight * omega)
        results += self._own_sums(writer, order)
        if order == 3:
            results += [f"weight = {writer.name(weight * omega)}", f"slope = {writer.name(slope * omega)}"]
        return [*writer.lines, *results]

    def _own(self, order: int) -> list[Expr]:
        """Return what is summed over rows for the parameters of the loss's own; it has none."""
        return []

    def _own_sums(self, writer: RowWriter, order: int) -> list[str]:
        """Write these sums."""
        return []

    def _weighed_rows(self, writer: RowWriter, weight: Expr) -> bool:
        """Whether J gets a weight for each row, in NumPy: then it is written as sqrt(W) J from the outset."""
        return self.language == "numpy" and writer.kind(weight) in (DATA, ROWS)

    def _curvature(self, writer: RowWriter, weight: Expr) -> list[str]:
        """Write J'WJ; in NumPy as the product of sqrt(W) J with itself, of which BLAS computes only one half."""
        if self._weighed_rows(writer, weight):
            return [f"curvature = {writer.dot('jacobian', 'jacobian.T')}"]
        name = writer.name(weight)
        if writer.kind(weight) not in (DATA, ROWS):
            return [f"curvature = {name}*{writer.dot('jacobian', 'jacobian.T')}"]
        return [f"curvature = {writer.dot(f'jacobian*{name}', 'jacobian.T')}"]

    def _least_squares(self) -> bool:
        """Whether loss, gradient and curvature all come from one product of [J, residuals] with itself."""
        value, slope, weight = self.program.loss.expressions
        squared = weight.is_Number and value == weight * RESIDUAL**2 / 2 and slope == weight * RESIDUAL
        return squared and self.language == "numpy" and self.program.by_hand is None and not self.code.matrices

    def _gram(self, writer: RowWriter, derivatives: list[Expr], weight: Expr, omega: Expr) -> list[str]:
        """Write the sums of a squared loss, w r**2 / 2: with A = [J, r], w A'A holds curvature, gradient and twice it.

        On few rows a call of NumPy costs more than its computation, so the fewer calls the better.
        """
        arrays = [writer.row(derivative) for derivative in (*derivatives, RESIDUAL)]
        weights = "" if omega == 1 else writer.name(omega)
        self.gram = writer.lines, arrays, weights
        self.factor = float(weight)
        product = writer.dot(f"whole*{weights}" if weights else "whole", "whole.T")
        times = f"*{float(weight)}"
        gram = [f"rows = ({', '.join(arrays)},)", "whole = np.array(rows)", f"gram = {product}{times}"]
        if len(arrays) <= FEW:
            product_call = f"products(rows{weights and ', '}{weights}){times}"
            gram[1:] = [f"if count > {LONG}: gram = {product_call}", "else:", *(f"    {line}" for line in gram[1:])]
        gram_lines = ["loss = 0.5*float(gram[-1, -1])", "gradient = gram[-1, :-1]", "curvature = gram[:-1, :-1]"]
        return [*writer.lines, *gram, *gram_lines]

    def _jacobian(self, writer: RowWriter, jacobian: list[tuple[Expr, Expr]], root: str) -> list[str]:
        """Write J (parameters, rows), filled row by row; times ``root``, a number for each row, if there is one."""
        theta_places = [self._place(symbol) for symbol, _ in jacobian]
        begun = len(set(theta_places)) < len(theta_places)  # a vector that meets two lists adds up
        lines = [f"jacobian = {self._zeros(f'({self.program.parameters.size}, count)')}"]
        if self.language == "numpy" and not begun:
            lines = [f"jacobian = np.empty(({self.program.parameters.size}, count){self._order()})"]
        for theta_place, (symbol, derivative) in zip(theta_places, jacobian, strict=True):
            matrix = self.code.matrices.get(symbol)
            factors = [writer.name(derivative)] if derivative != 1 or not (matrix or root) else []
            factors += [root] if root else []
            text = "*".join(factors)
            if matrix is not None and root and not begun:
                lines.append(f"np.multiply({matrix}.T, {text}, out=jacobian[{theta_place}])")
                continue
            if matrix is not None:
                text = f"{matrix}.T*({text})" if text else f"{matrix}.T"
            lines.append(f"jacobian[{theta_place}] {'+=' if begun and matrix else '='} {text}")
        return lines

    def _order(self) -> str:
        """Write how J is laid out: as the data are, so that a matrix that lies row by row is not turned."""
        first = next(iter(self.code.matrices.values()), None)
        return "" if first is None else f', order="F" if {first}.flags.c_contiguous else "C"'

    def _zeros(self, shape: str) -> str:
        return f"np.zeros({shape})" if self.language == "numpy" else f"theta.new_zeros({shape})"

    def _place(self, symbol: Expr) -> str:
        vector = self.program.formula.terms[symbol].vector if isinstance(symbol, Predictor) else symbol.name
        theta_slice = self.program.parameters.slices[vector]
        return f"{theta_slice.start}:{theta_slice.stop}" if isinstance(symbol, Predictor) else str(theta_slice.start)

    def _combiner(self) -> Callable[..., Array] | None:
        """Make the function that turns the sums of a gradient by hand into n times the gradient; None if not needed."""
        totals = [COUNT * expression for expression in self.program.by_hand or ()]
        if totals == self.row_sums:
            return None
        names: dict[Expr, str] = {inner: f"sums[{number}]" for number, inner in enumerate(self.row_sums)}
        names |= {Parameter(name): f"theta[{theta.start}]" for name, theta in self.program.parameters.slices.items()}
        writer = Writer(NUMPY, known=names | {COUNT: "rows"})
        texts = ", ".join(writer.write(expression) for expression in totals)
        return define("combine", f"def combine(sums, rows, theta):\n    return np.array([{texts}])\n", numpy_names())


class CompiledScores(Compiled):
    """Sums of a loss l(s) whose scores s, the prediction and its own parameters, interact; in NumPy.

    With g and H the slopes and second derivatives of a row by its scores, and S the derivatives of those by theta:

        gradient = sum S' g,   curvature = sum S' |H| S

    where |H| has the absolute eigenvalues of H, so that the curvature is that of a parabola with a minimum; where a
    loss is convex in its scores, as most are, it is H itself. Source: Dauphin et al. (2014), NIPS.
    """

    def _body(self, order: int) -> list[str]:
        program, writer, loss = self.program, self.code.writer(), self.program.loss
        omega = self.omega
        value = loss.expressions[0] * omega
        slopes: Sequence[Expr] = [slope * omega for slope in loss.slopes] if order else []
        weights: Sequence[Expr] = [weight * omega for weight in loss.weights] if order > 1 else []
        jacobian = list(program.jacobian.items()) if order else []
        writer.count([value, *slopes, *weights, *(derivative for _, derivative in jacobian)])
        results = [f"loss = {writer.sum_over_rows(value)}"]
        if order:
            own_places = [self._place(Parameter(name)) for name in loss.own_parameters]
            rows = [f"({', '.join(writer.row(each) for each in array)},)" for array in (slopes, weights) if array]
            results += [
                *self._jacobian(writer, jacobian, ""),
                f"slope, jacobian = whitened(jacobian, [{', '.join(own_places)}], {', '.join(rows)})",
                "gradient = jacobian.dot(slope)",
            ]
        if order > 1:
            results += ["weight = 1.0", "curvature = jacobian.dot(jacobian.T)"]
        return [*writer.lines, *results]


class CompiledApart(Compiled):
    """Sums of a loss whose own parameters interact neither with the prediction nor with each other, in NumPy.

    So gradient and curvature are those of the formula, and of each parameter of its own a sum and the absolute value
    of one.
    """

    def _body(self, order: int) -> list[str]:
        return self._interacting._body(order) if order == 3 else super()._body(order)

    @cached_property
    def _interacting(self) -> CompiledScores:
        scores_kernel = object.__new__(CompiledScores)
        scores_kernel.__dict__.update(self.__dict__)
        return scores_kernel

    def _own(self, order: int) -> list[Expr]:
        loss = self.program.loss
        seconds = [weight * self.omega for weight in _diagonal(loss)[1:]] if order == 2 else []
        return [*(slope * self.omega for slope in loss.slopes[1:] if order), *seconds]

    def _own_sums(self, writer: RowWriter, order: int) -> list[str]:
        own_slopes, lines = self._own(order), list[str]()
        own_places = [self._place(Parameter(name)) for name in self.program.loss.own_parameters]
        for own_place, own_slope in zip(own_places, own_slopes, strict=False):
            lines.append(f"gradient[{own_place}] = {writer.sum_over_rows(own_slope)}")
        for own_place, own_slope in zip(own_places, own_slopes[len(own_places) :], strict=False):
            lines.append(f"curvature[{own_place}, {own_place}] = np.abs({writer.sum_over_rows(own_slope)})")
        return lines


def _diagonal(loss: Loss) -> list[Expr]:
    """Return the second derivatives of a loss by each of its scores."""
    count = len(loss.own_parameters) + 1
    return [weight for weight, i, j in zip(loss.weights, *np.triu_indices(count), strict=True) if i == j]


def _apart(loss: Loss) -> bool:
    """Whether no two scores of a loss interact."""
    count = len(loss.own_parameters) + 1
    return all(weight == 0 for weight, i, j in zip(loss.weights, *np.triu_indices(count), strict=True) if i != j)


def row_sums(program: Program) -> list[Expr]:
    """Return the sums over rows that a gradient by hand is made of; none for a derived one."""
    return sorted(set().union(*(expression.atoms(row_sum) for expression in program.by_hand or ())), key=str)


def kernel_of(code: Summand, language: str, weighted: bool) -> Kernel:
    """Return what sums blocks of rows: code as it is, expressions compiled."""
    if (program := as_program(code)) is not None:
        return compiled(program, language, weighted)
    assert isinstance(code, Kernel)
    return code


@lru_cache(maxsize=128)
def compiled(program: Program, language: str, weighted: bool) -> Compiled:
    """Return the kernel of ``program`` in ``language``, from the cache if it was made before."""
    if not program.loss.own_parameters:
        return Compiled(program, language, weighted)
    return (CompiledApart if _apart(program.loss) else CompiledScores)(program, language, weighted)
