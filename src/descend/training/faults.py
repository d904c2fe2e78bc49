"""Where a run of a module first met a number that is not finite: in the rows, in which layer, or on the way back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.models.module_modes import undisturbed
from descend.models.together import returned, tensors_of
from descend.problem.fault import Fault
from descend.training.reading import finite_rows
from descend.training.sums import Sums
from descend.wording import spell

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from descend.training.engine import ModuleEngine

MOST_NAMED = 5
RISEN = 2.0
"""A loss so many times the first one has grown: the steps may be too long."""
DIVERGED = 1e4
"""At so many times the first one they are, wherever numbers become too large in the end."""
OUTGROWN = 1000.0
"""Weights so many times as large as the largest before the first step, or 1 if that is larger, grew, too."""
Batch = tuple["Tensor", "Tensor", "Tensor | None"]
"""Inputs, response and weights of a batch."""


@dataclass(frozen=True)
class WhichBatch:
    """The batch of a run, each counted from 0, and its rows among all, if these are known."""

    epoch: int
    batch: int
    rows: NDArray[np.intp] | None

    @property
    def words(self) -> str:
        """The batch in words."""
        return f"batch {self.batch + 1} of epoch {self.epoch + 1}"

    def named(self, bad: NDArray[np.bool_]) -> str:
        """Name rows: among all if they are known, else in their batch."""
        places = np.flatnonzero(bad)
        known = places if self.rows is None else self.rows[places]
        listed = ", ".join(str(int(row) + 1) for row in known[:MOST_NAMED])
        more = f" and {len(known) - MOST_NAMED:,} more" if len(known) > MOST_NAMED else ""
        return f"row{'s' if len(known) > 1 else ''} {listed}{more}" + (" of it" if self.rows is None else "")


def which_batch(engine: ModuleEngine, epoch: int, batch: int) -> WhichBatch:
    """Return which batch it is."""
    drawn = engine.drawn
    return WhichBatch(epoch, batch, drawn[batch] if batch < len(drawn) else None)


def fault_of(
    objective: Sums,
    given: Batch,
    which: WhichBatch,
    before: Batch | None,
    losses: tuple[float, float],
) -> Fault | None:
    """Say what was not finite first where the loss of a batch is not; None where that is for the diagnosis to find.

    before: the batch before it. losses: J before the first step, and the loss before this batch. Where it grew, the
    learning rate is to blame, and the layer in which numbers became too large says nothing; the diagnosis then finds a
    better rate, by trials over all rows. Of rows that are passed it has not all.
    """
    import torch

    inputs, y, weights = given
    module = objective.model.module
    for name, part in (("X", inputs), ("y", y)):
        bad = ~finite_rows(part)
        if bad.any():
            return Fault(
                "bad_rows",
                {"epoch": which.epoch + 1, "batch": which.batch + 1, "from": "data"},
                f"{name} has missing or infinite values in {which.named(bad)}, in {which.words}.",
                "Correct these rows, or leave them out.",
            )
    if _burst(objective, *losses):
        return None if objective.model.comparable else _too_long(which, *losses)
    spoilt = [name for name, tensor in module.named_parameters() if not bool(torch.isfinite(tensor).all())]
    if spoilt:
        return _on_the_way_back(objective, spoilt, which, before, losses)
    with undisturbed(module), torch.no_grad(), _watched(module) as seen:
        objective.mean_loss(inputs, y, weights, len(y))
    where, bad = next(((name, rows) for name, rows in seen if rows.any()), ("", np.zeros(len(y), dtype=bool)))
    evidence = {"epoch": which.epoch + 1, "batch": which.batch + 1, "from": "forward", "layer": where or None}
    if not where:
        return Fault(
            "domain_error",
            {**evidence, "from": "loss"},
            f"in {which.words} the loss is not finite, though what `{objective.model.name}` returns is.",
            _rate_first("Keep what the module returns where the loss has a value.", *losses),
        )
    return Fault(
        "domain_error",
        {**evidence, "rows": (np.flatnonzero(bad) if which.rows is None else which.rows[bad]).tolist()},
        f"in {which.words} the output of {where} was the first that is not finite, in {which.named(bad)}; the rows and "
        "all weights are finite.",
        _rate_first(
            "Keep what it is given where it has a value. Where the weights have grown, a smaller learning rate or "
            "`clip` helps.",
            *losses,
        ),
    )


def _rate_first(advice: str, first: float, last: float) -> str:
    """Return advice, before it to lower the learning rate where the loss had grown."""
    if not last > RISEN * abs(first):
        return advice
    return f"The loss had grown from {first:.4g} to {last:.4g}: use a smaller learning rate. Or else: {advice}"


def _burst(objective: Sums, first: float, last: float) -> bool:
    """Whether the loss or the weights grew so much that steps that are too long made numbers too large."""
    parameters = objective.model.parameters
    if last > DIVERGED * abs(first):
        return True
    now, start = (
        max((float(tensor.detach().abs().max()) for tensor in tensors if tensor.numel()), default=0.0)
        for tensors in (parameters.trained, parameters.begun or ())
    )
    return OUTGROWN * max(start, 1.0) < now < np.inf


def _too_long(which: WhichBatch, first: float, last: float) -> Fault:
    return Fault(
        "rate_too_large",
        {"epoch": which.epoch + 1, "batch": which.batch + 1, "first_loss": first, "last_loss": last},
        f"the learning rate is too large: the loss was {first:.4g} before the first step and {last:.4g} before it was "
        f"not finite in {which.words}.",
        f"Use a smaller {spell('learning_rate')}, such as a tenth, or {spell('learning_rate', 'auto')}; or cut the "
        f"gradient: {spell('clip', 1.0)}.",
    )


def _on_the_way_back(
    objective: Sums,
    spoilt: Sequence[str],
    which: WhichBatch,
    before: Batch | None,
    losses: tuple[float, float],
) -> Fault:
    """Say where a gradient was not finite that has spoilt the weights in the batch before."""
    earlier = WhichBatch(which.epoch, which.batch - 1, None)
    at = earlier.words if which.batch else f"the last batch of epoch {which.epoch}"
    evidence: dict[str, object] = {
        "epoch": which.epoch + 1,
        "batch": which.batch,
        "from": "backward",
        "weights": list(spoilt),
    }
    where = None
    if before is not None:
        objective.model.parameters.restore()
        where = _first_backward(objective, before)
    evidence["layer"] = where
    named = ", ".join(f"`{name}`" for name in spoilt[:MOST_NAMED]) + (" and others" if len(spoilt) > MOST_NAMED else "")
    through = "" if where is None else f", first that through {where}"
    return Fault(
        "domain_error",
        evidence,
        f"in {at} the loss was finite, but its gradient was not{through}: the step made {named} not finite.",
        _rate_first(
            "Roots and norms have no derivative at 0: add a small number inside them. Or cut the gradient: `clip`.",
            *losses,
        ),
    )


def _first_backward(objective: Sums, given: Batch) -> str | None:
    """Name the layer whose derivative is the first that is not finite, from the loss on; None if all are."""
    import torch

    found: list[tuple[str, bool]] = []
    module = objective.model.module
    handles = []

    def hear(name: str, output: object) -> None:
        for part in tensors_of(returned(output)):
            if part.requires_grad:
                part.register_hook(  # type: ignore[no-untyped-call]
                    lambda grad: found.append((name, bool(torch.isfinite(grad).all())))
                )

    for name, layer in module.named_modules():
        if next(layer.children(), None) is None:
            called = _called(name, layer)
            handles.append(layer.register_forward_hook(lambda _, __, output, called=called: hear(called, output)))
    try:
        with undisturbed(module), torch.enable_grad():
            inputs, y, weights = given
            objective.mean_loss(inputs, y, weights, len(y)).backward()  # type: ignore[no-untyped-call]
    finally:
        for handle in handles:
            handle.remove()
        for tensor in objective.model.parameters.trained:
            tensor.grad = None
    for number, (_, finite) in enumerate(found):
        if not finite:
            return found[number - 1][0] if number else "the loss"
    return None


@contextlib.contextmanager
def _watched(module: Module) -> Iterator[list[tuple[str, NDArray[np.bool_]]]]:
    """Let each layer tell, in the order in which they end, which rows of its output are not finite."""
    seen: list[tuple[str, NDArray[np.bool_]]] = []

    def hear(called: str, given: object, output: object) -> None:
        parts = [part for part in tensors_of(returned(output)) if hasattr(part, "detach") and part.ndim]
        ins = [part for part in (given if isinstance(given, tuple) else ()) if hasattr(part, "detach") and part.ndim]
        before = any(not finite_rows(part).all() for part in ins)
        for part in parts:
            bad = ~finite_rows(part)
            # What a layer is given may be spoilt between two layers, in the forward of the module around them.
            seen.append((f"what is done before {called}" if before and bad.any() else called, bad))

    handles = []
    for name, layer in module.named_modules():
        called = _called(name, layer)
        handles.append(layer.register_forward_hook(lambda _, given, out, called=called: hear(called, given, out)))
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def _called(name: str, layer: Module) -> str:
    return f"`{name}` ({type(layer).__name__})" if name else f"`{type(layer).__name__}`"
