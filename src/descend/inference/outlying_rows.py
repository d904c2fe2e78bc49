"""The rows that are outliers, as a fit tells of them and a model file keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from descend.models.reading import Content

NAMED = 8
"""Rows that a sentence names."""


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
