"""Every option is defined once: what the interfaces take is held against the table."""

from __future__ import annotations

import inspect
import re

import pytest

import descend
from descend import api
from descend.options.option import Option
from descend.options.request import FIELDS, OPTIONS, Request, check_options, register


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
