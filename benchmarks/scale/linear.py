"""Part b: linear regression on many rows x 10, 1,000 epochs of gradient descent asked for.

Beside scikit-learn's LinearRegression and SGDRegressor, glum, and the loop in PyTorch, which is run for 20 epochs: its
time grows with their number, so its time for 1,000 is 50 times that. Everybody but descend is handed one matrix.

Then a thousand million epochs on a tenth of the rows x 20, in passes: evaluations of loss and gradient in NumPy.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from beside import Contender, Measured, show, target

ROWS, COLUMNS = 10_000_000, 10
EPOCHS, FEW = 1000, 20
RATE = 0.3
WIDE, LONG = 20, 1_000_000_000


def make(folder: Path, rows: int) -> None:
    """Write normal columns and y, linear in them with normal noise, as one matrix."""
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((rows, COLUMNS))
    np.save(folder / "matrix.npy", matrix)
    np.save(folder / "y.npy", matrix @ np.arange(1.0, COLUMNS + 1.0) + 0.5 + rng.standard_normal(rows))
    np.save(folder / "wide.npy", rng.standard_normal((rows // 10, WIDE)))


def columns(folder: Path) -> dict[str, np.ndarray]:
    import descend

    few = {"u": np.arange(9.0), "v": np.arange(9.0)}
    descend.fit("v ~ k*u", few, optimizer="gd", epochs=20_000)
    matrix = np.load(folder / "matrix.npy", mmap_mode="r")
    return {f"x{k}": np.ascontiguousarray(matrix[:, k]) for k in range(COLUMNS)} | {"y": np.load(folder / "y.npy")}


def descended(data: Any) -> Mapping[str, float]:
    import descend

    fit = descend.fit("y ~ w @ [x*] + b", data, optimizer="gd", learning_rate=RATE, epochs=EPOCHS)
    return named(fit.parameters["w"], fit.parameters["b"])


def wide(folder: Path) -> dict[str, np.ndarray]:
    import descend

    few = {"u": np.arange(9.0), "v": np.arange(9.0)}
    descend.fit("v ~ k*u", few, optimizer="gd", epochs=20_000)
    matrix = np.load(folder / "wide.npy")
    data = {f"x{k}": np.ascontiguousarray(matrix[:, k]) for k in range(WIDE)}
    return data | {"y": matrix @ np.arange(1.0, WIDE + 1.0)}


def long_descent(data: Any) -> Mapping[str, float]:
    import descend

    fit = descend.fit("y ~ w @ [x*]", data, optimizer="gd", learning_rate=1e-8, epochs=LONG)
    return {"_w": fit.parameters["w"][0]}


def one_pass(folder: Path) -> Any:
    import descend

    engine = descend.fit("y ~ w @ [x*]", wide(folder), engine="numpy").solution.objective.engine
    engine.evaluate(np.ones(WIDE), 1)
    return engine


def evaluated(engine: Any) -> Mapping[str, float]:
    return {"_loss": engine.evaluate(np.zeros(WIDE), 1).loss}


def named(slopes: Any, intercept: Any) -> Mapping[str, float]:
    return {f"w{k}": float(value) for k, value in enumerate(slopes)} | {"b": float(np.ravel(intercept)[0])}


def matrix(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.linear_model import LinearRegression

    LinearRegression().fit(np.eye(5), np.arange(5.0))
    return np.load(folder / "matrix.npy"), np.load(folder / "y.npy")


def least_squares(given: Any) -> Mapping[str, float]:
    from sklearn.linear_model import LinearRegression

    model = LinearRegression().fit(*given)
    return named(model.coef_, model.intercept_)


def sgd(given: Any) -> Mapping[str, float]:
    from sklearn.linear_model import SGDRegressor

    model = SGDRegressor(random_state=0).fit(*given)
    return named(model.coef_, model.intercept_)


def glum_matrix(folder: Path) -> Any:
    from glum import GeneralizedLinearRegressor

    rng = np.random.default_rng(0)
    GeneralizedLinearRegressor(family="normal", alpha=0).fit(rng.standard_normal((50, 3)), rng.standard_normal(50))
    return np.load(folder / "matrix.npy"), np.load(folder / "y.npy")


def glum(given: Any) -> Mapping[str, float]:
    from glum import GeneralizedLinearRegressor

    model = GeneralizedLinearRegressor(family="normal", alpha=0).fit(*given)
    return named(model.coef_, model.intercept_)


def tensors(folder: Path) -> Any:
    import torch

    (torch.ones(3, requires_grad=True) ** 2).sum().backward()
    return torch.from_numpy(np.load(folder / "matrix.npy")), torch.from_numpy(np.load(folder / "y.npy"))


def loop(given: Any) -> Mapping[str, float]:
    """A few epochs of the loop as a learner writes it in PyTorch."""
    import torch

    inputs, targets = given
    w = torch.zeros(inputs.shape[1], dtype=torch.float64, requires_grad=True)
    b = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    for _ in range(FEW):
        loss = ((inputs @ w + b - targets) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            w -= RATE * w.grad
            b -= RATE * b.grad
            w.grad.zero_()
            b.grad.zero_()
    return named(w.detach().numpy(), b.detach().numpy())


LONGER, PASS = f"descend, gd, {LONG:,} epochs, x {WIDE}", f"descend, one pass in NumPy, x {WIDE}"
OURS, LOOP = f"descend, gd, {EPOCHS:,} epochs", f"PyTorch loop, {FEW} epochs"
CONTENDERS = [
    Contender(OURS, columns, descended),
    Contender("scikit-learn LinearRegression", matrix, least_squares),
    Contender("scikit-learn SGDRegressor", matrix, sgd, 1),
    Contender("glum, normal", glum_matrix, glum, 2),
    Contender(LOOP, tensors, loop, 1),
    Contender(LONGER, wide, long_descent),
    Contender(PASS, one_pass, evaluated),
]


def report(found: Mapping[str, Measured], rows: int) -> None:
    """Print the table and its targets."""
    ours = found[OURS].median
    show(f"(b) y ~ w @ [x*] + b, {rows:,} rows x {COLUMNS}", found, OURS)
    target("LinearRegression / descend", found["scikit-learn LinearRegression"].median / ours, least=5)
    target(
        f"PyTorch loop, {EPOCHS:,} epochs ({EPOCHS // FEW} times {FEW}) / descend",
        found[LOOP].median * EPOCHS / FEW / ours,
        least=100,
    )
    target(f"{LONG:,} epochs, in passes over the rows", found[LONGER].median / found[PASS].median, most=3)
