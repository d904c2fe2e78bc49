"""Levenberg-Marquardt for PyTorch modules: time to the best loss that Adam reaches, beside torch-levenberg-marquardt.

    python benchmarks/second_order.py [SEEDS [TASK ...]]

Each task is noisy data and a network that is not too small for it. Adam runs over all rows at once at each of several
learning rates, and its best is the lowest loss that any of them reaches, after the seconds in which that one did. The
others start from the same weights and run until they are there. Medians over seeds, in seconds of one CPU thread.
"""

from __future__ import annotations

import copy
import itertools
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from torch_levenberg_marquardt.training import LevenbergMarquardtModule

import descend

RATES = (1e-3, 3e-3, 1e-2, 3e-2)
EPOCHS, MOST_SECONDS = 2000, 40.0
Task = tuple[torch.Tensor, torch.Tensor, list[int], str]


def sensor(random: np.random.Generator) -> Task:
    """The calibration of a sensor: a bend and a saturation, with noise of a fiftieth of its range."""
    x = random.uniform(0.0, 1.0, size=(500, 1))
    y = np.tanh(4.0 * x[:, 0] - 1.0) + 0.3 * np.sin(9.0 * x[:, 0])
    return tensors(x, y + 0.05 * random.normal(size=500), [1, 10, 1])


def pump(random: np.random.Generator) -> Task:
    """The head of a pump by its flow, speed and viscosity, with noise of 2%."""
    flow, speed, thick = random.uniform(0.2, 1.0, size=(3, 1000))
    y = speed**2 * (1.2 - 0.4 * (flow / speed) ** 2) / (1.0 + 0.5 * thick * flow)
    x = np.column_stack([flow, speed, thick])
    return tensors(x, y * (1.0 + 0.02 * random.normal(size=1000)), [3, 10, 10, 1])


def friedman(random: np.random.Generator) -> Task:
    """Friedman's first function, with noise of 1."""
    x = random.uniform(size=(2000, 5))
    y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    return tensors(x, y + random.normal(size=len(y)), [5, 32, 32, 1])


def chirp(random: np.random.Generator) -> Task:
    """A wave that grows faster, with noise of a tenth of it."""
    x = np.sort(random.uniform(-1.0, 1.0, size=(1000, 1)), axis=0)
    return tensors(x, np.sin(3 * (x[:, 0] + 1.2) ** 2) + 0.1 * random.normal(size=1000), [1, 32, 32, 1])


def arm(random: np.random.Generator) -> Task:
    """How far the hand of an arm of four joints is from its shoulder, with noise of 0.1."""
    angles = random.uniform(-1.5, 1.5, size=(3000, 4))
    turned = np.cumsum(angles, axis=1)
    y = np.hypot(np.cos(turned).sum(axis=1), np.sin(turned).sum(axis=1))
    return tensors(angles, y + 0.1 * random.normal(size=3000), [4, 24, 24, 1])


def classes(random: np.random.Generator) -> Task:
    """Two classes on either side of a curve, of which one row in ten is wrong."""
    x = random.normal(size=(2000, 2))
    y = (np.sin(2 * x[:, 0]) + 0.5 * x[:, 1] > 0) ^ (random.uniform(size=2000) < 0.1)
    return tensors(x, y.astype(float), [2, 20, 20, 1], "logistic")


def tensors(x: np.ndarray, y: np.ndarray, widths: list[int], loss: str = "squared") -> Task:
    """Return standardised rows as tensors."""
    inputs = torch.tensor((x - x.mean(axis=0)) / x.std(axis=0), dtype=torch.float32)
    y = y if loss == "logistic" else (y - y.mean()) / y.std()
    return inputs, torch.tensor(y, dtype=torch.float32), widths, loss


def network(widths: list[int]) -> torch.nn.Sequential:
    """Return layers of these widths with tanh between them."""
    layers: list[torch.nn.Module] = []
    for before, after in itertools.pairwise(widths):
        layers += [torch.nn.Linear(before, after), torch.nn.Tanh()]
    return torch.nn.Sequential(*layers[:-1])


def by_adam(task: Task, begun: torch.nn.Module) -> tuple[float, float]:
    """Return the lowest loss of all rates, and the seconds in which its run came there."""
    inputs, y, _, loss = task
    measure = torch.nn.MSELoss() if loss == "squared" else torch.nn.BCEWithLogitsLoss()
    best = (float("inf"), 0.0)
    for rate in RATES:
        module = copy.deepcopy(begun)
        optimizer = torch.optim.Adam(module.parameters(), lr=rate)
        since = time.process_time()
        for _ in range(EPOCHS):
            optimizer.zero_grad()
            value = measure(module(inputs)[:, 0], y)
            value.backward()
            if value.item() < best[0]:
                best = (value.item(), time.process_time() - since)
            optimizer.step()
    return best


def by_ours(task: Task, begun: torch.nn.Module, target: float) -> float:
    """Return the seconds in which descend comes to a loss; infinite if it ends before."""
    inputs, y, _, loss = task
    module, reached = copy.deepcopy(begun), []

    def until(step: descend.Step) -> None:
        if step.loss <= target:
            reached.append(step.epoch)
            raise StopIteration

    since = time.process_time()
    descend.fit(
        module, (inputs, y), loss=loss, optimizer="levenberg_marquardt", on_step=until, time_limit=4 * MOST_SECONDS
    )
    return time.process_time() - since if reached else float("inf")


def by_rival(task: Task, begun: torch.nn.Module, target: float, solve: str) -> float:
    """Return the seconds in which torch-levenberg-marquardt comes to a loss; infinite if it does not."""
    inputs, y, _, _ = task
    since = time.process_time()
    try:
        training = LevenbergMarquardtModule(copy.deepcopy(begun), solve_method=solve)
        while time.process_time() - since < MOST_SECONDS:
            _, loss, stop, _ = training.training_step(inputs, y[:, None])
            if float(loss) <= target:
                return time.process_time() - since
            if stop:
                break
    except RuntimeError:
        pass  # its matrix was singular
    return float("inf")


def main(seeds: int) -> None:
    """Print a line for each task."""
    torch.set_num_threads(1)
    print(
        f"{'task':<10}{'numbers':>8}{'rows':>6}{'loss':>9}{'Adam':>9}{'descend':>9}{'rival':>9}{'/Adam':>8}{'/rival':>8}"
    )
    makers: list[Callable[[np.random.Generator], Task]] = [sensor, pump, friedman, chirp, arm, classes]
    by_ours(friedman(np.random.default_rng(0)), network([5, 2, 1]), 0.5)  # what is imported once
    chosen = sys.argv[2:]
    for maker in [each for each in makers if not chosen or each.__name__ in chosen]:
        found = []
        for seed in range(seeds):
            task = maker(np.random.default_rng(seed))
            torch.manual_seed(seed)
            begun = network(task[2])
            target, adam = by_adam(task, begun)
            ours = by_ours(task, begun, target)
            rival = float("inf")
            if task[3] == "squared":
                rival = min(by_rival(task, begun, target, solve) for solve in ("qr", "cholesky"))
            found.append((target, adam, ours, rival, ours / adam, ours / rival))
        size = sum(tensor.numel() for tensor in begun.parameters())
        medians = [statistics.median(column) for column in zip(*found, strict=True)]
        print(
            f"{maker.__name__:<10}{size:>8}{len(task[0]):>6}{medians[0]:>9.5f}"
            + "".join(f"{value:>8.2f}s" for value in medians[1:4])
            + "".join(f"{value:>8.3f}" for value in medians[4:]),
            flush=True,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
