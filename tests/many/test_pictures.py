"""Small pictures of many fits: error bars, censored rows, bands, and letters for which there is room."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from matplotlib.collections import PolyCollection

import descend
from descend.many.pictures import coloured, panel_of
from descend.report.figures import Band, Bars, Line, Matrix, Points
from descend.report.picture_look import Look
from descend.report.plots import save

FORMULA = "y ~ a*exp(-b*x) + c"


def decays(groups=4, rows=12):
    rng = np.random.default_rng(0)
    group, x = np.repeat(np.arange(groups), rows), np.tile(np.linspace(0.1, 4.0, rows), groups)
    s = 0.02 + 0.03 * rng.uniform(size=x.size)
    y = (1 + group / 5) * np.exp(-x) + 0.5 + s * rng.normal(size=x.size)
    site = np.array([f"S{each:02}" for each in group])
    state = np.where(np.arange(x.size) % 12 == 3, "right", "none")
    return {"x": x, "y": y, "s": s, "low": 2 * s, "dx": np.full(x.size, 0.1), "state": state, "site": site}


def marks(fits, place=1, **look):
    panel = panel_of(fits, place, fits.rows_of(place), Look(**look))
    return Counter(type(mark).__name__ for mark in panel.marks), panel.marks


def test_rows_have_error_bars():
    data = decays()
    fits = descend.fit(FORMULA, data, by="site", sigma="s")
    bars = next(mark for mark in marks(fits)[1] if isinstance(mark, Bars))
    rows = data["site"] == "S01"
    np.testing.assert_allclose(bars.up - bars.y, data["s"][rows])
    np.testing.assert_allclose(bars.y - bars.down, data["s"][rows])
    assert marks(descend.fit(FORMULA, data, by="site"))[0] == {"Points": 1, "Line": 1}
    # As those of one fit of that group have them.
    alone = descend.fit(FORMULA, {name: cells[rows] for name, cells in data.items()}, sigma="s")
    axes = alone.plot().axes[0]
    np.testing.assert_allclose(axes.lines[0].get_ydata()[:2], [bars.down[0], bars.up[0]])


def test_inputs_with_errors_have_bars_across():
    fits = descend.fit(FORMULA, decays(), by="site", sigma="s", x_sigma={"x": "dx"})
    bars = next(mark for mark in marks(fits)[1] if isinstance(mark, Bars))
    np.testing.assert_allclose(bars.right - bars.x, 0.1)
    assert bars.up is not None


def test_censored_rows_point_to_where_their_value_lies():
    fits = descend.fit(FORMULA, decays(), by="site", censored="state")
    shapes = Counter(mark.shape for mark in marks(fits)[1] if isinstance(mark, Points))
    assert shapes == {"dot": 1, "up": 1}


def test_saved_fits_have_bars_over_their_rows(tmp_path):
    descend.fit(FORMULA, decays(), by="site", sigma="s").save(tmp_path / "fits.json")
    figure = descend.load(tmp_path / "fits.json").plot(data=decays(), bands="confidence")
    assert [len(axes.lines) for axes in figure.axes] == [3] * 4  # bars, dots, curve
    assert all(any(isinstance(each, PolyCollection) for each in axes.collections) for axes in figure.axes)


def test_bands_are_drawn_where_they_are_asked_for():
    fits = descend.fit(FORMULA, decays(), by="site")
    assert marks(fits)[0]["Band"] == 0 and marks(fits, bands="confidence,prediction")[0]["Band"] == 2
    (band,) = (mark for mark in marks(fits, bands="confidence", level=0.9)[1] if isinstance(mark, Band))
    expected = fits["S01"].predict({"x": band.x}, interval="confidence", level=0.9)
    np.testing.assert_allclose(band.low, expected.low, rtol=1e-6)
    np.testing.assert_allclose(band.high, expected.high, rtol=1e-6)


def test_bands_that_there_are_not_are_told():
    data = decays()
    absolute = descend.fit(FORMULA, data, by="site", loss="absolute").plot(bands="prediction")
    assert absolute.get_supxlabel() == "No prediction band: single measurements have no spread under the absolute loss."
    data["y"][:12] = np.r_[np.nan, 1.0, 2.0, np.full(9, np.nan)]
    some = descend.fit(FORMULA, data, by="site", missing="drop", sigma="s").plot(bands="both")
    assert some.get_supxlabel() == "No prediction band: how far a further row scatters is not known."


def test_all_groups_in_their_colours_have_bars_too():
    panel = coloured(descend.fit(FORMULA, decays(), by="site", sigma="s"))
    lines = [mark for mark in panel.marks if isinstance(mark, Line)]
    assert [line.name for line in lines] == ["S00", "S01", "S02", "S03"] and len({line.colour for line in lines}) == 4
    for kind in (Bars, Points):
        assert [mark.colour for mark in panel.marks if isinstance(mark, kind)] == [line.colour for line in lines]
    assert coloured(descend.fit(FORMULA, decays(13), by="site")) is None


def test_a_group_without_a_curve_is_named_by_its_rows():
    data = decays()
    kept = np.r_[0:2, 12:48]
    panel = coloured(descend.fit(FORMULA, {name: cells[kept] for name, cells in data.items()}, by="site"))
    assert [mark.name for mark in panel.marks if getattr(mark, "name", "")] == ["S00", "S01", "S02", "S03"]


@pytest.mark.parametrize(
    "look",
    [
        {"style": "presentation", "size": (8, 4.5)},
        {"style": "presentation", "size": (4, 3)},
        {"style": "presentation", "size": "120mm"},
        {"style": "presentation"},
        {"size": "85mm x 80mm"},
        {"size": (6, 3), "log": "y"},
        {"style": "dark", "size": (3, 6)},
        {"style": "ggplot", "size": (6, 4)},
    ],
    ids=str,
)
def test_small_pictures_have_room_in_every_size_and_style(tmp_path, look):
    """Axes that collapse are warned of, which fails here; and none is so low or narrow that nothing can be seen."""
    figure = descend.fit(FORMULA, decays(12), by="site", sigma="s").plot(bands="confidence", **look)
    save(figure, tmp_path / "small.png", dpi=60)
    across = len({round(axes.get_position().x0, 3) for axes in figure.axes})
    down = len({round(axes.get_position().y0, 3) for axes in figure.axes})
    for axes in figure.axes:
        place = axes.get_position()
        assert place.width * across > 0.5 and place.height * down > 0.35


@pytest.mark.parametrize("size", [(4, 3), (2, 2), "40mm"])
@pytest.mark.parametrize("residuals", [False, True])
@pytest.mark.parametrize("style", ["presentation", None])
def test_one_picture_has_room_in_every_size(tmp_path, size, residuals, style):
    fit = descend.fit(FORMULA, decays(1))
    figure = fit.plot(size=size, residuals=residuals, style=style)
    save(figure, tmp_path / "one.png", dpi=60)
    first = figure.axes[0].get_position()
    assert first.height > (0.15 if residuals else 0.35) and first.width > 0.25


def test_classes_have_their_names_and_probabilities(tmp_path):
    random = np.random.default_rng(3)
    x, site = random.normal(size=160), np.where(np.arange(160) % 2, "north", "south")
    scores = np.stack([0.0 * x, 0.3 + x, -0.2 - x], axis=1) + random.gumbel(size=(160, 3))
    data = {"x": x, "z": x**2, "site": site, "tree": np.array(["ash", "elm", "oak"])[scores.argmax(axis=1)]}
    fits = descend.fit("tree ~ a + b*x", data, loss="multinomial", by="site")
    panel = panel_of(fits, 0, fits.rows_of(0), Look())
    lines = [mark for mark in panel.marks if isinstance(mark, Line)]
    assert [line.name for line in lines] == ["ash", "elm", "oak"]
    assert np.sum([line.y for line in lines], axis=0) == pytest.approx(1.0)
    assert (panel.x.name, panel.y.name) == ("x", "probability of tree")
    fits.report(tmp_path / "trees.html")
    page = (tmp_path / "trees.html").read_text()
    assert "Probability of ash (blue), elm (vermillion), oak (green); below 0, the rows of each." in page
    several = descend.fit("tree ~ a + b*x + c*z", data, loss="multinomial", by="site")
    (confusion,) = panel_of(several, 0, several.rows_of(0), Look()).marks
    assert isinstance(confusion, Matrix) and confusion.labels == ("ash", "elm", "oak")
    several.plot()
