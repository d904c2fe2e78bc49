"""Fits under the gamma loss against R's ``glm(family = Gamma)``, and against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import descend
from descend.errors import DataError

CLOTTING = {  # R: ?glm, McCullagh & Nelder (1989), p. 300
    "u": np.array([5.0, 10, 15, 20, 30, 40, 60, 80, 100]),
    "lot1": np.array([118.0, 58, 42, 35, 27, 25, 21, 19, 18]),
    "lot2": np.array([69.0, 35, 26, 21, 18, 16, 13, 12, 12]),
}
BY_R = {  # glm(lot ~ log(u), Gamma): parameters, errors, dispersion, deviance, AIC
    "lot1": ([-0.01655438, 0.01534311], [0.0009275466, 0.0004149596], 0.002446059, 0.01673, 37.99),
    "lot2": ([-0.02390848, 0.02359922], [0.0013264571, 0.0005767835], 0.001813354, 0.01267, 27.03),
}


@pytest.mark.parametrize("response", BY_R)
def test_the_inverse_link_gives_the_numbers_of_r(response):
    parameters, errors, dispersion, deviance, aic = BY_R[response]
    fit = descend.fit(f"{response} ~ 1/(a + b*log(u))", CLOTTING, loss="gamma")
    assert fit.outcome == "converged"
    assert list(fit.parameters.values()) == pytest.approx(parameters, rel=1e-6)
    assert fit.standard_errors is not None  # those of R are of the weights before its last step
    assert list(fit.standard_errors.values()) == pytest.approx(errors, rel=1e-4)
    assert fit.dispersion == pytest.approx(dispersion, rel=1e-4)
    assert fit.deviance == pytest.approx(deviance, rel=3e-4)
    assert fit.aic == pytest.approx(aic, abs=0.005)
    assert fit.degrees_of_freedom == 7


def grouped() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    x = np.repeat([0.0, 1.0], 40)
    return {"x": x, "y": rng.gamma(4.0, np.exp(1.0 + 0.5 * x) / 4.0)}


def test_the_log_link_of_two_groups_has_a_closed_form():
    data = grouped()
    fit = descend.fit("y ~ exp(a + b*x)", data, loss="gamma")
    low, high = data["y"][:40], data["y"][40:]
    assert fit.parameters["a"] == pytest.approx(np.log(low.mean()), rel=1e-9)
    assert fit.parameters["b"] == pytest.approx(np.log(high.mean() / low.mean()), rel=1e-9)
    mean = np.repeat([low.mean(), high.mean()], 40)
    dispersion = np.sum((data["y"] - mean) ** 2 / mean**2) / 78
    assert fit.dispersion == pytest.approx(dispersion, rel=1e-9)
    assert fit.standard_errors is not None
    assert fit.standard_errors["a"] == pytest.approx(np.sqrt(dispersion / 40), rel=1e-9)
    assert fit.standard_errors["b"] == pytest.approx(np.sqrt(2 * dispersion / 40), rel=1e-9)
    reach = stats.t.ppf(0.975, 78) * fit.standard_errors["b"]
    assert fit.intervals()["b"] == pytest.approx((fit.parameters["b"] - reach, fit.parameters["b"] + reach), rel=1e-9)
    shape = 1.0 / (fit.deviance / 80)
    assert fit.log_likelihood == pytest.approx(stats.gamma.logpdf(data["y"], shape, scale=mean / shape).sum(), rel=1e-9)
    assert fit.guarantee is not None  # it is convex in the logarithm of the mean


def test_a_profile_interval_is_where_the_deviance_has_risen_by_the_square_of_t():
    data = grouped()
    fit = descend.fit("y ~ exp(a)", data, loss="gamma")
    low, high = fit.intervals(method="profile")["a"]

    def rise(a: float) -> float:
        loss = np.mean(data["y"] * np.exp(-a) + a)
        return 2.0 * 80 * (loss - fit.loss) / fit.dispersion

    square = stats.t.ppf(0.975, 79) ** 2
    assert rise(low) == pytest.approx(square, rel=1e-6)
    assert rise(high) == pytest.approx(square, rel=1e-6)


def test_weights_are_relative():
    data = grouped() | {"w": np.linspace(0.5, 2.0, 80), "ten": 10.0 * np.linspace(0.5, 2.0, 80)}
    one, other = (descend.fit("y ~ exp(a + b*x)", data, loss="gamma", weights=name) for name in ("w", "ten"))
    assert one.standard_errors is not None and other.standard_errors is not None
    assert other.standard_errors["b"] == pytest.approx(one.standard_errors["b"], rel=1e-9)
    assert other.log_likelihood == pytest.approx(one.log_likelihood, rel=1e-9)
    shape = data["w"] / (one.deviance / 80)
    mean = one.predict(data)
    assert one.log_likelihood == pytest.approx(stats.gamma.logpdf(data["y"], shape, scale=mean / shape).sum(), rel=1e-9)


@pytest.mark.parametrize("weights", [None, "w"])
def test_a_database_gives_the_same_numbers(weights):
    data = grouped() | {"w": np.linspace(0.5, 2.0, 80)}
    here = descend.fit("y ~ exp(a + b*x)", data, loss="gamma", weights=weights)
    there = descend.fit("y ~ exp(a + b*x)", data, loss="gamma", weights=weights, engine="query")
    assert there.outcome == "converged"
    assert here.standard_errors is not None and there.standard_errors is not None
    for name in ("a", "b"):
        assert there.parameters[name] == pytest.approx(here.parameters[name], rel=1e-8)
        assert there.standard_errors[name] == pytest.approx(here.standard_errors[name], rel=1e-7)
    assert there.dispersion == pytest.approx(here.dispersion, rel=1e-8)
    assert there.aic == pytest.approx(here.aic, rel=1e-8)


def test_a_saved_fit_keeps_its_dispersion(tmp_path):
    fit = descend.fit("y ~ exp(a + b*x)", grouped(), loss="gamma")
    fit.save(tmp_path / "times.json")
    loaded = descend.load(tmp_path / "times.json")
    assert loaded.dispersion == fit.dispersion
    assert loaded.aic == fit.aic
    assert str(loaded.loss_function) == "gamma"


def test_the_report_shows_deviance_and_dispersion(tmp_path):
    fit = descend.fit("y ~ exp(a + b*x)", grouped(), loss="gamma")
    shown = fit.summary()
    assert "deviance" in shown and "dispersion" in shown
    assert "R²" not in shown


def test_a_response_of_0_is_refused_with_its_row():
    with pytest.raises(DataError) as caught:
        descend.fit("y ~ exp(a + b*x)", {"x": [1.0, 2.0, 3.0], "y": [1.0, 0.0, 3.0]}, loss="gamma")
    assert str(caught.value) == (
        "`y` is 0 in row 2 of the data, but the gamma loss needs numbers above 0. "
        "Leave such rows out with `where`, or choose another loss."
    )


def test_the_court_knows_the_loss_whose_gradient_was_given():
    judgement = descend.check("y ~ exp(a + b*x)", grouped(), loss="poisson", gradient=[
        "a = mean(1 - y*exp(-a - b*x))", "b = mean(x*(1 - y*exp(-a - b*x)))",
    ])  # fmt: skip
    assert [finding.verdict for finding in judgement.parameters.values()] == ["other_loss", "other_loss"]
    assert "gamma loss" in judgement.sentence


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e9])
def test_a_log_link_takes_as_few_epochs_whatever_the_unit_of_the_response(size):
    data = grouped()
    fit = descend.fit("y ~ exp(a + b*x)", {"x": data["x"], "y": size * data["y"]}, loss="gamma")
    assert fit.outcome == "converged"
    assert fit.trace[-1].epoch < 12
    assert fit.parameters["b"] == pytest.approx(np.log(data["y"][40:].mean() / data["y"][:40].mean()), rel=1e-9)
