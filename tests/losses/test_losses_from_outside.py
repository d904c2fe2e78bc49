"""Losses that the package does not know: one with cutpoints, one that reads which times are censored, one of shares.

They are registered by one call each, and go through everything that a built-in loss goes through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pytest
from scipy import stats
from scipy.differentiate import hessian
from scipy.optimize import minimize
from scipy.special import expit
from typer.testing import CliRunner

import descend
from descend.errors import ConfigError, DataError
from descend.losses import LOSSES, Loss
from descend.losses.domain import POSITIVE, Domain
from descend.registry import setting


@dataclass(frozen=True)
class Rating(Loss):
    """Cumulative logit: P(y <= k) = sigmoid(c_k - prediction) for ordered categories 1, 2, ... levels."""

    levels: int = setting(3, at_least=2)

    name: ClassVar[str] = "rating"
    response_domain: ClassVar[Domain] = Domain(low=1.0, words="whole numbers from 1")
    dispersion: ClassVar[Literal["known", "estimated"] | None] = "known"

    @property
    def own_parameters(self) -> dict[str, float]:
        return {f"c{k}": k - 0.5 * self.levels for k in range(1, self.levels)}

    def _by_category(self, texts: list[str]) -> str:
        last = len(texts)
        found = texts[-1]
        for k in range(last - 1, 0, -1):
            found = f"where(y < {k + 0.5}, {texts[k - 1]}, {found})"
        return found

    def _up_to(self, k: int) -> str:
        return {0: "0", self.levels: "1"}.get(k, f"sigmoid(c{k} - prediction)")

    @property
    def value_text(self) -> str:  # type: ignore[override]
        categories = range(1, self.levels + 1)
        return self._by_category([f"-log({self._up_to(k)} - {self._up_to(k - 1)})" for k in categories])

    @property
    def slope_text(self) -> str:  # type: ignore[override]
        categories = range(1, self.levels + 1)
        return self._by_category([f"(1 - {self._up_to(k - 1)} - {self._up_to(k)})" for k in categories])

    @property
    def weight_text(self) -> str:  # type: ignore[override]
        def bend(k: int) -> str:
            ends = (each for each in (k - 1, k) if 0 < each < self.levels)
            return " + ".join(f"sigmoid(c{each} - prediction)*sigmoid(prediction - c{each})" for each in ends)

        return self._by_category([bend(k) for k in range(1, self.levels + 1)])


@dataclass(frozen=True)
class Survival(Loss):
    """Exponential times whose mean is the prediction, some of them known only to be longer (event 0, else 1)."""

    event: str = setting("event")

    name: ClassVar[str] = "survival"
    value_text: ClassVar[str] = "y/prediction + event*log(prediction)"
    slope_text: ClassVar[str] = "(event - y/prediction)/prediction"
    weight_text: ClassVar[str] = "max(event, 1e-8)/prediction^2"
    response_domain: ClassVar[Domain] = Domain(low=0.0, words="times above 0", closed=False)
    prediction_domain: ClassVar[Domain] = POSITIVE
    dispersion: ClassVar[Literal["known", "estimated"] | None] = "known"


@dataclass(frozen=True)
class Beta(Loss):
    """Minus log-likelihood of shares of a beta distribution, of a mean (the prediction) and a precision phi."""

    phi: float = setting(0.0, at_least=0, fitted=10.0)

    name = "beta"
    value_text = (
        "lgamma(prediction*phi) + lgamma((1 - prediction)*phi) - lgamma(phi)"
        " - (prediction*phi - 1)*log(y) - ((1 - prediction)*phi - 1)*log(1 - y)"
    )
    slope_text = "phi*(polygamma(0, prediction*phi) - polygamma(0, (1 - prediction)*phi) - log(y) + log(1 - y))"
    weight_text = "phi^2*(polygamma(1, prediction*phi) + polygamma(1, (1 - prediction)*phi))"
    response_domain = Domain(0.0, 1.0, "shares between 0 and 1", closed=False)
    prediction_domain = Domain(0.0, 1.0, "between 0 and 1", closed=False, example="sigmoid(a + b*x)")
    dispersion = "known"
    observed_information = True


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    for part in (Rating, Survival, Beta):
        LOSSES.register(part)
    yield
    for part in (Rating, Survival, Beta):
        del LOSSES.parts[part.name]
    LOSSES.built.cache_clear()


def categories() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    latent = 1.5 * x + rng.logistic(size=400)
    return {"x": x, "y": 1.0 + (latent > -1) + (latent > 0.5) + (latent > 2)}


def times() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    x = rng.normal(size=300)
    life, end = rng.exponential(np.exp(1 + 0.5 * x)), rng.exponential(6.0, size=300)
    return {"x": x, "t": np.minimum(life, end), "died": (life < end) * 1.0}


RATING, SURVIVAL = "rating(levels=4)", 'survival(event="died")'


def minus_log_likelihood(theta):
    data = categories()
    ends = np.concatenate([[-np.inf], theta[1:4], [np.inf]])
    k = data["y"].astype(int)
    return -np.log(expit(ends[k] - theta[0] * data["x"]) - expit(ends[k - 1] - theta[0] * data["x"])).sum()


@pytest.mark.parametrize("engine", ["auto", "query"])
def test_cutpoints_are_fitted_with_the_formula(engine):
    fit = descend.fit("y ~ b*x", categories(), loss=RATING, engine=engine)
    best = minimize(minus_log_likelihood, [1.0, -1.0, 0.0, 1.0], tol=1e-12)
    assert fit.outcome == "converged"
    assert list(fit.parameters) == ["b", "c1", "c2", "c3"]
    assert list(fit.parameters.values()) == pytest.approx(best.x, rel=1e-5)
    assert fit.log_likelihood == pytest.approx(-best.fun, rel=1e-12)
    assert fit.aic == pytest.approx(8 + 2 * best.fun, rel=1e-12)
    assert fit.standard_errors is not None

    def each(points):
        return np.apply_along_axis(minus_log_likelihood, 0, points)

    information = hessian(each, np.array(list(fit.parameters.values()))).ddf
    assert list(fit.standard_errors.values()) == pytest.approx(np.sqrt(np.diag(np.linalg.inv(information))), rel=1e-6)
    if engine == "query":
        assert "rows streamed to NumPy in blocks, as the rating loss has parameters of its own" in fit.notes


@pytest.mark.parametrize("engine", ["auto", "query", "torch"])
def test_censored_times(engine):
    data = times()
    fit = descend.fit("t ~ m", data, loss=SURVIVAL, engine=engine)
    assert fit.outcome == "converged"
    assert fit.parameters["m"] == pytest.approx(data["t"].sum() / data["died"].sum(), rel=1e-9)
    assert fit.standard_errors is not None
    assert fit.standard_errors["m"] == pytest.approx(fit.parameters["m"] / np.sqrt(data["died"].sum()), rel=1e-6)
    pull = (data["died"] - data["t"] / fit.parameters["m"]) / fit.parameters["m"]
    spread = np.sqrt(np.square(pull).sum()) * fit.parameters["m"] ** 2 / data["died"].sum()
    if engine == "auto":  # HC3, of rows of little leverage
        (low, high) = fit.intervals(method="sandwich")["m"]
        assert (high - low) / 2 / 1.96 == pytest.approx(spread, rel=0.02)


@pytest.mark.parametrize(
    ("formula", "data", "loss"), [("y ~ b*x", categories, RATING), ("t ~ exp(a + b*x)", times, SURVIVAL)]
)
def test_it_is_reported_and_saved_and_loaded(tmp_path, formula, data, loss):
    fit = descend.fit(formula, data(), loss=loss)
    profile = fit.intervals(method="profile")["b"]
    wald = fit.intervals()["b"]
    assert profile == pytest.approx(wald, rel=0.1)
    fit.save(tmp_path / "fit.json")
    loaded = descend.load(tmp_path / "fit.json")
    assert loaded.parameters == fit.parameters
    assert loaded.standard_errors == fit.standard_errors
    assert loaded.aic == fit.aic
    assert str(loaded.loss_function) == loss
    np.testing.assert_array_equal(loaded.predict({"x": [0.5]}), fit.predict({"x": [0.5]}))
    fit.report(tmp_path / "fit.html")
    assert loss.partition("(")[0] in (tmp_path / "fit.html").read_text()


def test_the_command_line_and_the_lab_know_it(tmp_path):
    from descend.cli.main import app
    from descend.lab.state import State

    data = times()
    np.savetxt(tmp_path / "t.csv", np.column_stack(list(data.values())), delimiter=",", header="x,t,died", comments="")
    result = CliRunner().invoke(
        app, ["fit", "t ~ exp(a + b*x)", str(tmp_path / "t.csv"), "--loss", "survival(event=died)", "--json"]
    )
    assert result.exit_code == 0
    assert json.loads(result.stdout)["loss_function"] == SURVIVAL
    assert "survival" in list(LOSSES)
    assert State(loss=SURVIVAL).loss == SURVIVAL


def test_derivatives_by_its_own_parameters_are_derived():
    written = descend.derive("y ~ b*x", loss="rating(levels=2)").written("text")
    assert set(written) == {"b", "c1"}
    assert written["c1"].startswith("mean(")


@pytest.mark.parametrize(
    ("loss", "options", "message"),
    [
        (
            RATING, {"gradient": "autograd"},
            "The rating loss has columns or parameters of its own, so it goes with a formula and its derived gradient "
            "only. Leave out the gradient, or choose another loss.",
        ),
        (
            RATING, {"gradient": "b = mean(x*(b*x - y))"},
            "The rating loss has columns or parameters of its own, so it goes with a formula and its derived gradient "
            "only. Leave out the gradient, or choose another loss.",
        ),
        (
            RATING, {"engine": "torch"},
            "The rating loss has parameters of its own, which the engine `torch` does not sum. Leave out the engine "
            "and the device.",
        ),
        (RATING, {"fix": {"c1": 0.0}}, "`c1` is a parameter of the rating loss, which cannot be fixed or tied."),
        (
            RATING, {"errors": "sandwich"},
            "The rating loss has parameters of its own, which no sandwich errors are known for. Use model.",
        ),
        (
            'survival(event="dead")', {},
            "There is no column `dead` to take as what the survival loss reads. Columns: x, y.",
        ),
    ],
)  # fmt: skip
def test_what_does_not_go_with_it_is_refused(loss, options, message):
    with pytest.raises(ConfigError) as caught:
        _ = descend.fit("y ~ b*x", categories(), loss=loss, **options).standard_errors
    assert str(caught.value) == message


def test_a_parameter_of_the_formula_may_not_have_its_name():
    with pytest.raises(ConfigError) as caught:
        descend.fit("y ~ b*x + c1", categories(), loss=RATING)
    assert str(caught.value) == (
        "The rating loss has a parameter `c1` of its own. Give that of the formula another name."
    )


def test_its_domain_is_told_in_its_words():
    data = categories()
    data["y"][3] = 0.0
    with pytest.raises(DataError) as caught:
        descend.fit("y ~ b*x", data, loss=RATING)
    assert str(caught.value) == (
        "`y` is 0 in row 4 of the data, but the rating loss needs whole numbers from 1. "
        "Leave such rows out with `where`, or choose another loss."
    )


def test_a_value_needs_to_know_its_columns():
    loss, y = LOSSES.build(SURVIVAL), np.array([1.0, 2.0])
    with pytest.raises(ConfigError) as caught:
        loss.value(np.ones(2), y)
    assert str(caught.value) == "The survival loss has columns or parameters of its own, which are not known here."
    known = loss.given({"died": np.array([1.0, 0.0])}, {})
    np.testing.assert_allclose(known.value(np.full(2, 2.0), y), [0.5 + np.log(2.0), 1.0])


# ---------------------------------------------------------------- one whose formula has values outside its domain


@pytest.fixture
def waits() -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    x = random.uniform(0.0, 2.0, 300)
    return {"x": x, "y": random.wald(np.exp(0.5 + x), 4.0)}


def test_no_descent_leaves_the_domain_of_the_prediction(waits):
    with pytest.raises(ConfigError, match=r"The prediction is -1 in row 1 .* Keep the formula positive"):
        descend.fit("y ~ a + b*x", waits, loss="inverse_gaussian", start={"a": -1.0, "b": 0.0})
    for options in ({}, {"optimizer": "gd", "learning_rate": "auto", "epochs": 300}):
        fit = descend.fit("y ~ a + b*x", waits, loss="inverse_gaussian", start={"a": 3.0, "b": 1.0}, **options)
        assert (fit.predict(waits) > 0.0).all()


def test_a_loss_of_least_value_0_is_told_by_a_database_as_in_memory(waits, tmp_path):
    fits = [
        descend.fit("y ~ exp(a + b*x)", waits, loss="inverse_gaussian", engine=engine) for engine in ("numpy", "query")
    ]
    mean = np.exp(fits[0].parameters["a"] + fits[0].parameters["b"] * waits["x"])
    deviance = float(((waits["y"] - mean) ** 2 / (waits["y"] * mean**2)).sum())
    normalised = deviance / len(mean)
    likelihood = -0.5 * (len(mean) * (np.log(2 * np.pi * normalised) + 1) + 3 * np.log(waits["y"]).sum())
    for fit in fits:
        assert fit.log_likelihood == pytest.approx(likelihood, rel=1e-9)
        assert fit.standard_errors["b"] == pytest.approx(fits[0].standard_errors["b"], rel=1e-6)


def shares() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(2)
    x = rng.uniform(-2, 2, 200)
    mean = expit(0.3 + 0.8 * x)
    return {"x": x, "y": rng.beta(12 * mean, 12 * (1 - mean))}


def test_a_setting_is_fitted_unless_it_is_given():
    data = shares()

    def minus_log_density(theta):
        mean = expit(theta[0] + theta[1] * data["x"])
        return -stats.beta.logpdf(data["y"], mean * theta[2], (1 - mean) * theta[2]).sum()

    fit = descend.fit("y ~ sigmoid(a + b*x)", data, loss="beta")
    best = minimize(minus_log_density, [0.1, 0.1, 5.0], tol=1e-9)
    assert list(fit.parameters) == ["a", "b", "phi"]
    assert list(fit.parameters.values()) == pytest.approx(best.x, rel=1e-4)
    assert fit.log_likelihood == pytest.approx(-best.fun, rel=1e-9)
    known = descend.fit("y ~ sigmoid(a + b*x)", data, loss="beta(phi=12)")
    assert list(known.parameters) == ["a", "b"] and str(known.model.loss) == "beta(phi=12)"


def test_parameters_of_its_own_open_no_way_out_of_its_domain():
    fit = descend.fit("y ~ a + b*x", shares(), loss="beta")
    ends = fit.predict({"x": [-2.0, 2.0]})
    assert (ends > 0.0).all() and (ends < 1.0).all()
    with pytest.raises(ConfigError, match=re.escape("Keep the formula between 0 and 1, as in `y ~ sigmoid(a + b*x)`")):
        descend.fit("y ~ a + b*x", shares(), loss="beta", start={"a": 3.0, "b": 0.0})


def waiting_time(factor):
    """Define the loss again, as a cell of a notebook does, with a variance that is ``factor`` times the usual one."""

    @dataclass(frozen=True)
    class Waiting(Loss):
        """Waiting times."""

        name = "waiting"
        value_text = "log(prediction) + y/prediction"
        slope_text = "1/prediction - y/prediction^2"
        weight_text = "1/prediction^2"
        response_domain = Domain(low=0.0, words="times, all positive", closed=False)
        prediction_domain = POSITIVE
        dispersion = "known"
        variance_text = f"{factor}*mean^2"

    return Waiting


def test_a_loss_that_is_defined_again_takes_the_place_of_what_it_was():
    data = {"y": np.random.default_rng(0).exponential(2.0, 100)}
    fits = []
    try:
        for factor in (1, 4):
            part = LOSSES.register(waiting_time(factor))
            fits.append(descend.fit("y ~ a", data, loss="waiting", dispersion="estimated"))
            assert isinstance(LOSSES.build("waiting"), part)
    finally:
        del LOSSES.parts["waiting"]
        LOSSES.built.cache_clear()
    first, again = (each.standard_errors["a"] for each in fits)
    assert fits[0].parameters == fits[1].parameters
    assert again == pytest.approx(first / 2, rel=1e-9)


def test_a_name_that_is_taken_is_not_given_again():
    with pytest.raises(ConfigError) as refused:
        LOSSES.register(type("Squared", (Survival,), {"name": "squared"}))
    assert str(refused.value) == "There is a loss `squared` already. Give yours another name."
