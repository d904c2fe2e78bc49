"""The fit: what a user holds after a run, or reads from a model file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from descend.inference.fitted import Fitted
from descend.results.conversions import Convertible
from descend.results.names_elsewhere import NamedElsewhere

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from descend.inference.intervals import Intervals
    from descend.inference.prediction.bands import Prediction
    from descend.inference.prediction.design import Design
    from descend.inference.prediction.inverse_answer import Inverse
    from descend.inference.prediction.predictions import Predicted
    from descend.inference.quantities.estimate import Estimated
    from descend.inference.rows.influence import Influence
    from descend.report.animation import Animation

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Fit(Fitted, Convertible, NamedElsewhere):
    """The result of a fit, or of a model file: what is known about it (see ``Fitted``), and what it can do."""

    from_start: Fit | None = None
    """Where the user's own start led, if a search found a lower minimum; that lower minimum is then this fit."""

    @overload
    def predict(self, data: object, missing: str = "raise", *, interval: None = None, level: float = 0.95) -> Array: ...

    @overload
    def predict(self, data: object, missing: str = "raise", *, interval: str, level: float = 0.95) -> Prediction: ...

    @overload
    def predict(self, data: object, missing: str = "raise", *, probabilities: bool) -> NDArray[np.generic]: ...

    def predict(
        self,
        data: object,
        missing: str = "raise",
        *,
        interval: str | None = None,
        level: float = 0.95,
        probabilities: bool = False,
    ) -> Predicted | Prediction:
        """Return the prediction for each row of ``data``: any source that ``fit`` takes and that has the input columns.

        A module also takes tensors; it predicts in evaluation mode. Raises DataError for a row that has no value.

        interval: ``"confidence"``, for the mean of the response; ``"prediction"``, for one further measurement
            (squared loss). The result is then a `Prediction` with ``prediction``, ``low`` and ``high``.
            With weights or sigma, ``"prediction"`` needs that column for the new rows too.

        probabilities: of a loss of classes, whether to return those of all, (rows, K), not the likeliest of each row.
            Of a module with several outputs, predictions are a dict by their names.

        Of several formulas that were fitted together it has a column for each response, (rows, k). Values with units,
        quantities of Pint or ``"2 min"``, and columns whose names say another unit, are converted.
        """
        from descend.inference.prediction.bands import predict_with_band
        from descend.inference.prediction.predictions import predicted_classes, predicted_rows
        from descend.results.units import in_units_of

        data = in_units_of(self, data)
        if probabilities or (self.loss_function.classes and interval is None):
            return predicted_classes(self.model, self.theta, data, missing, probabilities)
        if interval is not None:
            return predict_with_band(self.estimates(), data, missing, interval, level)
        return predicted_rows(self.model, self.theta, data, missing)

    def quantity(
        self,
        text: str,
        level: float = 0.95,
        method: str = "t",
        *,
        resamples: int = 1000,
        seed: int = 0,
        on_resample: Callable[[int], None] | None = None,
    ) -> Estimated:
        """Return a number that follows from the parameters, with its standard error and interval.

        text: an expression such as ``"log(2)/b"``, with a name if wanted, ``"half_life = log(2)/b"``. It may hold
            components of a vector, ``"ec50[B]/ec50[A]"``, and what is read off the fitted curve: ``prediction(x=3)``,
            ``area(x, 0, 10)``, ``maximum(x, 0, 10)``, ``argmax(x, 0, 10)``, ``minimum``, ``argmin``, and
            ``root(x, 0, 10, level=0.5)``, where the curve reaches a level; other inputs by name, ``z=1``.
        level, method, resamples, seed, on_resample: of the interval (see ``intervals``); "profile" refits all
            parameters with the quantity held.

        The standard error is by the delta method, with exact derivatives; those of a peak or a root by the implicit
        function theorem. A quantity without a value has NaN, and its ``why`` says why.

        Raises FormulaError or ConfigError for what is no such expression.
        """
        from descend.inference.intervals import checked_level, checked_method, refuse_clusters
        from descend.inference.quantities.interval_methods import estimated_quantity
        from descend.inference.quantities.reading import read_quantity

        level, method, quantity = checked_level(level), checked_method(method), read_quantity(text, self.model)
        refuse_clusters(self.clusters, method)
        solution = self.solution
        if method in ("profile", "bootstrap"):
            solution = self._solved(f"it has no {method} intervals. Fit again to get them.")
        estimates = self.estimates("sandwich" if method == "sandwich" else None)
        return estimated_quantity(quantity, estimates, solution, level, method, resamples, seed, on_resample)

    @cached_property  # the same variables each time, or they would count as independent of each other
    def ufloats(self) -> dict[str, Any]:
        """Parameters and quantities by name as numbers of the package uncertainties, with their correlations.

        What is computed from them has the right standard error: ``fit.ufloats["a"] / fit.ufloats["b"]``. A vector is an
        array of them, one per group a dict. The maths: ``inference.covariance.ufloats.correlated_values``. Raises
        ConfigError where the package is not installed, or the fit has no covariance.

        >>> import descend
        >>> line = descend.fit("y ~ a + b*x", {"x": [1.0, 2.0, 3.0, 4.0], "y": [2.1, 3.9, 6.1, 7.9]})
        >>> a, b = line.ufloats["a"], line.ufloats["b"]
        >>> f"{a + 2.5*b:.1uS}", f"{line.predict({'x': [2.5]}, interval='confidence').prediction[0]:.1f}"
        ('5.00(6)', '5.0')
        """
        from descend.inference.covariance.ufloats import correlated_values

        return correlated_values(self.estimates(), self.quantities)

    def invert(
        self,
        response: float | str | Sequence[float | str],
        *,
        interval: str = "inversion",
        level: float = 0.95,
        mean: bool = False,
        sigma: float | None = None,
        input: str | None = None,
        at: Mapping[str, object] | None = None,
        between: tuple[float, float] | None = None,
    ) -> Inverse:
        """Return the value of an input that gives a response, with its interval: inverse prediction, calibration.

        response: a number, or replicates of one sample; on the scale of the left side, or with a unit, ``"300 mV"``.
        interval: ``"inversion"``, all values that the response does not contradict, or ``"wald"``, by the delta method.
        mean: whether to ask where the curve itself is there, not a new measurement. sigma: the standard deviation of
            one new measurement, where the fit does not know it. input: the input to solve for, if the model has
            several; at: the values of the others. between: where to look; first in the data, if not given.

        The result has ``value`` (or ``x``), ``standard_error``, ``interval``, whose ends may be infinite, and ``why``:
        what there is to say, such as that there are several values, or none. See ``inference.prediction.inverse``.

        >>> import descend
        >>> line = descend.fit("y ~ a + b*x", {"x": [1.0, 2.0, 3.0, 4.0], "y": [2.1, 3.9, 6.1, 7.9]})
        >>> found = line.invert(5.0)
        >>> round(found.value, 3), [round(end, 2) for end in found.interval]
        (2.5, [2.19, 2.81])
        """
        from descend.inference.intervals import checked_level
        from descend.inference.prediction import inverse
        from descend.inference.prediction import inverse_question as checked
        from descend.inference.quantities.curve import placed
        from descend.results.units import question_in_units_of

        measured, sigma, other_measured = question_in_units_of(self, response, sigma, at or {})
        checked.checked_sigma(sigma, between)
        name = checked.varying_input(self.model, input, other_measured)
        inputs = placed(self.model, {**other_measured, name: 0.0})
        question = checked.Question(
            name,
            {input_name: value for input_name, value in inputs.items() if input_name != name},
            checked.checked_response(measured),
            checked.checked_interval(interval),
            checked_level(level),
            mean,
            sigma,
            between,
        )
        return inverse.invert(self.estimates(), question, self.ranges.get(name))

    def design(
        self,
        between: Mapping[str, tuple[float, float]],
        aim: str | None = None,
        *,
        points: int = 1,
        at: Mapping[str, object] | None = None,
        sigma: float | None = None,
    ) -> Design:
        """Return where to measure next so that a parameter or quantity, or all parameters, become most certain.

        between: the range of each input that varies, ``{"x": (0, 10)}``; at: values of the others. aim: a parameter
            or an expression (see ``quantity``); all parameters together, D-optimal, if not given. points: how many
            measurements. sigma: the standard deviation of one, if the fit does not know it.

        The result has ``points``, ``error_now`` and ``error_then``, the standard error to expect. The maths:
        ``inference.prediction.design.design``. Raises FormulaError or ConfigError.

        >>> import descend
        >>> line = descend.fit("y ~ a + b*x", {"x": [1.0, 2.0, 3.0, 4.0], "y": [2.1, 3.9, 6.1, 7.9]})
        >>> line.design({"x": (0, 5)}, "b", points=2).points
        ({'x': 0.0}, {'x': 5.0})
        """
        from descend.inference.prediction.design import design
        from descend.inference.quantities.reading import read_quantity
        from descend.options.checks import refuse_not_whole

        refuse_not_whole(points, "number of points", 1)
        quantity = None if aim is None else read_quantity(aim, self.model)
        return design(self.estimates(), between, quantity, points, at or {}, sigma)

    def influence(self) -> Influence:
        """Return how much each row weighs: leverage, studentised residuals, Cook's distance, dffits and dfbetas.

        They are R's ``hatvalues``, ``rstudent``, ``cooks.distance``; of curves, by the tangent plane. The result is a
        mapping of arrays; ``frame()`` makes a pandas frame of it, and as text it shows the rows that weigh most. The
        maths: ``inference.rows.influence.influence_of``. Raises ConfigError where rows are not in memory, for modules,
        penalties, errors of inputs, and losses that are no likelihood.

        >>> import descend
        >>> line = descend.fit("y ~ a + b*x", {"x": [1.0, 2.0, 3.0, 9.0], "y": [2.1, 3.9, 6.1, 15.0]})
        >>> line.influence().leverage.round(3)
        array([0.445, 0.329, 0.265, 0.961])
        """
        from descend.inference.rows.influence import influence_of

        return influence_of(self._solved("it has no rows to weigh. Fit again to see them."))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file: JSON that `load` reads."""
        from descend.results.saving import save

        save(self, path)

    def export(self, to: str, *, table: str = "data", name: str = "prediction", dialect: str = "duckdb") -> str:
        """Return the fitted model as text in another language (see ``descend.results.export.exported``)."""
        from descend.results.export import exported

        return exported(self, to, table=table, name=name, dialect=dialect)

    def table(
        self, format: str = "markdown", *, errors: str = "parentheses", intervals: Intervals | None = None
    ) -> str:
        """Return a table for print: parameters and quantities with their errors and intervals, and how good the fit is.

        format: ``"latex"`` (booktabs), ``"markdown"``, ``"csv"`` or ``"html"``.
        errors: ``"parentheses"``, 0.1234(56), or ``"plus-minus"``, 0.1234 ± 0.0056; both to two digits of the error.
        intervals: the result of ``intervals`` to show; 95% t intervals if not given.

        >>> import descend
        >>> line = descend.fit("y ~ a + b*x", {"x": [1.0, 2.0, 3.0, 4.0], "y": [2.1, 3.9, 6.1, 7.9]})
        >>> print(line.table("markdown").splitlines()[3])
        | b | 1.960(57) | \\[1.717, 2.203\\] |

        Raises ConfigError for a format that there is not, and for a module trained in place.
        """
        from descend.report.html import usual_intervals
        from descend.report.published.cells import checked_errors
        from descend.report.published.formats import write_tables
        from descend.report.published.of_fit import of_fit

        intervals_shown = usual_intervals(self) if intervals is None else intervals
        return write_tables([of_fit(self, intervals_shown, checked_errors(errors))], format, errors)

    def plot(
        self,
        *,
        log: str = "",
        x_label: str | None = None,
        y_label: str | None = None,
        title: str | None = None,
        size: str | tuple[float, float] | None = None,
        residuals: bool = False,
        style: str | None = None,
        bands: str | Sequence[str] | bool | None = None,
        level: float = 0.95,
    ) -> Figure:
        """Draw the data with the fitted curve, and the loss per epoch if the run took more than a few steps.

        Returns a Matplotlib figure, which a notebook shows; ``savefig`` writes it, fonts embedded. Rows have error bars
        of one standard deviation, where it is known.

        log: which axes of the data are logarithmic: ``"x"``, ``"y"`` or ``"xy"``. x_label, y_label: the labels of these
        axes. title: the title; the fitted formula if not given. size: width and height in inches, or the size on
            paper, ``"85mm"`` or ``"85mm x 60mm"``, which is drawn in the style print.
        residuals: whether to draw the residuals below the curve. style: ``"screen"``, ``"print"``,
            ``"presentation"``, ``"dark"``, a style of Matplotlib, or an ``.mplstyle`` file.
        bands: ``"confidence"``, ``"prediction"``, both with a comma, or ``"none"``; all there are if not given.
        level: of the bands.
        """
        from descend.report.picture_look import Look
        from descend.report.plots import plot_fit

        self._solved("there is nothing to plot.")
        return plot_fit(self, Look(log, x_label, y_label, title, size, residuals, style, bands, level))

    def plot_penalty(self, path: str | os.PathLike[str] | None = None) -> Figure:
        """Draw the error on rows held out, and the parameters, against a penalty that was chosen (``l2="auto"``).

        Raises ConfigError where none was.
        """
        from descend.report.penalties import plot_penalties

        return plot_penalties(self.penalty_path, path)

    def animate(self) -> Animation:
        """Return the run as an animation, which a notebook shows: the curve as it moves, and the path over J.

        Its ``save`` writes a page (``.html``), a ``.gif`` or a video (``.mp4``); see ``report.animation.Animation``.
        """
        from descend.report.animation import Animation

        self._solved("there is nothing to animate.", without="steps")
        return Animation(self)

    def report(
        self, path: str | os.PathLike[str], *, intervals: Intervals | None = None, command: str | None = None
    ) -> None:
        """Write a page, ``.html``, that opens without a network: the result, its pictures, and how to repeat it.

        intervals: the result of ``intervals`` to show; 95% t intervals if not given. command: the command line that was
        typed; an equivalent one if not given. Raises OutputError if the file cannot be written.
        """
        from descend.report.html import write_report

        self._solved("there is nothing to report on.")
        write_report(self, path, intervals, command)

    def summary(self) -> dict[str, Any]:
        """Return the fit as plain values: the object that `--json` prints."""
        from descend.report.fields import summary

        return summary(self)

    def _repr_html_(self) -> str:
        from descend.report.html import short

        return short(self)

    def __repr__(self) -> str:
        values = self.mentioned() or f"{self.model.parameters.size} parameters"
        epochs = f"{self.epochs} epoch" + ("" if self.epochs == 1 else "s")
        return f"Fit({self.model}: {values}, loss={self.loss:.6g}, {self.outcome} after {epochs})"
