"""A run, held against closed forms: what each step shows, where it ends, and what it says."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import descend
from descend.descent.outcome import Outcome
from descend.descent.step import MOST_STEPS, Step, Trace
from descend.engines.batches import shuffled

LESSON = {"start": {"w": 0.0}, "optimizer": "gd", "learning_rate": 0.001, "epochs": 100}


def closed_form(data, rate, epochs):
    """w_k of gradient descent from 0 on mean((w x - y)**2)."""
    x, y = data["x"], data["y"]
    best, curvature = np.mean(x * y) / np.mean(x * x), 2 * np.mean(x * x)
    return best * (1 - (1 - rate * curvature) ** np.arange(epochs + 1))


@pytest.mark.parametrize("gradient", [None, "w = mean(2*w*x*x - 2*x*y)", "w = sum(2*x*(w*x - y))/n", "autograd"])
@pytest.mark.parametrize("rate", [0.001, 0.02, 0.0304])
def test_gradient_descent_follows_the_closed_form(line, gradient, rate):
    fit = descend.fit("y ~ w*x", line, **LESSON | {"learning_rate": rate}, gradient=gradient)
    w = np.array([step.parameters["w"] for step in fit.trace])
    np.testing.assert_allclose(w, closed_form(line, rate, 100), rtol=0, atol=1e-12)
    x, y = line["x"], line["y"]
    np.testing.assert_allclose(fit.trace.losses, [np.mean((at * x - y) ** 2) for at in w], rtol=1e-12)
    slopes = [abs(np.mean(2 * x * (at * x - y))) for at in w]
    np.testing.assert_allclose([step.gradient_norm for step in fit.trace], slopes, rtol=1e-9, atol=1e-12)
    assert [step.epoch for step in fit.trace] == list(range(101))


def test_functions_follow_it_too(line):
    def forward(x, w):
        return w * x

    def gradient(x, y, w):
        return np.mean(2 * w * x * x - 2 * x * y)

    for source in (gradient, "autograd"):
        fit = descend.fit(forward, line, response="y", gradient=source, **LESSON)
        w = np.array([step.parameters["w"] for step in fit.trace])
        np.testing.assert_allclose(w, closed_form(line, 0.001, 100), rtol=0, atol=1e-12)
        np.testing.assert_allclose(fit.predict({"x": [7.0]}), 7 * w[-1])


def test_asked_for_epochs_are_all_run_even_past_convergence(line):
    fit = descend.fit("y ~ w*x", line, **LESSON | {"epochs": 2000})
    assert (len(fit.trace), fit.epochs, fit.outcome) == (2001, 2000, "converged")


def test_without_epochs_a_run_ends_when_it_has_converged(line):
    fit = descend.fit("y ~ w*x + b", line, optimizer="gd")
    assert fit.outcome is Outcome.CONVERGED
    slope, intercept = np.polyfit(line["x"], line["y"], 1)
    assert fit.parameters["w"] == pytest.approx(slope, rel=1e-7)
    assert fit.parameters["b"] == pytest.approx(intercept, rel=1e-6)
    assert fit.epochs < 10_000


def test_no_epochs_leave_the_start_and_say_what_it_costs(line):
    fit = descend.fit("y ~ w*x", line, start={"w": 1.5}, optimizer="gd", learning_rate=0.001, epochs=0)
    assert fit.parameters == {"w": 1.5}
    assert fit.loss == pytest.approx(np.mean((1.5 * line["x"] - line["y"]) ** 2))


@pytest.mark.parametrize("optimizer", ["gd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "lbfgs"])
def test_with_a_rate_of_its_own_choice_every_optimizer_descends(line, optimizer):
    fit = descend.fit("y ~ w*x + b", line, optimizer=optimizer, epochs=300)
    assert fit.loss < 0.02 * fit.trace[0].loss
    assert fit.outcome in ("converged", "epochs_used_up")


def test_too_large_a_rate_ends_early_keeps_finite_parameters_and_names_the_limit(line):
    fit = descend.fit("y ~ w*x", line, start={"w": 0.0}, optimizer="gd", learning_rate=0.05)
    assert fit.outcome is Outcome.DIVERGED
    assert fit.epochs < 20
    assert np.isfinite(fit.parameters["w"])
    assert "The largest stable rate at the start is 0.0305 (2/lambda_max with lambda_max = 65.67)" in fit.advice
    assert 2 / (2 * np.mean(line["x"] ** 2)) == pytest.approx(0.0305, abs=5e-5)


@pytest.mark.parametrize(("name", "factor"), [("gd", 2.0), ("momentum", 3.8), ("nesterov", 3.8 / 2.8)])
def test_the_largest_stable_rate_is_where_a_run_tips_over(line, name, factor):
    limit = factor / (2 * np.mean(line["x"] ** 2))
    options = {"optimizer": name, "epochs": 3000, "start": {"w": 0.0}}
    below = descend.fit("y ~ w*x", line, learning_rate=0.99 * limit, **options)
    above = descend.fit("y ~ w*x", line, learning_rate=1.01 * limit, **options)
    assert below.outcome in ("converged", "epochs_used_up")
    assert below.loss < below.trace[0].loss
    assert above.outcome is Outcome.DIVERGED


def test_a_rate_that_overflows_at_once_still_leaves_finite_parameters():
    data = {"x": np.array([1e150, 2e150, 3e150]), "y": np.array([1.0, 2.0, 3.0])}
    fit = descend.fit("y ~ w*x", data, start={"w": 0.0}, optimizer="gd", learning_rate=1e200)
    assert fit.outcome is Outcome.DIVERGED
    assert np.isfinite(fit.parameters["w"])


def test_a_plateau_is_no_minimum():
    data = {"x": np.arange(1.0, 11.0), "y": 200 * (1 - np.exp(-0.5 * np.arange(1.0, 11.0)))}
    fit = descend.fit("y ~ a*(1 - exp(-b*x))", data, start={"a": 1.0, "b": 400.0}, optimizer="gd", learning_rate=0.1)
    assert fit.outcome is Outcome.STALLED
    assert not fit.succeeded


def test_a_time_limit_ends_a_run(line):
    fit = descend.fit("y ~ w*x", line, **LESSON | {"epochs": 10_000_000, "engine": "numpy"}, time_limit=0.05)
    assert fit.outcome is Outcome.TIME_USED_UP
    assert 0.05 <= fit.seconds < 5


def test_ctrl_c_ends_a_run_with_what_it_had(line):
    def press_at_epoch_50(step: Step) -> None:
        if step.epoch == 50:
            os.kill(os.getpid(), signal.SIGINT)

    fit = descend.fit("y ~ w*x", line, **LESSON | {"epochs": 10_000_000}, on_step=press_at_epoch_50)
    assert fit.outcome is Outcome.INTERRUPTED
    assert 50 <= fit.epochs <= 52
    np.testing.assert_allclose(fit.parameters["w"], closed_form(line, 0.001, fit.epochs)[-1], atol=1e-12)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_ends_a_run_that_nobody_follows(line):
    press = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    press.start()
    fit = descend.fit("y ~ w*x", line, **LESSON | {"epochs": 10_000_000, "engine": "numpy"})
    assert fit.outcome is Outcome.INTERRUPTED
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_ends_a_loop_over_small_fits(line):
    press = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    press.start()
    with pytest.raises(KeyboardInterrupt):
        for _ in range(10_000):
            descend.fit("y ~ w*x", line, start={"w": 0.0})


def test_a_fit_runs_in_a_thread_where_no_handler_can_be_set(line):
    fits = []
    thread = threading.Thread(target=lambda: fits.append(descend.fit("y ~ w*x", line, **LESSON)))
    thread.start()
    thread.join()
    assert fits[0].epochs == 100


def test_batches_of_all_rows_make_the_full_step(line):
    whole = descend.fit("y ~ w*x", line, **LESSON, engine="numpy")
    one_batch = descend.fit("y ~ w*x", line, **LESSON, batch_size=100)
    assert [step.theta[0] for step in whole.trace] == [step.theta[0] for step in one_batch.trace]


def test_batches_follow_their_seed_and_show_the_loss_over_all_rows(line):
    options = {"optimizer": "gd", "learning_rate": 0.001, "epochs": 20, "start": {"w": 0.0}, "batch_size": 10}
    first, again, other = (descend.fit("y ~ w*x", line, **options, seed=seed) for seed in (1, 1, 2))
    assert first.trace.losses.tolist() == again.trace.losses.tolist() != other.trace.losses.tolist()
    w = [step.parameters["w"] for step in first.trace]
    np.testing.assert_allclose(first.trace.losses, [np.mean((at * line["x"] - line["y"]) ** 2) for at in w], rtol=1e-12)
    # One epoch by hand.
    at = 0.0
    for rows in shuffled(100, 10, seed=1, epoch=0):
        x, y = line["x"][rows], line["y"][rows]
        at -= 0.001 * np.mean(2 * x * (at * x - y))
    assert w[1] == pytest.approx(at, rel=1e-12)


@given(st.integers(1, 200), st.integers(1, 50), st.integers(0, 5), st.integers(0, 5))
def test_batches_hold_every_row_once(rows, size, seed, epoch):
    cut = shuffled(rows, size, seed, epoch)
    assert sorted(np.concatenate(cut).tolist()) == list(range(rows))
    assert all(len(part) == size for part in cut[:-1])


def test_a_schedule_multiplies_the_rate(line):
    fit = descend.fit("y ~ w*x", line, **LESSON, schedule="step(every=10, decay=0.5)")
    rates = [step.learning_rate for step in fit.trace]
    np.testing.assert_allclose(rates[:-1], [0.001 * 0.5 ** (epoch // 10) for epoch in range(100)])


def test_ridge_is_the_closed_form_and_leaves_the_intercept_alone():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(60, 2))
    y = x @ [2.0, -1.0] + 5 + 0.1 * rng.normal(size=60)
    fit = descend.fit("y ~ w @ [x1, x2] + b", {"x1": x[:, 0], "x2": x[:, 1], "y": y}, l2=0.3)
    design = np.column_stack([x, np.ones(60)])
    expected = np.linalg.solve(design.T @ design / 60 + 0.3 * np.diag([1, 1, 0]), design.T @ y / 60)
    np.testing.assert_allclose([*fit.parameters["w"], fit.parameters["b"]], expected, rtol=1e-9)
    assert fit.loss == pytest.approx(np.mean((design @ expected - y) ** 2) + 0.3 * expected[:2] @ expected[:2])
    assert fit.standard_errors is None


@pytest.mark.parametrize("optimizer", ["gd", "momentum", None])
def test_an_l1_penalty_gives_exact_zeros_at_the_minimum(optimizer):
    rng = np.random.default_rng(4)
    x = rng.normal(size=(200, 5))
    y = x @ [3.0, 0.0, -2.0, 0.0, 0.0] + 0.05 * rng.normal(size=200)
    data = {f"x{k}": x[:, k] for k in range(5)} | {"y": y}
    fit = descend.fit("y ~ w @ [x*]", data, l1=0.2, optimizer=optimizer)
    w = fit.parameters["w"]
    assert fit.outcome is Outcome.CONVERGED
    assert w[[1, 3, 4]].tolist() == [0.0, 0.0, 0.0]
    slope = 2 * x.T @ (x @ w - y) / 200
    np.testing.assert_allclose(slope[[0, 2]], -0.2 * np.sign(w[[0, 2]]), atol=1e-7)
    assert (np.abs(slope[[1, 3, 4]]) <= 0.2).all()


def test_an_optimizer_that_cannot_follow_kinks_is_refused(line):
    with pytest.raises(descend.ConfigError) as refused:
        descend.fit("y ~ w*x", line, l1=0.1, optimizer="adam")
    assert str(refused.value) == (
        "The optimizer `adam` cannot follow an l1 penalty, which has kinks. "
        "Use one of: gd, momentum, levenberg_marquardt."
    )


def test_row_weights_count_rows_as_often(line):
    often = np.random.default_rng(5).integers(0, 4, size=100)
    repeated = {name: np.repeat(column, often) for name, column in line.items()}
    for options in ({}, {"optimizer": "gd", "learning_rate": 0.001, "epochs": 50}):
        weighted = descend.fit("y ~ w*x + b", line | {"often": often}, weights="often", **options)
        plain = descend.fit("y ~ w*x + b", repeated, **options)
        np.testing.assert_allclose(list(weighted.parameters.values()), list(plain.parameters.values()), rtol=1e-9)
        assert weighted.loss == pytest.approx(plain.loss, rel=1e-9)


def test_a_weighted_gradient_by_hand_is_weighted_too(line):
    data = line | {"often": np.arange(100.0)}
    derived = descend.fit("y ~ w*x", data, weights="often", **LESSON)
    by_hand = descend.fit("y ~ w*x", data, weights="often", gradient="w = mean(2*x*(w*x - y))", **LESSON)
    np.testing.assert_allclose(by_hand.trace.losses, derived.trace.losses, rtol=1e-12)


def test_a_long_trace_is_thinned_but_keeps_its_ends():
    trace = Trace()
    for epoch in range(3 * MOST_STEPS):
        trace.append(Step(epoch, np.zeros(1), 1.0, 1.0, 1.0, 0.0, None, None))
    assert len(trace) <= MOST_STEPS
    assert (trace[0].epoch, trace[-1].epoch) == (0, 3 * MOST_STEPS - 1)
    assert len(set(np.diff(trace.epochs)[:-1])) == 1


def test_every_outcome_has_its_advice():
    ways = [{"started": started, "rated": rated} for started in (True, False) for rated in (True, False)]
    assert all(outcome.advice(**way).endswith(".") for outcome in Outcome for way in ways)


def test_a_run_says_what_it_chose_for_the_user(line):
    fit = descend.fit("y ~ w*x", line, optimizer="gd", learning_rate="auto")
    rate = 1 / (2 * np.mean(line["x"] ** 2))
    assert fit.learning_rate == pytest.approx(rate)
    assert fit.notes[0].startswith(f"learning rate {rate:.4g}, chosen as 1 / (largest curvature at the start)")
    assert descend.fit("y ~ w*x", line).notes[0].startswith("optimizer levenberg_marquardt, chosen because")


def test_log_every_prints_the_loss_at_the_same_parameters(line, capsys):
    descend.fit("y ~ w*x", line, **LESSON, log_every=50)
    assert capsys.readouterr().out.splitlines() == [
        "epoch     0  loss 155.853       |gradient| 142.8       w=0",
        "epoch    50  loss 0.742301      |gradient| 4.784       w=2.10183",
        "epoch   100  loss 0.568252      |gradient| 0.1602      w=2.17224",
    ]


def test_the_seconds_of_a_fit_are_those_from_the_call_to_the_result(line):
    began = time.perf_counter()
    fit = descend.fit("y ~ w*x", line, **LESSON)
    assert 0 < fit.trace[-1].seconds < fit.seconds <= time.perf_counter() - began


def test_a_fit_that_is_let_go_frees_its_rows_at_once():
    fit = descend.fit("y ~ a*exp(-b*x)", {"x": [0.0, 1.0, 2.0, 3.0], "y": [2.0, 1.0, 0.6, 0.2]}, start={"a": 1, "b": 1})
    column = weakref.ref(fit.solution.columns["x"])
    gc.disable()
    try:
        del fit
        assert column() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("options", "note"),
    [
        ({}, None),
        ({"learning_rate": 0.1}, "the learning rate is not used: lbfgs finds the length of each step itself"),
        ({"schedule": "exponential"}, "the schedule is not used: lbfgs finds the length of each step itself"),
        (
            {"learning_rate": 0.1, "schedule": "exponential"},
            "the learning rate and the schedule are not used: lbfgs finds the length of each step itself",
        ),
    ],
    ids=str,
)
def test_options_that_mean_nothing_to_an_optimizer_are_told(line, options, note):
    fit = descend.fit("y ~ w*x", line, optimizer="lbfgs", **options)
    assert fit.notes == (() if note is None else (note,))


def test_a_formula_without_a_column_is_refused(line):
    with pytest.raises(descend.FormulaError) as error:
        descend.fit("y ~ w*xx + b", line)
    assert str(error.value) == (
        "The right side, `w*xx + b`, uses no column of the data: w, xx and b are all parameters. Columns: `x`."
    )


def test_a_constant_alone_is_the_mean(line):
    assert descend.fit("y ~ c", line).parameters["c"] == pytest.approx(line["y"].mean())


def test_stop_iteration_from_a_reader_ends_the_run_and_keeps_it(line):
    def enough(step):
        if step.epoch == 7:
            raise StopIteration

    fit = descend.fit("y ~ w*x", line, optimizer="gd", learning_rate=1e-4, epochs=1000, on_step=enough)
    assert fit.outcome == "interrupted"
    assert fit.epochs in (7, 8)
    assert fit.parameters["w"] == fit.trace[-1].parameters["w"]
