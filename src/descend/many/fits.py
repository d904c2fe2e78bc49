"""Many fits, the result a user holds: what is known of them, and what they can do."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError
from descend.inference.prediction.bands import Prediction
from descend.many.fitted import FittedGroups
from descend.results.conversions import Convertible

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
Cells = NDArray[np.generic]


class Fits(FittedGroups, Convertible):
    """The fits of all groups. ``fits["A", 3]`` is the `Fit` of one group, made when it is asked for.

    by: the columns that tell groups apart. keys: a tuple of their values for each group, in order.
    parameters, standard_errors: by name, (groups,) or for a vector (groups, k), NaN where a group has no fit; fixed and
    tied parameters too. quantities: those asked for, by name, each with value, standard_error, low and high over the
    groups, and why one is missing. loss, r_squared, rows: (groups,). outcome: how each ended; ``refused`` where there
    was nothing to fit. seconds: how long all took. ungrouped: rows that belong to no group. notes: what is to be said
    of how they were made, in sentences.

    >>> import descend
    >>> x = np.tile([0.0, 1.0, 2.0, 3.0], 2)
    >>> data = {"x": x, "y": np.r_[x[:4] + [1.0, 1.1, 0.9, 1.0], 3 * x[:4]], "site": ["A"] * 4 + ["B"] * 4}
    >>> fits = descend.fit("y ~ w*x + b", data, by="site")
    >>> fits.parameters["w"].round(2).tolist(), round(fits["B"].parameters["w"], 2)
    ([0.98, 3.0], 3.0)
    """

    def columns(self) -> dict[str, Cells | list[str]]:
        """Return the table of `frame` as a dict of arrays.

        What is told of each fit has a `_` after its name where a key or a parameter has that name.
        """
        from descend.many.result_columns import table_of

        return table_of(self)

    def frame(self) -> pd.DataFrame:
        """Return a pandas frame with a row for each group: its key, parameters, errors, rows, loss, R2, outcome, cause.

        Raises ConfigError without pandas; `columns` gives the same as a dict of arrays.
        """
        try:
            import pandas as pd
        except ImportError:
            raise ConfigError(
                "A frame needs pandas: pip install pandas. fits.columns() gives the same as arrays."
            ) from None
        return pd.DataFrame(self.columns())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all fits, failed ones too: ``.json`` and ``.parquet``, which `descend.load` reads, or a mere table.

        In ``.json`` are all that a model file holds of each of up to 300 groups, and of more their parameters, errors,
        how these go together, criteria such as AIC, and outcomes; in ``.parquet`` the same as a table with the model.
        How errors go together is left out of files of more than 25 parameters if these were four million numbers.
        ``.csv``, ``.tsv`` and ``.jsonl`` are the table of `frame` alone.

        Raises OutputError if the ending is another, or the file cannot be written.
        """
        from descend.many.saving import save

        save(self, path)

    @overload
    def predict(self, data: object, missing: str = "raise", *, interval: None = None, level: float = 0.95) -> Array: ...

    @overload
    def predict(self, data: object, missing: str = "raise", *, interval: str, level: float = 0.95) -> Prediction: ...

    def predict(
        self, data: object, missing: str = "raise", *, interval: str | None = None, level: float = 0.95
    ) -> Array | Prediction:
        """Return the prediction for each row of ``data``, by the parameters of its group (see ``Fit.predict``).

        missing: a row without an input, or without a group, is refused (``"raise"``) or left out (``"drop"``).

        The prediction is NaN in rows of a group that was not fitted; ``failed`` says why it was not. Raises DataError
        for a group that there is not, and where none of the groups was fitted.
        """
        from descend.many.prediction import predict

        return predict(self, data, missing, interval, level)

    # The fits, shown.

    def table(self, format: str = "markdown", *, errors: str = "parentheses") -> str:
        """Return a table for print with a row for each group: its key, its parameters with their errors, R2 and rows.

        format, errors: as for ``Fit.table``. Where a group failed, a column says how each ended.
        """
        from descend.many.published import published
        from descend.report.published.cells import checked_errors
        from descend.report.published.formats import write_tables

        return write_tables([published(self, checked_errors(errors))], format, errors)

    def plot(
        self,
        groups: object = None,
        *,
        most: int = 24,
        data: object = None,
        log: str = "",
        x_label: str | None = None,
        y_label: str | None = None,
        title: str | None = None,
        size: str | tuple[float, float] | None = None,
        style: str | None = None,
        bands: str | Sequence[str] | None = None,
        level: float = 0.95,
    ) -> Figure:
        """Draw a small picture for each of some groups, the worst first: its rows, the curve, R2 or how it ended.

        Rows have error bars of one standard deviation where it is known, and those that are censored point up or down.

        groups: which, as a list of their keys, or one key; the worst if not given. most: at most so many.
        data: rows to draw, for fits that were loaded without theirs. log, x_label, y_label, title, size, style:
        as for ``Fit.plot``. bands, level: likewise, but that no band is drawn if none is asked for.

        Raises ConfigError for fits without rows, and DataError for a group that there is not.
        """
        from descend.many.pictures import plot
        from descend.report.picture_look import Look

        return plot(self, groups, most, Look(log, x_label, y_label, title, size, False, style, bands, level), data)

    def report(self, path: str | os.PathLike[str], *, command: str | None = None) -> None:
        """Write a page, ``.html``, that opens without a network: how groups ended and why, a table, small pictures.

        command: the command line that was typed; an equivalent one if not given.

        Raises OutputError if the file cannot be written.
        """
        from descend.many.page_of_fits import write_report

        write_report(self, path, command)

    def summary(self) -> str:
        """Return a text for people: how groups ended and why, the first of them, and how the parameters spread."""
        from descend.many.text import render

        return render(self)

    def _repr_html_(self) -> str:
        from descend.many.page_of_fits import short

        return short(self)

    def __repr__(self) -> str:
        counted = ", ".join(f"{count:,} {outcome}" for outcome, count in self.counts.items())
        return f"Fits({self.model} by {', '.join(self.by)}: {len(self):,} groups, {counted})"
