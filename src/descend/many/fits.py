"""Many fits: one for each group of a table, as arrays over groups, and each as a fit of its own on demand."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError, DataError
from descend.many.fitting import REFUSED, Grouped, Outcomes, fit_each
from descend.many.groups import Groups
from descend.options.request import Request
from descend.registry import closest, split_list
from descend.results import Fit
from descend.table import Table, open_table
from descend.table.levels import Key, Label, said
from descend.table.writing import write_columns

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
SHOWN = 10
"""Groups that a text shows, at most."""


class Fits:
    """The fits of all groups. ``fits["A", 3]`` is the `Fit` of one group, made when it is asked for.

    by: the columns that tell groups apart. keys: a tuple of their values for each group, in order.
    parameters, standard_errors: by name, (groups,) or for a vector (groups, k), NaN where a group has no fit.
    loss, r_squared, rows: (groups,). outcome: how each ended; ``refused`` where there was nothing to fit.
    seconds: how long all took. ungrouped: rows that belong to no group.

    >>> import descend
    >>> x = np.tile([0.0, 1.0, 2.0, 3.0], 2)
    >>> data = {"x": x, "y": np.r_[x[:4] + [1.0, 1.1, 0.9, 1.0], 3 * x[:4]], "site": ["A"] * 4 + ["B"] * 4}
    >>> fits = descend.fit("y ~ w*x + b", data, by="site")
    >>> fits.parameters["w"].round(2).tolist(), round(fits["B"].parameters["w"], 2)
    ([0.98, 3.0], 3.0)
    """

    def __init__(self, work: Grouped, outcomes: Outcomes, seconds: float) -> None:
        self._work, self.model, self._outcomes = work, work.model, outcomes
        self.seconds = seconds
        self.by, self.keys = work.groups.by, work.groups.keys
        self.loss, self.r_squared = outcomes.loss, outcomes.r_squared
        self.outcome: tuple[str, ...] = tuple(outcomes.outcome.tolist())
        self.rows, self.ungrouped = work.groups.sizes, work.groups.ungrouped

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[Key]:
        return iter(self.keys)

    def __contains__(self, key: object) -> bool:
        return _tuple(key) in self._places

    @cached_property
    def _places(self) -> dict[Key, int]:
        return {key: place for place, key in enumerate(self.keys)}

    def _place(self, key: object) -> int:
        place = self._places.get(_tuple(key))
        if place is None:
            names = ", ".join(f"`{name}`" for name in self.by)
            known = [said(each) for each in self.keys]
            raise DataError(
                f"There is no group {said(_tuple(key))} of {names}.{closest(said(_tuple(key)), known)} "
                f"There are {len(self):,}, such as {', '.join(known[:3])}."
            )
        return place

    def __getitem__(self, key: object) -> Fit:
        """Return the fit of one group, with everything that a fit can tell.

        Raises DataError for a group that there is not, or that could not be fitted, with the reason.
        """
        place = self._place(key)
        kept = self._outcomes.fits.get(place)
        if kept is None:
            if self.outcome[place] == REFUSED:
                raise DataError(f"The group {said(self.keys[place])} was not fitted: {self._outcomes.cause[place]}")
            start = self.model.parameters.named(self._outcomes.parameters[place])
            kept = self._outcomes.fits[place] = self._work.alone(place, start)
        return kept

    @property
    def parameters(self) -> dict[str, Array]:
        """The parameters of all groups, by name."""
        return self._by_name(self._outcomes.parameters)

    @property
    def standard_errors(self) -> dict[str, Array]:
        """Their standard errors."""
        return self._by_name(self._outcomes.errors)

    def _by_name(self, components: Array) -> dict[str, Array]:
        parameters = self.model.parameters
        return {
            name: components[:, place] if labels is not None else components[:, place.start]
            for (name, labels), place in zip(parameters.shapes.items(), parameters.slices.values(), strict=True)
        }

    @cached_property
    def failed(self) -> dict[Key | Label, str]:
        """Why a group has no fit, or one that did not converge, by key: a sentence for each."""
        return {
            (self.keys[place][0] if len(self.by) == 1 else self.keys[place]): cause
            for place, cause in sorted(self._outcomes.cause.items())
        }

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many groups ended how, the most frequent first."""
        return dict(Counter(self.outcome).most_common())

    def columns(self) -> dict[str, NDArray[np.generic] | list[str]]:
        """Return the table of `frame` as a dict of arrays.

        What is told of each fit has a `_` after its name where a key or a parameter has that name.
        """
        table: dict[str, NDArray[np.generic] | list[str]] = {
            name: np.array([key[place] for key in self.keys]) for place, name in enumerate(self.by)
        }
        outcomes, labels = self._outcomes, self.model.parameters.labels
        table |= {label: outcomes.parameters[:, place] for place, label in enumerate(labels)}
        table |= {f"{label} std. error": outcomes.errors[:, place] for place, label in enumerate(labels)}
        cause = [outcomes.cause.get(place, "") for place in range(len(self))]
        of_fits: dict[str, NDArray[np.generic] | list[str]] = {
            "rows": self.rows,
            "loss": self.loss,
            "r_squared": self.r_squared,
            "outcome": list(self.outcome),
            "cause": cause,
        }
        return table | {f"{name}_" if name in table else name: cells for name, cells in of_fits.items()}

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
        """Write the table of `frame`: ``.csv``, ``.parquet``, ``.json`` and others, by its ending.

        Raises OutputError if the ending is another, or the file cannot be written.
        """
        write_columns(path, self.columns())

    def records(self) -> Iterator[dict[str, object]]:
        """Yield what ``--json`` prints of each group, a line each."""
        parameters, errors = self.parameters, self.standard_errors
        for place, key in enumerate(self.keys):
            yield {
                "group": dict(zip(self.by, key, strict=True)),
                "parameters": {name: _plain(values[place]) for name, values in parameters.items()},
                "standard_errors": {name: _plain(values[place]) for name, values in errors.items()},
                "loss": _plain(self.loss[place]),
                "r_squared": _plain(self.r_squared[place]),
                "rows": int(self.rows[place]),
                "outcome": self.outcome[place],
                "cause": self._outcomes.cause.get(place),
            }

    @property
    def succeeded(self) -> bool:
        """Whether every group has a fit that succeeded."""
        return not self._outcomes.cause

    def predict(self, data: object, missing: str = "raise") -> Array:
        """Return the prediction for each row of ``data``, by the parameters of its group.

        Raises DataError for a group that was not fitted.
        """
        table = open_table(data)
        groups = Groups.of(table, self.by)
        inputs = table.numbers(self.model.inputs, missing) if self.model.inputs else {}
        predicted = np.full(table.rows, np.nan)
        for group, key in enumerate(groups.keys):
            place, rows = self._place(key), groups.rows(group)
            if self.outcome[place] == REFUSED:
                raise DataError(f"The group {said(key)} was not fitted: {self._outcomes.cause[place]}")
            part = {name: column[rows] for name, column in inputs.items()} or {"": np.empty(len(rows))}
            predicted[rows] = self.model.predict(self._outcomes.parameters[place], part)
        return predicted

    def __repr__(self) -> str:
        counted = ", ".join(f"{count:,} {outcome}" for outcome, count in self.counts.items())
        return f"Fits({self.model} by {', '.join(self.by)}: {len(self):,} groups, {counted})"


def fit_groups(request: Request, table: Table) -> Fits:
    """Fit each group of a table that ``request.by`` names. Raises DescendError for what fits none of them."""
    began = time.perf_counter()
    texts = [request.by] if isinstance(request.by, str) else request.by or ()
    names = [name for text in texts for name in ([text] if text in table.names else split_list(text))]
    work = Grouped.of(request, table, list(dict.fromkeys(names)))
    return Fits(work, fit_each(work), time.perf_counter() - began)


def _tuple(key: object) -> Key:
    return key if isinstance(key, tuple) else (key,)


def _plain(value: Array) -> object:
    """Return a number, or a list of them, for JSON, which has no word for NaN."""
    if np.ndim(value) == 0:
        return float(value) if np.isfinite(value) else None
    return [_plain(each) for each in value]
