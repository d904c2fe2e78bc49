"""All groups in the lab: one fit each, their table page by page, and the way to one group and back."""

from __future__ import annotations

import dataclasses
import json
import re

import numpy as np
import pytest

import descend
from descend.lab.data.rows import Library, read_rows
from descend.lab.descents import all_groups as groups
from descend.lab.descents.all_groups import answer
from descend.lab.descents.export import commands, python, report
from descend.lab.descents.runs import lowest_fit
from descend.lab.page.callbacks import Callbacks
from descend.lab.serving.limits import Limits, within
from descend.lab.state import FILE, State, read_query, usual_of


def decays(groups, rows=12, seed=0):
    """Decays whose rate is that of their group, by `site` A, B, ... and by `well` 0, 1, ...; the last has one row."""
    rng = np.random.default_rng(seed)
    lines = ["site,well,t,y"]
    for group in range(groups):
        for t in np.linspace(0.0, 4.0, 1 if group == groups - 1 else rows):
            y = (1.0 + group % 5) * np.exp(-(0.5 + 0.1 * (group % 7)) * t) + 0.01 * rng.normal()
            lines.append(f"S{group:05d},{group % 3},{t:.4g},{y:.6g}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def library(tmp_path):
    def library(groups, **options):
        path = tmp_path / "wells.csv"
        path.write_text(decays(groups, **options))
        return Library(read_rows(path, "wells.csv", (FILE, str(path))))

    return library


STATE = State(FILE, "y ~ a*exp(-b*t)", rate=None, start=(), epochs=200, by=("site",))


def rows_of(table):
    return [re.sub("<[^>]*>", " ", row).split() for row in re.findall(r"<tr>(.*?)</tr>", table.partition("<tbody>")[2])]


def test_columns_that_may_tell_groups_apart_are_offered(library):
    """Words first, then whole numbers that recur; neither measurements nor a column in which all differ."""
    assert library(6).file.groupings == ("site", "well")


def test_every_group_has_its_line_failed_ones_first(library):
    rows = library(6).file
    shown = answer(STATE, rows, None)
    lines = rows_of(shown["table"])
    assert lines[0][0] == "S00005" and "refused" in lines[0] and len(lines) == 6
    fits = descend.fit("y ~ a*exp(-b*t)", rows.table, by="site")
    first = lines[1]
    fit = fits[first[0]]
    assert float(first[1]) == pytest.approx(fit.parameters["a"], rel=1e-3)
    assert float(first[3]) == pytest.approx(fit.standard_errors["a"], rel=0.1)
    assert "6 groups: converged 5, refused 1" in shown["verdict"] and "?problem=file&amp;formula=" in shown["verdict"]
    assert "S00000" in shown["picture"] and shown["picture"].count("<figure>") == 1


def test_many_groups_come_page_by_page_and_the_worst_are_drawn(library):
    rows = library(60).file
    shown = answer(STATE, rows, {"page": 2})
    assert len(rows_of(shown["table"])) == 10 and "51 to 60 of 60 groups" in shown["table"]
    assert shown["picture"].count("<figure>") == groups.DRAWN and "The 12 worst of 60 groups" in shown["picture"]
    last = answer(STATE, rows, {"page": 99})["table"]
    assert last == shown["table"]


def test_the_table_is_sorted_by_a_column_and_searched(library):
    rows = library(60).file
    rates = [float(line[4]) for line in rows_of(answer(STATE, rows, {"column": 2, "down": True})["table"])]
    assert rates == sorted(rates, reverse=True) and len(rates) == groups.PER_PAGE
    assert 'aria-sort="descending"' in answer(STATE, rows, {"column": 2, "down": True})["table"]
    names = [line[0] for line in rows_of(answer(STATE, rows, {"column": 0})["table"])]
    assert names == sorted(names)
    assert [line[0] for line in rows_of(answer(STATE, rows, {"find": "s0001"})["table"])] == [
        f"S0001{place}" for place in sorted(range(10), key=lambda place: names_worst(rows).index(f"S0001{place}"))
    ]
    assert "refused" in answer(STATE, rows, {"find": "refused"})["table"]
    assert rows_of(answer(STATE, rows, {"find": "nowhere"})["table"]) == []


def names_worst(rows):
    fits = groups.fits_of(STATE, rows)
    return [fits.keys[place][0] for place in fits.worst()]


@pytest.mark.parametrize("asked", [None, 7, {"column": 1e9, "page": "x"}, {"column": 99}, {"page": -1}, {"find": 3}])
def test_what_a_page_asks_wrongly_is_as_usual(library, asked):
    assert "groups</span>" in answer(STATE, library(6).file, asked)["table"]


def test_one_group_is_an_ordinary_fit(library):
    shelf = library(6)
    one = dataclasses.replace(STATE, group="S00003")
    rows = shelf.rows(one, None)
    assert rows.rows == 12
    found = lowest_fit(one, rows)
    fits = descend.fit("y ~ a*exp(-b*t)", shelf.file.table, by="site")
    assert found.parameters["b"] == pytest.approx(fits["S00003"].parameters["b"], rel=1e-6)
    command = commands(one, rows, {"a": 1.0, "b": 1.0})
    assert command.endswith("--where 'site = '\"'\"'S00003'\"'\"''") and "--by" not in command
    assert "where=\"site = 'S00003'\"" in python(one, rows, {})


def test_a_group_that_there_is_not(library):
    with pytest.raises(descend.errors.DataError, match=r"^There is no group `S9` of `site` in these rows\.$"):
        library(6).rows(dataclasses.replace(STATE, group="S9"), None)


def test_a_condition_of_odd_names_chooses_the_same_rows(tmp_path):
    path = tmp_path / "odd.csv"
    path.write_text(decays(4).replace("site,well", "group,the well").replace("S00000", "O'Hara"))
    shelf = Library(read_rows(path, "odd.csv", (FILE, "odd")))
    two = dataclasses.replace(STATE, by=("group", "the well"), group="O'Hara, 0")
    rows = shelf.rows(two, None)
    assert rows.where == "\"group\" = 'O''Hara' and \"the well\" = 0"
    fit = descend.fit("y ~ a*exp(-b*t)", path, where=rows.where)
    assert fit.rows == rows.rows == 12


def test_all_groups_are_repeated_by_one_command(library):
    rows = library(6).file
    assert commands(STATE, rows, {}) == "descend fit 'y ~ a*exp(-b*t)' wells.csv --by site"
    assert python(STATE, rows, {}).endswith('fits = descend.fit("y ~ a*exp(-b*t)", "wells.csv", by=["site"])')
    huber = dataclasses.replace(STATE, loss="huber", by=("site", "well"))
    assert commands(huber, rows, {}).endswith("--by site --by well --loss huber")
    page, name = report(STATE, rows)
    assert name == "wells-groups.html" and "6 groups: 5 converged, 1 refused" in page


def test_groups_of_a_large_file_have_all_their_rows(tmp_path):
    """Of many rows the lab descends on a sample, which would leave two or three of each group."""
    path = tmp_path / "large.csv"
    path.write_text(decays(1200))
    shelf = Library(read_rows(path, "large.csv", (FILE, "large")))
    assert shelf.file.rows == 10_000 and shelf.file.sampled
    fits = groups.fits_of(STATE, shelf.file)
    assert fits.rows[:-1].tolist() == [12] * 1199 and fits.counts == {"converged": 1199, "refused": 1}
    assert shelf.rows(dataclasses.replace(STATE, group="S00007"), None).rows == 12


def test_fits_that_take_long_are_given_up(library, monkeypatch):
    monkeypatch.setattr(groups, "TRIED", 3)
    said = (
        r"^One fit for each of 7 groups would take longer than the 0 s that the lab allows: some \d+ s\. Use the comm"
    )
    with within(Limits(groups=0.0)), pytest.raises(descend.errors.ConfigError, match=said):
        groups.fits_of(STATE, library(7).file)


def test_a_formula_of_too_many_parameters_is_refused(library):
    formula = "y ~ " + " + ".join(f"a{place}*t^{place}" for place in range(21))
    with pytest.raises(descend.errors.ConfigError, match=r"The formula has 21 parameters; the lab shows 20 at most\."):
        groups.fits_of(dataclasses.replace(STATE, formula=formula), library(8, rows=40).file)


def posted(state, **changed):
    context = {"problem": state.problem, "seed": 0, "lang": state.lang, "by": list(state.by), "group": state.group}
    settings = {
        "formula": state.formula, "loss": state.loss, "optimizers": list(state.optimizers), "rate": -1.0, "auto": [],
        "start": "a=1, b=0.3", "epochs": "300", "batch": "all", "noise": 0.1, "context": context, "by-hand": [],
        "by": list(state.by),
    }  # fmt: skip
    return settings | changed


def test_the_page_asks_for_all_groups_for_one_or_for_none():
    lab = Callbacks(Library())
    wells = usual_of("wells")
    everything = json.loads(lab.film({"settings": posted(wells), "shown": {"page": 0}}))
    assert everything["film"] is None and everything["groups"]["link"] == "?problem=wells"
    assert len(rows_of(everything["groups"]["table"])) == 8
    one = json.loads(lab.film({"settings": posted(dataclasses.replace(wells, group="3"))}))
    assert one["groups"] is None and one["film"]["group"] == "3" and one["film"]["link"].endswith("&group=3")
    none = json.loads(lab.film({"settings": posted(dataclasses.replace(wells, group="3"), by=[])}))
    assert none["film"]["group"] == "" and "by=" in none["film"]["link"]
    wrong = json.loads(lab.film({"settings": posted(wells, formula="y ~ log*t")}))
    assert wrong["groups"] is None and "built-in" in json.dumps(wrong["told"]["formula-told"])


def test_words_of_all_groups_are_how_to_repeat_them():
    said = json.loads(Callbacks(Library()).words({"link": "?problem=wells", "key": None}))
    assert "--by" in str(said["command"]) and 'by=["well"]' in said["python"]["children"] and len(said) == 2


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("query", "unread"),
    [
        ("?problem=wells&group=3", ""),
        ("?problem=wells&group=99", "group"),
        ("?problem=line&by=site&group=A", "by"),
        ("?problem=line&group=A", "group"),
    ],
)
def test_an_address_with_groups(query, unread, language):
    page = str(Callbacks(Library()).page({"search": f"{query}&lang={language}", "at": 1}))
    assert ("could be read" in page or "无法读取" in page) == bool(unread)
    assert not unread or f": {unread}." in page or f"：{unread}。" in page
    assert ("well = 3" in page) == (not unread)


def test_chinese(library):
    shown = answer(dataclasses.replace(STATE, lang="zh"), library(6).file, None)
    assert "共 6 组：已收敛 5，无法拟合 1" in shown["verdict"] and 'lang="en"' in shown["verdict"]
    assert "第 1 至 6 组，共 6 组" in shown["table"] and "行数" in shown["table"]


def test_names_with_commas_travel_in_the_address():
    state = dataclasses.replace(STATE, by=("a,b", "50%", "c"), group="A, 3")
    assert read_query(state.query, STATE.formula)[0] == state
