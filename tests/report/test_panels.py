"""What the prepared figures hold, and that every drawing library takes them."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import descend
from descend.errors import ConfigError
from descend.report import interactive, panels, residual_panels, surface
from descend.report.figures import Level, Line, Matrix, Points, Surface
from descend.report.html import page
from descend.report.plots import plot_panels
from descend.report.svg import legend, svg
from descend.report.view_of_fit import MOST_POINTS, view

TEXTBOOK = {"start": {"w": 0.0}, "optimizer": "gd", "learning_rate": 0.001, "epochs": 100}
KINDS = ("curve", "predicted", "residuals", "against", "quantiles", "loss", "gradient", "parameters", "correlation",
         "surface")  # fmt: skip


@pytest.fixture(scope="module")
def bend():
    x = np.linspace(0, 4, 60)
    y = 3 * np.exp(-0.8 * x) + 0.5 + 0.05 * np.random.default_rng(2).normal(size=60)
    return descend.fit("y ~ a*exp(-b*x) + c", {"x": x, "y": y}, start={"a": 1.0, "b": 1.0, "c": 0.0})


def every(fit):
    seen = view(fit)
    return dict(zip(KINDS, (
        panels.curve(seen), panels.predicted(seen), residual_panels.residuals(seen),
        residual_panels.residuals_against(seen, "x"),
        residual_panels.quantiles(seen), panels.loss(fit), panels.gradient_norm(fit), panels.parameters(fit),
        panels.correlation(fit), surface.landscape(fit),
    ), strict=True))  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_library_draws_every_panel(bend, kind):
    panel = every(bend)[kind]
    drawn = ET.fromstring(svg(panel))
    assert drawn.get("role") == "img" and drawn.get("aria-label") == panel.alt and panel.alt.endswith(".")
    assert len(legend(panel)) == len([mark for mark in panel.marks if getattr(mark, "name", "")])
    plot_panels([panel]).canvas.draw()
    json.dumps(interactive.figure(panel), allow_nan=False)
    for dark in (False, True):
        assert interactive.plotly(panel, dark).to_plotly_json()["data"]


def test_dots_lie_where_the_rows_are(bend):
    panel = panels.curve(view(bend))
    text = svg(panel)
    low, high = (float(part) for part in text.partition('data-y="')[2].split(" ")[:2])
    left, right = (float(part) for part in text.partition('data-x="')[2].split(" ")[:2])
    places = text.partition('class="dots" d="')[2].partition('"')[0].removeprefix("M").removesuffix("h0").split("h0M")
    x, y = np.array([place.split(" ") for place in places], dtype=float).T
    columns = bend.solution.columns
    np.testing.assert_allclose(left + (x - 64) / (546 - 64) * (right - left), columns["x"], atol=0.01)
    np.testing.assert_allclose(low + (304 - y) / (304 - 30) * (high - low), columns["y"], atol=0.01)


def test_one_parameter_is_drawn_as_the_parabola_with_the_steps_on_it(line):
    fitted = descend.fit("y ~ w*x", line, **TEXTBOOK)
    curve, steps = surface.landscape(fitted).marks
    x, y = line["x"], line["y"]
    np.testing.assert_allclose(curve.y, [np.mean((w * x - y) ** 2) for w in curve.x], rtol=1e-12)
    np.testing.assert_allclose(steps.y, fitted.trace.losses, rtol=1e-12)
    assert steps.x[0] == 0.0 and steps.x[-1] == fitted.parameters["w"]


def test_the_surface_is_j_and_the_path_is_the_run(bend):
    panel = surface.landscape(bend, ("a", "b"))
    ground, path = panel.marks
    assert isinstance(ground, Surface) and (panel.x.name, panel.y.name) == ("a", "b")
    c, columns = bend.parameters["c"], bend.solution.columns
    j = np.mean((ground.x[7] * np.exp(-ground.y[31] * columns["x"]) + c - columns["y"]) ** 2)
    assert ground.z[31, 7] == pytest.approx(j, rel=1e-12)
    np.testing.assert_array_equal(path.x, [step.theta[0] for step in bend.trace])
    assert ground.x[0] < path.x.min() and path.x.max() < ground.x[-1]
    assert panel.caption.endswith("; the other parameters stay at their last values.")


def test_unless_told_the_two_that_trade_off_most_are_drawn(bend):
    strength = np.triu(np.abs(bend.correlation), 1)
    one, other = np.unravel_index(strength.argmax(), strength.shape)
    labels = bend.model.parameters.labels
    panel = surface.landscape(bend)
    assert (panel.x.name, panel.y.name) == (labels[one], labels[other])


def test_of_rows_in_a_database_a_sample_shows_the_surface(bend, tmp_path):
    path = tmp_path / "bend.csv"
    columns = bend.solution.columns
    path.write_text(
        "x,y\n" + "\n".join(f"{float(x)!r},{float(y)!r}" for x, y in zip(columns["x"], columns["y"], strict=True))
    )
    there = descend.fit(str(bend.model), path, engine="query", start={"a": 1.0, "b": 1.0, "c": 0.0}, l2=0.01)
    ground, _ = surface.landscape(there, ("a", "b")).marks
    c, a, b = there.parameters["c"], ground.x[7], ground.y[31]
    j = np.mean((a * np.exp(-b * columns["x"]) + c - columns["y"]) ** 2)
    assert ground.z[31, 7] == pytest.approx(j + 0.01 * (a * a + b * b), rel=1e-9)  # c is an intercept


def test_a_misspelt_parameter_is_named(bend):
    with pytest.raises(ConfigError) as error:
        surface.landscape(bend, ("a", "bb"))
    assert str(error.value) == "There is no parameter `bb` to draw. Parameters: a, b, c."


def test_several_optimizers_race_on_one_surface(line):
    compared = descend.compare("y ~ w*x + b", line, ["gd", "momentum", "lbfgs"], start={"w": 0.0, "b": 3.0})
    ground, *paths = surface.race(compared.fits).marks
    assert [path.name for path in paths] == ["gd", "momentum", "lbfgs"]
    assert len({path.colour for path in paths}) == 3
    for path in paths:
        assert (path.x[0], path.y[0]) == (0.0, 3.0)
        assert ground.x[0] < path.x.min() < path.x.max() < ground.x[-1]


def test_a_surface_keeps_within_bounds_and_a_runaway_path_is_cut(line):
    bounded = descend.fit("y ~ a*x + b", line, start={"a": 3.0, "b": 0.0}, bounds=["b >= 0", "a <= 3"])
    panel = surface.landscape(bounded, ("a", "b"))
    assert panel.marks[0].y[0] == 0.0 and panel.marks[0].x[-1] == 3.0
    diverged = descend.fit("y ~ w*x + b", line, optimizer="gd", learning_rate=0.05)
    assert np.abs(surface.landscape(diverged).marks[1].x).max() < 100 < diverged.parameters["w"]


def test_residuals_are_observed_less_predicted(bend):
    seen, columns = view(bend), bend.solution.columns
    left = columns["y"] - bend.predict({"x": columns["x"]})
    rows, zero = residual_panels.residuals_against(seen, "x").marks
    assert isinstance(rows, Points) and isinstance(zero, Level) and zero.y == 0.0
    np.testing.assert_allclose(rows.y, left, atol=1e-12)
    ordered, line = residual_panels.quantiles(seen).marks
    assert isinstance(line, Line)
    np.testing.assert_allclose(ordered.y, np.sort(left), atol=1e-12)
    np.testing.assert_allclose(ordered.x, -ordered.x[::-1], atol=1e-12)


def test_normal_residuals_lie_on_the_line():
    x = np.linspace(0, 1, 4000)
    y = x + np.random.default_rng(0).normal(size=4000)
    ordered, line = residual_panels.quantiles(view(descend.fit("y ~ a*x + b", {"x": x, "y": y}))).marks
    middle = slice(100, -100)
    on_line = np.interp(ordered.x[middle], line.x, line.y)
    np.testing.assert_allclose(ordered.y[middle], on_line, atol=0.1)


def test_parameters_of_unlike_size_are_drawn_as_shares(line):
    alike = panels.parameters(descend.fit("y ~ w*x + b", line, optimizer="gd", epochs=50))
    assert alike.y.name == "value" and [mark.name for mark in alike.marks] == ["w", "b"]
    shares = panels.parameters(descend.fit("y ~ w*x + b", line | {"x": 1000 * line["x"]}))
    assert shares.y.name == "value / its largest" and max(np.abs(mark.y).max() for mark in shares.marks) == 1.0


def test_the_correlation_is_that_of_the_fit(bend):
    (mark,) = panels.correlation(bend).marks
    assert isinstance(mark, Matrix) and mark.labels == ("a", "b", "c")
    np.testing.assert_array_equal(mark.values, bend.correlation)
    assert panels.correlation(descend.fit("y ~ a*x", bend.solution.columns)) is None


def test_a_long_run_is_thinned_and_says_so(line):
    fitted = descend.fit("y ~ w*x + b", line, optimizer="gd", learning_rate=1e-5, epochs=5000)
    panel = panels.loss(fitted)
    assert panel.caption == "2,000 of 5,001 steps drawn, evenly spaced."
    assert panel.marks[0].x[0] == 0 and panel.marks[0].x[-1] == 5000 and len(panel.marks[0].x) == 2000


def test_of_many_rows_every_panel_draws_a_sample_and_says_so():
    random = np.random.default_rng(0)
    x = random.uniform(size=300_000)
    fitted = descend.fit("y ~ w*x + b", {"x": x, "y": 2 * x + random.normal(size=len(x))})
    drawn = every(fitted)
    for kind in ("curve", "predicted", "residuals", "against", "quantiles"):
        points = next(mark for mark in drawn[kind].marks if isinstance(mark, Points))
        assert len(points.x) == MOST_POINTS
        assert drawn[kind].caption == "5,000 of 300,000 rows drawn, chosen at random."
        assert len(svg(drawn[kind])) < 200_000
    assert drawn["surface"].caption.endswith("J of 2,000 of 300,000 rows, evenly spaced.")


def test_names_are_text_in_every_library(line):
    name = "<b>$x$&"
    fitted = descend.fit(f"y ~ w*`{name}`", {name: line["x"], "y": line["y"]})
    panel = panels.curve(view(fitted))
    assert name in "".join(ET.fromstring(svg(panel)).itertext())
    assert interactive.figure(panel)["layout"]["xaxis"]["title"]["text"] == "&lt;b&gt;&#36;x&#36;&amp;"


def test_numbers_far_from_zero_are_counted_from_a_round_one():
    f = 5e9 + np.linspace(-5e3, 5e3, 51)
    data = {"f": f, "y": -4000.5 + 1e-4 * (f - 5e9)}
    fitted = descend.fit("y ~ a*(f - 5e9) + c", data)
    drawn = svg(panels.curve(view(fitted)))
    assert "f − 5,000,000,000</text>" in drawn and ">−4,000</text>" in drawn and "5e+09" not in drawn
    assert '<td class="number">4999995000</td><td class="number">5000000000</td>' in page(fitted)
    near = svg(panels.curve(view(descend.fit("y ~ a*x + c", {"x": f - 5e9, "y": data["y"] + 4000.5}))))
    assert ' x="' in near and ">x</text>" in near
