"""A linear module on a table of 40 rows that it fits exactly, and a call that fits it."""

from __future__ import annotations

import numpy as np
import torch

import descend

ROWS = 40
RANDOM = np.random.default_rng(0)
TABLE = {"x1": RANDOM.normal(size=ROWS), "x2": RANDOM.normal(size=ROWS), "site": np.array(["a", "b"] * (ROWS // 2))}
TABLE["y"] = 1.0 + 2.0 * TABLE["x1"] - 3.0 * TABLE["x2"]
TABLE["n"] = np.floor(np.abs(3 * TABLE["x1"]))
TABLE["p"] = (TABLE["y"] > 0).astype(float)


def linear(inputs: int = 2, dtype: torch.dtype = torch.float64) -> torch.nn.Linear:
    torch.manual_seed(0)
    return torch.nn.Linear(inputs, 1, dtype=dtype)


def fit(module: torch.nn.Module | None = None, data=TABLE, **options) -> descend.Fit:
    module = linear() if module is None else module
    defaults = {"optimizer": "gd", "learning_rate": 0.1, "epochs": 200}
    if isinstance(data, dict):
        defaults |= {"inputs": ["x1", "x2"], "response": "y"}
    return descend.fit(module, data, **(defaults | options))
