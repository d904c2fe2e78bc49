"""Steps between two matrices of Levenberg-Marquardt: against the lowest place of a parabola, and in a fit."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

import descend
from descend.training.gauss_newton import ModuleEvaluation
from descend.training.secants import Array, evaluations, onwards

RANDOM = np.random.default_rng(0)


@dataclass
class Parabola:
    """J = theta'A theta/2 - theta'b."""

    theta: Array
    matrix: Array
    right: Array

    @property
    def loss(self) -> float:
        return float(0.5 * self.theta @ self.matrix @ self.theta - self.right @ self.theta)

    @property
    def gradient(self) -> Array:
        return self.matrix @ self.theta - self.right

    def beside(self, theta: Array) -> Parabola:
        return Parabola(theta, self.matrix, self.right)


def test_what_a_matrix_leaves_out_is_learnt_on_the_way():
    root = RANDOM.normal(size=(8, 8))
    known, left_out = root @ root.T + np.eye(8), np.outer(root[0], root[0]) * 3.0
    first = Parabola(np.zeros(8), known + left_out, RANDOM.normal(size=8))
    solve = np.linalg.inv(known)
    place = first.beside(-solve @ first.gradient * 0.1)
    found = onwards(first, place, lambda vector: solve @ vector, 60)
    lowest = first.beside(np.linalg.solve(first.matrix, first.right)).loss
    assert found.loss - lowest < 0.05 * (place.loss - lowest)
    assert onwards(first, place, lambda vector: solve @ vector, 0) is place


def test_steps_follow_where_a_matrix_costs_much_more_than_a_gradient():
    assert evaluations(500, 100) == 0 < evaluations(500, 353)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_fit_ends_where_its_trace_says(dtype):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1)).to(dtype)
    x = torch.from_numpy(RANDOM.normal(size=(500, 3))).to(dtype)
    y = torch.sin(x[:, 0]) * x[:, 1] + 0.1 * torch.randn(500, dtype=dtype)
    fit = descend.fit(module, (x, y), optimizer="levenberg_marquardt", epochs=6)
    losses = [step.loss for step in fit.trace]
    assert all(after < before for before, after in itertools.pairwise(losses))
    for loss in (losses[-1], fit.loss):
        assert loss == pytest.approx(((module(x)[:, 0] - y) ** 2).mean().item(), rel=1e-5)
    assert any("changes of the gradient" in note for note in fit.notes)


def test_the_first_length_tried_follows_the_last(monkeypatch):
    """A wave that grows faster: where its network bends, steps of length 1 are too long, many in a row."""
    x = torch.linspace(-1.0, 1.0, 300, dtype=torch.float64)[:, None]
    y = torch.sin(3.0 * (x[:, 0] + 1.2) ** 2) + 0.1 * torch.from_numpy(np.random.default_rng(0).normal(size=300))
    tried, beside = [], ModuleEvaluation.beside

    def told(place: ModuleEvaluation, theta: Array) -> ModuleEvaluation:
        tried.append(theta)
        return beside(place, theta)

    monkeypatch.setattr(ModuleEvaluation, "beside", told)

    def evaluations_to(loss: float, longer: float, seed: int) -> int:
        monkeypatch.setattr("descend.training.secants.LONGER", longer)
        torch.manual_seed(seed)
        module = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1)).double()
        tried.clear()

        def until(step: descend.Step) -> None:
            if step.loss <= loss:
                raise StopIteration

        descend.fit(module, (x, y), optimizer="levenberg_marquardt", on_step=until, epochs=40)
        return len(tried)

    following, whole = ([evaluations_to(0.013, longer, seed) for seed in range(4)] for longer in (2.0, np.inf))
    assert sum(following) < 0.9 * sum(whole)
