"""The lab's lists of named curves and of losses, and units where the columns say them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.lab.films import film_of

import descend
from descend.descent.outcome import Outcome
from descend.formula.curves import CURVES, curve_named
from descend.lab.data.rows import Library, Rows
from descend.lab.descents import export as copies
from descend.lab.descents.runs import descents
from descend.lab.page import named_curves as curves
from descend.lab.page.callbacks import Callbacks
from descend.lab.page.verdicts import verdicts
from descend.lab.state import FILE, State, read_query, state_of
from descend.lab.words import chinese_curve_meanings as chinese_meanings
from descend.lab.words import chinese_curve_names as chinese_names
from descend.lab.words import chinese_curve_uses as chinese_uses
from descend.lab.words.texts import words
from descend.losses import LOSSES

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
    assert CURVES.keys() <= chinese_names.CURVES.keys() and all(LOSSES[name].chinese for name in LOSSES)
    meanings = {argument.meaning for curve in CURVES.values() for argument in curve.arguments}
    assert meanings <= chinese_meanings.MEANINGS.keys() and CURVES.keys() == chinese_uses.USES.keys()
    assert {curve.x.meaning for curve in CURVES.values()} <= chinese_meanings.MEANINGS.keys()
    known = chinese_meanings.QUANTITIES | chinese_meanings.MEANINGS
    assert {curve.y for curve in CURVES.values()} <= known.keys()
    assert words("zh").loss("squared") == "squared 平方误差" and words("en").loss("soft_l1") == "soft l1"


def test_meanings_are_chinese_in_the_chinese_lab():
    assert "剂量或浓度" in curves.shown(curve_named("logistic4"), words("zh"))
    assert "dose or concentration" in curves.shown(curve_named("logistic4"), words("en"))


@pytest.mark.parametrize("name", ["gaussian", "power_law", "spline", "line"])
def test_a_curve_has_its_picture_and_the_meaning_of_its_parameters(name):
    curve = curve_named(name)
    for language in ("en", "zh"):
        shown = curves.shown(curve, words(language))
        assert "<svg" in shown and all(f"<code>{each.name}</code>" in shown for each in curve.arguments)
        assert shown.count('lang="en"') == (language == "zh")  # the source, which is a citation
        assert (curve.use in shown) == ("typical" in shown) == (language == "en")


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
    assert runs.start["cut1"] < runs.start["cut2"] and len(film_of(runs, False)["losses"][0])


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


def deaths(**more):
    """Collett's (1991) counts of dead insects, 50 at each dose, in rows of two halves that scatter more than chance."""
    dose = np.repeat([1.69, 1.72, 1.76, 1.78, 1.81, 1.84, 1.86, 1.88], 2)
    dead = np.array([1, 5, 3, 10, 6, 12, 10, 18, 25, 27, 24, 29, 29, 32, 30, 30], dtype=float)
    return rows_of(dose=dose, dead=dead, n=np.full(16, 32.0), **more)


def test_shares_of_trials_and_their_dispersion_descend_in_the_lab():
    rows = deaths()
    state = State(
        FILE, "dead/n ~ sigmoid(b*(dose - m))", trials="n", dispersion="estimated", rate=None, optimizers=("lbfgs",),
        start=(("b", 20.0), ("m", 1.8)), epochs=500,
    )  # fmt: skip
    made = descents(state, rows)
    known = descend.fit(state.formula, rows.table, trials="n", dispersion="estimated")
    assert made.first.loss_function.name == "binomial"
    assert made.first.parameters == pytest.approx(known.parameters, rel=1e-4)
    assert made.first.standard_errors["m"] == pytest.approx(known.standard_errors["m"], rel=1e-3)
    assert "--trials n" in copies.commands(state, rows, made.start)
    assert "--dispersion estimated" in copies.commands(state, rows, made.start)
    assert read_query(state.query)[0] == state


def test_the_list_of_losses_shows_the_loss_of_shares_once_trials_are_given():
    from dash import no_update

    assert State(FILE, "", trials="n").loss_shown == "binomial"
    assert State(FILE, "", trials="n", loss="logistic").loss_shown == "logistic"
    callbacks = Callbacks(Library(None))
    assert callbacks.of_shares(" n", "squared") == "binomial"
    assert callbacks.of_shares("n", "logistic") is no_update and callbacks.of_shares("", "squared") is no_update


def test_what_is_no_dispersion_is_told_in_both_languages():
    settings = {
        "formula": "y ~ w*x", "loss": "squared", "optimizers": ["gd"], "rate": -1.0, "auto": [], "start": "",
        "epochs": "100", "batch": "all", "noise": None, "context": CONTEXT, "by-hand": [], "by": [], "dispersion": "-1",
    }  # fmt: skip
    with pytest.raises(descend.ConfigError) as error:
        state_of(settings, "")
    assert str(error.value) == "The dispersion is estimated, known, or a number above 0; this is `-1`."
    with pytest.raises(descend.ConfigError, match=r"离散度填 estimated、known 或大于 0 的数；这里是 `-1`。"):
        state_of(settings | {"context": CONTEXT | {"lang": "zh"}}, "")
