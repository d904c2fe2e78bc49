"""Complex numbers within a function: what comes out is real, and a formula of the parts."""

from __future__ import annotations

import numpy as np
import pytest

from descend.formula import read_formula
from descend.formula.compile import compile_expression
from descend.formula.symbols import Column, Parameter
from descend.tracing.tape import UntraceableError
from descend.tracing.tracing import trace

W = np.geomspace(0.05, 20.0, 30)
VALUES = {"a": 1.3, "tau": 0.7}


def evaluated(function) -> tuple[str, np.ndarray]:
    """Return the formula that a function of w, a and tau is, and its values."""
    text = trace(function, ("w",), ("a", "tau"))
    expression = read_formula(f"y ~ {text}", ("w", "y")).expression
    compiled = compile_expression(expression, (Column("w"), *map(Parameter, VALUES)))
    return text, np.broadcast_to(compiled(W, *VALUES.values()), W.shape)


@pytest.mark.parametrize(
    "function",
    [
        lambda w, a, tau: a * np.abs(1 / (1 + 1j * w * tau)),
        lambda w, a, tau: (a / (1j * w + 1 / tau)).real,
        lambda w, a, tau: np.imag(a * 1j * w * tau / (1 + 1j * w * tau)),
        lambda w, a, tau: np.angle(a + 1 / (1j * w * tau)),
        lambda w, a, tau: np.real((a + 1j * w * tau) ** 3),
        lambda w, a, tau: np.real((a + 1j * w * tau) ** -2),
        lambda w, a, tau: np.real((1j * w * tau) ** a),
        lambda w, a, tau: np.abs(2.5 ** (a + 1j * w)) + np.real(np.power(w + 1j, 0.5 + 0.1j)),
        lambda w, a, tau: np.abs(np.sqrt(a + 1j * w) + np.log(1j * w - tau)),
        lambda w, a, tau: (np.exp((1j * w - tau) * a) * np.conj(np.exp(0.5j * w))).imag,
        lambda w, a, tau: np.tanh(np.sqrt(1j * w * tau)).real / a,
        lambda w, a, tau: np.abs(np.sin(a + 0.3j * w) + np.cos(tau * w - 0.2j) + np.tan(0.5j + w / 9)),
        lambda w, a, tau: np.abs(np.sinh(0.1 * w + 1j * a) - np.cosh(tau + 1j * w)),
        lambda w, a, tau: abs(-(w * tau - 1j * a)) ** 2 + (+(w + 1j)).real,
        lambda w, a, tau: np.real(np.square(a - 1j * w) / (2j * tau) + np.reciprocal(tau + 1j * w)),
        lambda w, a, tau: np.real(w * complex(a, tau) * np.complex128(0.5 - 2j)) + complex(0, a).imag,
        lambda w, a, tau: ((a / (tau - 1j * w)) * (a / (tau - 1j * w)).conjugate()).real,
        lambda w, a, tau: np.real(1j * w * (a + 0j) * np.exp(-1j * w * tau)),
        lambda w, a, tau: np.real(np.array([a, tau]) @ np.array([1.0, 2.0]) / (1 + 1j * w)),
    ],
)
def test_the_formula_of_the_parts_has_the_values_of_the_function(function) -> None:
    text, values = evaluated(function)
    np.testing.assert_allclose(values, function(W, *map(np.float64, VALUES.values())), rtol=1e-12, atol=1e-14)
    assert "0*" not in text


def test_equations_stay_short() -> None:
    assert evaluated(lambda w, a, tau: a * np.abs(1 / (1 + 1j * w * tau)))[0] == "a*1/sqrt(1 + (w*tau)^2)"
    assert evaluated(lambda w, a, tau: np.real(a * np.exp((1j * w - tau) * w)))[0] == "a*exp(-tau*w)*cos(w*w)"


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda w, a, tau: a + 1j * w * tau, "returns complex numbers"),
        (lambda w, a, tau: np.abs(np.arctan(a + 1j * w)), "calls `arctan` of complex numbers"),
        (lambda w, a, tau: np.unwrap(a + 1j * w), "calls np.unwrap of complex numbers"),
        (lambda w, a, tau: {a + 1j * tau: 1.0}[a], "looks a complex number up, as in a dict or a set"),
    ],
)
def test_what_is_not_known_of_complex_numbers(function, reason: str) -> None:
    with pytest.raises(UntraceableError) as caught:
        trace(function, ("w",), ("a", "tau"))
    assert str(caught.value).partition(" (line")[0] == reason
