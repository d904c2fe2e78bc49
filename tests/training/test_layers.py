"""Derivatives of each row from one pass through linear layers: against autograd, row by row."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import descend
from descend.models.module_weights import joined
from descend.options.arguments import read_request
from descend.training.gauss_newton import ModuleEvaluation, Surface
from descend.training.posing import pose_module

ROWS = 40
RANDOM = np.random.default_rng(1)
X = torch.from_numpy(RANDOM.normal(size=(ROWS, 3)))
Y = torch.sin(X[:, 0]) + X[:, 1] * X[:, 2]


class Own(nn.Module):
    """Layers in an order of its own, with a jump and a frozen bias."""

    def __init__(self) -> None:
        super().__init__()
        self.last, self.first, self.jump = nn.Linear(5, 1), nn.Linear(3, 5), nn.Linear(3, 1, bias=False)
        self.first.bias.requires_grad_(False)
        self.double()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.first(x))) * 2.0 + self.jump(torch.sin(x))


class Twice(Own):
    """A layer that is called twice."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.first(x)) + self.last(torch.tanh(self.first(x)))


class Mixing(Own):
    """Rows that see one another in a batch."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.first(x) - self.first(x).mean()) if len(x) > 1 else self.last(self.first(x))


class Reused(Own):
    """A weight that is used beside its layer."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.tanh(self.first(x))) + self.jump(x) + self.jump.weight.sum()


def chain(*parts: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), *parts, nn.Linear(4, 1)).double()


def tied() -> nn.Module:
    module = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 1)).double()
    module[2].weight = module[0].weight
    return module


def surface_of(module: nn.Module, y: torch.Tensor = Y, loss: str = "squared") -> Surface:
    request = read_request(module, (X, y), (), {"loss": loss, "optimizer": "adam"})
    return Surface(pose_module(module, (X, y), request)[0].objective, "matrix")


def by_rows(module: nn.Module) -> np.ndarray:
    """Return the Jacobian, (n, k, p), one backward pass for each score of each row."""
    trained = [tensor for tensor in module.parameters() if tensor.requires_grad]
    return np.array([[joined(torch.autograd.grad(score, trained, retain_graph=True, materialize_grads=True))
                      for score in module(row[None]).reshape(-1)] for row in X])  # fmt: skip


@pytest.mark.parametrize(
    "module", [Own(), chain(nn.Tanh()), chain(nn.GELU(), nn.Dropout(0.0))], ids=["own", "tanh", "gelu"]
)
def test_one_pass_gives_the_derivatives_of_each_row(module):
    surface = surface_of(module)
    passed = surface.jacobian.passed(X)
    assert passed is not None
    found = passed.jacobian(slice(3, 20)).numpy()
    assert found == pytest.approx(by_rows(module)[3:20], rel=1e-12, abs=1e-14)
    slope = torch.linspace(-1.0, 1.0, ROWS, dtype=torch.float64)[:, None]
    expected = torch.autograd.grad(module(X), surface.trained, slope)
    assert joined(passed.gradient(slope)) == pytest.approx(joined(expected), rel=1e-12, abs=1e-14)


def test_several_scores_have_a_jacobian_each():
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3)).double()
    surface = surface_of(module, (Y > 0).long() + (Y > 0.5).long(), "cross_entropy")
    passed = surface.jacobian.passed(X)
    assert passed.jacobian(slice(None)).numpy() == pytest.approx(by_rows(module), rel=1e-12, abs=1e-14)
    slope = torch.randn(ROWS, 3, dtype=torch.float64)
    expected = torch.autograd.grad(module(X), surface.trained, slope)
    assert joined(passed.gradient(slope)) == pytest.approx(joined(expected), rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("make", [Twice, Mixing, Reused, tied, lambda: chain(nn.ReLU(inplace=True)),
                                  lambda: chain(nn.LayerNorm(4))],
                         ids=["twice", "mixing", "reused", "tied", "in place", "norm"])  # fmt: skip
def test_other_modules_are_differentiated_row_by_row(make):
    module = make()
    surface = surface_of(module)
    assert surface.jacobian.layers is None
    assert surface.jacobian.by_row(X).numpy() == pytest.approx(by_rows(module), rel=1e-10, abs=1e-12)


def test_a_pass_whose_weights_were_written_is_made_again():
    module = chain(nn.Tanh())
    surface = surface_of(module)
    here = joined(surface.trained)
    place, away = ModuleEvaluation(surface, here, None), ModuleEvaluation(surface, here + 0.1, None)
    loss = place.loss
    assert away.loss != loss  # the module now stands elsewhere
    expected = joined(torch.autograd.grad(torch.mean((chain_at(module, here)(X)[:, 0] - Y) ** 2), surface.trained))
    assert place.gradient == pytest.approx(expected, rel=1e-10)


def chain_at(module: nn.Module, theta: np.ndarray) -> nn.Module:
    torch.nn.utils.vector_to_parameters(torch.from_numpy(theta), module.parameters())
    return module


def test_the_loss_that_is_told_is_that_of_the_predictions():
    module = chain(nn.Tanh()).float()
    fit = descend.fit(module, (X.float(), Y.float()), optimizer="levenberg_marquardt", epochs=5)
    for step in fit.trace[-1:]:
        predicted = module(X.float())[:, 0].detach().double().numpy()
        assert step.loss == pytest.approx(np.mean((predicted - Y.numpy()) ** 2), rel=1e-6)
