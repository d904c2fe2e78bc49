"""Many rows: shares of threads, and one compiled kernel, sum to the same numbers as blocks one after the other."""

from __future__ import annotations

import shutil
from functools import cache

import numpy as np
import pytest
from tests.laws.ranges import PLAIN, within

import descend
import descend.engines.moments as moments_engine
import descend.engines.numpy_engine as numpy_engine
import descend.engines.torch_engine as torch_engine
from descend.engines import threads
from descend.engines.fused import fused, split
from descend.engines.moments import MomentsEngine
from descend.engines.numpy_engine import NumpyEngine
from descend.formula import read_formula
from descend.gradients.derived import derived
from descend.losses import LOSSES
from descend.table.rows import Roles, Rows

ROWS = 70_001
FORMULAS = {
    "y ~ a*exp(-b*x) + c": [0.5, 0.6, 0.2],
    "y ~ exp(w @ [x, z, x*z, log(u)] + c)": [0.3, -0.2, 0.1, 0.2, -0.9],
    "y ~ 0.5 + abs(a)*(w @ [x, z])^2 + b*log(1 + u) + exp(w @ [z, u])": [0.1, 0.2, 0.2, 0.3],
    "y ~ sigmoid(a + b*x + c*z^2)": [-0.5, 0.8, 0.3],
    "y ~ where(x > 1, a, b*u)^2 + tanh(c*z) + 0.1": [0.7, 0.4, 0.3],
    "sqrt(y) ~ 0.3 + exp(c)": [-0.3],
}
every_loss = pytest.mark.parametrize("loss", [*PLAIN, "huber(delta=0.2)"])
both_weights = pytest.mark.parametrize("weights", [None, "omega"], ids=["plain", "weighted"])


@cache
def table():
    rng = np.random.default_rng(7)
    return {name: rng.uniform(0.1, 0.9, ROWS) for name in ("x", "z", "u", "y", "omega")}


@cache
def program(text, loss):
    built = LOSSES.build(loss)
    return derived(read_formula(within(text, built), tuple(table()), excluded=("omega",)), built)


def assert_same(mine, theirs, factor=False):
    assert mine.rows == pytest.approx(theirs.rows, rel=1e-12)
    assert mine.loss == pytest.approx(theirs.loss, rel=1e-10)
    for ours, expected in ((mine.gradient, theirs.gradient), (mine.curvature, theirs.curvature)):
        if expected is not None:
            np.testing.assert_allclose(ours, expected, rtol=1e-10, atol=1e-10 * np.abs(expected).max())
    if factor:
        np.testing.assert_allclose(
            mine.factor.T @ mine.factor, theirs.factor.T @ theirs.factor, rtol=1e-9, atol=1e-9 * mine.rows
        )


@every_loss
@both_weights
@pytest.mark.parametrize("text", FORMULAS)
def test_shares_sum_to_the_whole_and_no_bit_depends_on_the_number_of_threads(text, loss, weights, monkeypatch):
    what, theta = program(text, loss), np.array(FORMULAS[text])
    monkeypatch.setattr(numpy_engine, "LARGE", np.inf)
    whole = NumpyEngine(what, Rows.of(table(), Roles(weights)))
    assert not whole.shared
    monkeypatch.setattr(numpy_engine, "MANY", 1)
    shared = NumpyEngine(what, Rows.of(table(), Roles(weights)))
    assert shared.shared
    for order in range(4):
        mine = shared.evaluate(theta, order)
        assert_same(mine, whole.evaluate(theta, order), factor=order == 3)
        monkeypatch.setattr(threads, "processors", lambda: 3)
        for one, other in zip(mine, shared.evaluate(theta, order), strict=True):
            np.testing.assert_array_equal(one, other)
    some = np.array([5, 69_000, 17])
    assert_same(shared.evaluate(theta, 2, some), whole.evaluate(theta, 2, some))


@every_loss
@both_weights
@pytest.mark.parametrize("text", [text for text in FORMULAS if "@" not in text])
def test_one_kernel_has_the_same_sums(text, loss, weights):
    import torch

    what, theta = program(text, loss), np.array(FORMULAS[text])
    kernel, plain = fused(what, weights is not None), NumpyEngine(what, Rows.of(table(), Roles(weights)))
    block = tuple(torch.from_numpy(array.copy()) for array in kernel.prepare(plain.rows))
    for order in range(3):
        sums = kernel.functions[order](torch.from_numpy(theta), block).numpy()
        expected = plain.evaluate(theta, order)
        assert_same(expected._replace(**dict(zip(("loss", "gradient", "curvature"), split(sums, theta.size, order),
                                                 strict=True))), expected)  # fmt: skip


def test_what_only_products_of_matrices_serve_has_no_kernel():
    assert fused(program("y ~ exp(w @ [x, z, x*z, log(u)] + c)", "squared"), False) is None


@both_weights
def test_moments_of_shares_are_those_of_the_whole(weights, monkeypatch):
    what, theta = program("y ~ a + b*x + c*log(z)", "squared"), np.array([0.1, 0.2, 0.3])
    whole = MomentsEngine(what, Rows.of(table(), Roles(weights)))
    monkeypatch.setattr(moments_engine, "MANY", 1)
    monkeypatch.setattr(moments_engine, "SHARE", 8_192)
    shared = MomentsEngine(what, Rows.of(table(), Roles(weights)))
    for order in range(3):
        assert_same(shared.evaluate(theta, order), whole.evaluate(theta, order))


@pytest.mark.parametrize("options", [{}, {"loss": "huber"}, {"optimizer": "gd", "learning_rate": 0.1, "epochs": 20}])
def test_a_fit_by_threads_is_the_same_to_the_last_bit_when_it_is_run_again(options, monkeypatch):
    monkeypatch.setattr(numpy_engine, "MANY", 1)
    monkeypatch.setattr(threads, "processors", lambda: 3)
    one, other = (descend.fit("y ~ a*exp(-b*x) + c", table(), **options) for _ in range(2))
    assert one.engine == "numpy"
    np.testing.assert_array_equal(one.theta, other.theta)
    assert one.loss == other.loss


def test_few_epochs_repay_no_compiler_and_many_do():
    what = program("y ~ a*exp(-b*x) + c", "squared")
    assert not torch_engine.pays(what, 10_000_000, None, instead_of="numpy")
    assert not torch_engine.pays(what, 1_000, 1_000, instead_of="torch")
    assert torch_engine.pays(what, 10_000_000, 1_000, instead_of="numpy") == bool(
        shutil.which("g++") or shutil.which("clang++")
    )


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler")
def test_a_long_descent_is_compiled_says_so_and_takes_the_same_steps(monkeypatch):
    monkeypatch.setattr(torch_engine, "COMPILING", 0.0)
    monkeypatch.setattr("descend.problem.engine_choice.LONG", 1)
    monkeypatch.setattr("descend.problem.engine_choice.FEW", 1)
    request = {"start": {"a": 1.0, "b": 1.0, "c": 0.0}, "optimizer": "gd", "learning_rate": 0.1, "epochs": 50}
    fit = descend.fit("y ~ a*exp(-b*x) + c", table(), **request)
    assert fit.engine == "torch"
    assert "engine torch, chosen because 50 epochs over 70,001 rows repay compiling a kernel" in fit.notes
    plain = descend.fit("y ~ a*exp(-b*x) + c", table(), engine="numpy", **request)
    np.testing.assert_allclose(fit.theta, plain.theta, rtol=1e-12)


def test_without_a_working_compiler_the_sums_are_made_step_by_step(monkeypatch):
    import torch

    monkeypatch.setattr(torch_engine, "pays", lambda *_, **__: True)

    def broken(function, dynamic):
        def call(*_):
            raise RuntimeError("no compiler")

        return call

    monkeypatch.setattr(torch, "compile", broken)
    what, theta = program("y ~ a*exp(-b*x) + c", "squared"), np.array([0.5, 0.6, 0.2])
    sums = torch_engine.TorchEngine(what, Rows(table()), "cpu")
    assert_same(sums.evaluate(theta, 2), NumpyEngine(what, Rows(table())).evaluate(theta, 2))
    assert sums.fused is None
