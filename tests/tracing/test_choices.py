"""Choices, steps and special functions, as NumPy and SciPy spell them, become formulas with the same values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special
from tests.tracing.tracing_checks import assert_traced

import descend
from descend.tracing.tracing import trace

AT = np.array([0.5, 1.0, 1.8, 2.6])
LEVELS = np.array([1.0, 3.0, 2.0, 2.5])

SMOOTH = [
    lambda x, a, b: np.abs(x - a) + np.fabs(b - x) + np.sign(x - 1.5) * a,
    lambda x, a, b: a * x + b * (x % 1.0) + np.mod(x, 0.7) + (x // 0.5) + np.floor(x) - np.ceil(a * 0) + np.fix(x),
    lambda x, a, b: a * np.round(x, 1) + np.rint(x * 3) * b + np.trunc(x - 1.5) + np.around(x),
    lambda x, a, b: np.divmod(x, 0.3)[0] * a + np.modf(x)[0] * b + np.fmod(x - 1.5, 0.4),
    lambda x, a, b: np.select([x < 1, x < 2], [a * x, b], default=a * b),
    lambda x, a, b: np.select([x < 1, (x >= 1) & (x <= 2)], [a * x**2, b * x]),
    lambda x, a, b: np.piecewise(x, [x < 1, x >= 1], [lambda x: a * x, lambda x: b + x**2]),
    lambda x, a, b: np.piecewise(x, x < 1, [lambda x: a * x, b]),
    lambda x, a, b: np.piecewise(x, [x < 1, x > 2], [a, lambda x: b * x, lambda x: np.exp(-a * x)]),
    lambda x, a, b: np.piecewise(x, [x < 2, x < 1], [lambda x, k: k * x, lambda x, k: x**k], 2.0) * a + b,
    lambda x, a, b: np.clip(a * x, b, b + 1) + (a * x).clip(max=2.0) + np.clip(x, None, 1.5),
    lambda x, a, b: np.maximum(a * x, b) + np.minimum(x, a) + np.fmax(0, x - b) + np.fmin(x, 2) * a,
    lambda x, a, b: np.heaviside(x - 1.5, 0.5) * a + np.heaviside(x, 1) * b,
    lambda x, a, b: np.sinc(a * x) + b,
    lambda x, a, b: np.copysign(a * x, x - 1.5) + b,
    lambda x, a, b: np.interp(x, AT, LEVELS) * a + b,
    lambda x, a, b: np.interp(a * x, AT, LEVELS, left=0.0, right=-1.0) + b,
    lambda x, a, b: np.interp(x, AT, [a, b, a * b, 1.0]),
    lambda x, a, b: np.interp(x, [1.0], [a]) + b,
    lambda x, a, b: np.hypot(a * x, b) + np.logaddexp(a * x, b) + np.logaddexp2(b, a * x),
    lambda x, a, b: np.exp2(a * x) + np.power(x, b) + np.float_power(2.0, a) + np.square(b) + np.reciprocal(x),
    lambda x, a, b: np.logaddexp.reduce(np.stack([a * x, b * x, x]), axis=0) + np.hypot.reduce(np.array([a, b])),
    lambda x, a, b: np.where(x > 2, a, np.where(x > 1, b * x, 0)) * ((x > 0.5) + (x > 1.5)) + (x > 1) * (x < 2),
    lambda x, a, b: np.where((x > 1) ^ (x > 2), a * x, b) + np.logical_xor(x > 1, x > 1.5) * a,
    lambda x, a, b: np.deg2rad(a * x) + np.degrees(b) + np.positive(x) + np.conjugate(x),
    lambda x, a, b: np.nan_to_num(np.log(x - 1.5)) * a + np.nan_to_num(np.sqrt(x - 2), nan=1.0) + b,
    lambda x, a, b: np.where(np.isnan(np.sqrt(x - 1.5)), b, a * np.sqrt(np.abs(x - 1.5))),
    lambda x, a, b: (
        np.where(np.isfinite(np.log(x - 1)), a * x, b) + np.nansum(np.stack([np.log(x - 1.5), a * x]), axis=0)
    ),
    lambda x, a, b: np.fmax(np.log(x - 1.5), -b) + np.fmin(a, np.sqrt(x - 1)) + np.fmax(np.sqrt(x - 2), 0.3),
]


LOOKUPS = [
    (lambda x, a, b: np.array([a, b])[(x > 1.5).astype(int)] * x, "where(x > 1.5, b, a)*x"),
    (lambda x, a, b: np.array([a, b, 1.0])[np.digitize(x, [1.0, 2.0])], "where(x < 1, a, where(x < 2, b, 1))"),
    (lambda x, a, b: np.array([a, b])[np.searchsorted([1.0, 2.0], x, side="right") - 1], None),
    (lambda x, a, b: np.choose(np.digitize(x, [1.0]), [a * x, b]), "where(x < 1, a*x, b)"),
]


@pytest.mark.parametrize(("function", "text"), LOOKUPS)
def test_what_is_looked_up_by_a_whole_number_is_a_choice(function, text):
    found = assert_traced(function, low=1.0 if text is None else 0.2, high=3.0)
    assert text is None or found == text


def test_a_whole_number_is_cut_off():
    kinds = np.tile([0.0, 1.0, 2.0], 5)

    def level(kind, a, b, c):
        return np.array([a, b, c])[kind.astype(int)]

    assert trace(level, ["kind"], ["a", "b", "c"]) == "where(kind < 1, a, where(kind < 2, b, c))"
    fit = descend.fit(level, {"kind": kinds, "y": kinds**2}, response="y")
    assert fit.gradient == "derived"
    np.testing.assert_allclose(list(fit.parameters.values()), [0.0, 1.0, 4.0], atol=1e-12)


@pytest.mark.parametrize("function", SMOOTH)
def test_choices_have_their_values_and_slopes(function):
    with np.errstate(all="ignore"):
        assert_traced(function)


SPECIAL = [
    lambda x, a, b: special.ive(0, a * x) + special.ive(2, x) * b + special.kve(1, b * x) + special.kve(2, a * x),
    lambda x, a, b: special.erf(a * x) + special.erfc(b * x) + special.ndtr(a * x) + special.gamma(x) + b,
    lambda x, a, b: special.jv(2, a * x) + special.j0(x) * b + special.k0(b * x) + special.kv(2, a * x),
    lambda x, a, b: special.voigt_profile(x - 1.5, a, b) + special.erfcx(a * x),
    lambda x, a, b: special.gammaln(a * x) + special.psi(b * x) + special.betaln(a, x),
    lambda x, a, b: special.lambertw(a * x).real + b,
    lambda x, a, b: special.xlogy(a, x) + special.xlog1py(x, b) + special.entr(a * x),
    lambda x, a, b: special.expit(a * x) + special.logit(0.2 * x) * b + special.log_expit(a * x),
    lambda x, a, b: special.exprel(a * x) + special.boxcox(x, a) + special.inv_boxcox(x, b),
    lambda x, a, b: special.rel_entr(a, x) + special.kl_div(x, b) + special.cosm1(a * x) + special.powm1(x, b),
    lambda x, a, b: special.sindg(a * x) + special.cosdg(x) * b + special.exp10(-a * x),
]


@pytest.mark.parametrize("function", SPECIAL)
def test_special_functions_go_by_their_names(function):
    assert_traced(function)


def test_a_number_that_is_undefined_at_a_place_is_replaced_there():
    def limit(x, a):
        u = a * (x - 1.0)
        with np.errstate(all="ignore"):
            y = np.sin(u) / u
        y[np.isnan(y)] = 1.0
        return y

    assert trace(limit, ["x"], ["a"]) == "where(sin(a*(x - 1)) == 0 and a*(x - 1) == 0, 1, sin(a*(x - 1))/(a*(x - 1)))"


def test_halves_are_rounded_to_even_numbers_as_numpy_does():
    formula = trace(lambda x, a: a * np.round(x), ["x"], ["a"])
    assert formula == "a*(floor(x/2 + 0.25) + ceil(x/2 - 0.25))"
    x = np.arange(-4.0, 4.0, 0.25)
    assert np.array_equal(np.floor(x / 2 + 0.25) + np.ceil(x / 2 - 0.25), np.round(x))


def hockey_stick(x, a, t):
    return np.where(x < t, a * x, a * t)


def broken_stick(x, a, b, c, t):
    y = c + a * x
    after = x > t
    y[after] = y[after] + b * (x[after] - t)
    return y


def after_a_jump(x, a, b, t):
    return np.where(x < t, a, b * np.exp(-(x - t)))


CHANGES = [
    (hockey_stick, "y ~ where(x < t, a*x, a*t)", {"a": 2.0, "t": 4.0}),
    (broken_stick, "y ~ c + a*x + b*max(x - t, 0)", {"a": 2.0, "b": -2.5, "c": 1.0, "t": 4.0}),
    (after_a_jump, "y ~ where(x < t, a, b*exp(-(x - t)))", {"a": 2.0, "b": 5.0, "t": 4.0}),
]


@pytest.mark.parametrize(("function", "formula", "true"), CHANGES, ids=[each.__name__ for each, *_ in CHANGES])
@pytest.mark.parametrize("given", [False, True], ids=["searched", "given"])
def test_a_change_point_is_found_as_in_the_formula(function, formula, true, given):
    x = np.linspace(0.0, 10.0, 80)
    data = {"x": x, "y": function(x.copy(), **true) + np.random.default_rng(0).normal(0.0, 0.1, 80)}
    start = dict.fromkeys(true, 1.0) if given else None
    traced, written = descend.fit(function, data, response="y", start=start), descend.fit(formula, data, start=start)
    assert (traced.gradient, traced.outcome, written.outcome) == ("derived", "converged", "converged")
    assert traced.loss == pytest.approx(written.loss, rel=1e-9)
    assert abs(traced.parameters["t"] - 4.0) < 0.13
