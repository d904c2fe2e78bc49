"""The distributions of priors: their derivatives, where they lie, and how far out a value is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from descend.parameters.prior_distributions import PRIORS

KNOWN = {
    "normal(location=1, scale=2)": stats.norm(1.0, 2.0),
    "half_normal(scale=2)": stats.halfnorm(scale=2.0),
    "lognormal(location=0.3, scale=0.5)": stats.lognorm(0.5, scale=np.exp(0.3)),
    "student_t(df=3, location=1, scale=2)": stats.t(3.0, 1.0, 2.0),
    "cauchy(location=1, scale=2)": stats.cauchy(1.0, 2.0),
    "gamma(shape=3, rate=2)": stats.gamma(3.0, scale=0.5),
    "beta(a=2, b=3)": stats.beta(2.0, 3.0),
    "uniform(low=-1, high=2)": stats.uniform(-1.0, 3.0),
}
X = np.array([0.2, 0.5, 0.8])


@pytest.mark.parametrize("text", KNOWN)
def test_it_is_minus_the_logarithm_of_a_density(text):
    prior, density = PRIORS.build(text), KNOWN[text]
    assert np.diff(prior.value(X)) == pytest.approx(-np.diff(density.logpdf(X)))
    assert (prior.value(X) >= 0.0).all()
    step = 1e-5
    assert prior.slope(X) == pytest.approx(
        (prior.value(X + step) - prior.value(X - step)) / (2 * step), rel=1e-6, abs=1e-8
    )
    assert prior.curvature(X) == pytest.approx(
        (prior.slope(X + step) - prior.slope(X - step)) / (2 * step), rel=1e-6, abs=1e-8
    )
    assert (prior.weight(X) >= 0.0).all()
    low, high, _ = prior.support
    assert low < prior.start < high
    assert (low, high) == density.support()


@pytest.mark.parametrize("text", ["gamma(shape=3, rate=2)", "beta(a=2, b=3)", "uniform(low=-1, high=2)"])
def test_where_most_of_it_lies(text):
    prior, density = PRIORS.build(text), KNOWN[text]
    assert (prior.centre, prior.spread) == pytest.approx((density.mean(), density.std()))


def test_how_far_out_a_value_is():
    none = np.zeros(3)
    for text in ("normal(location=1, scale=2)", "student_t(df=3, location=1, scale=2)", "cauchy(location=1, scale=2)"):
        assert PRIORS.build(text).tail(X, none) == pytest.approx(2 * KNOWN[text].sf(2.0 - X))
    lognormal = PRIORS.build("lognormal(location=0.3, scale=0.5)")
    away = np.abs(np.log(X) - 0.3) / 0.5
    assert lognormal.tail(X, none) == pytest.approx(2 * stats.norm.sf(away))
    assert (PRIORS.build("uniform(low=-1, high=2)").tail(X, none) == 1.0).all()
    assert (
        PRIORS.build("normal(location=1, scale=2)").tail(X, none + 5.0)
        > PRIORS.build("normal(location=1, scale=2)").tail(X, none)
    ).all()
