"""Mistakes in words: what is wrong, and what to change."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from descend.losses import Loss

NUMBERS = {"log(10)": math.log(10), "log(2)": math.log(2), "pi": math.pi, "sqrt(2)": math.sqrt(2)}
FAMILIAR = {value: name for name, value in NUMBERS.items()} | {
    1 / value: f"1/{name}" for name, value in NUMBERS.items()
}
FAMILIAR |= {180 / math.pi: "180/pi", math.pi / 180: "pi/180"}
FRESH = "Compute it anew from the parameters of each call."


@dataclass(frozen=True)
class Mistake:
    """What is wrong with one component: see ``Finding``. named: whether it is known which mistake it is."""

    verdict: str
    explanation: str
    factor: float | None = None
    ratio: str | None = None
    named: bool = True


SLACKS = (0.0, 1e-4, 1e-2)
"""Shares of its size by which the derivative of a function may be off that can only be called: first as differences
tell, then as the errors of what it does inside, such as a solver, let them."""


def roughly(off: float) -> str:
    """Approve what agrees but for so small a share."""
    digits = max(1, int(-np.log10(off)))
    exact = f"correct to {digits} digit{'s' * (digits > 1)}."
    return f"{exact} The rest may be the error of the function itself, such as that of a solver."


def swapped(labels: Sequence[str], k: int, m: int, back: bool, part: str) -> Mistake:
    """Say that what is given for k is that of m, and whether it is so the other way round: a gradient, or a column."""
    first, second = (labels[component] for component in sorted((k, m)))
    mistake = f"the {part}s of {first} and {second} have changed places"
    if not back:
        mistake = f"it is the {part} of {labels[m]}: they are not in the order of the parameters"
    return Mistake("swapped", f"{mistake}. Return them in the order {', '.join(labels[:6])}.")


def about_factor(factor: float, loss: Loss | None = None) -> str:
    """Say how many times too large or too small, why (if that is obvious), and what to do."""
    value = rounded(factor)
    size = abs(value)
    remedy = f"Divide it by {_number(size)}." if size > 1.0 else f"Multiply it by {_number(1.0 / size)}."
    much = f"{_number(size)} times too large" if size > 1.0 else f"{_number(1.0 / size)} times too small"
    if value < 0.0:
        return f"{much} and of the wrong sign. Multiply it by {1.0 / value:.6g}."
    if loss is None:
        return f"{much}. {remedy}"
    curvature = float(loss.weight(np.zeros(1), np.zeros(1))[0]) if loss.of_residual else 0.0
    if curvature == 2.0 and value == 0.5:
        return f"{much}: the derivative of the square brings a factor 2. {remedy}"
    if curvature == 1.0 and value == 2.0:
        return f"{much}: the {loss.name} loss is r^2/2 near zero, so no factor 2 is left. {remedy}"
    return f"{much}. {remedy}"


def about_rows(verdict: str, total: float, besides: float) -> str:
    """Say that a sum stands where a mean was due, or the reverse, and any further factor it is off by."""
    n = f"{total:.6g}"
    if verdict == "sum_not_mean":
        text = f"it is the sum over the n = {n} rows where J is their mean: n times too large. Divide it by n."
    else:
        text = f"it is divided by n = {n} once too often: n times too small. Take the mean or divide by n, not both."
    if abs(besides - 1.0) > 1e-5:
        text += f" It is off by a factor {rounded(besides):.6g} besides."
    return text


def plain(factor: float) -> bool:
    """Whether people would write such a factor: 2, 1/12 or 2/3, say, or a familiar number."""
    simple = Fraction(factor).limit_denominator(24)
    small = 0 < min(abs(simple.numerator), simple.denominator) <= 3 and abs(simple.numerator) <= 24
    near = small and abs(float(simple) / factor - 1.0) < 2e-5
    return near or any(abs(abs(factor) / number - 1.0) < 1e-5 for number in FAMILIAR)


def rounded(factor: float, close: float = 2e-5) -> float:
    """Return the simple fraction that a measured factor stands for, if there is one near. close: how near, as a share.

    >>> rounded(0.3333333), rounded(-0.9998), rounded(-0.9998, close=1e-3)
    (0.3333333333333333, -0.9998, -1.0)
    """
    simple = Fraction(factor).limit_denominator(24)
    near = simple != 0 and abs(float(simple) / factor - 1.0) < close
    return float(simple) if near else float(f"{factor:.7g}")


def _number(size: float) -> str:
    familiar = (text for value, text in FAMILIAR.items() if abs(size / value - 1.0) < 1e-6)
    return next(familiar, f"{size:.6g}")


def off_by(constant: float, factor_texts: Sequence[tuple[str, int]], where: str = " inside the mean") -> Mistake:
    """Put a ratio of given over right into words: a constant times expressions to the power 1 or -1.

    where: a missing factor is to be multiplied.
    """
    above = [text for text, power in factor_texts if power > 0]
    below = [text for text, power in factor_texts if power < 0]
    number = f"{constant:g}"
    top = _product([*([number] if constant not in (1.0, -1.0) else []), *above]) or "1"
    ratio = ("-" if constant == -1.0 else "") + (top if not below else f"{top}/{_denominator(below)}")
    missing, extra = _product(below), _product(above)
    if missing and extra:
        text = f"it has {extra} where {missing} should stand."
    elif missing:
        text = f"the factor {missing} is missing: a chain rule was cut short. Multiply by it{where}."
    else:
        text = f"the factor {extra} is too much. Leave it out."
    if constant != 1.0:
        text += f" It is off by a factor {number} besides."
    return Mistake("missing_chain_factor", text, None, ratio)


def _product(texts: Sequence[str]) -> str:
    return "*".join(_bracketed(text) if len(texts) > 1 else text for text in texts)


def _bracketed(text: str) -> str:
    loose = any(sign in text for sign in (" + ", " - ")) and not (text.startswith("(") and text.endswith(")"))
    return f"({text})" if loose else text


def _denominator(texts: Sequence[str]) -> str:
    text = _product([_bracketed(each) for each in texts])
    return f"({text})" if any(sign in text for sign in "*/+- ") and not text.startswith("(") else text
