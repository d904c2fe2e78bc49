"""What is known of a quantity: its value, its standard error and its interval."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from descend.models.reading import Content
from descend.parameters import digits_of
from descend.showing import Shown


@dataclass(frozen=True)
class Estimated(Shown):
    """The value of a quantity at the fitted parameters, and how certain it is.

    name, text: what it is called, and the expression as typed. value: NaN if it is not defined there. standard_error:
    by the delta method; NaN if there is none. interval: (low, high); an end that the data leave open is infinite.
    level, method: of the interval. why: why the value, error or interval is missing or open; empty if none is.
    """

    name: str
    text: str
    value: float
    standard_error: float
    interval: tuple[float, float]
    level: float
    method: str
    why: str = ""

    def plain(self) -> dict[str, object]:
        """Return it as plain values, as in the JSON; None for what there is not, or is infinite."""
        value, error, *ends = (
            number if math.isfinite(number) else None for number in (self.value, self.standard_error, *self.interval)
        )
        fields = {"value": value, "standard_error": error, "interval": ends, "level": self.level, "method": self.method}
        return {"expression": self.text, **fields, **({"why": self.why} if self.why else {})}

    @classmethod
    def restored(cls, name: str, saved: Content) -> Estimated:
        """Return what ``plain`` made these values of; an end of the interval that it left out is not known."""
        value, error, *ends = (
            math.nan if number is None else float(number)
            for number in (saved.get("value"), saved.get("standard_error"), *(saved.get("interval") or (None, None)))
        )
        level, method = saved.get("level", 0.95), saved.get("method", "t")
        return cls(name, saved["expression"], value, error, (ends[0], ends[1]), level, method, saved.get("why", ""))

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        if math.isnan(self.value):
            return f"{self.text}: {self.why}"
        interval_text = with_interval(self.value, self.standard_error, self.interval, self.level, self.method)
        return f"{self.text} = {interval_text}" + (f"\n    {self.why}" if self.why else "")


def with_interval(
    value: float, error: float, interval: tuple[float, float], level: float, method: str, unit: str = ""
) -> str:
    """Return a number with its error and interval as people read them, to the digits that the error allows."""
    digits = digits_of(value, error)
    low, high = (f"{end:.{digits}g}" for end in interval)
    return f"{value:.{digits}g} ± {error:.3g}{unit},  {level * 100:.10g}% {method} interval {low} to {high}"


def quantity_cells(quantities: Mapping[str, Estimated], with_ends: bool) -> Iterator[tuple[str, list[object]]]:
    """Yield the name of each quantity that has a value, with the cells of its line in a table of parameters.

    These are its value, its error, what it is, and the ends of its interval, if wanted; None for what there is not.
    """
    for name, quantity in quantities.items():
        if not math.isnan(quantity.value):
            numbers = [None if math.isnan(each) else each for each in (quantity.standard_error, *quantity.interval)]
            yield name, [quantity.value, numbers[0], f"= {quantity.text}", *(numbers[1:] if with_ends else ())]
