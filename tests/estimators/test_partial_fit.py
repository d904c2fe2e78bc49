"""`partial_fit`: batches that come one after the other are fitted as all rows at once, and their rows are not kept."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

import descend
from descend.estimators import FormulaRegressor


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(600, 3)) * [1.0, 100.0, 1e-3] + [1e3, 0.0, 0.0]
    y = X @ [0.5, -0.1, 40.0] + 1e4 + rng.normal(size=600)
    weights = rng.uniform(0.0, 2.0, 600)
    weights[::7] = 0.0
    return X, y, weights


def in_batches(estimator, X, y, size=70, **of_rows):
    estimator = clone(estimator)
    for first in range(0, len(y), size):
        part = slice(first, first + size)
        estimator.partial_fit(X[part], y[part], **{name: values[part] for name, values in of_rows.items()})
    return estimator


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"l2": 0.1},
        {"l1": 0.05},
        {"formula": "a*(x0 - 1000) + b*x1 + d*x2**2 + c", "bounds": ["a < 0.2"]},
        {"formula": "rate ~ a*x0 + c", "fix": {"c": 1e4}},
        {"formula": "a*x1 + c", "offset": "x0", "quantities": ["ratio = a/c"]},
    ],
    ids=lambda options: " ".join(options) or "plain",
)
@pytest.mark.parametrize("role", [None, "sample_weight", "sigma"])
def test_batches_are_one_fit(rows, options, role):
    X, y, weights = rows
    values = {} if role is None else {role: weights if role == "sample_weight" else weights + 0.5}
    whole, parts = (
        FormulaRegressor(**options).fit(X, y, **values),
        in_batches(FormulaRegressor(**options), X, y, **values),
    )
    one, other = whole.fit_, parts.fit_
    digits = 1e-7 if "l1" in options else 1e-10  # of an l1 penalty the end of a descent differs in later digits
    for name in one.parameters:
        np.testing.assert_allclose(other.parameters[name], one.parameters[name], rtol=digits, atol=1e-10)
        if one.standard_errors is not None:
            np.testing.assert_allclose(other.standard_errors[name], one.standard_errors[name], rtol=1e-8)
    for name in ("loss", "r_squared", "aic", "bic", "residual_standard_deviation", "degrees_of_freedom"):
        numbers = [getattr(fit, name) for fit in (one, other)]
        assert numbers == [None, None] or numbers[1] == pytest.approx(numbers[0], rel=max(digits, 1e-9)), name
    assert other.rows == one.rows and other.ranges == one.ranges and other.weights == one.weights
    np.testing.assert_allclose(parts.predict(X), whole.predict(X), rtol=digits)
    if "quantities" in options:
        assert other.quantities["ratio"].standard_error == pytest.approx(one.quantities["ratio"].standard_error)


def test_row_by_row_from_none_to_determined(rows):
    X, y, _ = rows
    estimator = FormulaRegressor()
    for place in range(8):
        estimator.partial_fit(X[place : place + 1], y[place : place + 1])
        assert np.isfinite(estimator.predict(X)).all()
        assert (estimator.standard_errors_ is None) == (place < 4)
    np.testing.assert_allclose(estimator.coef_, FormulaRegressor().fit(X[:8], y[:8]).coef_, rtol=1e-8)


def test_it_goes_on_from_a_fit_and_from_a_pickle_and_fit_begins_anew(rows):
    X, y, _ = rows
    whole = FormulaRegressor().fit(X, y)
    estimator = FormulaRegressor().fit(X[:300], y[:300])
    pickle.loads(pickle.dumps(estimator)).partial_fit(X[300:], y[300:])
    estimator.partial_fit(X[300:400], y[300:400])
    estimator = pickle.loads(pickle.dumps(estimator)).partial_fit(X[400:], y[400:], sample_weight=np.ones(200))
    np.testing.assert_allclose(estimator.coef_, whole.coef_, rtol=1e-10)
    assert estimator.fit_.aic == pytest.approx(whole.fit_.aic)
    estimator.fit(X[:50], y[:50]).partial_fit(X[50:100], y[50:100])
    np.testing.assert_allclose(estimator.coef_, FormulaRegressor().fit(X[:100], y[:100]).coef_, rtol=1e-10)
    with pytest.raises(ValueError, match="X has 2 features, but FormulaRegressor is expecting 3 features as input"):
        estimator.partial_fit(X[:, :2], y)


def test_groups_are_the_same_in_every_batch(rows):
    _, y, _ = rows
    frame = pd.DataFrame({"x": np.arange(600.0), "site": np.tile(["a", "b"], 300)})
    estimator = FormulaRegressor("c[site] + w*x")
    parts, whole = in_batches(estimator, frame, y), clone(estimator).fit(frame, y)
    assert dict(parts.parameters_["c"]) == pytest.approx(dict(whole.parameters_["c"]), rel=1e-10)
    with pytest.raises(descend.DataError) as caught:
        parts.partial_fit(frame.assign(site="d"), y)
    assert str(caught.value) == (
        "These rows have other groups than those before: `c[a]`, `c[b]`, `c[d]`. Each batch needs rows of every group."
    )


def test_a_fit_of_batches_says_that_it_has_no_rows(rows):
    X, y, _ = rows
    fit = in_batches(FormulaRegressor(), X, y).fit_
    with pytest.raises(descend.ConfigError) as caught:
        _ = fit.residuals
    assert str(caught.value) == (
        "This fit was summed from batches, without its data, so it has no residuals. Fit again to get them."
    )


AS_IT_KEEPS = ", as it keeps the moments of the rows and not the rows. Use fit for all of them."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "huber"}, "partial_fit is for the squared loss, not for the huber loss" + AS_IT_KEEPS),
        (
            {"formula": "a*exp(b*x0)"},
            "partial_fit is for formulas that are linear in all their parameters, which `y ~ a*exp(b*x0)` is not"
            + AS_IT_KEEPS,
        ),
        (
            {"l1": "auto"},
            "partial_fit takes `l1` as a number: rows that are gone cannot be held out. Choose it with fit.",
        ),
        (
            {"by": "x0"},
            "partial_fit keeps the moments of the rows and not the rows, which `by` needs. Leave it out, or use fit "
            "for all rows at once.",
        ),
        (
            {"errors": "sandwich"},
            "The sandwich errors need the residuals of all rows, and partial_fit keeps only their moments. Leave out "
            "`errors`, or use fit for all rows at once.",
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_what_moments_cannot_do_is_refused(rows, options, message):
    X, y, _ = rows
    assert not hasattr(FormulaRegressor(**options), "partial_fit")
    with pytest.raises(AttributeError) as caught:
        FormulaRegressor(**options).partial_fit(X, y)
    assert str(caught.value) == message


def test_a_curve_of_columns_that_only_the_rows_tell_is_refused_too(rows):
    X, y, _ = rows
    with pytest.raises(descend.ConfigError) as caught:
        FormulaRegressor("speed*exp(b*size)").partial_fit(pd.DataFrame(X[:, :2], columns=["speed", "size"]), y)
    assert str(caught.value).startswith("partial_fit is for formulas that are linear in all their parameters")


@pytest.mark.parametrize("options", [{"loss": "huber"}, {"l1": 0.1}, {"errors": "sandwich"}], ids=str)
def test_scikit_learn_finds_nothing_with_options(options):
    found = check_estimator(FormulaRegressor(**options), on_fail=None, on_skip=None)
    others = {each["check_name"]: each["exception"] for each in found if each["status"] != "passed"}
    assert list(others) in ([], ["check_array_api_input"]), others


def test_a_batch_that_does_not_go_with_those_before_is_refused_and_forgotten(rows):
    X, y, _ = rows
    estimator = FormulaRegressor().partial_fit(X, y)
    with pytest.raises(descend.ConfigError) as caught:
        estimator.partial_fit(X, y, sigma=np.ones(600))
    assert str(caught.value) == "Some batches have sigma, others do not. Give it for all of them, or for none."
    with pytest.raises(descend.ConfigError) as caught:
        estimator.set_params(formula="a*x0 + b").partial_fit(X, y)
    assert str(caught.value) == (
        "The rows before were summed for `y ~ w @ [*] + b`, and the formula is now `y ~ a*x0 + b`. Clone the estimator "
        "to begin anew."
    )
    with pytest.raises(ValueError, match="Input X contains NaN"):
        estimator.partial_fit(np.full((3, 3), np.nan), np.ones(3))
    assert estimator.fit_.rows == 600
    loaded = descend.fit("y ~ a*x + b", {"x": X[:, 0], "y": y}).to_estimator()
    loaded.fit_ = pickle.loads(pickle.dumps(in_batches(FormulaRegressor(), X, y).fit_))
    with pytest.raises(descend.ConfigError) as caught:
        loaded.partial_fit(X[:, :1], y)
    assert str(caught.value) == ("This estimator holds a fit whose rows are not there to go on from. Clone it first.")
