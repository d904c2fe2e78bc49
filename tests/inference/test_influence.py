"""How much each row weighs: R's numbers, arithmetic of what leaving a row out does, and what does not go with it."""

from __future__ import annotations

import numpy as np
import pytest
from tests.arrows import every_grouping_an_arrow

import descend
from descend import ConfigError
from descend.inference.rows import influence as module

NUMBER = np.arange(1, 21)
X = NUMBER * 7 % 20 / 4
X[19] = 9.0
NOISE = np.sin(3.7 * NUMBER)
DATA = {
    "x": X,
    "y": 1 + 2 * X + NOISE + 4.0 * (NUMBER == 7),
    "w": 1 + NUMBER % 3,
    "k": np.round(np.exp(0.2 * X + 0.5 * NOISE)),
    "g": np.exp(0.3 * X + 0.3 * NOISE),
    "z": 3 * np.exp(-0.5 * X) + 0.2 + 0.1 * NOISE,
}
LINE = "y ~ a + b*x"
ROWS = [0, 6, 19]
R = {
    # m <- lm(y ~ x): hatvalues, rstandard, rstudent, cooks.distance of rows 1, 7 and 20
    (LINE, None, None): [
        [0.06525325854, 0.05436396634, 0.55329153605],
        [-0.5981335127, 3.5000792414, -0.8942945287],
        [-0.5871455577, 6.0185152338, -0.8890738060],
        [0.0124874718, 0.3521379894, 0.4952916395],
    ],
    # lm(y ~ x, weights = w)
    (LINE, "w", None): [
        [0.08475443383, 0.06671593148, 0.64722601182],
        [-0.7629188426, 3.4627264109, -0.7025859160],
        [-0.7537099036, 5.8240157122, -0.6923501828],
        [0.02694954767, 0.42857029383, 0.45282280639],
    ],
    # glm(k ~ x, poisson)
    ("k ~ exp(a + b*x)", None, "poisson"): [
        [0.06260871169, 0.05623037539, 0.76493645653],
        [-0.4853795615, 0.2493418962, -0.9595285228],
        [-0.4834589150, 0.2497787652, -0.9337310233],
        [0.006875142808, 0.001967625543, 1.394158763058],
    ],
    # glm(g ~ x, Gamma(link = "log"))
    ("g ~ exp(a + b*x)", None, "gamma"): [
        [0.06525325854, 0.05436396634, 0.55329153605],
        [-0.7989556017, 0.8728047918, -1.6055885719],
        [-0.7876765471, 0.8699682369, -1.6121762215],
        [0.01976143581, 0.02488253806, 1.35013709193],
    ],
    # nls(z ~ a*exp(-b*x) + c), of the Jacobian at its minimum: h <- rowSums(qr.Q(qr(G))^2), then as for lm
    ("z ~ a*exp(-b*x) + c", None, None): [
        [0.09985740719, 0.09649655425, 0.59093848505],
        [-0.9301324380, 0.7319049237, -1.0112236056],
        [-0.9262373007, 0.7215107804, -1.0119376904],
        [0.0319916986, 0.0190708511, 0.4924099221],
    ],
}


@pytest.mark.parametrize("case", R, ids=str)
def test_the_numbers_are_those_of_r(case):
    formula, weights, loss = case
    fit = descend.fit(formula, DATA, weights=weights, loss=loss or "squared")
    found = fit.influence()
    names = ("leverage", "standardized", "studentized", "cooks_distance")
    for name, expected in zip(names, R[case], strict=True):
        assert found[name][ROWS] == pytest.approx(expected, rel=3e-7 if "c" in fit.parameters else 1e-8), name
    assert found.leverage.sum() == pytest.approx(len(fit.parameters))


def test_what_leaving_a_row_out_does_is_that_of_r():
    found = descend.fit(LINE, DATA).influence()  # dffits(m), dfbetas(m)
    assert found.dffits[ROWS] == pytest.approx([-0.1551314677, 1.4430551372, -0.9894702429], rel=1e-8)
    expected = [[-0.1388062873, 0.0750032557], [1.1218452410, -0.4088538145], [0.6083659041, -0.9437034396]]
    assert found.dfbetas[ROWS] == pytest.approx(np.array(expected), rel=1e-8)


def test_a_row_left_out_moves_the_line_as_told():
    fit = descend.fit(LINE, DATA)
    found = fit.influence()
    for place in ROWS:
        without = descend.fit(LINE, {name: np.delete(column, place) for name, column in DATA.items()})
        inverse = fit.covariance / fit.residual_standard_deviation**2
        moved = (fit.theta - without.theta) / without.residual_standard_deviation / np.sqrt(inverse.diagonal())
        assert found.dfbetas[place] == pytest.approx(moved, rel=1e-9)
        assert found.studentized[place] == pytest.approx(
            (DATA["y"][place] - fit.predict(DATA)[place])
            / (without.residual_standard_deviation * np.sqrt(1.0 - found.leverage[place]))
        )


def test_blocks_of_rows_and_very_many_groups_change_nothing(monkeypatch):
    data = {**DATA, "site": NUMBER % 4}
    formula = "y ~ a[site] + b*x"
    whole = descend.fit(formula, data).influence()
    monkeypatch.setattr(module, "BLOCK", 3)
    parts = descend.fit(formula, data).influence()
    every_grouping_an_arrow(monkeypatch)
    arrow = descend.fit(formula, data).influence()
    for name in ("leverage", "studentized", "cooks_distance"):
        np.testing.assert_allclose(parts[name], whole[name], rtol=1e-10)
        np.testing.assert_allclose(arrow[name], whole[name], rtol=1e-8)
    np.testing.assert_allclose(parts.dfbetas, whole.dfbetas, rtol=1e-9, atol=1e-13)
    assert arrow.dfbetas is None


def test_known_sigma_is_the_scale():
    found = descend.fit(LINE, DATA, sigma=0.5).influence()
    expected = found.residual / 0.5 / np.sqrt(1.0 - found.leverage)
    np.testing.assert_allclose(found.standardized, expected)
    np.testing.assert_allclose(found.studentized, expected)


def test_rows_keep_their_numbers(tmp_path):
    y = DATA["y"].copy()
    y[2] = np.nan
    data = {**DATA, "y": y, "w": np.where(NUMBER == 5, 0, DATA["w"])}
    found = descend.fit(LINE, data, missing="drop", weights="w").influence()
    assert found.row.tolist() == [number for number in NUMBER if number not in (3, 5)]
    frame = found.frame()
    assert frame.index.name == "row"
    assert list(frame)[:3] == ["residual", "leverage", "standardized"]
    assert frame["dfbetas[b]"].loc[7] == found.dfbetas[found.row == 7, 1]
    assert str(found).splitlines()[1].split()[:2] == ["row", "7"]
    found.save(tmp_path / "rows.csv")
    assert (tmp_path / "rows.csv").read_text().startswith("row,residual,leverage,standardized,studentized,cooks_dist")


def test_a_row_that_the_fit_passes_through_has_no_residual_of_its_own():
    data = {"x": [0.0, 1.0, 2.0, 3.0, 4.0], "z": [0.0, 0, 0, 0, 1], "y": [1.0, 3.1, 4.9, 7.2, 20.0]}
    found = descend.fit("y ~ a + b*x + c*z", data).influence()
    assert found.leverage[4] == pytest.approx(1.0)
    assert np.isnan(found.studentized[4]) and np.isfinite(found.studentized[:4]).all()
    assert str(found).splitlines()[1].startswith("row 5")


def test_the_page_shows_the_rows_that_weigh_most(tmp_path):
    descend.fit(LINE, DATA).report(tmp_path / "fit.html")
    page = (tmp_path / "fit.html").read_text()
    assert "Which rows weigh most?" in page and "row 20" in page


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"loss": "huber"},
            "The huber loss does not tell how large a residual should be, so leverage and Cook's distance are not "
            'known for it. Ask for them with loss="squared".',
        ),
        (
            {"l2": 0.1},
            "The influence of single rows is not known for a fit with a penalty or priors. Fit a formula without.",
        ),
        (
            {"x_sigma": {"x": 0.1}},
            "The influence of single rows is not known for errors of inputs. Fit a formula without.",
        ),
        (
            {"rounded": 0.1},
            "The censored loss does not tell how large a residual should be, so leverage and Cook's distance are not "
            "known for it. Ask for them of exact values, with errors that are alike to both sides.",
        ),
        (
            {"engine": "query"},
            "The influence of each row needs the rows in memory, but these stay where they are. Fit with "
            'engine="numpy", or a part of the rows.',
        ),
    ],
)
def test_what_is_not_known_is_refused(options, message):
    fit = descend.fit(LINE, DATA, **options)
    with pytest.raises(ConfigError) as caught:
        fit.influence()
    assert str(caught.value) == message


def test_of_several_responses_each_row_says_which():
    t = np.linspace(0.0, 4.0, 9)
    data = {"t": t, "y": 3 * np.exp(-t) + 0.02 * np.sin(7 * t), "z": 1 + t + 0.1 * np.cos(9 * t)}
    found = descend.fit(["y ~ a*exp(-b*t)", "z ~ c + d*t"], data, sigma={"y": 0.02, "z": 0.1}).influence()
    frame = found.frame()
    assert frame.index.tolist() == [*range(1, 10)] * 2 and frame["equation"].tolist() == ["y"] * 9 + ["z"] * 9
    alone = descend.fit("z ~ c + d*t", data, sigma=0.1).influence()
    np.testing.assert_allclose(found.leverage[9:], alone.leverage, rtol=1e-8)
    assert str(found).splitlines()[1].startswith(("y, row", "z, row"))
