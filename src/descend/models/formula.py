"""A model written as a formula: its prediction is an expression, of which everything else can be derived."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.errors import ConfigError
from descend.formula import as_text, read_formula
from descend.formula.compile import (
    compile_expression,
    evaluated,
    items_matrix,
    listed_matrix,
    names_of_columns,
    over_rows,
)
from descend.formula.derivative import Slopes, slopes
from descend.formula.equations import is_stacked, stacked
from descend.formula.formula import Formula, in_order
from descend.formula.parametrisation import linear_in, linear_inside
from descend.formula.symbols import Column, Term
from descend.losses import Loss
from descend.models.contract import SymbolicModel
from descend.models.formula_text import read_text
from descend.models.inexact import Sigma, correlations, inexact_inputs, refuse_loss
from descend.models.reading import Content, Options, shapes_of
from descend.parameters import Constraints, Parameters
from descend.table import Table
from descend.table.in_matrix import InMatrix, taken
from descend.table.table import Coding

Array = NDArray[np.float64]
BLOCK = 1 << 13
"""Rows whose predictions are computed at a time, where each needs many columns."""


@dataclass(frozen=True, eq=False)
class FormulaModel(SymbolicModel):
    """A formula and the loss it is fitted under, which may absorb its outermost function (see ``Loss.link``).

    constraints: which parameters are fixed, tied or bounded; the formula itself contains only free ones.
    inexact, correlated: as in `Model` (see ``OrthogonalKernel``).
    """

    formula: Formula = field()
    loss: Loss = field()
    constraints: Constraints | None = None
    inexact: Mapping[str, Sigma] = field(default_factory=dict)
    correlated: Mapping[str, Sigma] = field(default_factory=dict)
    kind: ClassVar[str] = "formula"
    saved_as: ClassVar[str | None] = "formula"
    gradient_sources = ("derived", "autograd")

    @classmethod
    def takes(cls, formula_given: object) -> bool:
        return isinstance(formula_given, str)

    @classmethod
    def rows_of(cls, formula_given: str, table: Table, spread: str | None) -> Table:
        return stacked(formula_given, table, spread) if ";" in formula_given else table

    @classmethod
    def read(cls, formula: str, table: Table, options: Options, loss: Loss) -> tuple[FormulaModel, dict[str, object]]:
        return cls.of_text(formula, dict(options["start"] or {}), table, options, loss)

    @classmethod
    def of_text(
        cls,
        formula_given: str,
        start: dict[str, object],
        table: Table,
        options: Options,
        loss: Loss,
        order: tuple[str, ...] = (),
    ) -> tuple[FormulaModel, dict[str, object]]:
        """Make the model of a formula; see `read`.

        start: the starting values that are known. order: the names of the parameters, if not in that of the text.
        """
        formula, constraints, start = read_text(formula_given, start, table, options, loss, order)
        model = formula_model(formula, loss, constraints)
        if not model.inputs and len(model.parameters.shapes) - len(loss.own_parameters) > 1:
            from descend.models.misnamed_columns import refuse_no_column

            refuse_no_column(model, table)
        if options["x_sigma"] or options["x_correlation"]:
            inexact = inexact_inputs(options["x_sigma"], model.inputs, table.names)
            model = model.with_inexact(inexact, correlations(options["x_correlation"], inexact, table.names))
        return model, start

    def with_inexact(self, inexact: Mapping[str, Sigma], correlated: Mapping[str, Sigma]) -> FormulaModel:
        """Return the same with inputs that have errors. Raises ConfigError under a loss that knows no distances."""
        refuse_loss(self.loss, bool(self.formula.parts))
        if correlated and (self.formula.parts or not self.response_columns):
            raise ConfigError("`x_correlation` is that with the errors of one response, not of several, or of none.")
        return dataclasses.replace(self, inexact=inexact, correlated=correlated)

    def entry(self) -> dict[str, object]:
        errors = {"x_sigma": dict(self.inexact), "x_correlation": dict(self.correlated)}
        return {"formula": self.formula.text, **{key: sigma for key, sigma in errors.items() if sigma}}

    @classmethod
    def restored(
        cls, content: Content, formula_given: Any, loss: Loss, constraints: Constraints | None
    ) -> FormulaModel:
        columns = content["columns"]
        numeric = [name for name, kind in columns.items() if kind in ("number", "boolean")]
        values_held = None if constraints is None else constraints.given
        levels = dict.fromkeys(each.levels for each in Parameters(shapes_of(content)).groups.values())
        named = tuple(columns), numeric, content["shapes"]
        formula = read_formula(content["formula"], *named, given=values_held, levels=levels)
        model = formula_model(in_order(loss.extended(formula), tuple(content["shapes"])), loss, constraints)
        inexact = content.get("x_sigma")
        return model.with_inexact(inexact, content.get("x_correlation") or {}) if inexact else model

    def under(self, loss: Loss, constraints: Constraints | None) -> FormulaModel:
        model = formula_model(self.formula, loss, constraints)
        return model.with_inexact(self.inexact, self.correlated) if self.inexact else model

    def __post_init__(self) -> None:
        response = self.formula.response
        self.__dict__.update(
            parameters=Parameters(self.formula.parameters),
            inputs=self.formula.inputs,
            response=response.name if isinstance(response, Column) else as_text(response),
            response_columns=tuple(name for name in self.formula.columns if Column(name) in response.free_symbols),
        )

    @property
    def symbolic(self) -> FormulaModel:
        return self

    @property
    def needed_inputs(self) -> tuple[str, ...]:
        equation_levels = self.formula.levels[-1].name if self.formula.parts else ""
        return tuple(name for name in self.inputs if name != equation_levels)

    @property
    def codings(self) -> tuple[Coding, ...]:
        return self.formula.levels

    def laid_out(self, table: Table, spread: str | None = None) -> Table:
        return stacked(self.formula.text, table, spread).with_codings(self.codings)

    def side_by_side(self, predicted: Array, data: object) -> Array:
        responses = len(self.formula.parts)
        return predicted if not responses or is_stacked(data) else predicted.reshape(responses, -1).T

    @cached_property
    def linear(self) -> bool:
        if self.inexact:  # the prediction is at the true inputs, which follow from all parameters
            return False
        score = self.loss.score(self.formula.expression)
        return self.formula.linear if score is self.formula.expression else self._linear(score)

    @cached_property
    def separable(self) -> NDArray[np.bool_]:
        separable_mask = np.zeros(self.parameters.size, dtype=bool)
        for symbol, slope in self.formula.jacobian.items():
            separable_mask[self._place(symbol)] = symbol not in slope.free_symbols
        return separable_mask

    @cached_property
    def log_linear(self) -> bool:
        """Whether it is exp(what is linear in the parameters) under a loss convex in that: then too J is convex."""
        expression = self.formula.expression
        exponential = (
            not self.inexact
            and self.loss.convex_in_log
            and expression.is_Function
            and expression.func.__name__ == "exp"
        )
        return exponential and self._linear(expression.args[0])

    @cached_property
    def linear_predictor(self) -> Expr | None:
        """In `0.5*(1 + erf((a + b*x)/2))` it is (a + b*x)/2, and a + b*x in `sigmoid(a + b*x)` and `exp(a + b*x)`."""
        return linear_inside(self.loss.score(self.formula.expression), self.formula.unknowns)

    def _linear(self, score: Expr) -> bool:
        return linear_in(score, self.formula.unknowns)

    @cached_property
    def listed(self) -> tuple[str, ...]:  # type: ignore[override]
        terms = tuple(self.formula.terms.values())
        if len(terms) != 1 or terms[0].levels is not None or self.inexact or self.loss.own_columns:
            return ()
        names = names_of_columns(terms[0].items)
        alone = names == self.inputs and not self.prediction.atoms(Column)
        return names if alone and not set(names) & set(self.response_columns) else ()

    @cached_property
    def _columns(self) -> tuple[Column, ...]:
        return tuple(map(Column, self.inputs))

    @cached_property
    def prediction(self) -> Expr:
        return self.loss.on_response(self.formula.expression)

    def predict(self, theta: Array, columns: Mapping[str, Array]) -> Array:
        rows = len(next(iter(columns.values()))) if columns else 1
        if rows <= BLOCK or not self.formula.terms:
            return self._predicted(theta, columns, rows)
        # A matrix of everything in brackets would take as much memory as the columns, and most of the time.
        columns_read = columns if isinstance(columns, InMatrix) else {name: columns[name] for name in self.inputs}
        prediction = np.empty(rows)
        for begin in range(0, rows, BLOCK):
            block_columns = taken(columns_read, slice(begin, begin + BLOCK))
            prediction[begin : begin + BLOCK] = self._predicted(theta, block_columns, min(BLOCK, rows - begin))
        return prediction

    def _predicted(self, theta: Array, columns: Mapping[str, Array], rows: int) -> Array:
        with np.errstate(all="ignore"):
            return evaluated(self.prediction, self.values(theta, columns), rows).copy()

    def scores(self, theta: Array, columns: Mapping[str, Array]) -> Array:
        rows = len(next(iter(columns.values())))
        score = self.loss.score(self.formula.expression)
        return evaluated(score, self.values(theta, columns), rows)

    def scores_and_jacobian(self, theta: Array, columns: Mapping[str, Array]) -> tuple[Array, Array]:
        score = self.loss.score(self.formula.expression)
        return self.derivatives_of(score, score_slopes(self.formula, self.loss).with_limits, theta, columns)

    def derivatives_of(
        self, expression: Expr, slopes: Mapping[Expr, Expr], theta: Array, columns: Mapping[str, Array]
    ) -> tuple[Array, Array]:
        rows = len(next(iter(columns.values())))
        matrices = self._matrices(columns, rows)
        values = self._with_matrices(theta, columns, matrices)
        jacobian = np.zeros((rows, self.parameters.size))
        with np.errstate(all="ignore"):
            for symbol, slope in slopes.items():
                along = evaluated(slope, values, rows)
                theta_place = self._place(symbol)
                if (term := self.formula.terms.get(symbol)) is not None and term.regular:
                    for item, group_slope in self._of_groups(term, columns):
                        jacobian[np.arange(rows), group_slope] += along * item
                elif symbol in matrices:
                    jacobian[:, theta_place] += matrices[symbol] * along[:, None]
                else:
                    jacobian[:, theta_place.start] = along
            return evaluated(expression, values, rows), jacobian

    def _place(self, symbol: Expr) -> slice:
        """Return where in theta the components lie that a symbol stands for."""
        term = self.formula.terms.get(symbol)
        return self.parameters.slices[symbol.name if term is None else term.vector]

    def _matrices(self, columns: Mapping[str, Array], rows: int) -> dict[Expr, Array]:
        return {
            symbol: items_matrix(term.items, columns, rows)
            for symbol, term in self.formula.terms.items()
            if not term.regular
        }

    def _of_groups(self, term: Term, columns: Mapping[str, Array]) -> Iterator[tuple[Array, NDArray[np.intp]]]:
        """Yield, for each component of a group, its item in each row, and where in theta that of the row's group is."""
        assert term.levels is not None
        codes = columns[term.levels.name].astype(np.intp)
        begin, each = self.parameters.slices[term.vector].start, len(term.each)
        for number, item in enumerate(term.each):
            yield over_rows(item, columns, len(codes)), begin + codes * each + number

    def scores_and_parts(self, theta: Array, columns: Mapping[str, Array]) -> tuple[Array, Array, NDArray[np.intp]]:
        """Return the scores, (rows,), and for each row its derivatives by the few components that it depends on.

        The derivatives are (rows, q), and so are the places of these components in theta.
        """
        rows = len(next(iter(columns.values())))
        values = self.values(theta, columns)
        along, slope_places = [], []
        with np.errstate(all="ignore"):
            for symbol, slope in score_slopes(self.formula, self.loss).with_limits.items():
                derivative, term = evaluated(slope, values, rows), self.formula.terms.get(symbol)
                begin = self._place(symbol).start
                if term is None:
                    each = [(np.ones(rows), np.full(rows, begin))]
                elif not term.regular:
                    items = (over_rows(item, columns, rows) for item in term.items)
                    each = [(item, np.full(rows, begin + number)) for number, item in enumerate(items)]
                else:
                    each = list(self._of_groups(term, columns))
                along += [derivative * item for item, _ in each]
                slope_places += [slope_place for _, slope_place in each]
            score = evaluated(self.loss.score(self.formula.expression), values, rows)
        return score, np.stack(along, axis=1), np.stack(slope_places, axis=1)

    def values(self, theta: Array, columns: Mapping[str, Array]) -> dict[Expr, Array]:
        rows = len(next(iter(columns.values()))) if columns else 1
        if rows <= BLOCK:
            return self._with_matrices(theta, columns, self._matrices(columns, rows))
        values = self._with_matrices(theta, columns, {})
        for symbol, term in self.formula.terms.items():
            matrix = None if term.regular else listed_matrix(term.items, columns)
            if matrix is not None:
                values[symbol] = matrix @ theta[self._place(symbol)]
            elif not term.regular:  # item by item, as a matrix of very many rows costs more than its product
                components = zip(theta[self._place(symbol)].tolist(), term.items, strict=True)
                values[symbol] = sum(value * over_rows(item, columns, rows) for value, item in components)
        return values

    def _with_matrices(
        self, theta: Array, columns: Mapping[str, Array], matrices: Mapping[Expr, Array]
    ) -> dict[Expr, Any]:
        """Return the value, or one per row, of every symbol in the expression."""
        values: dict[Expr, Any] = {column: columns[column.name] for column in self._columns}
        for symbol in self.formula.unknowns:
            theta_place, term = self._place(symbol), self.formula.terms.get(symbol)
            if term is not None and term.regular:
                values[symbol] = sum(theta[group_item] * item for item, group_item in self._of_groups(term, columns))
                continue
            values[symbol] = matrices[symbol] @ theta[theta_place] if symbol in matrices else theta[theta_place.start]
        return values

    def observed(self, columns: Mapping[str, Array]) -> Array:
        names = self.response_columns
        if isinstance(self.formula.response, Column):
            return columns[names[0]]
        with np.errstate(all="ignore"):
            result = compile_expression(self.formula.response, tuple(Column(name) for name in names))(
                *(columns[name] for name in names)
            )
        rows = len(next(iter(columns.values()))) if columns else 1
        return np.broadcast_to(np.asarray(result, dtype=np.float64), (rows,))

    def __str__(self) -> str:
        return self.formula.text


@lru_cache(maxsize=128)
def formula_model(formula: Formula, loss: Loss, constraints: Constraints | None = None) -> FormulaModel:
    """Return the model of a formula, from the cache if it was made before."""
    return FormulaModel(formula, loss, constraints)


@lru_cache(maxsize=128)
def score_slopes(formula: Formula, loss: Loss) -> Slopes:
    """Return the derivatives of the score by each scalar parameter and ``w @ [...]``."""
    score = loss.score(formula.expression)
    return formula.slopes if score is formula.expression else slopes(score, formula.unknowns)
