"""Parameters with a value for each group, against R's `nls` on data sets of R, refined to 14 digits.

The answers are R's, from which Newton's method went on in 40-digit arithmetic.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import descend

HERE = Path(__file__).parent
CASES = json.loads((HERE / "answers.json").read_text())
LIKE = ("Indometh-rates", "Indometh-all")
"""Their two exponentials are alike, so either may be the fast one; in each group for itself if it has both rates."""


def fast_first(values, errors):
    """Return values and errors with the faster exponential first, as in the answers."""
    places = {label[2:] for label in values if label.startswith("l1")}
    slow = {place for place in places if values[f"l1{place}"] < values[f"l2{place}"]}

    def other(label):
        swapped = label[2:] in slow or "" in slow
        return label[0] + {"1": "2", "2": "1"}[label[1]] + label[2:] if swapped else label

    return {other(label): value for label, value in values.items()}, {other(label): e for label, e in errors.items()}


@pytest.mark.parametrize("name", CASES)
def test_the_answers_of_r(name):
    case = CASES[name]
    fit = descend.fit(case["formula"], HERE / case["data"])
    shapes = fit.model.every_parameter
    values = dict(zip(shapes.labels, shapes.flat(fit.parameters).tolist(), strict=True))
    errors = dict(zip(shapes.labels, shapes.flat(fit.standard_errors).tolist(), strict=True))
    assert fit.outcome == "converged"
    assert fit.degrees_of_freedom == case["df"]
    assert np.sum(fit.residuals**2) == pytest.approx(case["rss"], rel=1e-10)
    if name in LIKE:
        values, errors = fast_first(values, errors)
    assert values == pytest.approx(case["parameters"], rel=1e-8)
    assert errors == pytest.approx(case["standard_errors"], rel=1e-6)
