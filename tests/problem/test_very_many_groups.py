"""Fits with very many parameters per group, against closed forms, and what is said where groups are poor."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.errors import ConfigError
from descend.problem import arrow_limits


def decays(groups: int, rows: int, seed: int = 0, noise: float = 0.02) -> dict[str, np.ndarray]:
    """Rows of `a*exp(-b*x) + c + d*x^2`, a and c of each site, in no order."""
    random = np.random.default_rng(seed)
    site = np.repeat(np.arange(groups), rows)
    random.shuffle(site)
    x = random.uniform(0.0, 4.0, groups * rows)
    a, c = random.uniform(1.0, 3.0, groups), random.uniform(0.0, 1.0, groups)
    y = a[site] * np.exp(-0.7 * x) + c[site] + 0.05 * x**2 + noise * random.normal(size=site.size)
    return {"site": site, "x": x, "y": y, "a": a, "c": c}


def test_many_groups_are_an_ordinary_fit_without_a_start():
    data = decays(300, 25)
    columns = {name: data[name] for name in ("site", "x", "y")}
    fit = descend.fit("y ~ a[site]*exp(-b*x) + c[site] + d*x^2", columns)
    assert fit.outcome == "converged"
    assert fit.loss == pytest.approx(0.02**2, rel=0.15)
    for name, true in (("b", 0.7), ("d", 0.05)):
        assert abs(fit.parameters[name] - true) < 5.0 * fit.standard_errors[name]
    errors = np.array([*fit.standard_errors["a"].values()])
    away = (np.array([*fit.parameters["a"].values()]) - data["a"]) / errors
    assert 0.8 < away.std() < 1.2  # the errors are those of the estimates
    assert min(fit.digits["a"].values()) > 6.0
    band = fit.predict({"site": [7], "x": [1.0]}, interval="prediction")
    assert band.low[0] < data["a"][7] * np.exp(-0.7) + data["c"][7] + 0.05 < band.high[0]
    assert np.isfinite(fit.aic) and fit.degrees_of_freedom == 300 * 25 - 602


def test_starts_differ_by_decades_from_group_to_group():
    random = np.random.default_rng(1)
    site = np.repeat(np.arange(250), 30)
    x = random.uniform(0.0, 4.0, site.size)
    a, b = 10.0 ** random.uniform(0.0, 3.0, 250), 10.0 ** random.uniform(-0.5, 0.7, 250)
    y = a[site] * np.exp(-b[site] * x) + 0.3 + 0.02 * random.normal(size=site.size)
    fit = descend.fit("y ~ a[site]*exp(-b[site]*x) + c", {"site": site, "x": x, "y": y})
    assert fit.outcome == "converged"
    assert fit.loss == pytest.approx(0.02**2, rel=0.1)


def test_fixed_effects_are_the_within_estimator():
    random = np.random.default_rng(2)
    person, x = random.integers(0, 2_000, 10_000), random.normal(size=10_000)
    y = random.normal(size=2_000)[person] + 0.7 * x + 0.3 * random.normal(size=10_000)
    fit = descend.fit("y ~ a[person] + b*x", {"person": person, "x": x, "y": y})
    _, group = np.unique(person, return_inverse=True)
    counts = np.bincount(group)
    within, deviation = (column - (np.bincount(group, column) / counts)[group] for column in (x, y))
    slope = within @ deviation / (within @ within)
    variance = np.square(deviation - slope * within).sum() / (y.size - counts.size - 1)
    assert fit.parameters["b"] == pytest.approx(slope, rel=1e-12)
    assert fit.standard_errors["b"] == pytest.approx(np.sqrt(variance / (within @ within)), rel=1e-11)
    last = np.array([*fit.parameters["a"].values()])[-1]
    assert last == pytest.approx(y[group == group.max()].mean() - slope * x[group == group.max()].mean(), rel=1e-10)


def counts(every_group: bool) -> dict[str, np.ndarray]:
    random = np.random.default_rng(3)
    person, x = np.repeat(np.arange(400), 8), random.normal(size=3_200)
    y = random.poisson(np.exp(random.normal(size=400)[person] + 0.5 * x)).astype(float)
    if every_group:
        y[np.arange(0, 3_200, 8)] += 1.0
    return {"person": person, "x": x, "y": y}


def conditional(data: dict[str, np.ndarray]) -> tuple[float, float]:
    """Return the slope of a Poisson model with a level for each person, and its error: a multinomial within each."""
    person, x, y = data["person"], data["x"], data["y"]
    slope, total = 0.0, np.bincount(person, y)
    for _ in range(50):
        size = np.exp(slope * x)
        share = np.bincount(person, size)
        mean = np.bincount(person, size * x) / share
        spread = np.bincount(person, size * x * x) / share - mean**2
        slope += (x @ y - total @ mean) / (total @ spread)
    return slope, float(np.sqrt(1.0 / (total @ spread)))


def test_counts_with_a_level_for_each_group_are_the_conditional_likelihood():
    data = counts(every_group=True)
    fit = descend.fit("y ~ exp(a[person] + b*x)", data, loss="poisson")
    slope, error = conditional(data)
    assert fit.outcome == "converged"
    assert fit.parameters["b"] == pytest.approx(slope, rel=1e-12)
    assert fit.standard_errors["b"] == pytest.approx(error, rel=1e-9)


def test_groups_without_a_count_are_named():
    data = counts(every_group=False)
    fit = descend.fit("y ~ exp(a[person] + b*x)", data, loss="poisson")
    empty = np.flatnonzero(np.bincount(data["person"], data["y"]) == 0.0)
    assert fit.outcome == "stalled"
    assert fit.advice == (
        f"`y` is 0 in every row of {len(empty)} groups ({', '.join(map(str, empty[:3]))} and {len(empty) - 3} more), "
        "so the loss falls for as long as a of them runs towards minus infinity, and there is no best fit. Leave them "
        "out, or add a penalty with `l2`."
    )
    assert fit.parameters["b"] == pytest.approx(conditional(data)[0], rel=1e-9)


def test_groups_that_do_not_determine_their_parameters_are_named():
    data = decays(120, 25)
    poor = (data["site"] == 7) | (data["site"] == 90)
    for site in (7, 90):
        data["x"][data["site"] == site] = 1.5
    columns = {name: data[name] for name in ("site", "x", "y")}
    fit = descend.fit("y ~ a[site]*exp(-b*x) + c[site] + d*x^2", columns)
    assert (
        "The rows of 2 groups (7, 90) do not determine their a and c: they are too few, or too much alike. Leave them "
        "out, or let groups share a parameter."
    ) in fit.notes
    assert set(fit.undetermined) == {"a[7]", "c[7]", "a[90]", "c[90]"}
    assert np.isnan(fit.standard_errors["a"][7]) and np.isfinite(fit.standard_errors["a"][8])
    without = descend.fit(fit.model.formula.text, {name: column[~poor] for name, column in columns.items()})
    assert fit.parameters["b"] == pytest.approx(without.parameters["b"], rel=1e-5)


def test_what_own_parameters_make_up_for_is_named():
    data = decays(150, 20)
    columns = {name: data[name] for name in ("site", "x", "y")}
    columns["age"] = 20.0 + columns["site"] % 7  # the same in all rows of a site
    fit = descend.fit("y ~ a[site]*exp(-0.7*x) + c[site] + g*age + d*x^2", columns)
    assert (
        "g cannot be told apart from a and c, which can make up for any change of it in every group. Remove one of "
        "them, or fix it."
    ) in fit.notes
    assert np.isfinite(fit.standard_errors["d"])


def test_two_large_groupings_are_refused_with_their_sizes():
    random = np.random.default_rng(4)
    data = {
        "subject": np.arange(4_000) % 2_000,
        "item": random.integers(0, 1_500, 4_000),
        "y": random.normal(size=4_000),
    }
    items = len(np.unique(data["item"]))
    with pytest.raises(ConfigError) as error:
        descend.fit("y ~ a[subject] + c[item]", data)
    assert str(error.value) == (
        f"`subject` has 2,000 groups and `item` has {items:,}: parameters of two groupings as large as these cannot be "
        f"fitted together. Beside those of `subject` there may be 1,000 parameters, and there are {items:,}. Leave one "
        "grouping out, or make it coarser."
    )


def test_too_wide_a_border_is_refused(monkeypatch):
    monkeypatch.setattr(arrow_limits, "MOST_SHARED", 1)
    data = decays(150, 10)
    columns = {name: data[name] for name in ("site", "x", "y")}
    with pytest.raises(ConfigError) as error:
        descend.fit("y ~ a[site]*exp(-b*x) + c[site] + d*x^2", columns)
    assert str(error.value) == (
        "2 parameters are shared by the 150 groups of `site`; with as many groups there may be 1. Leave some out."
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"engine": "torch"},
            "The engine `torch` sums curvature as a matrix, and for that 302 parameters, most of one group each, are "
            'too many. Leave out the engine, or use engine="numpy".',
        ),
    ],
)
def test_what_does_not_go_with_an_arrow_is_refused(options, message):
    data = decays(150, 10)
    columns = {name: data[name] for name in ("site", "x", "y")}
    with pytest.raises(ConfigError) as error:
        descend.fit("y ~ a[site]*exp(-b*x) + c[site] + d*x^2", columns, **options)
    assert str(error.value) == message


def test_there_is_no_bootstrap_of_very_many_groups():
    data = decays(150, 10)
    columns = {name: data[name] for name in ("site", "x", "y")}
    fit = descend.fit("y ~ a[site]*exp(-b*x) + c[site] + d*x^2", columns)
    with pytest.raises(ConfigError) as error:
        fit.intervals(method="bootstrap")
    assert str(error.value) == (
        "The bootstrap does not go with 302 parameters, most of which belong to one group: samples of the rows leave "
        "groups without any. Use the method t, sandwich or profile."
    )
