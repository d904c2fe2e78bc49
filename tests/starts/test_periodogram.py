"""Frequencies of rows, evenly spaced or not: held against SciPy's periodogram, which takes the square of the time."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from descend.starts.periodogram import frequencies

RNG = np.random.default_rng(0)


def one(rows):
    return [np.ones(rows)]


@given(
    st.integers(20, 400), st.floats(0.02, 0.98), st.floats(-3.0, 3.0), st.booleans(), st.sampled_from([1e-9, 1.0, 1e9])
)
@settings(max_examples=60, deadline=None)
def test_a_wave_is_found_up_to_nyquist(rows, share, phase, even, unit):
    t = np.linspace(0.0, 1.0, rows) if even else np.sort(np.random.default_rng(rows).uniform(0.0, 1.0, rows))
    turns = 2.0 + share * (rows / 2.0 - 4.0)
    y = np.sin(2.0 * np.pi * turns * t + phase)
    (found,) = frequencies(unit * t + 5.0 * unit, y - y.mean(), one(rows), 1)
    assert found * unit / (2.0 * np.pi) == pytest.approx(turns, abs=0.3)


def test_the_highest_peak_is_that_of_scipy():
    t = np.sort(RNG.uniform(0.0, 10.0, 500))
    y = np.sin(40.0 * t) + 0.5 * np.sin(97.0 * t + 1.0) + RNG.normal(size=500)
    trial = np.linspace(0.1, 150.0, 20_000)
    best = trial[signal.lombscargle(t, y - y.mean(), trial).argmax()]
    assert frequencies(t, y - y.mean(), one(500), 1)[0] == pytest.approx(best, abs=0.05)


def test_uneven_rows_tell_frequencies_beyond_their_mean_spacing():
    t = np.sort(RNG.uniform(0.0, 90.0, 3000))
    y = np.sin(2.0 * np.pi * 400.0 * t) + RNG.normal(size=3000)
    assert frequencies(t, y, one(3000), 1)[0] / (2.0 * np.pi) == pytest.approx(400.0, abs=0.01)


def test_of_frequencies_that_even_rows_cannot_tell_apart_it_is_the_lowest():
    t = np.delete(np.arange(400.0), RNG.choice(400, 200, replace=False))
    y = np.sin(2.5 * t + 0.3)
    assert frequencies(t, y, one(200), 1)[0] == pytest.approx(2.5, abs=0.01)


def test_noise_of_few_rows_has_no_wave_beyond_their_mean_spacing():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        t = np.sort(rng.uniform(0.0, 1.0, 25))
        y = np.sin(2.0 * np.pi * 3.0 * t) + 0.7 * rng.normal(size=25)
        assert frequencies(t, y - y.mean(), one(25), 1)[0] < 2.0 * np.pi * 13.0


def test_what_a_wave_is_multiplied_by_is_heeded():
    t, z = np.arange(2000.0), RNG.normal(size=2000)
    y = z * np.sin(1.3 * t) + 0.5 * RNG.normal(size=2000)
    assert frequencies(t, y, [z], 1)[0] == pytest.approx(1.3, abs=1e-3)


def test_frequencies_within_limits_beyond_what_even_rows_can_tell_apart():
    t = np.arange(400.0)
    y = np.sin(1.3 * t + 0.3)
    assert frequencies(t, y, one(400), 1, (4.0, 6.0))[0] == pytest.approx(2.0 * np.pi - 1.3, abs=0.01)
    assert abs(frequencies(t, y, one(400), 1, (4.0, np.inf))[0] - 2.0 * np.pi) == pytest.approx(1.3, abs=0.01)
    assert frequencies(t, y, one(400), 1, (0.1, 1.0))[0] <= 1.0


def test_nothing_to_find_is_nothing_found():
    assert frequencies(np.zeros(10), np.arange(10.0), one(10), 3).size == 0
    assert frequencies(np.arange(10.0), np.zeros(10), one(10), 3).size == 0


def test_a_million_rows_take_seconds():
    t = np.arange(1e6)
    y = np.sin(3.1 * t) + 3.0 * RNG.normal(size=t.size)
    began = time.perf_counter()
    assert frequencies(t, y, one(t.size), 1)[0] == pytest.approx(3.1, abs=1e-5)
    assert time.perf_counter() - began < 10.0
