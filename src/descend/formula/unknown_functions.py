"""Functions that other programs have and formulas lack: what to write instead, never a different model."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import numpy as np

from descend.registry import closest

OTHER_SPELLING = {
    **dict.fromkeys(("pow", "power"), "^"),
    **dict.fromkeys(("expit", "logistic"), "sigmoid"),
    **dict.fromkeys(("if", "iff", "ifelse"), "where"),
    **{"ln": "log", "fabs": "abs", "maximum": "max", "minimum": "min"},
    **{"arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2"},
}
STEPS = ("floor", "ceil", "round", "trunc", "sign", "heaviside", "step", "mod", "digamma", "factorial")
"""Functions that do not move, or jump, with their argument."""
RECIPES = {
    **dict.fromkeys(("asinh", "arcsinh"), "log(u + sqrt(u^2 + 1))"),
    **dict.fromkeys(("acosh", "arccosh"), "log(u + sqrt(u^2 - 1))"),
    **dict.fromkeys(("atanh", "arctanh"), "log((1 + u)/(1 - u))/2"),
    **{"square": "u^2", "exp2": "2^u", "exp10": "10^u", "reciprocal": "1/u", "logit": "log(u/(1 - u))"},
    **{"sec": "1/cos(u)", "csc": "1/sin(u)", "cot": "1/tan(u)"},
    **{"sech": "1/cosh(u)", "csch": "1/sinh(u)", "coth": "cosh(u)/sinh(u)"},
    **dict.fromkeys(("pnorm", "ndtr"), "(1 + erf(u/sqrt(2)))/2"),
    **dict.fromkeys(("lgamma", "gammaln"), "log(gamma(u))"),
    **{"relu": "max(u, 0)", "clip": "min(max(u, low), high)", "logaddexp": "a + softplus(b - a)"},
    **dict.fromkeys(("deg2rad", "radians"), "pi*u/180"),
}
"""Functions of u that can be written with others."""
TERMS = {
    "poly": "A polynomial is written out: `a*x + b*x^2`, or `w @ [x, x^2]`.",
    **dict.fromkeys(
        ("C", "factor", "as_factor", "category", "categorical"),
        "A column of categories becomes a column of 0 and 1 for each of them but one: `w @ [is_high, is_low]`.",
    ),
    **dict.fromkeys(
        ("mean", "sum", "std", "median", "center", "scale", "standardize"),
        "A formula is of one row. Compute what is of all rows beforehand, as a column of the data.",
    ),
    **dict.fromkeys(
        ("bs", "ns", "cr", "cc", "s", "te", "spline", "lo", "loess"),
        "Compute the basis beforehand, as columns of the data, and write `w @ [b1, b2, b3]`.",
    ),
    **dict.fromkeys(("offset",), "What has no parameter is merely added: `y ~ a*x + z`."),
}
PARAMETER = re.compile(r"[^\W\d][\d_]?")
"""Matches names too short for a function: one letter, perhaps with a digit or an underscore."""
LIBRARIES = re.compile(r"\b(np|numpy|jnp|math|torch|sp|scipy|special|scipy\.special|np\.\w+)\.(\w+)")


def unknown_function(
    name: str, arguments: Sequence[str], parameter: str | None, known: Collection[str]
) -> tuple[str, str]:
    """Say that there is no function of this name, and what to do.

    arguments: those of the call, as written. parameter: one that occurs in them, if any. known: all function names.
    """
    if name in STEPS:
        fault = f"`{name}` has no derivative to descend along, so formulas cannot use it."
        return fault, _without_steps(name, arguments, parameter)
    hint, next_step = _instead(name, known)
    return f"There is no function `{name}`.{hint}", next_step


def _without_steps(name: str, arguments: Sequence[str], parameter: str | None) -> str:
    """Say what to write instead of a function without a derivative: a column, unless its argument has a parameter."""
    if parameter is None:
        steps = name in ("heaviside", "step")
        return "Write it as where(x > 0, 1, 0)." if steps else "Compute it beforehand, as a column of the data."
    is_step = name in ("heaviside", "step", "sign") and arguments
    smooth = f"sigmoid(({arguments[0]})/width)" if is_step else "sigmoid( )"
    return f"`{parameter}` moves it, so that it is no column: make it smooth, for example with {smooth}."


def _instead(name: str, known: Collection[str]) -> tuple[str, str]:
    """Return a hint to follow "There is no function", and what to do."""
    listed = f"Known: {', '.join(known)}."
    if name in OTHER_SPELLING:
        return f" Here it is written `{OTHER_SPELLING[name]}`.", listed
    if name in RECIPES:
        return "", f"Of a number u it is `{RECIPES[name]}`, which a formula can say."
    if name in TERMS:
        return "", TERMS[name]
    if PARAMETER.fullmatch(name):
        return f" To multiply by a parameter, write `{name}*(...)`.", listed
    # A function that NumPy has is not a misspelling of another.
    return ("" if hasattr(np, name) else closest(name, known)), listed


def without_library(text: str, at: int, known: Collection[str]) -> tuple[int, int, str, str] | None:
    """Say what to write instead of a call such as `np.exp` around position ``at``; None if there is none."""
    for call in LIBRARIES.finditer(text):
        if call.start() <= at < call.end():
            name = OTHER_SPELLING.get(call[2], call[2])
            fault = f"`{call[0]}`: functions stand in a formula by their own name, without `{call[1]}.`."
            example = f"Write `{name}(...)`." if name in known else f"Known: {', '.join(known)}."
            return call.start(), call.end(), fault, example
    return None
