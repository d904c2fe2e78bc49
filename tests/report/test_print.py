"""Pictures for print: true sizes, fonts embedded, error bars, corrected points, bands, styles, implicit curves."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import numpy as np
import pytest

import descend
from descend.errors import ConfigError
from descend.report.picture_look import Look
from descend.report.plots import save
from descend.report.svg import svg
from descend.report.view_of_fit import view

RANDOM = np.random.default_rng(4)
T = np.linspace(0.0, 5.0, 25)
DECAY = {
    "time (s)": T + 0.1 * RANDOM.normal(size=25),
    "U (V)": 3.0 * np.exp(-0.7 * T) + 0.5 + 0.05 * RANDOM.normal(size=25),
    "dt": np.full(25, 0.1),
    "dy": np.where(T > 3.0, 0.08, 0.05),
}
FORMULA = "`U (V)` ~ a*exp(-b*`time (s)`) + c"
ANGLE = RANDOM.uniform(0.0, 2.0 * np.pi, 30)
CIRCLE = {
    "x": 3.0 + 2.0 * np.cos(ANGLE) + 0.05 * RANDOM.normal(size=30),
    "y": 1.0 + 2.0 * np.sin(ANGLE) + 0.05 * RANDOM.normal(size=30),
}


@pytest.fixture(scope="module")
def plain() -> descend.Fit:
    return descend.fit(FORMULA, DECAY)


@pytest.fixture(scope="module")
def both() -> descend.Fit:
    return descend.fit(FORMULA, DECAY, sigma="dy", x_sigma={"time (s)": "dt"})


@pytest.mark.parametrize(
    ("size", "inches"),
    [
        ("85mm", (85 / 25.4, 62 / 25.4)),
        ("85mm x 60mm", (85 / 25.4, 60 / 25.4)),
        ("85x60mm", (85 / 25.4, 60 / 25.4)),
        ("8.5cm×6cm", (85 / 25.4, 60 / 25.4)),
        ("3.3in x 2.5in", (3.3, 2.5)),
        ("246pt", (246 / 72.27, 246 / 72.27 * 62 / 85)),
        ("8x5", (8.0, 5.0)),
        ((8, 5), (8.0, 5.0)),
    ],
)
def test_a_picture_has_the_size_that_is_asked_for(plain, size, inches):
    assert plain.plot(size=size).get_size_inches().tolist() == pytest.approx(inches)


def letters(figure):
    figure.canvas.draw()
    from matplotlib.text import Text

    return {text.get_text(): text.get_fontsize() for text in figure.findobj(Text) if text.get_text()}


def test_a_size_on_paper_is_drawn_for_print(plain):
    figure = plain.plot(size="85mm", residuals=True)
    found = letters(figure)
    assert min(found.values()) >= 6.5 and max(found.values()) <= 8.0
    assert found["time (s)"] == found["U (V)"] == 8.0 and figure.get_suptitle() == ""
    assert len(figure.axes) == 2  # the curve and its residuals, without the run
    assert figure.dpi == 600
    assert letters(plain.plot(size=(8, 5)))["U (V)"] == 10.5


def test_the_file_is_as_large_as_asked_with_letters_as_letters(both, tmp_path):
    figure = both.plot(size="85mm x 60mm")
    for name in ("a.pdf", "a.svg", "a.eps", "a.png"):
        save(figure, tmp_path / name)
    pdf = (tmp_path / "a.pdf").read_bytes()
    width, height = map(float, re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+)", pdf).groups())
    assert (width, height) == pytest.approx((85 / 25.4 * 72, 60 / 25.4 * 72), abs=0.01)
    assert b"/CIDFontType2" in pdf and b"/FontFile2" in pdf and b"/Type3" not in pdf
    drawn = (tmp_path / "a.svg").read_text()
    assert 'width="240.94' in drawn and ">time (s)</text>" in drawn
    eps = (tmp_path / "a.eps").read_text()
    assert "/FontType 42" in eps and "%%HiResBoundingBox: 0.000000 0.000000 240.94" in eps
    from PIL import Image

    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (2007, 1417) and image.info["dpi"] == pytest.approx((600, 600), rel=1e-3)


def test_savefig_of_the_figure_embeds_fonts_too(plain, tmp_path):
    import matplotlib

    before = dict(matplotlib.rcParams)
    figure = plain.plot(size="85mm", style="ggplot")
    figure.savefig(tmp_path / "b.pdf")
    assert b"/FontFile2" in (tmp_path / "b.pdf").read_bytes()
    assert dict(matplotlib.rcParams) == before
    pickle.loads(pickle.dumps(figure)).savefig(tmp_path / "c.pdf")
    assert b"/FontFile2" in (tmp_path / "c.pdf").read_bytes()


@pytest.mark.parametrize("style", ["dark", "screen"])
def test_a_style_of_screens_on_paper_keeps_its_colours_and_takes_the_letters_of_print(plain, style):
    figure = plain.plot(size="85mm", style=style, residuals=True)
    found = letters(figure)
    assert min(found.values()) >= 6.5 and max(found.values()) <= 8.0
    assert len(figure.axes) == 2
    assert figure.get_facecolor() == plain.plot(style=style).get_facecolor()


@pytest.mark.parametrize(
    "options", [{"sigma": "0.1*prediction"}, {"sigma": "0.1 + 0.02*x"}, {"weights": "1/(1 + x)"}, {"sigma": 0.3}]
)
def test_the_prediction_band_is_that_of_predict_where_errors_are_computed(options):
    x = np.linspace(0.0, 10.0, 30)
    fit = descend.fit("y ~ a + b*x", {"x": x, "y": 2.0 + 0.5 * x + 0.3 * np.sin(7.0 * x)}, **options)
    axes = fit.plot(bands="prediction").axes[0]
    assert "95% prediction" in [text.get_text() for text in axes.get_legend().get_texts()]
    (drawn,) = axes.collections[0].get_paths()
    ends = drawn.vertices[np.isclose(drawn.vertices[:, 0], 10.0), 1]
    known = fit.predict({"x": [10.0]}, interval="prediction")
    assert (ends.min(), ends.max()) == pytest.approx((known.low[0], known.high[0]))


def test_nothing_is_transparent_in_postscript(plain, tmp_path, caplog):
    figure = plain.plot(size="85mm")
    before = [artist.get_alpha() for artist in figure.findobj()]
    save(figure, tmp_path / "a.eps")
    assert not caplog.records  # Matplotlib says so where something is
    assert [artist.get_alpha() for artist in figure.findobj()] == before


def test_error_bars_are_one_standard_deviation_in_both_directions(both):
    (axes,) = both.plot(size="85mm").axes
    segments = axes.lines[0].get_xydata().reshape(-1, 3, 2)[:, :2]
    across, up = segments[:25], segments[25:]
    np.testing.assert_allclose(across[:, :, 0], np.stack([DECAY["time (s)"] - 0.1, DECAY["time (s)"] + 0.1], axis=1))
    np.testing.assert_allclose(across[:, :, 1], np.repeat(DECAY["U (V)"][:, None], 2, axis=1))
    ends = np.stack([DECAY["U (V)"] - DECAY["dy"], DECAY["U (V)"] + DECAY["dy"]], axis=1)
    np.testing.assert_allclose(up[:, :, 1], ends)
    low, high = axes.get_ylim()
    assert low < ends.min() and high > ends.max()


def test_corrected_points_lie_on_the_curve_and_are_joined_to_the_measured_ones(both, tmp_path):
    (axes,) = both.plot(size="85mm").axes
    joined, true = axes.lines[2], axes.lines[3]
    x = DECAY["time (s)"] + both.delta["time (s)"]
    np.testing.assert_allclose(true.get_xdata(), x, rtol=1e-7)
    np.testing.assert_allclose(true.get_ydata(), both.predict({"time (s)": x}), rtol=1e-7)
    ends = joined.get_xydata().reshape(-1, 3, 2)
    np.testing.assert_allclose(ends[:, 0], np.stack([DECAY["time (s)"], DECAY["U (V)"]], axis=1))
    np.testing.assert_allclose(ends[:, 1], true.get_xydata())
    both.save(tmp_path / "both.json")
    from descend.report.plots import plot_model

    (again,) = plot_model(descend.load(tmp_path / "both.json"), DECAY).axes
    np.testing.assert_allclose(again.lines[3].get_xydata(), true.get_xydata(), rtol=1e-6)


def test_an_expression_is_an_error_too(tmp_path):
    fitted = descend.fit(FORMULA, DECAY, sigma="0.05*`U (V)`")
    (axes,) = fitted.plot().axes[:1]
    ends = axes.lines[0].get_ydata().reshape(-1, 3)[:, :2]
    np.testing.assert_allclose(ends, DECAY["U (V)"][:, None] * [0.95, 1.05])


def test_bands_are_those_that_are_asked_for(plain, both):
    def named(figure):
        return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]

    assert named(plain.plot(bands="confidence")) == ["data", "fit", "95% confidence"]
    assert named(plain.plot(bands="none")) == named(plain.plot(bands=False)) == ["data", "fit"]
    assert named(plain.plot(bands=["prediction"], level=0.9)) == ["data", "fit", "90% prediction"]
    assert len(named(plain.plot(bands="prediction, confidence"))) == len(named(plain.plot())) == 4
    band = plain.plot(bands="confidence", level=0.9).axes[0].collections[0]
    known = plain.predict({"time (s)": [2.0]}, interval="confidence", level=0.9)
    edge = band.get_paths()[0].vertices
    above = edge[np.argmin(np.hypot(edge[:, 0] - 2.0, edge[:, 1] - known.high[0]))]
    assert above == pytest.approx([2.0, known.high[0]], abs=0.02)
    said = both.plot(size="85mm", bands="prediction").get_supxlabel()
    assert said.replace("\n", " ") == "No prediction band: how far a further row scatters is not known."


def test_residuals_have_their_error_bars(both):
    _, below = both.plot(size="85mm", residuals=True).axes
    ends = below.lines[0].get_ydata().reshape(-1, 3)[:, :2]
    np.testing.assert_allclose(ends.mean(axis=1), both.residuals, atol=1e-12)
    np.testing.assert_allclose(np.diff(ends)[:, 0], 2.0 * DECAY["dy"])


def test_many_rows_have_no_bars_and_the_picture_says_so():
    x = np.linspace(0.0, 1.0, 1000)
    fitted = descend.fit("y ~ a + b*x", {"x": x, "y": x + 0.1 * np.cos(99 * x), "s": 0.1 + 0 * x}, sigma="s")
    figure = fitted.plot(size="85mm")
    assert len(figure.axes[0].lines) == 2
    assert figure.get_supxlabel() == "Error bars are left out, as they would cover each other."


def test_an_implicit_curve_is_drawn_in_its_plane():
    fitted = descend.fit(
        "0 ~ ((x - a)^2 + (y - b)^2)/r^2 - 1", CIRCLE, x_sigma={"x": 0.05, "y": 0.05}, start={"a": 2, "b": 2, "r": 1}
    )
    axes = fitted.plot(size="85mm").axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_aspect()) == ("x", "y", 1.0)
    curve = next(line for line in axes.lines if len(line.get_xdata()) > 200)
    a, b, r = (fitted.parameters[name] for name in "abr")
    x, y = curve.get_xydata()[np.isfinite(curve.get_xdata())].T
    np.testing.assert_allclose(np.hypot(x - a, y - b), r, rtol=1e-3)
    assert np.ptp(x) == pytest.approx(2 * r, rel=1e-2)  # the whole circle
    true = axes.lines[-1].get_xydata()
    np.testing.assert_allclose(true[:, 0], CIRCLE["x"] + fitted.delta["x"], rtol=1e-7)
    assert np.hypot(*(true - [a, b]).T) == pytest.approx(np.full(30, r), rel=1e-6)
    from descend.report import implicit

    assert "stroke-opacity" in svg(implicit.curve(view(fitted), Look()))


def test_a_pole_is_no_part_of_an_implicit_curve():
    x = np.linspace(1.0, 3.0, 21)
    data = {"x": np.concatenate([x, -x]), "y": np.concatenate([1.0 / x, -1.0 / x])}
    data["y"] = data["y"] + 0.001 * RANDOM.normal(size=42)
    fitted = descend.fit("0 ~ y - a/x", data, x_sigma={"x": 0.01, "y": 0.01})
    axes = fitted.plot().axes[0]
    curve = next(line for line in axes.lines if len(line.get_xdata()) > 200)
    x, y = curve.get_xydata()[np.isfinite(curve.get_xdata())].T
    np.testing.assert_allclose(x * y, fitted.parameters["a"], rtol=0.1)


def test_styles_of_matplotlib_and_of_files(plain, tmp_path):
    file = tmp_path / "mine.mplstyle"
    file.write_text("font.size: 12\naxes.prop_cycle: cycler('color', ['123456', 'abcdef'])\naxes.facecolor: eeeeee\n")
    figure = plain.plot(style=str(file))
    assert letters(figure)["U (V)"] == 12.0
    assert figure.axes[0].get_facecolor()[:3] == pytest.approx((0xEE / 255,) * 3)
    assert [line.get_color() for line in figure.axes[0].lines] == ["#123456", "#abcdef"]
    assert plain.plot(style="dark_background").get_facecolor()[:3] == (0.0, 0.0, 0.0)
    assert plain.plot(style="dark").get_facecolor()[:3] == pytest.approx((0x16 / 255, 0x19 / 255, 0x1E / 255))
    assert letters(plain.plot(style="presentation"))["U (V)"] == 18.0


@pytest.mark.parametrize(
    ("look", "message"),
    [
        (
            {"style": "prnt"},
            "There is no style `prnt` of pictures. Did you mean `print`? Known: screen, print, presentation, dark, "
            "those of Matplotlib, such as ggplot, and files that end in .mplstyle.",
        ),
        (
            {"style": "no.mplstyle"},
            "There is no file `no.mplstyle` with a style. Give its path, or the name of a style.",
        ),
        (
            {"bands": "confidance"},
            "There is no band `confidance`. The bands are confidence and prediction, both separated by a comma, or "
            "none.",
        ),
        ({"level": 95}, "The level of confidence lies between 0 and 1, such as 0.95. It is 95."),
        ({"log": "x,z"}, '`log` names the logarithmic axes: "x", "y" or "xy". It is \'x,z\'.'),
    ],
)
def test_what_no_picture_has_is_refused(look, message):
    with pytest.raises(ConfigError) as error:
        Look(**look)
    assert str(error.value) == message


def test_logarithmic_axes_have_plain_numbers():
    x = np.geomspace(0.02, 0.5, 20)
    fitted = descend.fit("y ~ a*x^b", {"x": x, "y": 3.0 * x**0.7})
    figure = fitted.plot(size="85mm", log="x,y")
    figure.canvas.draw()
    assert Look(log=("x", "y")).log == Look(log="x, y").log == "xy"
    shown = {tick.get_text() for tick in figure.axes[0].get_xticklabels(which="both")} - {""}
    assert {"0.1", "0.2", "0.05"} <= shown and not any("10" in text for text in shown)


def test_groups_in_colours_with_a_legend_inside_the_picture():
    x, site = np.tile(np.linspace(0.5, 20.0, 12), 9), np.repeat([f"S{k}" for k in range(9)], 12)
    v = 2.0 + 0.7 * np.repeat(np.arange(9), 12)
    data = {"x": x, "site": site, "y": v * x / (3.0 + x) + 0.1 * np.cos(37.0 * x), "s": np.full(108, 0.1)}
    fitted = descend.fit("y ~ v[site]*x/(k + x)", data, sigma="s")
    figure = fitted.plot(size="85mm", bands="confidence", residuals=True)
    figure.canvas.draw()
    box = figure.legends[0].get_window_extent()
    assert box.x0 >= 0.0 and box.x1 <= figure.bbox.width and box.y0 >= 0.0
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [f"S{k}" for k in range(9)]
    assert len(figure.axes[0].collections) == 9 and len(figure.axes) == 2


def test_the_command_line_has_all_of_it(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savetxt("decay.csv", np.column_stack([*DECAY.values()]), delimiter=",", header=",".join(DECAY), comments="")
    look = ["--size", "85mm", "--log", "y", "--bands", "confidence", "--residuals"]
    sigma = ["--sigma", "dy", "--x-sigma", "time (s)=dt"]
    done = run("fit", FORMULA, "decay.csv", *sigma, "--plot", "a.pdf", "--plot", "a.eps", "--save", "a.json", *look)
    assert done.code == 0, done.stderr
    assert b"/FontFile2" in Path("a.pdf").read_bytes()
    done = run("plot", "a.json", "decay.csv", "--output", "b.svg", *look, "--style", "ggplot")
    assert done.code == 0, done.stderr
    assert 'width="240.94' in Path("b.svg").read_text()
    done = run("fit", FORMULA, "decay.csv", "--plot", "a.gif")
    assert done.code == 2 and done.stderr.strip() == (
        "OutputError: `a.gif` cannot be drawn: its ending must be one of .png, .svg, .pdf, .eps, .jpg, .jpeg."
    )


def test_the_report_shows_them_too():
    from descend.report.html import page

    fitted = descend.fit("0 ~ ((x - a)^2 + (y - b)^2)/r^2 - 1", CIRCLE, x_sigma={"x": 0.05, "y": 0.05})
    text = page(fitted)
    assert "y against x, 30 rows, with the fitted curve." in text and "Predicted and observed" not in text


def test_the_mathematics_of_a_fit_with_errors_in_x_is_that_of_its_j(both):
    from descend.report.html import equations

    text = equations(both)
    assert "<mi>δ</mi>" in text and '<munder><mo movablelimits="false">min</mo>' in text
    assert text.count("<math") == 6  # the model, J, lambda, and three derivatives
    assert "the true inputs of a row are parameters of that row" in text
    implicit = descend.fit("0 ~ ((x - a)^2 + (y - b)^2)/r^2 - 1", CIRCLE, x_sigma={"x": 0.05, "y": 0.05})
    assert equations(implicit).count("<math") == 6 and "<mover><mrow><mn>0</mn>" not in equations(implicit)
