"""Any epoch at once: the closed form against the steps themselves, and against exact arithmetic."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import descend
import descend.descent.run as running
from descend.descent.outcome import Outcome
from descend.errors import ConfigError
from descend.optimizers.recurrence import Recurrence

OPTIMIZERS = ["gd", "momentum", "momentum(momentum=0.5)", "nesterov", "nesterov(momentum=0.99)", "momentum(momentum=0)"]
EPOCHS = 2_000


def table(rows=200):
    rng = np.random.default_rng(3)
    data = {name: rng.normal(size=rows) for name in ("x", "z", "u")}
    return data | {"y": 1 + 2 * data["x"] - data["z"] + rng.normal(size=rows)}


@pytest.fixture
def few(monkeypatch):
    """Let a closed form be worth it from few epochs on."""
    monkeypatch.setattr(running, "MOST_STEPS_TAKEN", 300)


@pytest.fixture
def stepped(monkeypatch):
    """Fit step by step, however many there are."""

    def fit(*args, **options):
        with monkeypatch.context() as patch:
            patch.setattr(running, "MOST_STEPS_TAKEN", 10**12)
            return descend.fit(*args, **options)

    return fit


@pytest.mark.parametrize("options", [{}, {"l2": 0.1}, {"learning_rate": 0.002}], ids=str)
@pytest.mark.parametrize("text", ["y ~ a + b*x + c*z", "y ~ w @ [x, z, u, x + z] + 0.3*x"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_any_epoch_is_that_of_the_steps(optimizer, text, options, stepped, few):
    asked = {"optimizer": optimizer, "epochs": EPOCHS, **options}
    steps, closed = stepped(text, table(), **asked), descend.fit(text, table(), **asked)
    assert (closed.outcome, closed.epochs) == (steps.outcome, steps.epochs)
    assert len(closed.trace) < 210
    for step in steps.trace[::47]:
        read = closed.trace.at(step.epoch)
        np.testing.assert_allclose(read.theta, step.theta, rtol=1e-11, atol=1e-11)
        assert read.loss == pytest.approx(step.loss, rel=1e-11)
        assert read.gradient_norm == pytest.approx(step.gradient_norm, rel=1e-9, abs=1e-11)


@pytest.mark.parametrize("beyond", [1.0005, 1.01, 1.5, 30.0])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_rate_beyond_stability_diverges_at_the_same_epoch(optimizer, beyond, stepped):
    first = descend.fit("y ~ a + b*x + c*z", table(), optimizer=optimizer, epochs=0).solution.objective
    largest = np.linalg.eigvalsh(first(np.zeros(3), 2).curvature)[-1]
    limit = descend.optimizers.OPTIMIZERS.build(optimizer).largest_stable_rate(largest)
    asked = {"optimizer": optimizer, "epochs": 100_000, "learning_rate": beyond * limit}
    steps, closed = stepped("y ~ a + b*x + c*z", table(), **asked), descend.fit("y ~ a + b*x + c*z", table(), **asked)
    assert steps.outcome is closed.outcome is Outcome.DIVERGED
    assert steps.epochs == closed.epochs
    np.testing.assert_allclose(closed.trace[-1].theta, steps.trace[-1].theta, rtol=1e-8)
    assert closed.trace[-2].epoch == closed.epochs - 1


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9, 0.99])
def test_modes_against_exact_arithmetic(momentum, nesterov):
    equal = ((1 - momentum) / (1 + momentum)) ** 2 if nesterov else (1 - momentum**0.5) ** 2
    limit = 2 * (1 + momentum) / (1 + 2 * momentum) if nesterov else 2 * (1 + momentum)
    scaled = np.array(
        [0, 1e-18, 1e-9, 1e-4, *(equal * np.array([0.1, 0.49, 0.51, 0.999999, 1, 1.1])), 0.5, 1, 1.1, 0.99 * limit]
    )
    modes = Recurrence(momentum, nesterov).modes(scaled)
    with mpmath.workdps(50):
        for epoch in (1, 2, 3, 10, 1000, 10**5, 10**9):
            exact = [float(reached(c, momentum, nesterov, epoch)) for c in scaled]
            with np.errstate(all="ignore"):
                np.testing.assert_allclose(modes.reach(epoch), exact, rtol=1e-11)


def reached(c, m, nesterov, epoch):
    """Step on, as a power of the matrix of (D, velocity, 1)."""
    c, m = mpmath.mpf(c), mpmath.mpf(m)
    ahead = [1 - c - m * c, m * m, 1 + m] if nesterov else [1 - c, m, 1]
    return (mpmath.matrix([ahead, [-c, m, 1], [0, 0, 1]]) ** epoch)[0, 2]


def test_a_thousand_million_epochs():
    asked = {"optimizer": "gd", "learning_rate": 1e-9, "epochs": 1_000_000_000}
    fit = descend.fit("y ~ w*x", table(), **asked)
    x, y = table()["x"], table()["y"]
    best, pull = x @ y / (x @ x), 1e-9 * 2 * x @ x / len(x)
    for epoch in (0, 1, 77, 123_456_789, 1_000_000_000):
        expected = best * -np.expm1(epoch * np.log1p(-pull))
        assert fit.trace.at(epoch).theta[0] == pytest.approx(expected, rel=1e-13)
    assert fit.outcome is Outcome.EPOCHS_USED_UP
    assert fit.trace.epochs[-1] == fit.epochs == 1_000_000_000
    assert {100, 250, 1000, 10**8, 5 * 10**8} < set(fit.trace.epochs.tolist())


def test_the_readers_of_the_stream_see_round_epochs(capsys):
    descend.fit("y ~ w*x", table(), optimizer="gd", learning_rate=1e-7, epochs=10**7, log_every=10**6)
    lines = capsys.readouterr().out.splitlines()
    assert [int(line.split()[1]) for line in lines] == [k * 10**6 for k in range(11)]


@pytest.mark.parametrize(
    "options",
    [{"l1": 0.01}, {"bounds": ["b > 0"]}, {"schedule": "cosine"}, {"tolerance": 1e-3}, {"engine": "numpy"},
     {"optimizer": "adam"}, {"epochs": 300}],
    ids=str,
)  # fmt: skip
def test_what_has_no_closed_form_is_stepped(options, few):
    asked = {"optimizer": "gd", "epochs": 301, "learning_rate": 0.001} | options
    trace = descend.fit("y ~ a + b*x", table(), **asked).trace
    assert trace.epochs.tolist() == list(range(trace[-1].epoch + 1))
    assert trace.at(trace[-1].epoch) is trace[-1]


def test_an_epoch_that_was_not_run():
    trace = descend.fit("y ~ w*x", table(), optimizer="gd", epochs=3).trace
    for epoch in (-1, 4, 1.5, True):
        with pytest.raises(ConfigError) as caught:
            trace.at(epoch)
        assert str(caught.value) == f"There is no epoch {epoch!r} in this trace. It has epochs 0 to 3."


def test_an_epoch_that_was_not_kept(monkeypatch):
    monkeypatch.setattr("descend.descent.step.MOST_STEPS", 10)
    monkeypatch.setattr("descend.descent.step.FEWEST_STEPS", 10)
    trace = descend.fit("y ~ w*x", table(), optimizer="adam", learning_rate=0.01, epochs=30).trace
    assert trace.at(28).epoch == 28
    with pytest.raises(ConfigError) as caught:
        trace.at(9)
    assert str(caught.value) == (
        "Of 30 epochs this trace kept the steps of 9, and epoch 9 is not among them. The nearest are 8 and 12."
    )


def test_any_epoch_of_a_standardised_descent_is_that_of_the_steps():
    data = {"size": np.linspace(500.0, 3500.0, 40)}
    data["price"] = 2e4 + 150.0 * data["size"] + 1e3 * np.sin(data["size"])
    options = {"optimizer": "gd", "learning_rate": 0.01, "standardize": True}
    far = descend.fit("price ~ w*size + b", data, epochs=1_000_000_000, **options)
    stepped = descend.fit("price ~ w*size + b", data, epochs=500, **options)
    for epoch in (0, 1, 77, 500):
        there, here = far.trace.at(epoch), stepped.trace.at(epoch)
        np.testing.assert_allclose(there.theta, here.theta, rtol=1e-11)
        assert there.loss == pytest.approx(here.loss, rel=1e-10)
        assert there.gradient_norm == pytest.approx(here.gradient_norm, rel=1e-8)
    assert far.outcome == "converged"
