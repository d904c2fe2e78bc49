"""Column values written as a range: ``start:stop:step``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from descend.errors import ConfigError
from descend.table.table import Numbers

if TYPE_CHECKING:
    from decimal import Decimal

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
MOST_VALUES = 10**8
# Integers up to 2**53 and powers of ten up to 10**22 are exact in float64, so their quotient is rounded once.
EXACT_INTEGER = 2**53
EXACT_POWER = 22


def parse_column_range(text: str) -> Numbers:
    """Return the values start, start + step, ... that come before stop, as Python's ``range`` counts.

    text: ``start:stop`` or ``start:stop:step``; step is 1 if left out, and may be negative.

    The values are worked out in decimal and rounded to float64 once, so each is the number as written
    and none is lost or gained at the end. Raises ConfigError if the text is no such range, the step is
    zero, the range is empty, or it has more than 1e8 values.

    >>> values = parse_column_range("0:10:0.1")
    >>> len(values), float(values[3]), float(values[-1])
    (100, 0.3, 9.9)
    >>> parse_column_range("3:0:-1")
    array([3., 2., 1.])
    """
    from decimal import Decimal
    from fractions import Fraction

    range_ends = [range_end.strip() for range_end in text.split(":")]
    if len(range_ends) not in (2, 3):
        raise ConfigError(f"`{text}` is not a range. Write start:stop:step, such as 0:10:0.1.")
    for range_end in range_ends:
        if not NUMBER.fullmatch(range_end) or not np.isfinite(float(range_end)):
            raise ConfigError(
                f"`{range_end}` in the range `{text}` is not a number. Write start:stop:step, such as 0:10:0.1."
            )
    start, stop, step = (Decimal(range_end) for range_end in [*range_ends, "1"][:3])
    if not step:
        raise ConfigError(f"The step of the range `{text}` is zero. Give a step other than zero.")
    count = -((Fraction(start) - Fraction(stop)) // Fraction(step))
    if count <= 0:
        way = "below" if step > 0 else "above"
        raise ConfigError(f"The range `{text}` is empty: with a step of {step}, start must be {way} stop.")
    if count > MOST_VALUES:
        raise ConfigError(f"The range `{text}` has more than 100,000,000 values. Give a larger step.")
    return _values(start, step, count)


def _values(start: Decimal, step: Decimal, count: int) -> Numbers:
    from fractions import Fraction

    decimals = max(0, *(-int(number.as_tuple().exponent) for number in (start, step)))
    first, stride = int(Fraction(start) * 10**decimals), int(Fraction(step) * 10**decimals) if count > 1 else 0
    largest = max(abs(first), abs(first + stride * (count - 1)))
    if decimals <= EXACT_POWER and largest <= EXACT_INTEGER:
        return (first + stride * np.arange(count, dtype=np.int64)) / 10.0**decimals
    scale = 10**decimals
    return np.fromiter((float(Fraction(first + i * stride, scale)) for i in range(count)), np.float64, count)
