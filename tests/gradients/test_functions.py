"""Python functions as the model: gradients by hand in NumPy, and by autograd in PyTorch."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import torch
from tests.laws.ranges import PLAIN

import descend
from descend.engines.numpy_engine import NumpyEngine
from descend.engines.torch_engine import TorchEngine
from descend.errors import ConfigError
from descend.formula import read_formula
from descend.gradients.autograd import autograd_of_function
from descend.gradients.by_hand import FunctionKernel
from descend.gradients.derived import derived
from descend.losses import LOSSES
from descend.models import bind
from descend.models.function import FunctionModel
from descend.parameters import Parameters
from descend.table.rows import Roles, Rows

COLUMNS = ("x", "z", "y", "omega")
SCALARS = {"a": None, "b": None}


def table(rows=30) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(2)
    return {name: rng.uniform(0.2, 2.0, rows) for name in COLUMNS}


def model(forward, shapes=SCALARS, loss="squared"):
    return FunctionModel(bind(forward, COLUMNS), "y", Parameters(shapes), LOSSES.build(loss))


def line(x, a, b):
    return a * x + b


def line_gradient(x, y, a, b):
    return np.mean(2 * x * (a * x + b - y)), np.mean(2 * (a * x + b - y))


def by_list(x, y, a, b):
    return list(line_gradient(x, y, a, b))


def by_array(x, y, a, b):
    return np.array(line_gradient(x, y, a, b))


def by_name(x, y, a, b):
    da, db = line_gradient(x, y, a, b)
    return {"b": db, "a": np.array([da]), "else": 0.0}


THETA = np.array([0.7, 0.3])
EXPECTED = derived(read_formula("y ~ a*x + b", COLUMNS), LOSSES.build("squared"))


@pytest.mark.parametrize(
    "gradient", [line_gradient, by_list, by_array, by_name], ids=lambda function: function.__name__
)
def test_a_gradient_function_may_return_what_is_natural(gradient):
    engine = NumpyEngine(FunctionKernel(model(line), bind(gradient, COLUMNS)), Rows(table()))
    expected = NumpyEngine(EXPECTED, Rows(table()))
    for rows in (None, np.array([3, 1, 4])):
        got, wanted = engine.evaluate(THETA, 2, rows), expected.evaluate(THETA, 2, rows)
        assert got.loss == pytest.approx(wanted.loss, rel=1e-13)
        np.testing.assert_allclose(got.gradient, wanted.gradient, rtol=1e-13)
        np.testing.assert_allclose(got.curvature, wanted.curvature, rtol=1e-8)
    assert engine.evaluate(THETA, 0).gradient is None


def test_one_parameter_needs_no_brackets():
    what = model(lambda x, w: w * x, {"w": None})
    engine = NumpyEngine(
        FunctionKernel(what, bind(lambda x, y, w: np.mean(2 * x * (w * x - y)), COLUMNS)), Rows(table())
    )
    data = table()
    np.testing.assert_allclose(
        engine.evaluate(np.array([2.0]), 1).gradient, [np.sum(2 * data["x"] * (2 * data["x"] - data["y"]))], rtol=1e-13
    )


def test_vector_parameters_are_arrays():
    def forward(x, z, w, b):
        return w[0] * x + w[1] * z + b

    def gradient(x, z, y, w, b):
        r = forward(x, z, w, b) - y
        return {"w": np.array([np.mean(2 * r * x), np.mean(2 * r * z)]), "b": np.mean(2 * r)}

    shapes = {"w": ("x", "z"), "b": None}
    expected = NumpyEngine(
        derived(read_formula("y ~ w @ [x, z] + b", COLUMNS), LOSSES.build("squared")), Rows(table())
    ).evaluate(np.array([0.3, 0.5, 0.1]), 1)
    for engine in (
        NumpyEngine(FunctionKernel(model(forward, shapes), bind(gradient, COLUMNS)), Rows(table())),
        TorchEngine(autograd_of_function(model(forward, shapes)), Rows(table())),
    ):
        got = engine.evaluate(np.array([0.3, 0.5, 0.1]), 1)
        np.testing.assert_allclose(got.gradient, expected.gradient, rtol=1e-12)


@pytest.mark.parametrize("loss", PLAIN)
@pytest.mark.parametrize("weights", [None, "omega"])
def test_autograd_of_a_function_is_the_derived_gradient(loss, weights):
    what = model(lambda x, a, b: 1 / (1 + torch.exp(a * x) + b**2), loss=loss)
    data = table() | {"y": np.clip(table()["y"] / 2, 0, 1)}
    formula = read_formula("y ~ 1/(1 + exp(a*x) + b^2)", COLUMNS)
    expected = NumpyEngine(derived(formula, LOSSES.build(loss)), Rows.of(data, Roles(weights)))
    engine = TorchEngine(autograd_of_function(what), Rows.of(data, Roles(weights)))
    for order in (0, 1, 2):
        got, wanted = engine.evaluate(THETA, order), expected.evaluate(THETA, order)
        assert got.rows == wanted.rows
        assert got.loss == pytest.approx(wanted.loss, rel=1e-12)
        for one, other in ((got.gradient, wanted.gradient), (got.curvature, wanted.curvature)):
            assert (one is None) == (other is None)
            if one is not None:
                np.testing.assert_allclose(one, other, rtol=1e-10)


@pytest.mark.parametrize(
    "forward",
    [lambda x, a, b: (a * x + b)[:, None], lambda x, a, b: a * x + b + torch.zeros(len(x), dtype=torch.float64)],
    ids=["column", "plain"],
)
def test_a_column_of_predictions_is_as_good(forward):
    engine = TorchEngine(autograd_of_function(model(forward)), Rows(table()))
    wanted = NumpyEngine(EXPECTED, Rows(table())).evaluate(THETA, 1)
    np.testing.assert_allclose(engine.evaluate(THETA, 1).gradient, wanted.gradient, rtol=1e-12)


def test_the_same_prediction_for_every_row():
    data = table()
    for engine in (
        TorchEngine(autograd_of_function(model(lambda x, a: a**2, {"a": None})), Rows(data)),
        NumpyEngine(
            FunctionKernel(
                model(lambda x, a: a**2, {"a": None}),
                bind(lambda y, a: np.mean(2 * (a**2 - y) * 2 * a), COLUMNS),
            ),
            Rows(data),
        ),
    ):
        totals = engine.evaluate(np.array([1.5]), 2)
        assert totals.loss == pytest.approx(np.sum((2.25 - data["y"]) ** 2))
        np.testing.assert_allclose(totals.gradient, [np.sum(2 * (2.25 - data["y"]) * 3)])
        np.testing.assert_allclose(totals.curvature, [[2 * 9 * 30]], rtol=1e-8)


def complaint(run) -> str:
    with pytest.raises(ConfigError) as caught:
        run()
    return str(caught.value)


def numpy_with(gradient, forward=line):
    return lambda: NumpyEngine(FunctionKernel(model(forward), bind(gradient, COLUMNS)), Rows(table())).evaluate(
        THETA, 1
    )


def gradient(x, y, a, b):
    return RESULT["it"]


RESULT: dict[str, object] = {"it": None}


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (1.0, "`gradient` returned 1 numbers for 2 parameters (a, b). "
              "Return dJ/dparameter for each: a mean over rows, not one number per row."),
        (np.zeros(30), "`gradient` returned 30 numbers for 2 parameters (a, b). "
                       "Return dJ/dparameter for each: a mean over rows, not one number per row."),
        ((), "`gradient` returned 0 numbers for 2 parameters (a, b). "
             "Return dJ/dparameter for each: a mean over rows, not one number per row."),
        ({"a": 1.0}, "`gradient` returned no entry for `b`. Return dJ/dparameter for each of a, b."),
        (None, "`gradient` returned None, not numbers. Return dJ/dparameter for each of a, b."),
        ((1.0, None), "`gradient` returned (1.0, None), not numbers. Return dJ/dparameter for each of a, b."),
        ("ab", "`gradient` returned 'ab', not numbers. Return dJ/dparameter for each of a, b."),
    ],
)  # fmt: skip
def test_gradients_of_the_wrong_kind(result, message, monkeypatch):
    monkeypatch.setitem(RESULT, "it", result)
    assert complaint(numpy_with(gradient)) == message


def test_functions_without_a_name():
    assert complaint(numpy_with(functools.partial(gradient))).startswith("`the function` returned None, not numbers.")


def torch_with(forward):
    return lambda: TorchEngine(autograd_of_function(model(forward)), Rows(table())).evaluate(THETA, 1)


def forward_in_numpy(x, a, b):
    return np.exp(a * x) + b


def forward_as_list(x, a, b):
    return [1.0, 2.0]


def forward_as_matrix(x, a, b):
    return (a * x + b)[:, None] * torch.ones(2, dtype=torch.float64)


def forward_detached(x, a, b):
    return float(a) * x + float(b)


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (
            forward_in_numpy,
            "`forward_in_numpy` uses NumPy, which PyTorch cannot differentiate. Use torch functions in it "
            "(torch.exp, not np.exp), or give the gradient by hand: gradient=your_function.",
        ),
        (
            forward_as_list,
            "`forward_as_list` returned a list; it must return a tensor with one prediction per row.",
        ),
        (
            forward_as_matrix,
            "`forward_as_matrix` returned shape (30, 2) for 30 rows. It must return one prediction per row.",
        ),
        (
            forward_detached,
            "The prediction does not depend on the parameters in a way PyTorch can follow. "
            "Use torch functions (torch.exp, not np.exp or float), or give the gradient by hand.",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad:UserWarning")
def test_what_autograd_cannot_follow(forward, message):
    assert complaint(torch_with(forward)) == message


def test_a_mistake_in_the_function_stays_visible():
    def forward(x, a, b):
        raise RuntimeError("my own mistake")

    with pytest.raises(ConfigError) as caught:
        torch_with(forward)()
    assert str(caught.value) == "`forward` raised RuntimeError: my own mistake."
    assert isinstance(caught.value.__cause__, RuntimeError)  # so that a traceback shows the line


def one_by_one(x, w):
    return w * math.sin(x)


def empty(x, w):
    return {}["w"] * x


def by_one(x, y, w):
    return math.sin(x)


def from_nothing(x, y, w):
    return [0.0][len(x)]


ARRAYS = "It is called with NumPy arrays, many rows at once: use functions that take them, such as np.sin for math.sin."
LINE = {"x": np.linspace(0.1, 2.0, 20), "y": np.linspace(0.2, 4.0, 20)}


@pytest.mark.parametrize("verb", [descend.check, descend.fit])
@pytest.mark.parametrize(
    ("forward", "gradient", "begins", "ends"),
    [
        (one_by_one, lambda x, y, w: 0.0, "`one_by_one` raised TypeError: ", ARRAYS),
        (empty, lambda x, y, w: 0.0, "`empty` raised KeyError: 'w'.", ""),
        (lambda x, w: w * x, by_one, "`by_one` raised TypeError: ", ARRAYS),
        (lambda x, w: w * x, from_nothing, "`from_nothing` raised IndexError: list index out of range.", ""),
    ],
)
def test_a_function_that_raises_is_named_with_its_error(verb, forward, gradient, begins, ends):
    said = complaint(lambda: verb(forward, LINE, response="y", gradient=gradient, start={"w": 1.0}))
    assert said.startswith(begins)
    assert said.endswith(ends)


def test_a_torch_function_is_judged_by_autograd():
    judged = descend.check(lambda x, w: w * torch.exp(x), LINE, response="y", gradient="autograd", start={"w": 1.0})
    assert judged.agree
