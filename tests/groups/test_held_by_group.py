"""Starts, bounds, fixed values and ties of single groups, and what follows from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import descend
from descend.errors import ConfigError, FormulaError

PUROMYCIN = Path(__file__).parent / "data" / "Puromycin.csv"
FORMULA = "rate ~ Vm[state]*conc/(K + conc)"
BOTH = "rate ~ Vm[state]*conc/(K[state] + conc)"
FREE = {"treated": 208.63007050788, "untreated": 166.604096920783}
TIED = "Vm[untreated] = 0.8*Vm[treated]"


def fitted(formula: str = FORMULA, **options: object) -> descend.Fit:
    return descend.fit(formula, PUROMYCIN, **options)


@pytest.mark.parametrize(
    "start",
    [
        {"Vm": 200.0, "K": 0.05},
        {"Vm[treated]": 200.0, "K": 0.05},
        {"Vm": {"treated": 200.0, "untreated": 160.0}},
        {'Vm["treated"]': 200.0, "Vm[ untreated ]": 160.0},
        {"Vm": [200.0, 160.0]},
    ],
)
def test_starts_of_all_groups_or_of_one(start):
    assert fitted(start=start).parameters["Vm"] == pytest.approx(FREE)


def test_groups_without_a_start_begin_at_the_mean_of_the_others():
    data = {"y": np.arange(1.0, 7.0), "s": list("ABCABC")}
    fit = descend.fit("y ~ a[s]", data, start={"a": {"A": 1.0, "B": 3.0}}, optimizer="gd", epochs=1, learning_rate=1e-9)
    assert np.array(fit.parameters["a"]) == pytest.approx([1.0, 3.0, 2.0], abs=1e-6)


@pytest.mark.parametrize(
    "fix", [{"Vm[treated]": 200.0}, {"Vm": {"treated": 200.0}}, "Vm[treated]=200", 'Vm["treated"]=200']
)
def test_one_group_is_fixed(fix):
    fit = fitted(fix=fix)
    assert fit.parameters["Vm"]["treated"] == 200.0
    assert fit.parameters["Vm"]["untreated"] == pytest.approx(162.905358934, rel=1e-8)
    assert np.isnan(fit.standard_errors["Vm"]["treated"])
    assert fit.degrees_of_freedom == 21


def test_all_groups_are_fixed_at_values_of_their_own():
    fit = fitted(fix={"Vm": {"treated": 200.0, "untreated": 160.0}})
    assert fit.parameters == {"Vm": {"treated": 200.0, "untreated": 160.0}, "K": pytest.approx(0.0507188446)}


@pytest.mark.parametrize("bounds", ["Vm[treated] < 200", {"Vm": {"treated": (0.0, 200.0)}}, 'Vm["treated"] < 200'])
def test_one_group_is_bounded(bounds):
    fit = fitted(bounds=bounds)
    assert fit.at_bound == ["Vm[treated]"]
    assert fit.parameters["Vm"] == pytest.approx({"treated": 200.0, "untreated": 162.905358934})


def test_an_unknown_group_is_told_with_the_nearest():
    with pytest.raises(ConfigError) as caught:
        fitted(start={"Vm[treatd]": 200.0})
    assert str(caught.value) == (
        "`Vm` has no group `treatd`. Did you mean `treated`? It has `Vm[treated]`, `Vm[untreated]`. A group is written "
        'as here; if its name holds brackets or commas, in double quotes: a["x, y"].'
    )


def test_a_tie_between_groups_is_the_model_with_its_factor_in_a_column():
    fit = fitted(ties=TIED)
    data = np.genfromtxt(PUROMYCIN, delimiter=",", names=True, dtype=None, encoding="utf-8")
    columns = {"conc": data["conc"], "rate": data["rate"], "f": np.where(data["state"] == "treated", 1.0, 0.8)}
    same = descend.fit("rate ~ V*f*conc/(K + conc)", columns)
    v, error = same.parameters["V"], same.standard_errors["V"]
    assert fit.parameters["Vm"] == pytest.approx({"treated": v, "untreated": 0.8 * v}, rel=1e-9)
    assert fit.standard_errors["Vm"] == pytest.approx({"treated": error, "untreated": 0.8 * error}, rel=1e-7)
    assert fit.parameters["K"] == pytest.approx(same.parameters["K"], rel=1e-9)
    profile, other = fit.intervals(method="profile"), same.intervals(method="profile")
    assert profile["Vm"][0]["untreated"] == pytest.approx(0.8 * other["V"][0], rel=1e-6)


def test_ties_of_all_groups_to_those_of_another_parameter():
    fit = fitted(BOTH, ties="K = 0.0003*Vm")
    assert np.array(fit.parameters["K"]) == pytest.approx(0.0003 * np.array(fit.parameters["Vm"]))
    one = fitted(BOTH, ties={"K[treated]": "K[untreated]"})
    assert one.parameters["Vm"] == pytest.approx(FREE)


def test_a_tie_and_a_fixed_value_leave_no_group_free():
    fit = fitted(ties=TIED, fix={"Vm[treated]": 210.0})
    assert fit.parameters["Vm"] == {"treated": 210.0, "untreated": 168.0}


def test_groups_that_follow_each_other_need_no_start():
    x, site = np.tile(np.linspace(0.1, 4.0, 20), 3), np.repeat(["A", "B", "C"], 20)
    a = np.repeat([2.0, 4.0, 0.5], 20)
    fit = descend.fit(
        "y ~ a[site]*exp(-b[site]*x)",
        {"x": x, "site": site, "y": a * np.exp(-0.3 * a * x) + 0.1 * np.sin(9.0 * x)},
        ties=["a[B] = 2*a[A]", "b = 0.3*a"],
    )
    assert fit.outcome == "converged"
    assert fit.parameters["a"]["B"] == 2.0 * fit.parameters["a"]["A"] == pytest.approx(4.0, abs=0.1)
    assert fit.parameters["b"]["C"] == 0.3 * fit.parameters["a"]["C"] == pytest.approx(0.15, abs=0.03)


@pytest.mark.parametrize("engine", ["numpy", "query", "torch"])
def test_every_engine_keeps_ties(engine):
    assert fitted(ties=TIED, engine=engine).parameters["Vm"]["treated"] == pytest.approx(208.509441316, rel=1e-9)


def test_ties_are_shown_and_saved(tmp_path):
    fit = fitted(ties=TIED)
    assert fit.fitted_formula == "rate ~ Vm[state]*conc/(conc + 0.05799)"
    fit.save(tmp_path / "fit.json")
    loaded = descend.load(tmp_path / "fit.json")
    assert loaded.parameters == fit.parameters
    assert loaded.predict(PUROMYCIN) == pytest.approx(fit.predict(PUROMYCIN), rel=1e-14)


@pytest.mark.parametrize(
    ("ties", "message"),
    [
        (
            [TIED, "Vm[treated] = Vm[untreated]"],
            "`Vm[untreated]` is tied to itself: Vm[untreated] -> Vm[treated] -> Vm[untreated].\n"
            "    Vm[treated] = Vm[untreated]\n"
            "                  ^^^^^^^^^^^^^\n"
            "Leave one of them free.",
        ),
        (
            ["K = 2*Vm"],
            "`Vm` has a value for each group, and what it is tied with has not the same groups.\n"
            "    K = 2*Vm\n"
            "          ^^\n"
            "Name the value of one group, such as `Vm[treated]`.",
        ),
    ],
)
def test_ties_that_make_no_sense(ties, message):
    with pytest.raises(FormulaError) as caught:
        fitted(ties=ties)
    assert str(caught.value) == message


def test_a_tied_group_takes_neither_start_nor_bounds():
    with pytest.raises(
        ConfigError, match=r"^`Vm\[untreated\]` is tied \(Vm\[untreated\] = 0.8\*Vm\[treated\]\), so it"
    ):
        fitted(ties=TIED, start={"Vm[untreated]": 1.0})
    with pytest.raises(ConfigError, match=r"Bound `Vm\[treated\]` instead, which it follows\.$"):
        fitted(ties=TIED, bounds="Vm[untreated] < 3")


def test_one_gradient_by_hand_serves_all_groups():
    gradient = (
        "Vm = mean(2*conc*(Vm[state]*conc/(K + conc) - rate)/(K + conc));"
        "K = mean(-2*Vm[state]*conc*(Vm[state]*conc/(K + conc) - rate)/(K + conc)^2)"
    )
    assert fitted(gradient=gradient).parameters["Vm"] == pytest.approx(FREE)
    assert fitted(gradient=gradient, ties=TIED).parameters["Vm"]["treated"] == pytest.approx(208.509441316)
    assert descend.check(FORMULA, PUROMYCIN, gradient=gradient).agree
    assert not descend.check(FORMULA, PUROMYCIN, gradient=gradient.replace("mean(2*", "mean(", 1)).agree
    with pytest.raises(FormulaError) as caught:
        fitted(gradient="Vm[treated] = mean(2)")
    assert str(caught.value) == (
        "The gradient of `Vm` is given for all groups at once, as `Vm = mean(...)`: the rows of a group make that of "
        "its value."
    )
