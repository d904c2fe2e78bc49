"""Whether residuals look like noise: wrong curves leave traces, and noise of any kind seldom does."""

from __future__ import annotations

import numpy as np
import pytest

from descend.starts.residual_noise import following, out_of_line, turning

NOISES = {
    "normal": lambda rng, x: rng.normal(size=x.size),
    "growing": lambda rng, x: rng.normal(size=x.size) * (0.1 + x) ** 2,
    "heavy tails": lambda rng, x: rng.standard_t(2.5, size=x.size),
    "of counts": lambda rng, x: rng.poisson(3.0, size=x.size) - 3.0,
}


@pytest.mark.parametrize("kind", NOISES)
@pytest.mark.parametrize("rows", [20, 100, 2_000])
def test_noise_seldom_follows_itself(kind, rows):
    x = np.linspace(0.0, 1.0, rows)
    found = [following(NOISES[kind](np.random.default_rng(seed), x), x) for seed in range(200)]
    assert np.mean(found) < (0.2 if rows == 20 else 0.05)


@pytest.mark.parametrize("rows", [10, 50, 512])
def test_a_bend_that_is_left_is_seen_in_any_order(rows):
    rng = np.random.default_rng(0)
    x = rng.uniform(size=rows)
    left = (x - 0.5) ** 2 - 1.0 / 12.0
    assert following(left + rng.normal(scale=0.02, size=rows), x)


def test_a_peak_of_one_row_is_out_of_line():
    left = np.random.default_rng(0).normal(size=500)
    assert not out_of_line(left)
    left[137] = 12.0
    assert out_of_line(left)


def test_a_fast_wave_is_seen_though_neighbours_do_not_resemble_each_other():
    x, rng = np.linspace(0.0, 10.0, 200), np.random.default_rng(0)
    noise = rng.normal(size=200)
    assert turning(noise + np.sin(40.0 * x), x) and not following(noise + np.sin(40.0 * x), x)
    assert sum(turning(rng.normal(size=200), x) for _ in range(200)) <= 6
    assert turning(noise[:50], x[:50])  # too few to tell
    assert turning(noise, rng.uniform(size=200))  # which a sum over even steps cannot tell
