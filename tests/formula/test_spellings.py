"""A function that another program has under another name is understood, or no function at all is named for it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special

import descend
from descend.errors import FormulaError
from descend.formula import read_formula
from descend.formula.compile import over_rows
from descend.formula.functions import ALIASES, FUNCTIONS
from descend.formula.unknown_functions import curve_instead, unknown_function

X = np.array([-2.3, -0.7, 0.2, 0.9, 1.0, 3.1])
NAMES = ("np", "numpy", "jnp", "jax.numpy", "math", "torch", "torch.special", "sp", "scipy.special", "special", "sc")


def right(text: str, columns: tuple[str, ...] = ("x", "y")) -> str:
    return str(read_formula(f"y ~ {text}", columns)).removeprefix("y ~ ")


def refused(text: str) -> list[str]:
    with pytest.raises(FormulaError) as caught:
        right(text)
    return str(caught.value).splitlines()


@pytest.mark.parametrize("library", NAMES)
def test_the_library_before_a_function_is_passed_over(library: str) -> None:
    assert right(f"a*{library}.exp(-b*x)") == "a*exp(-b*x)"
    assert right(f"a + {library}.sin({library}.pi*x)") == "a + sin(pi*x)"
    assert right(f"{library.partition('.')[0]}*x") == f"{library.partition('.')[0]}*x"


def test_columns_and_parameters_may_be_called_like_a_library() -> None:
    assert right("a*np + math*x", ("np", "x", "y")) == "a*np + math*x"
    assert right("a*np.exp(np)", ("np", "y")) == "a*exp(np)"
    assert right("a*`np.exp`", ("np.exp", "y")) == "a*`np.exp`"


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("a*np.arctan2(x, b)", "a*atan2(x, b)"),
        ("scipy.special.expit(b*x)", "sigmoid(b*x)"),
        ("a*np.absolute(x - b) + math.fabs(x)", "a*abs(x - b) + abs(x)"),
        ("np.minimum(a, x) + np.maximum(b, x)", "min(a, x) + max(b, x)"),
        ("a*np.power(x, 2) + pow(x, b)", "x^b + a*x^2"),
        ("np.add(a, np.multiply(b, x))", "a + b*x"),
        ("np.subtract(a, np.divide(x, b))", "a - x/b"),
        ("a*np.negative(x)", "-a*x"),
        ("np.where(np.greater(x, 0), a, b)", "where(x > 0, a, b)"),
        ("if(x > 0, a, b)", "where(x > 0, a, b)"),
        ("where(logical_and(x > 0, logical_not(x > 2)), a, b)", "where(not (x > 2) and x > 0, a, b)"),
        ("a*ln(x) + b*log(x, 10) + c*math.log(x, 2)", "a*log(x) + b*log10(x) + c*log2(x)"),
        ("log(x, a)", "log(x)/log(a)"),
        ("a*np.square(x) + np.reciprocal(b + x)", "a*x^2 + 1/(b + x)"),
        ("a*np.clip(x, b, 1)", "a*min(max(x, b), 1)"),
        ("F.relu(a*x + b)", "max(a*x + b, 0)"),
        ("a*np.e^(-b*x)", "a*exp(-b*x)"),
        ("w * np.log(`log`)", "w*log(`log`)"),
    ],
)
def test_what_others_write_is_understood(text: str, ours: str) -> None:
    assert right(text, ("x", "y", "log")) == right(ours, ("x", "y", "log"))


EXACT = {
    **{"sec": lambda u: 1 / np.cos(u), "csc": lambda u: 1 / np.sin(u), "cot": lambda u: 1 / np.tan(u)},
    **{"sech": lambda u: 1 / np.cosh(u), "csch": lambda u: 1 / np.sinh(u), "coth": lambda u: 1 / np.tanh(u)},
    **{"sind": special.sindg, "cosd": special.cosdg, "tand": special.tandg, "reciprocal": np.reciprocal},
    **{"exp10": special.exp10, "radians": np.radians, "degrees": np.degrees, "square": np.square},
    **{"silu": lambda u: u * special.expit(u), "logsigmoid": special.log_expit, "relu": lambda u: np.maximum(u, 0.0)},
}


@pytest.mark.parametrize("name", EXACT)
def test_a_short_name_is_the_function_it_is_short_for(name: str) -> None:
    (slope,) = read_formula(f"y ~ a*{name}(x)", ["x", "y"]).jacobian.values()
    value = over_rows(slope, {"x": X}, len(X))
    np.testing.assert_allclose(value, EXACT[name](X), rtol=1e-14, atol=1e-15)


def test_numbers_are_computed() -> None:
    assert right("a*x + log(8, 2) + relu(2) + square(3) + clip(7, 0, 1)") == "a*x + 15"
    assert right("a*x + min(4, 3, 5) + math.sqrt(4)") == "a*x + 5"
    assert right("a*x + sech(1e5) + radians(180) + sech(0)") == "a*x + 1 + pi"
    assert refused("a*tand(90)")[0] == "This is not a finite real number."
    assert refused("a*log(x, 1)")[0] == "This holds a number that is not finite or not real."


def test_every_alias_leads_to_its_function() -> None:
    for alias, name in ALIASES.items():
        assert alias not in FUNCTIONS
        assert alias in FUNCTIONS[name].aliases
        library = next((each for each in (np, math, special) if hasattr(each, alias)), None)
        mine = next((each for each in (np, math, special) if hasattr(each, name)), None)
        if library is not None and mine is not None and FUNCTIONS[name].arguments == (1, 1):
            at = 1.3 if FUNCTIONS[name].domain == ">= 1" else 0.3
            assert getattr(library, alias)(at) == pytest.approx(getattr(mine, name)(at), rel=1e-15)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("EXP", "exp"), ("sqtr", "sqrt"), ("arctn", "arctan"), ("sigmiod", "sigmoid"), ("gama", "gamma")],
)
def test_a_misprint_is_told(written: str, meant: str) -> None:
    assert refused(f"a*{written}(b*x)")[0] == f"There is no function `{written}`. Did you mean `{meant}`?"


OTHERS = """erfx erfd erfj sinx sinp cosp sinhc tanc expd expm log3 log11 exp3 exp1 qtanh qexp pexp asec asech acot
sinhx lgam lnp gammab gammaz gammax mini absd sqr roots sinint cosint expint besselh struve spence kelvin legendre
hankel1 airy dawsn fresnel wofz nextafter cosm1 logaddexp2 log_softmax spence log1mexp tanhshrink softmin"""


@pytest.mark.parametrize("name", OTHERS.split())
def test_no_hint_leads_to_another_function(name: str) -> None:
    if name not in FUNCTIONS and name not in ALIASES:
        fault, _ = unknown_function(name, ["x"], None, tuple(FUNCTIONS))
        assert "Did you mean" not in fault or curve_instead(name, exactly=True)  # a curve that is called so


def test_no_function_of_numpy_or_scipy_is_taken_for_another() -> None:
    public = {name for library in (np, special, math) for name in dir(library) if not name.startswith("_")}
    for name in public - set(FUNCTIONS) - set(ALIASES):
        fault, _ = unknown_function(name, ["x"], None, tuple(FUNCTIONS))
        assert "Did you mean" not in fault or curve_instead(name, exactly=True)


def test_a_fit_in_numpy_s_words_is_the_fit_in_ours() -> None:
    x = np.linspace(0.0, 4.0, 50)
    data = {"x": x, "y": 2.0 * np.exp(-0.7 * x) + 0.3}
    theirs, ours = (descend.fit(text, data) for text in ("y ~ a*np.exp(-b*x) + c", "y ~ a*exp(-b*x) + c"))
    assert theirs.parameters == ours.parameters
