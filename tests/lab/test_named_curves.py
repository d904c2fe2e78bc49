"""The lab's lists of named curves and of losses, and units where the columns say them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from descend.descent.outcome import Outcome
from descend.formula.curves import CURVES, curve_named
from descend.lab import chinese_names, curves
from descend.lab.callbacks import Callbacks
from descend.lab.data import Library, Rows
from descend.lab.descents import descents
from descend.lab.endings import verdicts
from descend.lab.film import film_of
from descend.lab.state import FILE, State
from descend.lab.texts import words
from descend.losses import LOSSES
from descend.losses.chinese import CHINESE

CONTEXT = {"problem": "decay", "seed": 0, "lang": "en", "by": [], "group": ""}


def rows_of(**columns):
    return Rows((FILE, "rows", *columns), columns, "rows.csv", len(next(iter(columns.values()))))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_curve_is_listed_and_found_by_any_of_its_names(language):
    listed = {each["value"]: each for each in curves.listed(words(language))}
    assert listed.keys() == CURVES.keys()
    assert "4pl" in listed["logistic4"]["search"].lower() and "米氏" in listed["michaelis_menten"]["search"]
    assert listed["voigt"]["label"] == ("沃伊特峰" if language == "zh" else "Voigt peak")


def test_every_curve_and_every_loss_has_a_chinese_name():
    assert CURVES.keys() <= chinese_names.CURVES.keys() and set(LOSSES) <= CHINESE.keys()
    assert words("zh").loss("squared") == "squared 平方误差" and words("en").loss("soft_l1") == "soft l1"


@pytest.mark.parametrize("name", ["gaussian", "power_law", "spline", "line"])
def test_a_curve_has_its_picture_and_the_meaning_of_its_parameters(name):
    curve = curve_named(name)
    for language in ("en", "zh"):
        shown = curves.shown(curve, words(language))
        assert "<svg" in shown and all(f"<code>{each.name}</code>" in shown for each in curve.arguments)
        assert ('lang="en"' in shown) == (language == "zh")


def test_a_chosen_curve_becomes_the_formula_of_the_columns_there():
    lab = Callbacks(Library())
    formula, start, auto, shown = lab.curve("gaussian", "y ~ a*exp(-b*x)", CONTEXT, None, {"key": None}, [])
    assert (formula, start, auto) == ("y ~ gaussian(x)", "", ["auto"]) and "<svg" in shown
    assert lab.curve("gaussian", "y ~ (", CONTEXT, None, {"key": None}, [])[0] == "y ~ gaussian(x)"
    wells = CONTEXT | {"problem": "wells", "by": ["well"]}
    assert lab.curve("emg", "y ~ a*exp(-b*t)", wells, None, {"key": None}, ["well"])[0] == "y ~ emg(t)"
    for nothing in (None, "", "nosuch"):
        assert lab.curve(nothing, "y ~ w*x", CONTEXT, None, {"key": None}, [])[3] == ""


def test_a_descent_on_a_curve_begins_near_its_minimum():
    """From ones, as elsewhere, a peak far away would have no slope."""
    x = np.linspace(0.0, 1000.0, 80)
    rows = rows_of(x=x, y=5.0 * np.exp(-(((x - 600.0) / 50.0) ** 2) / 2))
    state = State(FILE, "y ~ gaussian(x)", rate=None, start=(("height", 4.5),), epochs=300, optimizers=("lbfgs",))
    runs = descents(state, rows)
    assert runs.start == {"height": 4.5, "center": pytest.approx(480.0), "width": pytest.approx(40.0)}
    assert runs.first.outcome is Outcome.CONVERGED


def test_cutpoints_of_a_loss_begin_in_their_order():
    rng = np.random.default_rng(0)
    x = np.linspace(0.1, 4.0, 80)
    rows = rows_of(x=x, y=np.digitize(x + rng.normal(size=80), [1.5, 3.0]).astype(float))
    runs = descents(State(FILE, "y ~ w*x", loss="ordinal", rate=None, start=(), epochs=100), rows)
    assert runs.start["cut1"] < runs.start["cut2"] and film_of(runs, False)["losses"]["gd"]


def test_units_of_the_header_stand_on_the_axes_and_beside_parameters():
    t = np.linspace(0.0, 4.0, 30)
    rows = rows_of(**{"t (s)": t, "U [mV]": 2.0 * np.exp(-t) + 0.01 * np.cos(9.0 * t)})
    state = State(FILE, "`U [mV]` ~ a*exp(-b*`t (s)`)", rate=None, start=(), epochs=50)
    runs = descents(state, rows)
    layout = film_of(runs, False)["figures"]["data"]["layout"]
    assert layout["xaxis"]["title"]["text"] == "t (s)" and layout["yaxis"]["title"]["text"] == "U [mV]"
    said = str(verdicts(runs, words("en")))
    assert " mV,  b = " in said and " 1/s" in said


def test_the_page_lists_losses_and_curves_in_both_languages():
    from plotly.utils import PlotlyJSONEncoder

    for language, label in (("en", "negative binomial"), ("zh", "negative binomial 负二项计数")):
        page = Callbacks(Library()).page({"search": f"?problem=line&lang={language}", "at": 1})
        shown = json.dumps(page, cls=PlotlyJSONEncoder, ensure_ascii=False)
        assert f'"{label}"' in shown and f'"{words(language)("curves")}"' in shown
