"""Functions that other programs have and formulas lack: what to write instead, never a different model."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Collection, Sequence

import numpy as np

from descend.formula.functions import ALIASES, FUNCTIONS
from descend.registry import closest

STEPS = ("round", "trunc", "step", "factorial")
"""Functions that do not move, or jump, with their argument."""
TERMS = {
    "poly": "A polynomial is `polynomial(x, degree=2)`, or is written out: `a*x + b*x^2`, or `w @ [x, x^2]`.",
    **dict.fromkeys(
        ("C", "factor", "as_factor", "category", "categorical"),
        "A column of categories becomes a column of 0 and 1 for each of them but one: `w @ [is_high, is_low]`.",
    ),
    **dict.fromkeys(
        ("mean", "sum", "std", "median", "center", "scale", "standardize"),
        "A formula is of one row. Compute what is of all rows beforehand, as a column of the data.",
    ),
    **dict.fromkeys(
        ("bs", "ns", "cr", "cc", "s", "te", "lo", "loess"),
        "A cubic spline is `spline(x, knots=[2, 5])`; compute another basis beforehand, and write `w @ [b1, b2, b3]`.",
    ),
    **dict.fromkeys(("LOG", "Log"), "`log(u)` is the natural logarithm, and `log10(u)` that to the base 10."),
    **dict.fromkeys(("offset",), "What has no parameter is merely added: `y ~ a*x + z`."),
}
PARAMETER = re.compile(r"[^\W\d][\d_]?")
"""Matches names too short for a function: one letter, perhaps with a digit or an underscore."""
FOREIGN = """
log1mexp log1msq lnp1 expint ei li si ci sinint cosint sinhint coshint sinhc tanhc tanc cosc sinpi cospi tanpi
sinhcosh erfi dawson dawsonx erfinvc inverf inverfc logit1p betaln betainc betaincinv gammaincinv gammaq
gammap igamma igammac polygamma trigamma lbeta lchoose lfactorial mish gelu elu selu celu hardtanh softmax
softsign tanhshrink logcosh log_cosh sqrt1pm1 sqrtpi realsqrt nthroot hypot3 cis gudermannian gd haversin
versin exsec acsc asec acot acsch asech acoth expm expmv sqrtm logm normest roundn fix rem idivide
"""
"""Functions that other programs have, so that none of these names is a misprint of one that formulas have."""
EDGES = {"a", "c", "d", "h", "i", "k", "l", "x", "cx", "ln", "log", "inv", "pi"}
"""What tells the names of functions apart, at either end of them."""
LIBRARIES = re.compile(r"\b(np|numpy|jnp|math|torch|sp|scipy|special|scipy\.special|np\.\w+)\.(\w+)")


def unknown_function(
    name: str, arguments: Sequence[str], parameter: str | None, functions_known: Collection[str]
) -> tuple[str, str]:
    """Say that there is no function of this name, and what to do.

    arguments: those of the call, as written. parameter: one that occurs in them, if any. functions_known: all names.
    """
    if name in STEPS:
        fault = f"`{name}` has no derivative to descend along, so formulas cannot use it."
        return fault, _without_steps(name, arguments, parameter)
    hint, next_step = _instead(name, functions_known)
    return f"There is no function `{name}`.{hint}", next_step


def _without_steps(name: str, arguments: Sequence[str], parameter: str | None) -> str:
    """Say what to write instead of a function without a derivative: a column, unless its argument has a parameter."""
    if parameter is None:
        return (
            "Write it as where(x > 0, 1, 0)." if name == "step" else "Compute it beforehand, as a column of the data."
        )
    smooth = f"sigmoid(({arguments[0]})/width)" if name == "step" and arguments else "sigmoid( )"
    return f"`{parameter}` moves it, so that it is no column: make it smooth, for example with {smooth}."


def _instead(name: str, functions_known: Collection[str]) -> tuple[str, str]:
    """Return a hint to follow "There is no function", and what to do."""
    functions_listed = f"Known: {', '.join(functions_known)}."
    if name in TERMS:
        return "", TERMS[name]
    if PARAMETER.fullmatch(name):
        return f" To multiply by a parameter, write `{name}*(...)`.", functions_listed
    likely = [function_name for function_name in (*functions_known, *ALIASES) if not _another(name, function_name)]
    hint = _swapped(name, likely) or closest(name, likely)
    return curve_instead(name, exactly=bool(hint) or _foreign(name)) or (hint, functions_listed)


def _swapped(name: str, functions_known: Collection[str]) -> str:
    """Return a hint at the function that is meant where two neighbouring letters changed places, as in epx."""
    pairs = (f"{name[:at]}{name[at + 1]}{name[at]}{name[at + 2 :]}" for at in range(len(name) - 1))
    swapped_name = next((each for each in pairs if each != name and each in functions_known), None)
    return f" Did you mean `{swapped_name}`?" if swapped_name else ""


def curve_instead(name: str, exactly: bool = False) -> tuple[str, str] | None:
    """Return a hint at the named curve that is called so, or nearly so unless ``exactly``, and what to do; else None.

    >>> curve_instead("gauss")
    (' Did you mean the curve `gaussian`?', 'Write `gaussian(x, height, center, width)`, or `gaussian(x)`.')
    """
    from descend.formula.curves.table import nearest

    curve = nearest(name, exactly)
    if curve is None:
        return None
    short = curve.short
    either = f", or `{short}`" if curve.call != short else ""
    return f" Did you mean the curve `{curve.name}`?", f"Write `{curve.call}`{either}."


def _another(name: str, other_name: str) -> bool:
    """Say whether two names that look alike may be those of two functions, rather than one of them a misprint.

    That is so where the name is a function elsewhere, where digits differ, as in log2 and log10, where both are more
    than the name of a function within them, as erfx and erfcx are more than erf, and where a short name begins or ends
    otherwise, which is how functions are told apart: sin, sinh, asin, sind, sinc; erf, erfc, erfi, erfx.
    """
    if _foreign(name) or _digits(name) != _digits(other_name):
        return True
    folded_name, two = name.casefold(), other_name.casefold()
    if sorted(folded_name) == sorted(two):
        return False
    if any(core in folded_name and core in two and core not in (folded_name, two) for core in FUNCTIONS):
        return True
    begun = _shared(folded_name, two)
    ended = _shared(folded_name[begun:][::-1], two[begun:][::-1])
    extra = {word[begun : len(word) - ended] for word in (folded_name, two)} - {""}
    if (begun and ended) or not extra or (begun and extra <= {"e", "s", folded_name[begun - 1]}):
        return False
    return min(len(folded_name), len(two)) <= 5 or bool(extra & EDGES)


def _foreign(name: str) -> bool:
    from scipy import special

    return name in FOREIGN.split() or any(hasattr(library, name) for library in (math, np, special))


def _shared(first_name: str, two: str) -> int:
    """Return how many letters two words begin with alike."""
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first_name, two, strict=False)))


def _digits(name: str) -> str:
    return re.sub(r"\D", "", name)


def without_call(text: str, at: int) -> tuple[int, int, str, str] | None:
    """Say what to write instead of a function without brackets, such as `np.exp`, around position ``at``, if any."""
    for call in LIBRARIES.finditer(text):
        if call.start() <= at < call.end():
            fault = f"`{call[0]}`: a formula holds functions of numbers, with their arguments in brackets."
            return call.start(), call.end(), fault, f"Write `{call[2]}(...)`, or the value as a number."
    return None
