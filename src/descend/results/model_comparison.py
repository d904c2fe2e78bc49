"""Several models of the same rows, compared: tests of nested ones, criteria, lack of fit, held-out error."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from descend.errors import ConfigError
from descend.formula.compile import compile_expression
from descend.formula.derivative import derivatives
from descend.formula.symbols import Column
from descend.inference.goodness.likelihood import Criteria, criteria
from descend.inference.scored_rows import row_weights
from descend.inference.statistics import counting, responses, total_weight
from descend.results.nesting import nested
from descend.results.solved import SolvedFit
from descend.wording import spell

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from descend.results.cross_validation import HeldOut


@dataclass(frozen=True)
class NestedTest:
    """Whether a larger model explains more than its further parameters would by chance.

    F: ((S1 - S2) / (d1 - d2)) / (S2 / d2) with S the sums of squares and d the degrees of freedom; None where the
    scale of the errors is known, or the loss is not squared. df: (d1 - d2, d2). p: the probability of a larger F if the
    small model is true. LR: 2 (L2 - L1) with L the log-likelihoods, chi-square with d1 - d2 degrees of freedom; LR_p:
    the probability of a larger one.
    """

    small: str
    large: str
    F: float | None
    df: tuple[int, int]
    p: float | None
    LR: float
    LR_p: float


@dataclass(frozen=True)
class LackOfFit:
    """The F test of a model against one mean for each place of the inputs where rows repeat.

    F: ((S - E) / (d - e)) / (E / e), with E the sum of squares about these means, with e degrees of freedom.
    """

    F: float
    df: tuple[int, int]
    p: float


@dataclass(frozen=True, eq=False)
class ModelComparison:
    """Fits of several models to the same rows, by the text of each model, in the order given.

    held_out: the error of each on rows that it was not fitted to, if asked for. notes: what was decided, in sentences.

    AIC = 2k - 2L, AICc = AIC + 2k(k + 1)/(n - k - 1), BIC = k log n - 2L, where k counts a residual variance that is
    estimated, and L has all its constants, as in R. ``weights`` are exp(-AICc difference / 2), as shares of their sum.
    """

    fits: Mapping[str, SolvedFit]
    held_out: Mapping[str, HeldOut]
    notes: tuple[str, ...] = ()

    @cached_property
    def criteria(self) -> dict[str, Criteria | None]:
        """The criteria of each model, on the scale of one response: that of log(y) is brought to y by its Jacobian."""
        return {name: _on_one_scale(fit) for name, fit in self.fits.items()}

    @cached_property
    def weights(self) -> dict[str, float]:
        """The Akaike weight of each model, by AICc; empty where a model has none."""
        aicc_of_fits = {name: criteria.aicc for name, criteria in self.criteria.items() if criteria is not None}
        if len(aicc_of_fits) < len(self.fits) or not all(map(math.isfinite, aicc_of_fits.values())):
            return {}
        lowest_aicc = min(aicc_of_fits.values())
        shares = {name: math.exp(-0.5 * (value - lowest_aicc)) for name, value in aicc_of_fits.items()}
        return {name: share / sum(shares.values()) for name, share in shares.items()}

    @cached_property
    def tests(self) -> list[NestedTest]:
        """A test of each pair of which one model is a special case of the other."""
        nested_tests = []
        for smaller, larger_fit in itertools.combinations(self.fits, 2):
            for small, large in ((smaller, larger_fit), (larger_fit, smaller)):
                if _comparable(self.fits[small], self.fits[large]) and nested(self.fits[small], self.fits[large]):
                    nested_tests.append(_test(small, self.fits[small], large, self.fits[large]))
        return nested_tests

    @cached_property
    def lack_of_fit(self) -> dict[str, LackOfFit | None]:
        """The lack-of-fit test of each model; None where no rows repeat, or the loss is not squared."""
        return {name: _lack_of_fit(fit) for name, fit in self.fits.items()}

    @property
    def best(self) -> str:
        """The model with the least AICc, or the least loss where a model has no likelihood."""
        if self.weights:
            return max(self.weights, key=self.weights.__getitem__)
        return min(self.fits, key=lambda name: self.fits[name].loss)

    @property
    def succeeded(self) -> bool:
        return all(fit.succeeded for fit in self.fits.values())

    @property
    def sizes(self) -> dict[str, int]:
        """How many parameters each model has."""
        return {name: fit.model.parameters.size for name, fit in self.fits.items()}

    def plain(self) -> dict[str, object]:
        """Return it as plain values, as in the JSON."""
        models: list[dict[str, object]] = []
        for name, fit in self.fits.items():
            criteria, lack, out = self.criteria[name], self.lack_of_fit[name], self.held_out.get(name)
            models.append(
                {
                    "formula": name,
                    "rows": fit.rows,
                    "parameters": fit.summary()["parameters"],
                    "loss": fit.loss,
                    "outcome": str(fit.outcome),
                    "degrees_of_freedom": fit.degrees_of_freedom,
                    "log_likelihood": None if criteria is None else criteria.log_likelihood,
                    "AIC": None if criteria is None else criteria.aic,
                    "AICc": None if criteria is None or not math.isfinite(criteria.aicc) else criteria.aicc,
                    "BIC": None if criteria is None else criteria.bic,
                    "weight": self.weights.get(name),
                    "lack_of_fit": None if lack is None else {"F": lack.F, "df": list(lack.df), "p": lack.p},
                    "held_out": None if out is None else vars(out),
                }
            )
        tests = [
            {"small": t.small, "large": t.large, "F": t.F, "df": list(t.df), "p": t.p, "LR": t.LR, "LR_p": t.LR_p}
            for t in self.tests
        ]
        return {"models": models, "tests": tests, "best": self.best, "notes": list(self.notes)}

    def table(self, format: str = "markdown") -> str:
        """Return the comparison as a table for print, and the tests of nested models as another (see ``Fit.table``)."""
        from descend.report.published.formats import write_tables
        from descend.report.published.of_models import of_models

        return write_tables(of_models(self.plain(), self.sizes), format, "parentheses")

    def plot(
        self,
        *,
        log: str = "",
        x_label: str | None = None,
        y_label: str | None = None,
        title: str | None = None,
        size: str | tuple[float, float] | None = None,
        style: str | None = None,
    ) -> Figure:
        """Draw the curves of all models over the data, in one picture; returns a Matplotlib figure.

        log, x_label, y_label, title, size, style: as for ``Fit.plot``.
        """
        from descend.report.models import plot_models
        from descend.report.picture_look import Look

        return plot_models(self.fits, Look(log, x_label, y_label, title, size, style=style))

    def __str__(self) -> str:
        from descend.results.comparison_text import compared_text

        return compared_text(
            self.plain(), self.sizes, {name: fit.advice for name, fit in self.fits.items() if not fit.succeeded}
        )

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        from html import escape

        return f"<pre>{escape(str(self))}</pre>"


def compared(
    fits: Mapping[str, SolvedFit], held_out: Mapping[str, HeldOut] | None = None, notes: Sequence[str] = ()
) -> ModelComparison:
    """Return the comparison of fits. Raises ConfigError for those that cannot be compared."""
    named = list(fits.items())
    (first, one), comparison_notes = named[0], list(notes)
    for name, fit in named[1:]:
        if fit.model.response_columns != one.model.response_columns:
            raise ConfigError(
                f"`{first}` predicts {_listed(one.model.response_columns)} and `{name}` "
                f"{_listed(fit.model.response_columns)}: models of different responses cannot be compared."
            )
        if _left_out(fit) != _left_out(one):
            raise ConfigError(
                f"`{name}` leaves out other outliers than `{first}`: only fits to the same rows can be compared. Leave "
                f"out {spell('outliers')}, or such rows of all models with {spell('where')}."
            )
        if _validated_on(fit) != _validated_on(one):
            raise ConfigError(
                f"`{name}` holds out other rows than `{first}`, as each of its groups keeps one: only fits to the same "
                f"rows can be compared. Give the rows held out as a table of their own, or another {spell('seed')}."
            )
        if fit.rows != one.rows or _weights(fit) != _weights(one):
            raise ConfigError(
                f"`{first}` was fitted to {one.rows:,} rows and `{name}` to {fit.rows:,}, or with other weights: only "
                "fits to the same rows can be compared. Leave out the rows in which one of them lacks a value."
            )
        if fit.model.response != one.model.response:
            comparison_notes.append(
                f"`{name}` predicts {fit.model.response} and `{first}` {one.model.response}: their criteria are those "
                f"of {_listed(one.model.response_columns)}, by the derivative of each left side"
            )
    return ModelComparison(fits, held_out or {}, tuple(dict.fromkeys(comparison_notes)))


def _left_out(fit: SolvedFit) -> set[int]:
    """Return the rows that were left out as outliers."""
    outlying = fit.outliers
    return {each.row for each in outlying.rows} if outlying is not None and outlying.dropped else set()


def _validated_on(fit: SolvedFit) -> bytes:
    """Return the responses of the rows held out."""
    validation = fit.solution.problem.validation
    return b"" if validation is None else validation.engine.rows.y.tobytes()


def _listed(columns: Sequence[str]) -> str:
    return " and ".join(f"`{name}`" for name in columns)


def _weights(fit: SolvedFit) -> tuple[object, ...]:
    """Return what weighs the rows; of a variance that was estimated only its form."""
    scatter = fit.scatter
    if scatter is not None and scatter.form:
        return scatter.form, scatter.coupling
    return fit.weights, fit.sigma, scatter


def _comparable(fit: SolvedFit, second_fit: SolvedFit) -> bool:
    """Whether two fits have likelihoods of one kind, of one response."""
    same = str(fit.loss_function) == str(second_fit.loss_function) and fit.model.response == second_fit.model.response
    return same and fit.loss_function.density and not (fit.penalised or second_fit.penalised)


def _test(small: str, small_fit: SolvedFit, large: str, large_fit: SolvedFit) -> NestedTest:
    from scipy import special

    d1, d2 = (int(fit.degrees_of_freedom or 0) for fit in (small_fit, large_fit))
    added, scale_known = d1 - d2, large_fit.solution.scale_known or not large_fit.loss_function.quadratic
    total = total_weight(large_fit.solution)
    weighing_given = large_fit.solution.sample.roles.weighing is not None  # each model has weights of its own
    if large_fit.loss_function.quadratic and large_fit.solution.scale_known and not weighing_given:
        ratio = total * (small_fit.loss - large_fit.loss)
    else:
        ratio = 2.0 * ((large_fit.log_likelihood or math.nan) - (small_fit.log_likelihood or math.nan))
    ratio_p = float(special.chdtrc(added, max(ratio, 0.0))) if added > 0 else math.nan
    if scale_known or weighing_given or d2 <= 0 or added <= 0 or not large_fit.loss > 0.0:
        return NestedTest(small, large, None, (added, d2), None, ratio, ratio_p)
    value = (small_fit.loss - large_fit.loss) / added / (large_fit.loss / d2)
    return NestedTest(
        small, large, value, (added, d2), float(special.fdtrc(added, d2, max(value, 0.0))), ratio, ratio_p
    )


def _on_one_scale(fit: SolvedFit) -> Criteria | None:
    """Return the criteria of a fit; of a transformed response g(y), those of y: the density gets the factor |dg/dy|."""
    known, response = fit.criteria, fit.model.response_expression
    if known is None or isinstance(response, Column) or len(fit.model.response_columns) != 1:
        return known
    column, solution = Column(fit.model.response_columns[0]), fit.solution
    slope = compile_expression(derivatives(response, [column])[column], (column,))
    with np.errstate(all="ignore"):
        factors = np.broadcast_to(np.log(np.abs(slope(solution.columns[column.name]))), (len(solution.sample.y),))
    counted = row_weights(solution) > 0.0
    if states := fit.loss_function.states:  # the probability of a limit is the same on every scale
        counted &= solution.columns[states] == 0.0
    estimated = round(0.5 * (known.aic + 2.0 * known.log_likelihood))
    return criteria(known.log_likelihood + float(factors[counted].sum()), estimated, responses(solution))


def _lack_of_fit(fit: SolvedFit) -> LackOfFit | None:
    """Return the lack-of-fit test of a fit, None if it has none."""
    from scipy import special

    solution = fit.solution
    if not fit.loss_function.quadratic or solution.all_rows is not None or fit.degrees_of_freedom is None:
        return None
    columns = [solution.columns[name] for name in fit.model.inputs]
    if not columns:
        return None
    _, replicate_sets = np.unique(np.column_stack(columns), axis=0, return_inverse=True)
    omega, y = row_weights(solution), fit.model.observed(solution.columns)
    replicate_sets = replicate_sets.ravel()
    weight = np.bincount(replicate_sets, omega)
    mean = np.bincount(replicate_sets, omega * y) / np.where(weight > 0.0, weight, 1.0)
    cells = int(np.count_nonzero(weight))
    pure, pure_degrees = float(omega @ (y - mean[replicate_sets]) ** 2), counting(solution) - cells
    lack = fit.loss * total_weight(solution) - pure
    degrees = int(fit.degrees_of_freedom) - pure_degrees
    if pure_degrees <= 0 or degrees <= 0 or not pure > 0.0:
        return None
    value = max(lack, 0.0) / degrees / (pure / pure_degrees)
    return LackOfFit(value, (degrees, pure_degrees), float(special.fdtrc(degrees, pure_degrees, value)))
