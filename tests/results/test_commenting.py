"""What comments on a finished fit may fail: the fit is printed and saved, with a line on what is missing."""

from __future__ import annotations

import json

import numpy as np
import pytest

import descend
from descend.descent import solution
from descend.diagnosis import ended_run
from descend.identifiability import separation
from descend.inference import equation, statistics
from descend.inference.accuracy import digits, guarantee
from descend.inference.covariance import standard_errors
from descend.inference.goodness import diagnostics, likelihood
from descend.results import solved
from descend.starts import begin_and_descend

SAID = "could not be told: Eigenvalues did not converge (LinAlgError)"
COMMENTATORS = {
    "the digits": (digits, "_distance"),
    "the criteria": (likelihood, "criteria"),
    "the covariance": (standard_errors, "covariance_of"),
    "the standard errors": (standard_errors, "errors_by_name"),
    "the guarantee": (guarantee, "_convex"),
    "the digits of the equation": (equation, "rows_that_count"),
    "R²": (statistics, "squared_error"),
    "which parameters the data determine": (solution, "at_end"),
    "why the run ended as it did": (ended_run, "diagnose"),
    "what is odd about the rows": (solution, "_remarks"),
    "whether there is a minimum": (separation, "no_minimum"),
    "whether the data scatter as they should": (solved, "_scatter"),
    "whether another start leads lower": (begin_and_descend, "doubt"),
    "what is off with the residuals": (diagnostics, "diagnose"),
}


def refuse(*_, **__):
    raise np.linalg.LinAlgError("Eigenvalues did not converge")


@pytest.fixture
def rows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x = np.linspace(0, 4, 30)
    y = 3 * np.exp(-x) + 1 + 0.05 * np.random.default_rng(0).normal(size=30)
    (tmp_path / "decay.csv").write_text("x,y\n" + "".join(f"{a},{b}\n" for a, b in zip(x, y, strict=True)))
    return {"x": x, "y": y}


@pytest.mark.parametrize("what", COMMENTATORS)
def test_a_commentator_that_fails_is_told_and_the_fit_kept(what, rows, run, monkeypatch):
    monkeypatch.setattr(*COMMENTATORS[what], refuse)
    words = ("fit", "y ~ a*exp(-b*x) + c", "decay.csv", "--start", "a=1,b=1,c=0", "--save", "m.json")
    words += ("--loss", "poisson") if what == "whether there is a minimum" else ()  # others always have one
    ran = run(*words)
    assert ran.code == 0, ran.stderr
    assert "Model saved to m.json" in ran.stdout
    told = json.loads(run(*words, "--json").stdout)
    assert told["parameters"]["b"] == pytest.approx(1.0, abs=0.1)
    printed = f"{what[1:]} could not be told" in " ".join(ran.stdout.split())
    assert printed or f"{what} {SAID}" in told["notes"]
    assert descend.load("m.json").parameters["b"] == told["parameters"]["b"]


def test_a_report_is_written_without_what_fails(rows, run, monkeypatch, tmp_path):
    monkeypatch.setattr(diagnostics, "diagnose", refuse)
    monkeypatch.setattr(digits, "_distance", refuse)
    ran = run("fit", "y ~ a*exp(-b*x) + c", "decay.csv", "--report", "r.html")
    assert ran.code == 0
    assert SAID in (tmp_path / "r.html").read_text()


def test_errors_meant_for_the_user_are_raised_as_ever(rows):
    fit = descend.fit("y ~ a*exp(-b*x) + c", rows, loss="huber")
    with pytest.raises(descend.ConfigError):
        fit.diagnostics()
