"""Laws for every registered loss; its settings at their defaults and elsewhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from sympy import Expr
from tests.laws.ranges import OF_NUMBERS

from descend.errors import DataError
from descend.formula.compile import compile_expression
from descend.formula.derivative import derivatives
from descend.formula.functions import FUNCTIONS
from descend.formula.printers.code import TORCH
from descend.formula.symbols import Parameter
from descend.losses import LOSSES, Loss
from descend.losses.distribution import Rates
from descend.losses.formulas import DISPERSION, PREDICTION, RESIDUAL, RESPONSE
from descend.losses.row_sums import sum_over_rows
from descend.problem.preflight import refuse_outside_domain

SYMBOLS = (PREDICTION, RESPONSE, RESIDUAL)


def variants() -> Iterator[str]:
    """Each loss at its defaults, and with each setting that is a number elsewhere in its range."""
    for name in OF_NUMBERS:
        yield name
        for field in dataclasses.fields(LOSSES[name]):
            for value in (0.1, 0.75, 1.25, 1.9):
                above, below = (field.metadata["bounds"].get(side, end) for side, end in (("above", 0), ("below", 1)))
                if isinstance(field.default, float) and above < value < below:
                    yield f"{name}({field.name}={value})"


VARIANTS = list(variants())
OF_MEANS = [name for name in OF_NUMBERS if LOSSES.build(name).likelihood and LOSSES[name].predicts == "mean"]
# Counts, shares and any other response are all in (0, 1); every loss is defined for predictions above 0.
PREDICTIONS = st.floats(0.05, 4.0)
RESPONSES = st.floats(0.01, 0.99)


@pytest.fixture(params=VARIANTS)
def loss(request: pytest.FixtureRequest) -> Loss:
    return known(LOSSES.build(request.param))


def known(loss: Loss) -> Loss:
    """Return a loss at the starts of its own parameters."""
    return loss.given({}, loss.own_parameters)


def written(loss: Loss, expression: Expr) -> Expr:
    """Return a formula of a loss in prediction and response, its own parameters as numbers."""
    own = {Parameter(name): value for name, value in loss.own_parameters.items()}
    return expression.xreplace({RESIDUAL: PREDICTION - RESPONSE, **own})


def inside(loss: Loss, prediction: float) -> float:
    """Bring a positive prediction into the range of the loss."""
    return prediction if np.isinf(loss.prediction_domain.high) else prediction / (1.0 + prediction)


def rows(prediction: float, y: float) -> tuple[np.ndarray, np.ndarray]:
    return np.array([prediction]), np.array([y])


@settings(max_examples=25)
@given(prediction=PREDICTIONS, y=RESPONSES)
def test_slope_is_the_derivative_of_the_value(loss, prediction, y):
    prediction = inside(loss, prediction)
    value = written(loss, loss.expressions[0])
    derived = compile_expression(derivatives(value, [PREDICTION])[PREDICTION], SYMBOLS)
    for at in (prediction, y):  # the second is a kink of some
        data = rows(at, y)
        with np.errstate(invalid="ignore"):
            expected = derived(*data, data[0] - data[1])
        terms = loss.weight(*data) * at  # the size of what cancels where the slope is all but 0
        np.testing.assert_allclose(loss.slope(*data), expected, rtol=1e-12, atol=1e-14 * (1.0 + terms[0]))


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
    if loss.name == "von_mises":
        pytest.skip("PyTorch's Bessel functions take no plain number, such as kappa here")
    data = rows(inside(loss, prediction), y)
    tensors = [torch.from_numpy(array) for array in data]
    for method, expression in zip((loss.value, loss.slope, loss.weight), loss.expressions, strict=True):
        result = compile_expression(written(loss, expression), SYMBOLS, TORCH)(*tensors, tensors[0] - tensors[1])
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


@pytest.mark.parametrize("name", OF_MEANS)
@pytest.mark.parametrize("mean", [0.2, 0.7])
@pytest.mark.parametrize("dispersion", [1.0, 0.3])
def test_a_density_sums_to_1_with_its_mean_and_variance(name, mean, dispersion):
    loss = known(LOSSES.build(name))
    if loss.dispersion_known:
        dispersion = 1.0
    score = float(mean if loss.link is None else np.log(mean / (1.0 - mean)))
    domain = loss.response_domain

    def density(y):
        rows = np.atleast_1d(np.asarray(y, dtype=float))
        return np.exp(loss.log_density(np.full(len(rows), score), rows, np.ones(len(rows)), dispersion))

    if loss.counts or loss.two_levels:
        outcomes = np.arange(domain.low, min(domain.high, 60.0) + 1.0)
        chances = density(outcomes)
        total, average, square = (float(chances @ outcomes**power) for power in range(3))
    else:
        ends = max(domain.low, -30.0), min(domain.high, 60.0)
        total, average, square = (
            quad(lambda y, power=power: density(y)[0] * y**power, *ends, points=[mean], limit=500)[0]
            for power in range(3)
        )
        total += float(density(domain.low)[0]) if domain.closed and domain.low > -np.inf else 0.0
    assert total == pytest.approx(1.0, rel=1e-7)
    assert average == pytest.approx(mean, rel=1e-7)
    assert loss.mean(np.array([score]))[0] == pytest.approx(mean, rel=1e-12)
    variance = dispersion * loss.variance(np.array([mean]))[0]
    assert square - average**2 == pytest.approx(variance, rel=1e-6)


def test_deviance_is_twice_what_the_log_density_lacks_of_the_largest(loss):
    if not loss.likelihood:
        return
    y = np.array([0.25, 0.5, 0.75])
    score, best = np.array([0.4, 0.3, 0.2]), y if loss.link is None else np.log(y / (1.0 - y))
    ones = np.ones(3)
    lacking = loss.log_density(best, y, ones) - loss.log_density(score, y, ones)
    np.testing.assert_allclose(loss.deviance(score, y), 2.0 * lacking, rtol=1e-10)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_terms_of_a_normaliser_make_it_up(loss, weighted):
    terms = loss.normaliser_terms(weighted)
    if not loss.likelihood or terms is None:
        return
    y, dispersion = np.array([0.25, 0.5, 0.75]), 1.0 if loss.dispersion_known else 0.3
    omega = np.array([0.5, 2.0, 3.0]) if weighted else np.ones(3)
    total = 0.0
    for factor, row in terms:
        rows = 3.0 * float(row) if row.is_number else sum_over_rows(loss, row, y, omega)
        total += float(compile_expression(factor, (DISPERSION,))(dispersion)) * rows
    assert total == pytest.approx(loss.log_normaliser(y, omega, dispersion).sum(), rel=1e-12, abs=1e-12)


def test_what_a_loss_says_of_its_shape_is_so(loss):
    """Convexity, its bound, and whether it is a parabola, held against the second derivative."""
    y, scores = 0.6, np.linspace(0.05, 0.95, 37)
    bend = loss.bend(scores, np.full(37, y))
    if loss.convex:
        assert (bend >= -1e-12).all()
    if loss.convex_in_log:
        assert (bend * scores**2 + loss.slope(scores, np.full(37, y)) * scores >= -1e-12).all()
    if loss.quadratic:
        np.testing.assert_allclose(bend, bend[0])
        np.testing.assert_allclose(loss.value(scores, np.full(37, y)), bend[0] / 2 * (scores - y) ** 2)
    if loss.likelihood and loss.predicts == "mean":  # Fisher information is unit / variance, the weight by a mean
        mean = np.array([0.3, 0.6])
        np.testing.assert_allclose(loss.of_mean.weight(mean, mean), loss.unit / loss.variance(mean), rtol=1e-12)


@pytest.mark.parametrize("moved", [0.01, 0.3, 2.0])
def test_the_curvature_that_is_left_is_a_bound(loss, moved):
    at = np.log(np.linspace(0.05, 0.95, 37)) if loss.convex_in_log else np.linspace(-2.0, 2.0, 37)
    y = np.full(37, 0.6)

    def bend(score):
        if not loss.convex_in_log:
            return loss.bend(score, y)
        mean = np.exp(score)
        return loss.bend(mean, y) * mean**2 + loss.slope(mean, y) * mean

    left = loss.curvature_left(at - y, np.full(37, moved))
    if left is None:
        return
    for step in np.linspace(-moved, moved, 21):
        assert (bend(at + step) >= left * bend(at) * (1.0 - 1e-9) - 1e-12).all()


def test_what_lies_outside_a_domain_is_refused_in_its_words(loss):
    domain = loss.response_domain
    if not domain.limited:
        return
    bad = domain.low if not domain.closed else domain.low - 1.0
    with pytest.raises(DataError) as caught:
        refuse_outside_domain(loss, np.array([0.5, bad]), "y", "row {}".format, "the data")
    assert str(caught.value) == (
        f"`y` is {bad:g} in row 1 of the data, but the {loss.name} loss needs {domain.words}. "
        "Leave such rows out with `where`, or choose another loss."
    )
    refuse_outside_domain(loss, np.array([0.5, 1.0]), "y", "row {}".format, "the data")


@pytest.mark.parametrize("name", OF_MEANS)
def test_the_distribution_of_responses_is_that_of_the_density(name):
    loss = known(LOSSES.build(name))
    mean, dispersion = np.array([0.3]), 1.0 if loss.dispersion_known else 0.4
    found = loss.distribution(mean, np.ones(1), dispersion, loss.own_parameters)
    if found is None:
        return
    score = mean if loss.link is None else np.log(mean / (1.0 - mean))

    def density(y):
        return float(np.exp(loss.log_density(score, np.array([y]), np.ones(1), dispersion))[0])

    for share in (0.2, 0.5, 0.8, 0.99):
        y = float(found.ppf(share)[0])
        assert found.cdf(np.array([y]))[0] >= share - 1e-9
        if isinstance(found, Rates):
            below = sum(density(float(count)) for count in range(round(y) + 1))
        else:
            atom = density(0.0) if loss.response_domain.closed and loss.response_domain.low == 0.0 else 0.0
            below = atom + quad(density, 0.0, y, points=[min(0.01, y / 2)], limit=300)[0]
        assert found.cdf(np.array([y]))[0] == pytest.approx(below, rel=1e-7)
