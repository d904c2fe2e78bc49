"""Rows that are held out of a fit are rings beside the dots of those it was fitted to."""

from __future__ import annotations

import json

import numpy as np
import pytest

import descend
from descend.many.pictures import panel_of
from descend.report import implicit, interactive, panels, residual_panels
from descend.report.figures import Line, Points
from descend.report.grouped import curves
from descend.report.html import page
from descend.report.picture_look import Look
from descend.report.plots import plot_panels
from descend.report.svg import legend, svg
from descend.report.view_of_fit import view

X = np.tile(np.linspace(0.0, 5.0, 20), 2)
RANDOM = np.random.default_rng(1)
ROWS = {
    "x": X,
    "z": RANDOM.normal(size=40),
    "y": 3.0 * np.exp(-0.5 * X) + 0.05 * RANDOM.normal(size=40),
    "site": np.repeat(["p", "q"], 20),
    "kind": np.where(X + RANDOM.normal(size=40) > 2.5, "late", "early"),
}


def rings(panel):
    return [mark for mark in panel.marks if isinstance(mark, Points) and mark.shape == "ring"]


def held_out(fit):
    return fit.solution.problem.validation.engine.rows.columns


def test_every_library_draws_them_and_the_curve_goes_on_to_them():
    fit = descend.fit("y ~ a*exp(-b*x)", ROWS, validation=0.25)
    panel, held = panels.curve(view(fit)), held_out(fit)
    (ring,), dots = rings(panel), next(mark for mark in panel.marks if isinstance(mark, Points))
    np.testing.assert_array_equal([ring.x, ring.y], [held["x"], held["y"]])
    assert (len(ring.x), len(dots.x), dots.shape, ring.name) == (10, 30, "dot", "held out")
    assert next(mark for mark in panel.marks if isinstance(mark, Line)).x[[0, -1]].tolist() == [0.0, 5.0]
    assert svg(panel).count("a3.6 3.6 0 1 0 7.2 0") == 10 and "held out" in [name for _, name in legend(panel)]
    axes = plot_panels([panel]).axes[0]
    assert len(next(line for line in axes.lines if line.get_markerfacecolor() == "none").get_xdata()) == 10
    drawn = interactive.figure(panel)
    assert "circle-open" in json.dumps(drawn) and page(fit).count("held out") > 3


@pytest.mark.parametrize("prepare", [panels.predicted, residual_panels.residuals])
def test_predictions_and_residuals_have_them(prepare):
    fit = descend.fit("y ~ a + b*x + c*z", ROWS, validation=0.25)
    (ring,), held = rings(prepare(view(fit))), held_out(fit)
    left = held["y"] - fit.predict(held)
    np.testing.assert_allclose(ring.y if prepare is residual_panels.residuals else ring.x - ring.y, left)


def test_groups_have_them_in_their_colours_and_classes_below_zero():
    panel = curves(view(descend.fit("y ~ a[site]*exp(-b*x)", ROWS, validation=0.25)))
    assert {ring.colour for ring in rings(panel)} == {"blue", "vermillion"}
    assert sum(len(ring.x) for ring in rings(panel)) == 10 and panel.caption == "Rings are rows held out."
    fit = descend.fit("kind ~ sigmoid(a + b*x)", ROWS, loss="bernoulli", validation=0.25)
    assert len(rings(panels.curve(view(fit)))[0].x) == 10
    fit = descend.fit("kind ~ a + b*x", ROWS, loss="multinomial", validation=0.25)
    (ring,) = rings(implicit.first(view(fit)))
    assert len(ring.x) == 10 and (ring.y < 0.0).all()


@pytest.mark.parametrize("formula", ["y ~ a*exp(-b*x)", "y ~ a + b*x + c*z"])
def test_each_of_many_fits_has_its_own(formula):
    fits = descend.fit(formula, ROWS, by="site", validation=0.25)
    panel = panel_of(fits, 1, fits.rows_of(1), Look())
    (ring,), dots = rings(panel), next(mark for mark in panel.marks if isinstance(mark, Points))
    assert (len(ring.x), len(dots.x)) == (5, 15)
    assert fits.rows.tolist() == [15, 15]


@pytest.mark.parametrize("whole", [False, True], ids=["columns", "tensors"])
def test_rows_held_out_of_a_module_are_rings_too(whole):
    torch = pytest.importorskip("torch")
    inputs = np.stack([ROWS["x"], ROWS["z"]], axis=1)[:, : 1 + whole]
    pair = [torch.tensor(each, dtype=torch.float32) for each in (inputs, ROWS["y"][:, None])]
    fit = descend.fit(torch.nn.Linear(1 + whole, 1), tuple(pair), validation=0.25, optimizer="adam", epochs=5)
    shown = view(fit)
    (ring,), (residual,) = rings(panels.predicted(shown)), rings(residual_panels.residuals(shown))
    assert len(ring.x) == len(residual.x) == 10 and len(shown.columns["y"]) == 30
    everything = np.concatenate([ring.x, shown.columns["y"]])
    np.testing.assert_allclose(np.sort(everything), np.sort(ROWS["y"]), rtol=1e-6)
    assert whole or len(rings(panels.curve(shown))[0].x) == 10
    assert "held out" in page(fit)


def test_rows_held_out_of_a_database_are_rings_too(tmp_path):
    import duckdb

    with duckdb.connect(str(tmp_path / "rows.db")) as connection:
        connection.execute("CREATE TABLE rows (x DOUBLE, y DOUBLE)")
        connection.executemany("INSERT INTO rows VALUES (?, ?)", list(zip(ROWS["x"], ROWS["y"], strict=True)))
    fit = descend.fit("y ~ a*exp(-b*x)", f"duckdb://{tmp_path / 'rows.db'}?table=rows", validation=0.25)
    (ring,) = rings(panels.curve(view(fit)))
    assert len(ring.x) == 40 - fit.rows and set(ring.y.tolist()) <= set(ROWS["y"].tolist())
