"""Dispersions that are not those of the distribution: quasi-likelihood, and dispersions that are known."""

from __future__ import annotations

import json
import pathlib

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner

import descend
from descend.errors import ConfigError
from descend.losses import LOSSES

DATA = pathlib.Path(__file__).parent / "data"
LINE = "y ~ exp(a + b*x)"


def counts() -> dict[str, np.ndarray]:
    random = np.random.default_rng(8)
    x = np.linspace(0.0, 2.0, 80)
    return {"x": x, "y": random.poisson(np.exp(1 + x) * random.gamma(2.0, 0.5, 80)).astype(float)}


def test_the_dispersion_scales_the_errors_and_leaves_the_estimates():
    plain = descend.fit(LINE, counts(), loss="poisson")
    quasi = descend.fit(LINE, counts(), loss="poisson", dispersion="estimated")
    given = descend.fit(LINE, counts(), loss="poisson", dispersion=4)
    assert quasi.parameters == given.parameters == plain.parameters
    assert quasi.dispersion == pytest.approx(plain.goodness.reduced, rel=1e-12) and given.dispersion == 4.0
    for fit in (quasi, given):
        ratio = fit.standard_errors["b"] / plain.standard_errors["b"]
        assert ratio == pytest.approx(np.sqrt(fit.dispersion), rel=1e-12)
        assert fit.deviance == plain.deviance
        assert fit.aic is fit.log_likelihood is fit.goodness is None
        assert not any("vary" in note for note in fit.notes)
    assert quasi.error_degrees == 78 and given.error_degrees == np.inf
    assert descend.fit(LINE, counts(), loss="poisson", dispersion="known").aic == plain.aic


def test_a_gamma_of_known_dispersion_is_exponential():
    random = np.random.default_rng(2)
    x = np.linspace(0.0, 1.0, 200)
    data = {"x": x, "y": random.exponential(np.exp(1 + x))}
    fit = descend.fit(LINE, data, loss="gamma", dispersion="known")
    mean = fit.predict(data)
    assert fit.log_likelihood == pytest.approx(stats.expon.logpdf(data["y"], scale=mean).sum(), rel=1e-12)
    assert fit.aic == pytest.approx(4 - 2 * fit.log_likelihood)
    design = np.column_stack([np.ones(200), x])
    assert fit.standard_errors["b"] == pytest.approx(np.sqrt(np.linalg.inv(design.T @ design)[1, 1]), rel=1e-9)


def test_it_is_shown_saved_and_repeated(tmp_path):
    from descend.cli.main import app

    np.savetxt(tmp_path / "c.csv", np.column_stack(list(counts().values())), delimiter=",", header="x,y", comments="")
    saved = str(tmp_path / "fit.json")
    arguments = ["fit", LINE, str(tmp_path / "c.csv"), "--loss", "poisson", "--dispersion", "estimated"]
    told = CliRunner().invoke(app, [*arguments, "--save", saved])
    assert told.exit_code == 0
    assert "by Pearson's chi-square; no distribution has it" in " ".join(told.output.split())
    found = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert found["aic"] is None and found["loss_function"] == "dispersed(of=poisson)"
    loaded = descend.load(saved)
    assert loaded.dispersion == pytest.approx(found["dispersion"]) and loaded.error_degrees == 78
    again = CliRunner().invoke(app, ["fit", "--like", saved, str(tmp_path / "c.csv"), "--json"])
    assert json.loads(again.stdout)["dispersion"] == pytest.approx(found["dispersion"])
    with pytest.raises(ConfigError) as caught:
        loaded.predict({"x": [1.0]}, interval="prediction")
    assert str(caught.value).startswith("A prediction interval needs the distribution of single measurements, and none")


def test_every_group_has_its_own():
    data = {**counts(), "g": np.repeat([0, 1], 40)}
    fits = descend.fit(LINE, data, by="g", loss="poisson", dispersion="estimated")
    half = {name: values[data["g"] == 1] for name, values in data.items()}
    alone = descend.fit(LINE, half, loss="poisson", dispersion="estimated")
    assert fits[1].standard_errors["b"] == pytest.approx(alone.standard_errors["b"], rel=1e-9)


def test_the_query_engine_knows_it():
    here, there = (
        descend.fit(LINE, counts(), loss="poisson", dispersion="estimated", engine=engine)
        for engine in ("numpy", "query")
    )
    assert there.dispersion == pytest.approx(here.dispersion, rel=1e-9)
    assert there.standard_errors["b"] == pytest.approx(here.standard_errors["b"], rel=1e-9)


@pytest.mark.parametrize(
    ("loss", "dispersion", "message"),
    [
        (
            "squared", 2,
            "The dispersion of the squared loss is the variance of the residuals, which is estimated. Where it is "
            "known, give its root with `sigma`.",
        ),
        (
            "huber", 2,
            "The huber loss is not the likelihood of a distribution, so it has no dispersion. Leave out `dispersion`.",
        ),
        (
            "negative_binomial", "estimated",
            "The negative_binomial loss has columns or parameters of its own, by which it says how far responses "
            "scatter. Leave out `dispersion`, or choose another loss.",
        ),
        ("poisson", "much", "`dispersion` must be `estimated`, `known` or a number above 0, not 'much'."),
        ("poisson", -1, "`dispersion` must be `estimated`, `known` or a number above 0, not -1."),
    ],
)  # fmt: skip
def test_a_dispersion_that_means_nothing_is_refused(loss, dispersion, message):
    with pytest.raises(ConfigError) as caught:
        descend.fit(LINE, counts(), loss=loss, dispersion=dispersion)
    assert str(caught.value) == message


def test_settings_of_the_other_loss_survive_as_text():
    from descend.losses.dispersed import with_dispersion

    loss = with_dispersion(LOSSES.build("tweedie(power=1.7)"), 2.0)
    again = LOSSES.build(str(loss))
    assert again == loss
    plain = LOSSES.build("tweedie(power=1.7)")
    np.testing.assert_array_equal(again.value(np.ones(2), np.ones(2)), plain.value(np.ones(2), np.ones(2)))


def test_quasi_binomial_of_log_odds_needs_no_search():
    random = np.random.default_rng(3)
    x = np.linspace(-2.0, 2.0, 60)
    data = {"x": x, "share": random.binomial(12, 1.0 / (1.0 + np.exp(-0.5 - x))) / 12}
    fit, plain = (
        descend.fit("share ~ sigmoid(a + b*x)", data, trials=12, **options)
        for options in ({"dispersion": "estimated"}, {})
    )
    assert fit.parameters == pytest.approx(plain.parameters, rel=1e-12)
    assert not any("start found" in note for note in fit.notes)
