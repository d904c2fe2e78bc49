"""How much each row weighs in a fit: leverage, studentised residuals, Cook's distance, and what leaving it out does."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.descent.solution import Solution
from descend.errors import ConfigError
from descend.formula.equations import EQUATION
from descend.formula.factor import triangle
from descend.formula.printers.code import as_text
from descend.inference.covariance.sandwich import ALONE
from descend.inference.determined import at_bounds, rank
from descend.inference.rows.row_numbers import numbers, positions, said_place
from descend.inference.scored_rows import row_weights
from descend.inference.statistics import dispersion_of
from descend.losses import LEAST_SQUARES
from descend.showing import Shown
from descend.wording import spell

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
BLOCK = 1 << 16
"""Rows whose derivatives are computed at a time."""
LISTED = 5
"""Rows that a text lists."""


@dataclass(frozen=True, eq=False)
class Influence(Shown, Mapping[str, NDArray[np.generic]]):
    """How much each row weighs. Arrays of one value for each row that counts; ``influence["leverage"]`` is the same.

    row: the number of each row, from 1, among those that ``where`` leaves. residual: observed less predicted.
    leverage: how far a prediction follows its own response, between 0 and 1; they add up to the number of parameters.
    standardized: residuals over their own standard errors (internally studentised). studentized: the same with a
    scale that the row itself has no part in (externally), so that an outlier does not hide itself.
    cooks_distance: how far all predictions move if the row is left out, as a multiple of their variance.
    dffits: by how many standard errors its own prediction moves. dfbetas: (rows, p), by how many standard errors each
    parameter moves; None with very many parameters. labels: of these parameters. equation: which response each is,
    where there are several; else None.
    """

    row: NDArray[np.intp]
    residual: Array
    leverage: Array
    standardized: Array
    studentized: Array
    cooks_distance: Array
    dffits: Array
    dfbetas: Array | None = None
    labels: tuple[str, ...] = ()
    equation: NDArray[np.object_] | None = None
    solution: Solution | None = field(default=None, repr=False)

    def __getitem__(self, name: str) -> NDArray[np.generic]:
        if name == EQUATION and self.equation is not None:
            return self.equation
        if name.startswith("dfbetas[") and self.dfbetas is not None and name[8:-1] in self.labels:
            dfbetas_of_label: Array = self.dfbetas[:, self.labels.index(name[8:-1])]
            return dfbetas_of_label
        if name not in COLUMNS:
            raise KeyError(name)
        values: Array = getattr(self, name)
        return values

    def __iter__(self) -> Iterator[str]:
        yield COLUMNS[0]
        if self.equation is not None:
            yield EQUATION
        yield from COLUMNS[1:]
        if self.dfbetas is not None:
            yield from (f"dfbetas[{label}]" for label in self.labels)

    def __len__(self) -> int:
        return len(list(iter(self)))

    def frame(self) -> pd.DataFrame:
        """Return a pandas frame with a row for each row, by its number. Raises ConfigError without pandas."""
        try:
            import pandas as pd
        except ImportError:
            raise ConfigError(
                "A frame needs pandas: pip install pandas. dict(fit.influence()) gives the same as arrays."
            ) from None
        return pd.DataFrame(dict(self)).set_index("row")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the rows as a table, ``.csv``, ``.parquet`` and others. Raises OutputError if that cannot be."""
        from descend.table.writing import write_columns

        write_columns(path, dict(self))

    def most(self, count: int = LISTED) -> NDArray[np.intp]:
        """Return the places, in the arrays, of the rows with the largest Cook's distance, largest first."""
        distance = np.nan_to_num(self.cooks_distance, nan=np.inf)
        order: NDArray[np.intp] = np.argsort(-distance, kind="stable")[:count]
        return order

    def cells(self, count: int = LISTED) -> list[tuple[str, ...]]:
        """Return the most influential rows as text: place, leverage, studentised residual, Cook's distance."""
        lines = []
        row_positions = None if self.solution is None else positions(self.solution)
        for row_place in self.most(count).tolist():
            name = f"row {self.row[row_place]}"
            if row_positions is not None and self.solution is not None:
                name = said_place(self.solution, int(row_positions[row_place]))
            if self.equation is not None:
                name = f"{self.equation[row_place]}, {name}"
            values = (self.leverage[row_place], self.studentized[row_place], self.cooks_distance[row_place])
            lines.append((name, *(f"{value:.4g}" for value in values)))
        return lines

    def __str__(self) -> str:
        lines = [HEADS, *self.cells()]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "   ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip() for line in lines
        )


APART = ("dfbetas", "labels", "equation", "solution")
"""Fields that are no column of one number for each row."""
COLUMNS = tuple(each.name for each in fields(Influence) if each.name not in APART)
HEADS = ("most influential", "leverage", "studentised residual", "Cook's distance")


def influence_of(solution: Solution) -> Influence:
    """Return how much each row weighs at the minimum; exact for a line, by the tangent plane for a curve.

    With f the derivatives of the score of a row, b its curvature, omega times the weight of the loss, B = sum b f f',
    e its residual over the root of its variance at a dispersion of 1 (Pearson), d its signed root deviance, which is e
    for the squared loss, phi the dispersion, and n rows:

        leverage h = b f' B^-1 f,   standardized d / sqrt(phi (1 - h)),   Cook's e**2 h / (p phi (1 - h)**2)
        studentized sign(d) sqrt(d**2 + e**2 h/(1 - h)) / s, where s is 1 if the dispersion is known, and else
        s**2 = (sum d**2 - d**2/(1 - h)) / (n - p - 1) without the row; of squared losses this is e / (s sqrt(1 - h))

    which are R's hatvalues, rstandard, cooks.distance and rstudent. dffits: studentized sqrt(h/(1 - h)).
    dfbetas: B^-1 f g / (1 - h) over s sqrt(diag B^-1), g the pull of the row; one step, exact for a line.
    A row with a leverage of 1 has NaN: the fit passes through it whatever it is.

    Derivatives are computed for 65,536 rows at a time. Raises ConfigError where rows are not in memory, or the loss
    does not tell how large residuals should be.

    Source: Cook & Weisberg (1982), Residuals and Influence in Regression; Pregibon (1981), Ann. Statist. 9, 705-724;
    Williams (1987), Appl. Statist. 36, 181-191.
    """
    _refuse(solution)
    loss, model, omega = solution.loss_function, solution.model, row_weights(solution)
    counting = np.flatnonzero(omega > 0.0)
    columns, omega = {name: column[counting] for name, column in solution.columns.items()}, omega[counting]
    with np.errstate(all="ignore"):
        y, score = model.observed(columns), model.scores(solution.theta, columns)
        mean = loss.mean(score)
        bend = omega * loss.weight(score, y) / loss.unit
        pull = -omega * loss.slope(score, y) / loss.unit
        rows = _Rows(solution, columns, bend, pull)
        leverage = rows.leverage()
        left = np.where(1.0 - leverage > ALONE, 1.0 - leverage, np.nan)
        pearson = (y - mean) * np.sqrt(omega / loss.variance(mean))
        root = pearson
        if not loss.quadratic:
            root = np.sign(y - mean) * np.sqrt(omega * np.maximum(loss.deviance(score, y), 0.0))
        dispersion, size = dispersion_of(solution) or np.nan, rows.size
        scale_known = solution.sigma is not None or loss.dispersion_known
        without: Array | float = 1.0
        if not scale_known:
            squares = np.maximum(float(root @ root) - root**2 / left, 0.0)
            degrees = len(y) - size - 1
            without = np.sqrt(squares / degrees) if degrees > 0 else np.full(len(y), np.nan)
        studentized = np.sign(root) * np.sqrt(root**2 + leverage * pearson**2 / left) / without
        row, equation = _rows_and_responses(solution)
        return Influence(
            row,
            y - mean,
            leverage,
            root / np.sqrt(dispersion * left),
            studentized,
            (pearson / left) ** 2 * leverage / (dispersion * size),
            studentized * np.sqrt(leverage / left),
            None if solution.objective.arrow else rows.moves(left) / np.asarray(without)[..., None],
            model.parameters.labels,
            equation,
            solution,
        )


def _rows_and_responses(solution: Solution) -> tuple[NDArray[np.intp], NDArray[np.object_] | None]:
    """Return the number of each row that counts; and its response, where each row stands once for every one."""
    number, formula, table = numbers(solution), solution.model.formula, solution.table
    if formula is None or not formula.parts or table is None:
        return number, None
    responses = np.array([as_text(formula_part.response) for formula_part in formula.parts], dtype=object)
    each = table.rows // len(responses)
    return (number - 1) % each + 1, responses[(number - 1) // each]


def _refuse(solution: Solution) -> None:
    """Raise ConfigError where no row's weight can be told."""
    loss, model = solution.loss_function, solution.model
    if solution.all_rows is not None:
        raise ConfigError(
            "The influence of each row needs the rows in memory, but these stay where they are. Fit with "
            f"{spell('engine', 'numpy')}, or a part of the rows."
        )
    if solution.coupling is not None:
        raise ConfigError(
            "The influence of single rows is not known where they have a covariance, by which they go together."
        )
    drawn = solution.penalised or (not model.in_place and solution.objective.priors is not None)
    if model.in_place or model.inexact or drawn:
        subject = "a module" if model.in_place else "a fit with a penalty or priors" if drawn else "errors of inputs"
        raise ConfigError(f"The influence of single rows is not known for {subject}. Fit a formula without.")
    loss.refuse_classes("no residuals, and so no leverage and no Cook's distance")
    if not loss.likelihood or not loss.plain:
        advice = f"Ask for them with {spell('loss', LEAST_SQUARES.name)}."
        if loss.states or loss.deviations:
            advice = "Ask for them of exact values, with errors that are alike to both sides."
        raise ConfigError(
            f"The {loss.name} loss does not tell how large a residual should be, so leverage and Cook's distance are "
            f"not known for it. {advice}"
        )


@dataclass(frozen=True, eq=False)
class _Rows:
    """The derivatives of the rows that count, block by block, and the triangle R with R'R = sum b f f'."""

    solution: Solution
    columns: Mapping[str, Array]
    bend: Array
    pull: Array

    @property
    def determined(self) -> NDArray[np.bool_]:
        rank_known = rank(self.solution)
        return ~at_bounds(self.solution) if rank_known is None else rank_known.kept

    @property
    def size(self) -> int:
        """The number of parameters that the rows determine."""
        return int(np.count_nonzero(self.determined))

    def _blocks(self) -> Iterator[tuple[slice, Array]]:
        mask, model = self.determined, self.solution.model
        for begin in range(0, len(self.bend), BLOCK):
            some = slice(begin, begin + BLOCK)
            columns = {name: column[some] for name, column in self.columns.items()}
            yield some, model.scores_and_jacobian(self.solution.theta, columns)[1][:, mask]

    def leverage(self) -> Array:
        """Return b f' B^-1 f of each row."""
        if self.solution.objective.arrow:
            return self._of_arrow()
        leverages = np.empty(len(self.bend))
        inverse = self._inverse_triangle()
        for some, jacobian in self._blocks():
            leverages[some] = self.bend[some] * np.square(jacobian @ inverse).sum(axis=1)
        return np.clip(leverages, 0.0, 1.0)

    def moves(self, left: Array) -> Array:
        """Return by how many standard errors, at a dispersion of 1, each row moves each parameter; NaN if held."""
        inverse = self._inverse_triangle()
        theta_moves = np.full((len(self.bend), len(self.determined)), np.nan)
        errors = np.sqrt(np.square(inverse).sum(axis=1))
        for some, jacobian in self._blocks():
            step = (jacobian @ inverse) @ inverse.T * (self.pull[some] / left[some])[:, None]
            theta_moves[some, self.determined] = step / errors
        return theta_moves

    def _inverse_triangle(self) -> Array:
        size = self.size
        upper, scale = np.zeros((0, size)), np.zeros(size)
        for _, jacobian in self._blocks():
            scale = np.maximum(scale, np.abs(jacobian).max(axis=0, initial=0.0))
        scale = np.where(scale > 0.0, scale, 1.0)
        for some, jacobian in self._blocks():
            weighted = np.sqrt(self.bend[some])[:, None] * jacobian / scale
            upper = triangle(np.concatenate([upper, weighted]))
        inverse: Array = np.linalg.pinv(upper) / scale[:, None]
        return inverse

    def _of_arrow(self) -> Array:
        from descend.engines.arrow import Arrow
        from descend.inference.covariance.arrow import variances_along
        from descend.inference.covariance.standard_errors import generalized_covariance

        solution, symbolic = self.solution, self.solution.model.symbolic
        covariance, dispersion = generalized_covariance(solution, "model"), dispersion_of(solution)
        assert symbolic is not None
        if not isinstance(covariance, Arrow) or not dispersion:
            return np.full(len(self.bend), np.nan)
        _, along, parameter_places = symbolic.scores_and_parts(solution.theta, self.columns)
        return self.bend * variances_along(covariance, along, parameter_places) / dispersion
