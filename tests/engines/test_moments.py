"""One pass over the rows, then the sums of every other engine, to rounding."""

from __future__ import annotations

import numpy as np
import pytest

import descend
import descend.engines.moments as moments
from descend.engines.moments import MomentsEngine
from descend.engines.numpy_engine import NumpyEngine
from descend.errors import ConfigError
from descend.formula import read_formula
from descend.gradients.derived import derived
from descend.losses import LOSSES
from descend.optimizers import OPTIMIZERS
from descend.table.rows import Roles, Rows

FORMULAS = {
    "y ~ a*x": 1,
    "y ~ c": 1,
    "y ~ a + b*x + c*x^2 + d*sin(x)": 4,
    "y ~ 3*x + w @ [x, z, x*z] + b": 4,
    "y - z ~ w @ [x, z] + v @ [z, u] + 1": 4,
    "log(2 + u) ~ 2*(a - b*x)/(1 + z^2) + where(x > 1, a, c*u)": 3,
    "y ~ a + b*x + c*x^2 + d*x^3 + e*x^4 + f*x^5": 6,
    "y ~ w @ [x, z] + v @ [x, u]": 4,
}
every_formula = pytest.mark.parametrize("text", FORMULAS)
both_weights = pytest.mark.parametrize("weights", [None, "omega"], ids=["plain", "weighted"])
whole_or_blocks = pytest.mark.parametrize("in_blocks", [False, True], ids=["whole", "blocks"])


def table(rows=300):
    rng = np.random.default_rng(7)
    data = {name: rng.uniform(0.1, 2.0, rows) for name in ("x", "z", "u", "omega")}
    return data | {"y": 1 + data["x"] - data["z"] + rng.normal(size=rows)}


def program(text, data, loss="squared"):
    return derived(read_formula(text, tuple(data)), LOSSES.build(loss))


def assert_same(one, other, tolerance=1e-10):
    assert one.rows == pytest.approx(other.rows, rel=1e-14)
    assert one.loss == pytest.approx(other.loss, rel=tolerance)
    for mine, theirs in ((one.gradient, other.gradient), (one.curvature, other.curvature)):
        assert (mine is None) == (theirs is None)
        if mine is not None:
            np.testing.assert_allclose(mine, theirs, rtol=tolerance, atol=tolerance * np.abs(theirs).max())


@pytest.fixture
def blocks(monkeypatch):
    monkeypatch.setattr(moments, "SAMPLE", 40)
    monkeypatch.setattr(moments, "BLOCK", 64)


def compared(text, data, weights=None, at=(0.3, 0.9, 1.001)):
    """Compare all orders at 0, here and there, and near the least-squares answer."""
    what = program(text, data)
    mine, theirs = MomentsEngine(what, Rows.of(data, Roles(weights))), NumpyEngine(what, Rows.of(data, Roles(weights)))
    size = what.parameters.size
    answer = np.linalg.lstsq(*normal_equations(theirs, size), rcond=None)[0]
    for theta in (np.zeros(size), np.linspace(-1, 2, size), *(share * answer for share in at)):
        for order in (0, 1, 2):
            assert_same(mine.evaluate(theta, order), theirs.evaluate(theta, order))
        totals, factor = theirs.evaluate(theta, 2), mine.evaluate(theta, 3).factor
        scale = np.sqrt(np.append(totals.curvature.diagonal(), 2 * totals.loss))
        whole = factor.T @ factor / scale / scale[:, None]
        np.testing.assert_allclose(whole[:-1, :-1], totals.curvature / np.outer(scale[:-1], scale[:-1]), atol=1e-12)
        np.testing.assert_allclose(whole[:-1, -1], totals.gradient / scale[:-1] / scale[-1], atol=1e-10)
        np.testing.assert_array_equal(factor, np.triu(factor))
    return mine


def normal_equations(engine, size):
    at_zero = engine.evaluate(np.zeros(size), 2)
    return at_zero.curvature, -at_zero.gradient


@whole_or_blocks
@both_weights
@every_formula
def test_totals_are_those_of_the_rows(text, weights, in_blocks, request):
    if in_blocks:
        request.getfixturevalue("blocks")
    compared(text, table(), weights)


@whole_or_blocks
@both_weights
def test_no_digits_are_lost_where_the_response_is_far_from_zero(weights, in_blocks, request):
    if in_blocks:
        request.getfixturevalue("blocks")
    data = table()
    data["y"] = 1e8 + 1e-2 * data["y"]
    compared("y ~ a + b*x + c*sin(z)", data, weights, at=(0.3, 1 + 1e-4))


@whole_or_blocks
def test_columns_of_wild_scales(in_blocks, request):
    if in_blocks:
        request.getfixturevalue("blocks")
    data = table()
    data |= {"x": 1e60 * data["x"], "z": 1e-60 * data["z"]}
    what = program("y ~ a + b*x + c*z", data)
    mine, theirs = MomentsEngine(what, Rows(data)), NumpyEngine(what, Rows(data))
    for theta in (np.zeros(3), np.array([1.0, 1e-60, -2e60])):
        one, other = mine.evaluate(theta, 2), theirs.evaluate(theta, 2)
        assert one.loss == pytest.approx(other.loss, rel=1e-10)
        np.testing.assert_allclose(one.gradient, other.gradient, rtol=1e-10)
        np.testing.assert_allclose(one.curvature, other.curvature, rtol=1e-10)


@pytest.mark.parametrize("path", ["moments", "divided", "qr"])
def test_all_three_ways_to_the_triangle_agree(path, blocks, monkeypatch):
    """Dates in years beside a constant: so ill-conditioned that their moments would lose the trend."""
    data = table()
    data |= {"x": 2000 + data["x"]} if path != "moments" else {}
    if path == "qr":
        monkeypatch.setattr(moments, "SOLVABLE", 2.0)
    engine = compared("y ~ a + b*x", data, at=(0.9, 1.001))
    assert engine.well == (path == "moments")


def test_a_column_that_the_sample_misses(blocks):
    data = table()
    data["x"] = np.zeros(300)
    data["x"][299] = 1.0  # no row of the sample
    assert compared("y ~ a + b*x", data).well


@whole_or_blocks
def test_columns_that_repeat_each_other(in_blocks, request):
    if in_blocks:
        request.getfixturevalue("blocks")
    data = table()
    compared("y ~ w @ [x, z, x + z] + a", data)


def test_fewer_rows_than_parameters():
    compared("y ~ w @ [x, z, u, x*z] + a", table(rows=3), at=(0.3,))


def test_rows_that_are_named_are_summed_one_by_one():
    data = table()
    what, some = program("y ~ a + b*x", data), np.array([3, 1, 44, 1])
    mine, theirs = (engine(what, Rows.of(data, Roles("omega"))) for engine in (MomentsEngine, NumpyEngine))
    assert_same(mine.evaluate(np.ones(2), 2, some), theirs.evaluate(np.ones(2), 2, some), 0)


def test_a_column_that_is_not_finite_leaves_no_number():
    data = table()
    with np.errstate(all="ignore"):
        totals = MomentsEngine(program("y ~ a + b*log(x - 1)", data), Rows(data)).evaluate(np.zeros(2), 1)
    assert np.isnan(totals.loss)


@pytest.mark.parametrize("penalty", ["plain", "l1", "l2", "weights", "bounds"])
@pytest.mark.parametrize("optimizer", [*OPTIMIZERS])
def test_every_optimizer_takes_the_same_way(optimizer, penalty):
    kind = OPTIMIZERS[optimizer]
    if (penalty == "l1" and not kind.proximal) or (penalty == "bounds" and not kind.bounded):
        pytest.skip("refused")
    given = {"plain": {}, "weights": {"weights": "omega"}, "bounds": {"bounds": ["b < 0.8"]}}
    options = given.get(penalty, {penalty: 0.05})
    fits = [
        descend.fit("y ~ a + b*x + c*x^2", table(), optimizer=optimizer, epochs=20, engine=engine, **options)
        for engine in ("moments", "numpy")
    ]
    mine, theirs = fits
    assert (mine.engine, theirs.engine, mine.outcome) == ("moments", "numpy", theirs.outcome)
    # Where an optimizer ends by itself once rounding is all that is left, rounding decides on the last steps.
    assert abs(mine.epochs - theirs.epochs) <= 2 * kind.thorough
    for one, other in zip(mine.trace, theirs.trace, strict=False):
        np.testing.assert_allclose(one.theta, other.theta, rtol=1e-7, atol=1e-9)
        assert one.loss == pytest.approx(other.loss, rel=1e-10)


def test_standard_errors_and_the_rest_of_a_fit_are_the_same():
    mine, theirs = (descend.fit("y ~ a + b*x + c*z", table(), engine=engine) for engine in ("auto", "numpy"))
    assert mine.engine == "moments"
    for name in "abc":
        assert mine.parameters[name] == pytest.approx(theirs.parameters[name], rel=1e-10)
        assert mine.standard_errors[name] == pytest.approx(theirs.standard_errors[name], rel=1e-10)


@pytest.mark.parametrize(
    ("text", "options", "engine"),
    [
        ("y ~ a + b*x", {}, "moments"),
        ("y ~ a + b*x", {"batch_size": 50}, "numpy"),
        ("y ~ a + b*x", {"loss": "huber(delta=1)"}, "numpy"),
        ("y ~ a*exp(b*x)", {}, "numpy"),
        ("y ~ a + b*x + a*b", {}, "numpy"),
        ("y ~ a*x", {"gradient": "a = mean(2*x*(a*x - y))"}, "numpy"),
        ("y ~ a*exp(b*x)", {"fix": {"b": 0.5}}, "moments"),
    ],
)
def test_moments_are_chosen_where_they_serve(text, options, engine):
    assert descend.fit(text, table(), epochs=2, optimizer="gd", learning_rate=0.01, **options).engine == engine


ADVICE = 'Leave out the engine, or use engine="numpy".'


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (
            "y ~ a*x",
            {"batch_size": 50},
            "The engine `moments` passes over all rows once, so it takes no batches. Leave out the batch size, or use "
            'engine="numpy".',
        ),
        (
            "y ~ a*x",
            {"loss": "huber(delta=1)"},
            f"The engine `moments` is for the squared loss, not for the huber loss. {ADVICE}",
        ),
        (
            "y ~ a*exp(b*x)",
            {},
            "The engine `moments` is for formulas that are linear in all their parameters, which `y ~ a*exp(b*x)` is "
            f"not. {ADVICE}",
        ),
        (
            "y ~ a*x",
            {"gradient": "a = mean(2*x*(a*x - y))"},
            "The engine `moments` derives the gradient from the moments of the data, so it cannot sum one written by "
            f"hand. {ADVICE}",
        ),
        (
            "y ~ a*x",
            {"gradient": lambda x, y, a: np.mean(2 * x * (a * x - y))},
            'The gradient by a Python function runs on the engine `numpy`, not on `moments`. Use engine="numpy", or '
            "another gradient.",
        ),
        (
            "y ~ a*x",
            {"gradient": "autograd"},
            'The autograd gradient runs on the engine `torch`, not on `moments`. Use engine="torch", or another '
            "gradient.",
        ),
        (
            "y ~ a*x",
            {"device": "cpu"},
            'A device goes with the engine `torch`, not with `moments`. Leave out the device, or use engine="torch".',
        ),
    ],
)
def test_what_moments_refuse(text, options, message):
    with pytest.raises(ConfigError) as caught:
        descend.fit(text, table(), engine="moments", optimizer="gd", **options)
    assert str(caught.value) == message


@pytest.mark.parametrize("epochs", [500, 10**9])
def test_rows_that_were_read_once_count_once(epochs):
    x = np.linspace(0.0, 1.0, 1000)
    line = {"x": x, "y": 1.0 + 2.0 * x + 0.1 * np.sin(40.0 * x)}
    fit = descend.fit("y ~ a + b*x", line, optimizer="gd", learning_rate=0.1, epochs=epochs)
    assert (fit.engine, fit.passes, fit.summary()["passes"]) == ("moments", 1.0, 1.0)
    asked = descend.fit("y ~ a + b*x", line, optimizer="gd", learning_rate=0.1, epochs=50, engine="query")
    assert (asked.engine, asked.passes) == ("query", 1.0)
    assert descend.fit("y ~ a + b*x", line, engine="numpy", optimizer="gd", learning_rate=0.1, epochs=50).passes > 50
