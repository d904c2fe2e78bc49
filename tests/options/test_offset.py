"""Offset and exposure: R's glm numbers, the same from every engine, and what has no place for them."""

from pathlib import Path

import numpy as np
import pytest

import descend
from descend.errors import ConfigError, DataError, DescendError

HERE = Path(__file__).parent / "glm"
RANDOM = np.random.default_rng(0)
X, T = RANDOM.normal(size=80), RANDOM.uniform(1.0, 5.0, size=80)
COUNTS = {"x": X, "t": T, "y": RANDOM.poisson(T * np.exp(0.3 + 0.5 * X)).astype(float), "g": np.arange(80) % 2}
MEAN = "y ~ exp(a + b*x)"


@pytest.mark.parametrize("more", [{"exposure": "Holders"}, {"offset": "log(Holders)"}])
def test_counts_with_exposure_are_those_of_r(more):
    fit = descend.fit(
        "Claims ~ exp(b0 + d[District] + g[Group] + a[Age])",
        HERE / "Insurance.csv",
        loss="poisson",
        reference={"g": "<1l", "a": "<25"},
        **more,
    )
    # glm(Claims ~ District + Group + Age + offset(log(Holders)), poisson), with treatment contrasts
    assert fit.parameters["b0"] == pytest.approx(-1.82173991809404, rel=1e-9)
    assert fit.parameters["g"][">2l"] == pytest.approx(0.563412341115509, rel=1e-9)
    assert fit.parameters["d"][4] == pytest.approx(0.234205327977265, rel=1e-9)
    assert fit.standard_errors["b0"] == pytest.approx(0.0767876308279211, rel=1e-7)
    assert fit.standard_errors["a"][">35"] == pytest.approx(0.0699556279052517, rel=1e-7)
    assert fit.deviance == pytest.approx(51.4200327490532, rel=1e-9)
    assert fit.aic == pytest.approx(388.741553998487, rel=1e-9)


def test_an_offset_of_a_line_is_that_of_r():
    fit = descend.fit("Postwt ~ b0 + b1*Prewt + t[Treat]", HERE / "anorexia.csv", offset="Prewt")
    # glm(Postwt ~ Prewt + Treat + offset(Prewt), gaussian)
    assert fit.parameters["b1"] == pytest.approx(-0.565538849639096, rel=1e-9)
    assert fit.parameters["t"]["FT"] == pytest.approx(4.56306265291879, rel=1e-9)
    assert fit.standard_errors["b0"] == pytest.approx(13.3909581420259, rel=1e-7)
    assert str(fit.model) == "Postwt ~ b0 + b1*Prewt + t[Treat] + Prewt"


@pytest.mark.parametrize("engine", ["numpy", "query"])
def test_every_engine_has_it(engine):
    known = descend.fit("y ~ exp(a + b*x + log(t))", COUNTS, loss="poisson").parameters
    found = descend.fit(MEAN, COUNTS, loss="poisson", exposure="t", engine=engine)
    assert found.parameters == pytest.approx(known, rel=1e-9)


@pytest.mark.parametrize(
    "formula, loss, more, read",
    [
        (MEAN, "poisson", {"exposure": "t"}, "y ~ exp(a + b*x + log(t))"),
        ("y ~ a + b*abs(x)", "poisson", {"exposure": "t"}, "y ~ t*(a + b*abs(x))"),
        ("y ~ a*exp(b*x)", "poisson", {"exposure": "t + 1"}, "y ~ (t + 1)*a*exp(b*x)"),
        ("y ~ softplus(a + b*x)", "poisson", {"exposure": "t"}, "y ~ t*softplus(a + b*x)"),
        ("y ~ softplus(a + b*x)", "poisson", {"offset": "t/9"}, "y ~ softplus(a + b*x + t/9)"),
        ("g ~ sigmoid(a + b*x)", "bernoulli", {"offset": "t - 2"}, "g ~ sigmoid(a + b*x + (t - 2))"),
        ("g ~ a + b*x", "logistic", {"offset": "t"}, "g ~ a + b*x + t"),
        ("y ~ a*x + b", "squared", {"offset": "t", "exposure": "t"}, "y ~ t*(a*x + b + t)"),
    ],
)
def test_where_they_are_written(formula, loss, more, read):
    assert str(descend.fit(formula, COUNTS, loss=loss, **more).model) == read


def test_values_are_a_column_of_their_own():
    known = descend.fit(MEAN, COUNTS, loss="poisson", exposure="t")
    fit = descend.fit(MEAN, COUNTS, loss="poisson", offset=np.log(T))
    assert fit.parameters == pytest.approx(known.parameters, rel=1e-9)
    assert fit.predict({"x": [0.5], "offset": [np.log(2.0)]}) == pytest.approx(
        known.predict({"x": [0.5], "t": [2.0]}), rel=1e-9
    )


def test_each_group_has_its_own_fit_with_it():
    fits = descend.fit(MEAN, COUNTS, loss="poisson", exposure="t", by="g")
    half = {name: values[::2] for name, values in COUNTS.items()}
    alone = descend.fit(MEAN, half, loss="poisson", exposure="t")
    assert fits[0].parameters == pytest.approx(alone.parameters, rel=1e-9)


def test_a_saved_fit_needs_the_column_for_new_rows(tmp_path):
    fit = descend.fit(MEAN, COUNTS, loss="poisson", exposure="t")
    fit.save(tmp_path / "m.json")
    loaded = descend.load(tmp_path / "m.json")
    assert loaded.predict({"x": [0.0], "t": [2.0]}) == pytest.approx(2.0 * np.exp(fit.parameters["a"]))
    with pytest.raises(DataError) as error:
        loaded.predict({"x": [0.0]})
    assert str(error.value) == "There is no column `t` in the data. Its columns: `x`."


@pytest.mark.parametrize(
    "model, more, message",
    [
        (
            MEAN,
            {"offset": "log(tt)"},
            "`tt` is not a column.\n    log(tt)\n        ^^\n`offset` is a column, or computed from columns alone.",
        ),
        (
            "g ~ sigmoid(a + b*x)",
            {"loss": "bernoulli", "exposure": "t"},
            "`exposure` multiplies the mean of a count, and under the bernoulli loss the formula is a probability. Use "
            "the poisson loss, or add a term to the log-odds with `offset`.",
        ),
        (
            "g ~ 1/(1 + exp(-(a + b*x)))",
            {"loss": "bernoulli", "offset": "t"},
            "`offset` is added to the log-odds, and `g ~ 1/(1 + exp(-(a + b*x)))` hides them. Write its right side as "
            "sigmoid(...).",
        ),
        (
            lambda x, a, b: np.exp(a + b * x),
            {"response": "y", "offset": "t"},
            "`offset` is a term of a formula, and this model is a Python function or module, which adds it itself: "
            "take the column as an argument, as in `np.exp(a + b*x + log_t)`. Leave it out.",
        ),
        (
            [MEAN, "t ~ exp(c + b*x)"],
            {"loss": "squared", "offset": "t"},
            "`offset` is a term of one formula, and these are several: write it into each of them.",
        ),
        (
            MEAN,
            {"exposure": True},
            "`exposure` must be the name of a column, or an array with a value for each row, not True.",
        ),
    ],
)
def test_what_has_no_place_for_it_says_so(model, more, message):
    with pytest.raises(DescendError) as error:
        descend.fit(model, COUNTS, **{"loss": "poisson", **more})
    assert str(error.value) == message
    assert isinstance(error.value, ConfigError) or "column" in message


@pytest.mark.parametrize(("engine", "row"), [("numpy", "row 2"), ("query", "some row")])
def test_an_exposure_is_above_0(engine: str, row: str, tmp_path) -> None:
    data = {**COUNTS, "time spent": np.where(np.arange(len(COUNTS["x"])) == 1, -1.0, 2.0)}
    options = {"loss": "poisson", "exposure": "time spent"}
    with pytest.raises(DataError) as error:
        descend.fit(MEAN, data, engine=engine, **options)
    assert str(error.value) == (
        f"The exposure `time spent` is -1 in {row} of the data. Exposures must be above 0. Leave such rows out with "
        "`where`, or correct them."
    )
    assert descend.fit(MEAN, data, engine=engine, **options, where='"time spent" > 0').succeeded
