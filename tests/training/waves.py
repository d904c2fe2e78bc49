"""A small net on 96 rows of a wave with noise, and a call that trains it in batches."""

from __future__ import annotations

import numpy as np
import torch

import descend

ROWS, SIZE = 96, 16
STEPS = ROWS // SIZE
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(ROWS, 4)).astype(np.float32)
Y = (X[:, 0] + np.sin(2 * X[:, 1]) + 0.3 * RANDOM.normal(size=ROWS)).astype(np.float32)


def net(dropout: float = 0.0) -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(4, 16), torch.nn.Tanh(), torch.nn.Dropout(dropout), torch.nn.Linear(16, 1)
    )


def fit_for(epochs: int, module: torch.nn.Module | None, /, **options) -> descend.Fit:
    known = {"optimizer": "adam", "learning_rate": 0.01, "epochs": epochs, "batch_size": SIZE}
    return descend.fit(module or net(), (X, Y), **(known | options))
