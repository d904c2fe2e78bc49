"""Every option is defined once: what the interfaces take is held against the table."""

from __future__ import annotations

import inspect
import json
import re
import shlex

import pytest

import descend
from descend import api
from descend.options.option import Option
from descend.options.request import FIELDS, OPTIONS, Request, check_options, register
from descend.report.reproduce import as_command, as_python


def parameters(function):
    return {
        name: kind for name, kind in inspect.signature(function).parameters.items() if kind.kind is kind.KEYWORD_ONLY
    }


def test_the_arguments_of_fit_are_the_options_of_the_table_in_its_order():
    given = parameters(api.fit)
    assert list(given) == list(FIELDS)
    assert {name: kind.default for name, kind in given.items()} == {key: FIELDS[key].default for key in FIELDS}


@pytest.mark.parametrize("function", [api.check, api.explain, api.derive, api.generate])
def test_options_that_other_verbs_share_have_the_same_default(function):
    shared = {name: kind for name, kind in parameters(function).items() if name in FIELDS}
    for name, kind in shared.items():
        assert kind.default in (FIELDS[name].default, kind.empty), name


def test_every_option_is_documented_where_a_user_looks_for_it():
    documented = re.findall(r"\b(\w+)(?=[:,])", api.fit.__doc__)
    assert set(FIELDS) <= set(documented)
    assert all(option.help.endswith(".") for option in FIELDS.values() if option.help)


def test_what_is_refused_is_refused_by_its_key():
    with pytest.raises(descend.ConfigError, match=r"^`missing` must be `raise` or `drop`, not 3\.$"):
        check_options({"missing": 3})


def test_an_option_from_outside_is_an_option_of_fit(monkeypatch):
    monkeypatch.delitem(OPTIONS, "mood", raising=False)
    register(Option("mood", "calm", "How the descent feels.", metavar="MOOD"))
    try:
        fitted = descend.fit("y ~ w*x", {"x": [1.0, 2.0], "y": [2.0, 4.1]}, mood="wild")
        assert fitted.solution.call()["mood"] == "wild"
        assert Request(more={"mood": "wild"})["mood"] == "wild" and Request()["mood"] == "calm"
    finally:
        del OPTIONS["mood"]


def test_a_checkpoint_holds_what_the_table_says_a_run_depends_on(tmp_path):
    rows = {"x": [1.0, 2.0, 3.0], "y": [2.0, 4.1, 6.2]}
    place = tmp_path / "run.json"
    descend.fit("y ~ w*x", rows, optimizer="gd", learning_rate=0.01, schedule="cosine", epochs=3, checkpoint=place)
    run = json.loads(place.read_text())["run"]
    assert set(run) == {"model"} | {option.identity for option in FIELDS.values() if option.identity}


SAMPLES = {
    "text": "auto",
    "texts": ["b > 0", "a < 3"],
    "values": {"a": 1.5, "b": [1.0, 2.0]},
    "whole": 7,
    "number": 0.5,
    "number or text": 0.5,
}


@pytest.mark.parametrize("key", [key for key, option in FIELDS.items() if option.on_command_line and option.repeat])
def test_what_repeats_a_fit_is_read_back_as_it_was(key, monkeypatch):
    from descend.cli import fit as verb
    from descend.cli.main import app

    value = True if FIELDS[key].form == "switch" else SAMPLES[FIELDS[key].form]
    call = {"model": "y ~ a*x + b", "data": "line.csv", key: value}
    if key != "learning_rate":
        assert f"{key}=" in as_python(call)
    seen = {}
    monkeypatch.setattr(api, "fit", lambda *arguments, **options: seen.update(options) or 1 / 0)
    monkeypatch.setattr(verb, "check_outputs", lambda *arguments: None)
    with pytest.raises(ZeroDivisionError):
        app(shlex.split(as_command(call))[1:], standalone_mode=False)
    assert seen[key] == value or key == "sharpness"
