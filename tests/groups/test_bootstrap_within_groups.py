"""The bootstrap of a fit with parameters per group draws rows within each group, so that no sample lacks one."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.errors import ConfigError


def test_a_small_group_varies_as_its_rows_say():
    rng = np.random.default_rng(0)
    group = np.r_[np.repeat([0, 1, 2], 20), [3] * 5]
    x = rng.uniform(0, 4, group.size)
    y = np.array([1.0, 2.0, 3.0, 4.0])[group] + 0.5 * x + 0.2 * rng.normal(size=group.size)
    fit = descend.fit("y ~ a[g] + b*x", {"x": x, "y": y, "g": group})
    found = fit.intervals(method="bootstrap", resamples=400)
    assert found.notes == ("the bootstrap draws rows within each group of `g`, so that none is lost",)
    low, high = found["b"]
    usual = fit.intervals()["b"]
    assert (low, high) == pytest.approx(usual, abs=0.3 * (usual[1] - usual[0]))
    assert found["a"][0][3] < fit.parameters["a"][3] < found["a"][1][3]


def test_where_most_rows_are_alone_in_their_group_there_is_no_interval():
    rng = np.random.default_rng(1)
    group = np.r_[np.arange(12), [0, 0, 0, 0, 1, 1, 1, 1]]
    data = {"g": group, "x": rng.uniform(0, 4, group.size), "y": 0.1 * group + rng.normal(size=group.size)}
    fit = descend.fit("y ~ a[g] + b*x", data)
    with pytest.raises(ConfigError, match="Of the samples of rows that were drawn, only 1 could be fitted"):
        fit.intervals(method="bootstrap", resamples=200)
