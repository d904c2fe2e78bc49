"""`a[site]` in a formula: what a user sees of it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import descend
from descend.cli.main import main
from descend.errors import DataError, FormulaError
from descend.report.fields import fields
from descend.report.text import render

PUROMYCIN = Path(__file__).parent / "data" / "Puromycin.csv"
FORMULA = "rate ~ Vm[state]*conc/(K + conc)"


@pytest.fixture(scope="module")
def columns():
    with PUROMYCIN.open() as file:
        rows = list(csv.DictReader(file))
    return {
        "conc": np.array([float(row["conc"]) for row in rows]),
        "rate": np.array([float(row["rate"]) for row in rows]),
        "state": [row["state"] for row in rows],
    }


def test_parameters_are_dicts_by_group(columns):
    fit = descend.fit(FORMULA, columns)
    assert list(fit.parameters) == ["Vm", "K"]
    assert fit.parameters["Vm"] == pytest.approx({"treated": 208.63007050788, "untreated": 166.604096920783})
    assert fit.standard_errors["Vm"] == pytest.approx({"treated": 5.80399286985524, "untreated": 5.80742958075001})
    assert np.array(fit.parameters["Vm"]) == pytest.approx([208.63007050788, 166.604096920783])


def test_predictions_of_rows_of_both_groups(columns):
    fit = descend.fit(FORMULA, columns)
    new = {"conc": [0.1, 0.1], "state": ["untreated", "treated"]}
    k = fit.parameters["K"]
    expected = [fit.parameters["Vm"][state] * 0.1 / (k + 0.1) for state in new["state"]]
    assert fit.predict(new) == pytest.approx(expected)


def test_an_unseen_group_is_refused_by_name(columns):
    fit = descend.fit(FORMULA, columns)
    with pytest.raises(DataError) as caught:
        fit.predict({"conc": [0.1, 0.2], "state": ["treated", "treatd"]})
    assert str(caught.value) == (
        "`state` is `treatd` in row 2 of the data, a group that was not fitted. Did you mean `treated`? Known: "
        "`treated`, `untreated`. Fit again with rows of that group, or leave such rows out."
    )


def test_a_missing_group_is_a_missing_value(columns):
    states = [None, *columns["state"][1:]]
    with pytest.raises(DataError) as caught:
        descend.fit(FORMULA, {**columns, "state": states})
    assert str(caught.value).startswith("In the data, `state` has a missing value in row 1.")
    assert descend.fit(FORMULA, {**columns, "state": states}, missing="drop").rows == 22


def test_a_column_that_does_not_exist(columns):
    with pytest.raises(FormulaError) as caught:
        descend.fit("rate ~ Vm[stat]*conc/(K + conc)", columns)
    assert str(caught.value) == (
        "`stat` is not a column. Did you mean `state`?\n"
        "    rate ~ Vm[stat]*conc/(K + conc)\n"
        "              ^^^^\n"
        "Columns: conc, rate, state."
    )


def test_the_json_has_an_object_by_group(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["descend", "fit", FORMULA, str(PUROMYCIN), "--json"])
    assert main() == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["parameters"]["Vm"] == pytest.approx({"treated": 208.63007050788, "untreated": 166.604096920783})


def test_of_many_groups_the_first_are_listed_and_the_others_told():
    rng = np.random.default_rng(0)
    site, x = np.repeat(np.arange(1, 21), 5), np.tile(np.arange(5.0), 20)
    fit = descend.fit("y ~ a[site] + b*x", {"y": site + 0.5 * x + 0.1 * rng.normal(size=100), "x": x, "site": site})
    lines = render(fields(fit)).splitlines()
    assert [line.split()[0] for line in lines if line.startswith("  a[")] == [f"a[{k}]" for k in range(1, 7)]
    assert any(line.startswith("  b ") for line in lines)
    (spread,) = (line for line in lines if line.startswith("  a: "))
    low, high = min(fit.parameters["a"].values()), max(fit.parameters["a"].values())
    assert spread.startswith(f"  a: 20 values from {low:.6g} to {high:.6g}, median ")


def test_values_on_the_command_line_name_groups(capsys, monkeypatch, tmp_path):
    model = tmp_path / "fit.json"
    descend.fit(FORMULA, PUROMYCIN).save(model)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["descend", "predict", str(model), *arguments])
        return main(), *capsys.readouterr()

    assert run("--at", "conc=0.1,state=treated")[1] == "state,conc,prediction\ntreated,0.1,132.0678925\n"
    assert run("--at", "conc=0.1", "--at", "state=treated,untreated")[1] == (
        "state,conc,prediction\ntreated,0.1,132.0678925\nuntreated,0.1,105.4644324\n"
    )
    assert (
        run("--at", "conc=0.1")[2]
        == "ConfigError: `--at` gives no value for `state`. Add it, such as `--at state=treated`.\n"
    )
    assert (
        "`state` is `tread` in row 1 of the data, a group that was not fitted. Did you mean `treated`?"
        in run("--at", "conc=0.1,state=tread")[2]
    )
