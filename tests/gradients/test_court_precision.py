"""The gradient court and single precision: what overflows in it is no evidence against a gradient that is right."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.errors import ConfigError

HEAVY = "y ~ a*z^2 + b*z + c + d*exp(-f*z)"


def table(seed: int, size: float) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {"z": rng.uniform(0.1, 3.0, 70), "y": size * rng.normal(size=70)}


def start(seed: int) -> dict[str, float]:
    return dict(zip("abcdf", np.random.default_rng(100 + seed).normal(size=5), strict=True))


def slopes(r, loss):
    """The derivative of each row's loss, as it is written without a thought of overflow."""
    if loss == "squared":
        return 2 * r
    if loss == "cauchy":
        return r / (1 + r * r)
    if loss == "soft_l1":
        return r / np.sqrt(1 + r * r)
    return np.sinh(r) / np.cosh(r)


def in_single(loss):
    def gradient(z, y, a, b, c, d, f):
        with np.errstate(all="ignore"):
            z, y, a, b, c, d, f = (np.asarray(each, dtype=np.float32) for each in (z, y, a, b, c, d, f))
            e = np.exp(-f * z)
            slope = slopes(a * z**2 + b * z + c + d * e - y, loss)
            return [np.mean(slope * part) for part in (z**2, z, np.ones_like(z), e, -d * z * e)]

    return gradient


@pytest.mark.parametrize("loss", ["squared", "cauchy", "soft_l1"])
@pytest.mark.parametrize("size", [1e-3, 100.0, 1e4])
def test_a_gradient_in_single_precision_is_asked_only_where_squares_are_finite_in_it(loss, size):
    for seed in (1, 2):
        judged = descend.check(HEAVY, table(seed, size), gradient=in_single(loss), loss=loss, start=start(seed))
        assert judged.agree, judged.sentence


def test_a_start_beyond_single_precision_cannot_be_judged_by_it():
    far = start(0) | {"f": -40.0}
    with pytest.raises(ConfigError) as raised:
        descend.check(HEAVY, table(0, 1.0), gradient=in_single("cauchy"), loss="cauchy", start=far)
    assert str(raised.value) == (
        "There is no point near the start where J and its gradient are finite in the precision in which it computes, "
        "so no gradient can be checked. Give another start."
    )


def test_a_start_beyond_single_precision_is_judged_in_double_precision():
    data = {"x": 1e25 * np.arange(1.0, 9.0), "y": 2e25 * np.arange(1.0, 9.0) ** 1.1}

    def right(x, y, w):
        return np.mean(2 * x * (w * x - y))

    def half(x, y, w):
        return np.mean(x * (w * x - y))

    assert descend.check("y ~ w*x", data, gradient=right, start={"w": 0.3}).agree
    assert descend.check("y ~ w*x", data, gradient=half, start={"w": 0.3}).parameters["w"].factor == 0.5


def test_what_overflows_everywhere_is_no_evidence():
    with pytest.raises(ConfigError) as raised:
        descend.check(HEAVY, table(0, 1e4), gradient=in_single("log_cosh"), loss="log_cosh", start=start(0))
    assert str(raised.value) == (
        "The gradient is not finite at any point near the start, where the numbers are so large that it may overflow, "
        "so it cannot be checked. Give another start, or scale the data."
    )
