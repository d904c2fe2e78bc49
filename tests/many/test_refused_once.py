"""Options that are wrong for every group are refused once, not once for each group."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.errors import ConfigError, DescendError
from descend.many.shared_model import model_by_groups, program_of
from descend.options.arguments import read_request
from descend.options.option import Option
from descend.options.request import OPTIONS
from descend.table import open_table
from descend.table.writing import write_columns

FORMULA = "y ~ a*exp(-b*x) + c"


def decays():
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(12), 20)
    x = rng.uniform(0, 4, group.size)
    return {"x": x, "y": 2 * np.exp(-x) + 0.3 + 0.02 * rng.normal(size=x.size), "g": group}


@pytest.mark.parametrize("engine", ["auto", "query"])
def test_a_start_outside_its_bounds_is_refused(engine, tmp_path):
    write_columns(tmp_path / "rows.parquet", decays())
    with pytest.raises(ConfigError) as error:
        descend.fit(FORMULA, tmp_path / "rows.parquet", by="g", start={"a": -5}, bounds="a >= 0", engine=engine)
    assert str(error.value) == (
        "The start of `a` is -5, outside its bounds a >= 0. Give a start inside them, or leave it out to have one "
        "chosen."
    )


@pytest.mark.parametrize(
    ("options", "begin"),
    [
        ({"engine": "foo"}, "There is no engine `foo`."),
        ({"engine": "moments"}, "The engine `moments` is for formulas that are linear in all their parameters"),
        ({"gradient": "a = mean(x)"}, "No gradient is given for `b`."),
        ({"missing": "foo"}, "`missing` is `foo`. It can be `raise` or `drop`."),
        ({"schedule": "foo"}, "There is no schedule `foo`."),
        ({"batch_size": 5, "optimizer": "newton"}, "The optimizer `newton` needs all rows at every step"),
        ({"l1": 0.1, "optimizer": "newton"}, "The optimizer `newton` cannot follow an l1 penalty"),
        ({"weights": "nope"}, "There is no column `nope` to take as weights."),
    ],
)
def test_other_wrong_options_are_refused_too(options, begin):
    with pytest.raises(DescendError) as error:
        descend.fit(FORMULA, decays(), by="g", **options)
    assert str(error.value).startswith(begin)


def test_what_is_wrong_with_one_group_costs_it_alone():
    data = decays()
    data["y"][3] = np.nan  # of the first group
    fits = descend.fit(FORMULA, data, by="g", start={"a": 1.0, "b": 1.0, "c": 0.1}, bounds="a >= 0")
    assert [*fits.failed] == [0]


def test_an_option_that_the_common_descent_does_not_know_has_each_group_fitted_by_itself(monkeypatch):
    monkeypatch.setitem(OPTIONS, "mood", Option("mood"))
    table = open_table(decays())

    def together(**options):
        asked = read_request(FORMULA, table, (), {"by": "g", **options})
        return program_of(asked, model_by_groups(asked, table, ["g"]), table) is not None

    assert together() and together(seed=3) and together(start={"b": 1.0}) and together(bounds="a >= 0")
    for options in (
        {"mood": "good"},
        {"tolerance": 1e-3},
        {"epochs": 5},
        {"standardize": True},
        {"errors": "sandwich"},
    ):
        assert not together(**options), options
