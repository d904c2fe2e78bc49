"""The black box: the cause of a run that failed, its evidence, and no cause for one that did not."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch
from benchmarks.diagnosis_corpus import ENTRIES

import descend
from descend.diagnosis import Cause, ended_run
from descend.diagnosis.mistyped_values import suspects
from descend.diagnosis.operations import first_broken, watched_numpy, watched_torch
from descend.losses import LOSSES

X = np.linspace(0.0, 4.0, 60)
LINE = {"x": X, "y": 2.0 * X + 1.0 + 0.3 * np.random.default_rng(0).normal(size=60)}
ZERO = {"w": 0.0, "b": 0.0}
QUICK = {
    "rate_line 1 gd", "rate_swings huber(delta=1)", "rate_layer torch.float32", "rate_adam", "scale_line 1 gd",
    "scale_powers", "scale_function by_hand", "bad_input -9999.0", "bad_function autograd", "bad_layer", "domain_log 1",
    "domain_numpy", "domain_torch", "domain_module", "overflow_formula 1 numpy", "overflow_function False",
    "overflow_module torch.float32", "plateau_sigmoid 1", "gradient_text sign",
    "gradient_text swapped",  "few_line 1 gd", "few_adam", "few_layer torch.float64", "fine_lesson",
    "fine_by_hand", "fine_line gd", "fine_adaptive adam", "fine_heavy", "fine_unscaled",
    "fine_logistic None", "fine_layer torch.float32", "fine_outlier", "fine_standardized", "fine_penalty l1",
}  # fmt: skip


def chosen():
    for number, each in enumerate(ENTRIES):
        if each.name in QUICK:
            yield pytest.param(each, number, id=each.name)


@pytest.mark.parametrize(("entry", "number"), list(chosen()))
def test_the_cause_is_named(entry, number):
    fit = entry.run(np.random.default_rng([7, number]))
    assert fit.cause == entry.cause, fit.diagnosis
    if entry.cause is None:
        assert fit.evidence == {} and fit.summary()["cause"] is None
    else:
        assert fit.diagnosis.sentence.endswith(".") and fit.evidence
        json.dumps(fit.summary(), allow_nan=False)


def test_the_quick_ones_are_in_the_corpus():
    names = {each.name for each in ENTRIES}
    assert names >= QUICK
    assert len(names) == len(ENTRIES)
    faulty = [each for each in ENTRIES if each.cause is not None]
    assert len(faulty) >= 60 and len(ENTRIES) - len(faulty) >= 60
    assert {each.cause for each in faulty} == {str(cause) for cause in Cause}


# ---------------------------------------------------------------- evidence


@pytest.mark.parametrize("epochs", [20, 60])
def test_a_rate_just_beyond_the_limit_of_a_parabola_is_to_blame_before_the_loss_rises(epochs):
    data = {"x": np.linspace(0.0, 5.0, 100), "y": 2.0 * np.linspace(0.0, 5.0, 100) + 1.0}
    rows = np.column_stack([data["x"], np.ones(100)])
    limit = 2.0 / np.linalg.eigvalsh(2.0 * rows.T @ rows / 100)[-1]
    options = {"start": {"w": 4.0, "b": -3.0}, "optimizer": "gd", "epochs": epochs}
    fit = descend.fit("y ~ w*x + b", data, learning_rate=1.003 * limit, **options)
    assert fit.cause == "rate_too_large"
    assert fit.diagnosis.sentence == (
        f"rate {1.003 * limit:g} is beyond the largest stable one, {limit:.4g}: in the end J grows by 1.2% per epoch."
    )
    assert descend.fit("y ~ w*x + b", data, learning_rate=0.99 * limit, **options).cause == "too_few_epochs"


@pytest.mark.parametrize("optimizer", ["gd", "momentum", "nesterov"])
def test_the_growth_that_was_measured_is_the_one_predicted(optimizer):
    curvature = 2.0 * np.linalg.eigvalsh(np.array([[np.mean(X**2), X.mean()], [X.mean(), 1.0]]))[-1]
    limit = {"gd": 2.0, "momentum": 3.8, "nesterov": 3.8 / 2.8}[optimizer] / curvature
    fit = descend.fit("y ~ w*x + b", LINE, start=ZERO, optimizer=optimizer, learning_rate=1.5 * limit, epochs=500)
    assert fit.cause is Cause.RATE_TOO_LARGE
    assert fit.evidence["largest_curvature"] == pytest.approx(curvature)
    assert fit.evidence["times_too_large"] == pytest.approx(1.5)
    assert fit.evidence["growth_measured"] == pytest.approx(fit.evidence["growth_predicted"], rel=0.01)


def test_the_textbook_rate_in_words():
    x = np.arange(100) / 10
    data = {"x": x, "y": 2 * x + 2 * np.random.default_rng(0).uniform(size=100)}
    fit = descend.fit("y ~ w*x", data, start={"w": 0.0}, optimizer="gd", learning_rate=0.05)
    assert fit.diagnosis.sentence == (
        "rate 0.05 is 1.64 times the largest stable one; the gradient grew 2.284 times per epoch, 2.284 times "
        "predicted from the curvature."
    )


def test_bad_rows_are_counted_from_one():
    data = {name: column.copy() for name, column in LINE.items()}
    data["x"][[17, 41]] = -9999.0
    fit = descend.fit("y ~ w*x + b", data, start=ZERO, optimizer="gd", learning_rate=0.05, epochs=100)
    assert (fit.evidence["column"], fit.evidence["rows"]) == ("x", [18, 42])
    assert fit.diagnosis.sentence == (
        "`x` is -9999 in rows 18, 42, while all other rows lie between 0 and 4; without these rows the same run goes "
        "well."
    )
    assert fit.advice == 'Correct these rows, or leave them out: where="x <> -9999".'
    again = descend.fit("y ~ w*x + b", data, start=ZERO, optimizer="gd", learning_rate=0.05, epochs=200,
                        where="x <> -9999")  # fmt: skip
    assert again.cause is None and again.rows == 58


def test_what_leaves_its_domain_is_named_with_its_row_and_parameters():
    data = {"x": X, "y": 3.0 * np.log(0.05 + X)}
    fit = descend.fit("y ~ a*log(b + x)", data, start={"a": 1.0, "b": 1.0}, optimizer="gd", learning_rate=0.5,
                      epochs=500)  # fmt: skip
    assert fit.cause is Cause.DOMAIN_ERROR
    assert (fit.evidence["expression"], fit.evidence["row"], fit.evidence["inputs"]) == ("log(b + x)", 1, {"x": 0.0})
    assert fit.evidence["parameters"]["b"] < 0.0
    assert all(np.isfinite(value) for value in fit.parameters.values())


@pytest.mark.parametrize(
    ("formula", "y", "loss"),
    [
        ("y ~ exp(a + b*x)", np.round(np.exp(0.5 + 0.05 * np.linspace(0.0, 50.0, 40))), "poisson"),
        ("y ~ a*exp(-b*x)", 3.0 * np.exp(-0.05 * np.linspace(0.0, 50.0, 40)) + 0.01, "squared"),
    ],
)
def test_a_rate_far_too_large_is_to_blame_where_no_start_was_given(formula, y, loss):
    data = {"x": np.linspace(0.0, 50.0, 40), "y": y}
    fit = descend.fit(formula, data, loss=loss, optimizer="gd", learning_rate=1000.0)
    assert fit.cause is Cause.RATE_TOO_LARGE
    said = re.search(r'Use learning_rate=(.*), or learning_rate="auto"\.$', fit.advice)
    assert float(said[1]) < fit.evidence["largest_stable_rate"]
    for rate in (float(said[1]), "auto"):
        assert (
            descend.fit(formula, data, loss=loss, optimizer="gd", learning_rate=rate, epochs=50).outcome != "diverged"
        )


def test_where_no_smaller_rate_is_known_auto_is_named_first():
    fit = descend.fit("y ~ a*x + b", {"x": X, "y": X}, optimizer="adam", learning_rate=1e20)
    assert fit.cause is Cause.RATE_TOO_LARGE
    assert fit.advice.endswith('it diverged. Use learning_rate="auto" instead of 1e+20.')


def test_what_overflows_is_named():
    x = np.linspace(0.0, 800.0, 50)
    fit = descend.fit("y ~ a*exp(b*x)", {"x": x, "y": 1.0 + x / 800.0}, start={"a": 1.0, "b": 0.0}, optimizer="gd",
                      learning_rate=0.01)  # fmt: skip
    assert fit.cause is Cause.OVERFLOW
    assert (fit.evidence["expression"], fit.evidence["value"]) == ("exp(b*x)", "inf")
    assert fit.evidence["parameters"]["b"] * x[fit.evidence["row"] - 1] > 709.0


def test_an_unscaled_column_is_named_with_both_conditions():
    data = {"year": np.arange(1960.0, 2024.0), "y": np.arange(64) * 0.1}
    fit = descend.fit("y ~ a + b*year", data, start={"a": 0.0, "b": 0.0}, optimizer="gd", learning_rate=0.1)
    assert fit.cause is Cause.UNSCALED_COLUMN and fit.evidence["column"] == "year"
    assert fit.evidence["condition"] > 1e9 and fit.evidence["condition_standardized"] == pytest.approx(1.0)
    again = descend.fit("y ~ a + b*year", data, start={"a": 0.0, "b": 0.0}, optimizer="gd", learning_rate=0.1,
                        standardize=True)  # fmt: skip
    assert again.cause is None and again.outcome == "converged"


def test_the_epochs_that_are_needed_are_enough():
    options = {"start": ZERO, "optimizer": "gd", "learning_rate": 0.01}
    short = descend.fit("y ~ w*x + b", LINE, epochs=20, **options)
    assert short.cause is Cause.TOO_FEW_EPOCHS and short.succeeded
    enough = descend.fit("y ~ w*x + b", LINE, epochs=2 * short.evidence["epochs_needed"], **options)
    assert enough.cause is None
    assert f"epochs={short.evidence['epochs_needed']}" in short.advice


def test_the_batch_that_helps_does():
    random = np.random.default_rng(1)
    x = random.normal(size=(300, 4))
    data = {f"x{k + 1}": x[:, k] for k in range(4)}
    data["y"] = x @ np.array([1.0, -2.0, 0.5, 3.0]) + 2.0 * random.normal(size=300)
    options = {"optimizer": "gd", "learning_rate": 0.09, "epochs": 60, "start": {"w": 0.0}}
    fit = descend.fit("y ~ w @ [x*]", data, batch_size=1, **options)
    assert fit.cause is Cause.BATCH_NOISE
    assert fit.evidence["noise_of_batch_gradient"] > fit.evidence["gradient_norm"]
    assert descend.fit("y ~ w @ [x*]", data, batch_size=fit.evidence["batch_size_that_helps"], **options).cause is None


def test_a_dead_layer_is_named_though_the_run_converged():
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(1, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1)).double()
    torch.nn.init.constant_(module[0].bias, -50.0)
    fit = descend.fit(module, LINE, inputs=["x"], response="y", optimizer="adam", learning_rate=0.1)
    assert fit.cause is Cause.PLATEAU and fit.evidence["layer"] == "relu in 1 (ReLU)"
    assert fit.evidence["share_without_derivative"] == 1.0


# ---------------------------------------------------------------- what must not change


def test_a_module_is_left_as_its_run_left_it():
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(1, 4), torch.nn.BatchNorm1d(4), torch.nn.ReLU(), torch.nn.Linear(4, 1))
    fit = descend.fit(module, LINE, inputs=["x"], response="y", optimizer="gd", learning_rate=50.0, epochs=30)
    assert fit.cause is Cause.RATE_TOO_LARGE
    assert np.mean((fit.predict(LINE) - LINE["y"]) ** 2) == pytest.approx(fit.loss, rel=1e-5)
    assert all(torch.isfinite(part).all() for part in module.state_dict().values())
    assert all(part.grad is None for part in module.parameters()) and module.training


def test_the_cause_is_kept_in_the_model_file(tmp_path):
    fit = descend.fit("y ~ w*x + b", LINE, start=ZERO, optimizer="gd", learning_rate=0.5, epochs=50)
    fit.save(tmp_path / "line.json")
    loaded = descend.load(tmp_path / "line.json")
    assert loaded.cause is fit.cause is Cause.RATE_TOO_LARGE
    assert loaded.evidence == pytest.approx(fit.evidence) and loaded.advice == fit.advice


def test_a_healthy_fit_is_not_examined_before_it_is_asked(monkeypatch):
    asked = []
    monkeypatch.setattr(ended_run, "diagnose", lambda problem, run: asked.append(run))
    descend.fit("y ~ w*x + b", LINE, start=ZERO, optimizer="gd", learning_rate=0.01, epochs=5)
    descend.fit("y ~ w*x + b", LINE)
    assert asked == []


# ---------------------------------------------------------------- parts


@pytest.mark.parametrize("seed", range(20))
def test_heavy_tails_have_no_suspects_but_placeholders_are(seed):
    random = np.random.default_rng(seed)
    for values in (random.lognormal(size=500), random.exponential(size=500), random.standard_t(3, size=500)):
        assert suspects("x", values) is None
        spoilt = values.copy()
        spoilt[[3, 77]] = -99999.0
        assert suspects("x", spoilt).rows.tolist() == [3, 77]


def honest(random, rows):
    """Columns that are wild, but no mistake."""
    rare = random.uniform(size=rows) < 0.05
    return {
        "t3": random.standard_t(3, size=rows),
        "cauchy": random.standard_cauchy(size=rows),
        "lognormal": random.lognormal(sigma=1.5, size=rows),
        "counts": random.poisson(0.2, size=rows).astype(float),
        "overdispersed": random.negative_binomial(0.3, 0.05, size=rows).astype(float),
        "zeros": np.where(random.uniform(size=rows) < 0.2, 0.0, random.normal(50.0, 3.0, size=rows)),
        "bursts": np.where(rare, random.normal(50.0, 5.0, size=rows), random.normal(size=rows)),
        "dilutions": 10.0 ** random.integers(-3, 6, size=rows),
    }


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("role", ["x", "noise", "y"])
def test_honest_columns_are_no_cause_for_a_fit_that_converged(seed, role):
    random = np.random.default_rng(seed)
    for rows in (40, 300):
        for name, values in honest(random, rows).items():
            x = values if role == "x" else random.uniform(0.0, 10.0, rows)
            y = values if role == "y" else 2.0 * x + 1.0 + (values if role == "noise" else random.normal(size=rows))
            assert descend.fit("y ~ w*x + b", {"x": x, "y": y}).cause is None, (name, rows)


@pytest.mark.parametrize("loss", ["squared", "huber(delta=1)"])
def test_placeholders_in_the_response_of_a_fit_that_converged(loss):
    data = {name: column.copy() for name, column in LINE.items()}
    data["y"][[4, 30]] = -9999.0
    fit = descend.fit("y ~ w*x + b", data, loss=loss)
    assert fit.outcome == "converged"
    if loss != "squared":  # it hardly minds
        assert fit.cause is None and fit.diagnosis.sentence.endswith("; these rows hardly moved the fit.")
        return
    assert fit.cause is Cause.BAD_ROWS and fit.evidence["rows"] == [5, 31] and fit.evidence["values"] == [-9999.0] * 2
    without = descend.fit("y ~ w*x + b", data, where="y <> -9999")
    assert fit.diagnosis.sentence.endswith(
        f"without these rows the loss over all others falls from 1.649e+05 to {without.loss:.4g}."
    )
    assert fit.advice == 'Correct these rows, or leave them out: where="y <> -9999".'


def test_one_row_that_may_be_honest_is_told_without_a_cause():
    data = {name: column.copy() for name, column in LINE.items()}
    data["y"][7] = 321.5
    fit = descend.fit("y ~ w*x + b", data)
    assert fit.cause is None and fit.evidence["rows"] == [8]
    assert fit.advice.startswith(
        "The gradient is zero to within the tolerance; no further epochs are needed. But `y` is"
    )
    assert "321.5 in row 8" in fit.advice


def test_columns_of_two_values_have_no_suspects():
    assert suspects("x", np.array([0.0] * 97 + [1.0] * 3)) is None
    assert suspects("x", np.full(30, 7.0)) is None


def test_the_operation_that_breaks_is_found_in_numpy_and_torch():
    x = np.array([3.0, -1.0, 2.0])
    prediction, loss = np.array([1.0, np.nan, 1.0]), LOSSES.build("squared")
    seen = watched_numpy(lambda wrap: np.exp(np.log(wrap(x))) + 1.0)
    found = first_broken(seen, prediction, loss, 3, single=False)
    assert (found.operation.name, found.row, found.outside) == ("log", 1, True)
    module = torch.nn.Sequential(torch.nn.Identity(), torch.nn.Softplus())
    tensor = torch.tensor(x)
    seen = watched_torch(lambda: module(torch.sqrt(tensor)), module)
    found = first_broken(seen, prediction, loss, 3, single=False)
    assert (found.operation.name, found.row, found.outside) == ("sqrt", 1, True)


@pytest.mark.parametrize("rows", [20, 2000])
@pytest.mark.parametrize("part", [False, True])
def test_separated_classes_end_a_fit_soon_and_are_named(rows, part):
    random = np.random.default_rng(0)
    x, z = random.normal(size=(2, rows))
    if part:
        x = np.round(x)
    y = np.where(x == 0.0, random.uniform(size=rows) < 0.5, x > 0.0) if part else x + 0.5 * z > 0.0
    fit = descend.fit("y ~ a + b*x + c*z", {"x": x, "z": z, "y": y.astype(float)}, loss="logistic")
    assert (fit.outcome, fit.cause, fit.evidence) == ("stalled", "plateau", {"separated": True})
    assert "so there is no best fit" in fit.advice or "and there is no best fit" in fit.advice
    assert fit.epochs < 200


SLOWING = {"x": np.linspace(0.0, 4.0, 80), "y": 2.5 * np.exp(-1.3 * np.linspace(0.0, 4.0, 80)) + 0.5}


def test_a_run_that_slows_down_is_told_no_number_of_epochs():
    start = {"a": 1e6, "b": 0.1, "c": 0.0}
    fit = descend.fit("y ~ a*exp(-b*x) + c", SLOWING, start=start, optimizer="gd", epochs=2000)
    assert fit.cause is Cause.TOO_FEW_EPOCHS and fit.evidence["epochs_needed"] is None
    assert fit.diagnosis.sentence.endswith(
        "and 0 can be reached; how many epochs that takes cannot be told from those so far."
    )
    assert fit.diagnosis.advice == "Use another optimizer, such as lbfgs."


def test_a_run_that_keeps_its_pace_is_told_how_many_epochs_it_takes():
    options = {"start": {"a": 1.0, "b": 1.0, "c": 0.0}, "optimizer": "gd", "learning_rate": 0.05}
    fit = descend.fit("y ~ a*exp(-b*x) + c", SLOWING, epochs=200, **options)
    assert fit.diagnosis.advice.startswith(f"Use epochs={fit.evidence['epochs_needed']}, or ")
    enough = descend.fit("y ~ a*exp(-b*x) + c", SLOWING, epochs=2 * fit.evidence["epochs_needed"], **options)
    assert enough.cause is None
