"""Groups of waves, of like terms and of ties end where a fit of each by itself does, with like terms in its order."""

from __future__ import annotations

import numpy as np
import pytest

import descend

X = np.linspace(0.05, 6.0, 40)


def of_groups(curve, draw, groups=40, seed=3):
    """Return a table of groups of a curve, with 3% noise, and the response of each."""
    rng = np.random.default_rng(seed)
    responses = []
    for _ in range(groups):
        y = curve(X, *draw(rng.uniform))
        responses.append(y + rng.normal(0.0, 0.03 * np.ptp(y), X.size))
    numbers = np.repeat(np.arange(groups), X.size)
    return {"x": np.tile(X, groups), "y": np.concatenate(responses), "g": numbers}, responses


def as_single_fits(formula, table, responses, **options):
    frame = descend.fit(formula, table, by="g", **options).frame()
    for group, y in enumerate(responses):
        single = descend.fit(formula, {"x": X, "y": y}, **options)
        assert frame["loss"][group] <= single.loss * (1.0 + 1e-6), group
        for name, value in single.parameters.items():
            assert frame[name][group] == pytest.approx(value, rel=1e-3, abs=1e-3), (group, name)
            error = single.standard_errors[name]
            assert frame[f"{name} std. error"][group] == pytest.approx(error, rel=1e-2), (group, name)


def test_a_tied_wave_is_found_in_every_group():
    table, responses = of_groups(
        lambda x, a, w: a * np.sin(w * x) + 2 * a * np.cos(w * x), lambda uniform: (uniform(1, 3), uniform(2, 9)), 60
    )
    as_single_fits("y ~ a*sin(w*x) + b*cos(w*x)", table, responses, ties={"b": "2*a"})


def test_two_rates_that_are_tied_do_not_change_places():
    def draw(uniform):
        rate = 10 ** uniform(-1.0, 0.6)
        return uniform(1, 3), rate * uniform(4, 8), uniform(1, 3)

    table, responses = of_groups(lambda x, a, b, c: a * np.exp(-b * x) + c * np.exp(-b / 6 * x), draw, 80, seed=7)
    frame = descend.fit("y ~ a*exp(-b*x) + c*exp(-d*x)", table, by="g", ties={"d": "b/6"}).frame()
    for group, y in enumerate(responses):
        single = descend.fit("y ~ a*exp(-b*x) + c*exp(-d*x)", {"x": X, "y": y}, ties={"d": "b/6"})
        assert frame["loss"][group] <= single.loss * (1.0 + 1e-6), group


def test_peaks_that_wander_stand_in_order():
    def draw(uniform):
        place = uniform(0.7, 3.5)
        return uniform(1, 3), place, uniform(0.3, 0.5), uniform(1, 3), place + uniform(1.2, 2.0), uniform(0.3, 0.5)

    def peaks(x, a, m, s, b, n, t):
        return a * np.exp(-(((x - m) / s) ** 2)) + b * np.exp(-(((x - n) / t) ** 2))

    table, responses = of_groups(peaks, draw)
    as_single_fits("y ~ a*exp(-((x - m)/s)^2) + b*exp(-((x - n)/t)^2)", table, responses)


def test_an_end_on_a_plateau_is_no_minimum_where_as_many_rows_as_parameters_say_little():
    x = np.array([0.51968092, 1.26037148, *np.linspace(0.1, 5, 6)])
    y = np.array([1.71099778, 1.09930461, *(2 * np.exp(-0.6 * x[2:]) + 0.3)])
    fits = descend.fit("y ~ a*exp(-b*x) + c", {"x": x, "y": y, "g": [0, 0, *[1] * 6]}, by="g", fix={"a": 1.0})
    alone = descend.fit("y ~ a*exp(-b*x) + c", {"x": x[:2], "y": y[:2]}, fix={"a": 1.0})
    assert alone.parameters["b"] == pytest.approx(1.19610917)
    assert fits.parameters["b"][0] == pytest.approx(alone.parameters["b"], rel=1e-6)  # and not 62
    assert fits.loss[0] == pytest.approx(alone.loss)


def test_noise_is_said_to_have_no_minimum_only_where_nothing_lower_was_seen():
    rng = np.random.default_rng(0)
    x, g, y = rng.uniform(0.1, 5, 800), np.repeat(np.arange(100), 8), rng.normal(size=800)
    frame = descend.fit("y ~ a/(1 + exp(-(x - m)/s))", {"x": x, "y": y, "g": g}, by="g").frame()
    worse = 0
    for group in np.flatnonzero(frame["outcome"] == "stalled")[:12]:
        alone = descend.fit("y ~ a/(1 + exp(-(x - m)/s))", {"x": x[g == group], "y": y[g == group]})
        worse += frame["loss"][group] > alone.loss * (1 + 1e-3)
    assert worse <= 2


@pytest.mark.parametrize("seed", [1, 4])
def test_a_steepness_whose_sign_changes_nothing_is_positive_in_groups_too(seed):
    rng = np.random.default_rng(seed)
    x, g = np.tile(np.linspace(0.1, 10, 30), 50), np.repeat(np.arange(50), 30)
    middle, steep = rng.uniform(2, 6, 50)[g], rng.uniform(1.5, 4, 50)[g]
    y = 1 + 3 / (1 + (x / middle) ** -steep) + 0.02 * rng.normal(size=x.size)
    fits = descend.fit("y ~ c + (d - c)/(1 + (x/m)^b)", {"x": x, "y": y, "g": g}, by="g")
    assert fits.counts == {"converged": 50}
    assert (fits.parameters["b"] > 0.0).all()
