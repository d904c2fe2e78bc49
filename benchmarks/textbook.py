"""The textbook loop in one process: 100 rows, 100 epochs of gradient descent on y ~ w*x from w = 0.

Every contender does the same work: the loss and w of every epoch, a log line every 20 epochs, and all of
them must end at the same w. A round runs each of them once, in turn; the table shows medians. Targets:
descend faster than the NumPy loop, and at least 5 times faster than the PyTorch loop.

    python benchmarks/textbook.py --rounds 200
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

import descend

RATE, EPOCHS = 0.001, 100
x = np.arange(100) / 10
y = 2 * x + 2 * np.random.default_rng(0).uniform(size=100)
data = {"x": x, "y": y}


def derived() -> float:
    """Descend, with the gradient it derives."""
    fit = descend.fit("y ~ w*x", data, start={"w": 0.0}, optimizer="gd", learning_rate=RATE, epochs=EPOCHS)
    return float(fit.parameters["w"])


def by_hand() -> float:
    """Descend, with the gradient written by hand as text."""
    fit = descend.fit(
        "y ~ w*x",
        data,
        gradient="w = mean(2*w*x*x - 2*x*y)",
        start={"w": 0.0},
        optimizer="gd",
        learning_rate=RATE,
        epochs=EPOCHS,
    )
    return float(fit.parameters["w"])


def numpy_loop() -> float:
    """The loop as a learner writes it in NumPy."""
    w, history, log = 0.0, [], []
    for epoch in range(EPOCHS):
        prediction = w * x
        loss = np.mean((prediction - y) ** 2)
        gradient = np.mean(2 * w * x * x - 2 * x * y)
        history.append((w, loss))
        if epoch % 20 == 0:
            log.append(f"epoch {epoch}: w = {w:.6f}, loss = {loss:.6f}")
        w = w - RATE * gradient
    return float(w)


def torch_loop() -> float:
    """The loop as a learner writes it in PyTorch, in float64 like the others."""
    inputs, targets = torch.from_numpy(x), torch.from_numpy(y)
    w = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    history, log = [], []
    for epoch in range(EPOCHS):
        loss = ((w * inputs - targets) ** 2).mean()
        loss.backward()
        history.append((w.item(), loss.item()))
        if epoch % 20 == 0:
            log.append(f"epoch {epoch}: w = {w.item():.6f}, loss = {loss.item():.6f}")
        with torch.no_grad():
            w -= RATE * w.grad
            w.grad.zero_()
    return w.item()


CONTENDERS: dict[str, Callable[[], float]] = {
    "descend, derived": derived,
    "descend, by hand": by_hand,
    "NumPy": numpy_loop,
    "PyTorch": torch_loop,
}


def main() -> None:
    """Run all contenders in turn and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200, help="how often each loop is run (default 200)")
    rounds = parser.parse_args().rounds

    # The warm-up: expressions are derived and cached, and everybody has to arrive at the same w.
    ends = {name: run() for name, run in CONTENDERS.items()}
    np.testing.assert_allclose(list(ends.values()), ends["NumPy"], rtol=1e-12)

    times: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for _ in range(rounds):
        for name, run in CONTENDERS.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)

    median = {name: statistics.median(taken) for name, taken in times.items()}
    print(f"{'loop':<20}{'median':>12}{'of NumPy':>12}{'of PyTorch':>12}")
    for name, taken in median.items():
        print(f"{name:<20}{taken * 1e3:>9.3f} ms{taken / median['NumPy']:>12.2f}{taken / median['PyTorch']:>12.2f}")
    print()
    for name in ("descend, derived", "descend, by hand"):
        for peer, target in (("NumPy", 1.0), ("PyTorch", 0.2)):
            ratio = median[name] / median[peer]
            verdict = "met" if ratio <= target else "MISSED"
            print(f"{name} / {peer}: {ratio:.2f} (target at most {target:.1f}: {verdict})")


if __name__ == "__main__":
    main()
