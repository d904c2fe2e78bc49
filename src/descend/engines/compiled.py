"""From a Program to a kernel: three straight-line functions, for order 0, 1 and 2, in NumPy or PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

import numpy as np
from sympy import Expr

from descend.formula.compile import RowWriter, compile_expression, define, names_of, source_of
from descend.formula.printers.code import NUMPY, TORCH, Language
from descend.formula.symbols import Column, Parameter, Predictor, Quantity, Setting
from descend.gradients.contract import Array, Program, Sums, row_sum
from descend.losses.contract import PREDICTION, RESIDUAL, RESPONSE

LANGUAGES: dict[str, Language] = {"numpy": NUMPY, "torch": TORCH}
COUNT = Setting("n")


def _spread(number: Any, count: int) -> Any:
    return np.full(count, number)


class Compiled:
    """The kernel of a Program.

    autograd: write every operation so that PyTorch can differentiate it; then only order 0 is made.
    """

    curved = True

    def __init__(self, program: Program, language: str, autograd: bool = False) -> None:
        self.program = program
        self.language = language
        self.autograd = autograd
        self.columns = program.formula.columns + ((program.weights.name,) if program.weights is not None else ())
        self.prepared: dict[Expr, str] = {Column(name): f"c{number}" for number, name in enumerate(self.columns)}
        self.matrices = {predictor: f"m{number}" for number, predictor in enumerate(program.formula.terms)}
        bodies = [self._body(order) for order in ((0,) if autograd else (0, 1, 2))]  # may add to what is prepared
        self._functions = [self._define(body) for body in bodies]
        self._combine = self._combiner() if program.by_hand is not None else None

    def prepare(self, columns: Mapping[str, Array]) -> tuple[Any, ...]:
        """Return columns, what is computed from data alone, and a matrix per ``w @ [...]``."""
        rows = len(columns[self.columns[0]])
        arrays = [columns[name] for name in self.columns]
        for expression, name in self.prepared.items():
            if name.startswith("h"):
                arrays.append(_evaluated(expression, columns, rows))
        for predictor in self.matrices:
            items = self.program.formula.terms[predictor].items
            arrays.append(np.column_stack([_evaluated(item, columns, rows) for item in items]))
        return tuple(arrays)

    def sums(self, theta: Any, block: tuple[Any, ...], order: int) -> Sums:
        result: Sums = self._functions[order](theta, block)
        return result

    def finish(self, gradient: Array, rows: float, theta: Array) -> Array:
        return gradient if self._combine is None else rows * self._combine(theta, gradient, rows)

    def _writer(self) -> RowWriter:
        program = self.program
        names: dict[Expr, str] = dict(self.prepared) | {COUNT: "count"}
        names |= {Parameter(name): f"p{place.start}" for name, place in program.parameters.slices.items()}
        names |= {predictor: f"q{number}" for number, predictor in enumerate(self.matrices)}
        quantities = {PREDICTION: program.score, RESPONSE: program.formula.response, RESIDUAL: PREDICTION - RESPONSE}
        return _Writer(LANGUAGES[self.language], names, quantities, self.prepared, separate=not self.autograd)

    def _body(self, order: int) -> list[str]:
        program, writer = self.program, self._writer()
        omega = program.weights if program.weights is not None else 1
        value, slope, weight = program.loss.expressions
        gradient = _gradient_sums(program, slope * omega) if order and program.by_hand is None else []
        by_hand = [inner.args[0] for inner in row_sums(program)] if order and program.by_hand is not None else []
        jacobian = list(program.jacobian.items()) if order == 2 else []
        writer.count([value * omega, *(expression for _, expression in gradient), *by_hand, *(slope for _, slope in jacobian)])

        results = [f"loss = {writer.sum_over_rows(value * omega)}"]
        if order:
            size = len(by_hand) or program.parameters.size
            results.append(f"gradient = empty({size})")
            for place, expression in gradient:
                matrix = self.matrices[place] if isinstance(place, Predictor) else None
                sign = "=" if matrix is None else "+="
                results.append(f"gradient[{self._place(place)}] {sign} {writer.sum_over_rows(expression, matrix)}")
            for number, expression in enumerate(by_hand):
                results.append(f"gradient[{number}] = {writer.sum_over_rows(expression * omega)}")
        if order == 2:
            results.append(f"jacobian = empty(({program.parameters.size}, count))")
            for place, derivative in jacobian:
                text = writer.name(derivative)
                if isinstance(place, Predictor):
                    text = f"{self.matrices[place]}.T*{text}"
                results.append(f"jacobian[{self._place(place)}] += {text}")
            results.append(f"curvature = (jacobian*{writer.name(weight * omega)}) @ jacobian.T")
        outcome = ["loss", "gradient" if order else "None", "curvature" if order == 2 else "None"]
        return [*writer.lines, *results, f"return {', '.join(outcome)}"]

    def _define(self, body: list[str]) -> Callable[..., Sums]:
        names = names_of(LANGUAGES[self.language]) | _tools(self.language)
        return define("sums", source_of("sums", "theta, block", [*self._opening(), *body]), names)

    def _opening(self) -> list[str]:
        """Unpack the block and the parameters; compute the predictors."""
        program = self.program
        names = [*self.prepared.values(), *self.matrices.values()]
        lines = [f"{', '.join(names)}, = block", "count = block[0].shape[0]"]
        for name, place in program.parameters.slices.items():
            if program.parameters.shapes[name] is None:
                lines.append(f"p{place.start} = theta[{place.start}]")
        for number, (predictor, matrix) in enumerate(self.matrices.items()):
            place = program.parameters.slices[program.formula.terms[predictor].vector]
            lines.append(f"q{number} = dot({matrix}, theta[{place.start}:{place.stop}])")
        return lines

    def _place(self, symbol: Expr) -> str:
        vector = self.program.formula.terms[symbol].vector if isinstance(symbol, Predictor) else symbol.name
        place = self.program.parameters.slices[vector]
        return f"{place.start}:{place.stop}" if isinstance(symbol, Predictor) else str(place.start)

    def _combiner(self) -> Callable[..., Array]:
        """Write the function that turns the sums of a gradient by hand into the gradient."""
        program = self.program
        assert program.by_hand is not None
        names: dict[Expr, str] = {inner: f"sums[{number}]" for number, inner in enumerate(row_sums(program))}
        names |= {Parameter(name): f"theta[{place.start}]" for name, place in program.parameters.slices.items()}
        writer = RowWriter(NUMPY, names | {COUNT: "rows"}, {})
        writer.known.update(names)
        parts = ", ".join(writer.numbers.write(expression) for expression in program.by_hand)
        return define("combine", source_of("combine", "theta, sums, rows", [f"return np.array([{parts}])"]), names_of(NUMPY))


class _Writer(RowWriter):
    """A RowWriter that adds what it hoists to the arrays of the kernel, and spreads a constant prediction over rows."""

    def __init__(self, language: Language, names: dict[Expr, str], quantities: dict[Expr, Expr], prepared: dict[Expr, str], separate: bool) -> None:
        super().__init__(language, names, quantities, separate)
        self.hoisted = prepared
        self.known.update({expression: name for expression, name in prepared.items() if name.startswith("h")})

    def _assign(self, expression: Expr, text: str) -> str:
        if isinstance(expression, Quantity) and expression == PREDICTION and not self._differs(self.quantities[PREDICTION]):
            text = f"spread({text}, count)"
        return super()._assign(expression, text)

    @staticmethod
    def _differs(expression: Expr) -> bool:
        return bool(expression.atoms(Column, Predictor))


@lru_cache(maxsize=64)
def _tools(language: str) -> dict[str, Any]:
    if language == "numpy":
        return {"dot": np.dot, "total": np.add.reduce, "spread": _spread, "empty": np.zeros}
    import torch

    return {
        "dot": torch.matmul,
        "total": torch.sum,
        "spread": lambda number, count: torch.as_tensor(number, dtype=torch.float64).expand(count),
        "empty": partial(torch.zeros, dtype=torch.float64),
    }


def _gradient_sums(program: Program, slope: Expr) -> list[tuple[Expr, Expr]]:
    """Return, for each scalar parameter and predictor, the expression whose sum is its part of the gradient."""
    return [(symbol, slope * derivative) for symbol, derivative in program.jacobian.items()]


def row_sums(program: Program) -> list[Expr]:
    """Return the sums over rows that a gradient by hand is made of."""
    assert program.by_hand is not None
    return sorted(set().union(*(expression.atoms(row_sum) for expression in program.by_hand)), key=str)


def _evaluated(expression: Expr, columns: Mapping[str, Array], rows: int) -> Array:
    used = sorted(expression.atoms(Column), key=str)
    with np.errstate(all="ignore"):
        value = compile_expression(expression, used)(*(columns[symbol.name] for symbol in used))
    array = np.broadcast_to(np.asarray(value), (rows,))
    return np.ascontiguousarray(array, dtype=None if array.dtype == bool else np.float64)


@lru_cache(maxsize=128)
def compiled(program: Program, language: str, autograd: bool = False) -> Compiled:
    """Return the kernel of ``program`` in ``language``, from the cache if it was made before."""
    return Compiled(program, language, autograd)
