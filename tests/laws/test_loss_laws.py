"""Laws for every registered loss; its settings at their defaults and elsewhere."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from descend.formula.compile import compile_expression
from descend.formula.derivative import derivatives
from descend.formula.functions import FUNCTIONS
from descend.formula.printers.code import TORCH
from descend.losses import LOSSES, Loss
from descend.losses.contract import PREDICTION, RESIDUAL, RESPONSE

SYMBOLS = (PREDICTION, RESPONSE, RESIDUAL)
VARIANTS = [
    *LOSSES,
    *(
        f"{name}({field.name}={value})"
        for name in LOSSES
        for field in dataclasses.fields(LOSSES[name])
        for value in (0.1, 0.75)
    ),
]
# Counts, shares and any other response are all in (0, 1); every loss is defined for predictions above 0.
PREDICTIONS = st.floats(0.05, 4.0)
RESPONSES = st.floats(0.01, 0.99)


@pytest.fixture(params=VARIANTS)
def loss(request: pytest.FixtureRequest) -> Loss:
    return LOSSES.build(request.param)


def inside(loss: Loss, prediction: float) -> float:
    """Bring a positive prediction into the range of the loss."""
    return prediction if np.isinf(loss.prediction_domain.high) else prediction / (1.0 + prediction)


def rows(prediction: float, y: float) -> tuple[np.ndarray, np.ndarray]:
    return np.array([prediction]), np.array([y])


@settings(max_examples=25)
@given(prediction=PREDICTIONS, y=RESPONSES)
def test_slope_is_the_derivative_of_the_value(loss, prediction, y):
    prediction = inside(loss, prediction)
    value = loss.expressions[0].xreplace({RESIDUAL: PREDICTION - RESPONSE})
    derived = compile_expression(derivatives(value, [PREDICTION])[PREDICTION], SYMBOLS)
    for at in (prediction, y):  # the second is a kink of some
        data = rows(at, y)
        expected = derived(*data, data[0] - data[1])
        np.testing.assert_allclose(loss.slope(*data), expected, rtol=1e-12, atol=1e-14)


@settings(max_examples=25)
@given(prediction=PREDICTIONS, y=RESPONSES)
def test_slope_is_the_central_difference_of_the_value(loss, prediction, y):
    h, prediction = 1e-5, inside(loss, prediction)
    if abs(prediction - y) < 10 * h:
        return
    ahead, behind = (loss.value(*rows(prediction + step, y))[0] for step in (h, -h))
    assert loss.slope(*rows(prediction, y))[0] == pytest.approx((ahead - behind) / (2 * h), rel=1e-5, abs=2e-5)


@settings(max_examples=25)
@given(prediction=PREDICTIONS, y=RESPONSES)
def test_weight_is_finite_and_not_negative(loss, prediction, y):
    for at in (inside(loss, prediction), y):
        weight = loss.weight(*rows(at, y))[0]
        assert np.isfinite(weight)
        assert weight >= 0


@settings(max_examples=25)
@given(prediction=PREDICTIONS, y=RESPONSES)
def test_the_best_prediction_is_the_response(loss, prediction, y):
    best = y if loss.link is None else np.log(y / (1 - y))
    least, prediction = loss.value(*rows(best, y))[0], inside(loss, prediction)
    assert loss.saturated(np.array([y]))[0] == pytest.approx(least, rel=1e-12, abs=1e-15)
    assert loss.value(*rows(prediction, y))[0] >= least - 1e-15
    away = loss.slope(*rows(best + 0.001, y))[0], loss.slope(*rows(best - 0.001, y))[0]
    assert away[0] >= 0 >= away[1]


@settings(max_examples=25)
@given(prediction=PREDICTIONS, y=RESPONSES)
def test_numpy_and_torch_agree(loss, prediction, y):
    data = rows(inside(loss, prediction), y)
    tensors = [torch.from_numpy(array) for array in data]
    for method, expression in zip((loss.value, loss.slope, loss.weight), loss.expressions, strict=True):
        result = compile_expression(expression, SYMBOLS, TORCH)(*tensors, tensors[0] - tensors[1])
        np.testing.assert_allclose(np.broadcast_to(np.asarray(result), 1), method(*data), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("prediction", [1e-3, 50.0, 1e6])
def test_far_away_nothing_overflows(loss, prediction):
    data = rows(inside(loss, prediction), 0.5)
    for method in (loss.value, loss.slope, loss.weight):
        assert np.isfinite(method(*data)).all()


def test_one_result_per_row(loss):
    prediction = inside(loss, np.linspace(0.1, 2, 7))
    for method in (loss.value, loss.slope, loss.weight):
        result = method(prediction, np.full(7, 0.5))
        assert result.shape == (7,)
        assert result.dtype == np.float64


def test_a_loss_is_built_from_its_own_name(loss):
    assert LOSSES.build(str(loss)) == loss


def test_the_link_is_a_function_and_a_domain_has_words(loss):
    assert loss.link is None or loss.link in FUNCTIONS
    for domain in (loss.response_domain, loss.prediction_domain):
        assert domain.low < domain.high
        assert bool(domain.words) == domain.limited
