"""The fit: what a user holds after a run, or reads from a model file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from descend.inference.fitted import Fitted
from descend.inference.intervals import Intervals
from descend.inference.prediction import Prediction, predict_with_band, refuse_not_finite

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from descend.report.animation import Animation

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Fit(Fitted):
    """The result of a fit, or of a model file: what is known about it (see ``Fitted``), and what it can do."""

    from_start: Fit | None = None
    """Where the user's own start led, if a search found a lower minimum; that lower minimum is then this fit."""

    @overload
    def predict(self, data: object, missing: str = "raise", *, interval: None = None, level: float = 0.95) -> Array: ...

    @overload
    def predict(self, data: object, missing: str = "raise", *, interval: str, level: float = 0.95) -> Prediction: ...

    def predict(
        self, data: object, missing: str = "raise", *, interval: str | None = None, level: float = 0.95
    ) -> Array | Prediction:
        """Return the prediction for each row of ``data``: any source that ``fit`` takes and that has the input columns.

        A module also takes tensors; it predicts as it is now, in evaluation mode. Raises DataError for a row in
        which a formula or function has no value, such as the logarithm of a negative number.

        interval: ``"confidence"``, for the mean of the response; ``"prediction"``, for one further measurement
            (squared loss). The result is then a `Prediction` with ``prediction``, ``low`` and ``high``.
            With weights or sigma, ``"prediction"`` needs that column for the new rows too.
        """
        if interval is not None:
            return predict_with_band(self.estimates(), data, missing, interval, level)
        columns = self.model.inputs_of(data, missing)
        predicted = self.model.predict(self.theta, columns)
        refuse_not_finite(self.model, self.theta, columns, predicted)
        return predicted

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file: JSON that `load` reads."""
        from descend.results.saving import save

        save(self, path)

    def export(self, to: str, *, table: str = "data", name: str = "prediction", dialect: str = "duckdb") -> str:
        """Return the fitted model as text in another language (see ``descend.results.export.exported``)."""
        from descend.results.export import exported

        return exported(self, to, table=table, name=name, dialect=dialect)

    # The fit, shown.

    def plot(
        self,
        *,
        log: str = "",
        x_label: str | None = None,
        y_label: str | None = None,
        title: str | None = None,
        size: tuple[float, float] | None = None,
        residuals: bool = False,
    ) -> Figure:
        """Draw the data with the fitted curve, and the loss per epoch if the run took more than a few steps.

        Returns a Matplotlib figure, which a notebook shows.

        log: which axes of the data are logarithmic: ``"x"``, ``"y"`` or ``"xy"``. x_label, y_label: the labels of these
        axes. title: the title; the fitted formula if not given. size: width and height, in inches.
        residuals: whether to draw the residuals below the curve.
        """
        from descend.report.look import Look
        from descend.report.plots import plot_fit

        self._solved("there is nothing to plot.")
        return plot_fit(self, Look(log, x_label, y_label, title, size, residuals))

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
        typed; an equivalent one if not given.

        Raises OutputError if the file cannot be written.
        """
        from descend.report.html import write_report

        self._solved("there is nothing to report on.")
        write_report(self, path, intervals, command)

    def summary(self) -> dict[str, Any]:
        """Return the fit as plain values: the object that `--json` prints."""
        from descend.report.fields import summary

        return summary(self)

    def _repr_html_(self) -> str | None:
        """Return what a notebook shows; None for a fit without its data, so that the notebook shows its text."""
        from descend.report.html import short

        return None if self.solution is None else short(self)

    def __repr__(self) -> str:
        values = self.mentioned() or f"{self.model.parameters.size} parameters"
        epochs = f"{self.epochs} epoch" + ("" if self.epochs == 1 else "s")
        return f"Fit({self.model}: {values}, loss={self.loss:.6g}, {self.outcome} after {epochs})"
