"""Runs whose cause is known by construction: faulty ones of every cause, and healthy ones.

Each generator makes a run out of a seeded stream of random numbers, which chooses its size, its noise and how far it is
from right, so that another seed is another corpus. Published cases are told in words, with where they were reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

import descend

Random = np.random.Generator
Data = dict[str, np.ndarray]
GD = ("gd", "momentum", "nesterov")


@dataclass(frozen=True)
class Entry:
    """A run. cause: what it must be told as, None for a healthy one. words: what it is; source: where it comes from."""

    name: str
    cause: str | None
    words: str
    run: Callable[[Random], descend.Fit]
    source: str = ""


ENTRIES: list[Entry] = []


def entry(cause: str | None, words: str, times: int = 1, source: str = "", **options: Any) -> Callable[[Any], Any]:
    """Add a generator to the corpus, ``times`` over with other random numbers."""

    def add(make: Any) -> Any:
        for number in range(times):
            label = f"{make.__name__}{'' if times == 1 else f' {number + 1}'}"
            label += "".join(f" {value}" for value in options.values())
            ENTRIES.append(Entry(label, cause, words, partial(make, **options), source))
        return make

    return add


# ---------------------------------------------------------------- data


def size(random: Random) -> int:
    return int(random.choice([30, 100, 400, 3000]))


def line(random: Random, high: float = 10.0, noise: float = 1.0) -> Data:
    x = random.uniform(0.0, high, size(random))
    slope, offset = random.uniform(0.5, 3.0), random.uniform(-3.0, 3.0)
    return {"x": x, "y": slope * x + offset + noise * random.normal(size=x.size)}


def columns(random: Random, count: int, noise: float = 0.5, rows: int = 0) -> Data:
    rows = rows or max(size(random), 20 * count)
    made = {f"x{k + 1}": random.normal(size=rows) for k in range(count)}
    weights = random.normal(size=count) * 2.0
    y = sum(weight * column for weight, column in zip(weights, made.values(), strict=True)) + 1.0
    return {**made, "y": y + noise * random.normal(size=rows)}


def classes(random: Random, scale: float = 1.0, rows: int = 0) -> Data:
    x = random.normal(size=rows or max(size(random), 100)) * scale
    chance = 1.0 / (1.0 + np.exp(-(0.3 + 1.5 * x / scale)))
    return {"x": x, "y": (random.uniform(size=x.size) < chance).astype(float)}


def decay(random: Random, noise: float = 0.05, high: float = 5.0) -> Data:
    x = random.uniform(0.0, high, max(size(random), 60))
    y = random.uniform(2.0, 4.0) * np.exp(-random.uniform(0.6, 1.2) * x) + 0.5
    return {"x": x, "y": y + noise * random.normal(size=x.size)}


def counts(random: Random) -> Data:
    x = random.uniform(0.0, 2.0, max(size(random), 100))
    return {"x": x, "y": random.poisson(np.exp(0.3 + 0.8 * x)).astype(float)}


def few(data: Data, rows: int = 400) -> Data:
    return {name: column[:rows] for name, column in data.items()}


def largest(*arrays: np.ndarray) -> float:
    """The largest eigenvalue of the mean outer product of some columns."""
    matrix = np.stack(arrays)
    return float(np.linalg.eigvalsh(matrix @ matrix.T / matrix.shape[1])[-1])


def limit(optimizer: str, curvature: float) -> float:
    return {"gd": 2.0, "momentum": 3.8, "nesterov": 3.8 / 2.8}[optimizer] / curvature


def seeded(random: Random) -> None:
    torch.manual_seed(int(random.integers(2**31)))


def mlp(inputs: int = 1, units: int = 16, activation: Any = torch.nn.Tanh, dtype: Any = torch.float32) -> Any:
    parts = [torch.nn.Linear(inputs, units), activation(), torch.nn.Linear(units, 1)]
    return torch.nn.Sequential(*parts).to(dtype)


def straight(x: Any, w: Any, b: Any) -> Any:
    return w * x + b


def straight_gradient(x: Any, y: Any, w: Any, b: Any) -> tuple[Any, Any]:
    return np.mean(2.0 * x * (w * x + b - y)), np.mean(2.0 * (w * x + b - y))


ZERO = {"w": 0.0, "b": 0.0}

# ---------------------------------------------------------------- the learning rate is too large


@entry("rate_too_large", "a line, a rate of 1.2 to 30 times the stable one", optimizer="gd", times=2)
@entry("rate_too_large", "a line, a rate of 1.2 to 30 times the stable one", optimizer="momentum")
@entry("rate_too_large", "a line, a rate of 1.2 to 30 times the stable one", optimizer="nesterov")
def rate_line(random: Random, optimizer: str) -> descend.Fit:
    data = line(random, high=5.0)
    rate = limit(optimizer, 2.0 * largest(data["x"], np.ones_like(data["x"]))) * 10 ** random.uniform(0.1, 1.5)
    return descend.fit("y ~ w*x + b", data, start=ZERO, optimizer=optimizer, learning_rate=rate, epochs=2000)


@entry("rate_too_large", "one weight, as in the textbook", times=1)
def rate_textbook(random: Random) -> descend.Fit:
    x = np.arange(100) / 10
    data = {"x": x, "y": 2 * x + 2 * random.uniform(size=100)}
    return descend.fit("y ~ w*x", data, start={"w": 0.0}, optimizer="gd", learning_rate=random.uniform(0.033, 0.5))


@entry("rate_too_large", "several columns of like size, torch sums", engine="torch")
@entry("rate_too_large", "several columns of like size, numpy sums", engine="numpy")
def rate_columns(random: Random, engine: str) -> descend.Fit:
    count = int(random.integers(2, 8))
    data = columns(random, count)
    names = [f"x{k + 1}" for k in range(count)]
    curvature = 2.0 * largest(*(data[name] for name in names), np.ones(len(data["y"])))
    optimizer = str(random.choice(GD))
    rate = limit(optimizer, curvature) * 10 ** random.uniform(0.1, 1.3)
    formula = f"y ~ w @ [{', '.join(names)}] + b"
    return descend.fit(formula, data, optimizer=optimizer, learning_rate=rate, epochs=500, engine=engine,
                       start={"w": 0.0, "b": 0.0})  # fmt: skip


@entry("rate_too_large", "a robust loss keeps it from growing, so it swings", loss="huber(delta=1)")
@entry("rate_too_large", "probabilities keep it from growing, so it swings", loss="logistic")
def rate_swings(random: Random, loss: str) -> descend.Fit:
    data = line(random, high=4.0) if loss != "logistic" else classes(random)
    curvature = largest(data["x"], np.ones_like(data["x"])) * (0.25 if loss == "logistic" else 1.0)
    rate = limit("gd", curvature) * random.uniform(8.0, 40.0)
    return descend.fit("y ~ w*x + b", data, loss=loss, start=ZERO, optimizer="gd", learning_rate=rate, epochs=400)


@entry("rate_too_large", "an exponential decay, not linear in its parameters")
def rate_decay(random: Random) -> descend.Fit:
    start = {"a": 1.0, "b": 1.0, "c": 0.0}
    return descend.fit("y ~ a*exp(-b*x) + c", decay(random), start=start, optimizer="gd",
                       learning_rate=random.uniform(4.0, 20.0), epochs=1000)  # fmt: skip


@entry("rate_too_large", "a NumPy function with its own, correct gradient", gradient="by_hand")
@entry("rate_too_large", "a Python function and autograd", gradient="autograd")
def rate_function(random: Random, gradient: Any) -> descend.Fit:
    data = line(random, high=4.0)
    rate = limit("gd", 2.0 * largest(data["x"], np.ones_like(data["x"]))) * random.uniform(1.3, 10.0)
    given = straight_gradient if gradient == "by_hand" else gradient
    return descend.fit(straight, data, response="y", gradient=given, start=ZERO, optimizer="gd", learning_rate=rate,
                       epochs=500)  # fmt: skip


@entry("rate_too_large", "a linear layer in single precision", dtype=torch.float32)
@entry("rate_too_large", "a linear layer in double precision", dtype=torch.float64)
def rate_layer(random: Random, dtype: Any) -> descend.Fit:
    seeded(random)
    data = columns(random, 4)
    names = [f"x{k + 1}" for k in range(4)]
    rate = limit("gd", 2.0 * largest(*(data[name] for name in names), np.ones(len(data["y"])))) * random.uniform(1.4, 9)
    return descend.fit(torch.nn.Linear(4, 1, dtype=dtype), data, inputs=names, response="y", optimizer="gd",
                       learning_rate=rate, epochs=500)  # fmt: skip


@entry("rate_too_large", "a small network, whose loss explodes")
def rate_network(random: Random) -> descend.Fit:
    seeded(random)
    data = columns(random, 3)
    return descend.fit(mlp(3, activation=torch.nn.ReLU), data, inputs=["x1", "x2", "x3"], response="y", optimizer="gd",
                       learning_rate=random.uniform(3.0, 10.0), epochs=200)  # fmt: skip


@entry("rate_too_large", "steps of adam far longer than the way to go")
def rate_adam(random: Random) -> descend.Fit:
    return descend.fit("y ~ w*x + b", line(random), start=ZERO, optimizer="adam",
                       learning_rate=random.uniform(20.0, 200.0), epochs=40)  # fmt: skip


@entry("rate_too_large", "batches, at a rate that all rows together would not allow either")
def rate_batches(random: Random) -> descend.Fit:
    data = line(random, high=4.0)
    rate = limit("gd", 2.0 * largest(data["x"], np.ones_like(data["x"]))) * random.uniform(2.0, 6.0)
    return descend.fit("y ~ w*x + b", data, start=ZERO, optimizer="gd", learning_rate=rate, batch_size=16, epochs=100)


@entry("rate_too_large", "batches of one row, as a layer in single precision; all rows together would be stable")
def rate_single_rows(random: Random) -> descend.Fit:
    seeded(random)
    inputs = torch.rand(200, 2) * 2 - 1
    y = inputs[:, 0] + 0.2 * torch.randn(200)
    return descend.fit(torch.nn.Linear(2, 1), (inputs, y), optimizer="gd", learning_rate=random.uniform(0.7, 0.9),
                       batch_size=1, epochs=20)  # fmt: skip


@entry("rate_too_large", "a rate that throws a decay to where it is flat, and there it stays")
def rate_thrown(random: Random) -> descend.Fit:
    t = np.linspace(0.0, 10.0, 50)
    data = {"t": t, "c": random.uniform(7.0, 9.0) * np.exp(-random.uniform(0.35, 0.45) * t)}
    return descend.fit("c ~ c0*exp(-k*t)", data, start={"c0": 5.0, "k": 0.3}, optimizer="gd",
                       learning_rate=random.uniform(0.18, 0.22), epochs=1000)  # fmt: skip


@entry("rate_too_large", "counts: the first step is so long that exp is 0 in the next")
def rate_counts(random: Random) -> descend.Fit:
    data = counts(random)
    data["x"] *= 1.5
    return descend.fit("y ~ exp(a + b*x)", data, loss="poisson", start={"a": 0.0, "b": 0.0}, optimizer="gd",
                       learning_rate=random.uniform(0.3, 0.5), epochs=300)  # fmt: skip


# ---------------------------------------------------------------- a column is of another size


@entry("unscaled_column", "one column in hundreds or thousands beside an intercept", optimizer="gd", times=2)
@entry("unscaled_column", "one column in hundreds or thousands beside an intercept", optimizer="momentum")
def scale_line(random: Random, optimizer: str) -> descend.Fit:
    data = line(random, high=10 ** random.uniform(2.2, 4.0))
    return descend.fit("y ~ w*x + b", data, start=ZERO, optimizer=optimizer, learning_rate=0.01, epochs=500)


@entry("unscaled_column", "one of several columns is a thousand times larger", engine="numpy")
@entry("unscaled_column", "one of several columns is a thousand times larger", engine="torch")
def scale_one(random: Random, engine: str) -> descend.Fit:
    data = columns(random, 4)
    data["x3"] = data["x3"] * 10 ** random.uniform(2.0, 4.0)
    return descend.fit("y ~ w @ [x1, x2, x3, x4] + b", data, optimizer="gd", learning_rate=random.uniform(0.01, 0.2),
                       epochs=400, engine=engine, start={"w": 0.0, "b": 0.0})  # fmt: skip


@entry("unscaled_column", "years as a column: their values are a hundred times their spread")
def scale_years(random: Random) -> descend.Fit:
    year = np.arange(1960.0, 2024.0)
    data = {"year": year, "y": 0.02 * (year - 1990.0) + 10.0 + 0.1 * random.normal(size=year.size)}
    return descend.fit("y ~ a + b*year", data, start={"a": 0.0, "b": 0.0}, optimizer="gd",
                       learning_rate=random.choice([0.1, 0.01, 1e-3]), epochs=300)  # fmt: skip


@entry("unscaled_column", "a stable rate, at which only the large column is learned")
def scale_slow(random: Random) -> descend.Fit:
    x = random.uniform(0.0, 10 ** random.uniform(2.3, 3.5), size(random))
    data = {"x": x, "y": 0.01 * x + 50.0 + random.normal(size=x.size)}
    rate = 1.0 / (2.0 * largest(x, np.ones_like(x)))
    return descend.fit("y ~ w*x + b", data, start=ZERO, optimizer="gd", learning_rate=rate, epochs=1000)


@entry("unscaled_column", "powers of x: the cube is far larger than the others")
def scale_powers(random: Random) -> descend.Fit:
    x = random.uniform(0.0, random.uniform(8.0, 15.0), size(random))
    data = {"x": x, "y": 1.0 + x - 0.1 * x**2 + 0.01 * x**3 + random.normal(size=x.size)}
    return descend.fit("y ~ w @ [x, x^2, x^3] + b", data, start={"w": 0.0, "b": 0.0}, optimizer="gd",
                       learning_rate=0.01, epochs=300)  # fmt: skip


@entry("unscaled_column", "a Python function of a column in thousands", gradient="autograd")
@entry("unscaled_column", "a NumPy function of a column in thousands, its gradient correct", gradient="by_hand")
def scale_function(random: Random, gradient: Any) -> descend.Fit:
    data = line(random, high=random.uniform(500.0, 5000.0))
    given = straight_gradient if gradient == "by_hand" else gradient
    return descend.fit(straight, data, response="y", gradient=given, start=ZERO, optimizer="gd", learning_rate=0.01,
                       epochs=200)  # fmt: skip


@entry("unscaled_column", "incomes in tens of thousands under the logistic loss, which swings")
def scale_logistic(random: Random) -> descend.Fit:
    data = classes(random, scale=random.uniform(500.0, 5000.0))
    return descend.fit("y ~ w*x + b", data, loss="logistic", start=ZERO, optimizer="gd", learning_rate=0.1, epochs=300)


@entry("unscaled_column", "a robust loss, which grows slowly")
def scale_huber(random: Random) -> descend.Fit:
    data = line(random, high=random.uniform(500.0, 3000.0))
    return descend.fit("y ~ w*x + b", data, loss="huber(delta=2)", start=ZERO, optimizer="gd", learning_rate=0.05,
                       epochs=300)  # fmt: skip


@entry(
    "unscaled_column",
    "Linear regression in PyTorch on raw inputs in the tens and hundreds: the largest stable rate is 1.4e-4, SGD is "
    "given 1e-3, and the loss is inf, then nan, within a few dozen steps.",
    source="github.com/pytorch/pytorch/issues/149827; the same in tensorflow issue 3148 and keras issue 3040",
    dtype=torch.float32,
)
def scale_published(random: Random, dtype: Any) -> descend.Fit:
    seeded(random)
    x = random.uniform(0.0, 145.0, 200)
    data = {"x": x, "y": 3.0 * x + 7.0 + random.normal(size=200)}
    return descend.fit(torch.nn.Linear(1, 1, dtype=dtype), data, inputs=["x"], response="y", optimizer=torch.optim.SGD,
                       learning_rate=1e-3, epochs=200)  # fmt: skip


@entry(
    "unscaled_column",
    "House prices from square feet, from zero weights with a rate of 0.01 where the bound is 1e-6: the weights "
    "alternate in sign and overflow.",
    source="stackoverflow.com/questions/48335501, with its data made a hundred times larger",
)
def scale_houses(random: Random) -> descend.Fit:
    area = random.uniform(600.0, 4000.0, 47)
    data = {"area": area, "price": 0.15 * area + 70.0 + 20.0 * random.normal(size=47)}
    return descend.fit("price ~ w*area + b", data, start=ZERO, optimizer="gd", learning_rate=0.01, epochs=1500)


# ---------------------------------------------------------------- bad rows


@entry("bad_rows", "one response in another unit, a thousand times too large, in a fit that converges")
def bad_unit(random: Random) -> descend.Fit:
    dose = np.repeat([0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0], 7)
    data = {"dose": dose, "y": 8.0 + 92.0 / (1.0 + (dose / 1.3) ** 1.4) + 2.5 * random.normal(size=dose.size)}
    data["y"][int(random.integers(10, 30))] *= 1000.0
    return descend.fit("y ~ low + (high - low)/(1 + (dose/ec)^h)", data)


@entry("bad_rows", "one response that saturates a network for all rows")
def bad_network(random: Random) -> descend.Fit:
    seeded(random)
    inputs = torch.rand(150, 2)
    y = inputs.sum(1) + 0.05 * torch.randn(150)
    y[int(random.integers(150))] = 10.0 ** random.uniform(8.0, 10.0)
    return descend.fit(mlp(2, 8), (inputs, y), optimizer="gd", learning_rate=0.05, epochs=200)


@entry("bad_rows", "a placeholder among the inputs", value=-9999.0)
@entry("bad_rows", "a placeholder among the inputs", value=99999.0)
@entry("bad_rows", "a slipped decimal point", value=1e5)
@entry("bad_rows", "a value beyond all measure", value=1e30)
def bad_input(random: Random, value: float) -> descend.Fit:
    data = line(random, high=4.0)
    rows = random.choice(len(data["x"]), int(random.integers(1, max(2, len(data["x"]) // 50))), replace=False)
    data["x"][rows] = value
    return descend.fit("y ~ w*x + b", data, start=ZERO, optimizer=str(random.choice(GD[:2])), learning_rate=0.02,
                       epochs=300)  # fmt: skip


@entry("bad_rows", "placeholders in a tenth of the rows of one of several columns")
def bad_many(random: Random) -> descend.Fit:
    data = columns(random, 3)
    rows = random.choice(len(data["y"]), len(data["y"]) // 10, replace=False)
    data["x2"][rows] = -999.0
    return descend.fit("y ~ w @ [x1, x2, x3] + b", data, start={"w": 0.0, "b": 0.0}, optimizer="gd",
                       learning_rate=0.1, epochs=300)  # fmt: skip


@entry("bad_rows", "a Python function, and a few rows in another unit", gradient="autograd")
@entry("bad_rows", "a NumPy function, and a few rows in another unit", gradient="by_hand")
def bad_function(random: Random, gradient: Any) -> descend.Fit:
    data = line(random, high=4.0)
    data["x"][[3, 11]] *= -1e6
    given = straight_gradient if gradient == "by_hand" else gradient
    return descend.fit(straight, data, response="y", gradient=given, start=ZERO, optimizer="gd", learning_rate=0.02,
                       epochs=300)  # fmt: skip


@entry("bad_rows", "a linear layer in single precision, and a sensor that once returned 1e6")
def bad_layer(random: Random) -> descend.Fit:
    seeded(random)
    data = columns(random, 3)
    data["x1"][7] = 1e6
    return descend.fit(torch.nn.Linear(3, 1), data, inputs=["x1", "x2", "x3"], response="y", optimizer="gd",
                       learning_rate=0.05, epochs=200)  # fmt: skip


@entry("bad_rows", "tensors, one pixel of which is broken, for a network")
def bad_tensor(random: Random) -> descend.Fit:
    seeded(random)
    x = torch.randn(200, 5)
    y = x @ torch.tensor([1.0, -1.0, 0.5, 0.0, 2.0]) + 0.1 * torch.randn(200)
    x[20, 2] = 1e8
    return descend.fit(mlp(5, activation=torch.nn.ReLU), (x, y), optimizer="gd", learning_rate=0.05, epochs=200)


@entry("bad_rows", "one response in another unit throws a curve off")
def bad_response(random: Random) -> descend.Fit:
    data = decay(random)
    data["y"][5] = 1e7
    return descend.fit("y ~ a*exp(-b*x) + c", data, start={"a": 1.0, "b": 1.0, "c": 0.0}, optimizer="gd",
                       learning_rate=0.1, epochs=500)  # fmt: skip


@entry("bad_rows", "a placeholder in the response that a converged fit took along", value=-9999.0, optimizer=None)
@entry("bad_rows", "a fill value in the response that a converged fit took along", value=1e30, optimizer=None)
@entry("bad_rows", "a placeholder in the response, and a rate that was chosen", value=999.0, optimizer="gd")
def bad_converged(random: Random, value: float, optimizer: str | None) -> descend.Fit:
    data = line(random)
    rows = random.choice(len(data["x"]), int(random.integers(1, 4)), replace=False)
    data["y"][rows] = value
    return descend.fit("y ~ w*x + b", data, optimizer=optimizer)


@entry("bad_rows", "a placeholder among values in thousands, twice and more", times=2)
def bad_area(random: Random) -> descend.Fit:
    area = random.uniform(600.0, 4000.0, 47)
    data = {"area": area, "price": 0.15 * area + 70.0 + 20.0 * random.normal(size=47)}
    data[str(random.choice(["area", "price"]))][random.choice(47, int(random.integers(2, 7)), replace=False)] = -9999.0
    return descend.fit("price ~ w*area + b", data, standardize=True, optimizer="gd", learning_rate=0.1, epochs=300)


@entry("bad_rows", "the robust loss is no help against a wild input", loss="huber(delta=1)")
def bad_robust(random: Random, loss: str) -> descend.Fit:
    data = line(random, high=4.0)
    data["x"][2] = -99999.0
    return descend.fit("y ~ w*x + b", data, loss=loss, start=ZERO, optimizer="gd", learning_rate=0.05, epochs=400)


# ---------------------------------------------------------------- outside a domain


@entry("domain_error", "the argument of a logarithm becomes negative", times=2)
def domain_log(random: Random) -> descend.Fit:
    x = random.uniform(0.0, 5.0, size(random))
    data = {"x": x, "y": 3.0 * np.log(0.05 + x) + 0.1 * random.normal(size=x.size)}
    return descend.fit("y ~ a*log(b + x)", data, start={"a": 1.0, "b": 1.0}, optimizer="gd",
                       learning_rate=random.uniform(0.3, 0.6), epochs=500)  # fmt: skip


@entry("domain_error", "a root of what becomes negative", loss="squared")
@entry("domain_error", "a root of what becomes negative", loss="huber(delta=1)")
def domain_root(random: Random, loss: str) -> descend.Fit:
    x = random.uniform(0.0, 4.0, size(random))
    data = {"x": x, "y": np.sqrt(x) - 1.0 + 0.05 * random.normal(size=x.size)}
    return descend.fit("y ~ sqrt(a + b*x)", data, start={"a": 1.0, "b": 1.0}, optimizer="gd", loss=loss,
                       learning_rate=random.uniform(0.5, 1.0), epochs=500)  # fmt: skip


@entry("domain_error", "a power of what becomes negative")
def domain_power(random: Random) -> descend.Fit:
    x = random.uniform(1.0, 5.0, size(random))
    data = {"x": x, "y": (x - 0.95) ** 1.5 + 0.05 * random.normal(size=x.size)}
    return descend.fit("y ~ (x - c)^1.5", data, start={"c": 0.5}, optimizer="gd",
                       learning_rate=random.uniform(0.3, 0.6), epochs=500)  # fmt: skip


@entry("domain_error", "Poisson counts with a mean that is not kept positive")
def domain_poisson(random: Random) -> descend.Fit:
    x = random.uniform(0.0, 5.0, max(size(random), 100))
    data = {"x": x, "y": random.poisson(0.05 + 1.5 * x).astype(float)}
    return descend.fit("y ~ a + b*x", data, loss="poisson", start={"a": 2.0, "b": 0.1}, optimizer="gd",
                       learning_rate=random.uniform(1.5, 3.0), epochs=500)  # fmt: skip


def logarithm(x: Any, a: Any, b: Any) -> Any:
    return a * np.log(b + x)


def logarithm_gradient(x: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    r = a * np.log(b + x) - y
    return np.mean(2 * r * np.log(b + x)), np.mean(2 * r * a / (b + x))


def torch_root(x: Any, a: Any, b: Any) -> Any:
    return torch.sqrt(a + b * x)


@entry("domain_error", "a NumPy function with a logarithm")
def domain_numpy(random: Random) -> descend.Fit:
    x = random.uniform(0.0, 5.0, size(random))
    data = {"x": x, "y": 3.0 * np.log(0.05 + x) + 0.1 * random.normal(size=x.size)}
    return descend.fit(logarithm, data, response="y", gradient=logarithm_gradient, start={"a": 1.0, "b": 1.0},
                       optimizer="gd", learning_rate=random.uniform(0.3, 0.6), epochs=500)  # fmt: skip


@entry("domain_error", "a torch function with a root")
def domain_torch(random: Random) -> descend.Fit:
    x = random.uniform(0.0, 4.0, size(random))
    data = {"x": x, "y": np.sqrt(x) - 1.0}
    return descend.fit(torch_root, data, response="y", gradient="autograd", start={"a": 1.0, "b": 1.0}, optimizer="gd",
                       learning_rate=random.uniform(0.5, 1.0), epochs=500)  # fmt: skip


class Logarithm(torch.nn.Module):
    """log of a linear layer, which nothing keeps positive."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(1, 1)
        torch.nn.init.constant_(self.linear.weight, 1.0)
        torch.nn.init.constant_(self.linear.bias, 1.0)

    def forward(self, x: Any) -> Any:
        return torch.log(self.linear(x))


@entry("domain_error", "a module with the logarithm of a linear layer")
def domain_module(random: Random) -> descend.Fit:
    x = random.uniform(0.0, 5.0, size(random))
    data = {"x": x, "y": np.log(0.02 + x) - 1.0}
    return descend.fit(Logarithm(), data, inputs=["x"], response="y", optimizer="gd",
                       learning_rate=random.uniform(0.15, 0.3), epochs=500)  # fmt: skip


# ---------------------------------------------------------------- overflow


@entry("overflow", "an exponential of a column in hundreds", times=2, engine="numpy")
@entry("overflow", "an exponential of a column in hundreds", engine="torch")
def overflow_formula(random: Random, engine: str) -> descend.Fit:
    x = np.sort(random.uniform(0.0, random.uniform(300.0, 1000.0), size(random)))
    data = {"x": x, "y": 2.0 * np.exp(0.003 * x) + 0.1 * random.normal(size=x.size)}
    return descend.fit("y ~ a*exp(b*x)", data, start={"a": 1.0, "b": 0.0}, optimizer="gd", learning_rate=0.01,
                       epochs=100, engine=engine)  # fmt: skip


@entry("overflow", "growth from times that were not counted from zero, under another loss", loss="huber(delta=1)")
@entry("overflow", "counts that are a power of e of a column in hundreds", loss="poisson")
def overflow_loss(random: Random, loss: str) -> descend.Fit:
    x = random.uniform(100.0, 900.0, size(random))
    y = np.exp(0.002 * x)
    data = {"x": x, "y": random.poisson(y).astype(float) if loss == "poisson" else y}
    return descend.fit("y ~ exp(a + b*x)", data, loss=loss, start={"a": 0.0, "b": 0.0}, optimizer="gd",
                       learning_rate=0.02, epochs=100)  # fmt: skip


def growth(x: Any, a: Any, b: Any) -> Any:
    return a * np.exp(b * x)


def growth_gradient(x: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    r = a * np.exp(b * x) - y
    return np.mean(2 * r * np.exp(b * x)), np.mean(2 * r * a * x * np.exp(b * x))


def torch_growth(x: Any, a: Any, b: Any) -> Any:
    return a * torch.cosh(b * x)


@entry("overflow", "a NumPy function with an exponential", torches=False)
@entry("overflow", "a torch function with a hyperbolic cosine", torches=True)
def overflow_function(random: Random, torches: bool) -> descend.Fit:
    x = random.uniform(0.0, random.uniform(300.0, 900.0), size(random))
    data = {"x": x, "y": 2.0 * np.exp(0.003 * x)}
    model: Any = torch_growth if torches else growth
    gradient: Any = "autograd" if torches else growth_gradient
    start = {"a": 1.0, "b": 0.001 if torches else 0.0}
    return descend.fit(model, data, response="y", gradient=gradient, start=start, optimizer="gd", learning_rate=0.01,
                       epochs=100)  # fmt: skip


class Growth(torch.nn.Module):
    """exp of a linear layer."""

    def __init__(self, dtype: Any) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(1, 1, dtype=dtype)
        torch.nn.init.zeros_(self.linear.weight)
        torch.nn.init.zeros_(self.linear.bias)

    def forward(self, x: Any) -> Any:
        return torch.exp(self.linear(x))


@entry("overflow", "a module that ends in an exponential", dtype=torch.float32)
@entry("overflow", "a module that ends in an exponential", dtype=torch.float64)
def overflow_module(random: Random, dtype: Any) -> descend.Fit:
    x = random.uniform(0.0, random.uniform(100.0, 600.0), size(random))
    data = {"x": x, "y": 2.0 + 0.01 * x}
    return descend.fit(Growth(dtype), data, inputs=["x"], response="y", optimizer="gd", learning_rate=0.05, epochs=100)


# ---------------------------------------------------------------- far origins


@entry("far_origin", "a decay in seconds since 1970")
def far_seconds(random: Random) -> descend.Fit:
    seconds = np.sort(random.uniform(0.0, 7200.0, 100))
    y = random.uniform(20.0, 60.0) * np.exp(-seconds / random.uniform(1000.0, 3000.0)) + 0.3 * random.normal(size=100)
    return descend.fit("y ~ a*exp(-b*t)", {"t": 1.7e9 + seconds, "y": y})


@entry("far_origin", "a double decay in Julian days")
def far_days(random: Random) -> descend.Fit:
    days = np.arange(60.0)
    y = 5.0 * np.exp(-random.uniform(0.3, 0.5) * days) + 2.0 * np.exp(-0.05 * days) + 0.01 * random.normal(size=60)
    return descend.fit("y ~ a*exp(-b*day) + c*exp(-d*day)", {"day": 2_459_000 + days, "y": y})


@entry(None, "growth by degrees from absolute zero, which numbers can hold")
def near_enough(random: Random) -> descend.Fit:
    degrees = np.arange(20.0)
    y = 3.0 * np.exp(-degrees / random.uniform(7.0, 11.0)) + 0.01 * random.normal(size=20)
    return descend.fit("y ~ a*exp(-b*T)", {"T": 273.15 + degrees, "y": y})


# ---------------------------------------------------------------- plateaus


@entry("plateau", "a sigmoid that starts far outside", times=2)
def plateau_sigmoid(random: Random) -> descend.Fit:
    x = random.normal(size=size(random))
    data = {"x": x, "y": 1.0 / (1.0 + np.exp(-(0.5 + 2.0 * x))) + 0.02 * random.normal(size=x.size)}
    start = {"a": float(random.choice([-1, 1])) * random.uniform(20.0, 60.0), "b": 0.0}
    return descend.fit("y ~ sigmoid(a + b*x)", data, start=start, optimizer=str(random.choice(GD)), learning_rate=0.5,
                       epochs=400)  # fmt: skip


@entry("plateau", "a decay so fast that nothing is left of it", loss="squared")
@entry("plateau", "a decay so fast that nothing is left of it", loss="huber(delta=1)")
def plateau_decay(random: Random, loss: str) -> descend.Fit:
    data = decay(random)
    data["x"] += 0.2
    start = {"a": 2.0, "b": random.uniform(100.0, 400.0), "c": 0.0}
    return descend.fit("y ~ a*exp(-b*x) + c", data, start=start, loss=loss, optimizer="gd", learning_rate=0.1,
                       epochs=500)  # fmt: skip


@entry("plateau", "a step of tanh far off the data")
def plateau_tanh(random: Random) -> descend.Fit:
    x = random.uniform(-3.0, 3.0, size(random))
    data = {"x": x, "y": 2.0 * np.tanh(1.5 * (x - 0.5)) + 0.05 * random.normal(size=x.size)}
    return descend.fit("y ~ a*tanh(k*(x - c))", data, start={"a": 1.0, "k": 3.0, "c": random.uniform(15.0, 40.0)},
                       optimizer="gd", learning_rate=0.1, epochs=500)  # fmt: skip


@entry(
    "plateau",
    "NIST's BoxBOD from the farther of its certified starts' kind: b2 so large that the curve is a constant.",
    source="itl.nist.gov/div898/strd/nls/data/boxbod.shtml",
)
def plateau_boxbod(random: Random) -> descend.Fit:
    data = {"x": np.array([1.0, 2, 3, 5, 7, 10]), "y": np.array([109.0, 149, 149, 191, 213, 224])}
    return descend.fit("y ~ b1*(1 - exp(-b2*x))", data, start={"b1": 1.0, "b2": random.uniform(40.0, 200.0)},
                       optimizer="gd", learning_rate=0.1, epochs=400)  # fmt: skip


def torch_sigmoid(x: Any, a: Any, b: Any) -> Any:
    return torch.sigmoid(a + b * x)


@entry("plateau", "a torch function that starts saturated")
def plateau_function(random: Random) -> descend.Fit:
    x = random.normal(size=size(random))
    data = {"x": x, "y": 1.0 / (1.0 + np.exp(-(0.5 + 2.0 * x)))}
    return descend.fit(torch_sigmoid, data, response="y", gradient="autograd", optimizer="gd", learning_rate=0.5,
                       start={"a": random.uniform(20.0, 30.0), "b": 0.0}, epochs=300)  # fmt: skip


@entry("plateau", "every relu is dead from the start, by a bias far below zero", dtype=torch.float32)
@entry("plateau", "every relu is dead from the start, by a bias far below zero", dtype=torch.float64)
def plateau_dead(random: Random, dtype: Any) -> descend.Fit:
    seeded(random)
    data = columns(random, 2)
    module = mlp(2, activation=torch.nn.ReLU, dtype=dtype)
    torch.nn.init.constant_(module[0].bias, -random.uniform(20.0, 60.0))
    return descend.fit(module, data, inputs=["x1", "x2"], response="y", optimizer=str(random.choice(["gd", "adam"])),
                       learning_rate=0.05, epochs=300)  # fmt: skip


@entry("plateau", "hidden units driven to their ends by weights that are far too large", activation=torch.nn.Tanh)
@entry("plateau", "hidden units driven to their ends by weights that are far too large", activation=torch.nn.Sigmoid)
def plateau_saturated(random: Random, activation: Any) -> descend.Fit:
    seeded(random)
    data = columns(random, 2)
    module = mlp(2, activation=activation)
    torch.nn.init.constant_(module[0].bias, random.uniform(60.0, 90.0))
    return descend.fit(module, data, inputs=["x1", "x2"], response="y", optimizer="gd", learning_rate=0.01, epochs=300)


# ---------------------------------------------------------------- wrong gradients


WRONG = {
    "sign": "w = -mean(2*x*(w*x + b - y)); b = -mean(2*(w*x + b - y))",
    "chain factor": "w = mean(2*(w*x + b - y)); b = mean(2*(w*x + b - y))",
    "sum": "w = sum(2*x*(w*x + b - y)); b = sum(2*(w*x + b - y))",
    "swapped": "w = mean(2*(w*x + b - y)); b = mean(2*x*(w*x + b - y))",
    "one sign": "w = mean(2*x*(w*x + b - y)); b = -mean(2*(w*x + b - y))",
    "no intercept": "w = mean(2*x*(w*x - y)); b = mean(2*(w*x + b - y))",
    "a square too many": "w = mean(2*x^2*(w*x + b - y)); b = mean(2*(w*x + b - y))",
}


@entry("wrong_gradient", "written by hand with one mistake", mistake="sign")
@entry("wrong_gradient", "written by hand with one mistake", mistake="chain factor")
@entry("wrong_gradient", "written by hand with one mistake", mistake="sum")
@entry("wrong_gradient", "written by hand with one mistake", mistake="swapped")
@entry("wrong_gradient", "written by hand with one mistake", mistake="one sign")
@entry("wrong_gradient", "written by hand with one mistake", mistake="no intercept")
@entry("wrong_gradient", "written by hand with one mistake", mistake="a square too many")
def gradient_text(random: Random, mistake: str) -> descend.Fit:
    data = line(random, high=4.0)
    return descend.fit("y ~ w*x + b", data, gradient=WRONG[mistake], start={"w": 0.5, "b": 0.5}, optimizer="gd",
                       learning_rate=0.02, epochs=300)  # fmt: skip


def off_by_n(x: Any, y: Any, w: Any, b: Any) -> tuple[Any, Any]:
    r = w * x + b - y
    return np.sum(2.0 * x * r), np.sum(2.0 * r)


def turned(x: Any, y: Any, w: Any, b: Any) -> tuple[Any, Any]:
    r = y - w * x - b
    return np.mean(2.0 * x * r), np.mean(2.0 * r)


@entry("wrong_gradient", "a gradient function that sums", function=off_by_n)
@entry("wrong_gradient", "a gradient function with the residual turned round", function=turned)
def gradient_function(random: Random, function: Any) -> descend.Fit:
    return descend.fit(straight, line(random, high=4.0), response="y", gradient=function, start={"w": 0.5, "b": 0.5},
                       optimizer="gd", learning_rate=0.05, epochs=300)  # fmt: skip


@entry("wrong_gradient", "the gradient of another loss than the one that is fitted")
def gradient_loss(random: Random) -> descend.Fit:
    gradient = "w = mean((w*x + b - y)*x); b = mean(w*x + b - y)"
    return descend.fit("y ~ w*x + b", classes(random), loss="logistic", gradient=gradient, optimizer="gd",
                       learning_rate=0.1, epochs=300, start={"w": 0.1, "b": 0.1})  # fmt: skip


# ---------------------------------------------------------------- the noise of batches


@entry("batch_noise", "one or two rows per step at a rate near the limit", optimizer="gd")
@entry("batch_noise", "one or two rows per step at a rate near the limit", optimizer="momentum")
def noise_line(random: Random, optimizer: str) -> descend.Fit:
    data = few(columns(random, 5, noise=2.0))
    formula = "y ~ w @ [x1, x2, x3, x4, x5] + b"
    rate = random.uniform(0.05, 0.09) * (0.1 if optimizer == "momentum" else 1.0)
    return descend.fit(formula, data, optimizer=optimizer, learning_rate=rate, batch_size=int(random.integers(1, 3)),
                       epochs=60, start={"w": 0.0, "b": 0.0}, seed=int(random.integers(99)))  # fmt: skip


@entry("batch_noise", "adam in batches of a few rows with steps that are too long to settle", loss="squared")
@entry("batch_noise", "adam in batches of a few rows with steps that are too long to settle", loss="logistic")
def noise_adam(random: Random, loss: str) -> descend.Fit:
    data = few(line(random, high=3.0, noise=2.0) if loss == "squared" else classes(random))
    rate = random.uniform(1.0, 2.0)
    return descend.fit("y ~ w*x + b", data, loss=loss, optimizer="adam", learning_rate=rate, batch_size=2, epochs=100,
                       start=ZERO)  # fmt: skip


@entry("batch_noise", "a Python function in batches of two rows")
def noise_function(random: Random) -> descend.Fit:
    data = few(line(random, high=3.0, noise=3.0))
    return descend.fit(straight, data, response="y", gradient="autograd", start=ZERO, optimizer="gd",
                       learning_rate=0.12, batch_size=2, epochs=60)  # fmt: skip


@entry("batch_noise", "a linear layer in batches of one row", dtype=torch.float32)
@entry("batch_noise", "a linear layer in batches of one row", dtype=torch.float64)
def noise_layer(random: Random, dtype: Any) -> descend.Fit:
    seeded(random)
    data = few(columns(random, 5, noise=2.0), 150)
    names = [f"x{k + 1}" for k in range(5)]
    return descend.fit(torch.nn.Linear(5, 1, dtype=dtype), data, inputs=names, response="y", optimizer="gd",
                       learning_rate=random.uniform(0.06, 0.09), batch_size=1, epochs=30)  # fmt: skip


@entry("batch_noise", "a robust loss in small batches")
def noise_huber(random: Random) -> descend.Fit:
    data = few(columns(random, 5, noise=1.0))
    return descend.fit(
        "y ~ w @ [x1, x2, x3, x4, x5] + b",
        data,
        loss="huber(delta=1)",
        optimizer="gd",
        learning_rate=random.uniform(0.4, 0.6),
        batch_size=2,
        epochs=60,
        start={"w": 0.0, "b": 0.0},
    )


# ---------------------------------------------------------------- too few epochs


@entry("too_few_epochs", "a line, stopped on its way down", times=2, optimizer="gd")
@entry("too_few_epochs", "a line, stopped on its way down", optimizer="momentum")
def few_line(random: Random, optimizer: str) -> descend.Fit:
    data = line(random, high=4.0)
    curvature = 2.0 * largest(data["x"], np.ones_like(data["x"]))
    rate = random.uniform(0.005, 0.03) / curvature * (0.1 if optimizer == "momentum" else 1.0)
    return descend.fit("y ~ w*x + b", data, start=ZERO, optimizer=optimizer, learning_rate=rate,
                       epochs=int(random.integers(8, 20)))  # fmt: skip


@entry("too_few_epochs", "steps of adam too short for the way to go")
def few_adam(random: Random) -> descend.Fit:
    return descend.fit("y ~ w*x + b", line(random), start=ZERO, optimizer="adam", learning_rate=0.001, epochs=100)


@entry("too_few_epochs", "a decay, half learned", loss="squared")
@entry("too_few_epochs", "a decay, half learned", loss="huber(delta=1)")
def few_decay(random: Random, loss: str) -> descend.Fit:
    return descend.fit("y ~ a*exp(-b*x) + c", decay(random, noise=0.02), start={"a": 1.0, "b": 1.0, "c": 0.0},
                       loss=loss, optimizer="gd", learning_rate=0.02, epochs=30)  # fmt: skip


@entry("too_few_epochs", "a logistic fit at a tiny rate")
def few_logistic(random: Random) -> descend.Fit:
    return descend.fit("y ~ w*x + b", classes(random), loss="logistic", start=ZERO, optimizer="gd",
                       learning_rate=0.02, epochs=40)  # fmt: skip


@entry("too_few_epochs", "a Python function", gradient="autograd")
@entry("too_few_epochs", "a NumPy function with its own, correct gradient", gradient="by_hand")
def few_function(random: Random, gradient: Any) -> descend.Fit:
    given = straight_gradient if gradient == "by_hand" else gradient
    return descend.fit(straight, line(random, high=4.0), response="y", gradient=given, start=ZERO, optimizer="gd",
                       learning_rate=0.001, epochs=30)  # fmt: skip


@entry("too_few_epochs", "a linear layer", dtype=torch.float32)
@entry("too_few_epochs", "a linear layer", dtype=torch.float64)
def few_layer(random: Random, dtype: Any) -> descend.Fit:
    seeded(random)
    return descend.fit(torch.nn.Linear(4, 1, dtype=dtype), columns(random, 4), inputs=["x1", "x2", "x3", "x4"],
                       response="y", optimizer="gd", learning_rate=0.005, epochs=40)  # fmt: skip


@entry("too_few_epochs", "a network after a few epochs of plain descent")
def few_network(random: Random) -> descend.Fit:
    seeded(random)
    return descend.fit(mlp(3), columns(random, 3), inputs=["x1", "x2", "x3"], response="y", optimizer="gd",
                       learning_rate=0.002, epochs=30)  # fmt: skip


# ---------------------------------------------------------------- healthy runs


@entry(None, "a network with batch normalisation and dropout, in batches, close to its end")
def fine_dropout(random: Random) -> descend.Fit:
    seeded(random)
    inputs = torch.randn(200, 5)
    net = torch.nn.Sequential(
        torch.nn.Linear(5, 16), torch.nn.BatchNorm1d(16), torch.nn.ReLU(), torch.nn.Dropout(0.2), torch.nn.Linear(16, 1)
    )  # fmt: skip
    return descend.fit(net, (inputs, inputs[:, 0] * 2 + inputs[:, 1]), optimizer="adam", learning_rate=0.01,
                       batch_size=32, epochs=60)  # fmt: skip


@entry(None, "the lesson: y = 2x, 100 epochs at 0.001 from w = 0")
def fine_lesson(random: Random) -> descend.Fit:
    x = np.arange(100) / 10
    data = {"x": x, "y": 2 * x + 2 * random.uniform(size=100)}
    return descend.fit("y ~ w*x", data, start={"w": 0.0}, optimizer="gd", learning_rate=0.001, epochs=100)


@entry(None, "the lesson with its gradient by hand, as text")
def fine_by_hand(random: Random) -> descend.Fit:
    x = np.arange(100) / 10
    data = {"x": x, "y": 2 * x + 2 * random.uniform(size=100)}
    return descend.fit("y ~ w*x", data, gradient="w = mean(2*w*x*x - 2*x*y)", start={"w": 0.0}, optimizer="gd",
                       learning_rate=0.001, epochs=100)  # fmt: skip


@entry(None, "a line by whatever is chosen", optimizer=None)
@entry(None, "a line with a rate that was chosen", optimizer="gd")
@entry(None, "a line with a rate that was chosen", optimizer="momentum")
@entry(None, "a line with a rate that was chosen", optimizer="nesterov")
@entry(None, "a line with a rate that was chosen", optimizer="lbfgs")
@entry(None, "a line with a rate that was chosen", optimizer="newton")
def fine_line(random: Random, optimizer: str | None) -> descend.Fit:
    return descend.fit("y ~ w*x + b", line(random), optimizer=optimizer)


@entry(None, "adaptive steps, a thousand of them", optimizer="adam")
@entry(None, "adaptive steps, a thousand of them", optimizer="rmsprop")
@entry(None, "adaptive steps, a thousand of them", optimizer="adagrad")
@entry(None, "adaptive steps, a thousand of them", optimizer="adamw(weight_decay=0)")
def fine_adaptive(random: Random, optimizer: str) -> descend.Fit:
    return descend.fit("y ~ w @ [x1, x2, x3] + b", columns(random, 3), optimizer=optimizer, epochs=1000)


@entry(None, "at nine tenths of the largest stable rate", optimizer="gd")
@entry(None, "at nine tenths of the largest stable rate", optimizer="momentum")
@entry(None, "at nine tenths of the largest stable rate", optimizer="nesterov")
def fine_edge(random: Random, optimizer: str) -> descend.Fit:
    data = columns(random, 3)
    curvature = 2.0 * largest(data["x1"], data["x2"], data["x3"], np.ones(len(data["y"])))
    return descend.fit("y ~ w @ [x1, x2, x3] + b", data, start={"w": 0.0, "b": 0.0}, optimizer=optimizer,
                       learning_rate=0.9 * limit(optimizer, curvature), epochs=400)  # fmt: skip


@entry(None, "another loss", loss="huber(delta=1)")
@entry(None, "another loss", loss="cauchy(scale=1)")
@entry(None, "another loss", loss="log_cosh")
@entry(None, "another loss", loss="soft_l1(scale=1)")
def fine_robust(random: Random, loss: str) -> descend.Fit:
    data = line(random)
    data["y"][3] += 50.0
    return descend.fit("y ~ w*x + b", data, loss=loss)


@entry(None, "classes", optimizer=None)
@entry(None, "classes", optimizer="gd")
def fine_logistic(random: Random, optimizer: str | None) -> descend.Fit:
    return descend.fit("y ~ a + b*x", classes(random), loss="logistic", optimizer=optimizer)


@entry(None, "counts", optimizer=None)
@entry(None, "counts", optimizer="momentum")
def fine_poisson(random: Random, optimizer: str | None) -> descend.Fit:
    return descend.fit("y ~ exp(a + b*x)", counts(random), loss="poisson", optimizer=optimizer)


@entry(None, "a decay, its start searched for", start=None)
@entry(None, "a decay from a start nearby", start={"a": 1.0, "b": 1.0, "c": 0.0})
def fine_decay(random: Random, start: Any) -> descend.Fit:
    return descend.fit("y ~ a*exp(-b*x) + c", decay(random), start=start)


@entry(None, "a decay by plain descent, long enough")
def fine_decay_gd(random: Random) -> descend.Fit:
    return descend.fit("y ~ a*exp(-b*x) + c", decay(random), start={"a": 1.0, "b": 1.0, "c": 0.0}, optimizer="gd",
                       learning_rate=0.2, epochs=3000)  # fmt: skip


@entry(None, "an input whose tails are those of Cauchy's distribution: wild, but no mistake")
def fine_heavy(random: Random) -> descend.Fit:
    x = random.standard_cauchy(size(random))
    return descend.fit("y ~ w*x + b", {"x": x, "y": 2.0 * x + 1.0 + random.normal(size=x.size)})


@entry(None, "lognormal inputs under plain descent")
def fine_lognormal(random: Random) -> descend.Fit:
    x = random.lognormal(sigma=1.0, size=size(random))
    return descend.fit("y ~ w*x + b", {"x": x, "y": 2.0 * x + 1.0 + random.normal(size=x.size)}, optimizer="gd")


@entry(None, "a column in thousands, solved by a method that does not mind")
def fine_unscaled(random: Random) -> descend.Fit:
    return descend.fit("y ~ w*x + b", line(random, high=5000.0))


@entry(None, "a column in thousands, standardised")
def fine_standardized(random: Random) -> descend.Fit:
    return descend.fit("y ~ w*x + b", line(random, high=5000.0), optimizer="gd", learning_rate=0.1, epochs=300,
                       standardize=True)  # fmt: skip


@entry(None, "an outlier that a converged fit has taken along")
def fine_outlier(random: Random) -> descend.Fit:
    data = line(random)
    data["y"][0] += 40.0
    return descend.fit("y ~ w*x + b", data)


@entry(None, "nothing but noise", times=2)
def fine_nothing(random: Random) -> descend.Fit:
    rows = size(random)
    return descend.fit("y ~ w*x + b", {"x": random.normal(size=rows), "y": random.normal(size=rows)}, optimizer="gd")


@entry(None, "data without any noise")
def fine_exact(random: Random) -> descend.Fit:
    return descend.fit("y ~ w*x + b", line(random, noise=0.0), optimizer="gd")


@entry(None, "batches of a useful size with a falling rate", optimizer="gd")
@entry(None, "batches of a useful size with a falling rate", optimizer="adam")
def fine_batches(random: Random, optimizer: str) -> descend.Fit:
    rate = 0.05 if optimizer == "gd" else 0.1
    return descend.fit("y ~ w @ [x1, x2, x3] + b", columns(random, 3), optimizer=optimizer, learning_rate=rate,
                       batch_size=32, schedule="cosine", epochs=100, start={"w": 0.0, "b": 0.0})  # fmt: skip


@entry(None, "batches at a constant, modest rate")
def fine_constant_batches(random: Random) -> descend.Fit:
    return descend.fit("y ~ w @ [x1, x2, x3] + b", columns(random, 3), optimizer="gd", learning_rate=0.02,
                       batch_size=32, epochs=150, start={"w": 0.0, "b": 0.0})  # fmt: skip


@entry(None, "bounds, one of which holds")
def fine_bounds(random: Random) -> descend.Fit:
    return descend.fit("y ~ w*x + b", line(random), bounds=["w <= 0.4"])


@entry(None, "a penalty", penalty="l1")
@entry(None, "a penalty", penalty="l2")
def fine_penalty(random: Random, penalty: str) -> descend.Fit:
    return descend.fit("y ~ w @ [x1, x2, x3, x4, x5] + b", columns(random, 5), **{penalty: 0.1})


@entry(None, "columns that are nearly the same")
def fine_collinear(random: Random) -> descend.Fit:
    data = columns(random, 2)
    data["x2"] = data["x1"] + 0.01 * data["x2"]
    return descend.fit("y ~ w @ [x1, x2] + b", data)


@entry(None, "a wave")
def fine_wave(random: Random) -> descend.Fit:
    x = random.uniform(0.0, 10.0, 200)
    return descend.fit("y ~ a*sin(w*x + p)", {"x": x, "y": 2.0 * np.sin(1.7 * x + 0.4) + 0.1 * random.normal(size=200)})


@entry(None, "a sigmoid under squared loss")
def fine_sigmoid(random: Random) -> descend.Fit:
    x = random.normal(size=size(random))
    data = {"x": x, "y": 1.0 / (1.0 + np.exp(-(0.5 + 2.0 * x))) + 0.02 * random.normal(size=x.size)}
    return descend.fit("y ~ sigmoid(a + b*x)", data, start={"a": 0.0, "b": 0.0}, optimizer="gd", learning_rate=2.0,
                       epochs=2000)  # fmt: skip


@entry(None, "a Python function", gradient="autograd")
@entry(None, "a NumPy function with its own gradient", gradient="by_hand")
def fine_function(random: Random, gradient: Any) -> descend.Fit:
    given = straight_gradient if gradient == "by_hand" else gradient
    return descend.fit(straight, line(random, high=3.0), response="y", gradient=given, start=ZERO, optimizer="gd",
                       learning_rate=0.05, epochs=1000)  # fmt: skip


@entry(None, "a linear layer", dtype=torch.float32)
@entry(None, "a linear layer", dtype=torch.float64)
def fine_layer(random: Random, dtype: Any) -> descend.Fit:
    seeded(random)
    return descend.fit(torch.nn.Linear(3, 1, dtype=dtype), columns(random, 3), inputs=["x1", "x2", "x3"], response="y",
                       optimizer="gd", learning_rate=0.1, epochs=200)  # fmt: skip


@entry(None, "a network", activation=torch.nn.Tanh, optimizer="adam")
@entry(None, "a network", activation=torch.nn.ReLU, optimizer="adam")
@entry(None, "a network", activation=torch.nn.Sigmoid, optimizer="adam")
@entry(None, "a network", activation=torch.nn.GELU, optimizer="momentum")
@entry(None, "a network", activation=torch.nn.ReLU, optimizer=torch.optim.NAdam)
def fine_network(random: Random, activation: Any, optimizer: Any) -> descend.Fit:
    seeded(random)
    rate = 0.02 if optimizer != "momentum" else 0.01
    return descend.fit(mlp(3, activation=activation), columns(random, 3), inputs=["x1", "x2", "x3"], response="y",
                       optimizer=optimizer, learning_rate=rate, epochs=400)  # fmt: skip


@entry(None, "a network in batches", loss="squared")
@entry(None, "a network of classes in batches", loss="logistic")
def fine_network_batches(random: Random, loss: str) -> descend.Fit:
    seeded(random)
    data = classes(random, rows=1000) if loss == "logistic" else columns(random, 1, rows=1000)
    inputs = ["x"] if loss == "logistic" else ["x1"]
    return descend.fit(mlp(1, activation=torch.nn.ReLU), data, inputs=inputs, response="y", loss=loss,
                       optimizer="adam", learning_rate=0.005, batch_size=64, epochs=80)  # fmt: skip


@entry(None, "a network with dropout and batch normalisation")
def fine_modes(random: Random) -> descend.Fit:
    seeded(random)
    parts = [torch.nn.Linear(3, 32), torch.nn.BatchNorm1d(32), torch.nn.ReLU(), torch.nn.Dropout(0.1)]
    module = torch.nn.Sequential(*parts, torch.nn.Linear(32, 1))
    return descend.fit(module, columns(random, 3), inputs=["x1", "x2", "x3"], response="y", optimizer="adam",
                       learning_rate=0.02, epochs=300)  # fmt: skip


@entry(None, "a layer under lbfgs of torch")
def fine_lbfgs(random: Random) -> descend.Fit:
    seeded(random)
    return descend.fit(torch.nn.Linear(3, 1, dtype=torch.float64), columns(random, 3), inputs=["x1", "x2", "x3"],
                       response="y", optimizer="lbfgs")  # fmt: skip


@entry(None, "no epochs at all: only what the start costs")
def fine_start(random: Random) -> descend.Fit:
    return descend.fit("y ~ w*x", line(random), start={"w": 1.5}, optimizer="gd", learning_rate=0.001, epochs=0)


@entry(None, "ties, and a parameter that is fixed")
def fine_ties(random: Random) -> descend.Fit:
    return descend.fit("y ~ a*x1 + b*x2 + c", columns(random, 2), ties=["b = 2*a"], fix={"c": 1.0})


@entry(None, "weights of the rows, two sizes of them", times=2)
def fine_weights(random: Random) -> descend.Fit:
    data = line(random)
    data["k"] = random.uniform(0.1, 2.0, len(data["x"]))
    return descend.fit("y ~ w*x + b", data, weights="k", optimizer="gd")


def runs(seed: int) -> Iterator[tuple[Entry, Random]]:
    """Yield each entry with random numbers of its own."""
    for number, each in enumerate(ENTRIES):
        yield each, np.random.default_rng([seed, number])
