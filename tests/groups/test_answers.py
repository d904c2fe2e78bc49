"""Parameters with a value for each group, against R's `nls` on data sets of R, refined to 14 digits.

The answers are R's, from which Newton's method went on in 40-digit arithmetic.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import descend
from descend.descent.solution import every_parameter

HERE = Path(__file__).parent
CASES = json.loads((HERE / "answers.json").read_text())
SWAPPED = "Indometh-rates"
"""Its two exponentials are alike, so either may be the fast one."""


@pytest.mark.parametrize("name", CASES)
def test_the_answers_of_r(name):
    case = CASES[name]
    fit = descend.fit(case["formula"], HERE / case["data"])
    shapes = every_parameter(fit.model)
    values = dict(zip(shapes.labels, shapes.flat(fit.parameters).tolist(), strict=True))
    errors = dict(zip(shapes.labels, shapes.flat(fit.standard_errors).tolist(), strict=True))
    assert fit.outcome == "converged"
    assert fit.degrees_of_freedom == case["df"]
    assert np.sum(fit.residuals**2) == pytest.approx(case["rss"], rel=1e-10)
    if name == SWAPPED and values["l1"] < values["l2"]:
        other = {"A1": "A2", "A2": "A1", "l1": "l2", "l2": "l1"}
        values = {other[label[:2]] + label[2:]: value for label, value in values.items()}
        errors = {other[label[:2]] + label[2:]: value for label, value in errors.items()}
    assert values == pytest.approx(case["parameters"], rel=1e-8)
    assert errors == pytest.approx(case["standard_errors"], rel=1e-6)
