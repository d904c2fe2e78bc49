"""A run of a module that meets a number that is not finite: from the rows, a layer, the loss, or the way back."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from torch.utils import data as torch_data

import descend

X = torch.rand(40, 2, generator=torch.Generator().manual_seed(0)) + 0.1
Y = X[:, 0] - X[:, 1]


class Log(torch.nn.Module):
    def forward(self, x):
        return torch.log(x)


class Root(torch.nn.Module):
    """The length of a row, whose derivative at 0 is infinite."""

    def forward(self, x):
        return torch.sqrt((x**2).sum(dim=1, keepdim=True))


def net(*parts) -> torch.nn.Module:
    module, random = torch.nn.Sequential(*parts), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for tensor in module.parameters():
            tensor.uniform_(-0.5, 0.5, generator=random)
    return module


@pytest.fixture
def unseen(monkeypatch):
    """Let the first batch only be looked at before the first step."""
    monkeypatch.setattr("descend.training.sources.FIRST_ROWS", 8)


def fit(module, data, **options) -> descend.Fit:
    return descend.fit(module, data, **({"epochs": 3, "batch_size": 8, "learning_rate": 0.01} | options))


def loader(x=X, y=Y, size: int = 8):
    """Rows that are passed, so that nobody looks at all of them before."""
    rows = list(zip(x, y, strict=True))
    return torch_data.DataLoader(type("Rows", (list,), {})(rows), size)


def test_rows_that_are_not_finite(unseen):
    x = X.clone()
    x[35, 1] = float("nan")
    module = net(torch.nn.Linear(2, 1))
    found = fit(module, loader(x), batch_size=None)
    assert found.outcome == "diverged" and found.cause == "bad_rows"
    assert found.diagnosis.sentence == "X has missing or infinite values in row 4 of it, in batch 5 of epoch 1."
    assert "Correct these rows, or leave them out." in found.advice
    # Four steps were good, and their weights are kept.
    expected = net(torch.nn.Linear(2, 1))
    optimizer = torch.optim.Adam(expected.parameters(), lr=0.01)
    for begin in range(0, 32, 8):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(expected(X[begin : begin + 8])[:, 0], Y[begin : begin + 8]).backward()
        optimizer.step()
    for ours, theirs in zip(module.parameters(), expected.parameters(), strict=True):
        assert ours.detach().numpy() == pytest.approx(theirs.detach().numpy(), abs=1e-7)


def test_the_layer_and_the_rows_are_named():
    module = net(torch.nn.Linear(2, 1), Log(), torch.nn.Linear(1, 1))
    with torch.no_grad():
        module[0].weight.fill_(1.0)
        module[0].bias.fill_(0.0)
    found = fit(module, (X, -10 * X.sum(dim=1)), learning_rate=0.5, optimizer="gd", epochs=50)
    assert found.outcome == "diverged" and found.cause == "domain_error"
    sentence, evidence = found.diagnosis.sentence, found.diagnosis.evidence
    assert "the output of `1` (Log) was the first that is not finite, in row" in sentence
    assert evidence["layer"] == "`1` (Log)" and evidence["from"] == "forward"
    with torch.no_grad():
        bad = ~torch.isfinite(module[:2](X[evidence["rows"]])).numpy().ravel()
    assert bad.all(), "with the weights that are left, these rows have no logarithm"
    assert all(torch.isfinite(tensor).all() for tensor in module.parameters())


def test_what_is_done_between_layers_is_named():
    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.first, self.second = torch.nn.Linear(2, 1), torch.nn.Linear(1, 1)

        def forward(self, x):
            return self.second(torch.log(self.first(x) + 1.0))

    found = fit(Net(), (X, 100 * Y), learning_rate=0.3, optimizer="gd", epochs=50)
    assert found.diagnosis.evidence["layer"] == "what is done before `second` (Linear)"
    assert re.fullmatch(
        r"The loss had grown from 1135 to [\d.]+: use a smaller learning rate. Or else: Keep what it is given where it "
        r"has a value\. Where the weights have grown, a smaller learning rate or `clip` helps\.",
        found.diagnosis.advice,
    )


def test_a_gradient_that_is_not_finite(unseen):
    x = X.clone()
    x[20] = 0.0
    module = net(torch.nn.Linear(2, 2, bias=False), Root(), torch.nn.Linear(1, 1))
    found = fit(module, loader(x), batch_size=None)
    assert found.outcome == "diverged"
    assert found.diagnosis.sentence == (
        "in batch 3 of epoch 1 the loss was finite, but its gradient was not, first that through `1` (Root): the step "
        "made `0.weight` not finite."
    )
    assert "Roots and norms have no derivative at 0: add a small number inside them." in found.advice
    assert all(torch.isfinite(tensor).all() for tensor in module.parameters())


def test_a_loss_that_is_not_finite():
    def log_loss(output, y):
        return (torch.log(output + 0.3) * y).mean()

    module = net(torch.nn.Linear(2, 1))
    with torch.no_grad():
        module[0].weight.fill_(0.5)
        module[0].bias.fill_(0.0)
    found = fit(module, (X, torch.ones(40)), loss=log_loss, learning_rate=0.2, optimizer="gd", epochs=200)
    assert found.outcome == "diverged"
    assert "the loss is not finite, though what `Sequential` returns is." in found.diagnosis.sentence


@pytest.mark.parametrize("rate", [5.0, 1e5])
@pytest.mark.parametrize("layers", [1, 6])
def test_where_the_loss_grew_the_rate_is_to_blame(rate, layers):
    """However it ends: in weights, in a layer or in the loss, after many batches or two."""
    parts = [part for _ in range(layers) for part in (torch.nn.Linear(2, 2), torch.nn.ReLU())]
    found = fit(net(*parts, torch.nn.Linear(2, 1)), (X, 30 * Y), learning_rate=rate, optimizer="gd", epochs=60)
    if found.outcome == "diverged":  # a network of which all units died has a loss of its own
        assert found.cause == "rate_too_large" and "learning_rate" in found.advice
    else:
        assert (rate, layers) != (5.0, 1)


def test_where_the_loss_of_a_stream_grew_the_rate_is_to_blame():
    module = net(torch.nn.Linear(2, 8), torch.nn.Softplus(), torch.nn.Linear(8, 1))
    found = fit(module, loader(y=30 * Y, size=2), batch_size=None, learning_rate=5.0, optimizer="gd", epochs=20)
    assert found.outcome == "diverged" and found.cause == "rate_too_large"
    evidence, said = found.diagnosis.evidence, found.diagnosis.sentence
    assert evidence["last_loss"] > 1e4 * evidence["first_loss"]
    assert said == (
        f"the learning rate is too large: the loss was {evidence['first_loss']:.4g} before the first step and "
        f"{evidence['last_loss']:.4g} before it was not finite in batch {evidence['batch']} of epoch "
        f"{evidence['epoch']}."
    )
    assert found.diagnosis.advice == (
        'Use a smaller `learning_rate`, such as a tenth, or learning_rate="auto"; or cut the gradient: clip=1.'
    )


def test_a_healthy_run_has_no_fault():
    found = fit(net(torch.nn.Linear(2, 1)), (X, Y))
    assert found.outcome == "epochs_used_up" and np.isfinite(found.trace.losses).all()
