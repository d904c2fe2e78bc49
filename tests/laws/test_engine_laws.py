"""Every engine and gradient source sums to the same numbers, whatever the formula, the loss, the weights, the rows."""

from __future__ import annotations

import numpy as np
import pytest
from tests.laws.ranges import PLAIN
from tests.laws.rows_of_laws import COLUMNS, ROWS, program, table

import descend.engines.numpy_engine as numpy_engine
import descend.engines.torch_engine as torch_engine
from descend.engines.numpy_engine import NumpyEngine
from descend.engines.torch_engine import TorchEngine
from descend.formula.compile import compile_expression
from descend.gradients.autograd import autograd_of_formula
from descend.gradients.derived import Program
from descend.table.rows import Roles, Rows

# Predictions are positive at these parameters, as the Poisson loss asks.
FORMULAS = {
    "y ~ a*x": [0.7],
    "y ~ a*exp(-b*x) + c": [1.5, 0.6, 0.8],
    "y ~ c": [0.4],
    "y ~ exp(c)": [-0.3],
    "y ~ a^2*x^b/(c^b + x^b)": [0.9, 1.7, 0.6],
    "y ~ w @ [x, z, u] + b": [0.3, 0.2, 0.1, 0.9],
    "y ~ exp(w @ [x*, z, x*z, log(`unit price`)])": [0.3, -0.2, 0.1, 0.4],
    "y ~ a*(w @ [x, z]) + exp(w @ [z, u])": [0.6, 0.3, 0.2],
    "y ~ sigmoid(a + b*x + c*z^2)": [-0.5, 0.8, 0.3],
    "sqrt(y) ~ 1 + abs(sin(a*x))/max(b, z) + where(x > 1 and z < 1, a, b*u)^2": [0.7, 0.4],
    "y/omega ~ 1 + softplus(a - x)*erf(b*z) + atan2(c, x) + min(a, x, z)*gamma(1 + u/2)": [0.7, 0.4, 1.2],
    "y ~ 2 + tanh(a*x + b)*log10(1 + c^2*z) + 2^(a*u)*sqrt(u)": [0.4, 0.1, 0.6],
}
SOURCES = ("numpy derived", "torch derived", "torch autograd")
every_formula = pytest.mark.parametrize("text", FORMULAS)
every_loss = pytest.mark.parametrize("loss", [*PLAIN, "huber(delta=0.2)", "pinball(quantile=0.8)"])
both_weights = pytest.mark.parametrize("weights", [None, "omega"], ids=["plain", "weighted"])


def engine(source: str, what: Program, weights: str | None, data: dict[str, np.ndarray]):
    if source == "numpy derived":
        return NumpyEngine(what, Rows.of(data, Roles(weights)))
    return TorchEngine(
        what if source == "torch derived" else autograd_of_formula(what), Rows.of(data, Roles(weights)), device="cpu"
    )


def assert_same(one, other, tolerance=1e-10):
    assert one.rows == pytest.approx(other.rows, rel=1e-14)
    assert one.loss == pytest.approx(other.loss, rel=tolerance)
    for mine, theirs in ((one.gradient, other.gradient), (one.curvature, other.curvature)):
        assert (mine is None) == (theirs is None)
        if mine is not None:
            assert mine.shape == theirs.shape
            scale = max(np.abs(theirs).max(), 1e-3)
            np.testing.assert_allclose(mine, theirs, rtol=tolerance, atol=tolerance * scale)


@both_weights
@every_loss
@every_formula
def test_sources_and_engines_agree(text, loss, weights):
    what, theta = program(text, loss), np.array(FORMULAS[text])
    engines = [engine(source, what, weights, table()) for source in SOURCES]
    some = np.array([3, 1, 44, 17, 1])
    for order in (0, 1, 2):
        for rows in (None, some):
            first, *rest = (each.evaluate(theta, order, rows) for each in engines)
            assert (first.gradient is None, first.curvature is None) == (order < 1, order < 2)
            for totals in rest:
                assert_same(totals, first)


@both_weights
@every_loss
@every_formula
def test_the_gradient_is_the_central_difference_of_the_loss(text, loss, weights):
    sums = engine("numpy derived", program(text, loss), weights, table())
    theta = np.array(FORMULAS[text])
    gradient = sums.evaluate(theta, 1).gradient
    for k, at in enumerate(theta):
        h = 1e-6 * max(1, abs(at))
        ahead, behind = theta.copy(), theta.copy()
        ahead[k] += h
        behind[k] -= h
        difference = (sums.evaluate(ahead, 0).loss - sums.evaluate(behind, 0).loss) / (2 * h)
        assert gradient[k] == pytest.approx(difference, rel=1e-5, abs=1e-5)


@both_weights
@every_loss
@every_formula
def test_the_loss_is_the_sum_over_rows_of_the_formula_as_written(text, loss, weights):
    """Evaluate the formula plainly, with none of the shortcuts of the generated code."""
    what, theta, data = program(text, loss), np.array(FORMULAS[text]), table()
    values = {f"{name}": data[name] for name in COLUMNS}
    numbers = {name: float(theta[place.start]) for name, place in what.parameters.slices.items()}
    symbols = tuple(what.score.free_symbols)
    arguments = []
    for symbol in symbols:
        term = what.formula.terms.get(symbol)
        if term is None:
            arguments.append(values.get(symbol.name, numbers.get(symbol.name)))
        else:
            items = [evaluated(item, values) for item in term.items]
            arguments.append(
                sum(w * item for w, item in zip(theta[what.parameters.slices[term.vector]], items, strict=True))
            )
    prediction = np.broadcast_to(compile_expression(what.score, symbols)(*arguments), ROWS).astype(float)
    y = evaluated(what.formula.response, values)
    omega = data[weights] if weights else np.ones(ROWS)
    totals = engine("numpy derived", what, weights, data).evaluate(theta, 2)
    assert totals.loss == pytest.approx(np.sum(what.loss.value(prediction, y) * omega), rel=1e-12)
    np.testing.assert_allclose(totals.curvature, totals.curvature.T, rtol=1e-12, atol=1e-14)
    assert np.linalg.eigvalsh(totals.curvature).min() >= -1e-9 * np.abs(totals.curvature).max()


def evaluated(expression, values):
    symbols = tuple(expression.free_symbols)
    return compile_expression(expression, symbols)(*(values[symbol.name] for symbol in symbols))


@both_weights
@pytest.mark.parametrize("block", [1, 7, 50, 64])
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("text", ["y ~ a*exp(-b*x) + c", "y ~ a*(w @ [x, z]) + exp(w @ [z, u])", "y ~ exp(c)"])
def test_blocks_add_up_to_the_whole(text, source, block, weights, monkeypatch):
    what, theta = program(text, "squared"), np.array(FORMULAS[text])
    whole = engine(source, what, weights, table()).evaluate(theta, 2)
    monkeypatch.setattr(numpy_engine, "BLOCK", block)
    monkeypatch.setattr(torch_engine, "BLOCK", block)
    for order in (0, 1, 2):
        in_blocks = engine(source, what, weights, table()).evaluate(theta, order)
        assert in_blocks.loss == pytest.approx(whole.loss, rel=1e-13)
    assert_same(in_blocks, whole, 1e-12)


@both_weights
@every_formula
def test_means_are_the_sums_divided_by_the_rows(text, weights):
    sums, theta = engine("numpy derived", program(text, "squared"), weights, table()), np.array(FORMULAS[text])
    if sums.means is None:  # a formula of vectors, of choices between rows, or of no rows at all
        assert any(part in text for part in ("@", "where", "min(", "~ c", "~ exp(c)"))
        return
    whole = sums.evaluate(theta, 2)
    loss, gradient, curvature = sums.means(theta)
    assert loss == pytest.approx(whole.loss / whole.rows, rel=1e-15)
    np.testing.assert_allclose(gradient, whole.gradient / whole.rows, rtol=1e-15)
    np.testing.assert_allclose(curvature, whole.curvature / whole.rows, rtol=1e-15)


@pytest.mark.parametrize("source", SOURCES)
def test_evaluating_leaves_everything_as_it_was(source):
    data = {name: column.copy() for name, column in table().items()}
    for column in data.values():
        column.flags.writeable = False
    text = "y ~ a*(w @ [x, z]) + exp(w @ [z, u])"
    theta = np.array(FORMULAS[text])
    theta.flags.writeable = False
    sums = engine(source, program(text, "squared"), "omega", data)
    first, rows = sums.evaluate(theta, 2), np.arange(10)
    kept = first.gradient.copy()
    sums.evaluate(theta + 1, 2)
    sums.evaluate(theta, 1, rows)
    again = sums.evaluate(theta, 2)
    np.testing.assert_array_equal(first.gradient, kept)
    np.testing.assert_array_equal(again.gradient, kept)
    assert (sums.count, sums.name) == (ROWS, source.split()[0])
    for name, column in table().items():
        np.testing.assert_array_equal(data[name], column)


@pytest.mark.parametrize("source", SOURCES)
def test_zero_weights_are_rows_left_out(source):
    data = dict(table()) | {"omega": np.where(np.arange(ROWS) < 20, 1.0, 0.0)}
    what, plain = program("y ~ a*exp(-b*x) + c", "squared"), program("y ~ a*exp(-b*x) + c", "squared")
    theta = np.array([1.5, 0.6, 0.8])
    weighted = engine(source, what, "omega", data).evaluate(theta, 2)
    left_out = engine(source, plain, None, {name: column[:20] for name, column in data.items()}).evaluate(theta, 2)
    assert_same(weighted, left_out, 1e-12)


@pytest.mark.parametrize("source", SOURCES)
def test_one_row(source):
    what = program("y ~ a*exp(-b*x) + c", "squared")
    data = {name: column[:1] for name, column in table().items()}
    totals = engine(source, what, None, data).evaluate(np.array([1.5, 0.6, 0.8]), 2)
    r = 1.5 * np.exp(-0.6 * data["x"][0]) + 0.8 - data["y"][0]
    assert totals.loss == pytest.approx(r**2)
    assert np.linalg.matrix_rank(totals.curvature, tol=1e-9) == 1


def test_programs_are_compiled_once():
    what = program("y ~ a*x", "squared")
    assert NumpyEngine(what, Rows(table())).kernel is NumpyEngine(what, Rows(table())).kernel


def test_torch_engine_runs_on_cuda_where_there_is_one():
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    for text in FORMULAS:
        for loss in PLAIN:
            what, theta = program(text, loss), np.array(FORMULAS[text])
            expected = NumpyEngine(what, Rows.of(table(), Roles("omega"))).evaluate(theta, 2)
            for kernel in (what, autograd_of_formula(what)):
                for rows in (None, np.array([3, 1, 44])):
                    expected = NumpyEngine(what, Rows.of(table(), Roles("omega"))).evaluate(theta, 2, rows)
                    assert_same(
                        TorchEngine(kernel, Rows.of(table(), Roles("omega")), device="cuda").evaluate(theta, 2, rows),
                        expected,
                    )
