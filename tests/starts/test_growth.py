"""Many rows: the start is improved on samples, so that few passes over all of them are left."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.engines.numpy_engine import NumpyEngine

ROWS = 240_000
X = np.sort(np.random.default_rng(1).uniform(0.0, 5.0, ROWS))
NOISE = np.random.default_rng(2).normal(size=ROWS)
CURVE = 3.0 * np.exp(-0.7 * X) - 0.5
COLUMNS = {
    "x": X,
    "y": CURVE + 0.1 * NOISE,
    "two": CURVE + 2.0 * np.exp(-4.0 * X) + 0.1 * NOISE,
    "count": np.random.default_rng(3).poisson(np.exp(0.3 + 0.4 * X)).astype(float),
    "won": (X - 2.0 + np.random.default_rng(4).logistic(size=ROWS) > 0.0).astype(float),
    "weight": np.random.default_rng(5).uniform(0.1, 2.0, ROWS),
}


@pytest.mark.parametrize(
    ("formula", "options"),
    [
        ("y ~ a*exp(-b*x) + c", {}),
        ("y ~ a*exp(-b*x) + c", {"weights": "weight"}),
        ("y ~ a*exp(-b*x) + c", {"loss": "huber(delta=0.2)"}),
        ("y ~ a*exp(-b*x) + c", {"bounds": ["c >= -0.45"]}),
        ("y ~ a*exp(-b*x) + c", {"l2": 0.01}),
        ("count ~ exp(a + b*x)", {"loss": "poisson"}),
        ("won ~ a + b*x", {"loss": "logistic"}),
        ("two ~ a*exp(-b*x) + c*exp(-d*x) + g", {"fix": {"g": -0.5}}),
    ],
    ids=str,
)
def test_three_passes_reach_what_many_do(formula, options):
    fit = descend.fit(formula, COLUMNS, **options)
    start = fit.model.parameters.named(fit.theta)
    whole = descend.fit(formula, COLUMNS, optimizer="levenberg_marquardt", start=start, **options)
    assert fit.outcome == "converged"
    errors = np.array(list((fit.standard_errors or dict.fromkeys(fit.parameters, 1.0)).values()))
    errors = errors[: whole.theta.size]
    far = np.abs(fit.theta - whole.theta) / np.where(errors > 0, errors, 1.0)
    assert far.max() < 1e-3
    assert fit.loss == pytest.approx(whole.loss, rel=1e-12)
    assert any(note.startswith("start improved on samples of 937 and 15,000 rows") for note in fit.notes)


def test_a_smooth_problem_takes_two_passes():
    """The end of the second step is foreseen: J and standard errors there are those of rows read again."""
    fit = descend.fit("y ~ a*exp(-b*x) + c", COLUMNS)
    assert fit.passes < 2.5
    assert fit.summary()["passes"] == fit.passes
    exact = descend.fit("y ~ a*exp(-b*x) + c", COLUMNS, optimizer="levenberg_marquardt", start=fit.parameters)
    np.testing.assert_allclose(fit.theta, exact.theta, rtol=1e-10)
    assert fit.loss == pytest.approx(exact.loss, rel=1e-13)
    for name, error in fit.standard_errors.items():
        assert error == pytest.approx(exact.standard_errors[name], rel=1e-5)


def test_the_users_start_is_where_it_begins():
    ascending = descend.fit("y ~ a*exp(-b*x) + c", COLUMNS, start={"a": 1.0, "b": 2.0, "c": 0.0})
    assert ascending.passes < 3.5
    assert ascending.parameters == pytest.approx({"a": 3.0, "b": 0.7, "c": -0.5}, abs=0.02)


@pytest.mark.parametrize("options", [{"epochs": 5}, {"optimizer": "levenberg_marquardt"}, {"learning_rate": 0.1}])
def test_what_is_asked_for_is_done_on_all_rows(options):
    options = {"epochs": 5, **options}
    start = {"a": 1.0, "b": 2.0, "c": 0.0}
    fit = descend.fit("y ~ a*exp(-b*x) + c", COLUMNS, start=start, **options)
    assert fit.trace[0].parameters == start
    assert not any("samples" in note for note in fit.notes)


def test_it_is_resumed_bit_for_bit(tmp_path):
    whole = descend.fit("y ~ a*exp(-b*x) + c", COLUMNS, checkpoint=tmp_path / "run.json")
    again = descend.fit("y ~ a*exp(-b*x) + c", COLUMNS, checkpoint=tmp_path / "run.json", resume=True)
    assert again.theta.tolist() == whole.theta.tolist()
    assert again.outcome == "converged"


def test_fewer_rows_are_enough_where_they_are_read_anew_for_every_pass(tmp_path):
    for place in range(3):
        rows = np.column_stack([COLUMNS["x"][place::12], COLUMNS["y"][place::12]])
        np.savetxt(tmp_path / f"part{place}.csv", rows, delimiter=",", header="x,y", comments="")
    chosen = {"where": "x >= 0 and y > -9", "engine": "query"}
    fit = descend.fit("y ~ a*exp(-b*x) + c", str(tmp_path / "*.csv"), **chosen)
    assert fit.rows == ROWS // 4
    assert fit.passes < 3.5
    assert any(note.startswith("start improved on samples of ") for note in fit.notes)


def test_classes_go_on_from_a_sample_by_gradients_alone():
    random = np.random.default_rng(5)
    x = random.normal(size=(60_000, 12))
    scores = x @ random.normal(size=(12, 6)) / 4.0
    y = (scores + random.gumbel(size=scores.shape)).argmax(axis=1)
    data = {f"x{place}": column for place, column in enumerate(x.T)} | {"y": y}
    fit = descend.fit("y ~ b + w @ [x*]", data, loss="multinomial")
    slow = descend.fit("y ~ b + w @ [x*]", data, loss="multinomial", optimizer="newton")
    assert fit.outcome == "converged" and any("samples of 3,750 rows" in note for note in fit.notes)
    assert fit.loss == pytest.approx(slow.loss, rel=1e-14)
    error = np.array(list(slow.standard_errors["w"].values()))
    ours, others = (np.array(list(each.parameters["w"].values())) for each in (fit, slow))
    assert np.abs(ours - others).max() < 1e-5 * error.min()


@pytest.mark.parametrize(
    ("loss", "noise", "most"),
    [("student_t", "t", 8.0), ("negative_binomial", "count", 6.0), ("huber", "t", 24.0)],
)
def test_what_is_only_a_start_is_found_on_samples(loss, noise, most, monkeypatch):
    """All passes count, also those of simpler fits: of those that a scale, or a start of a loss with one, is from.

    Rounds that settle a scale begin where the one before ended on all rows, not where samples lead.
    """
    rng = np.random.default_rng(6)
    mean = np.exp(0.3 + 0.2 * X)
    y = mean + 0.1 * rng.standard_t(4, ROWS) if noise == "t" else rng.negative_binomial(3, 3.0 / (3.0 + mean)) * 1.0
    rows, evaluate = [], NumpyEngine.evaluate

    def counted(self, theta, order=1, rows_of=None):
        rows.append(self.count if rows_of is None else len(rows_of))
        return evaluate(self, theta, order, rows_of)

    monkeypatch.setattr(NumpyEngine, "evaluate", counted)
    fit = descend.fit("y ~ exp(a + b*x)", {"x": X, "y": y}, loss=loss)
    assert fit.outcome == "converged"
    assert sum(rows) / ROWS < most
    assert fit.parameters["a"] == pytest.approx(0.3, abs=0.02)
    assert fit.parameters["b"] == pytest.approx(0.2, abs=0.02)
