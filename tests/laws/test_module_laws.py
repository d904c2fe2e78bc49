"""A run over a PyTorch module is the plain PyTorch loop: same steps, same losses, same random numbers."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from tests.laws.ranges import OF_ONE_NUMBER

import descend
from descend.engines.batches import shuffled
from descend.losses import LOSSES
from descend.training.optimizers import TRANSLATIONS

EXACT = {"max_iter": 1, "max_eval": 26, "tolerance_grad": 0, "tolerance_change": 0}
TWINS = [
    ("gd", lambda p: torch.optim.SGD(p, lr=0.05)),
    ("momentum(momentum=0.8)", lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.8)),
    ("nesterov", lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True)),
    ("nesterov(momentum=0.0)", lambda p: torch.optim.SGD(p, lr=0.05)),
    ("adagrad(epsilon=1e-6)", lambda p: torch.optim.Adagrad(p, lr=0.05, eps=1e-6)),
    ("rmsprop(decay=0.9)", lambda p: torch.optim.RMSprop(p, lr=0.05, alpha=0.9)),
    ("adam(beta1=0.8, beta2=0.99)", lambda p: torch.optim.Adam(p, lr=0.05, betas=(0.8, 0.99))),
    ("adamw(weight_decay=0.1)", lambda p: torch.optim.AdamW(p, lr=0.05, weight_decay=0.1)),
    ("lbfgs(history=3)", lambda p: torch.optim.LBFGS(p, 0.05, history_size=3, line_search_fn="strong_wolfe", **EXACT)),
    ('lbfgs(line_search="none")', lambda p: torch.optim.LBFGS(p, lr=0.05, history_size=10, **EXACT)),
    (torch.optim.NAdam, lambda p: torch.optim.NAdam(p, lr=0.05)),
    (torch.optim.Adam, lambda p: torch.optim.Adam(p, lr=0.05)),
]  # fmt: skip
BATCHED = [twin for twin in TWINS if "lbfgs" not in str(twin[0])]


def name(twin):
    return twin[0] if isinstance(twin[0], str) else twin[0].__name__


def network(*layers: torch.nn.Module) -> torch.nn.Module:
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Linear(2, 5), *(layers or [torch.nn.Tanh()]), torch.nn.Linear(5, 1)).double()


def rows(count: int = 60) -> tuple[torch.Tensor, torch.Tensor]:
    random = np.random.default_rng(0)
    X = random.normal(size=(count, 2))
    return torch.from_numpy(X), torch.from_numpy(np.sin(X[:, 0]) + X[:, 1] ** 2)


def plain_loop(module, make, X, y, epochs, batch_size=None):
    """The loop of every PyTorch tutorial; yields the flat parameters and the loss of each epoch's start."""
    optimizer = make(list(module.parameters()))
    trace = []

    def flat():
        return torch.cat([p.detach().flatten() for p in module.parameters()]).tolist()

    for epoch in range(epochs):
        trace.append(flat())
        parts = [np.arange(len(y))] if batch_size is None else shuffled(len(y), batch_size, 0, epoch)
        for part in parts:
            chosen = torch.from_numpy(part)

            def closure(chosen=chosen):
                optimizer.zero_grad()
                loss = torch.nn.functional.mse_loss(module(X[chosen])[:, 0], y[chosen])
                loss.backward()
                return loss

            optimizer.step(closure)
    return [*trace, flat()]


@pytest.mark.parametrize("twin", TWINS, ids=name)
def test_full_batch_is_the_plain_loop(twin):
    X, y = rows()
    expected = plain_loop(network(), twin[1], X, y, 50)
    module = network()
    fit = descend.fit(module, (X, y), optimizer=twin[0], learning_rate=0.05, epochs=50)
    assert len(fit.trace) == 51
    np.testing.assert_allclose([step.theta.values for step in fit.trace], expected, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(
        fit.trace[-1].theta.values, torch.cat([p.detach().flatten() for p in module.parameters()])
    )


@pytest.mark.parametrize("twin", BATCHED, ids=name)
def test_batches_are_the_plain_loop(twin):
    X, y = rows()
    expected = plain_loop(network(), twin[1], X, y, 50, batch_size=25)
    fit = descend.fit(network(), (X, y), optimizer=twin[0], learning_rate=0.05, epochs=50, batch_size=25)
    np.testing.assert_allclose([step.theta.values for step in fit.trace], expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("layers", [[torch.nn.Dropout(0.3)], [torch.nn.BatchNorm1d(5)]], ids=["dropout", "batch-norm"])
@pytest.mark.parametrize("batch_size", [None, 20])
def test_training_mode_is_the_plain_loop(layers, batch_size):
    X, y = rows()
    twin, module = network(*copy.deepcopy(layers)), network(*copy.deepcopy(layers))
    torch.manual_seed(0)  # as the run begins, without a seed
    expected = plain_loop(twin, lambda p: torch.optim.Adam(p, lr=0.01), X, y, 20, batch_size)
    torch.manual_seed(0)  # as the run begins, without a seed
    fit = descend.fit(module, (X, y), optimizer="adam", learning_rate=0.01, epochs=20, batch_size=batch_size)
    np.testing.assert_allclose([step.theta.values for step in fit.trace], expected, rtol=1e-10, atol=1e-10)
    for mine, theirs in zip(module.buffers(), twin.buffers(), strict=True):
        torch.testing.assert_close(mine, theirs)
    with torch.no_grad():
        twin.eval()
        expected_loss = torch.nn.functional.mse_loss(twin(X)[:, 0], y).item()
    assert fit.loss == pytest.approx(expected_loss, rel=1e-10)


@pytest.mark.parametrize("optimizer", ["gd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"])
def test_a_linear_module_takes_the_steps_of_the_formula(optimizer, line):
    module = torch.nn.Linear(1, 1).double()
    with torch.no_grad():
        module.weight.fill_(0.5)
        module.bias.fill_(-1.0)
    options = {"optimizer": optimizer, "learning_rate": 0.01, "epochs": 50}
    fit = descend.fit(module, line, inputs=["x"], response="y", **options)
    other = descend.fit("y ~ w*x + b", line, start={"w": 0.5, "b": -1.0}, **options)
    for mine, theirs in zip(fit.trace, other.trace, strict=True):
        assert mine.theta.values == pytest.approx(list(theirs.theta), rel=1e-10, abs=1e-10)
        assert mine.loss == pytest.approx(theirs.loss, rel=1e-10)
        assert mine.gradient_norm == pytest.approx(theirs.gradient_norm, rel=1e-9, abs=1e-10)
    assert fit.r_squared == pytest.approx(other.r_squared)


# The scale of a robust loss is estimated for a formula, unless it is given.
@pytest.mark.parametrize("loss", [str(LOSSES.build(name)) for name in OF_ONE_NUMBER])
def test_every_loss_is_that_of_the_formula(loss, line):
    y = line["y"] / 25
    module = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Softplus()).double()
    formula = "y ~ softplus(w*x + b)"
    with torch.no_grad():
        module[0].weight.fill_(0.1)
        module[0].bias.fill_(-1.0)
    options = {"optimizer": "gd", "learning_rate": 0.01, "epochs": 20, "loss": loss, "weights": "s"}
    data = {"x": line["x"], "y": y, "s": 1.0 + line["x"] % 1}
    fit = descend.fit(module, data, inputs=["x"], response="y", **options)
    other = descend.fit(formula, data, start={"w": 0.1, "b": -1.0}, **options)
    np.testing.assert_allclose(fit.trace.losses, other.trace.losses, rtol=1e-12)
    new = {"x": [0.5, 3.0]}
    np.testing.assert_allclose(fit.predict(new), other.predict(new), rtol=1e-12)


def test_every_translation_has_its_twin():
    assert {str(twin[0]).partition("(")[0] for twin in TWINS if isinstance(twin[0], str)} == set(TRANSLATIONS)


@pytest.mark.parametrize("optimizer", list(TRANSLATIONS))
def test_descends_at_the_suggested_rate(optimizer):
    X, y = rows()
    module = network()
    fit = descend.fit(module, (X, y), optimizer=optimizer, epochs=100)
    assert fit.loss < fit.trace[0].loss


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_keeps_the_precision_of_the_module(dtype):
    X, y = rows()
    module = network().to(dtype)
    fit = descend.fit(module, (X, y), optimizer="adam", learning_rate=0.01, epochs=5)
    assert {tensor.dtype for tensor in module.parameters()} == {dtype}
    assert {str(array.dtype) for array in fit.parameters.values()} == {str(dtype).removeprefix("torch.")}
    assert fit.predict(X).dtype == np.float64


def test_blocks_sum_to_the_whole(monkeypatch):
    X, y = rows()
    options = {"optimizer": "adam", "learning_rate": 0.01, "epochs": 10}
    whole = descend.fit(network(), (X, y), **options)
    monkeypatch.setattr("descend.models.module.BLOCK_ROWS", 7)
    blocks = descend.fit(network(), (X, y), **options)
    np.testing.assert_allclose(blocks.trace.losses, whole.trace.losses, rtol=1e-12)
    np.testing.assert_allclose(blocks.predict(X), whole.predict(X), rtol=1e-12)
