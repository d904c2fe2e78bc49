"""The fits whose files are kept: what to fit, to which rows, and with which options."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

FILES = Path(__file__).parent / "files"
ROWS = FILES / "rows.csv"
NEW = {"x": [0.25, 1.5, 4.75], "u": [-1.0, 0.0, 2.0], "s": [0.05, 0.1, 0.2]}
"""New rows to predict."""
CURVE = "y ~ a*exp(-b*x) + c"
START = {"a": 2.0, "b": 0.5, "c": 0.0}


def decay(x: np.ndarray, a: float, b: float) -> np.ndarray:
    """Return a model given as a Python function."""
    return a * np.exp(-b * x)


def decay_gradient(x: np.ndarray, y: np.ndarray, a: float, b: float) -> list[float]:
    """Return the gradient of its squared loss, by hand."""
    falling = np.exp(-b * x)
    slope = 2 * (a * falling - y)
    return [np.mean(slope * falling), np.mean(slope * -a * x * falling)]


def network() -> Any:
    """Return a small PyTorch module, untrained."""
    import torch

    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))


MODELS: dict[str, tuple[str | Callable[..., Any], dict[str, Any]]] = {
    "curve": (CURVE, {}),
    "bounded": (CURVE, {"bounds": ["c >= 0.5", "b < 2"]}),
    "tied": (CURVE, {"ties": ["c = 0.1*a"], "sigma": "s"}),
    "vector": ("y ~ w @ [x, x^2, u] + c", {"fix": {"c": 1}}),
    "robust": (CURVE, {"loss": "huber(delta=auto)"}),
    "median": ("y ~ c + b*x", {"loss": "absolute"}),
    "logistic": ("label ~ a + b*x + d*u", {"loss": "logistic"}),
    "counts": ("n ~ exp(a + b*x)", {"loss": "poisson"}),
    "sigma": (CURVE, {"sigma": "s"}),
    "weights": (CURVE, {"weights": "s", "errors": "sandwich"}),
    "ridge": ("y ~ w @ [x, u] + c", {"l2": 0.01}),
    "stalled": (CURVE, {"optimizer": "gd", "epochs": 7, "learning_rate": 0.05, "start": START}),
    "function": (
        decay,
        {"response": "y", "gradient": decay_gradient, "start": {"a": 1.0, "b": 1.0}, "optimizer": "lbfgs"},
    ),
    "network": (network, {"response": "y", "inputs": ["x", "u"], "epochs": 30, "learning_rate": 0.02}),
}
CHECKPOINTS: dict[str, tuple[str, int, dict[str, Any]]] = {
    "gd": (CURVE, 12, {"optimizer": "gd", "epochs": 40, "learning_rate": 0.05, "start": START}),
    "levenberg": (CURVE, 3, {"start": {"a": 1.0, "b": 3.0, "c": 0.0}}),
    "lbfgs": (CURVE, 6, {"optimizer": "lbfgs", "start": START}),
    "adam": (
        CURVE,
        9,
        {
            "optimizer": "adam(beta1=0.8)",
            "schedule": "cosine",
            "batch_size": 16,
            "epochs": 20,
            "seed": 3,
            "learning_rate": 0.02,
            "start": START,
        },
    ),
    "bounded": (CURVE, 3, {"bounds": ["c >= 0.5", "b < 2"], "start": {"a": 1.0, "b": 1.9, "c": 0.6}}),
    "penalised": (CURVE, 10, {"optimizer": "momentum", "epochs": 30, "l1": 0.01, "l2": 0.1, "start": START}),
    "robust": (CURVE, 3, {"loss": "huber(delta=0.15)", "fix": {"c": 0.9}, "start": {"a": 1.0, "b": 2.0}}),
}
"""Model, the epoch at which the run was cut off, options."""


def fingerprint() -> list[float]:
    """Return what this machine's exponentials and sums round to: elsewhere the last bit of a run may be another."""
    x = np.genfromtxt(ROWS, delimiter=",", names=True)["x"]
    powers = np.stack([np.exp(-0.7 * x), np.log1p(x), np.tanh(x)])
    return [*(powers @ powers.T).ravel().tolist(), *powers.sum(axis=1).tolist(), *powers[:, 17].tolist()]
