"""A known covariance of the response: generalised least squares, against SciPy, R's `gls` and closed forms."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import curve_fit
from typer.testing import CliRunner

import descend
from descend.cli.main import app
from descend.errors import ConfigError, DataError

X = np.linspace(0.0, 5.0, 30)
C = 0.04 * np.exp(-np.abs(X[:, None] - X) / 0.7) + 0.001 * np.eye(30)
Y = 3.0 * np.exp(-0.8 * X) + 0.5 + np.linalg.cholesky(C) @ np.random.default_rng(1).normal(size=30)
DATA = {"x": X, "y": Y}
CURVE = "y ~ a*exp(-b*x) + c"


def curve(x, a, b, c):
    return a * np.exp(-b * x) + c


def by_scipy(rows=slice(None)):
    matrix = C[rows][:, rows]
    found, covariance = curve_fit(
        curve,
        X[rows],
        Y[rows],
        p0=[3, 1, 0.3],
        sigma=matrix,
        absolute_sigma=True,
        jac=lambda x, a, b, c: np.column_stack([np.exp(-b * x), -a * x * np.exp(-b * x), np.ones_like(x)]),
        ftol=1e-15,
        xtol=1e-15,
        gtol=1e-15,
    )
    return found, covariance, Y[rows] - curve(X[rows], *found), matrix


def test_a_curve_is_that_of_scipy_and_its_likelihood_that_of_a_normal_distribution(tmp_path):
    found, covariance, left, matrix = by_scipy()
    fit = descend.fit(CURVE, DATA, covariance=C)
    assert list(fit.parameters.values()) == pytest.approx(found, rel=1e-7)
    assert fit.covariance == pytest.approx(covariance, rel=1e-5)
    chi_square = left @ np.linalg.solve(matrix, left)
    assert fit.goodness.chi_square == pytest.approx(chi_square) and fit.loss == pytest.approx(chi_square / 30)
    expected = -0.5 * (30 * np.log(2 * np.pi) + np.linalg.slogdet(matrix)[1] + chi_square)
    assert fit.log_likelihood == pytest.approx(expected) and fit.aic == pytest.approx(6 - 2 * expected)
    assert fit.error_degrees == np.inf
    fit.save(tmp_path / "fit.json")
    loaded = descend.load(tmp_path / "fit.json")
    assert loaded.standard_errors == fit.standard_errors and loaded.goodness == fit.goodness
    band = loaded.predict({"x": [1.0]}, interval="prediction")
    mean = loaded.predict({"x": [1.0]}, interval="confidence")
    of_one = (band.high - band.prediction) ** 2 - (mean.high - mean.prediction) ** 2
    assert of_one == pytest.approx(1.959963984540054**2 * 0.041)
    assert loaded.invert(1.0).standard_error == pytest.approx(fit.invert(1.0, sigma=0.041**0.5).standard_error)


@pytest.mark.parametrize("gradient", [None, "numeric"])
def test_a_function_is_fitted_as_well(gradient):
    found, covariance, *_ = by_scipy()
    fit = descend.fit(curve, DATA, response="y", covariance=C, gradient=gradient)
    assert list(fit.parameters.values()) == pytest.approx(found, rel=1e-7)
    assert fit.covariance == pytest.approx(covariance, rel=1e-5)


def test_rows_that_are_left_out_take_theirs_of_the_matrix_with_them():
    rows = np.flatnonzero((X > 1.0) & (np.arange(30) != 20))
    found, covariance, *_ = by_scipy(rows)
    data = {"x": X, "y": np.where(np.arange(30) == 20, np.nan, Y)}
    fit = descend.fit(CURVE, data, covariance=C, where="x > 1", missing="drop", start={"a": 3, "b": 1, "c": 0.3})
    assert list(fit.parameters.values()) == pytest.approx(found, rel=1e-6)
    assert fit.covariance == pytest.approx(covariance, rel=1e-4)


def test_correlations_beside_sigma_or_weights():
    sizes = np.sqrt(C.diagonal())
    correlations = C / np.outer(sizes, sizes)
    whole, parts = (
        descend.fit(CURVE, DATA, covariance=C),
        descend.fit(CURVE, DATA, covariance=correlations, sigma=sizes),
    )
    assert parts.parameters == pytest.approx(whole.parameters)
    assert parts.standard_errors == pytest.approx(whole.standard_errors)
    assert parts.log_likelihood == pytest.approx(whole.log_likelihood)
    assert parts.r_squared == pytest.approx(whole.r_squared)


def test_rows_without_weight_say_nothing_of_the_others():
    correlations = C / np.sqrt(np.outer(C.diagonal(), C.diagonal()))
    weights = 1.0 + np.arange(len(C)) % 3
    left = np.isin(np.arange(len(C)), (1, 4))
    fit = descend.fit(CURVE, DATA, covariance=correlations, weights=np.where(left, 0.0, weights))
    rows = {name: np.asarray(column)[~left] for name, column in DATA.items()}
    alone = descend.fit(CURVE, rows, covariance=correlations[np.ix_(~left, ~left)], weights=weights[~left])
    assert fit.parameters == pytest.approx(alone.parameters)
    assert fit.standard_errors == pytest.approx(alone.standard_errors)
    assert (fit.log_likelihood, fit.r_squared) == pytest.approx((alone.log_likelihood, alone.r_squared))


def test_a_correlation_of_unknown_scale_is_r_s_gls():
    """R: V <- 0.04*0.6^abs(outer(x, x, "-")) + 0.01*diag(8); R <- cov2cor(V)
    gls(y ~ x, correlation = corSymm(R[lower.tri(R)], fixed = TRUE, form = ~1), method = "ML")"""
    x = np.arange(8.0)
    y = np.array([3.1, 2.5, 1.9, 1.2, 1.4, 0.6, 0.9, 0.3])
    matrix = (0.04 * 0.6 ** np.abs(x[:, None] - x) + 0.01 * np.eye(8)) / 0.05
    fit = descend.fit("y ~ a + b*x", {"x": x, "y": y}, covariance=matrix, weights=1)
    assert fit.parameters == pytest.approx({"a": 2.879293550, "b": -0.383410492}, rel=1e-8)
    assert fit.standard_errors == pytest.approx({"a": 0.3502821853, "b": 0.0762229193}, rel=1e-8)
    assert fit.log_likelihood == pytest.approx(-1.96317089553, rel=1e-9)


@given(st.integers(0, 10_000))
def test_a_diagonal_covariance_is_a_column_of_sigmas(seed):
    rng = np.random.default_rng(seed)
    x, sizes = rng.normal(size=12), rng.uniform(0.1, 2.0, 12)
    data = {"x": x, "y": 1.0 + 2.0 * x + sizes * rng.normal(size=12), "s": sizes}
    one, other = (
        descend.fit("y ~ a + b*x", data, covariance=np.diag(sizes**2)),
        descend.fit("y ~ a + b*x", data, sigma="s"),
    )
    assert one.parameters == pytest.approx(other.parameters)
    assert one.standard_errors == pytest.approx(other.standard_errors)
    assert (one.log_likelihood, one.r_squared) == pytest.approx((other.log_likelihood, other.r_squared))
    assert one.intervals(method="sandwich")["a"] == pytest.approx(other.intervals(method="sandwich")["a"])


def test_profile_intervals_of_a_line_are_those_of_its_errors():
    fit = descend.fit("y ~ a + b*x", DATA, covariance=C)
    low, high = fit.intervals(method="profile")["b"]
    reach = 1.959963984540054 * fit.standard_errors["b"]
    assert (low, high) == pytest.approx((fit.parameters["b"] - reach, fit.parameters["b"] + reach), rel=1e-6)


@pytest.mark.parametrize("name", ["c.npy", "c.csv", "c.txt"])
def test_it_may_be_a_file(tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("c.npy", C)
    np.savetxt("c.csv", C, delimiter=",")
    np.savetxt("c.txt", C)
    np.savetxt("rows.csv", np.column_stack([X, Y]), delimiter=",", header="x,y", comments="")
    result = CliRunner().invoke(app, ["fit", CURVE, "rows.csv", "--covariance", name, "--json", "--report", "fit.html"])
    assert result.exit_code == 0, result.output
    known = json.loads(result.stdout)
    assert known["standard_errors"] == pytest.approx(descend.fit(CURVE, DATA, covariance=C).standard_errors)
    assert known["scatter"]["covariance"] == f"The covariance `{name}`"
    page = (tmp_path / "fit.html").read_text()
    assert f"covariance=&quot;{name}&quot;" in page and "whitened residual" in page


def changed(row, column, value):
    matrix = C.copy()
    matrix[row, column] = matrix[column, row] = value
    return matrix


NOT_SYMMETRIC = C + np.triu(np.full(C.shape, 0.1), 1) * (np.arange(30) == 4)


@pytest.mark.parametrize(
    "matrix, words",
    [
        (
            C[:20, :20],
            "The covariance is 20 x 20, but there are 30 rows. It needs a row and a column for each row of the data, "
            "in their order, those that `where` or `missing` leave out among them.",
        ),
        (
            C[:, :20],
            "The covariance is 30 x 20. It must be a square matrix, with a row and a column for each row of data.",
        ),
        (changed(3, 5, np.nan), "The covariance holds nan in row 4, column 6."),
        (NOT_SYMMETRIC, "The covariance is not symmetric: rows 1 and 5 hold 0.114934 and 0.0149343."),
        (changed(3, 3, -1.0), "The covariance has -1 on its diagonal in row 4. Variances must be above 0."),
        (
            changed(3, 8, 0.05),
            "The covariance is not positive definite: its smallest eigenvalue is -0.0219. Rows 4 and 9 have most part "
            "in that; their correlation is 1.21951. Correct it, or add a little to its diagonal.",
        ),
    ],
)
def test_what_is_no_covariance_of_the_rows_is_refused(matrix, words):
    with pytest.raises(DataError) as refused:
        descend.fit(CURVE, DATA, covariance=matrix)
    assert str(refused.value) == words


@pytest.mark.parametrize(
    "options, words",
    [
        (
            {"engine": "query"},
            "`covariance` does not go with the engine `query`: it couples rows, which NumPy sums in memory. Leave out "
            "the engine.",
        ),
        (
            {"batch_size": 5},
            "`covariance` does not go with `batch_size`: a batch of rows has none of its own. Leave out one of "
            "the two.",
        ),
        (
            {"variance": "power"},
            "`covariance` does not go with `variance`: it is estimated as if rows were independent. Leave out one of "
            "the two.",
        ),
        (
            {"loss": "huber"},
            "`covariance` is that of normal errors, but the huber loss has errors of another kind. Use the squared "
            "loss.",
        ),
        (
            {"gradient": "autograd"},
            "With a covariance of the rows the gradient is no mean over single rows, so that one autograd does not go "
            "with it. Leave the gradient out, or give the Jacobian of the predictions as a function.",
        ),
    ],
)
def test_what_does_not_go_with_it_is_refused(options, words):
    with pytest.raises(ConfigError) as refused:
        descend.fit(CURVE, DATA, covariance=C, **options)
    assert str(refused.value) == words


def test_rows_are_not_drawn_one_by_one():
    with pytest.raises(ConfigError) as refused:
        descend.fit("y ~ a + b*x", DATA, covariance=C).intervals(method="bootstrap")
    assert str(refused.value) == (
        "The bootstrap draws rows one by one, but with a covariance they go together. Use the method t or profile."
    )


def test_models_are_compared_by_chi_square():
    found = descend.compare(["y ~ a*exp(-b*x)", CURVE], DATA, covariance=C)
    small, large = found.fits.values()
    assert found.tests[0].F is None and pytest.approx(30 * (small.loss - large.loss)) == found.tests[0].LR
    assert pytest.approx(2 * (large.log_likelihood - small.log_likelihood)) == found.tests[0].LR


@pytest.mark.parametrize(
    "what, words",
    [
        (
            lambda: descend.compare(["y ~ a*exp(-b*x)", CURVE], DATA, covariance=C, folds=3),
            "Rows that have a covariance go together, so that none are held out. Leave out the folds.",
        ),
        (
            lambda: descend.fit(CURVE, DATA, covariance=C).influence(),
            "The influence of single rows is not known where they have a covariance, by which they go together.",
        ),
        (
            lambda: descend.fit(CURVE, {**DATA, "g": X > 2}, covariance=C, errors="cluster(g)"),
            "`covariance` says how rows go together, and clustered errors estimate it. Leave out one of the two.",
        ),
        (
            lambda: descend.fit(f"{CURVE}; z ~ a*x", {**DATA, "z": Y}, covariance=C),
            "`covariance` has a row for each row of one response, and there are several. Fit one formula.",
        ),
    ],
)
def test_what_takes_rows_one_by_one_is_refused(what, words):
    with pytest.raises(ConfigError) as refused:
        what()
    assert str(refused.value) == words


def test_a_prior_goes_with_it():
    fit = descend.fit("y ~ a + b*x", DATA, covariance=C, priors="b ~ normal(0, 0.01)")
    design = np.column_stack([np.ones(30), X])
    information = design.T @ np.linalg.solve(C, design) + np.diag([0.0, 1e4])
    assert list(fit.parameters.values()) == pytest.approx(
        np.linalg.solve(information, design.T @ np.linalg.solve(C, Y)), rel=1e-6
    )
    assert list(fit.standard_errors.values()) == pytest.approx(np.sqrt(np.linalg.inv(information).diagonal()), rel=1e-6)


def test_a_file_with_words_is_told(tmp_path):
    (tmp_path / "c.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError) as refused:
        descend.fit(CURVE, DATA, covariance=tmp_path / "c.csv")
    assert str(refused.value) == (
        f"The covariance `{tmp_path / 'c.csv'}` holds `a` in line 1. It must hold numbers alone, without a header."
    )


def test_no_rows_are_told():
    with pytest.raises(DataError, match="There are no rows in the data"):
        descend.fit(CURVE, {"x": X[:0], "y": Y[:0]}, covariance=np.zeros((0, 0)), weights=1)
