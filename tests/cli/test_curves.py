"""`descend curves`: the list, a search by words, one curve, its picture, and mistakes."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from descend.formula.curves import CURVES

DOCS = Path(__file__).parents[2] / "docs"


def test_the_list_has_a_line_for_each(run):
    lines = run("curves").stdout.splitlines()
    assert sum(line.startswith("  ") for line in lines) == len(CURVES) >= 60
    assert lines[:2] == ["Peaks", "  gaussian               Gaussian peak"]
    assert len(json.loads(run("curves", "--json").stdout)) == len(CURVES)


def test_words_find_curves(run):
    assert run("curves", "vapour", "pressure").stdout.splitlines() == [
        "Thermodynamics and rates",
        "  antoine             Antoine equation",
        "  clausius_clapeyron  Clausius-Clapeyron equation",
    ]


@pytest.mark.parametrize("words", [["logistic4"], ["4PL"], ["elisa"], ["four-parameter", "logistic"]])
def test_one_is_shown_by_any_of_its_names(run, words):
    assert run("curves", *words).stdout.splitlines() == [
        "Four-parameter logistic: logistic4",
        "",
        "y = lower + (upper - lower)/(1 + (x/ec50)^slope)",
        "",
        "  x: dose or concentration (x)",
        "  lower: response at very large doses (y)",
        "  upper: response at dose 0 (y)",
        "  ec50: dose at which half of the effect is reached (x)",
        "  slope: steepness; above 0 where the response falls from upper (1)",
        "",
        "For: dose and response between two plateaus: immunoassays, bioassays, toxicology.",
        "Also called: 4pl, four_pl, pl4, ll4, log_logistic, logistic_dose_response, elisa, dose_response.",
        "Source: Ritz, Jensen, Gerhard & Streibig, Dose-Response Analysis Using R (2019), ch. 2.",
        "Start: searched for where the units of the data suggest.",
        'Fit: descend fit "y ~ logistic4(x)" data.csv',
    ]


def test_json_of_one(run):
    told = json.loads(run("curves", "arrhenius", "--json").stdout)
    assert told["call"] == "arrhenius(x, prefactor, energy)"
    assert told["arguments"][2] == {
        "name": "energy",
        "meaning": "activation energy",
        "unit": "J/mol",
        "typical": [30000.0, 100000.0],
    }
    assert told["arguments"][3]["default"] == 8.314462618


def test_its_picture(run, tmp_path):
    place = tmp_path / "voigt.png"
    assert run("curves", "voigt", "--plot", place).stdout.endswith(f"Plot drawn to {place}\n")
    assert place.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["gausian"],
            "There is no curve `gausian`, nor one described so. Did you mean `gaussian`? `descend curves` lists "
            "them all.",
        ),
        (["quux"], "There is no curve `quux`, nor one described so. `descend curves` lists them all."),
        (["isotherm", "--plot", "a.png"], "Which curve is to be drawn? Name one, such as `descend curves langmuir`."),
    ],
)
def test_mistakes(run, words, message):
    result = run("curves", *words)
    assert result.code == 2
    assert " ".join(result.stderr.split()) == f"ConfigError: {message}"


def test_the_page_is_up_to_date():
    spec = importlib.util.spec_from_file_location("page_of_curves", DOCS / "curves.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (DOCS / "curves.md").read_text(encoding="utf-8") == module.page(), "run `python docs/curves.py`"
