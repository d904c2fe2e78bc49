"""Gradients of PyTorch modules before the court."""

from __future__ import annotations

import pytest
import torch

import descend
from descend.errors import ConfigError


def rows():
    torch.manual_seed(0)
    X = torch.randn(40, 2)
    return X, X @ torch.tensor([1.0, -2.0]) + 0.3 + 0.1 * torch.randn(40)


def right(module, X, y):
    r = module(X)[:, 0] - y
    return {"weight": (2 * r[:, None] * X).mean(0, keepdim=True), "bias": (2 * r).mean()[None]}


def halved(module, X, y):
    found = right(module, X, y)
    return [found["weight"] / 2, found["bias"]]


def test_by_a_function():
    module = torch.nn.Linear(2, 1)
    before = [tensor.clone() for tensor in module.parameters()]
    assert descend.check(module, rows(), gradient=right).agree
    judged = descend.check(module, rows(), gradient=halved)
    assert [finding.verdict for finding in judged.parameters.values()] == ["factor", "factor", "correct"]
    assert judged.parameters["weight[0,1]"].factor == 0.5
    assert all((one == other).all() for one, other in zip(before, module.parameters(), strict=True))


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.tanh(x)

    @staticmethod
    def backward(ctx, back):
        (x,) = ctx.saved_tensors
        return 2 * back * (1 - torch.tanh(x) ** 2)


class Net(torch.nn.Module):
    def __init__(self, activation):
        super().__init__()
        self.first, self.last, self.activation = torch.nn.Linear(2, 2), torch.nn.Linear(2, 1), activation

    def forward(self, x):
        return self.last(self.activation(self.first(x)))


@pytest.mark.parametrize(("activation", "verdict"), [(torch.tanh, "correct"), (Doubled.apply, "factor")])
def test_by_a_backward(activation, verdict):
    torch.manual_seed(1)
    judged = descend.check(Net(activation), rows(), gradient="autograd")
    assert {f.verdict for name, f in judged.parameters.items() if name.startswith("first")} == {verdict}
    assert {f.verdict for name, f in judged.parameters.items() if name.startswith("last")} == {"correct"}


@pytest.mark.parametrize(
    ("gradient", "message"),
    [
        ("w = 1", "The gradient of a module is a function `gradient(module, X, y)`, or autograd for a backward of "
                  "your own."),
        (lambda module, X, y: {"weight": 0.0},
         "The gradient function returned no entry for `bias`. Return one for each of weight, bias."),
        (lambda module, X, y: [0.0],
         "The gradient function must return dJ/dparameter for each of weight, bias: a dict by name, or a list in this "
         "order."),
        (lambda module, X, y: [0.0, 0.0], "The gradient of `weight` has shape (); the parameter has (1, 2)."),
    ],
)  # fmt: skip
def test_messages(gradient, message):
    with pytest.raises(ConfigError) as caught:
        descend.check(torch.nn.Linear(2, 1), rows(), gradient=gradient)
    assert str(caught.value) == message


def test_too_large():
    with pytest.raises(ConfigError, match="has 900 trained numbers, and a gradient of at most 500 can be checked"):
        descend.check(torch.nn.Linear(899, 1), (torch.randn(5, 899), torch.randn(5)), gradient="autograd")


def weighted_rows():
    X, y = rows()
    table = {"x1": X[:, 0].numpy(), "x2": X[:, 1].numpy(), "y": y.numpy()}
    return {**table, "k": (torch.rand(40) + 0.1).numpy()}


def weighed(module, X, y, weights):
    share = weights / weights.sum()
    r = module(X)[:, 0] - y
    return {"weight": 2 * (share * r) @ X, "bias": 2 * (share * r).sum()}


@pytest.mark.parametrize(("activation", "verdict"), [(torch.tanh, "correct"), (Doubled.apply, "factor")])
def test_row_weights_by_a_backward(activation, verdict):
    torch.manual_seed(1)
    judged = descend.check(Net(activation), weighted_rows(), response="y", weights="k", gradient="autograd")
    assert judged.parameters["first.weight[0,0]"].verdict == verdict
    assert judged.parameters["last.weight[0,0]"].verdict == "correct"


def test_row_weights_by_a_function():
    options = {"response": "y", "weights": "k"}
    assert descend.check(torch.nn.Linear(2, 1), weighted_rows(), gradient=weighed, **options).agree
    judged = descend.check(torch.nn.Linear(2, 1), weighted_rows(), gradient=right, **options)
    assert judged.parameters["bias[0]"].explanation == "the row weights are left out of it. Multiply by them."


def test_what_modules_lack_is_refused():
    with pytest.raises(ConfigError, match="`bounds` is for formulas and functions"):
        descend.check(torch.nn.Linear(2, 1), rows(), gradient=right, bounds=["w > 0"])
