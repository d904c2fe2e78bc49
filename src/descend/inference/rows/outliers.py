"""Outliers are rows too far from a robust curve for normal scatter, by a rule that limits false discoveries."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from descend.descent.solution import Solution
from descend.errors import ConfigError
from descend.inference.rows.row_numbers import positions, said_place
from descend.inference.statistics import degrees_of_freedom
from descend.models.reading import Content

Array = NDArray[np.float64]
NAMED = 8
"""Rows that a sentence names."""
JUDGED = 0.3
"""Only this share of the rows, the farthest ones, may be outliers."""


@dataclass(frozen=True)
class Outlier:
    """One row. row: its number, from 1. place: where that is, in words. residual: from the robust curve, observed less
    predicted. distance: its size in robust standard deviations. p: the probability of one as far, in normal scatter."""

    row: int
    place: str
    residual: float
    distance: float
    p: float


@dataclass(frozen=True)
class Outliers:
    """The outliers among the rows of a fit.

    rate: the false discovery rate. scatter: the robust standard deviation of residuals. judged: how many rows there
    were. dropped: whether the fit is that of the other rows. rows: the outliers, farthest first. with_all_rows: of a
    fit without them, the estimates and standard errors with all rows, by label.
    """

    rate: float
    scatter: float
    judged: int
    dropped: bool
    rows: tuple[Outlier, ...]
    with_all_rows: Mapping[str, tuple[float, float | None]]

    def __len__(self) -> int:
        return len(self.rows)

    def plain(self) -> dict[str, object]:
        """Return them as plain values, as in the JSON and the model file."""
        return asdict(self)

    @classmethod
    def restored(cls, content: Content) -> Outliers:
        """Return what ``plain`` made values of."""
        estimates_with = {label: (value, error) for label, (value, error) in content["with_all_rows"].items()}
        return cls(
            **{**content, "rows": tuple(Outlier(**each) for each in content["rows"]), "with_all_rows": estimates_with}
        )

    def __str__(self) -> str:
        rule = f"by a false discovery rate of {100.0 * self.rate:g}% (ROUT)"
        if not self.rows:
            return f"none of {self.judged:,} rows is an outlier, {rule}"
        names = [each.place for each in self.rows[:NAMED]]
        if all(name.startswith("row ") and " of " not in name for name in names):
            names = [name.removeprefix("row ") for name in names]
            names[0] = f"row{'s' if len(self.rows) > 1 else ''} {names[0]}"
        rows_left = len(self.rows) - len(names)
        rows_named = ", ".join(names) + (f" and {rows_left:,} more" if rows_left else "") + f" of {self.judged:,}"
        kind = "are outliers" if len(self.rows) > 1 else "is an outlier"
        if not self.dropped:
            return f"{rows_named} {kind}, {rule}, and still counted"
        estimates_text = ", ".join(
            f"{label} = {value:.6g}" + ("" if error is None else f" ± {error:.3g}")
            for label, (value, error) in list(self.with_all_rows.items())[:NAMED]
        )
        return f"{rows_named} {kind}, {rule}, and left out; with all rows {estimates_text}"


def outliers_of(solution: Solution, rate: float, labelled: Mapping[str, tuple[float, float | None]]) -> Outliers:
    """Return the rows that lie too far from the curve of a robust fit.

    With t_i = |r_i| / s, where s is the robust standard deviation of the residuals r of a fit with Lorentzian scatter,
    p_i the probability that Student's t with n - p degrees of freedom is as far, and t sorted rising, row i and all
    that are farther are outliers if

        p_i < Q (n - i + 1) / n

    for a row among the farthest 30%, the first such row. Of data with normal scatter, about a share Q has any.

    rate: Q. labelled: estimates and standard errors of all rows by label.

    Raises ConfigError where there are no degrees of freedom, or no robust fit.

    Source: Motulsky & Brown (2006), BMC Bioinformatics 7, 123; Benjamini & Hochberg (1995), J. R. Stat. Soc. B 57.
    """
    from scipy import special

    from descend.starts.lorentzian_residuals import lorentzian

    degrees = degrees_of_freedom(solution)
    if degrees is None or degrees <= 0:
        raise ConfigError(
            f"{solution.rows} rows and {solution.theta.size} parameters leave nothing to tell outliers by. Give more "
            "rows."
        )
    rows, robust = lorentzian(solution.problem, solution.theta, degrees)
    if robust is None:
        raise ConfigError("Outliers lie far from a robust fit, and none was found. Give starting values.")
    residual = rows.residuals(robust.theta)
    smallest_residual = 1e-9 * float(np.abs(rows.root * rows.y).max())
    distance = np.abs(residual) / max(robust.scale, smallest_residual, math.ulp(0.0))
    p = 2.0 * special.stdtr(degrees, -distance)
    outlier_places, numbers = farthest(p, distance, rate), positions(solution)
    outliers = tuple(
        Outlier(
            int(numbers[outlier_place]) + 1,
            said_place(solution, int(numbers[outlier_place])),
            float(residual[outlier_place] / rows.root[outlier_place]),
            float(distance[outlier_place]),
            float(p[outlier_place]),
        )
        for outlier_place in outlier_places.tolist()
    )
    return Outliers(rate, robust.scale, len(p), False, outliers, labelled)


def farthest(p: Array, distance: Array, rate: float) -> NDArray[np.intp]:
    """Return the places of the outliers, farthest first.

    >>> distance = np.array([0.1, 0.5, 0.9, 0.2, 6.0, 0.7, 0.4, 0.3, 1.1, 0.6])
    >>> farthest(np.array([0.9, 0.6, 0.4, 0.8, 1e-4, 0.5, 0.7, 0.8, 0.3, 0.6]), distance, 0.01)
    array([4])
    """
    count = len(p)
    order = np.argsort(distance, kind="stable")
    first = math.ceil((1.0 - JUDGED) * count)
    rank = np.arange(count)
    beyond = np.flatnonzero((p[order] < rate * (count - rank) / count) & (rank >= first))
    farthest_rows: NDArray[np.intp] = order[beyond[0] :][::-1] if beyond.size else np.empty(0, dtype=np.intp)
    return farthest_rows
