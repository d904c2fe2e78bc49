"""Categories as predictors: the answers of R's lm and glm with treatment contrasts, and how references are chosen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

import descend
from descend.errors import ConfigError
from descend.table.table import label

HERE = Path(__file__).parent / "categories"
ANSWERS: dict[str, dict[str, Any]] = json.loads((HERE / "answers.json").read_text())
WARPBREAKS = {"u[B]": "wool[B]", "v[M]": "tension[M]", "v[H]": "tension[H]"}
CASES: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "warpbreaks-lm": (
        "breaks ~ b0 + u[wool] + v[tension] + w[wool, tension]",
        {"reference": {"tension": "L"}},
        {**WARPBREAKS, "w[B, M]": "wool[B]:tension[M]", "w[B, H]": "wool[B]:tension[H]"},
    ),
    "warpbreaks-poisson": (
        "breaks ~ exp(b0 + u[wool] + v[tension])",
        {"loss": "poisson", "reference": ["tension=L"]},
        WARPBREAKS,
    ),
    "ToothGrowth-slope": (
        "len ~ b0 + u[supp] + (b + s[supp])*dose",
        {},
        {"u[VC]": "supp[VC]", "b": "dose", "s[VC]": "supp[VC]:dose"},
    ),
    "ToothGrowth-factor": (
        "len ~ b0 + u[supp] + v[dose] + w[supp, dose]",
        {},
        {
            "u[VC]": "supp[VC]",
            "v[1]": "dose[1]",
            "v[2]": "dose[2]",
            "w[VC, 1]": "supp[VC]:dose[1]",
            "w[VC, 2]": "supp[VC]:dose[2]",
        },
    ),
    "PlantGrowth": ("weight ~ b0 + u[group]", {}, {"u[trt1]": "group[trt1]", "u[trt2]": "group[trt2]"}),
    "InsectSprays": (
        "count ~ exp(b0 + u[spray])",
        {"loss": "poisson"},
        {f"u[{each}]": f"spray[{each}]" for each in "BCDEF"},
    ),
    "mtcars-cyl": ("mpg ~ b0 + b*wt + u[cyl]", {}, {"b": "wt", "u[6]": "cyl[6]", "u[8]": "cyl[8]"}),
    "mtcars-cyl-slopes": (
        "mpg ~ b0 + u[cyl] + s[cyl]*wt",
        {},
        {"u[6]": "cyl[6]", "u[8]": "cyl[8]", **{f"s[{each}]": f"cyl[{each}]:wt" for each in (4, 6, 8)}},
    ),
    "mtcars-logistic": ("vs ~ b0 + b*wt + u[am]", {"loss": "logistic"}, {"b": "wt", "u[1]": "am[1]"}),
    "iris-species": (
        "`Petal.Width` ~ b0 + u[Species] + (b + s[Species])*`Petal.Length`",
        {},
        {
            "b": "Petal.Length",
            **{f"u[{each}]": f"Species[{each}]" for each in ("versicolor", "virginica")},
            **{f"s[{each}]": f"Petal.Length:Species[{each}]" for each in ("versicolor", "virginica")},
        },
    ),
}


def by_label(fit: descend.Fit, values: dict[str, Any]) -> dict[str, float]:
    """Return values by the labels of components."""
    found = {}
    for name, value in values.items():
        if not isinstance(value, dict):
            found[name] = value
            continue
        for level, one in value.items():
            found[f"{name}[{', '.join(map(label, level)) if isinstance(level, tuple) else label(level)}]"] = one
    return found


def fitted(case: str, **more: Any) -> tuple[descend.Fit, dict[str, Any]]:
    formula, options, _ = CASES[case]
    return descend.fit(formula, HERE / ANSWERS[case]["data"], **options, **more), ANSWERS[case]


@pytest.mark.parametrize("case", CASES)
def test_numbers_are_those_of_r(case: str) -> None:
    fit, answer = fitted(case)
    names = {"b0": "(Intercept)", **CASES[case][2]}
    values, errors = by_label(fit, fit.parameters), by_label(fit, fit.standard_errors)
    references = set(values) - set(names)
    assert {names[each]: values[each] for each in names} == pytest.approx(answer["parameters"], rel=1e-8)
    assert {names[each]: errors[each] for each in names} == pytest.approx(answer["standard_errors"], rel=1e-6)
    assert all(values[each] == 0.0 and errors[each] != errors[each] for each in references)
    assert fit.constraints is not None and fit.constraints.references == references
    assert fit.degrees_of_freedom == answer["df"]
    assert fit.log_likelihood == pytest.approx(answer["loglik_by_R"], rel=1e-9)
    assert fit.aic == pytest.approx(answer["aic_by_R"], rel=1e-9)
    assert fit.bic == pytest.approx(answer["bic_by_R"], rel=1e-9)
    if answer["family"] == "gaussian":
        assert fit.loss * fit.rows == pytest.approx(answer["deviance"], rel=1e-9)
        assert fit.residual_standard_deviation == pytest.approx(answer["sigma_by_R"], rel=1e-9)
        assert fit.r_squared == pytest.approx(answer["r_squared_by_R"], rel=1e-9)
    else:
        assert fit.deviance == pytest.approx(answer["deviance"], rel=1e-9)
    assert not fit.undetermined and not fit.failures


FULL = "breaks ~ b0 + u[wool] + v[tension] + w[wool, tension]"
DATA = HERE / "warpbreaks.csv"


@pytest.mark.parametrize("engine", ["numpy", "torch", "query", "moments"])
def test_every_engine_holds_references(engine: str) -> None:
    fit = descend.fit(FULL, DATA, reference="tension=L", engine=engine)
    expected, _ = fitted("warpbreaks-lm")
    assert by_label(fit, fit.parameters) == pytest.approx(by_label(expected, expected.parameters), rel=1e-8)


@pytest.mark.parametrize("optimizer", ["gd", "adam", "lbfgs", "newton"])
def test_every_optimizer_can_hold_them(optimizer: str) -> None:
    fit = descend.fit("breaks ~ b0 + u[wool] + v[tension]", DATA, optimizer=optimizer)
    exact = descend.fit("breaks ~ b0 + u[wool] + v[tension]", DATA)
    assert by_label(fit, fit.parameters) == pytest.approx(by_label(exact, exact.parameters), rel=1e-5)
    assert fit.parameters["u"]["A"] == 0.0


def test_without_an_intercept_the_first_keeps_all_levels() -> None:
    fit = descend.fit("breaks ~ u[wool] + v[tension]", DATA)
    assert fit.constraints is not None and fit.constraints.references == {"v[H]"}
    alone = descend.fit("breaks ~ u[wool]", DATA)
    assert alone.constraints is None
    assert alone.parameters["u"] == pytest.approx({"A": 31.037037037037, "B": 25.2592592592593})


@pytest.mark.parametrize("wells", ["well", "unique"])
def test_nested_levels_have_a_reference_within_each(wells: str) -> None:
    generator = np.random.default_rng(0)
    plate, well = np.repeat(list("ABC"), 20), np.tile(np.repeat([1, 2, 3, 4], 5), 3)
    unique = [f"{one}{other}" for one, other in zip(plate, well, strict=True)]
    data = {"plate": plate, "well": well, "unique": unique, "y": generator.normal(size=60)}
    fit = descend.fit(f"y ~ b0 + a[plate] + b[plate, {wells}]", data)
    assert fit.constraints is not None
    first = ["b[A, 1]", "b[B, 1]", "b[C, 1]"] if wells == "well" else ["b[A, A1]", "b[B, B1]", "b[C, C1]"]
    assert fit.constraints.references == {"a[A]", *first}
    assert fit.degrees_of_freedom == 60 - 12
    means = [data["y"][(plate == one) & (well == other)].mean() for one in "ABC" for other in (1, 2, 3, 4)]
    rows = {"plate": np.repeat(list("ABC"), 4), "well": [1, 2, 3, 4] * 3, "unique": unique[::5]}
    assert fit.predict(rows) == pytest.approx(means)


def test_missing_combinations_hold_what_nothing_determines() -> None:
    data = {"p": list("AAABBBCC"), "q": list("xxyxyyzz"), "y": [1.0, 2.0, 4.0, 3.0, 5.0, 7.0, 8.0, 9.0]}
    fit = descend.fit("y ~ b0 + u[p] + v[q]", data)  # C and z occur only together
    assert fit.constraints is not None and fit.constraints.references == {"u[A]", "v[x]", "v[z]"}
    assert fit.parameters["b0"] + fit.parameters["u"]["C"] == pytest.approx(8.5)
    assert not fit.undetermined


def test_more_levels_than_a_matrix_holds() -> None:
    generator = np.random.default_rng(0)
    site, x = np.arange(3000) % 600, generator.normal(size=3000)
    y = 3.0 + generator.normal(size=600)[site] + 2.0 * x + 0.1 * generator.normal(size=3000)
    fit = descend.fit("y ~ b0 + a[site] + b*x", {"site": site, "x": x, "y": y}, reference={"a": 7})
    others = [site == k for k in range(600) if k != 7]
    design = np.column_stack([np.ones(3000), x, *others]).astype(float)
    expected = np.linalg.lstsq(design, y, rcond=None)[0]
    deviation = ((y - design @ expected) ** 2).sum() / (3000 - 601)
    errors = np.sqrt(np.diag(np.linalg.inv(design.T @ design)) * deviation)
    assert fit.parameters["b0"] == pytest.approx(expected[0]) and fit.parameters["a"][7] == 0.0
    assert fit.parameters["a"][599] == pytest.approx(expected[-1])
    assert fit.standard_errors["b0"] == pytest.approx(errors[0]) and fit.standard_errors["a"][599] == pytest.approx(
        errors[-1]
    )
    assert np.isnan(fit.standard_errors["a"][7]) and fit.degrees_of_freedom == 3000 - 601


def test_the_user_may_hold_a_level_himself() -> None:
    fit = descend.fit("breaks ~ b0 + v[tension]", DATA, fix={"v[M]": 0})
    same = descend.fit("breaks ~ b0 + v[tension]", DATA, reference={"v": "M"})
    assert by_label(fit, fit.parameters) == pytest.approx(by_label(same, same.parameters))
    assert by_label(fit, fit.standard_errors) == pytest.approx(by_label(same, same.standard_errors), nan_ok=True)
    assert fit.constraints is not None and not fit.constraints.references
    assert fit.constraints.mark("v[M]", fit.theta) == "fixed"
    free = descend.fit("breaks ~ b0 + v[tension]", DATA, fix={"b0": 10})
    assert free.constraints is not None and not free.constraints.references
    assert free.parameters["v"]["L"] == pytest.approx(36.3888888888889 - 10.0)


def test_factors_are_held_at_one() -> None:
    fit = descend.fit("len ~ A*u[supp]*dose", HERE / "ToothGrowth.csv")
    slopes = descend.fit("len ~ s[supp]*dose", HERE / "ToothGrowth.csv").parameters["s"]
    assert fit.parameters["u"]["OJ"] == 1.0 and fit.parameters["A"] == pytest.approx(slopes["OJ"])
    assert fit.parameters["u"]["VC"] == pytest.approx(slopes["VC"] / slopes["OJ"])
    both = descend.fit("breaks ~ u[wool]*v[tension]", DATA)
    assert both.constraints is not None and both.constraints.reference_values == {"v[H]": 1.0}


def test_vectors_per_level_are_held_item_by_item() -> None:
    fit = descend.fit("mpg ~ b0 + b*wt + w[cyl] @ [1, wt]", HERE / "mtcars.csv")
    assert fit.constraints is not None and fit.constraints.references == {"w[4, 1]", "w[4, wt]"}
    assert fit.parameters["w"][6].tolist() == pytest.approx([-11.1623514998421, -2.7801059391553 + 5.64702526124227])


def test_a_penalty_settles_all_levels() -> None:
    fit = descend.fit("breaks ~ b0 + v[tension]", DATA, l2=0.1)
    assert fit.constraints is None and sum(fit.parameters["v"].values()) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_ordered_categories_keep_their_order(library: str) -> None:
    frame = pytest.importorskip(library).read_csv(DATA)
    if library == "pandas":
        frame["tension"] = frame["tension"].astype(
            pytest.importorskip("pandas").CategoricalDtype(["L", "M", "H"], True)
        )
    else:
        polars = pytest.importorskip("polars")
        frame = frame.with_columns(polars.col("tension").cast(polars.Enum(["L", "M", "H"])))
    fit = descend.fit(FULL, frame)
    expected, _ = fitted("warpbreaks-lm")
    assert by_label(fit, fit.parameters) == pytest.approx(by_label(expected, expected.parameters), rel=1e-8)
    assert list(fit.parameters["v"]) == ["L", "M", "H"]


def test_what_follows_from_a_fit_counts_them_right(tmp_path: Path) -> None:
    fit, _ = fitted("warpbreaks-lm")
    fit.save(tmp_path / "breaks.json")
    loaded = descend.load(tmp_path / "breaks.json")
    assert loaded.constraints is not None and fit.constraints is not None
    assert loaded.constraints.reference_values == fit.constraints.reference_values
    new = {"wool": ["A", "B"], "tension": ["L", "H"]}
    for each in (fit, loaded):
        found = each.predict(new, interval="confidence")
        assert found.prediction == pytest.approx([44.5555555555556, 18.7777777777778])
        assert found.high - found.prediction == pytest.approx([7.33230521] * 2)
    assert fit.quantity("u[B] - v[M]").standard_error == pytest.approx(5.15729935387838)
    written = json.loads((tmp_path / "breaks.json").read_text())
    assert written["references"]["u[A]"] == 0.0 and written["standard_errors"]["u"]["A"] is None
    assert fit.summary()["references"] == written["references"] and fit.summary()["fixed"] == {}
    expected = fit.predict(DATA)
    rows = duckdb.sql(fit.export("sql", table=str(DATA))).fetchall()
    assert [row[-1] for row in rows] == pytest.approx(expected)
    names: dict[str, Any] = {}
    exec(fit.export("python"), names)
    cells = [[row[k] for row in rows] for k in (1, 2)]
    assert names["predict"](*map(np.array, cells)) == pytest.approx(expected)


MISTAKES = {
    "unknown level": (
        "breaks ~ b0 + v[tension]",
        {"reference": "v=l"},
        "`v` has no level `l`. Did you mean `L`? Its levels: `H`, `L`, `M`.",
    ),
    "unknown level of a column": (
        "breaks ~ b0 + v[tension]",
        {"reference": {"tension": "low"}},
        "`tension` has no level `low`. Its levels: `H`, `L`, `M`.",
    ),
    "unknown name": (
        "breaks ~ b0 + v[tension]",
        {"reference": "tensoin=L"},
        "`tensoin` has no levels of which one could be the reference. Did you mean `tension`? These have: `v`, "
        "`tension`.",
    ),
    "no levels": (
        "breaks ~ a + b*breaks",
        {"reference": "u=A"},
        "`u` has no levels of which one could be the reference: the model has no parameter such as u[color].",
    ),
    "not needed": (
        "breaks ~ v[tension]",
        {"reference": "v=L"},
        "`v` has no reference, as nothing else in the formula can make up for its levels: all of them are estimated. "
        "Leave out the reference `v=L`.",
    ),
    "fixed": (
        "breaks ~ b0 + v[tension]",
        {"reference": "v=L", "fix": {"v[M]": 0}},
        "`v[M]` is fixed, so `v` has no reference `L`. Leave out one of the two.",
    ),
    "penalty": (
        "breaks ~ b0 + v[tension]",
        {"reference": "v=L", "l2": 1.0},
        "With a penalty all levels are estimated, each drawn towards 0, so that none is the reference. Leave out one "
        "of the two.",
    ),
    "started": (
        "breaks ~ b0 + v[tension]",
        {"start": {"v[H]": 1.0}},
        "`v[H]` is the reference, held at 0, so it takes no start. Leave out one of the two.",
    ),
    "repeated": (
        "breaks ~ u[wool] + v[wool]",
        {},
        "`v` repeats what the rest of the formula can do: any change of its levels can be made up for. Leave it out.",
    ),
    "one level": (
        "breaks ~ b0 + u[wool]",
        {"where": "wool = 'A'"},
        f"`wool` is `A` in every row of {DATA}, so that `u` has one level only, which the rest of the formula can make "
        "up for. Leave `u` out.",
    ),
    "response": (
        "breaks ~ b0 + v[tension]",
        {"reference": "breaks=26"},
        "`breaks` has no reference `26`: the squared loss takes it as numbers. Leave it out.",
    ),
    "twice": (
        "breaks ~ b0 + v[tension]",
        {"reference": ["v=L", "v=M"]},
        "`v` has two references, `L` and `M`. Give one.",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_get_one_clear_message(mistake: str) -> None:
    formula, options, message = MISTAKES[mistake]
    with pytest.raises(ConfigError) as refused:
        descend.fit(formula, DATA, **options)
    assert str(refused.value) == message


def test_notes_name_the_references() -> None:
    fit, _ = fitted("warpbreaks-lm")
    assert (
        "`u[A]`, `v[L]`, `w[A, H]` and 3 more are references, held at 0, so that other levels are differences from "
        'them; to choose another use reference={"u": "B"}' in fit.notes
    )


def test_many_fits_hold_references_in_each_group(tmp_path: Path) -> None:
    data = {
        "site": [1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3],
        "color": list("rgrgrrrrggr"),
        "y": [1.0, 2.0, 1.5, 2.6, 1.0, 2.0, 2.2, 4.0, 3.0, 3.2, 4.2],
    }
    fits = descend.fit("y ~ b0 + u[color]", data, by="site", reference="u=r")
    assert fits.parameters["u"].tolist()[0] == pytest.approx([1.05, 0.0])
    assert np.isnan(fits.standard_errors["u"][:, 1]).all()
    assert fits.failed == {
        2: "The group 2 has no row whose `color` is `g`, so the parameters of that level cannot be estimated there."
    }
    one = fits[3]
    assert one.parameters["u"] == pytest.approx({"g": -1.0, "r": 0.0})
    assert one.standard_errors["u"]["g"] == pytest.approx(fits.standard_errors["u"][2, 0])
    fits.save(tmp_path / "fits.json")
    assert descend.load(tmp_path / "fits.json").predict({"site": [1], "color": ["g"]}) == pytest.approx([2.3])


def test_an_explanation_names_the_references() -> None:
    explained = descend.explain("breaks ~ b0 + v[tension]", DATA)
    assert explained.references == {"v[H]": 0.0}
    assert "  references  v[H] = 0" in str(explained)
