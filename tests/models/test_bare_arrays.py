"""`fit.predict(x)` of bare arrays, functions of one number, and other functions than that of the fit."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.errors import ConfigError, DataError

X = np.linspace(0, 4, 30)
Y = 2 * np.exp(-X) + 0.5


def decay(x, a, b, c):
    return a * np.exp(-b * x) + c


def plane(x, z, a, b):
    return a * x + b * z


def counted(x, a, b):
    return a * np.cumsum(x) + b


def other(x, a, c):
    return a * x + c


def test_bare_arrays_are_the_one_input():
    fit = descend.fit(decay, X, Y)
    named = fit.predict({"x": X[:3]})
    for given in (X[:3], list(X[:3]), X[:3, None], X[None, :3]):
        np.testing.assert_array_equal(fit.predict(given), named)
    np.testing.assert_allclose(fit.predict(0.0), [2.5])
    assert fit.predict(X[:3], interval="confidence").prediction == pytest.approx(named)
    assert descend.fit("y ~ w*x + b", {"x": X, "y": Y}).predict([1.0]).shape == (1,)


def test_bare_arrays_are_several_inputs_either_way():
    z = np.cos(X)
    fit = descend.fit(plane, X, z, 3 * X + 2 * z)
    for given in (np.stack([X, z]), np.stack([X, z], axis=1), [X, z]):
        np.testing.assert_allclose(fit.predict(given), 3 * X + 2 * z)
    with pytest.raises(DataError) as refused:
        fit.predict(X)
    assert str(refused.value) == (
        "The array has shape (30,), but the model has 2 inputs, x, z: give (2, n) or (n, 2), or columns by name."
    )
    with pytest.raises(DataError) as refused:
        descend.fit(decay, X, Y).predict(np.ones((4, 3)))
    assert str(refused.value) == ("The array has shape (4, 3), but the model has one input, x: give one value a row.")


def test_a_matrix_is_predicted_as_it_was_fitted():
    both = np.stack([X, np.cos(X)], axis=1)
    fit = descend.fit(lambda x, a, b: a * x[:, 0] + b * x[:, 1], both, 3 * X + 2 * np.cos(X))
    np.testing.assert_allclose(fit.predict(both), 3 * X + 2 * np.cos(X))


@pytest.mark.parametrize("constant", [lambda x, c: c, lambda x, c: c * np.ones_like(x), lambda x, c: c + 0 * x])
def test_one_number_may_be_the_prediction_of_all_rows(constant):
    data = {"x": X, "y": Y, "half": np.repeat(["a", "b"], 15)}
    fit = descend.fit(constant, X, Y)
    assert fit.parameters["c"] == pytest.approx(Y.mean())
    assert fit.standard_errors["c"] == pytest.approx(Y.std(ddof=1) / np.sqrt(30))
    assert fit.predict([1.0, 2.0]).tolist() == [fit.parameters["c"]] * 2
    fits = descend.fit(constant, data, response="y", by="half")
    np.testing.assert_allclose(fits.parameters["c"], [Y[:15].mean(), Y[15:].mean()])
    fit.plot()


def test_one_number_that_comes_of_all_rows_is_none_for_each():
    with pytest.raises(ConfigError, match=r"returned one number for 30 rows\. It must return one prediction per row"):
        descend.fit(lambda x, c: c * float(np.sum(x)), X, Y, gradient="numeric")


def test_a_gradient_is_not_derived_and_the_reason_told():
    with pytest.raises(ConfigError) as refused:
        descend.fit(lambda x, a, b: a * x + b if x.max() > a else x, X, Y, gradient="derived")
    assert "`<lambda>` is not a formula, since it takes the largest of the rows of the data (line " in str(
        refused.value
    )


def test_another_function_than_that_of_the_fit_is_refused(tmp_path):
    path = tmp_path / "fit.json"
    descend.fit(counted, X, Y).save(path)
    with pytest.raises(DataError) as refused:
        descend.load(path, model=decay)
    assert str(refused.value) == (
        f"`{path}` was fitted with the Python function `counted`, and `decay` was given. Give that one: "
        "descend.load(path, model=counted)."
    )
    other.__name__ = "counted"
    with pytest.raises(DataError) as refused:
        descend.load(path, model=other)
    assert str(refused.value) == (
        f"`{path}` was fitted with the Python function `counted`, which has the parameters a, b; the function "
        "`counted` that was given has no argument `b`. Give the function of that fit."
    )
    assert descend.load(path, model=counted).predict(X[:2]).shape == (2,)
    assert descend.load(path, model=lambda x, a, b: a * np.cumsum(x) + b).predict(X[:2]).shape == (2,)
