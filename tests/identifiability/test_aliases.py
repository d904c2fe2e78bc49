"""Frequencies that evenly spaced rows cannot tell apart."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.identifiability.aliases import grid_step

T = 0.5 * np.arange(200)
Y = 1.0 + 2.0 * np.sin(4.0 * T + 0.3) + 0.1 * np.random.default_rng(0).normal(size=T.size)
DATA = {"t": T, "y": Y}
FAST = 4.0 * np.pi - 4.0


def told(fit):
    return [note for note in fit.notes if "equally well" in note]


@pytest.mark.parametrize(
    ("formula", "name"),
    [("a*sin(w*t + p) + c", "w"), ("a*sin(w*t) + b*cos(w*t) + c", "w"), ("a*exp(-k*t)*sin(w*t + p) + c", "w")],
)
def test_the_other_frequency_is_told_and_fits_equally_well(formula, name):
    fit = descend.fit(f"y ~ {formula}", DATA)
    value = fit.parameters[name]
    assert value == pytest.approx(4.0, abs=1e-2)
    other = 4.0 * np.pi - value
    assert told(fit) == [
        f"{name} {value:.6g} and {other:.6g} fit equally well, as do others: evenly spaced rows cannot tell a wave "
        f"from a faster one; bounds on {name} would choose"
    ]
    faster = descend.fit(f"y ~ {formula}", DATA, bounds=[f"7 < {name} < 10"])
    assert faster.loss == pytest.approx(fit.loss, rel=1e-6)
    assert faster.parameters[name] == pytest.approx(other, abs=1e-3)
    assert told(faster) == []  # the bounds have chosen


def test_a_period_is_told_too_and_a_start_beyond_nyquist():
    fit = descend.fit("y ~ a*sin(2*pi*t/P + p) + c", DATA)
    assert told(fit)[0].startswith(f"P {fit.parameters['P']:.6g} and {2 * np.pi / (4 * np.pi - 4.0):.2f}")
    fit = descend.fit("y ~ a*sin(w*t + p) + c", DATA, start={"w": 8.56})
    assert fit.parameters["w"] == pytest.approx(FAST, abs=1e-3)
    assert "cannot tell a wave from a slower one" in told(fit)[0]


def test_where_there_is_no_doubt_nothing_is_said():
    slow = {"t": T, "y": np.sin(0.7 * T + 0.3) + 0.1 * np.random.default_rng(1).normal(size=T.size)}
    assert told(descend.fit("y ~ a*sin(w*t + p)", slow)) == []
    uneven = np.sort(np.random.default_rng(2).uniform(0.0, 100.0, 200))
    data = {"t": uneven, "y": np.sin(4.0 * uneven) + 0.1 * np.random.default_rng(1).normal(size=200)}
    assert told(descend.fit("y ~ a*sin(w*t + p)", data)) == []
    # Without a phase that is free, rows off the multiples of their spacing do tell the two apart.
    shifted = {"t": T + 0.13, "y": np.sin(4.0 * (T + 0.13)) + 0.1 * np.random.default_rng(1).normal(size=T.size)}
    assert told(descend.fit("y ~ a*sin(w*t)", shifted)) == []


def test_the_spacing_of_a_grid():
    assert grid_step(np.array([0.0, 2.0, 6.0, 7.0])) == pytest.approx(1.0)
    assert grid_step(np.array([0.0, 2.0, 5.0])) == pytest.approx(1.0)  # no two neighbours lie so close
    assert grid_step(np.sort(np.random.default_rng(0).uniform(size=30))) is None
