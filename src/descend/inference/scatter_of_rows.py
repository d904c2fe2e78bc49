"""What is known of how the rows scatter, beside a column of standard deviations or weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from descend.descent.comments_on_solution import once
from descend.descent.solution import Solution

QUANTILE = 1.959963984540054
"""The normal quantile of 95% intervals."""
FORMS = {"power": "s |prediction|^p", "exponential": "s exp(p prediction)"}


@dataclass(frozen=True)
class Scatter:
    """How the rows scatter, where a covariance of them was given, or the form of their variance was estimated.

    coupling: what the covariance is called; empty if there is none. deviation: the standard deviation of every row, if
    it gives all the same. known: whether it gives the size of the errors, rather than only how rows go together.

    form: "power" or "exponential" of the prediction, where that was estimated, else empty. power: p; power_error: its
    standard error, from the second derivative of the likelihood with the curve held.
    """

    coupling: str = ""
    deviation: float | None = None
    known: bool = False
    form: str = ""
    power: float = 0.0
    power_error: float = 0.0

    @property
    def power_interval(self) -> tuple[float, float]:
        """The 95% interval of p, by the normal distribution."""
        return self.power - QUANTILE * self.power_error, self.power + QUANTILE * self.power_error

    def plain(self) -> dict[str, object]:
        """Return it as plain values, as in the JSON."""
        scatter_fields: dict[str, object] = {}
        if self.coupling:
            scatter_fields |= {"covariance": self.coupling, "deviation": self.deviation, "known": self.known}
        if self.form:
            interval = list(self.power_interval)
            scatter_fields |= {"variance": self.form, "power": self.power, "standard_error": self.power_error}
            scatter_fields["interval"] = interval
        return scatter_fields

    @classmethod
    def restored(cls, content: Mapping[str, object]) -> Scatter:
        """Return what ``plain`` gave."""

        def number(key: str) -> float | None:
            value = content.get(key)
            return float(value) if isinstance(value, int | float) else None

        return cls(
            str(content.get("covariance", "")),
            number("deviation"),
            bool(content.get("known", False)),
            str(content.get("variance", "")),
            number("power") or 0.0,
            number("standard_error") or 0.0,
        )

    def words(self) -> Iterator[tuple[str, str]]:
        """Yield labels and what people read beside them."""
        if self.coupling:
            known_text = "taken as known" if self.known else "correlations of the rows"
            yield "covariance", f"{self.coupling[:1].lower()}{self.coupling[1:]}: of the response, {known_text}"
        if self.form:
            low, high = self.power_interval
            yield (
                "variance",
                f"standard deviation {FORMS[self.form]}, p = {self.power:.5g} ± {self.power_error:.3g} "
                f"(95% interval {low:.4g} to {high:.4g})",
            )


@once
def scatter_of(solution: Solution) -> Scatter | None:
    """Return how the rows scatter; None where only a column says so, or nothing."""
    coupling, weighing = solution.coupling, solution.sample.roles.weighing
    estimated = None if weighing is None else weighing.power
    if coupling is None and estimated is None:
        return None
    of_rows = ("", None, False) if coupling is None else (coupling.name, coupling.deviation, not coupling.correlation)
    return Scatter(*of_rows, *(estimated or ()))
