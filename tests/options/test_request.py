"""Every option is defined once: what the interfaces take is held against the table."""

from __future__ import annotations

import inspect
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

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


MINE = """
from descend.options.checks import must_be
from descend.options.option import Option
from descend.options.request import register

whole = must_be("a whole number, 0 or more", lambda value: isinstance(value, int) and value >= 0)
register(Option("ticket", 0, "The number of a ticket.", check=whole))
register(Option("share", 0.5, "A share."))
register(Option("loud", True, "Whether it is loud."))
"""


@pytest.fixture
def more_options():
    """Options from outside: one whose default is a whole number, one of a number, and a switch that is on."""
    exec(MINE, {})
    yield
    for key in ("ticket", "share", "loud"):
        del OPTIONS[key]


def test_the_form_of_an_option_follows_from_its_default(more_options, tmp_path, monkeypatch):
    assert [OPTIONS[key].form for key in ("ticket", "share", "loud")] == ["whole", "number", "switch"]
    monkeypatch.chdir(tmp_path)
    call = {"model": "y ~ w*x", "data": "l.csv", "ticket": 7, "share": 0.25, "loud": False}
    assert as_command(call) == "descend fit 'y ~ w*x' l.csv --ticket 7 --share 0.25 --no-loud"
    Path("l.csv").write_text("x,y\n1,2\n2,4.1\n")

    Path("mine.py").write_text(MINE)
    monkeypatch.setenv("DESCEND_IMPORT", "mine.py")

    def run(*words):
        command = [sys.executable, "-m", "descend", "fit", "y ~ w*x", "l.csv", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    assert run("--ticket", "7", "--share", "0.25", "--no-loud", "--save", "m.json").returncode == 0
    request = json.loads(Path("m.json").read_text())["request"]
    assert {key: request[key] for key in ("ticket", "share", "loud")} == {"ticket": 7, "share": 0.25, "loud": False}
    shown = " ".join(run("--help").stdout.split())
    assert "--ticket N The number of a ticket. [default: 0]" in shown and "--share NUMBER A share." in shown
    assert "--loud / --no-loud Whether it is loud." in shown
    assert run("--ticket", "-7").stderr == "ConfigError: --ticket must be a whole number, 0 or more, not -7.\n"
    assert run("--ticket", "x").stderr == "ConfigError: `--ticket` takes a whole number; it was given `x`.\n"
    with pytest.raises(descend.ConfigError, match=r"^`ticket` must be a whole number, 0 or more, not -7\.$"):
        descend.fit("y ~ w*x", "l.csv", ticket=-7)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (Option("epochs", 1, "E."), "There is an option `epochs` already. Give yours another key."),
        (Option("model", 1, "E."), "There is an option `model` already. Give yours another key."),
        (
            Option("my note", "", "A note."),
            "`my note` cannot be an option: descend.fit takes it by its key, which is a name as Python has them. "
            "Give it another, such as `my_note`.",
        ),
        (
            Option("class", "", "A note."),
            "`class` cannot be an option: descend.fit takes it by its key, which is a name as Python has them. "
            "Give it another.",
        ),
        (Option("knot", "", "E.", flag="--tie"), "The flag `--tie` is that of the option `ties`. Give yours another."),
    ],
)
def test_an_option_that_cannot_be_one_is_refused(option, said):
    before = dict(OPTIONS)
    with pytest.raises(descend.ConfigError) as refused:
        register(option)
    assert str(refused.value) == said
    assert before == OPTIONS


def test_an_option_from_outside_may_be_defined_anew(more_options):
    register(Option("ticket", 3, "The number of a ticket."))
    assert OPTIONS["ticket"].default == 3


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
