"""Training a PyTorch module beside a plain loop, skorch and Lightning: the same losses, and what a step costs besides.

    python benchmarks/training.py [ROUNDS [OPTIMIZER ...]]

A network of 20-64-64-1 is fitted to 4,096 rows by SGD with momentum, Adam and AdamW, in batches of 32, of 128 and of
all rows, from the same weights and over the same batches. The plain loop takes its batches out of two tensors; skorch
and Lightning are given them whole by a DataLoader without workers, which is the least that they can have. Progress,
logs, checkpoints and validation are off everywhere. Rounds alternate between the programs; the fastest of each is
shown, and the median over rounds of its ratio to the plain loop. Microseconds a step of one thread, by the clock of the
process, which stands while others have the processor.
"""

from __future__ import annotations

import copy
import logging
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import lightning
import numpy as np
import skorch
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

import descend
from descend.engines.batches import shuffled

ROWS, WIDTH, SEED = 4096, 20, 0
RATES = {"SGD": 0.05, "Adam": 1e-3, "AdamW": 1e-3}
SETTINGS: dict[str, dict[str, float]] = {"SGD": {"momentum": 0.9}, "Adam": {}, "AdamW": {}}
EPOCHS = {32: 4, 128: 12, ROWS: 240}
"""Epochs of a round, by batch size."""
Batch = tuple[torch.Tensor, torch.Tensor]
Run = tuple[list[float], float]
"""The loss of each epoch, and the seconds of all."""


class Rows(Dataset[Batch]):
    """Rows of which a batch is taken whole."""

    def __init__(self, x: torch.Tensor, y: torch.Tensor) -> None:
        self.x, self.y = x, y

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, rows: object) -> Batch:
        return self.x[rows], self.y[rows]  # type: ignore[index]


class Order(Sampler[torch.Tensor]):
    """The batches of each epoch in turn, the same for all programs."""

    def __init__(self, size: int) -> None:
        self.size, self.epoch = size, 0

    def __len__(self) -> int:
        return (ROWS + self.size - 1) // self.size

    def __iter__(self) -> Iterator[torch.Tensor]:
        batches = shuffled(ROWS, self.size, SEED, self.epoch) if self.size < ROWS else [np.arange(ROWS)]
        self.epoch += 1
        return iter([torch.from_numpy(rows) for rows in batches])


def loader(data: Batch, size: int) -> DataLoader[Batch]:
    """Return a loader that takes each batch whole."""
    return DataLoader(Rows(*data), batch_size=None, sampler=Order(size))


def optimizer_of(name: str, parameters: Any) -> torch.optim.Optimizer:
    """Return the optimizer by its name in torch.optim."""
    return getattr(torch.optim, name)(parameters, lr=RATES[name], **SETTINGS[name])  # type: ignore[no-any-return]


def plain(module: torch.nn.Module, data: Batch, name: str, size: int, epochs: int) -> Run:
    """The loop of a tutorial."""
    x, y = data
    optimizer, measure, order, losses = optimizer_of(name, module.parameters()), torch.nn.MSELoss(), Order(size), []
    began = time.process_time()
    for _ in range(epochs):
        total = 0.0
        for rows in order:
            optimizer.zero_grad()
            loss = measure(module(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        losses.append(total / ROWS)
    return losses, time.process_time() - began


class Clock:
    """Reads the time as training begins and ends."""

    def begin(self) -> None:
        self.began = time.process_time()

    def end(self) -> None:
        self.seconds = time.process_time() - self.began


class OurClock(Clock):
    """A callback of ours."""

    def on_train_begin(self, run: object) -> None:
        self.begin()

    def on_train_end(self, run: object) -> None:
        self.end()


def ours(module: torch.nn.Module, data: Batch, name: str, size: int, epochs: int) -> Run:
    """`descend.fit`."""
    clock, whole = OurClock(), size >= ROWS
    fit = descend.fit(
        module,
        data,
        optimizer=lambda parameters: optimizer_of(name, parameters),
        batch_size=None if whole else size,
        epochs=epochs,
        seed=SEED,
        callbacks=clock,
    )
    losses = fit.trace.losses
    # J of an epoch over all rows is that before its step, as in the plain loop; that of batches is their mean.
    return list(losses[:-1] if whole else losses[1:]), clock.seconds


class SkorchClock(skorch.callbacks.Callback, Clock):  # type: ignore[misc]
    """A callback of skorch."""

    def on_train_begin(self, net: object, **more: object) -> None:
        self.begin()

    def on_train_end(self, net: object, **more: object) -> None:
        self.end()


def by_skorch(module: torch.nn.Module, data: Batch, name: str, size: int, epochs: int) -> Run:
    """`skorch.NeuralNetRegressor`."""
    clock, order = SkorchClock(), Order(size)
    net = skorch.NeuralNetRegressor(
        module,
        optimizer=getattr(torch.optim, name),
        lr=RATES[name],
        max_epochs=epochs,
        batch_size=None,
        train_split=None,
        verbose=0,
        callbacks=[("clock", clock)],
        iterator_train__sampler=order,
        dataset=Rows,
        **{f"optimizer__{key}": value for key, value in SETTINGS[name].items()},
    )
    net.initialize()
    net.partial_fit(Rows(*data), None)
    return [row["train_loss"] for row in net.history], clock.seconds


class Regressor(lightning.LightningModule):
    """The module as Lightning trains it."""

    def __init__(self, module: torch.nn.Module, name: str) -> None:
        super().__init__()
        self.module, self.named, self.measure = module, name, torch.nn.MSELoss()
        self.total, self.losses = 0.0, list[float]()

    def training_step(self, batch: Batch) -> torch.Tensor:
        x, y = batch
        loss: torch.Tensor = self.measure(self.module(x), y)
        self.total += loss.item() * len(y)
        return loss

    def on_train_epoch_end(self) -> None:
        self.losses.append(self.total / ROWS)
        self.total = 0.0

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return optimizer_of(self.named, self.module.parameters())


class LightningClock(lightning.Callback, Clock):
    """A callback of Lightning."""

    def on_train_start(self, trainer: object, pl_module: object) -> None:
        self.begin()

    def on_train_end(self, trainer: object, pl_module: object) -> None:
        self.end()


def by_lightning(module: torch.nn.Module, data: Batch, name: str, size: int, epochs: int) -> Run:
    """`lightning.Trainer`."""
    model, clock = Regressor(module, name), LightningClock()
    trainer = lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[clock],
    )
    trainer.fit(model, loader(data, size))
    return model.losses, clock.seconds


PROGRAMS: dict[str, Callable[[torch.nn.Module, Batch, str, int, int], Run]] = {
    "plain": plain,
    "descend": ours,
    "skorch": by_skorch,
    "Lightning": by_lightning,
}


def measured(
    name: str, size: int, rounds: int, data: Batch, begun: torch.nn.Module
) -> tuple[dict[str, list[float]], float]:
    """Return the microseconds a step in each round, and how far a loss is from that of the plain loop."""
    epochs = EPOCHS[size]
    steps = epochs * -(-ROWS // size)
    took, off = {program: list[float]() for program in PROGRAMS}, 0.0
    for _ in range(rounds):
        found = {program: each(copy.deepcopy(begun), data, name, size, epochs) for program, each in PROGRAMS.items()}
        expected = np.array(found["plain"][0])
        for program, (losses, seconds) in found.items():
            took[program].append(1e6 * seconds / steps)
            off = max(off, float(np.abs(np.array(losses) / expected - 1.0).max()))
    return took, off


def main() -> None:
    """Print a line for each optimizer and size of batch."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    names = sys.argv[2:] or list(RATES)
    torch.set_num_threads(1)
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    random = np.random.default_rng(SEED)
    x = random.normal(size=(ROWS, WIDTH)).astype(np.float32)
    y = (np.sin(x[:, 0]) + x[:, 1] * x[:, 2] + 0.1 * random.normal(size=ROWS)).astype(np.float32)[:, None]
    data = torch.from_numpy(x), torch.from_numpy(y)
    torch.manual_seed(SEED)
    layers = [torch.nn.Linear(WIDTH, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64), torch.nn.ReLU()]
    begun = torch.nn.Sequential(*layers, torch.nn.Linear(64, 1))
    print(f"{'':16}" + "".join(f"{program:>18}" for program in PROGRAMS) + f"{'losses agree to':>18}")
    for name in names:
        for size in EPOCHS:
            took, off = measured(name, size, rounds, data, begun)
            columns = [f"{min(took['plain']):.0f} us"]
            for each in list(PROGRAMS)[1:]:
                ratio = np.median(np.array(took[each]) / np.array(took["plain"]))
                columns.append(f"{min(took[each]):.0f} us ({100 * (ratio - 1):+.1f}%)")
            print(
                f"{name:<7}{size if size < ROWS else 'all':>9}" + "".join(f"{c:>18}" for c in columns) + f"{off:>18.1e}"
            )


if __name__ == "__main__":
    main()
