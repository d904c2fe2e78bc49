"""Linear regression on many rows, side by side in one process; and a descent of a thousand million epochs.

First: rows x 10, 1,000 epochs of gradient descent asked for, against scikit-learn's LinearRegression and SGDRegressor,
glum, and the loop in PyTorch, which is run for fewer epochs: its time grows with their number, so both the time
measured and that time for 1,000 epochs are shown. Everybody but descend is handed one matrix, made beforehand.
Targets: descend at least 5 times faster than LinearRegression and 100 times faster than the PyTorch loop.

Then: 20 parameters, 1e9 epochs of gradient descent. The unit is one pass, an evaluation of loss and gradient over all
rows in NumPy. Target: less than 3 passes.

    python benchmarks/linear.py --rows 10_000_000
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from glum import GeneralizedLinearRegressor
from sklearn.linear_model import LinearRegression, SGDRegressor

import descend

EPOCHS, FEW = 1000, 20
RATE = 0.3


def table(rows: int, columns: int) -> dict[str, np.ndarray]:
    """Return normal columns x0, x1, ... and y, linear in them with normal noise."""
    rng = np.random.default_rng(0)
    data = {f"x{k}": rng.standard_normal(rows) for k in range(columns)}
    data["y"] = rng.standard_normal(rows)
    for k in range(columns):
        data["y"] += (k + 1) * data[f"x{k}"]
    return data


def timed(run: Callable[[], object], rounds: int) -> float:
    """Return the shortest of some times, in seconds."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return min(taken)


def torch_loop(inputs: torch.Tensor, targets: torch.Tensor) -> np.ndarray:
    """A few epochs of the loop as a learner writes it in PyTorch."""
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
    return w.detach().numpy()


def regression(rows: int, rounds: int) -> None:
    """Print the first table."""
    data = table(rows, 10)
    y = data["y"]
    fitted: list[np.ndarray] = []

    def ours() -> None:
        fit = descend.fit("y ~ w @ [x*] + b", data, optimizer="gd", learning_rate=RATE, epochs=EPOCHS)
        fitted.append(fit.parameters["w"])

    times = {f"descend, gd, {EPOCHS:,} epochs": timed(ours, rounds)}
    matrix = np.column_stack([data[f"x{k}"] for k in range(10)])
    inputs, targets = torch.from_numpy(matrix), torch.from_numpy(y)
    loop = timed(lambda: fitted.append(torch_loop(inputs, targets)), 1)
    times[f"PyTorch loop, {FEW} epochs, measured"] = loop
    times[f"PyTorch loop, times {EPOCHS // FEW}: {EPOCHS:,} epochs"] = loop * EPOCHS / FEW
    peers = {
        "scikit-learn LinearRegression": LinearRegression(),
        "scikit-learn SGDRegressor": SGDRegressor(),
        "glum": GeneralizedLinearRegressor(family="normal", alpha=0),
    }
    for name, model in peers.items():
        times[name] = timed(lambda model=model: fitted.append(model.fit(matrix, y).coef_), rounds if "L" in name else 1)
    for other in fitted:
        np.testing.assert_allclose(other, fitted[0], atol=0.1)

    ours_taken = next(iter(times.values()))
    print(f"{rows:,} rows x 10")
    print(f"{'':<46}{'seconds':>10}{'of descend':>12}")
    for name, taken in times.items():
        print(f"{name:<46}{taken:>10.3f}{taken / ours_taken:>12.1f}")
    for name, target in (("LinearRegression", 5), (f"times {EPOCHS // FEW}", 100)):
        ratio = next(taken for label, taken in times.items() if name in label) / ours_taken
        print(f"{name}: {ratio:.1f} times as long (target at least {target}: {'met' if ratio >= target else 'MISSED'})")


def long_descent(rows: int, rounds: int) -> None:
    """Print how many passes 1e9 epochs take."""
    data = table(rows, 20)
    epochs = 1_000_000_000

    def ours() -> descend.Fit:
        return descend.fit("y ~ w @ [x*]", data, optimizer="gd", learning_rate=1e-8, epochs=epochs)

    engine = descend.fit("y ~ w @ [x*]", data, engine="numpy").kept.objective.engine
    theta = np.ones(20)
    one_pass = timed(lambda: engine.evaluate(theta, 1), 5)
    taken = timed(ours, rounds)
    fit = ours()
    passes = taken / one_pass
    print(
        f"\n{rows:,} rows x 20, {epochs:,} epochs of gd: {taken:.3f} s = {passes:.2f} passes of {one_pass:.3f} s ",
        end="",
    )
    print(f"(target below 3: {'met' if passes < 3 else 'MISSED'})")
    for epoch in (0, 123_456_789, epochs):
        print(fit.trace.at(epoch))


def main() -> None:
    """Run both, and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows of the regression (default 10 million)")
    parser.add_argument("--long-rows", type=int, default=1_000_000, help="rows of the long descent (default 1 million)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is run; the shortest counts (default 3)")
    options = parser.parse_args()
    descend.fit("y ~ w*x", {"x": np.arange(9.0), "y": np.arange(9.0)}, optimizer="gd", epochs=20_000)  # imports
    regression(options.rows, options.rounds)
    long_descent(options.long_rows, options.rounds)


if __name__ == "__main__":
    main()
