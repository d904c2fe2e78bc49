"""Sums of all groups by one query: those of NumPy in each group, and fits that are those of rows in memory."""

from __future__ import annotations

import numpy as np
import pytest
from tests.laws.ranges import PLAIN
from tests.laws.test_query_laws import COLUMNS, FORMULAS, assert_same, program, table
from tests.many.test_distant import FORMULA, plates
from tests.many.test_distant import assert_same as assert_same_fits

import descend
from descend.engines.numpy_engine import NumpyEngine
from descend.engines.sums_by_group import SumsByGroup
from descend.many.batch_code import by_component
from descend.many.groups_elsewhere import DistantGroups
from descend.many.summed_by_database import Summed
from descend.options.arguments import read_request
from descend.table import open_table
from descend.table.rows import Roles, Rows

GROUPS = 5


def compare(text, loss, weights, monkeypatch):
    """Hold the sums of each group, at parameters of its own, against those of NumPy."""
    what = program(text, loss)
    data = table() | {"site": np.arange(len(table()["x"])) % GROUPS}
    request = read_request("y ~ a*x", data, (), {"by": ["site"], "weights": weights})
    work = DistantGroups.of(request, open_table(data), ["site"])
    lazy = work.table.lazy(COLUMNS, None, ["site"]).with_roles(Roles(weights))
    work = DistantGroups(request, work.table, work.model, lazy, work.groups, work.complete, 1e9)
    theta = np.array(FORMULAS[text])[:, None] * np.linspace(0.97, 1.03, GROUPS)
    places = np.array([3, 0, 4])
    mine = SumsByGroup(work.keyed, what, lazy.table, *by_component(what)).at(places, list(theta[:, places]))
    for number, place in enumerate(places.tolist()):
        rows = {name: column[place::GROUPS].astype(float) for name, column in data.items()}
        theirs = NumpyEngine(what, Rows.of(rows, Roles(weights))).evaluate(theta[:, place].copy(), 2)
        size = theta.shape[0]
        curvature = np.array([[mine[2][max(i, j)][min(i, j)][number] for i in range(size)] for j in range(size)])
        gradient = np.array([entry[number] for entry in mine[1]])
        assert_same(theirs._replace(loss=mine[0][number], gradient=gradient, curvature=curvature), theirs)


@pytest.mark.parametrize("text", FORMULAS)
def test_sums_of_groups_are_those_of_numpy(text, monkeypatch):
    compare(text, "squared", None, monkeypatch)


@pytest.mark.parametrize("loss", [*PLAIN, "huber(delta=0.2)"])
def test_sums_of_any_loss_are_those_of_numpy(loss, monkeypatch):
    if not program("y ~ a*exp(-b*x) + c", loss).loss.own_parameters:
        compare("y ~ a*exp(-b*x) + c", loss, "omega", monkeypatch)


@pytest.mark.parametrize("by", [["plate", "well"], "well"])
@pytest.mark.parametrize(
    "options", [{}, {"missing": "drop"}, {"sigma": "s"}, {"weights": "w"}, {"start": {"a": 1.0, "b": 1.0, "c": 0.5}}]
)
def test_fits_by_sums_are_those_of_rows_in_memory(by, options):
    data = plates()
    data["s"] = np.random.default_rng(1).uniform(0.5, 2.0, len(data["x"]))
    data["w"] = np.where(np.arange(len(data["x"])) % 5 > 0, data["s"], 0.0)
    mine = descend.fit(FORMULA, data, by=by, engine="query", **options)
    assert mine.notes == ()
    assert_same_fits(mine, descend.fit(FORMULA, data, by=by, **options), 1e-7)


def test_likelihoods_and_vectors_are_summed_too():
    rng = np.random.default_rng(2)
    x, site = np.tile(np.linspace(0, 2, 40), 6), np.repeat(list("abcdef"), 40)
    data = {"x": x, "z": rng.normal(size=x.size), "site": site, "n": rng.poisson(np.exp(1.0 + 0.5 * x))}
    for formula, loss in (("n ~ exp(a + b*x)", "poisson"), ("n ~ w @ [x, z] + c", "squared")):
        mine = descend.fit(formula, data, loss=loss, by="site", engine="query")
        assert_same_fits(mine, descend.fit(formula, data, loss=loss, by="site"), 1e-8)


def test_few_queries_serve_all_groups(monkeypatch):
    asked = []
    at = SumsByGroup.at
    monkeypatch.setattr(
        SumsByGroup, "at", lambda self, places, theta: asked.append(len(places)) or at(self, places, theta)
    )
    told = []
    data = plates(wells=60)
    request = read_request(FORMULA, data, (), {"by": ["plate", "well"]})
    work = DistantGroups.of(request, open_table(data), ["plate", "well"])
    summed = Summed.of(work)
    from descend.many.summed_by_database import fit_summed

    outcomes = fit_summed(summed, lambda done, groups: told.append((done, groups)))
    assert not outcomes.open.any()
    assert len(asked) < 25
    assert asked[0] == len(summed.chosen) == 118 > asked[-2]
    assert told[-1] == (120, 120)


def test_a_weight_below_0_is_refused_as_in_memory():
    data = plates(wells=4)
    data["w"] = np.ones(len(data["x"]))
    data["w"][np.flatnonzero((data["plate"] == "B") & (data["well"] == 2.0))[5]] = -0.5
    fits = descend.fit(FORMULA, data, by=["plate", "well"], engine="query", weights="w")
    assert fits.failed["B", 2].startswith("The weight `w` is -0.5 in row ")


def test_what_a_database_cannot_sum_streams():
    data = plates(wells=4)
    fits = descend.fit("y ~ a*exp(-b*x) + c", data, by=["plate", "well"], engine="query", loss="huber")
    assert fits.notes == (
        "rows sorted by group in DuckDB, and fitted as they come, as each group has to be fitted by itself",
    )
