"""Pictures as the reader wants them: logarithmic axes, words, sizes, residuals; several at once."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from descend.api import fit
from descend.errors import ConfigError
from descend.many import load
from descend.report.picture_look import Look
from descend.report.plots import plot_columns, plot_model
from descend.report.style import wrapped


@pytest.fixture
def power() -> dict[str, np.ndarray]:
    x = np.geomspace(0.01, 100.0, 40)
    return {"x": x, "y": 3.0 * x**0.7 * np.exp(0.05 * np.cos(9.0 * x))}


def test_logarithmic_axes_have_an_even_curve_and_all_rows(power):
    (axes,) = fit("y ~ a*x^b", power).plot(log="xy").axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    data, curve = axes.lines
    np.testing.assert_array_equal(data.get_xydata(), np.column_stack([power["x"], power["y"]]))
    grid = curve.get_xdata()
    assert (grid < 1.0).sum() > 180 and grid[0] == 0.01
    low, high = axes.get_ylim()
    assert 0.0 < low < power["y"].min() and power["y"].max() < high < 20.0 * power["y"].max()


def test_rows_that_have_no_logarithm_are_left_out_and_counted(power):
    power["y"][:3] = [0.0, -1.0, 2.0]
    figure = fit("y ~ a*x^b", power).plot(log="y")
    assert figure.get_supxlabel() == "2 rows not above 0 left out of a logarithmic axis."
    assert np.isfinite(figure.axes[0].lines[0].get_ydata()).sum() == 38
    with pytest.raises(ConfigError) as error:
        plot_columns([1.0, 2.0], [-1.0, 0.0], "x", "y", Look(log="y"))
    assert str(error.value) == (
        "No value of `y` is above 0, so the y axis cannot be logarithmic. Leave that axis linear."
    )


def test_residuals_lie_below_the_curve_over_the_same_range(power):
    fitted = fit("y ~ a*x^b", power)
    curve, below = fitted.plot(residuals=True, log="x", x_label="dose in mg").axes
    np.testing.assert_allclose(below.lines[0].get_ydata(), fitted.residuals)
    assert curve.get_xlim() == below.get_xlim() and below.get_xscale() == "log"
    assert (curve.get_xlabel(), below.get_xlabel(), below.get_ylabel()) == ("", "dose in mg", "residual")
    figure = fitted.plot(residuals=True)
    figure.canvas.draw()
    upper, lower = (axes.get_position() for axes in figure.axes)
    assert lower.y1 < upper.y0 and abs(lower.x0 - upper.x0) < 1e-6 and upper.height > 2.0 * lower.height


def test_words_and_size(power, tmp_path):
    fitted = fit("y ~ a*x^b", power)
    figure = fitted.plot(title="Kleiber's law", y_label="rate", size=(5, 3))
    assert figure.get_suptitle() == "Kleiber's law" and figure.axes[0].get_ylabel() == "rate"
    assert figure.get_size_inches().tolist() == [5.0, 3.0]
    assert fitted.plot(title="").get_suptitle() == ""
    fitted.save(tmp_path / "law.json")
    drawn = plot_model(load(tmp_path / "law.json"), power, Look(log="x", residuals=True))
    assert len(drawn.axes) == 2


SIZES = (
    "The size of a picture is its width, such as 85mm, or width and height, such as 85mm x 60mm, or 8 x 5 in inches, "
    "each from 1 to 60 inches."
)


@pytest.mark.parametrize(
    ("look", "message"),
    [
        ({"log": "z"}, '`log` names the logarithmic axes: "x", "y" or "xy". It is \'z\'.'),
        ({"size": (5,)}, f"{SIZES} It is 5."),
        ({"size": 5}, f"{SIZES} It is 5."),
        ({"size": (5, 800)}, f"{SIZES} It is 5 x 800."),
    ],
)
def test_what_no_picture_has_is_refused(look, message):
    with pytest.raises(ConfigError) as error:
        Look(**look)
    assert str(error.value) == message


def test_long_titles_stay_inside_the_picture(power):
    title = " + ".join(f"1.2345e-0{k}*exp(-{k}.5*x)*some_long_name_{k}" for k in range(1, 9))
    figure = fit("y ~ a*x^b", power).plot(title=title)
    figure.canvas.draw()
    box = figure._suptitle.get_window_extent()
    assert box.x0 >= 0.0 and box.x1 <= figure.bbox.width
    assert figure.get_suptitle().count("\n") <= 3 and figure.get_suptitle().endswith("…")
    assert wrapped("a*exp(-2.5e-05*x) + unbreakable", 9, 9) == "a*\nexp(-2.5e\n-05*\nx) +\nunbreakab\nle"


def test_a_run_without_a_way_to_go_has_no_panel_of_its_loss(line):
    assert len(fit("y ~ w*x + b", line).plot().axes) == 1
    assert len(fit("y ~ w*x", line, start={"w": 0.0}, optimizer="gd", learning_rate=0.001).plot().axes) == 2
    assert len(fit("y ~ w*x", line, start={"w": 0.0}, optimizer="gd", learning_rate=0.001, epochs=1).plot().axes) == 2


def test_a_notebook_can_show_a_picture_and_a_copy_of_it(line):
    figure = fit("y ~ w*x + b", line).plot()
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert pickle.loads(pickle.dumps(figure))._repr_png_().startswith(b"\x89PNG")


def test_the_command_line_draws_several(run, line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savetxt("line.csv", np.column_stack([line["x"], line["y"]]), delimiter=",", header="x,y", comments="")
    look = ["--log-y", "--size", "5x4", "--title", "Line", "--residuals", "--x-label", "time", "--y-label", "way"]
    done = run("fit", "y ~ w*x + b", "line.csv", "--plot", "a.png", "--plot", "b.svg", *look)
    assert done.code == 0 and done.stdout.endswith("Plot drawn to a.png\nPlot drawn to b.svg\n")
    assert Path("a.png").read_bytes().startswith(b"\x89PNG") and 'width="360pt"' in Path("b.svg").read_text()
    assert run("plot", "line.csv", "--x", "x", "--y", "y", "--output", "c.png", "--log-x", "--size", "5x4").code == 0
    assert run("fit", "y ~ w*x + b", "line.csv", "--save", "line.json", "--quiet").code == 0
    assert run("plot", "line.json", "line.csv", "--output", "d.png", "--residuals").code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fit", "y ~ w*x", "line.csv", "--log-x"],
         "ConfigError: What is to look so? No picture is asked for: add --plot and a file, such as line.png."),
        (["fit", "y ~ w*x", "line.csv", "--plot", "a.png", "--size", "wide"],
         f"ConfigError: {SIZES} It is wide."),
        (["fit", "y ~ w*x", "line.csv", "--plot", "a.png", "--plot", "a.png"],
         "OutputError: `--plot` and `--plot` both write `a.png`. Give each a file of its own."),
        (["plot", "line.csv", "--x", "x", "--y", "y", "--output", "a.png", "--residuals"],
         "ConfigError: Residuals of what? Two columns have none: give a model file and data."),
    ],
)  # fmt: skip
def test_the_command_line_refuses_before_it_reads(run, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    done = run(*words)
    assert done.code == 2 and done.stderr.strip() == message
