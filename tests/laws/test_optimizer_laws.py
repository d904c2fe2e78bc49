"""Laws for every registered optimizer, and PyTorch as the judge of those it also has."""

from __future__ import annotations

import numpy as np
import pytest
from tests.optimizers import problems

# Optimizer, its settings here, the class in torch.optim, its settings there, learning rate.
TWINS = [
    ("gd", "SGD", {}, 0.03),
    ("momentum", "SGD", {"momentum": 0.9}, 0.03),
    ("momentum(momentum=0.5)", "SGD", {"momentum": 0.5}, 0.03),
    ("nesterov", "SGD", {"momentum": 0.9, "nesterov": True}, 0.03),
    ("adagrad", "Adagrad", {}, 0.5),
    ("adagrad(epsilon=0.1)", "Adagrad", {"eps": 0.1}, 0.5),
    ("rmsprop", "RMSprop", {}, 0.02),
    ("rmsprop(decay=0.8, epsilon=0.01)", "RMSprop", {"alpha": 0.8, "eps": 0.01}, 0.02),
    ("adam", "Adam", {}, 0.1),
    ("adam(beta1=0.5, beta2=0.9, epsilon=0.1)", "Adam", {"betas": (0.5, 0.9), "eps": 0.1}, 0.1),
    ("adamw", "AdamW", {}, 0.1),
    ("adamw(weight_decay=0.2)", "AdamW", {"weight_decay": 0.2}, 0.1),
    (
        'lbfgs(line_search="none")',
        "LBFGS",
        {"max_iter": 1, "history_size": 10, "tolerance_grad": 0.0, "tolerance_change": 0.0},
        0.5,
    ),
    (
        'lbfgs(history=2, line_search="none")',
        "LBFGS",
        {"max_iter": 1, "history_size": 2, "tolerance_grad": 0.0, "tolerance_change": 0.0},
        0.5,
    ),
]
PROBLEMS = {
    "quadratic": (
        problems.quadratic([[3.0, 1.0, 0.0], [1.0, 2.0, 0.5], [0.0, 0.5, 1.0]], [1.0, -2.0, 0.5]),
        [3, 1, -1],
    ),
    "exponential": (problems.exponential(), [1.0, 1.0, 0.0]),
}


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize(("name", "twin", "settings", "rate"), TWINS, ids=[twin[0] for twin in TWINS])
def test_trajectory_is_that_of_torch(name, twin, settings, rate, problem):
    import torch

    objective, start = PROBLEMS[problem]
    theta = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer = getattr(torch.optim, twin)([theta], lr=rate, **settings)

    def closure():
        loss, gradient, _ = objective(theta.detach().numpy().copy())
        theta.grad = torch.from_numpy(gradient)
        return torch.tensor(loss)

    expected = [theta.detach().numpy().copy()]
    for _ in range(50):
        optimizer.step(closure)
        expected.append(theta.detach().numpy().copy())
    found = problems.run(name, objective, start, rate).thetas
    np.testing.assert_allclose(found, expected[: len(found)], rtol=1e-10, atol=1e-10)
    assert len(found) == 51 or (expected[len(found)] == expected[-1]).all()
