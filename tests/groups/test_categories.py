"""Categories as predictors: the answers of R's lm and glm with treatment contrasts, and how references are chosen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import descend
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
