"""A function that a language lacks is refused there, and computed where it can be."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

import descend
from descend.errors import ConfigError, FormulaError
from descend.formula.functions import FUNCTIONS, NAMES, Function, register
from descend.formula.real_functions import real_function

X = np.linspace(0.5, 6.0, 60)
DATA = {"x": X, "y": 2.0 * special.kve(0.0, 0.7 * X) + 0.5}
FORMULA = "y ~ a*opaque(b*x) + c"


SLOPE = real_function("opaque_slope", lambda u: u)
OPAQUE = real_function("opaque", SLOPE)
BEND = real_function("wave_slope", lambda u: u)
WAVE = real_function("wave", lambda u: -BEND(u))
ENTRIES = (
    Function("opaque", OPAQUE, "special.kve(0.0, {0})", torch=None, sql=None),
    Function("opaque_slope", SLOPE, "(special.kve(0.0, {0}) - special.kve(1.0, {0}))", torch=None, sql=None),
    Function("wave", WAVE, "special.j0({0})", "torch.special.bessel_j0({0})", autograd=False),
    Function("wave_slope", BEND, "special.j1({0})", "torch.special.bessel_j1({0})", autograd=False),
)


@pytest.fixture(autouse=True)
def functions():
    """Register one function that NumPy alone computes, and one that PyTorch computes and does not differentiate."""
    register(*ENTRIES)
    yield
    for entry in ENTRIES:
        del FUNCTIONS[entry.name], NAMES[entry.nodes]


def refused(*arguments, **options):
    with pytest.raises((ConfigError, FormulaError)) as caught:
        descend.fit(*arguments, **options)
    return str(caught.value)


def test_it_is_fitted_in_numpy_and_streamed_out_of_a_database():
    fitted = descend.fit(FORMULA, DATA)
    assert fitted.parameters == pytest.approx({"a": 2.0, "b": 0.7, "c": 0.5}, rel=1e-6)
    streamed = descend.fit(FORMULA, DATA, engine="query")
    assert streamed.parameters == pytest.approx(fitted.parameters, rel=1e-6)
    assert "rows streamed to NumPy in blocks, as the database (duckdb) has no function opaque" in streamed.notes


def test_the_engine_torch_and_autograd_are_refused():
    assert refused(FORMULA, DATA, engine="torch") == ('`opaque` is not available in PyTorch. Use engine="numpy".')
    assert refused(FORMULA, DATA, device="cpu") == '`opaque` is not available in PyTorch. Use engine="numpy".'
    assert refused(FORMULA, DATA, gradient="autograd") == (
        '`opaque` is not available in PyTorch. Use gradient="derived".'
    )


def test_derive_says_so_where_the_code_would_stand():
    derived = descend.derive(FORMULA, columns=["x", "y"])
    assert "PyTorch\n    # `opaque" in str(derived) and "SQL\n    -- `opaque" in str(derived)
    assert derived.shown("torch") == "# `opaque` is not available in PyTorch."
    assert derived.shown("sql") == "-- `opaque` cannot be written in SQL."
    with pytest.raises(FormulaError) as caught:
        derived.code("sql")
    assert str(caught.value) == "`opaque` cannot be written in SQL."
    plain = derived.as_dict()
    assert plain["lacking"] == {
        "torch": "`opaque` is not available in PyTorch.",
        "sql": "`opaque` cannot be written in SQL.",
    }
    assert list(plain["code"]) == ["text", "latex", "numpy"] == list(plain["gradient"]["a"])


def test_an_export_is_refused():
    fitted = descend.fit(FORMULA, DATA)
    assert "special.kve" in fitted.export("python")
    with pytest.raises(ConfigError) as caught:
        fitted.export("torch")
    assert str(caught.value) == (
        "`opaque` is not available in PyTorch. Export the model to python, or predict with descend."
    )
    with pytest.raises(ConfigError) as caught:
        fitted.export("sql")
    assert str(caught.value) == (
        "The model calls `opaque`, a function that SQL lacks. Export it to python or torch, or predict with descend."
    )


def test_a_function_without_autograd_is_refused_there_alone():
    data = {"x": X, "y": special.j0(1.3 * X) + 0.5}
    formula = "y ~ wave(b*x) + c"
    fitted = descend.fit(formula, data, start={"b": 1.2, "c": 0.0}, engine="torch")
    assert fitted.parameters == pytest.approx({"b": 1.3, "c": 0.5}, rel=1e-6)
    assert refused(formula, data, gradient="autograd", start={"b": 1.2}) == (
        '`wave` has no derivative in PyTorch. Use gradient="derived".'
    )
