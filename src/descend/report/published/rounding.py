"""A value and its error as they are published: both end at the second digit of the error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal

DIGITS = 2
"""Significant digits of an error."""
OF_VALUE = 6
"""Significant digits of a value without an error."""
SMALLEST, LARGEST = -4, 6
"""Powers of ten of the first digit between which a number is written without one."""
EXACT = Context(prec=2000, rounding=ROUND_HALF_EVEN)
"""Wide enough for every digit of every float."""
NOTHING, INFINITE = "–", "∞"


@dataclass(frozen=True)
class Written:
    """A number as it is published, times a power of ten.

    value: its digits, with ``-`` before a negative one. error: to as many places; empty if there is none. power: the
    power of ten; 0 if there is none. places: digits after the point; None where no error says how many there are.
    """

    value: str
    error: str = ""
    power: int = 0
    places: int | None = None

    @property
    def in_last_digits(self) -> str:
        """The error in units of the last digit of the value: 56 of 0.1234 ± 0.0056."""
        return self.error.replace(".", "").lstrip("0") or "0"


def written(value: float, error: float | None = None, exact: bool = False) -> Written:
    """Return a value and its standard error, rounded to two significant digits of the error.

    The floats are rounded as they are, half to even. An error that rounds up to 0.10 keeps two digits. Without an error
    (None, NaN or 0) a value has six significant digits, or all it has if it is exact. A power of ten stands where the
    digits of the error end before the point, or the number begins far from it.

    >>> written(0.12344, 0.00563)
    Written(value='0.1234', error='0.0056', power=0, places=4)
    >>> written(123456.0, 7890.0)
    Written(value='1.235', error='0.079', power=5, places=3)
    >>> written(-2.0, 0.0996).value, written(math.inf).value, written(0.5, None, exact=True).value
    ('-2.00', '∞', '0.5')
    """
    if not math.isfinite(value):
        return Written(NOTHING if math.isnan(value) else "-" * (value < 0.0) + INFINITE)
    if error is None or not error > 0.0:
        return _alone(value, exact)
    if math.isinf(error):
        alone = _alone(value, False, 3)
        return Written(alone.value, INFINITE, alone.power)
    rounded = _rounded(Decimal(error))
    last = int(rounded.as_tuple().exponent)
    rounded_text = EXACT.quantize(Decimal(value), Decimal(1).scaleb(last))
    first = max(rounded_text.adjusted() if rounded_text else rounded.adjusted(), rounded.adjusted())
    power = 0 if last <= 0 and SMALLEST <= first < LARGEST else first
    decimals = power - last
    return Written(_fixed(rounded_text, power, decimals), _fixed(rounded, power, decimals), power, decimals)


def end(value: float, like: Written) -> str:
    """Return an end of an interval with the places and the power of ten of the value that it belongs to.

    >>> end(0.13567, written(0.12344, 0.00563)), end(-math.inf, written(1.0, 0.1)), end(0.25, written(0.1234567))
    ('0.1357', '-∞', '0.25')
    """
    if not math.isfinite(value):
        return NOTHING if math.isnan(value) else "-" * (value < 0.0) + INFINITE
    if like.places is None:
        return f"{value / 10.0**like.power:.4g}"
    rounded_text = EXACT.quantize(Decimal(value), Decimal(1).scaleb(like.power - like.places))
    return _fixed(rounded_text, like.power, like.places)


def _rounded(error: Decimal) -> Decimal:
    """Return an error with two significant digits, also where it rounds up to a power of ten."""
    last = error.adjusted() - DIGITS + 1
    rounded = EXACT.quantize(error, Decimal(1).scaleb(last))
    if rounded.adjusted() > error.adjusted():
        rounded = EXACT.quantize(error, Decimal(1).scaleb(last + 1))
    return rounded


def _fixed(number: Decimal, power: int, decimals: int) -> str:
    """Return a number divided by a power of ten, with some places after the point; 0 has no sign."""
    scaled = EXACT.quantize(number.scaleb(-power, EXACT), Decimal(1).scaleb(-decimals))
    return f"{scaled if scaled else abs(scaled):f}"


def _alone(value: float, exact: bool, digits: int = OF_VALUE) -> Written:
    text = repr(value) if exact else f"{value:.{digits}g}"
    number = Decimal(text)
    first = number.adjusted() if number else 0
    power = 0 if SMALLEST <= first < LARGEST else first
    rounded_text = number.scaleb(-power, EXACT).normalize(EXACT)
    return Written(f"{rounded_text:f}" if rounded_text else "0", "", power)
