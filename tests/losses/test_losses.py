"""Losses against PyTorch's and closed forms, and the messages of bad settings."""

from __future__ import annotations

import re

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from descend import fit
from descend.errors import ConfigError
from descend.formula import read_formula
from descend.losses import LOSSES, Absolute, Huber, LogCosh, Logistic, Pinball, Poisson, Squared

ROWS = 6
ANY = arrays(float, ROWS, elements=st.floats(-50, 50))
POSITIVE = arrays(float, ROWS, elements=st.floats(0.01, 50))
SHARES = arrays(float, ROWS, elements=st.floats(0, 1))


def agree(loss, twin, prediction, y):
    """Compare value and slope with a function of torch.nn.functional and its gradient."""
    leaf = torch.tensor(prediction, requires_grad=True)
    value = twin(leaf, torch.tensor(y))
    value.sum().backward()
    np.testing.assert_allclose(loss.value(prediction, y), value.detach(), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(loss.slope(prediction, y), leaf.grad, rtol=1e-12, atol=1e-13)


@given(prediction=ANY, y=ANY)
def test_squared_is_mse_loss(prediction, y):
    agree(Squared(), lambda p, y: torch.nn.functional.mse_loss(p, y, reduction="none"), prediction, y)


@given(prediction=ANY, y=ANY)
def test_absolute_is_l1_loss(prediction, y):
    agree(Absolute(), lambda p, y: torch.nn.functional.l1_loss(p, y, reduction="none"), prediction, y)


@given(prediction=ANY, y=ANY, delta=st.floats(0.1, 10))
def test_huber_is_huber_loss(prediction, y, delta):
    twin = lambda p, y: torch.nn.functional.huber_loss(p, y, reduction="none", delta=delta)  # noqa: E731
    agree(Huber(delta), twin, prediction, y)


@given(prediction=POSITIVE, y=arrays(float, ROWS, elements=st.integers(0, 60).map(float)))
def test_poisson_is_poisson_nll_loss(prediction, y):
    twin = lambda p, y: torch.nn.functional.poisson_nll_loss(p, y, log_input=False, eps=0, reduction="none")  # noqa: E731
    agree(Poisson(), twin, prediction, y)


@given(prediction=ANY, y=SHARES)
def test_logistic_is_binary_cross_entropy_with_logits(prediction, y):
    twin = lambda p, y: torch.nn.functional.binary_cross_entropy_with_logits(p, y, reduction="none")  # noqa: E731
    agree(Logistic(), twin, prediction, y)


@given(prediction=ANY, y=ANY)
def test_log_cosh_is_the_logarithm_of_cosh(prediction, y):
    r = prediction - y
    np.testing.assert_allclose(LogCosh().value(prediction, y), np.log(np.cosh(r)), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(LogCosh().slope(prediction, y), np.tanh(r), rtol=1e-14)
    weight = np.divide(np.tanh(r), r, out=np.ones_like(r), where=r != 0.0)
    np.testing.assert_allclose(LogCosh().weight(prediction, y), weight, rtol=1e-12)
    np.testing.assert_allclose(LogCosh().bend(prediction, y), 1 / np.cosh(r) ** 2, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(LogCosh().weight(np.array([0.0, 1e300]), np.zeros(2)), [1.0, 1e-300], rtol=1e-14)


@given(prediction=ANY, y=ANY, quantile=st.floats(0.01, 0.99))
def test_pinball_charges_each_side_its_share(prediction, y, quantile):
    r = prediction - y
    expected = np.where(r > 0, (1 - quantile) * r, -quantile * r)
    np.testing.assert_allclose(Pinball(quantile).value(prediction, y), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
def test_pinball_is_least_at_the_quantile(quantile):
    y = np.random.default_rng(0).normal(size=999)
    grid = np.linspace(-3, 3, 6001)
    loss = Pinball(quantile)
    costs = [loss.value(np.full(999, at), y).sum() for at in grid]
    assert grid[np.argmin(costs)] == pytest.approx(np.quantile(y, quantile, method="inverted_cdf"), abs=2e-3)


def test_huber_joins_its_halves_smoothly():
    loss, y = Huber(delta=2.0), np.zeros(4)
    at = np.array([-2.0, 2.0, -2.0 - 1e-9, 2.0 + 1e-9])
    np.testing.assert_allclose(loss.value(at, y), 2.0, rtol=1e-8)
    np.testing.assert_allclose(loss.slope(at, y), np.sign(at) * 2, rtol=1e-8)
    np.testing.assert_allclose(loss.weight(np.array([0.0, 2.0, 4.0, -8.0]), y), [1, 1, 0.5, 0.25])


def test_weights_of_absolute_losses_are_those_of_the_touching_parabola():
    r, y = np.array([0.0, 0.5, -4.0]), np.zeros(3)
    np.testing.assert_allclose(Absolute().weight(r, y), [0, 2, 0.25])
    np.testing.assert_allclose(Absolute().weight(y + 5.0, y + 5.0), 1e7)  # at least 1e-8 of |prediction| + |y|
    np.testing.assert_allclose(Pinball(0.9).weight(r, y), [0, 1, 0.125])


def test_fisher_information_of_counts_and_shares():
    np.testing.assert_allclose(Poisson().weight(np.array([0.5, 4.0]), np.array([0.0, 9.0])), [2, 0.25])
    np.testing.assert_allclose(Logistic().weight(np.array([0.0, 40.0]), np.ones(2)), [0.25, 4.248354255291589e-18])


def test_the_score_of_a_logistic_loss_is_inside_the_sigmoid():
    expression = read_formula("y ~ sigmoid(a + b*x)", ("x", "y")).expression
    assert Logistic().score(expression) == expression.args[0]
    assert Squared().score(expression) == expression
    plain = read_formula("y ~ 2*sigmoid(a + b*x)", ("x", "y")).expression
    assert Logistic().score(plain) == plain


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "huber(delta=0)",
            "The setting `delta` of loss `huber` must be a number above 0, or 'auto', such as 1.0; it is 0.0.",
        ),
        (
            "huber(delta=-1.5)",
            "The setting `delta` of loss `huber` must be a number above 0, or 'auto', such as 1.0; it is -1.5.",
        ),
        (
            "huber(delta=1e999)",
            "The setting `delta` of loss `huber` must be a number above 0, or 'auto', such as 1.0; it is inf.",
        ),
        (
            "pinball(quantile=1)",
            "The setting `quantile` of loss `pinball` must be a number above 0 and below 1, such as 0.5; it is 1.0.",
        ),
        ('huber(delta="a")', "The setting `delta` of loss `huber` must be a number, such as 1.0; it is 'a'."),
        ("huber(delta=True)", "The setting `delta` of loss `huber` must be a number, such as 1.0; it is True."),
        ("huber(k=1)", "The loss `huber` has no setting `k`. Its settings: delta."),
        ("squared(delta=1)", "The loss `squared` has no setting `delta`. Its settings: none."),
        (
            "huber(1)",
            "The settings of loss `huber` cannot be read: (1). Write them as name=value, such as `huber(delta=1.0)`.",
        ),
        (
            "hubber",
            f"There is no loss `hubber`. Did you mean `huber`? Known: {', '.join(LOSSES)}.",
        ),
        ("2", "`2` does not name a loss. Write a name or a call, such as `huber(delta=1.0)`."),
    ],
)
def test_bad_settings(text, message):
    with pytest.raises(ConfigError) as caught:
        LOSSES.build(text)
    assert str(caught.value) == message


def test_bad_settings_from_python():
    with pytest.raises(ConfigError) as caught:
        Huber(delta=float("nan"))
    assert (
        str(caught.value)
        == "The setting `delta` of loss `huber` must be a number above 0, or 'auto', such as 1.0; it is nan."
    )


@pytest.mark.parametrize("text", ["log-cosh", " log_cosh ", "log_cosh()"])
def test_names_may_have_hyphens_and_brackets(text):
    assert LOSSES.build(text) == LogCosh()


@pytest.mark.parametrize("ratio", [1e-8, 1e-5, 1e-3, 0.1, 0.9, 1.1, 5.0, 50.0])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 7.5])
def test_small_and_large_residuals_keep_their_digits(ratio, scale):
    with mpmath.workdps(60):
        u, s = mpmath.mpf(ratio), mpmath.mpf(scale)
        right = {
            f"cauchy(scale={scale})": s**2 / 2 * mpmath.log1p(u**2),
            f"tukey(scale={scale})": s**2 / 6 * (1 - max(1 - u**2, 0) ** 3),
            f"soft_l1(scale={scale})": s**2 * (mpmath.sqrt(1 + u**2) - 1),
        }
        if scale == 1.0:
            right["log_cosh"] = mpmath.log(mpmath.cosh(u))
    for name, value in right.items():
        for sign in (1.0, -1.0):
            (found,) = LOSSES.build(name).value(np.array([sign * ratio * scale]), np.zeros(1))
            assert found == pytest.approx(float(value), rel=2e-15), name


def test_soft_l1_of_a_huge_residual_is_no_0():
    for scale, r in ((146854.7, 5.6e153), (1e-3, 1e150), (1.0, 1e153)):
        (found,) = LOSSES.build(f"soft_l1(scale={scale})").value(np.array([r]), np.zeros(1))
        assert found == pytest.approx(scale * r, rel=1e-12)


@pytest.mark.parametrize("gradient", ["derived", "autograd"])
def test_log_cosh_fits_residuals_of_millions_as_the_absolute_loss_does(gradient):
    x = np.linspace(0.0, 3.0, 61)
    y = 1e7 * (1.0 + 2.0 * x + 0.1 * np.sin(40.0 * x))
    found = fit("y ~ a + b*x", {"x": x, "y": y}, loss="log_cosh", gradient=gradient)
    assert found.outcome == "converged"
    assert found.loss == pytest.approx(fit("y ~ a + b*x", {"x": x, "y": y}, loss="absolute").loss, rel=1e-5)


def test_a_scale_whose_square_is_no_number_is_refused():
    said = "With scale = 1e-200 a formula of the loss holds numbers beyond those of floating point. Measure the"
    with pytest.raises(ConfigError, match=re.escape(f"{said} response in another unit.")):
        fit("y ~ a*x", {"x": [1.0, 2.0, 3.0], "y": [1.0, 2.0, 4.0]}, loss="cauchy(scale=1e-200)")
