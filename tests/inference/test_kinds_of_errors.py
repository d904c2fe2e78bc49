"""Standard errors by clusters, HC0 to HC3, and of M-estimates: R's numbers, and what does not go with them."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from tests.arrows import every_grouping_an_arrow

import descend
from descend import ConfigError, DataError

NUMBER = np.arange(1, 61)
X, SITE, YEAR, WEIGHT = NUMBER * 7 % 60 / 10, NUMBER % 12, NUMBER // 9, 1.0 + NUMBER % 3
SHARED = 2 * np.cos(SITE) + 1.5 * np.sin(2 * YEAR)
DATA = {
    "x": X,
    "y": 1 + 2 * X + SHARED + np.sin(3.7 * NUMBER),
    "k": np.round(np.exp(0.3 * X + 0.3 * SHARED + 0.5 * np.sin(3.7 * NUMBER))),
    "z": 3 * np.exp(-0.8 * X) + 0.1 * SHARED + 0.1 * np.sin(3.7 * NUMBER),
    "w": WEIGHT,
    "site": np.array([f"S{number}" for number in SITE]),
    "year": 2000 + YEAR,
}
LINE = "y ~ a + b*x"
STACKLOSS = {
    "air": [80, 80, 75, 62, 62, 62, 62, 62, 58, 58, 58, 58, 58, 58, 50, 50, 50, 50, 50, 56, 70],
    "water": [27, 27, 25, 24, 22, 23, 24, 24, 23, 18, 18, 17, 18, 19, 18, 18, 19, 19, 20, 20, 20],
    "acid": [89, 88, 90, 87, 87, 87, 93, 93, 87, 80, 89, 88, 82, 93, 89, 86, 72, 79, 80, 82, 91],
    "loss": [42, 37, 37, 28, 18, 18, 19, 20, 15, 14, 14, 13, 11, 12, 8, 7, 8, 8, 9, 15, 15],
}


def errors(formula: str, kind: str, **options: object) -> list[float]:
    return [*descend.fit(formula, DATA, errors=kind, **options).standard_errors.values()]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [  # e <- resid(m); B <- solve(crossprod(X)); sqrt(diag(B %*% crossprod(X*e*f) %*% B)), f of hatvalues(m)
        ("HC0", [0.5112417111, 0.1438123528]),
        ("HC1", [0.5199815187, 0.1462708617]),
        ("hc2", [0.5230499955, 0.1474043106]),
        ("HC3", [0.5352031505, 0.1511020111]),
        ("sandwich", [0.5352031505, 0.1511020111]),
        # s <- rowsum(X*e, site); G/(G-1)*(n-1)/(n-p) * B %*% crossprod(s) %*% B, as sandwich::vcovCL(m, type = "HC1")
        ("cluster(site)", [0.6589205579, 0.1396444681]),
        ("cluster(site, year)", [0.7659220595, 0.1192395971]),
    ],
)
def test_a_line_has_the_errors_of_r(kind, expected):
    assert errors(LINE, kind) == pytest.approx(expected, rel=1e-9)


def test_weights_counts_and_curves_are_clustered_as_by_r():
    # lm(y ~ x, weights = w), glm(k ~ x, poisson), nls(z ~ a*exp(-b*x) + c), clusters as above
    assert errors(LINE, "cluster(site)", weights="w") == pytest.approx([0.5282490470, 0.1442164878], rel=1e-9)
    both = errors(LINE, "cluster(site, year)", weights="w")
    assert both == pytest.approx([0.6303107625, 0.1202220009], rel=1e-9)
    counts = errors("k ~ exp(a + b*x)", "cluster(site)", loss="poisson")
    assert counts == pytest.approx([0.28937926783, 0.05977816642], rel=1e-8)
    curve = errors("z ~ a*exp(-b*x) + c", "cluster(site)")
    assert curve == pytest.approx([0.09742331156, 0.05203580405, 0.05822297062], rel=1e-6)


def test_a_cluster_for_each_row_is_hc1():
    data = {**DATA, "row": NUMBER}
    one = descend.fit(LINE, data, errors="cluster(row)")
    np.testing.assert_allclose(one.covariance, one.covariance_of("HC1"), rtol=1e-12)


@pytest.mark.parametrize("loss", ["squared", "huber", "absolute", "pinball(quantile=0.7)", "cauchy", "log_cosh"])
def test_every_loss_is_clustered_alike_with_a_function(loss):
    def line(x, a, b):
        return a + b * x

    of_text = descend.fit(LINE, DATA, loss=loss, errors="cluster(site)")
    of_function = descend.fit(line, DATA, response="y", loss=loss, errors="cluster(site)")
    assert 0.3 < of_text.standard_errors["a"] < 1.2
    np.testing.assert_allclose(of_function.covariance, of_text.covariance, rtol=1e-5)


@pytest.mark.parametrize("kind", ["cluster(day)", "cluster(day, site)", "HC1", "HC0"])
@pytest.mark.parametrize("loss", ["squared", "huber(delta=1)"])
def test_an_arrow_has_the_errors_of_the_matrix(loss, kind, monkeypatch):
    random = np.random.default_rng(0)
    site, day = random.integers(0, 9, 240), random.integers(0, 15, 240)
    x = random.uniform(0.2, 3.0, 240)
    y = (1.5 + 0.2 * site) * np.exp(-0.6 * x) + 0.2 * np.sin(day) + 0.1 * random.normal(size=240)
    data = {"x": x, "y": y, "site": site, "day": day}
    start = {"a": 2.0, "b": 0.6, "c": 0.1}
    matrix = descend.fit("y ~ a[site]*exp(-b*x) + c", data, start=start, loss=loss, errors=kind)
    every_grouping_an_arrow(monkeypatch)
    arrow = descend.fit("y ~ a[site]*exp(-b*x) + c", data, start=start, loss=loss, errors=kind)
    assert arrow.solution.objective.arrow and not matrix.solution.objective.arrow
    flat = matrix.model.parameters.flat
    np.testing.assert_allclose(flat(arrow.standard_errors), flat(matrix.standard_errors), rtol=1e-8)


@pytest.mark.parametrize("loss", ["squared", "huber"])
def test_rows_in_a_file_are_clustered_in_one_pass(tmp_path, loss):
    random = np.random.default_rng(1)
    site = random.integers(0, 30, 3000)
    x = random.normal(size=3000)
    data = {"x": x, "y": 1 + 2 * x + random.normal(size=30)[site] + random.normal(size=3000), "site": site}
    here = descend.fit(LINE, data, errors="cluster(site)", loss=loss)
    there = descend.fit(LINE, data, errors="cluster(site)", loss=loss, engine="query")
    assert there.clusters == {"site": 30}
    np.testing.assert_allclose(there.covariance, here.covariance, rtol=1e-7)


def test_what_rests_on_clusters_says_so(tmp_path):
    fit = descend.fit(LINE, DATA, errors="cluster( site )")
    assert (fit.kind_of_errors, fit.clusters, fit.error_degrees) == ("cluster(site)", {"site": 12}, 11.0)
    found = fit.intervals()
    assert found.convention == "cluster(site) errors, Student's t, 11 degrees of freedom"
    assert found["b"][1] - fit.parameters["b"] == pytest.approx(2.2009851601 * fit.standard_errors["b"])  # qt(.975, 11)
    assert not any("clusters" in note for note in fit.notes)
    fit.save(tmp_path / "fit.json")
    loaded = descend.load(tmp_path / "fit.json")
    assert (loaded.clusters, loaded.error_degrees, loaded.intervals()["b"]) == ({"site": 12}, 11.0, found["b"])
    assert json.loads((tmp_path / "fit.json").read_text())["errors"] == "cluster(site)"
    fit.report(tmp_path / "fit.html")
    page = (tmp_path / "fit.html").read_text()
    assert "clustered, as rows of a cluster may depend on each other: 12 of" in page
    assert "cluster( site )" in page  # in what repeats it
    assert copy.deepcopy(fit).clusters == {"site": 12}


def test_few_clusters_are_warned_of():
    fit = descend.fit(LINE, DATA, errors="cluster(year)")
    assert (
        "clustered errors rest on 7 clusters of `year`: with fewer than 10 they tend to be too small, though Student's "
        "t allows for some of that" in fit.notes
    )


def test_a_missing_cluster_is_a_missing_value():
    site = DATA["site"].astype(object)
    site[3] = None
    data = {**DATA, "site": site}
    with pytest.raises(DataError, match="`site`"):
        descend.fit(LINE, data, errors="cluster(site)")
    fit = descend.fit(LINE, data, errors="cluster(site)", missing="drop")
    assert fit.rows == 59


@pytest.mark.parametrize(
    ("loss", "expected"),
    [  # summary(rlm(stack.loss ~ ., stackloss, psi = ..., acc = 1e-12, maxit = 500)); its 0.6745 is our 1 / 1.4826
        ("huber(delta=3.282457767)", [9.8068722944, 0.1111749623, 0.3033934033, 0.1288463457]),
        ("tukey(scale=10.690482781)", [9.5313856615, 0.1080519262, 0.2948707241, 0.1252268996]),
    ],
)
def test_m_estimates_have_the_errors_of_rlm(loss, expected):
    fit = descend.fit("loss ~ b + a*air + w*water + c*acid", STACKLOSS, loss=loss, errors="iid")
    assert [fit.standard_errors[name] for name in "bawc"] == pytest.approx(expected, rel=1e-6)
    assert descend.fit("loss ~ b + a*air", STACKLOSS, loss=loss, errors="rlm").kind_of_errors == "iid"


def test_iid_is_the_usual_for_squares():
    fit = descend.fit(LINE, DATA, errors="iid", weights="w")
    np.testing.assert_allclose(fit.covariance, fit.covariance_of("model"), rtol=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"errors": "cluster"}, "Clustered errors need the column that tells clusters apart, such as `cluster(site)`."),
        (
            {"errors": "iid", "loss": "poisson", "model": "k ~ exp(a + b*x)"},
            "The errors iid take the residuals of all rows as alike, but for the poisson loss their size follows from "
            "the prediction. Use model.",
        ),
        (
            {"errors": "iid", "loss": "huber", "weights": "w"},
            "The errors iid take all rows as alike, but these have weights. Use sandwich.",
        ),
        (
            {"errors": "HC1", "loss": "absolute"},
            "The absolute loss bends at residuals of 0 alone, so it has no HC1 errors. Use sandwich.",
        ),
        (
            {"errors": "cluster(site)", "by": "year"},
            "Clustered errors are of one fit, and `by` makes many. Leave out one of the two; one fit of all groups has "
            "parameters of each, as in a[site].",
        ),
        (
            {"errors": "cluster(site, year)", "engine": "query"},
            "Clustered errors by several columns need the rows in memory, but these stay where they are. Use "
            'engine="numpy", or cluster by one column with a smooth loss.',
        ),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(ConfigError) as caught:
        descend.fit(options.pop("model", LINE), DATA, **options)
    assert str(caught.value) == message


def test_clusters_that_are_none():
    with pytest.raises(DataError) as caught:
        descend.fit(LINE, DATA, errors="cluster(sit)")
    assert str(caught.value).startswith("There is no column `sit` in the data. Did you mean `site`?")
    with pytest.raises(DataError) as caught:
        descend.fit(LINE, {**DATA, "site": ["A"] * 60}, errors="cluster(site)")
    assert str(caught.value) == (
        "All rows of the data are of one cluster, `site` = A. Clustered errors need several, of which none is large "
        "beside the others."
    )


def test_what_takes_rows_as_independent_is_refused():
    fit = descend.fit(LINE, DATA, errors="cluster(site)")
    for method in ("profile", "bootstrap"):
        for ask in (lambda method=method: fit.intervals(method=method), lambda m=method: fit.quantity("2*a", method=m)):
            with pytest.raises(ConfigError) as caught:
                ask()
            assert str(caught.value) == (
                f"A {method} interval takes all rows as independent, but the errors of this fit are clustered. Use the "
                "method t."
            )
    with pytest.raises(ConfigError) as caught:
        descend.fit(LINE, DATA).covariance_of("cluster(site)")
    assert str(caught.value) == (
        "The column `site` was not read when this was fitted, so its clusters are not known. Fit again with them with "
        "`errors`."
    )


def test_clusters_that_have_parameters_of_their_own_are_told():
    rng = np.random.default_rng(0)
    site = np.repeat(list("ABCDEFGHIJKL"), 6)
    data = {"x": rng.normal(size=72), "y": rng.normal(size=72), "site": site, "day": np.tile(np.arange(12), 6)}
    note = (
        "`a` has a value for each cluster, so that the pulls of its rows add up to nothing, and clustered errors of "
        "`a` are near 0 whatever the data: use other clusters, or HC3, for these"
    )
    assert note in descend.fit("y ~ a[site] + b*x", data, errors="cluster(site)").notes
    for formula, errors in (("y ~ a[site] + b*x", "cluster(day)"), ("y ~ a + b*x", "cluster(site)")):
        assert note not in descend.fit(formula, data, errors=errors).notes


def test_a_covariance_of_a_kind_is_computed_once_whatever_asks_for_it(monkeypatch):
    from descend.inference.covariance import sandwich

    called = []
    original = sandwich.orthogonal
    monkeypatch.setattr(sandwich, "orthogonal", lambda jacobian: called.append(1) or original(jacobian))
    x = np.linspace(0.0, 1.0, 30)
    fit = descend.fit("y ~ w*x + b", {"x": x, "y": 2.0 * x + np.sin(40.0 * x)}, loss="huber")
    assert fit.standard_errors and fit.intervals() and fit.quantity("w/b").standard_error > 0.0 and fit.digits
    assert len(called) == 1
    assert fit.covariance_of("HC0") is fit.covariance_of("HC0")
    assert len(called) == 2


@pytest.mark.parametrize("apart", [1.0, 1e-5, 1e-10])
def test_coordinates_are_orthogonal_however_alike_the_columns(apart):
    from descend.inference.covariance.sandwich import orthogonal

    x = np.linspace(0.0, 1.0, 40_000)
    jacobian = np.column_stack([np.ones_like(x), 1e6 * x, x + apart * np.cos(900.0 * x)])
    along, back = orthogonal(jacobian)
    assert np.abs(along.T @ along - np.eye(3)).max() < 1e-14
    assert np.allclose(np.linalg.norm(jacobian @ back, axis=0), 1.0, rtol=1e-4)
