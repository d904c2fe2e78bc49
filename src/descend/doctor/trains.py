"""Whether a model learns one batch, which is what any model can do unless something is wrong."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from descend.doctor.examination import Report, require_torch
from descend.doctor.finding import ERROR
from descend.doctor.watching import watching

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    Batch = Sequence[Tensor] | Mapping[str, Tensor]
    LossFunction = Callable[[Tensor, Tensor], Tensor]
    AssertTrains = Callable[..., Report]

ENOUGH = 0.8
"""A loss that falls below this share of the first has fallen."""


def assert_trains(
    model: Module,
    batch: Batch,
    loss: LossFunction | None = None,
    *,
    learning_rate: float = 0.01,
    steps: int = 60,
) -> Report:
    """Raise AssertionError unless a copy of a model learns one batch in some steps of Adam.

    batch: inputs and targets, ``(x, y)``, or by name with the targets under ``labels``, ``target`` or ``y``.
    loss: of prediction and target; cross entropy for whole-number targets, else the mean squared error.

    The loss has to fall to less than 0.8 of the first, and the doctor must find no error. The model itself and the
    random numbers of the test are left as they were. Returns what was watched.
    """
    require_torch()
    import torch

    inputs, target = _parts(batch)
    trained = copy.deepcopy(model).train()
    function = loss or (torch.nn.functional.mse_loss if target.is_floating_point() else _cross_entropy)
    optimizer = torch.optim.Adam((one for one in trained.parameters() if one.requires_grad), lr=learning_rate)
    losses = []
    caller = sys._getframe(1).f_code.co_filename
    with torch.random.fork_rng(devices=[]), watching(caller, trained, show=False) as watched:
        for _ in range(steps):
            optimizer.zero_grad()
            value = function(trained(**inputs) if isinstance(inputs, Mapping) else trained(*inputs), target)
            torch.autograd.backward(value)
            optimizer.step()
            losses.append(float(value.detach()))
    report = watched.report
    assert report is not None
    wrong = [finding for finding in report.findings if finding.severity == ERROR]
    if wrong or not losses[-1] < ENOUGH * losses[0]:
        said = "\n".join(f"{one.name}: {one.symptom} {one.why} Fix: {one.fix}" for one in wrong)
        raise AssertionError(
            f"{type(model).__name__} does not train: its loss over one batch is {losses[0]:.4g} at first and "
            f"{losses[-1]:.4g} after {steps} steps of Adam.\n" + (said or "Nothing particular was found.")
        )
    return report


def _parts(batch: Batch) -> tuple[Sequence[Tensor] | Mapping[str, Tensor], Tensor]:
    """Return the inputs of a batch, and its targets."""
    if isinstance(batch, Mapping):
        name = next((one for one in ("labels", "label", "target", "targets", "y") if one in batch), None)
        if name is None:
            raise ValueError(f"The batch names no target: it has {', '.join(batch)}. Call one of them `labels`.")
        return {key: value for key, value in batch.items() if key != name}, batch[name]
    if len(batch) < 2:
        raise ValueError("The batch has to hold inputs and targets: (x, y).")
    return batch[:-1], batch[-1]


def _cross_entropy(scores: Tensor, labels: Tensor) -> Tensor:
    import torch

    return torch.nn.functional.cross_entropy(scores, labels)
