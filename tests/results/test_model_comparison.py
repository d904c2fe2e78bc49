"""Models of the same rows compared: R's tests and criteria, held-out error, and what cannot be compared."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

import descend
from descend.cli.main import main
from descend.errors import ConfigError
from descend.report.text import width

FOLDER = Path(__file__).parent / "compare"
ANSWERS = json.loads((FOLDER / "answers.json").read_text())
RANDOM = np.random.default_rng(5)
X = np.linspace(0.1, 4.0, 60)
DECAY = {"x": X, "y": 3.0 * np.exp(-0.8 * X) + 0.5 + RANDOM.normal(0.0, 0.05, 60), "z": RANDOM.normal(size=60)}
DECAY["day"], DECAY["site"] = np.arange(60.0), np.array(list("abcdef") * 10)


@pytest.mark.parametrize("family", ANSWERS["families"])
def test_tests_and_criteria_are_those_of_r(family):
    models = {name: ANSWERS["models"][name] for name in ANSWERS["families"][family]}
    data = FOLDER / next(iter(models.values()))["data"]
    compared = descend.compare([model["formula"] for model in models.values()], data)
    for name, model in models.items():
        found = compared.criteria[model["formula"]]
        expected = [model[key] for key in ("loglik", "AIC", "AICc", "BIC")]
        assert [found.log_likelihood, found.aic, found.aicc, found.bic] == pytest.approx(expected, rel=1e-8)
        if name in ANSWERS["lack_of_fit"]:
            known, lack = ANSWERS["lack_of_fit"][name], compared.lack_of_fit[model["formula"]]
            assert (lack.F, list(lack.df), lack.p) == (
                pytest.approx(known["F"], rel=1e-7),
                known["df"],
                pytest.approx(known["p"], rel=1e-6),
            )
    tests = {(test.small, test.large): test for test in compared.tests}
    for known in ANSWERS["nested"]:
        if known["small"] in models and known["large"] in models:
            test = tests.pop((models[known["small"]]["formula"], models[known["large"]]["formula"]))
            assert list(test.df) == known["df"]
            for key in ("F", "p", "LR", "LR_p"):
                assert getattr(test, key) == pytest.approx(known[key], rel=1e-6)
    more = {("Puromycin-1", "Puromycin-hill")}
    assert set(tests) <= {tuple(ANSWERS["models"][name]["formula"] for name in pair) for pair in more}


def test_models_that_are_not_nested_have_no_test():
    compared = descend.compare(["y ~ a*exp(-b*x)", "y ~ a/(1 + b*x) + c", "y ~ p*exp(-q*x) + r"], DECAY)
    assert [(test.small, test.large) for test in compared.tests] == [("y ~ a*exp(-b*x)", "y ~ p*exp(-q*x) + r")]
    assert compared.best == "y ~ p*exp(-q*x) + r"
    assert sum(compared.weights.values()) == pytest.approx(1.0)


def test_a_response_that_was_transformed_is_brought_to_one_scale():
    compared = descend.compare(["y ~ exp(a + b*x)", "log(y) ~ a + b*x"], DECAY)
    plain, transformed = compared.criteria.values()
    log_y = compared.fits["log(y) ~ a + b*x"]
    n, deviation = 60, math.sqrt(log_y.loss)
    # The density of y is that of log(y), times 1/y.
    expected = -n / 2 * (math.log(2.0 * math.pi * deviation**2) + 1.0) - np.log(DECAY["y"]).sum()
    assert transformed.log_likelihood == pytest.approx(expected, rel=1e-10)
    assert compared.tests == [] and math.isfinite(plain.aic)
    assert compared.notes == (
        "`log(y) ~ a + b*x` predicts log(y) and `y ~ exp(a + b*x)` y: their criteria are those of `y`, by the "
        "derivative of each left side",
    )


def test_likelihood_ratios_of_counts_have_no_f():
    counts = np.random.default_rng(2).poisson(np.exp(1.0 + 0.3 * X)).astype(float)
    compared = descend.compare(["n ~ exp(a)", "n ~ exp(a + b*x)"], {"x": X, "n": counts}, loss="poisson")
    small, large = compared.fits.values()
    (test,) = compared.tests
    assert test.F is None and test.p is None
    assert pytest.approx(small.deviance - large.deviance, rel=1e-8) == test.LR


def test_rows_that_one_model_lacks_are_left_out_of_all():
    data = {**DECAY, "z": np.where(np.arange(60) < 10, np.nan, DECAY["z"])}
    compared = descend.compare(["y ~ a + b*x", "y ~ a + b*x + c*z"], data, missing="drop")
    assert {fit.rows for fit in compared.fits.values()} == {50}
    assert compared.notes == ("10 rows in which one of the models lacks a value are left out of all",)
    alone = descend.fit("y ~ a + b*x", {name: values[10:] for name, values in DECAY.items()})
    assert compared.fits["y ~ a + b*x"].loss == pytest.approx(alone.loss, rel=1e-12)


@pytest.mark.parametrize("options", [{}, {"fold_by": "site"}, {"fold_order": "day"}])
def test_the_held_out_error_is_that_of_refits(options):
    from descend.results.cross_validation import folds_of
    from descend.table import open_table

    compared = descend.compare(["y ~ a + b*x", "y ~ a*exp(-b*x) + c"], DECAY, folds=5, **options)
    parts = folds_of(
        open_table(DECAY), np.ones(60, dtype=bool), 5, 0, options.get("fold_by"), options.get("fold_order")
    )
    assert sorted(np.concatenate(parts).tolist()) == list(range(60))
    squares = 0.0
    for chosen in parts:
        kept = np.setdiff1d(np.arange(60), chosen)
        slope, intercept = np.polyfit(X[kept], DECAY["y"][kept], 1)
        squares += float(((DECAY["y"][chosen] - slope * X[chosen] - intercept) ** 2).sum())
    held_out = compared.held_out["y ~ a + b*x"]
    assert held_out.error == pytest.approx(math.sqrt(squares / 60), rel=1e-6)
    assert compared.held_out["y ~ a*exp(-b*x) + c"].error < held_out.error
    if "fold_by" in options:
        assert all(
            set(DECAY["site"][part]).isdisjoint(DECAY["site"][np.setdiff1d(np.arange(60), part)]) for part in parts
        )
    if "fold_order" in options:
        assert all(np.ptp(part) == len(part) - 1 for part in parts)


@pytest.mark.parametrize(
    "models, options, message",
    [
        (["y ~ a + b*x"], {}, "A comparison needs two models at least."),
        (["y ~ a + b*x"] * 2, {}, "`y ~ a + b*x` is named twice. Name each model once."),
        (
            ["y ~ a + b*x", "z ~ a + b*x"],
            {},
            "`y ~ a + b*x` predicts `y` and `z ~ a + b*x` `z`: models of different responses cannot be compared.",
        ),
        (["y ~ a", "y ~ a + b*x"], {"folds": 1}, "The number of folds must be a whole number, 2 or more; it is 1."),
        (
            ["y ~ a", "y ~ a + b*x"],
            {"folds": 9, "fold_by": "site"},
            "9 folds need at least as many groups of `site`; there are 6.",
        ),
        (
            ["y ~ a", "y ~ a + b*x"],
            {"fold_by": "site"},
            "Say in how many folds rows are held out by `site`, such as folds 5.",
        ),
        (
            ["y ~ a", "y ~ a + b*x"],
            {"optimizers": "gd"},
            "Compare several models, or several optimizers on one model, not both at once.",
        ),
        (
            ["y ~ a", "y ~ a + b*x"],
            {"folds": 3, "fold_by": "site", "fold_order": "day"},
            "Rows are held out by whole groups of `site`, or in the order of `day`. Leave out one of the two.",
        ),
        (
            ["y ~ a[site] + b*x", "y ~ a + b*x"],
            {"folds": 3, "fold_by": "site"},
            "No fold of `y ~ a[site] + b*x` could be fitted without its rows, which leave some of its parameters open, "
            "such as those of groups that are held out whole. Hold out fewer rows, or some of each group.",
        ),
        (["y ~ a", "y ~ a + b*x"], {"by": "site"}, "A comparison is of models for all rows together: leave out `by`."),
    ],
)
def test_what_cannot_be_compared_is_refused(models, options, message):
    with pytest.raises(ConfigError) as error:
        descend.compare(models, DECAY, **options)
    assert str(error.value) == message


def test_the_command_line_and_the_picture(tmp_path, monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["descend", "compare", *map(str, arguments)])
        code = main()
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    data, first = FOLDER / "Puromycin.csv", "rate ~ Vm*conc/(K + conc)"
    second = "rate ~ Vm[state]*conc/(K + conc)"
    code, out, _ = run(first, data, "--against", second, "--json", "--plot", tmp_path / "models.png")
    found = json.loads(out)
    assert code == 0 and [model["formula"] for model in found["models"]] == [first, second]
    assert set(found["models"][0]) >= {"rows", "parameters", "loss", "AIC", "AICc", "BIC"}
    assert found["tests"][0]["small"] == first and found["tests"][0]["F"] == pytest.approx(44.943324372035)
    assert (tmp_path / "models.png").stat().st_size > 10_000
    code, out, _ = run(first, data, "--against", second, "--folds", 4)
    assert code == 0 and f"Best by AICc: {second}" in out and "held-out rows, 4 folds" in out
    code, _, err = run(first, data, "--against", second, "--optimizers", "gd")
    assert (code, err) == (
        2,
        "ConfigError: Compare models with --against, or optimizers with --optimizers, not both at once.\n",
    )
    code, _, err = run(first, data, "--folds", 3)
    assert (code, err) == (2, "ConfigError: Rows are held out to compare models. Name another with --against.\n")


def test_a_response_of_words_is_counted_as_in_a_fit():
    random = np.random.default_rng(0)
    x = random.normal(size=60)
    ones = random.random(60) < 1.0 / (1.0 + np.exp(-1.0 - 2.0 * x))
    models = ["w ~ sigmoid(a)", "w ~ sigmoid(a + b*x)"]
    words = descend.compare(models, {"x": x, "w": np.where(ones, "dead", "alive")}, loss="logistic", folds=3)
    numbers = descend.compare(models, {"x": x, "w": ones.astype(float)}, loss="logistic", folds=3)
    ratio, expected = words.tests[0].LR, numbers.tests[0].LR
    assert ratio == pytest.approx(expected, rel=1e-9)
    assert words.held_out[models[1]].error == pytest.approx(numbers.held_out[models[1]].error, rel=1e-6)


def test_the_picture_has_the_look_that_is_asked_for(tmp_path, capsys, monkeypatch):
    x = np.linspace(0.0, 4.0, 20)
    data = {"x": x, "y": 3.0 * np.exp(-x) + 0.01 * np.sin(9 * x) + 0.1}
    found = descend.compare(["y ~ a*exp(-b*x)", "y ~ a*exp(-b*x) + c"], data)
    figure = found.plot(size="85mm", log="y", title="Two models")
    assert figure.get_size_inches()[0] == pytest.approx(85 / 25.4) and figure.axes[0].get_yscale() == "log"
    path = tmp_path / "decay.csv"
    path.write_text("x,y\n" + "".join(f"{a},{b}\n" for a, b in zip(x, data["y"], strict=True)))
    command = ["descend", "compare", "y ~ a*exp(-b*x)", str(path), "--plot", str(tmp_path / "x.pdf"), "--size", "85mm"]
    monkeypatch.setattr("sys.argv", [*command, "--optimizers", "gd,lbfgs"])
    assert main() == 2
    told = "A picture of optimizers has a look of its own. Name another model with --against."
    assert told in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", [*command, "--against", "y ~ a*exp(-b*x) + c"])
    assert main() == 0 and (tmp_path / "x.pdf").stat().st_size > 1000


def test_the_table_stays_aligned_where_names_are_wide():
    x = np.arange(12.0)
    compared = descend.compare(["浓度 ~ a", "浓度 ~ a + b*x"], {"x": x, "浓度": 1.0 + 2.0 * x + np.cos(5.0 * x)})
    head, *lines = str(compared).splitlines()[:3]
    assert {width(line) for line in lines} == {width(head)}
