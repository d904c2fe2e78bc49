"""Tukey's loss with the S-estimate: rows with leverage do not win, and MM-estimates are those of R."""

from __future__ import annotations

import numpy as np
import pytest

from descend import ConfigError, DataError, fit
from descend.losses import LOSSES, Tukey

STACKLOSS = {
    "air": [80, 80, 75, 62, 62, 62, 62, 62, 58, 58, 58, 58, 58, 58, 50, 50, 50, 50, 50, 56, 70],
    "water": [27, 27, 25, 24, 22, 23, 24, 24, 23, 18, 18, 17, 18, 19, 18, 18, 19, 19, 20, 20, 20],
    "acid": [89, 88, 90, 87, 87, 87, 93, 93, 87, 80, 89, 88, 82, 93, 89, 86, 72, 79, 80, 82, 91],
    "loss": [42, 37, 37, 28, 18, 18, 19, 20, 15, 14, 14, 13, 11, 12, 8, 7, 8, 8, 9, 15, 15],
}
PHONES = {
    "year": range(50, 74),
    "calls": [
        *(4.4, 4.7, 4.7, 5.9, 6.6, 7.3, 8.1, 8.8, 10.6, 12, 13.5, 14.9, 16.1, 21.2, 119, 124, 142, 159, 182, 212),
        *(43, 24, 27, 29),
    ],
}
PLANE = "loss ~ b + a*air + w*water + c*acid"
R = {
    # rlm(..., method = "MM", acc = 1e-12, maxit = 500, lqs.control = list(nsamp = "exact")), whose S-estimate settles
    # to five digits; summary() for the errors
    "mm": (
        [-41.5234548758, 0.9388531834, 0.5794654309, -0.1129212278],
        [9.3071977708, 0.1055104350, 0.2879350646, 0.1222814354],
        1.911954809,
    ),
    # rlm(..., psi = psi.bisquare, acc = 1e-12, maxit = 500)
    "auto": (
        [-42.2853215365, 0.9275589928, 0.6507111984, -0.1123331230],
        [9.5313856615, 0.1080519262, 0.2948707241, 0.1252268996],
        2.281853315,
    ),
}


@pytest.mark.parametrize("scale", R)
def test_stackloss_is_that_of_rlm(scale):
    found = fit(PLANE, STACKLOSS, loss=f"tukey(scale={scale})", errors="iid")
    values, errors, noise = R[scale]
    assert [found.parameters[name] for name in "bawc"] == pytest.approx(values, rel=2e-5)
    assert [found.standard_errors[name] for name in "bawc"] == pytest.approx(errors, rel=5e-5)
    assert found.loss_function.settings["scale"] / 4.685 == pytest.approx(noise, rel=5e-5)


def test_phones_is_that_of_rlm():
    found = fit("calls ~ a + b*year", PHONES, loss="tukey(scale=mm)", errors="rlm")  # rlm(calls ~ year, method = "MM")
    assert found.parameters == pytest.approx({"a": -52.423427553, "b": 1.100955314}, rel=2e-5)
    assert found.standard_errors == pytest.approx({"a": 2.91594412146, "b": 0.04711621134}, rel=1e-4)
    assert "scale 9.972 of the tukey loss is 4.685 times the noise, 2.128, estimated from an S-estimate" in found.notes


@pytest.fixture
def pulled():
    """A line of 70 rows, and 30 far out that pull a huber fit to themselves."""
    random = np.random.default_rng(0)
    x = np.r_[random.uniform(0.0, 5.0, 70), random.normal(20.0, 0.5, 30)]
    y = np.r_[1.0 + 2.0 * x[:70] + random.normal(0.0, 0.3, 70), random.normal(5.0, 0.3, 30)]
    return {"x": x, "y": y}


@pytest.mark.parametrize("loss", ["tukey", "tukey(scale=1.5)", "tukey(scale=mm)"])
def test_rows_with_leverage_do_not_win(pulled, loss):
    assert fit("y ~ a + b*x", pulled, loss="huber").parameters["b"] == pytest.approx(0.0, abs=0.1)
    found = fit("y ~ a + b*x", pulled, loss=loss)
    assert found.theta == pytest.approx([1.0, 2.0], abs=0.1)
    if loss == "tukey(scale=1.5)":
        assert "started from an S-estimate, as this loss has many minima" in found.notes


@pytest.mark.parametrize("loss", ["tukey", "tukey(scale=0.2)", "tukey(scale=mm)"])
def test_nor_do_they_of_a_curve_or_a_function(loss):
    random = np.random.default_rng(0)
    x = np.linspace(0.0, 5.0, 80)
    y = 3.0 * np.exp(-0.8 * x) + 0.5 + 0.05 * random.normal(size=80)
    y[60:] = 2.5 + 0.05 * random.normal(size=20)

    def decay(x, a, b, c):
        return a * np.exp(-b * x) + c

    for model, response in (("y ~ a*exp(-b*x) + c", None), (decay, "y")):
        found = fit(model, {"x": x, "y": y}, response=response, loss=loss)
        assert found.theta == pytest.approx([3.0, 0.8, 0.5], abs=0.1)


def test_a_column_of_that_name_is_a_column():
    assert Tukey("mm").estimated == "scale" and not Tukey("mm").own_columns
    with pytest.raises(ConfigError) as caught:
        LOSSES.build("huber(delta=mm)")
    assert str(caught.value) == "The setting `delta` of loss `huber` must be a number, such as 1.0; it is 'mm'."
    with pytest.raises(ConfigError) as caught:
        Tukey(scale=-1.0)
    assert str(caught.value) == (
        "The setting `scale` of loss `tukey` must be a number above 0, or 'auto' or 'mm', such as 4.685; it is -1.0."
    )


def test_what_has_no_s_estimate_is_refused():
    x = np.linspace(0.0, 1.0, 5)
    with pytest.raises(DataError) as few:
        fit("y ~ a + b*x + c*x^2", {"x": x, "y": np.sin(9 * x)}, loss="tukey(scale=mm)")
    assert str(few.value) == (
        "An S-estimate needs at least twice as many rows as parameters, and a finite start. Give more rows, or use the "
        "scale `auto`."
    )
    with pytest.raises(ConfigError) as there:
        fit("calls ~ a + b*year", PHONES, loss="tukey(scale=mm)", engine="query")
    assert str(there.value) == (
        "The scale `mm` is that of an S-estimate, which is found among rows in memory and few parameters. Use the "
        "scale `auto`."
    )
