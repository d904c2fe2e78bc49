"""What the pictures show: the data of their lines, their labels and captions; not their pixels."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure

import descend
from descend.api import fit
from descend.comparing import compare
from descend.descent.outcome import Outcome
from descend.errors import ConfigError, DataError, OutputError
from descend.losses import LOSSES
from descend.many import load
from descend.report import style
from descend.report.html import page
from descend.report.plots import plot_columns, plot_comparison, plot_fit, plot_model, save

TEXTBOOK = {"start": {"w": 0.0}, "optimizer": "gd", "learning_rate": 0.001, "epochs": 100}


def drawn(figure: Figure) -> Figure:
    """Render in memory, for some mistakes only show when a picture is drawn."""
    figure.canvas.draw()
    return figure


def names(axes) -> list[str]:
    return [entry.get_text() for entry in axes.get_legend().get_texts()]


@pytest.fixture
def plane() -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    x1, x2 = random.normal(size=(2, 50))
    return {"x1": x1, "x2": x2, "y": 1 + 2 * x1 - x2 + 0.1 * random.normal(size=50)}


def test_one_input_draws_the_rows_the_curve_and_the_loss(line):
    fitted = fit("y ~ w*x", line, **TEXTBOOK)
    figure = drawn(fitted.plot())
    left, right = figure.axes
    data, curve = left.lines
    np.testing.assert_array_equal(data.get_xydata(), np.column_stack([line["x"], line["y"]]))
    grid = curve.get_xdata()
    assert grid[0] == 0.0 and grid[-1] == 9.9 and len(grid) >= 400 and (np.diff(grid) > 0).all()
    np.testing.assert_allclose(curve.get_ydata(), fitted.parameters["w"] * grid, rtol=1e-14)
    np.testing.assert_array_equal(right.lines[0].get_ydata(), fitted.trace.losses)
    assert right.get_yscale() == "log" and right.lines[0].get_marker() == "None"
    assert (left.get_xlabel(), left.get_ylabel(), names(left)) == ("x", "y", ["data", "fit"])
    assert (right.get_xlabel(), right.get_ylabel()) == ("epoch", "mean squared loss")
    assert figure.get_suptitle() == fitted.fitted_formula
    assert right.get_title(loc="left") == "Not converged, 100 epochs used up"
    assert figure.get_supxlabel() == ""


def test_few_epochs_are_marked_and_a_loss_of_one_decade_is_linear(line):
    _, right = fit("y ~ w*x", line, start={"w": 2.0}, optimizer="gd", learning_rate=0.02).plot().axes
    assert right.lines[0].get_marker() == "o" and right.get_yscale() == "linear"
    assert right.get_title(loc="left").startswith("Converged after ")


def test_several_inputs_draw_predicted_against_observed_and_residuals(plane):
    fitted = fit("y ~ w @ [x1, x2] + b", plane)
    left, middle = drawn(fitted.plot()).axes
    predicted = fitted.predict(plane)
    np.testing.assert_array_equal(left.lines[0].get_xydata(), np.column_stack([plane["y"], predicted]))
    diagonal = left.lines[1].get_xydata()
    np.testing.assert_array_equal(diagonal[:, 0], diagonal[:, 1])
    np.testing.assert_array_equal(middle.lines[0].get_xydata(), np.column_stack([predicted, plane["y"] - predicted]))
    assert (left.get_xlabel(), left.get_ylabel()) == ("y, observed", "y, predicted")
    assert (middle.get_xlabel(), middle.get_ylabel()) == ("y, predicted", "observed - predicted")


def test_a_transformed_response_is_drawn_on_its_own_scale(line):
    rows = {"x": line["x"], "y": np.exp(1 + 0.3 * line["x"])}
    left, _ = drawn(fit("log(y) ~ a + b*x", rows).plot()).axes
    np.testing.assert_allclose(left.lines[0].get_ydata(), 1 + 0.3 * line["x"], rtol=1e-12)
    assert left.get_ylabel() == "log(y)"


def test_a_formula_without_inputs_is_drawn_over_the_rows(line):
    (left,) = drawn(fit("y ~ m", {"y": line["y"]}).plot()).axes
    np.testing.assert_array_equal(left.lines[0].get_xdata(), np.arange(1, 101))
    np.testing.assert_allclose(left.lines[1].get_ydata(), line["y"].mean(), rtol=1e-9)
    assert left.get_xlabel() == "row"


@pytest.mark.parametrize("model", ["y ~ w*x + b", "y ~ w*x + v*x**2"])
def test_a_diverged_fit_is_drawn_around_its_data(line, model):
    fitted = fit(model, line, optimizer="gd", learning_rate=0.05)
    left, right = drawn(fitted.plot()).axes
    low, high = left.get_ylim()
    assert low < line["y"].min() < line["y"].max() < high < 100
    assert right.get_title(loc="left").startswith("Diverged after ") and np.isfinite(right.lines[0].get_ydata()).all()
    assert names(left)[1] in ("fit", "fit, outside the picture")


def test_a_diverged_fit_of_several_inputs_is_drawn(plane):
    drawn(fit("y ~ w @ [x1, x2] + b", plane, optimizer="gd", learning_rate=50.0).plot())


def test_the_largest_and_the_smallest_losses_can_be_drawn(line):
    fitted = fit("y ~ w*x", line, **TEXTBOOK)
    for place, step in enumerate(fitted.trace):
        step.loss = [1e308, 1e-308, np.inf, np.nan][place % 4]
    _, right = drawn(fitted.plot()).axes
    assert right.get_yscale() == "log" and np.isfinite(right.get_ylim()).all()


@pytest.mark.parametrize("name", ["unit price", "$x_1$", "_cost", "100%", "a^b\\frac", "\N{GREEK SMALL LETTER ALPHA}"])
def test_names_are_shown_as_they_are_written(line, name):
    fitted = fit(f"`{name}` ~ w*x", {"x": line["x"], name: line["y"]})
    (left,) = drawn(fitted.plot()).axes
    assert left.get_ylabel() == name
    assert not any(text.get_parse_math() for text in (left.yaxis.label, left._left_title, left.xaxis.label))


def test_a_character_that_no_font_has_is_replaced_and_explained(line, monkeypatch):
    monkeypatch.setattr(style, "_characters", lambda: frozenset(range(0x250)) | {ord(style.MISSING)})
    figure = plot_columns(line["x"], line["y"], "单价", "y")
    assert figure.axes[0].get_xlabel() == "□□"
    assert (
        figure.get_supxlabel() == "□ stands for a character that no installed font has; Noto Sans CJK has most of them."
    )


def test_a_character_that_a_font_has_is_kept(line, monkeypatch):
    monkeypatch.setattr(style, "_characters", lambda: frozenset(range(0x10000)))
    figure = plot_columns(line["x"], line["y"], "单价", "y")
    assert figure.axes[0].get_xlabel() == "单价" and figure.get_supxlabel() == ""


def test_names_in_any_script_are_drawn_without_a_warning(line):
    drawn(plot_columns(line["x"], line["y"], "单价 \N{WOMAN}\x00\n\tend", "n" * 500))


def test_long_names_are_cut():
    assert style.shown("n" * 100, 10) == "n" * 9 + "…"


def test_of_many_rows_a_sample_is_drawn_quickly():
    random = np.random.default_rng(0)
    x = random.uniform(size=1_000_000)
    y = 2 * x + random.normal(size=len(x))
    fitted = fit("y ~ w*x", {"x": x, "y": y})
    began = time.perf_counter()
    figure = drawn(fitted.plot())
    assert time.perf_counter() - began < 2.0
    assert figure.get_supxlabel() == "5,000 of 1,000,000 rows drawn, chosen at random."
    assert figure.axes[0].get_title(loc="left") == "Data and fit, 1,000,000 rows"
    data = figure.axes[0].lines[0].get_xydata()
    assert len(data) == 5000
    place = {value: row for row, value in enumerate(x)}
    assert all(y[place[across]] == up for across, up in data[:50])
    again = fitted.plot().axes[0].lines[0].get_xydata()
    np.testing.assert_array_equal(data, again)


def test_a_comparison_shows_every_curve_and_how_it_ended(line):
    compared = compare("y ~ w*x + b", line, ["gd", "lbfgs", "adam"], epochs=40)
    figure = drawn(compared.plot())
    (axes,) = figure.axes
    for curve, fitted in zip(axes.lines, compared.fits.values(), strict=True):
        np.testing.assert_array_equal(curve.get_ydata(), fitted.trace.losses)
    assert len({curve.get_color() for curve in axes.lines}) == 3
    assert names(axes)[0] == "gd: not converged, 40 epochs used up" and names(axes)[1].startswith(
        "lbfgs: converged after "
    )
    assert axes.get_yscale() == "log"


def test_a_diverging_curve_does_not_flatten_the_others(line):
    compared = compare("y ~ w*x + b", line, ["gd", "adam"], learning_rate=0.05)
    assert compared.fits["gd"].outcome is Outcome.DIVERGED
    (axes,) = drawn(compared.plot()).axes
    start = compared.fits["gd"].trace.losses[0]
    assert start < axes.get_ylim()[1] < 10 * start < axes.lines[0].get_ydata().max()


def test_runs_of_very_different_length_share_an_axis(line):
    compared = compare("y ~ w*x + b", line, ["adam", "lbfgs"])
    assert drawn(compared.plot()).axes[0].get_xscale() == "symlog"


def test_more_fits_than_colours_differ_in_their_dashes(line):
    fitted = fit("y ~ w*x", line)
    (axes,) = plot_comparison({f"fit {number}": fitted for number in range(14)}).axes
    assert len({(curve.get_color(), curve.get_linestyle()) for curve in axes.lines}) == 14


def test_columns_alone(line):
    figure = drawn(plot_columns(line["x"], line["y"], "x", "y"))
    (axes,) = figure.axes
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), np.column_stack([line["x"], line["y"]]))
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title(loc="left")) == ("x", "y", "100 rows")


def test_a_loaded_fit_is_drawn_over_other_rows(line, tmp_path):
    fit("y ~ w*x", line, **TEXTBOOK).save(tmp_path / "line.json")
    loaded = load(tmp_path / "line.json")
    with pytest.raises(ConfigError) as error:
        plot_fit(loaded)
    assert str(error.value) == (
        "This fit was loaded from a file, without its data. Use plot_model(fit, columns) to draw it over some."
    )
    figure = drawn(plot_model(loaded, {"x": line["x"] + 5, "y": line["y"]}))
    (axes,) = figure.axes
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), line["x"] + 5)
    assert figure.get_supxlabel() == "Not converged, 100 epochs used up."


def test_a_model_of_one_input_is_drawn_without_the_response(line):
    (axes,) = drawn(plot_model(fit("y ~ w*x", line), {"x": [1.0, 2.0, np.nan]})).axes
    assert names(axes) == ["fit", "95% confidence", "95% prediction"] and axes.lines[0].get_xdata()[-1] == 2.0


def test_a_missing_column_is_named(plane):
    fitted = fit("y ~ w @ [x1, x2] + b", plane)
    with pytest.raises(DataError) as error:
        plot_model(fitted, {"x1": plane["x1"], "x2": plane["x2"]})
    assert str(error.value) == (
        "There is no column `y` in the data, which the picture of `y ~ w @ [x1, x2] + b` needs. Columns: x1, x2."
    )


def test_a_function_is_titled_with_its_parameters(line):
    def forward(x, w):
        return w * x

    fitted = fit(forward, line, response="y", gradient=lambda x, y, w: np.mean(2 * w * x * x - 2 * x * y), **TEXTBOOK)
    assert fitted.plot().get_suptitle() == f"y ~ forward(x, w): w={fitted.parameters['w']:.4g}"


@pytest.mark.parametrize("values", [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
def test_a_constant_column_is_drawn(values):
    model = SimpleNamespace(
        comparable=True,
        inputs=("x",), response_columns=("y",), codings=(), response="y", rowwise=True, inexact={}, symbolic=None,
        correlated={},
        observed=lambda columns: columns["y"], predict=lambda theta, columns: 0 * columns["x"],
    )  # fmt: skip
    constant = SimpleNamespace(
        model=model,
        theta=None,
        trace=(),
        rows=3,
        solution=None,
        fitted_formula="y ~ 0",
        outcome=Outcome.CONVERGED,
        covariance=None,
        estimates=lambda: SimpleNamespace(combinations=None),
        sigma=None,
        weights=None,
        loss_function=LOSSES.build("squared"),
        units={},
    )
    drawn(plot_model(constant, {"x": values, "y": values}))


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg", ".jpg", ".JPEG"])
def test_the_suffix_picks_the_kind_of_picture(line, tmp_path, suffix):
    place = tmp_path / f"line{suffix}"
    save(plot_columns(line["x"], line["y"], "x", "y"), place, dpi=40)
    begins = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml", ".jpg": b"\xff\xd8", ".JPEG": b"\xff\xd8"}
    assert place.read_bytes().startswith(begins[suffix])
    assert [file.name for file in tmp_path.iterdir()] == [place.name]


@pytest.mark.parametrize("name", ["line.txt", "line"])
def test_an_unknown_suffix_is_refused(line, tmp_path, name):
    with pytest.raises(OutputError) as error:
        save(plot_columns(line["x"], line["y"], "x", "y"), tmp_path / name)
    assert str(error.value) == (
        f"`{tmp_path / name}` cannot be drawn: its ending must be one of .png, .svg, .pdf, .eps, .jpg, .jpeg."
    )
    assert not list(tmp_path.iterdir())


def test_an_old_picture_stays_when_drawing_fails(line, tmp_path):
    place = tmp_path / "line.png"
    place.write_bytes(b"old")
    figure = plot_columns(line["x"], line["y"], "x", "y")
    figure.savefig = lambda *_, **__: 1 / 0
    with pytest.raises(ZeroDivisionError):
        save(figure, place)
    assert place.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


def test_pictures_change_nothing_global():
    script = """
import sys, matplotlib
before = matplotlib.rcParams.copy()
from descend.report.plots import plot_columns
plot_columns([1.0, 2.0], [1.0, 2.0], "x", "y").canvas.draw()
assert [name for name in before if name != 'backend' and matplotlib.rcParams[name] != before[name]] == []
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parent)


def test_a_model_of_whole_tensors_is_drawn_as_one_of_several_inputs():
    rows = {"X": np.arange(24.0).reshape(4, 3, 2), "y": np.arange(4.0)}
    model = SimpleNamespace(
        comparable=True,
        inputs=(), response_columns=(), codings=(), response="y", rowwise=True, inexact={}, symbolic=None,
        correlated={},
        observed=lambda columns: columns["y"], predict=lambda theta, columns: columns["X"].sum(axis=(1, 2)),
    )  # fmt: skip
    fitted = SimpleNamespace(
        model=model, theta=None, trace=(), rows=4, fitted_formula="net", outcome=Outcome.CONVERGED, covariance=None,
        loss_function=LOSSES.build("squared"), sigma=None, weights=None, solution=None, units={},
        estimates=lambda: SimpleNamespace(combinations=None),
    )  # fmt: skip
    left, right = drawn(plot_model(fitted, rows)).axes
    np.testing.assert_array_equal(left.lines[0].get_ydata(), rows["X"].sum(axis=(1, 2)))
    assert right.get_ylabel() == "observed - predicted"


def test_the_title_has_names_of_columns_without_backticks():
    data = {"t (s)": [0.0, 1.0, 2.0, 3.0], "y (mV)": [1.0, 3.1, 4.9, 7.0]}
    fit = descend.fit("`y (mV)` ~ a + b*`t (s)`", data)
    assert fit.plot().get_suptitle() == fit.fitted_formula.replace("`", "").strip()
    assert fit.plot().get_suptitle().startswith("y (mV) ~ ")


def test_a_chinese_font_of_one_weight_is_no_news_but_a_missing_font_is(caplog):
    style.fonts()
    log = logging.getLogger("matplotlib.font_manager")
    log.warning("findfont: Failed to find font weight %s for %s, now using %s.", "bold", "WenQuanYi Zen Hei", 500)
    log.warning("findfont: Font family %r not found.", "Garamond")
    assert [record.getMessage() for record in caplog.records] == ["findfont: Font family 'Garamond' not found."]


def test_numbers_far_from_zero_are_counted_from_a_round_one():
    x = np.arange(20.0)
    axes = fit("y ~ a + b*x", {"x": 1.7e9 + x, "y": 3e6 + 0.1 * x}).plot().axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x − 1,700,000,000", "y − 3,000,000")
    axes.figure.canvas.draw()
    assert axes.yaxis.get_offset_text().get_text() == axes.xaxis.get_offset_text().get_text() == ""
    assert max(len(label.get_text()) for label in (*axes.get_xticklabels(), *axes.get_yticklabels())) <= 6


def test_a_title_names_many_parameters_instead_of_writing_their_values():
    random = np.random.default_rng(0)
    data = {f"x{number}": random.normal(size=60) for number in range(30)} | {"y": random.normal(size=60)}
    assert fit("y ~ b + w @ [x*]", data).plot()._suptitle.get_text() == "y ~ b + w @ [x*]"


def test_a_page_draws_doses_on_a_logarithmic_axis():
    dose = np.geomspace(1e-3, 1e3, 30)
    shown = fit("y ~ top*dose/(k + dose)", {"dose": dose, "y": 5.0 * dose / (2.0 + dose)})
    assert page(shown).count(' log" data-y=') == 2  # the curve and the residuals against the dose
    assert shown.plot().axes[0].get_xscale() == "linear"
