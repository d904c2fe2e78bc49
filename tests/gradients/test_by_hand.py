"""A gradient given as text: the same run as the derived one however it is written, and every message."""

from __future__ import annotations

import numpy as np
import pytest

from descend.engines.numpy_engine import NumpyEngine
from descend.engines.torch_engine import TorchEngine
from descend.errors import FormulaError
from descend.formula import read_formula
from descend.formula.functions import DERIVED_ONLY, FUNCTIONS
from descend.gradients.by_hand import by_hand
from descend.gradients.derived import derived
from descend.losses import LOSSES
from descend.table.rows import Roles, Rows

COLUMNS = ("x", "y", "z", "unit price", "omega", "site")
ROWS = 40


def table() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {name: rng.uniform(0.2, 2.0, ROWS) for name in COLUMNS}


def program(text, gradient, loss="squared"):
    return by_hand(read_formula(text, COLUMNS), LOSSES.build(loss), tuple(gradient), COLUMNS)


TEXTBOOK = [
    "w = mean(2*w*x*x - 2*x*y)",
    "w = mean(2*w*x^2 - 2*x*y)",
    "w = 2*mean(x*(w*x - y))",
    "w = sum(2*x*(w*x - y))/n",
    "w = 2*w*mean(x^2) - 2*mean(x*y)",
    "w = (2*w*sum(x*x) - 2*sum(x*y))/sum(1)",
    "w=mean(２×x×（w×x − y）)",
]


@pytest.mark.parametrize("weights", [None, "omega"])
@pytest.mark.parametrize("engine", [NumpyEngine, TorchEngine])
@pytest.mark.parametrize("text", TEXTBOOK)
def test_the_textbook_gradient_however_it_is_written(text, engine, weights):
    what = program("y ~ w*x", [text])
    derivation = derived(read_formula("y ~ w*x", COLUMNS), LOSSES.build("squared"))
    theta, rows = np.array([0.7]), np.arange(0, ROWS, 3)
    for chosen in (None, rows):
        by_text = engine(what, Rows.of(table(), Roles(weights))).evaluate(theta, 2, chosen)
        expected = engine(derivation, Rows.of(table(), Roles(weights))).evaluate(theta, 2, chosen)
        assert by_text.loss == pytest.approx(expected.loss, rel=1e-13)
        np.testing.assert_allclose(by_text.gradient, expected.gradient, rtol=1e-12)
        np.testing.assert_allclose(by_text.curvature, expected.curvature, rtol=1e-12)


@pytest.mark.parametrize(
    ("formula", "loss", "gradient", "theta"),
    [
        ("y ~ a*exp(-b*x) + c", "squared",
         ["a = mean(2*(a*exp(-b*x) + c - y)*exp(-b*x))", "c = 2*mean(a*exp(-b*x)) + 2*c - 2*mean(y)",
          "b = -2*a*mean((a*exp(-b*x) + c - y)*x*exp(-b*x))"], [1.5, 0.4, 0.2]),
        ("y ~ w @ [x, z] + b", "squared",
         ["w[x] = mean(2*(w @ [x, z] + b - y)*x)", "w[z] = 2*mean(z*(w @ [x, z] + b - y))",
          "b = mean(2*(w @ [x, z] + b - y))"], [0.3, -0.4, 0.1]),
        ("y ~ w @ [*] + b*x", "squared",
         ["w[z] = mean(2*(w @ [*] + b*x - y)*z)", "w[`unit price`] = mean(2*`unit price`*(w @ [*] + b*x - y))",
          "w[omega] = mean(2*(w @ [*] + b*x - y)*omega)", "w[site] = mean(2*(w @ [*] + b*x - y)*site)",
          "b = mean(2*(w @ [z, `unit price`, omega, site] + b*x - y)*x)"], [0.3, -0.4, 0.1, 0.2, 0.5]),
        ("log(y) ~ a*x", "huber(delta=0.5)", ["a = mean(min(max(a*x - log(y), -0.5), 0.5)*x)"], [0.8]),
        ("y ~ exp(a + b*x)", "poisson",
         ["a = mean(exp(a + b*x) - y)", "b = mean(x*(exp(a + b*x) - y))"], [0.1, 0.3]),
        ("y ~ n*x", "absolute", ["n = mean(where(n*x > y, x, -x))"], [0.6]),
        ("y ~ c", "squared", ["c = 2*(c - mean(y))"], [0.6]),
        ("y ~ c", "squared", ["c = 2*c - 2*sum(y)/n + mean(0)"], [0.6]),
    ],
)  # fmt: skip
def test_by_hand_is_derived(formula, loss, gradient, theta):
    what = program(formula, gradient, loss)
    expected = NumpyEngine(derived(what.formula, what.loss), Rows(table())).evaluate(np.array(theta), 1)
    for engine in (NumpyEngine, TorchEngine):
        got = engine(what, Rows(table())).evaluate(np.array(theta), 1)
        np.testing.assert_allclose(got.gradient, expected.gradient, rtol=1e-11)


def test_a_wrong_gradient_is_used_as_it_is():
    got = NumpyEngine(program("y ~ w*x", ["w = 3"]), Rows(table())).evaluate(np.array([0.7]), 1)
    np.testing.assert_allclose(got.gradient, [3.0 * ROWS])


def test_columns_that_only_the_gradient_reads():
    what = program("y ~ w*x", ["w = mean(z*(w*x - y))"])
    data = table()
    assert what.more_columns == ("z",)
    got = NumpyEngine(what, Rows(data)).evaluate(np.array([0.7]), 1)
    np.testing.assert_allclose(got.gradient, [np.sum(data["z"] * (0.7 * data["x"] - data["y"]))])


EXAMPLE = "Write it as `w = mean(2*x*(w*x - y))`."
MESSAGES = [
    ("y ~ w*x", [], "No gradient is given for `w`. Add one, for example `w = mean(...)`."),
    ("y ~ w*x + b", ["w = mean(x)"], "No gradient is given for `b`. Add one, for example `b = mean(...)`."),
    (
        "y ~ w @ [x, z]",
        ["w[x] = mean(x)"],
        "No gradient is given for `w[z]`. Add one, for example `w[z] = mean(...)`.",
    ),
    (
        "y ~ w*x",
        ["w = mean(x)", "w = mean(y)"],
        "The gradient of `w` is given twice. Give one for each parameter.",
    ),
    (
        "y ~ slope*x",
        ["slop = mean(x)"],
        "There is no parameter `slop` to give a gradient for. Did you mean `slope`? Parameters: slope.",
    ),
    (
        "y ~ w @ [x, z]",
        ["w = mean(x)"],
        "There is no parameter `w` to give a gradient for. Did you mean `w[x]` or `w[z]`? Parameters: w[x], w[z].",
    ),
    (
        "y ~ slope*x",
        ["slope = mean(slop*x)"],
        "`slop` is neither a column nor a parameter of the formula. Did you mean `slope`?\n"
        "    slope = mean(slop*x)\n                 ^^^^\nParameters: slope.",
    ),
    (
        "y ~ w*x",
        ["w = mean(X*x)"],
        "`X` is neither a column nor a parameter of the formula. Did you mean `x`?\n"
        "    w = mean(X*x)\n             ^\nParameters: w.",
    ),
    (
        "y ~ w*x",
        ["w = 2*x"],
        f"`x` differs from row to row, so it must stand inside mean( ) or sum( ).\n    w = 2*x\n        ^^^\n{EXAMPLE}",
    ),
    (
        "y ~ w*x",
        ["w = mean(x - mean(x))"],
        "mean( ) and sum( ) cannot stand inside each other.\n"
        f"    w = mean(x - mean(x))\n        ^^^^^^^^^^^^^^^^^\n{EXAMPLE}",
    ),
    (
        "y ~ w*x",
        ["w = mean(x, y)"],
        "`mean` takes 1 argument, not 2.\n    w = mean(x, y)\n        ^^^^^^^^^^\nCheck the brackets.",
    ),
    (
        "y ~ w @ [x, z]",
        ["w[x] = mean(w*x)"],
        "The formula does not hold `w`.\n    w[x] = mean(w*x)\n                ^\nIt holds `w @ [x, z]`: write that.",
    ),
    (
        "y ~ w @ [x, z]",
        ["w[x] = mean((w @ [z, x])*x)"],
        "The formula does not hold `w @ [z, x]`.\n    w[x] = mean((w @ [z, x])*x)\n                 ^\n"
        "It holds `w @ [x, z]`: write that.",
    ),
    (
        "y ~ w*x",
        ["w = mean(w @ [x] - y)"],
        "`w` is a number in the formula, not a vector.\n    w = mean(w @ [x] - y)\n             ^\nWrite `w`.",
    ),
    (
        "y ~ w*x",
        ["w = meen(x)"],
        f"There is no function `meen`. Did you mean `mean`?\n    w = meen(x)\n        ^^^^\n"
        f"Known: {', '.join((*FUNCTIONS, *DERIVED_ONLY))}, mean, sum.",
    ),
    (
        "y ~ w*x",
        ["mean(x)"],
        f"A name and `=` must come first.\n    mean(x)\n        ^\n{EXAMPLE}",
    ),
]


@pytest.mark.parametrize(("formula", "gradient", "message"), MESSAGES, ids=[str(m[1]) for m in MESSAGES])
def test_messages(formula, gradient, message):
    with pytest.raises(FormulaError) as caught:
        program(formula, gradient)
    assert str(caught.value) == message
