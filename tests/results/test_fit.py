"""What a user holds after a run: numbers against closed forms, the model file, predictions."""

from __future__ import annotations

import json

import numpy as np
import pytest

import descend
from descend.results.model_file import FORMAT


def straight_line(x, y):
    """Parameters, their covariance and R2 of y ~ w*x + b by the textbook."""
    design = np.column_stack([x, np.ones_like(x)])
    theta, (squares,), *_ = np.linalg.lstsq(design, y, rcond=None)
    covariance = squares / (len(x) - 2) * np.linalg.inv(design.T @ design)
    return theta, covariance, 1 - squares / np.sum((y - y.mean()) ** 2)


@pytest.mark.parametrize("gradient", ["derived", "autograd"])
def test_least_squares_is_that_of_the_textbook(line, gradient):
    fit = descend.fit("y ~ w*x + b", line, gradient=gradient)
    theta, covariance, r_squared = straight_line(**line)
    np.testing.assert_allclose(list(fit.parameters.values()), theta, rtol=1e-10)
    np.testing.assert_allclose(fit.covariance, covariance, rtol=1e-9)
    np.testing.assert_allclose(list(fit.standard_errors.values()), np.sqrt(np.diag(covariance)), rtol=1e-9)
    assert fit.r_squared == pytest.approx(r_squared, rel=1e-12)


def test_badly_scaled_columns_do_not_matter():
    rng = np.random.default_rng(0)
    x1, x2 = 1e6 * rng.normal(size=200), 1e-4 * rng.normal(size=200)
    y = 3e-6 * x1 + 5e4 * x2 + 1e3 + 0.1 * rng.normal(size=200)
    fit = descend.fit("y ~ a*x1 + b*x2 + c", {"x1": x1, "x2": x2, "y": y})
    expected = np.linalg.lstsq(np.column_stack([x1, x2, np.ones(200)]), y, rcond=None)[0]
    np.testing.assert_allclose(list(fit.parameters.values()), expected, rtol=1e-9)
    assert fit.outcome == "converged"


def test_vectors_by_list_by_pattern_and_all_at_once():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(80, 3))
    data = {"x1": x[:, 0], "x2": x[:, 1], "x3": x[:, 2], "y": x @ [1.0, -2.0, 0.5] + 0.3, "id": list("ab" * 40)}
    for formula in ("y ~ w @ [x1, x2, x3] + b", "y ~ w @ [x*] + b", "y ~ w @ [*] + b", "y ~ b + [x?] @ w"):
        fit = descend.fit(formula, data)
        np.testing.assert_allclose(fit.parameters["w"], [1.0, -2.0, 0.5], atol=1e-10)
        assert fit.parameters["b"] == pytest.approx(0.3)
    assert fit.standard_errors["w"].shape == (3,)
    np.testing.assert_allclose(fit.predict({"x1": [1.0], "x2": [0.0], "x3": [0.0]}), [1.3])


def test_an_expression_on_the_left_is_what_is_predicted():
    x = np.linspace(1, 5, 40)
    fit = descend.fit("log(y) ~ a + b*x", {"x": x, "y": np.exp(0.5 + 0.25 * x)})
    assert fit.parameters == pytest.approx({"a": 0.5, "b": 0.25})
    np.testing.assert_allclose(fit.predict({"x": [2.0]}), [1.0])


@pytest.mark.parametrize("formula", ["y ~ a + b*x", "y ~ sigmoid(a + b*x)"])
def test_a_logistic_fit_takes_scores_or_probabilities_and_predicts_probabilities(formula):
    rng = np.random.default_rng(2)
    x = rng.normal(size=500)
    y = (rng.uniform(size=500) < 1 / (1 + np.exp(-(0.5 + 2 * x)))).astype(float)
    fit = descend.fit(formula, {"x": x, "y": y}, loss="logistic")
    a, b = fit.parameters["a"], fit.parameters["b"]
    p = 1 / (1 + np.exp(-(a + b * x)))
    np.testing.assert_allclose([np.mean(p - y), np.mean((p - y) * x)], 0, atol=1e-10)  # the score equations
    np.testing.assert_allclose(fit.predict({"x": x}), p, rtol=1e-12)


def test_a_poisson_fit_solves_its_score_equations():
    rng = np.random.default_rng(3)
    x = rng.uniform(0, 2, size=400)
    y = rng.poisson(np.exp(0.3 + 0.9 * x)).astype(float)
    fit = descend.fit("y ~ exp(a + b*x)", {"x": x, "y": y}, loss="poisson")
    mean = np.exp(fit.parameters["a"] + fit.parameters["b"] * x)
    np.testing.assert_allclose([np.mean(mean - y), np.mean((mean - y) * x)], 0, atol=1e-9)


@pytest.mark.parametrize(
    ("loss", "share_below"), [("absolute", 0.5), ("pinball(quantile=0.9)", 0.9), ("pinball(quantile=0.25)", 0.25)]
)
def test_quantile_losses_leave_their_share_of_rows_below(loss, share_below):
    y = np.random.default_rng(4).normal(size=1000)
    fit = descend.fit("y ~ c", {"y": y}, loss=loss)
    assert fit.parameters["c"] == pytest.approx(np.quantile(y, share_below), abs=0.02)


@pytest.mark.parametrize(("loss", "worst"), [("huber(delta=0.5)", 0.05), ("log_cosh", 0.2), ("absolute", 0.05)])
def test_robust_losses_shrug_off_outliers(line, loss, worst):
    y = line["y"].copy()
    y[::10] += 50
    fit = descend.fit("y ~ w*x + b", line | {"y": y}, loss=loss)
    assert abs(fit.parameters["w"] - 2.037) < worst
    assert abs(descend.fit("y ~ w*x + b", line | {"y": y}).parameters["b"] - 0.914) > 3


def test_a_model_file_holds_the_whole_fit(line, tmp_path):
    fit = descend.fit("y ~ w*x + b", line)
    fit.save(tmp_path / "model.json")
    again = descend.load(tmp_path / "model.json")
    assert again.parameters == fit.parameters
    assert again.standard_errors == fit.standard_errors
    assert again.outcome is fit.outcome
    assert again.r_squared == fit.r_squared
    assert str(again.model) == "y ~ w*x + b"
    np.testing.assert_array_equal(again.predict(line), fit.predict(line))
    again.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text() == (tmp_path / "model.json").read_text()


def test_a_model_file_keeps_odd_names_vectors_and_loss_settings(tmp_path):
    x = np.linspace(0, 1, 30)
    data = {"unit price": x, "单价": x**2, "select": 3 * x + 2 * x**2 + 1}
    fit = descend.fit("select ~ w @ [`unit price`, 单价] + b", data, loss="huber(delta=0.75)")
    fit.save(tmp_path / "model.json")
    again = descend.load(tmp_path / "model.json")
    assert str(again.loss_function) == "huber(delta=0.75)"
    np.testing.assert_allclose(again.parameters["w"], [3, 2], atol=1e-8)
    np.testing.assert_array_equal(again.predict(data), fit.predict(data))


def test_a_function_is_not_in_the_model_file_but_its_parameters_are(line, tmp_path):
    def forward(x, w):
        return w * x

    def gradient(x, y, w):
        return np.mean(2 * x * (w * x - y))

    fit = descend.fit(forward, line, response="y", gradient=gradient)
    fit.save(tmp_path / "model.json")
    again = descend.load(tmp_path / "model.json", model=forward)
    np.testing.assert_array_equal(again.predict(line), fit.predict(line))
    with pytest.raises(descend.DataError, match="fitted with the Python function `forward`, which is not in the file"):
        descend.load(tmp_path / "model.json")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "The model file `{}` cannot be read: no such file or directory. Check its name."),
        ("x,y\n1,2\n", "`{}` is not a model file. Give a file that `fit.save` wrote."),
        ("[" * 100_000, "`{}` is not a model file. Give a file that `fit.save` wrote."),
        ("[1, 2]", "`{}` is not a model file. Give a file that `fit.save` wrote."),
        ("[]", "`{}` is not a model file. Give a file that `fit.save` wrote."),
        (
            json.dumps({"descend": "9.0", "format": FORMAT + 1}),
            "`{}` was written by descend 9.0, in a format this version cannot read. Install a newer descend.",
        ),
        (
            json.dumps({"descend": "0.1.0", "format": FORMAT}),
            "The model file `{}` is damaged at `formula`: it is missing. Fit and save it again.",
        ),
    ],
)
def test_what_is_no_model_file_is_refused(tmp_path, content, message):
    path = tmp_path / "model.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(descend.DataError) as refused:
        descend.load(path)
    assert str(refused.value) == message.format(path)


def test_json_never_holds_what_json_has_no_number_for(line):
    fit = descend.fit("y ~ w*x", {"x": [1e150, 2e150, 3e150], "y": [1.0, 2.0, 3.0]}, optimizer="gd", learning_rate=1.0)
    json.dumps(fit.summary(), allow_nan=False)


def test_a_perfect_fit_is_fine():
    x = np.arange(10.0)
    fit = descend.fit("y ~ a*exp(-b*x) + c", {"x": x, "y": 3 * np.exp(-0.5 * x) + 1})
    assert fit.parameters == pytest.approx({"a": 3, "b": 0.5, "c": 1}, rel=1e-9)
    assert fit.outcome == "converged"


def test_a_curve_is_found_without_starting_values():
    rng = np.random.default_rng(6)
    x = np.linspace(1990, 2020, 60)
    y = 5 + 40 * np.exp(-((x - 2003.0) ** 2) / (2 * 2.5**2)) + rng.normal(size=60)
    fit = descend.fit("y ~ c + a*exp(-(x - m)^2/(2*s^2))", {"x": x, "y": y})
    assert fit.outcome == "converged"
    assert fit.parameters["m"] == pytest.approx(2003, abs=0.5)
    assert fit.parameters["s"] == pytest.approx(2.5, abs=0.5)
    assert any("trial points" in note for note in fit.notes)


def test_frames_files_and_arrays_give_the_same_fit(line, tmp_path):
    pandas, polars, pyarrow = (pytest.importorskip(name) for name in ("pandas", "polars", "pyarrow"))
    frame = pandas.DataFrame(line)
    frame.to_csv(tmp_path / "line.csv", index=False)
    frame.to_parquet(tmp_path / "line.parquet")
    sources = [
        line,
        frame,
        polars.DataFrame(line),
        pyarrow.table(line),
        tmp_path / "line.csv",
        str(tmp_path / "*.parquet"),
    ]
    fits = [descend.fit("y ~ w*x + b", source) for source in sources]
    assert len({fit.parameters["w"] for fit in fits}) == 1


def test_passes_are_those_of_the_run_and_not_of_its_diagnosis():
    x = np.linspace(0.0, 5.0, 40)
    fit = descend.fit(
        "y ~ w*x", {"x": x, "y": 2.0 * x}, start={"w": 0.0}, optimizer="gd", learning_rate=1.0, tolerance=1e-9
    )
    assert fit.outcome == "diverged" and fit.advice
    assert fit.passes <= fit.epochs + 3
