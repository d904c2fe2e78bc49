"""Pictures of models whose rows are predicted together: functions that are no formula may look at other rows."""

import re

import numpy as np
import pytest

import descend
from descend.errors import ConfigError
from descend.report import panels, surface
from descend.report.console import Scene
from descend.report.figures import Band, Line, Points
from descend.report.film import CURVE, DOTS, film
from descend.report.view_of_fit import MOST_POINTS, view

ROWS = 60
X = np.random.default_rng(4).permutation(np.linspace(0.1, 8.0, ROWS))
W = np.linspace(1.0, 2.0, ROWS)


def running(x, a, k):
    return np.cumsum(a * np.exp(-k * x))


def weighted(x, a, k):
    return a * W * np.exp(-k * x)


def opaque(function, x=X, **further):
    noise = 0.01 * np.random.default_rng(5).normal(size=len(x))
    columns = {"x": x, "y": function(x, 1.0, 0.3) + noise}
    start = {"a": 0.8, "k": 0.25}
    return descend.fit(function, columns, response="y", gradient="numeric", start=start, **further)


def only(marks, kind):
    return [mark for mark in marks if isinstance(mark, kind)]


@pytest.fixture(scope="module", params=[running, weighted])
def fitted(request):
    return opaque(request.param)


def test_a_model_says_whether_its_rows_are_predicted_one_by_one(fitted):
    assert not fitted.model.rowwise
    x = np.linspace(0.0, 1.0, 20)
    assert descend.fit("y ~ a*x", {"x": x, "y": x}).model.rowwise
    assert descend.fit(lambda x, a: a * x, {"x": x, "y": x + x**2}, response="y").model.rowwise


def test_the_line_goes_through_the_predictions_of_the_fit(fitted):
    function = fitted.model.forward.function
    order = np.argsort(X)
    marks = panels.curve(view(fitted)).marks
    (line,) = only(marks, Line)
    np.testing.assert_array_equal(line.x, X[order])
    np.testing.assert_array_equal(line.y, function(X, **fitted.parameters)[order])
    expected = fitted.predict({"x": X}, interval="confidence")
    band = only(marks, Band)[0]
    np.testing.assert_allclose(band.low, expected.low[order])
    np.testing.assert_allclose(band.high, expected.high[order])


def test_it_is_drawn_wherever_a_fit_is(fitted, tmp_path):
    fitted.plot().canvas.draw()
    assert "<svg" in fitted._repr_html_()
    fitted.report(tmp_path / "fit.html")
    assert (tmp_path / "fit.html").stat().st_size > 0
    fitted.animate().save(tmp_path / "film.html")


def test_the_moving_curves_go_through_the_predictions_of_their_step(fitted):
    order = np.argsort(X)
    expected = fitted.model.predict(fitted.trace[0].theta, {"x": X})[order]
    (line,) = only(film(fitted).frames[0].marks[0], Line)
    np.testing.assert_array_equal(line.y, expected)
    scene = Scene(fitted.model, fitted.solution.columns)
    scene.add(fitted.trace[0])
    (line,) = only(scene.panels(fitted.trace[0])[0].marks, Line)
    np.testing.assert_array_equal(line.x, X[order])
    np.testing.assert_array_equal(line.y, expected)


def test_of_many_rows_a_sample_is_drawn_and_all_are_predicted():
    x = np.linspace(0.0, 8.0, MOST_POINTS + 1000)
    fit = opaque(running, x)
    every, seen = running(x, **fit.parameters), view(fit)
    np.testing.assert_array_equal(seen.predicted, every[seen.chosen])
    (line,) = only(panels.curve(seen).marks, Line)
    np.testing.assert_array_equal(line.y, every[seen.chosen])
    (line,) = only(film(fit).frames[-1].marks[0], Line)
    assert len(line.x) == CURVE
    np.testing.assert_array_equal(line.y, running(x, *fit.trace[-1].theta)[np.searchsorted(x, line.x)])
    evaluate, said = surface.objective_of(fit)
    assert evaluate(fit.theta) == pytest.approx(fit.loss) and said == ""


def test_of_more_rows_than_can_be_predicted_again_and_again_there_is_no_surface(fitted, monkeypatch):
    monkeypatch.setattr(surface, "MOST_CALLED", ROWS - 1)
    assert surface.landscape(fitted) is None
    fitted.plot().canvas.draw()
    assert len(film(fitted).panels) == 2


def test_several_inputs_are_predicted_together_too():
    rng = np.random.default_rng(6)
    x, z = rng.uniform(0.0, 2.0, (2, MOST_POINTS + 500))

    def both(x, z, a, b):
        return np.cumsum(a * x) / len(x) + b * z

    y = both(x, z, 1.0, 2.0) + 0.01 * rng.normal(size=len(x))
    fit = descend.fit(both, {"x": x, "z": z, "y": y}, response="y", gradient="numeric", start={"a": 0.5, "b": 1.0})
    seen = view(fit)
    np.testing.assert_array_equal(seen.predicted, both(x, z, **fit.parameters)[seen.chosen])
    (dots,) = only(film(fit).frames[-1].marks[0], Points)
    assert len(dots.x) == DOTS
    few = np.searchsorted(np.sort(y), dots.x)
    rows = np.argsort(y)[few]
    np.testing.assert_array_equal(dots.y, both(x, z, *fit.trace[-1].theta)[rows])


def test_fewer_rows_than_the_function_holds_are_refused_in_its_words():
    fit = opaque(weighted)
    said = (
        "`weighted` raised ValueError: operands could not be broadcast together with shapes (60,) (5,). "
        "It must return one prediction for each row it is given."
    )
    with pytest.raises(ConfigError, match=f"^{re.escape(said)}$"):
        fit.predict({"x": X[:5]})
