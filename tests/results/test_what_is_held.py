"""What a user holds: a fit of a run and one read from a file are of two kinds, and both are a `descend.Fit`."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import descend

LISTED = """
model loss_function constraints theta parameters loss penalised rows weights sigma column_types gradient optimizer
learning_rate engine seconds passes epochs trace outcome succeeded diagnosis cause evidence advice notes failures
undetermined at_bound measures from_start solution
standard_errors covariance covariance_of kind_of_errors clusters correlation intervals estimates digits at_minimum
guarantee guarantee_values rounding response_levels
degrees_of_freedom error_degrees residual_standard_deviation residuals diagnostics r_squared r_squared_about_zero
deviance dispersion goodness criteria log_likelihood aic aicc bic
quantities quantity priors ranges scatter censored invert design delta response_levels
ufloats table units
fitted_formula predict influence outliers penalty_path plot_penalty save export to_estimator plot animate report summary
mentioned
"""
"""What was fitted and how it ended, how certain it is, how good it is, and what to do with it."""
OF_ONE_KIND = """
summary predict influence save export to_estimator plot table animate report mentioned trace solution model constraints
theta residuals diagnostics delta quantity ufloats invert design estimates intervals covariance_of guarantee diagnosis
failures digits
"""
"""What is asked with arguments, is no text, or is of a run only; digits are rounded in a file."""
HELD = set(LISTED.split())


@pytest.fixture
def fit():
    x = np.linspace(0.0, 5.0, 40)
    return descend.fit("y ~ a*exp(-b*x)", {"x": x, "y": 3.0 * np.exp(-x) + 0.1 * np.sin(40.0 * x)})


@pytest.fixture
def loaded(fit, tmp_path):
    fit.save(tmp_path / "fit.json")
    return descend.load(tmp_path / "fit.json")


def test_what_is_reachable_by_a_dot_is_listed(fit):
    assert {name for name in dir(fit) if not name.startswith("_")} == HELD


def test_a_fit_that_was_loaded_is_a_fit_of_its_own_kind(fit, loaded):
    assert isinstance(fit, descend.Fit) and isinstance(loaded, descend.Fit)
    assert type(fit) is not type(loaded) and loaded.solution is None
    assert {name for name in dir(loaded) if not name.startswith("_")} == HELD


def test_a_loaded_fit_answers_what_the_file_holds(fit, loaded, tmp_path):
    for name in HELD - set(OF_ONE_KIND.split()):
        assert str(getattr(loaded, name)) == str(getattr(fit, name)), name
    assert loaded.summary() == fit.summary() and str(loaded.intervals()) == str(fit.intervals())
    band, again = (held.predict({"x": [1.0]}, interval="prediction") for held in (fit, loaded))
    assert (band.low, band.high) == (again.low, again.high)
    loaded.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text() == (tmp_path / "fit.json").read_text()
    assert copy.deepcopy(loaded).summary() == loaded.summary()


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda fit: fit.residuals, "data, so it has no residuals. Fit again to get them."),
        (lambda fit: fit.influence(), "data, so it has no rows to weigh. Fit again to see them."),
        (lambda fit: fit.diagnostics(), "data, so it has no residuals. Fit again to get them."),
        (lambda fit: fit.intervals(method="profile"), "data, so it has no profile intervals. Fit again to get them."),
        (
            lambda fit: fit.intervals(method="bootstrap"),
            "data, so it has no bootstrap intervals. Fit again to get them.",
        ),
        (lambda fit: fit.covariance_of("sandwich"), "data, so it has no sandwich errors. Fit again to get them."),
        (lambda fit: fit.plot(), "data, so there is nothing to plot."),
        (lambda fit: fit.report("r.html"), "data, so there is nothing to report on."),
        (lambda fit: fit.animate(), "steps, so there is nothing to animate."),
    ],
)
def test_a_loaded_fit_says_what_it_cannot_answer(loaded, ask, said):
    with pytest.raises(descend.ConfigError) as refused:
        ask(loaded)
    assert str(refused.value) == f"This fit was loaded from a file, without its {said}"
