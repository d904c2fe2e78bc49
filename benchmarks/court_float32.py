"""The gradient court on correct gradients in single precision, with y of any size: none may be accused.

Random formulas under all losses, y of about 1e-3 to 1e4, starts drawn near or far, some so far that a tanh is flat.
Each is given its own gradient as a NumPy function in single precision, in PyTorch's single precision, and by PyTorch's
autograd of the loss in single precision, as people write it.

    python benchmarks/court_float32.py --formulas 150
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import court
import numpy as np

from descend.errors import ConfigError
from descend.formula.printers.code import TORCH, Writer
from descend.gradients.court.proof import contributions
from descend.losses import Loss


def written(loss: Loss, rng: np.random.Generator) -> Callable[[Any, Any], Any]:
    """Return the loss of each row in PyTorch, in one of the ways that people write it."""
    import torch
    from torch.nn import functional

    size = next(iter(loss.settings.values()), 1.0)
    ways: dict[str, list[Callable[[Any, Any], Any]]] = {
        "squared": [lambda p, y: (p - y) ** 2, lambda p, y: functional.mse_loss(p, y, reduction="none")],
        "absolute": [lambda p, y: (p - y).abs()],
        "huber": [
            lambda p, y: functional.huber_loss(p, y, reduction="none", delta=size),
            lambda p, y: torch.where((p - y).abs() <= size, (p - y) ** 2 / 2, size * ((p - y).abs() - size / 2)),
        ],
        "log_cosh": [
            lambda p, y: (p - y).abs() + functional.softplus(-2 * (p - y).abs()),
            lambda p, y: torch.logaddexp(p - y, y - p),
            lambda p, y: torch.log(torch.cosh(p - y)),
        ],
        "soft_l1": [lambda p, y: size**2 * (torch.sqrt(1 + ((p - y) / size) ** 2) - 1)],
        "cauchy": [
            lambda p, y: size**2 / 2 * torch.log1p(((p - y) / size) ** 2),
            lambda p, y: size**2 / 2 * torch.log(1 + ((p - y) / size) ** 2),
        ],
        "tukey": [
            lambda p, y: size**2 / 6 * (1 - torch.clamp(1 - ((p - y) / size) ** 2, min=0) ** 3),
            lambda p, y: torch.where(
                (p - y).abs() <= size, size**2 / 6 * (1 - (1 - ((p - y) / size) ** 2) ** 3), size**2 / 6
            ),
        ],
        "pinball": [lambda p, y: torch.maximum(size * (y - p), (size - 1) * (y - p))],
        "poisson": [lambda p, y: p - y * torch.log(p)],
    }
    choices = ways[loss.name]
    return choices[int(rng.integers(len(choices)))]


def autograd(trial: court.Trial, rng: np.random.Generator) -> Callable[..., Any]:
    """Write a gradient as PyTorch's autograd of the mean loss in single precision."""
    import torch

    formula = trial.program.formula
    names = {symbol: f"q{number}" for number, symbol in enumerate(formula.terms)}
    writer = Writer(TORCH, names)
    lines = [f"def forward({', '.join([*trial.data, *formula.parameters])}):"]
    for symbol, term in formula.terms.items():
        items = " + ".join(f"{term.vector}[{k}]*({writer.write(item)})" for k, item in enumerate(term.items))
        lines.append(f"    {names[symbol]} = {items}")
    lines.append(f"    return {writer.write(trial.program.score)} + 0*x")
    space: dict[str, Any] = {"torch": torch}
    exec("\n".join(lines).replace("dtype=torch.float64", "dtype=torch.float32"), space)
    loss = written(trial.program.loss, rng)

    def gradient(**given: Any) -> Any:
        values = {name: torch.tensor(np.asarray(value), dtype=torch.float32) for name, value in given.items()}
        leaves = {name: values[name].requires_grad_(True) for name in formula.parameters}
        each = loss(space["forward"](**values), values["y"])
        omega = values["omega"] if trial.weights else torch.ones_like(each)
        found = torch.autograd.grad((omega * each).sum() / omega.sum(), list(leaves.values()), materialize_grads=True)
        return {name: part.tolist() for name, part in zip(leaves, found, strict=True)}

    arguments = [*trial.data, *formula.parameters]
    listed = ", ".join(f"{name}={name}" for name in arguments)
    outer: dict[str, Any] = {"inner": gradient}
    exec(f"def gradient({', '.join(arguments)}):\n    return inner({listed})\n", outer)
    made: Callable[..., Any] = outer["gradient"]
    return made


def main() -> None:
    """Try all formulas; print what was accused."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--formulas", type=int, default=150, help="how many random formulas (default 150)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    tried: Counter[str] = Counter()
    accused: Counter[str] = Counter()
    untold: Counter[str] = Counter()
    losses: Counter[str] = Counter()
    begin, made = time.perf_counter(), 0
    while made < options.formulas:
        size = 10.0 ** rng.uniform(-3.0, 4.0)
        trial = court.trial(rng, size)
        if trial is None or trial.program.loss.link is not None:
            continue
        made += 1
        far = 10.0 if rng.random() < 0.15 else 1.0
        trial.start = {
            name: far * rng.normal(size=None if labels is None else len(labels))
            for name, labels in trial.program.formula.parameters.items()
        }
        parts = contributions(trial.program)
        guises = {
            "NumPy, float32": court.function(trial, parts, np.float32),
            "PyTorch, float32": court.function(trial, parts, torch=True),
            "autograd, float32": autograd(trial, rng),
        }
        for guise, gradient in guises.items():
            try:
                judgement = trial.check(gradient)
            except ConfigError as error:
                untold[guise] += 1
                print("UNTOLD", guise, trial.formula, trial.loss, f"{size:.3g}", error, flush=True)
                continue
            tried[guise] += 1
            losses[trial.program.loss.name] += 1
            if not judgement.agree:
                accused[guise] += 1
                wrong = {name: (each.verdict, each.yours, each.derived) for name, each in judgement.parameters.items()
                         if each.verdict != "correct"}  # fmt: skip
                print("ACCUSED", guise, trial.formula, trial.loss, trial.weights, f"{size:.3g}",
                      judgement.sentence, wrong, judgement.at, flush=True)  # fmt: skip
    print(f"{'correct gradients':<24}{'checked':>9}{'accused':>9}{'cannot be judged':>18}")
    for guise in sorted({*tried, *untold}):
        print(f"{guise:<24}{tried[guise]:>9}{accused[guise]:>9}{untold[guise]:>18}")
    print("by loss:", ", ".join(f"{name} {count}" for name, count in losses.items()))
    print(f"{time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
