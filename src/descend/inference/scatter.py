"""What is known of how the rows scatter, beside a column of standard deviations or weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from descend.descent.commenting import once
from descend.descent.solution import Solution


@dataclass(frozen=True)
class Scatter:
    """How the rows scatter, where a covariance of them was given.

    coupling: what that is called. deviation: the standard deviation of every row, if the covariance gives all the same.
    known: whether it gives the size of the errors, rather than only how rows go together.
    """

    coupling: str
    deviation: float | None = None
    known: bool = True

    def plain(self) -> dict[str, object]:
        """Return it as plain values, as in the JSON."""
        return {"covariance": self.coupling, "deviation": self.deviation, "known": self.known}

    @classmethod
    def restored(cls, content: Mapping[str, object]) -> Scatter:
        """Return what ``plain`` gave."""
        deviation = content.get("deviation")
        return cls(
            str(content["covariance"]),
            float(deviation) if isinstance(deviation, int | float) else None,
            bool(content.get("known", True)),
        )

    def words(self) -> Iterator[tuple[str, str]]:
        """Yield labels and what people read beside them."""
        known = "taken as known" if self.known else "correlations of the rows"
        yield "covariance", f"{self.coupling[:1].lower()}{self.coupling[1:]}: of the response, {known}"


@once
def scatter_of(solution: Solution) -> Scatter | None:
    """Return how the rows scatter; None where only a column says so, or nothing."""
    coupling = solution.coupling
    return None if coupling is None else Scatter(coupling.name, coupling.deviation, not coupling.correlation)
