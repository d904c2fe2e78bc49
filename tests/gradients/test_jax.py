"""Functions of jax.numpy: differentiated by JAX, in double precision, with the answers of the formulas."""

from __future__ import annotations

import gc
import sys
import weakref
from functools import partial
from pathlib import Path
from types import FunctionType

import numpy as np
import pytest
from benchmarks.nist import digits, read
from benchmarks.nist_functions import FUNCTIONS

import descend
from descend.models.jax_function import uses_jax

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")

NIST = Path(__file__).parents[1] / "results" / "nist"
X = np.linspace(0.0, 5.0, 60)
Y = 3 * np.exp(-0.7 * X) + 0.01 * np.random.default_rng(1).normal(size=60)
DECAY = descend.fit("y ~ a*exp(-b*x)", {"x": X, "y": Y})


def decay(x, a, b):
    return a * jnp.exp(-b * x)


@jax.jit
def compiled(x, a, b):
    return a * jnp.exp(-b * x)


def row_by_row(x, a, b):
    return jax.vmap(lambda u: a * jnp.exp(-b * u))(x)


def counted(x, a, b):
    return jax.lax.fori_loop(0, 10, lambda number, sum: sum + a * jnp.exp(-b * x) / 10, jnp.zeros_like(x))


def until(x, a, b):
    """A loop that has no backward pass."""
    grown = jax.lax.while_loop(
        lambda state: state[0] < 10, lambda state: (state[0] + 1, state[1] + 0.1), (0, jnp.zeros_like(x))
    )
    return a * jnp.exp(-b * x * grown[1])


@jax.custom_vjp
def falling(u):
    return jnp.exp(-u)


falling.defvjp(lambda u: (jnp.exp(-u), jnp.exp(-u)), lambda kept, given: (-kept * given,))


def backwards_only(x, a, b):
    return a * falling(b * x)


def by_a_parameter(x, a, b):
    return a * jnp.exp(-b * x) if b > 0 else a + b * x


def by_a_column(x, a, b):
    return a * jnp.exp(-b * x) if x.max() > 1 else a + b * x


def imported_inside(x, a, b):
    import jax.numpy as numbers

    return a * numbers.exp(-b * x)


class Decay:
    """An object that is called."""

    def __call__(self, x, a, b):
        return decay(x, a, b)

    def method(self, x, a, b):
        return a * jnp.exp(-b * x)


@pytest.mark.parametrize(
    "function",
    [
        decay, compiled, row_by_row, counted, until, backwards_only, by_a_column, by_a_parameter, imported_inside,
        partial(decay), Decay(), Decay().method, lambda x, a, b: decay(x, a, b),
    ],
    ids=lambda function: getattr(function, "__name__", type(function).__name__),
)  # fmt: skip
def test_what_jax_follows_is_fitted(function):
    fitted = descend.fit(function, X, Y)
    assert fitted.gradient == "jax" and fitted.outcome == "converged"
    assert fitted.parameters == pytest.approx(DECAY.parameters, rel=1e-13)
    assert fitted.standard_errors == pytest.approx(DECAY.standard_errors, rel=1e-10)
    assert not jax.config.jax_enable_x64


@pytest.mark.parametrize("name", ["Misra1a", "Chwirut2", "Gauss1", "MGH17", "Rat43", "BoxBOD"])
def test_the_certified_values_are_found(name):
    problem = read(NIST / f"{name}.dat")
    numpy_function = next(function for known, function in FUNCTIONS.items() if known.lower() == name.lower())
    function = FunctionType(numpy_function.__code__, {"np": jnp}, name)
    columns = [column for column in problem.columns if column != "y"]
    assert len(columns) == 1 and uses_jax(function)
    fitted = descend.fit(function, problem.columns[columns[0]], problem.columns["y"], start=problem.start(1))
    formula = descend.fit(problem.formula, dict(problem.columns), start=problem.start(1))
    found, expected = (digits(problem, (fit.parameters, fit.standard_errors)) for fit in (fitted, formula))
    assert fitted.gradient == "jax" and fitted.outcome == "converged"
    assert found[0] >= 9 and found[1] >= 8
    assert found == pytest.approx(expected, abs=1)


def logistic(t, start, rate, limit):
    """Growth by Runge and Kutta's steps from row to row."""

    def step(y, dt):
        first = rate * y * (1 - y / limit)
        second = rate * (y + dt * first / 2) * (1 - (y + dt * first / 2) / limit)
        third = rate * (y + dt * second / 2) * (1 - (y + dt * second / 2) / limit)
        fourth = rate * (y + dt * third) * (1 - (y + dt * third) / limit)
        y = y + dt * (first + 2 * second + 2 * third + fourth) / 6
        return y, y

    _, ys = jax.lax.scan(step, start, jnp.diff(t))
    return jnp.concatenate([jnp.array([start]), ys])


def test_an_ode_by_fixed_steps():
    grown = 10 / (1 + 19 * np.exp(-1.3 * X))
    fitted = descend.fit(logistic, X, grown, start={"start": 1.0, "rate": 1.0, "limit": 5.0})
    assert fitted.gradient == "jax"
    assert fitted.parameters == pytest.approx({"start": 0.5, "rate": 1.3, "limit": 10.0}, rel=1e-4)
    exact = descend.fit("y ~ K/(1 + (K/s - 1)*exp(-r*t))", {"t": X, "y": grown}, start={"s": 1.0, "r": 1.0, "K": 5.0})
    assert list(exact.parameters.values()) == pytest.approx([10.0, 0.5, 1.3])


def test_a_matrix_of_predictors():
    both = np.stack([X, np.cos(X)])
    fitted = descend.fit(lambda x, a, b: jnp.exp(-a * x[0]) + b * x[1], both, np.exp(-0.5 * X) + 2 * np.cos(X))
    assert fitted.gradient == "jax" and fitted.model.inputs == ("x0", "x1")
    assert fitted.parameters == pytest.approx({"a": 0.5, "b": 2.0})


def test_derivatives_are_exact():
    """Of a model by hand, in vectors, with parameters fixed, tied and bounded."""

    def wave(x, w, a, b):
        return a * jnp.sin(w[0] * x + w[1]) + b

    rows = {"x": X, "y": 2 * np.sin(1.2 * X + 0.3) + 0.6 + 0.1 * (Y - 3 * np.exp(-0.7 * X))}
    formula = "y ~ a*sin(w1*x + w2) + b"
    start = {"a": 2.0, "b": 0.5}
    fitted = descend.fit(wave, rows, response="y", start={**start, "w": [1.1, 0.4]}, loss="huber(delta=0.1)")
    right = descend.fit(formula, rows, start={**start, "w1": 1.1, "w2": 0.4}, loss="huber(delta=0.1)")
    values = [*fitted.parameters["w"], fitted.parameters["a"], fitted.parameters["b"]]
    assert values == pytest.approx([right.parameters[name] for name in ("w1", "w2", "a", "b")], rel=1e-7)

    for options in ({"fix": {"b": 0.7}}, {"ties": {"a": "4*b"}}, {"bounds": {"b": (0.75, None)}}, {"loss": "cauchy"}):
        fitted = descend.fit(decay, X, Y, **options)
        right = descend.fit("y ~ a*exp(-b*x)", {"x": X, "y": Y}, **options)
        assert fitted.gradient == "jax"
        assert fitted.parameters == pytest.approx(right.parameters, rel=1e-8)
        assert fitted.standard_errors == pytest.approx(right.standard_errors, rel=1e-6, nan_ok=True)


def test_many_parameters_take_one_backward_pass():
    """The gradient alone, of 80 components, is that of 80 columns."""

    def bumps(x, w):
        return jnp.exp(-(((x[:, None] - jnp.linspace(0, 5, 80)) / 0.3) ** 2)) @ w

    x = np.linspace(0, 5, 90)
    y = 3 * np.exp(-0.7 * x)
    options = {"start": {"w": np.zeros(80)}, "optimizer": "gd", "learning_rate": 0.05, "epochs": 20}
    fitted = descend.fit(bumps, x, y, **options)
    design = np.exp(-(((x[:, None] - np.linspace(0, 5, 80)) / 0.3) ** 2))
    w = np.zeros(80)
    for _ in range(20):
        w -= 0.05 * 2 * design.T @ (design @ w - y) / 90
    assert fitted.parameters["w"] == pytest.approx(w, rel=1e-12)


def test_the_model_file_needs_the_function(tmp_path):
    fitted = descend.fit(decay, X, Y)
    fitted.save(tmp_path / "decay.json")
    loaded = descend.load(tmp_path / "decay.json", model=decay)
    assert loaded.predict({"x": [0.5, 2.0]}).tolist() == fitted.predict({"x": [0.5, 2.0]}).tolist()


def test_what_jax_cannot_follow_is_fitted_numerically():
    def called_back(x, a, b):
        shape = jax.ShapeDtypeStruct(x.shape, x.dtype)
        return jax.pure_callback(lambda x, a, b: np.asarray(a * np.exp(-b * x)), shape, x, a, b)

    fitted = descend.fit(called_back, X, Y)
    assert fitted.gradient == "numeric"
    assert fitted.parameters == pytest.approx(DECAY.parameters, rel=1e-6)
    assert fitted.notes[1] == (
        "JAX cannot differentiate `called_back`: Pure callbacks do not support JVP. Please use `jax.custom_jvp` to "
        "use callbacks while taking gradients."
    )


REMEDY = (
    "Use jax.numpy for all that depends on a parameter (jnp.exp, not np.exp; jnp.where or jax.lax.cond for `if`), or "
    'gradient="numeric".'
)


def said(*arguments, **options):
    with pytest.raises(descend.ConfigError) as refused:
        descend.fit(*arguments, **options)
    return str(refused.value)


def test_what_jax_cannot_do_is_told():
    def of_numpy(x, a, b):
        return a * np.exp(-b * x)

    def branching(x, a, b):
        return a * jnp.exp(-float(b) * x)

    def complex_numbers(x, a, b):
        return a * jnp.exp(-1j * b * x)

    def two_rows(x, a, b):
        return jnp.stack([a * x, b * x])

    assert said(of_numpy, X, Y, gradient="jax") == (f"`of_numpy` uses NumPy, which JAX cannot differentiate. {REMEDY}")
    assert said(branching, X, Y, gradient="jax") == (
        "`branching` needs the value of a parameter, as for `if`, `while` or `float(...)`, which JAX does not have "
        f"while it differentiates. {REMEDY}"
    )
    assert said(complex_numbers, X, Y) == (
        "`complex_numbers` returned complex numbers; a prediction is real. Return jnp.real(...) of them, or "
        "jnp.abs(...)."
    )
    assert said(lambda x, a: a * jnp.polyval([1.0, a], x), X, Y) == (
        "`<lambda>` raised TypeError: polyval requires ndarray or scalar arguments, got <class 'list'> at position 0. "
        "It is called with JAX arrays, many rows at once: use functions that take them, such as jnp.sin for math.sin."
    )
    assert said(two_rows, X, Y) == (
        "`two_rows` returned shape (2, 60) for 60 rows. It must return one prediction per row."
    )
    assert said("y ~ a*x", {"x": X, "y": Y}, gradient="jax") == (
        'JAX differentiates a Python function of jax.numpy, and this is a formula. Use gradient="derived", or leave '
        "it out."
    )


def test_operators_alone_are_differentiated_by_jax_if_asked():
    fitted = descend.fit(lambda x, a, b: a * x + b, X, Y, gradient="jax")
    assert fitted.gradient == "jax"
    assert fitted.parameters == pytest.approx(descend.fit("y ~ a*x + b", {"x": X, "y": Y}).parameters)


def test_jax_is_optional(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    assert said(lambda x, a, b: a * x + b, X, Y, gradient="jax") == (
        'JAX is not installed, and this needs it. Install it with: pip install "descend[jax]".'
    )
    assert descend.fit(lambda x, a, b: a * np.exp(-b * x), X, Y).gradient == "derived"


POWER = 2.0


def test_what_a_function_reads_elsewhere_may_change(monkeypatch):
    def powered(x, a):
        return a * jnp.abs(x) ** POWER

    for power in (2.0, 3.0, 2.0):
        monkeypatch.setitem(globals(), "POWER", power)
        assert descend.fit(powered, X, 2 * X**power).parameters["a"] == pytest.approx(2.0, rel=1e-12)


def test_predictions_for_other_rows_are_those_of_the_function_that_was_fitted():
    class Decay:
        def __init__(self, rate):
            self.rate = rate

        def value(self, x, a):
            return a * jnp.exp(-self.rate * x)

    x = np.linspace(0.0, 1.0, 20)
    data, first = {"x": x, "y": 3 * np.exp(-2 * x)}, Decay(2.0)
    descend.fit(first.value, data, response="y", start={"a": 1.0})
    first.rate = 50.0
    fit = descend.fit(Decay(2.0).value, data, response="y", start={"a": 1.0})
    more = np.linspace(0.0, 1.0, 33)
    np.testing.assert_allclose(fit.predict({"x": more}), 3 * np.exp(-2 * more), rtol=1e-10)


def test_what_is_kept_holds_on_to_no_function():
    def fitted():
        def value(x, a):
            return a * jnp.exp(-0.25 * x)

        descend.fit(value, {"x": X, "y": Y}, response="y", start={"a": 1.0})
        return weakref.ref(value)

    function = fitted()
    gc.collect()
    assert function() is None
