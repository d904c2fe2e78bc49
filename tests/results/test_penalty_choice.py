"""A penalty chosen by cross-validation: against scikit-learn's on the same folds, and against fits of each fold."""

import json

import numpy as np
import pytest
from sklearn.linear_model import LassoCV, RidgeCV
from sklearn.model_selection import PredefinedSplit

import descend
from descend.results.cross_validation import folds_of
from descend.table import open_table


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(120, 8)) + 0.8 * rng.normal(size=(120, 1))
    y = X @ (rng.normal(size=8) * (rng.uniform(size=8) < 0.5)) + 3.0 * rng.normal(size=120) + 2.0
    return X, {f"x{k}": column for k, column in enumerate(X.T)} | {"y": y, "site": np.repeat(np.arange(12), 10)}


FORMULA = "y ~ w @ [x*] + b"


def same_folds(data):
    fold = np.empty(120, dtype=int)
    for number, places in enumerate(folds_of(open_table(data), np.ones(120, dtype=bool), 5)):
        fold[places] = number
    return PredefinedSplit(fold)


def test_an_l1_path_is_that_of_lasso_on_the_same_folds(rows):
    X, data = rows
    fit = descend.fit(FORMULA, data, l1="auto")
    path = fit.penalty_path
    theirs = LassoCV(alphas=path.l1 / 2.0, cv=same_folds(data), tol=1e-12, max_iter=100_000).fit(X, data["y"])
    np.testing.assert_allclose(theirs.mse_path_.mean(axis=1), path.error, rtol=1e-8)
    assert path.l1[path.chosen] == pytest.approx(2.0 * theirs.alpha_)
    np.testing.assert_allclose(fit.parameters["w"], theirs.coef_, atol=1e-8)
    assert (path.parameters[0] == 0.0).all() and path.labels == tuple(f"w[x{k}]" for k in range(8))


def test_an_l2_path_is_that_of_ridge_on_the_same_folds(rows):
    X, data = rows
    fit = descend.fit(FORMULA, data, l2="auto(folds=5)")
    path = fit.penalty_path
    # Their penalty is on the sum over the rows of a fold's training set, which has four fifths of all.
    theirs = RidgeCV(alphas=0.8 * 120 * path.l2, cv=same_folds(data), scoring="neg_mean_squared_error").fit(
        X, data["y"]
    )
    assert -theirs.best_score_ == pytest.approx(path.error.min(), rel=1e-8)
    assert theirs.alpha_ == pytest.approx(0.8 * 120 * path.l2[path.chosen])


def test_the_strongest_within_one_standard_error(rows):
    data = rows[1]
    least = descend.fit(FORMULA, data, l1="auto").penalty_path
    path = descend.fit(FORMULA, data, l1="auto(rule=1se)").penalty_path
    bound = least.error[least.chosen] + least.standard_error[least.chosen]
    assert path.l1[path.chosen] > least.l1[least.chosen]
    assert path.error[path.chosen] <= bound < path.error[path.chosen - 1]


def test_both_together_and_one_beside_a_number(rows):
    data = rows[1]
    both = descend.fit(FORMULA, data, l1="auto", l2="auto").penalty_path
    alone = descend.fit(FORMULA, data, l1="auto").penalty_path
    beside = descend.fit(FORMULA, data, l1="auto", l2=0.5).penalty_path
    assert both.error.min() <= alone.error.min() + 1e-3
    assert set(beside.l2) == {0.5}


def test_another_formula_is_descended_fold_by_fold(rows):
    data = dict(rows[1])
    data["y"] = (data["y"] > 2.0).astype(float)
    formula = "y ~ sigmoid(w @ [x*] + b)"
    fit = descend.fit(formula, data, loss="logistic", l2="auto")
    path = fit.penalty_path
    place = path.chosen
    losses = []
    for held in folds_of(open_table(data), np.ones(120, dtype=bool), 5):
        others = np.setdiff1d(np.arange(120), held)
        part = descend.fit(
            formula, {name: values[others] for name, values in data.items()}, loss="logistic", l2=float(path.l2[place])
        )
        p = part.predict({name: values[held] for name, values in data.items()})
        losses.append(-np.where(data["y"][held] > 0.5, np.log(p), np.log1p(-p)).mean())
    assert path.error[place] == pytest.approx(np.mean(losses), rel=1e-5)
    assert 0 < place < len(path.error)


def test_groups_are_held_out_whole_and_rows_in_order(rows):
    data = rows[1]
    by_group = descend.fit("y ~ w @ [x0, x1, x2] + b", data, l2="auto(by=site, folds=4)").penalty_path
    in_order = descend.fit("y ~ w @ [x0, x1, x2] + b", data, l2="auto(order=site)").penalty_path
    assert by_group.folds == 4 and in_order.folds == 5 and not np.allclose(by_group.error, in_order.error)


def test_it_is_told_kept_and_drawn(rows, tmp_path):
    data = rows[1]
    fit = descend.fit(FORMULA, data, l1="auto")
    assert fit.notes[0].startswith("Penalty l1 = ") and "chosen among 100 by 5-fold cross-validation" in fit.notes[0]
    fit.save(tmp_path / "fit.json")
    loaded = descend.load(tmp_path / "fit.json")
    np.testing.assert_array_equal(loaded.penalty_path.error, fit.penalty_path.error)
    loaded.plot_penalty(tmp_path / "path.png")
    fit.report(tmp_path / "fit.html")
    page = (tmp_path / "fit.html").read_text()
    assert "Which penalty predicts best?" in page and "What does the penalty do to the parameters?" in page
    assert json.loads((tmp_path / "fit.json").read_text())["penalty_path"]["folds"] == 5
    with pytest.raises(descend.ConfigError, match="No penalty was chosen in this fit"):
        descend.fit(FORMULA, data).plot_penalty()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"l2": "much"},
            "The l2 penalty must be a number, 0 or more, or `auto`; it is 'much'.",
        ),
        (
            {"l2": "auto(fold=3)"},
            "`fold=3` is no setting of an l2 penalty that is chosen by cross-validation. It has folds=5, "
            "rule=one_standard_error, by=COLUMN and order=COLUMN.",
        ),
        (
            {"l1": "auto(rule=best)"},
            "The rule by which the l1 penalty is chosen is least or one_standard_error, not best.",
        ),
        ({"l1": "auto(folds=1)"}, "The number of folds must be a whole number, 2 or more, not 1."),
        (
            {"l2": "auto(by=site, order=site)"},
            "Folds are groups, by=COLUMN, or follow each other, order=COLUMN, not both. Leave out one.",
        ),
        (
            {"l1": "auto", "l2": "auto(folds=4)"},
            "`l1` and `l2` are chosen together, from the same folds. Write the same settings for both.",
        ),
        (
            {"l2": "auto", "bounds": ["b > 0"]},
            "A penalty is not chosen by cross-validation with `bounds`. Give it as a number.",
        ),
        (
            {"l2": "auto", "loss": "absolute"},
            "A penalty is chosen for losses that are smooth and have a known scale, which absolute is not. Give it as "
            "a number, or a setting to the loss.",
        ),
        (
            {"l2": "auto", "by": "site"},
            "A penalty is chosen by cross-validation for one fit, and `by` makes many. Give it as a number.",
        ),
    ],
)
def test_what_cannot_be_chosen_is_told(rows, options, message):
    with pytest.raises(descend.ConfigError) as caught:
        descend.fit(FORMULA, rows[1], **options)
    assert str(caught.value) == message


def test_folds_without_weight_are_told(rows):
    data = rows[1] | {"time": np.arange(120.0), "count": (np.arange(120) < 20).astype(float)}
    with pytest.raises(descend.ConfigError) as caught:
        descend.fit(FORMULA, data, l2="auto(order=time)", weights="count")
    assert str(caught.value) == (
        "Of the 5 folds, number 1 has all of the rows whose weight is above 0. Leave the others out with `where`, or "
        "choose other folds."
    )


def test_classes_are_refused_for_what_they_are(rows):
    data = rows[1] | {"kind": np.array(["a", "b", "c"])[np.arange(120) % 3]}
    with pytest.raises(descend.ConfigError) as caught:
        descend.fit("kind ~ w*x0 + b", data, loss="multinomial", l2="auto")
    assert str(caught.value) == (
        "A penalty is not chosen by cross-validation under the multinomial loss yet, whose parameters are those of "
        "each class. Give it as a number."
    )


def test_categories_have_a_parameter_each_in_every_fold(rows):
    data = rows[1] | {"kind": np.array(["a", "b", "c"])[np.arange(120) % 3]}
    dummies = {kind: (data["kind"] == kind).astype(float) for kind in "abc"}
    fit = descend.fit("y ~ w*x0 + u[kind]", data, l1="auto")
    same = descend.fit("y ~ w*x0 + u1*a + u2*b + u3*c", data | dummies, l1=fit.penalty_path.l1[fit.penalty_path.chosen])
    assert fit.parameters["w"] == pytest.approx(same.parameters["w"], abs=0.1)
    data["x0"] = np.where(np.arange(120) == 7, np.nan, data["x0"])
    dropped = descend.fit("y ~ w*x0 + u[kind]", data, l2="auto(by=site, folds=4)", missing="drop")
    assert dropped.penalty_path.folds == 4


def test_every_response_is_held_out(rows):
    data = rows[1] | {"z": 2.0 * rows[1]["y"] + 1.0}
    fit = descend.fit("y ~ w*x0 + b; z ~ 2*w*x0 + c", data, l2="auto")
    least = descend.fit("y ~ w*x0 + b; z ~ 2*w*x0 + c", data)
    assert fit.penalty_path.error[-1] == pytest.approx(least.loss, rel=0.1)


def test_of_a_file_beyond_memory_all_folds_are_summed_in_one_pass(tmp_path):
    import pyarrow
    from pyarrow import parquet

    rng = np.random.default_rng(5)
    X = rng.normal(size=(6_000, 25))
    columns = {f"x{place}": column for place, column in enumerate(X.T)}
    columns |= {"y": 1.0 + X[:, :3] @ [2.0, -1.0, 0.5] + rng.normal(size=len(X)), "day": np.arange(len(X)) // 100}
    parquet.write_table(pyarrow.table(columns), tmp_path / "rows.parquet", row_group_size=1_000)
    for key in ("l1", "l2"):
        there = descend.fit("y ~ w @ [x*] + b", str(tmp_path / "rows.parquet"), engine="query", **{key: "auto"})
        here = descend.fit("y ~ w @ [x*] + b", columns, **{key: "auto"})
        assert there.penalty_path.error.min() == pytest.approx(here.penalty_path.error.min(), rel=0.01)
        assert there.parameters["w"] == pytest.approx(here.parameters["w"], abs=0.02)
        assert len(there.penalty_path.parameters) == len(there.penalty_path.error)
    with pytest.raises(descend.ConfigError, match="Folds by groups, or in an order, are made of rows in memory"):
        descend.fit("y ~ w @ [x*] + b", str(tmp_path / "rows.parquet"), engine="query", l2="auto(by=day)")
