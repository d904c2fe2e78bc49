"""What an inverse prediction found: the value of an input, its standard error and its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

from descend.formula.printers.code import plain_name
from descend.inference.quantities.estimate import with_interval
from descend.showing import Shown

Range = tuple[float, float]


@dataclass(frozen=True)
class Inverse(Shown):
    """The value of an input at which the curve reaches a response.

    input: its name. response: the measured values, replicates of one sample. value: the estimate, NaN if there is none.
    standard_error: by the delta method. interval: (low, high); an end that the data leave open is infinite.
    level, method: of the interval. why: what there is to say of it in words; empty if nothing.
    """

    input: str
    response: tuple[float, ...]
    value: float
    standard_error: float
    interval: Range
    level: float
    method: str
    why: str = ""

    @property
    def x(self) -> float:
        """The estimate."""
        return self.value

    def said(self, unit: str = "") -> str:
        """Return it as people read it. unit: that of the input, with a blank before it."""
        if math.isnan(self.value):
            return self.why
        interval_text = with_interval(self.value, self.standard_error, self.interval, self.level, self.method, unit)
        return f"{plain_name(self.input)} = {interval_text}" + (f"\n    {self.why}" if self.why else "")

    def __str__(self) -> str:
        return self.said()

    def plain(self) -> dict[str, object]:
        """Return it as plain values, as in the JSON; None for what there is not, or is infinite."""
        value, error, *ends = (
            number if math.isfinite(number) else None for number in (self.value, self.standard_error, *self.interval)
        )
        responses = list(self.response) if len(self.response) > 1 else self.response[0]
        inverse_fields = {"response": responses, "x": value, "standard_error": error, "interval": ends}
        fields = {"input": self.input, "level": self.level, "method": self.method}
        return inverse_fields | fields | ({"why": self.why} if self.why else {})

    def __float__(self) -> float:
        return self.value
