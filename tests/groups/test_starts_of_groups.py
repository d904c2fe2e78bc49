"""Starts of parameters per group: peaks and waves that lie elsewhere in each group are found without a start."""

import numpy as np
import pytest

import descend

X = np.linspace(0.0, 20.0, 200)
KEYS = list("abcd")


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "formula, curve",
    [
        ("y ~ A[g]*exp(-0.5*((x-m[g])/s[g])^2)+c[g]", lambda m: 2.0 * np.exp(-0.5 * ((X - m) / 0.4) ** 2)),
        ("y ~ A*exp(-0.5*((x-m[g])/s)^2)", lambda m: 2.0 * np.exp(-0.5 * ((X - m) / 0.4) ** 2)),
        ("y ~ A[g]*sin(w[g]*x+p[g])", lambda m: 2.0 * np.sin(0.2 * m * X + 1.0)),
    ],
)
def test_what_lies_elsewhere_in_each_group_is_found(seed, formula, curve):
    random = np.random.default_rng(seed)
    places = dict(zip(KEYS, random.uniform(3.0, 17.0, 4), strict=True))
    data = {"x": np.tile(X, 4), "g": np.repeat(KEYS, 200)}
    data["y"] = np.concatenate([curve(places[key]) for key in KEYS]) + 0.05 * random.normal(size=800)
    fit = descend.fit(formula, data)
    assert fit.succeeded and fit.loss == pytest.approx(0.05**2, rel=0.15)
