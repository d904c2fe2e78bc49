"""Pictures and reports of fits that predict classes: probabilities and a table of shares, not numbers of classes."""

from __future__ import annotations

import numpy as np
import pytest

from descend.api import fit
from descend.errors import ConfigError
from descend.report import classes
from descend.report.figures import Line, Matrix, Points
from descend.report.html import page
from descend.report.plots import plot_fit
from descend.report.view_of_fit import view

ORDERED = {"loss": 'ordinal(levels="low, medium, high")'}


@pytest.fixture
def rows() -> dict[str, np.ndarray]:
    random = np.random.default_rng(4)
    x, z = random.normal(size=(2, 90))
    names = np.array(["low", "medium", "high"])
    return {"x": x, "z": z, "y": names[np.digitize(1.5 * x + random.logistic(size=90), [-1.0, 1.0])]}


@pytest.mark.parametrize(
    ("formula", "options"), [("y ~ b*x", ORDERED), ("y ~ a + b*x", {"loss": "multinomial"})], ids=["ordinal", "plain"]
)
def test_one_input_has_a_line_for_the_probability_of_each_class(rows, formula, options):
    fitted = fit(formula, rows, **options)
    panel = classes.first(view(fitted))
    lines = [mark for mark in panel.marks if isinstance(mark, Line)]
    assert [line.name for line in lines] == list(fitted.loss_function.classes)
    assert np.array([line.y for line in lines]).sum(axis=0) == pytest.approx(1.0)
    expected = fitted.predict({"x": lines[0].x}, probabilities=True)
    np.testing.assert_allclose(np.array([line.y for line in lines]).T, expected, rtol=1e-12)
    assert sum(len(mark.x) for mark in panel.marks if isinstance(mark, Points)) == 90
    assert panel.caption == "Below 0, the rows of each class."
    plot_fit(fitted).canvas.draw()
    assert "could not be told" not in page(fitted)


def test_several_inputs_have_the_shares_of_each_class_that_were_predicted_as_each(rows):
    fitted = fit("y ~ a + b*x + c*z", rows, loss="multinomial")
    panel = classes.first(view(fitted))
    (matrix,) = panel.marks
    assert isinstance(matrix, Matrix)
    predicted = fitted.predict(rows)
    share = np.mean(predicted[rows["y"] == "low"] == "medium")
    assert matrix.values[matrix.labels.index("low"), matrix.labels.index("medium")] == pytest.approx(share)
    right = f"{np.mean(predicted == rows['y']):.1%} of the rows are predicted right."
    assert panel.caption == f"Of the rows of each class (down), the share predicted as each (across). {right}"
    report = page(fitted)
    assert "could not be told" not in report
    assert ", ".join(f"{name} {(rows['y'] == name).sum()}" for name in fitted.loss_function.classes) in report


def test_classes_have_no_residuals_and_no_bands_to_draw(rows):
    fitted = fit("y ~ b*x", rows, **ORDERED)
    with pytest.raises(ConfigError) as caught:
        fitted.plot(residuals=True)
    assert str(caught.value) == ("The ordinal loss predicts classes, which have no residuals to draw. Leave them out.")
    texts = [text.get_text() for text in fitted.plot(bands="confidence").texts]
    assert any("No confidence band: classes have none." in text for text in texts), texts
