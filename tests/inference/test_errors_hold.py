"""Standard errors are those of the minimum: of a run that ended elsewhere it is said that they do not hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import descend
from descend.engines.numpy_engine import NumpyEngine
from descend.inference import scored_rows
from descend.report.fields import fields

X = np.linspace(0.0, 3.0, 50)
DATA = {"x": X, "y": 2.0 * X + 1.0 + 0.1 * np.random.default_rng(0).normal(size=50)}
SENTENCE = "standard errors hold at the minimum only, which this run did not reach"


def told(fitted: descend.Fit) -> list[str]:
    return [str(field.value) for field in fields(fitted) if field.label == "errors"]


def test_a_run_that_ended_far_from_the_minimum_says_so(tmp_path: Path) -> None:
    fitted = descend.fit("y ~ a*x + b", DATA, optimizer="gd", learning_rate=0.01, epochs=10)
    assert told(fitted) == [SENTENCE]
    fitted.save(tmp_path / "fit.json")
    assert told(descend.load(tmp_path / "fit.json")) == [SENTENCE]


def test_a_run_out_of_time_says_so() -> None:
    fitted = descend.fit("y ~ a*x + b", DATA, optimizer="gd", learning_rate=0.01, time_limit=1e-9)
    assert str(fitted.outcome) == "time_used_up"
    assert told(fitted) == [SENTENCE]


def test_one_that_ran_its_epochs_and_arrived_does_not() -> None:
    fitted = descend.fit("y ~ a*x + b", DATA, optimizer="gd", learning_rate=0.1, epochs=2000)
    best = descend.fit("y ~ a*x + b", DATA)
    assert told(fitted) == told(best) == []
    assert fitted.standard_errors is not None
    assert best.standard_errors is not None
    assert np.isclose(fitted.standard_errors["a"], best.standard_errors["a"])


def test_intervals_are_named_too() -> None:
    fitted = descend.fit("y ~ a*x + b", DATA, optimizer="gd", learning_rate=0.01, epochs=10)
    (said,) = (str(field.value) for field in fields(fitted, fitted.intervals()) if field.label == "errors")
    assert said == "standard errors and intervals hold at the minimum only, which this run did not reach"


def test_rows_left_out_for_a_gap_are_counted() -> None:
    gappy = {"x": X, "y": np.where(X < 0.1, np.nan, DATA["y"])}
    (said,) = (str(field.value) for field in fields(descend.fit("y ~ a*x + b", gappy, missing="drop"))
               if field.label == "rows")  # fmt: skip
    assert said == "48 of the data; 2 left out, where a value is missing or infinite"
    (said,) = (str(field.value) for field in fields(descend.fit("y ~ a*x + b", DATA, missing="drop"))
               if field.label == "rows")  # fmt: skip
    assert said == "50 of the data"


@pytest.mark.parametrize(("loss", "formula"), [("huber", "y ~ a*x + b"), ("negative_binomial", "count ~ exp(a*x + b)")])
def test_of_a_run_that_converged_no_row_is_read_to_say_so(loss: str, formula: str, monkeypatch: Any) -> None:
    count = np.random.default_rng(1).negative_binomial(3, 3.0 / (3.0 + np.exp(X)))
    best = descend.fit(formula, {**DATA, "count": count}, loss=loss)
    assert best.outcome == "converged"
    monkeypatch.setattr(NumpyEngine, "evaluate", lambda *arguments, **more: pytest.fail("rows are read"))
    monkeypatch.setattr(scored_rows, "rows_that_count", lambda *arguments, **more: pytest.fail("rows are read"))
    assert best.at_minimum
