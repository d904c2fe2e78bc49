"""Functions of blocks of rows: what differs from row to row is computed per row, and nothing else is.

Three rules of the code written here:
  1. what depends on data only is computed once, when the rows are handed over, and kept beside the columns;
  2. what depends on parameters only is a number, not an array;
  3. what several outputs share is computed once per call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr, Mul, Pow, Rational

from descend.formula.compile import Compiled, define, items_matrix, listed_matrix, names_of, over_rows
from descend.formula.formula import Formula
from descend.formula.printers.code import ATOM, NUMPY, POWER, PRODUCT, SIGN, SUM, TORCH, Language, Writer, signed_sum
from descend.formula.symbols import OMEGA, Column, Parameter, Predictor, Quantity, RowWeight, Setting
from descend.table.rows import Rows

Array = NDArray[np.float64]
CONSTANT, SCALAR, DATA, ROWS = range(4)
ONE = np.ones(1)
ONES = Quantity("1")
COUNT = Setting("n")
"""The number of rows, or the sum of their weights."""


class RowWriter(Writer):
    """Writes straight-line code for expressions of rows, following the three rules above.

    names: what each symbol is called in the code.
    quantities: per-row symbols defined by an expression, such as the prediction.
    prepared: what is computed from data alone, with its name; grows as expressions are written.

    In PyTorch the parameters stay tensors throughout, so that autograd can follow them and no device has to wait.
    """

    def __init__(
        self, language: Language, names: Mapping[Expr, str], quantities: Mapping[Expr, Expr], prepared: dict[Expr, str]
    ) -> None:
        super().__init__(language, names, dict(prepared))
        self.quantities = quantities
        self.prepared = prepared
        self.lines: list[str] = []
        self.kinds: dict[Expr, int] = {}
        self.uses: Counter[Expr] = Counter()
        self.numbers = Writer(NUMPY, names, self.known)

    def count(self, expressions: Iterable[Expr]) -> None:
        """Take note of what ``expressions`` share; call it before writing any of them."""
        for expression in expressions:
            self.uses[expression] += 1
            if self.uses[expression] == 1:
                definition = self.quantities.get(expression)
                self.count(expression.args if definition is None else [definition])

    def kind(self, expression: Expr) -> int:
        """Say what an expression depends on."""
        kind_of_node = self.kinds.get(expression)
        if kind_of_node is None:
            if expression.is_Symbol:
                kinds_of_symbols = {Column: DATA, RowWeight: DATA, Parameter: SCALAR, Setting: SCALAR}
                kind_of_node = kinds_of_symbols.get(type(expression), ROWS)
            elif not expression.args:
                kind_of_node = CONSTANT
            else:
                kinds = {self.kind(argument) for argument in expression.args}
                kind_of_node = ROWS if ROWS in kinds or {SCALAR, DATA} <= kinds else max(kinds)
            self.kinds[expression] = kind_of_node
        return kind_of_node

    def name(self, expression: Expr) -> str:
        """Write ``expression`` as a name or a number, computing it on a line of its own if need be."""
        text, _ = self._node(expression)
        if expression not in self.known and not expression.is_Symbol and not expression.is_Number:
            text = self._assign(expression, text)
        return text

    def _assign(self, expression: Expr, text: str) -> str:
        name = f"t{len(self.lines)}"
        self.lines.append(f"{name} = {text}")
        self.known[expression] = name
        return name

    def _node(self, node: Expr) -> tuple[str, int]:
        if node not in self.known and not node.is_Number:
            if node in self.quantities:
                definition = self.quantities[node]
                text = self.write(definition)
                if not definition.atoms(Column, Predictor, Quantity):
                    text = f"spread({text}, count)"
                if definition.is_Symbol:
                    self.known[node] = text
                else:
                    self._assign(node, text)
            elif not node.is_Symbol and self.kind(node) == DATA:
                self.known[node] = self.prepared[node] = f"h{len(self.prepared)}"
            elif not node.is_Symbol and self.kind(node) == SCALAR and self.language is not TORCH:
                self._assign_number(node)
            elif not node.is_Symbol and self.kind(node) == CONSTANT and not node.is_Boolean:
                return (repr(float(node)), ATOM if node > 0 else SIGN)
            elif not node.is_Symbol and not node.is_Boolean and self.uses[node] > 1 and self.kind(node) != DATA:
                self._assign(node, super()._node(node)[0])
        return super()._node(node)

    def _assign_number(self, node: Expr) -> None:
        """Compute an expression of parameters only, each function in it just once: functions cost most of the time."""
        for part in sympy.postorder_traversal(node):
            costly = part.args and not (part.is_Add or part.is_Mul or part.is_Boolean)
            if part is node or (costly and part not in self.known and self.kind(part) == SCALAR):
                self._assign(part, self.numbers.write(part))

    def _sum(self, node: Expr) -> str:
        grouped = self._grouped(node, sympy.Add)
        return (
            super()._sum(node)
            if grouped is None
            else self._joined([self.write(term_group, SUM) for term_group in grouped], signed_sum)
        )

    def _product(self, node: Expr) -> tuple[str, int]:
        grouped = self._grouped(node, Mul)
        if grouped is None:
            return super()._product(node)
        return self._joined([self.write(factor_group, PRODUCT + 1) for factor_group in grouped], "*".join), PRODUCT

    def _grouped(self, node: Expr, operation: type) -> list[Expr] | None:
        """Split a sum or product into its numbers, its data and the rest, so that each array is touched once."""
        by_kind: dict[int, list[Expr]] = {CONSTANT: [], SCALAR: [], DATA: [], ROWS: []}
        for argument in node.args:
            by_kind[self.kind(argument)].append(argument)
        scalars = by_kind[CONSTANT] + by_kind[SCALAR]
        if len(scalars) < 2 and len(by_kind[DATA]) < 2:
            return None
        groups = [operation(*factors_of_kind) for factors_of_kind in (scalars, by_kind[DATA]) if factors_of_kind]
        return groups + by_kind[ROWS] if len(groups) + len(by_kind[ROWS]) > 1 else None

    def _power(self, base: Expr, exponent: Expr) -> tuple[str, int]:
        if exponent.is_Integer and 2 <= exponent <= 4 and self.kind(base) == ROWS:
            return "*".join([self.name(base)] * int(exponent)), PRODUCT  # NumPy's own power is many times slower
        if exponent == Rational(3, 2) and self.kind(base) == ROWS:
            root = self.write(Pow(base, Rational(1, 2)))
            return f"{self.name(base)}*{root}", PRODUCT
        text, precedence = super()._power(base, exponent)
        return text, min(precedence, POWER)

    def row(self, expression: Expr) -> str:
        """Write ``expression`` as the name of an array; if it is one number, of an array of that number."""
        text = self.name(expression)
        if self.kind(expression) in (DATA, ROWS):
            return text
        ones = self.prepared.setdefault(ONES, f"h{len(self.prepared)}")
        return ones if expression == 1 else f"{text}*{ones}"

    def varies(self, expression: Expr) -> bool:
        """Whether an expression depends on data and on parameters."""
        return self.kind(expression) == ROWS

    def given(self, expression: Expr) -> bool:
        """Whether an expression is data alone."""
        return self.kind(expression) == DATA

    def same(self, expression: Expr) -> bool:
        """Whether an expression is the same in all rows."""
        return self.kind(expression) in (CONSTANT, SCALAR)

    def sum_over_rows(self, expression: Expr, matrix: str | None = None) -> str:
        """Write the sum of ``expression`` over rows: products as inner products, numbers pulled out.

        With a matrix (rows, k): the k sums of ``expression`` times each of its columns.
        """
        if matrix is None and expression.is_Add and all(self._is_moment(term) for term in expression.args):
            return self._joined([self.sum_over_rows(term) for term in expression.args], signed_sum)
        numbers: list[Expr] = []
        data: list[Expr] = []
        mixed: list[Expr] = []
        for factor in Mul.make_args(expression):
            kind = self.kind(factor)
            if kind in (CONSTANT, SCALAR):
                numbers.append(factor)
            elif kind == DATA:
                data.append(factor)
            else:
                mixed += [factor.base] * 2 if factor.is_Pow and factor.exp == 2 else [factor]
        together = bool(mixed) and bool(data or matrix)
        mixed_parts = [mixed] if together else [mixed[:1], mixed[1:]]
        arrays = [self._multiplied(mixed_part) for mixed_part in mixed_parts if mixed_part]
        if data:
            arrays.append(self.name(Mul(*data)))
        if matrix is not None:
            text = self.dot("*".join(arrays), matrix) if arrays else f"total({matrix}, 0)"
        elif len(arrays) == 2:
            text = self.dot(*arrays)
        else:
            text = self._total(arrays[0]) if arrays else "count"
        number = Mul(*numbers)
        return text if number == 1 else f"{self.write(number, PRODUCT)}*{text}"

    def _is_moment(self, term: Expr) -> bool:
        """Whether ``term`` is data alone times numbers, so that its sum needs no array to be computed."""
        return all(self.kind(factor) != ROWS for factor in Mul.make_args(term))

    def dot(self, left: str, right: str) -> str:
        """Write an inner product, or the product of a matrix with a vector or a matrix."""
        if self.language is TORCH:
            return f"torch.matmul({left}, {right})"
        return f"{left if left.isidentifier() else f'({left})'}.dot({right})"

    def _total(self, array: str) -> str:
        """Sum an array; in NumPy as an inner product with ones, which takes half the time of its own sum."""
        if self.language is TORCH:
            return f"total({array})"
        return self.dot(array, self.prepared.setdefault(ONES, f"h{len(self.prepared)}"))

    def _multiplied(self, factors: list[Expr]) -> str:
        if len(factors) < 2:
            return self.name(factors[0]) if factors else ""
        product = Mul(*factors)
        if product in self.known:
            return self.known[product]
        return self._assign(product, self._joined([self.name(factor) for factor in factors], "*".join))


class RowCode:
    """Functions ``f(theta, block)`` over blocks of rows of one formula, in one language.

    A block is a tuple: the columns, the row weights if ``weighted``, arrays computed from data alone, and a matrix for
    each ``w @ [...]``.
    slices: where each parameter lies in theta. columns_added: those needed beside the formula's.
    """

    def __init__(
        self,
        formula: Formula,
        slices: Mapping[str, slice],
        language: Language,
        quantities: Mapping[Expr, Expr],
        columns_added: Sequence[str] = (),
        weighted: bool = False,
    ) -> None:
        self.formula = formula
        self.slices = slices
        self.language = language
        self.quantities = quantities
        self.columns = tuple(dict.fromkeys((*formula.columns, *columns_added)))
        row_symbols = (*map(Column, self.columns), *([OMEGA] if weighted else []))
        self.prepared: dict[Expr, str] = {symbol: f"c{number}" for number, symbol in enumerate(row_symbols)}
        self.matrices = {predictor: f"m{number}" for number, predictor in enumerate(formula.terms)}

    @property
    def block_rows(self) -> int:
        """Rows per block, if there are many: few enough to stay in the cache, enough that each block costs little."""
        rows: int = max(1 << 10, (1 << 18) // self.numbers_per_row)
        return 1 << min(15, rows.bit_length() - 1)

    @property
    def numbers_per_row(self) -> int:
        """How many numbers a row has in the prepared arrays and in the Jacobian."""
        size: int = sum(theta_slice.stop - theta_slice.start for theta_slice in self.slices.values())
        return len(self.prepared) + size

    def writer(self, quantities: Mapping[Expr, Expr] | None = None) -> RowWriter:
        """Return a writer that knows the names of the block and of the parameters, and further quantities."""
        names: dict[Expr, str] = dict(self.prepared) | {COUNT: "count"}
        names |= {Parameter(name): f"p{theta_slice.start}" for name, theta_slice in self.slices.items()}
        names |= {predictor: f"q{number}" for number, predictor in enumerate(self.matrices)}
        return RowWriter(self.language, names, {**self.quantities, **(quantities or {})}, self.prepared)

    @property
    def numbers(self) -> dict[str, str]:
        """The name of each scalar parameter in the code."""
        scalars = (name for name in self.slices if self.formula.parameters[name] is None)
        return {name: f"p{self.slices[name].start}" for name in scalars}

    def define(self, body: Iterable[str], results: Iterable[str]) -> Compiled:
        """Make a function from lines of code; to be called after every body that shares the block was written."""
        names = [*self.prepared.values(), *self.matrices.values()]
        lines = [f"{', '.join(names)}, = block", "count = block[0].shape[0]"]
        lines += [f"{number} = theta[{self.slices[name].start}]" for name, number in self.numbers.items()]
        for number, (predictor, matrix) in enumerate(self.matrices.items()):
            theta_slice = self.slices[self.formula.terms[predictor].vector]
            lines.append(f"q{number} = {matrix} @ theta[{theta_slice.start}:{theta_slice.stop}]")
        lines += [*body, f"return {', '.join(results)}"]
        source = "def rows(theta, block):\n" + "".join(f"    {line}\n" for line in lines)
        return define("rows", source, names_of(self.language))

    def prepare(self, rows: Rows) -> tuple[Array, ...]:
        """Return the block of all rows."""
        matrices = (
            items_matrix(self.formula.terms[predictor].items, rows.columns, rows.count) for predictor in self.matrices
        )
        return (*self._arrays(rows, rows.count), *matrices)

    def _arrays(self, rows: Rows, ones: int) -> Iterator[Array]:
        """Yield the columns, the row weights, and what is computed from them; ``ones``: how many ones are needed."""
        for expression in self.prepared:
            if expression is OMEGA:
                assert rows.omega is not None
                yield rows.omega
            elif isinstance(expression, Column):
                yield rows.columns[expression.name]
            else:
                yield (
                    ONE.repeat(ones)
                    if expression is ONES
                    else over_rows(expression, rows.columns, rows.count, rows.omega)
                )

    def lay_out(self, rows: Rows, size: int | None = None) -> Callable[[], Callable[[int, int], tuple[Array, ...]]]:
        """Prepare many rows whose blocks are laid out when they are needed: like `prepare`, but without any copy.

        Returns a function that each thread calls once; what it returns maps (first row, last row + 1) to a block, which
        is valid until the next one is laid out. size: the most rows of a block.
        """
        most = self.block_rows if size is None else size
        arrays = list(self._arrays(rows, most))
        complete = [len(array) == rows.count for array in arrays]
        items_listed = [self.formula.terms[predictor].items for predictor in self.matrices]
        terms = [(items, listed_matrix(items, rows.columns)) for items in items_listed]

        def lay() -> Callable[[int, int], tuple[Array, ...]]:
            buffers = [np.empty((len(items) if matrix is None else 0, most)) for items, matrix in terms]

            def block(begin: int, end: int) -> tuple[Array, ...]:
                count = end - begin
                columns = {name: array[begin:end] for name, array in zip(self.columns, arrays, strict=False)}
                matrices = []
                for (items, matrix), buffer in zip(terms, buffers, strict=True):
                    if matrix is not None:
                        matrices.append(matrix[begin:end])
                        continue
                    for row, item in zip(buffer, items, strict=True):
                        row[:count] = (
                            columns[item.name] if isinstance(item, Column) else over_rows(item, columns, count)
                        )
                    matrices.append(buffer[:, :count].T)
                cut = [
                    array[begin:end] if has_all else array[:count]
                    for array, has_all in zip(arrays, complete, strict=True)
                ]
                return (*cut, *matrices)

            return block

        return lay
