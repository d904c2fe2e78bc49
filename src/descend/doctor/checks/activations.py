"""Softmax and sigmoid that are doubled, missing or over the wrong dimension, followed from call to call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from descend.doctor.contract import Check
from descend.doctor.finding import Finding, capital, counted
from descend.doctor.ledger import Ledger
from descend.doctor.operation import ByTensor, Operation, carried
from descend.doctor.places import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor
    from torch.nn import Module

ITSELF = {
    "cross_entropy": "softmax",
    "binary_cross_entropy_with_logits": "sigmoid",
    "multilabel_soft_margin_loss": "sigmoid",
}
"""Loss that takes raw scores -> the function that it applies itself."""
LOSSES = {*ITSELF, "nll_loss", "mse_loss", "kl_div", "binary_cross_entropy"}
LOOKED_AT = 3
"""Calls from one line that are looked at closely."""


@dataclass(eq=False)
class Activated:
    """What is known of a tensor: softmax or sigmoid made it, log of that or not, over the rows of the batch or not."""

    function: str
    place: Place | None
    logarithm: bool = False
    over_rows: bool = False


@dataclass(eq=False)
class Seen:
    """A fault, and how often its line ran."""

    finding: Finding
    calls: int = 1


class Activations(Check):
    """Follows what softmax and sigmoid return through changes of shape, `clamp`, `+ 1e-8` and `log` to the loss."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.made: ByTensor[Activated] = ByTensor()
        self.scores: ByTensor[bool] = ByTensor()
        self.calls: dict[Place | None, int] = {}
        self.seen: dict[tuple[str, Place | None], Seen] = {}

    def forwarded(self, model: Module, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        for output in outputs:
            if output.ndim == 2:
                self.scores[output] = True

    def operation(self, operation: Operation) -> None:
        name = operation.name
        if not operation.tensors or not operation.outputs:
            return
        carried(operation, self.scores)
        if name in ("softmax", "log_softmax", "sigmoid", "logsigmoid"):
            self._activated(operation)
        elif name in ("log", "log_"):
            if (known := self.made.of(operation.tensors[0])) is not None:
                self.made[operation.outputs[0]] = Activated(known.function, known.place, True, known.over_rows)
        elif name in LOSSES:
            self._judge(operation)
        elif name in ("argmax", "max"):
            self._picked(operation)
        else:
            carried(operation, self.made)

    def _activated(self, operation: Operation) -> None:
        function = "sigmoid" if "sigmoid" in operation.name else "softmax"
        logarithm = operation.name.startswith("log")
        output = operation.outputs[0]
        known = Activated(function, operation.place, logarithm)
        count = self.calls[operation.place] = self.calls.get(operation.place, 0) + 1
        if function == "softmax" and output.ndim == 2 and count <= LOOKED_AT and output.numel() > 1:
            chances = (output.exp() if logarithm else output).detach().double()
            rows, columns = ((chances.sum(dim) - 1.0).abs().max().item() < 1e-4 for dim in (1, 0))
            known.over_rows = columns and not rows
            if rows and output.shape[1] == 1 and output.shape[0] > 1 and operation.tensors[0].requires_grad:
                self._found(
                    "softmax_of_one_column",
                    f"{capital(operation.title)} of one column is 1 in every row, whatever the score.",
                    "Softmax divides by the sum over the columns; a single output needs a sigmoid, or two columns.",
                    "torch.sigmoid(score)   # with BCELoss; or BCEWithLogitsLoss on the raw score",
                    operation.place,
                )
        elif count > LOOKED_AT and function == "softmax":
            known.over_rows = ("softmax_over_rows", operation.place) in self.seen
        self.made[output] = known
        if self.scores.of(operation.tensors[0]):
            self.scores[output] = True

    def _judge(self, operation: Operation) -> None:
        name, scores = operation.name, operation.tensors[0]
        known = self.made.of(scores)
        if known is not None and known.over_rows:
            self._found(
                "softmax_over_rows",
                f"The softmax at line {known.place.line if known.place else '?'} runs over the wrong dimension: "
                "over the rows "
                "of the batch, not over the classes.",
                "Its columns then sum to 1, so each row competes with the other rows for every class.",
                "torch.softmax(scores, dim=1)",
                known.place,
            )
            return
        if name in ITSELF and known is not None and not known.logarithm:
            itself = ITSELF[name]
            same = known.function == itself
            self._found(
                "activation_twice",
                f"{capital(operation.title)} is given the result of `{known.function}`, "
                + ("which it applies itself." if same else f"but takes raw scores: it applies `{itself}` itself."),
                f"Applied twice, {known.function} flattens the scores: the loss cannot get near zero, and its "
                "gradient is "
                "small.",
                f"Leave out the {known.function}, and give the loss the raw scores.",
                known.place or operation.place,
            )
        elif name == "nll_loss" and scores.requires_grad and (known is None or not known.logarithm):
            if known is None and not bool((scores.detach() > 1e-6).any()):
                return  # they may be logarithms that were computed otherwise
            given = f"the result of `{known.function}`" if known else "raw scores"
            self._found(
                "nll_without_log_softmax",
                f"{capital(operation.title)} is given {given}: it takes log-probabilities, of log_softmax.",
                "It only picks the entry of the class and changes its sign; scores can then grow without bound.",
                "torch.nn.functional.cross_entropy(scores, y)   # which is log_softmax and nll_loss in one",
                operation.place,
            )

    def _picked(self, operation: Operation) -> None:
        """Judge a choice of the best class: it has to run over the classes, which are the last dimension."""
        import torch

        scores = operation.tensors[0]
        if scores.ndim != 2 or not self.scores.of(scores) or (operation.name == "max" and torch.is_grad_enabled()):
            return
        rows, classes = scores.shape
        if (
            rows != classes
            and rows > 1
            and classes > 1
            and tuple(operation.outputs[0].shape) in ((classes,), (1, classes))
        ):
            self._found(
                "argmax_over_rows",
                f"{capital(operation.title)} runs over dimension 0, the {rows} rows of the batch, not over the "
                f"{classes} "
                "classes.",
                "It returns which row has the largest score in each class, so an accuracy computed from it means "
                "nothing.",
                "scores.argmax(dim=1)",
                operation.place,
            )

    def _found(self, name: str, symptom: str, why: str, fix: str, place: Place | None) -> None:
        seen = self.seen.get((name, place))
        if seen is None:
            self.seen[name, place] = Seen(Finding(name, symptom, why, fix, place))
        else:
            seen.calls += 1

    def findings(self) -> list[Finding]:
        if not self.ledger.backwards:
            return []
        return [_counted(seen) for seen in self.seen.values()]


def _counted(seen: Seen) -> Finding:
    from dataclasses import replace

    return replace(seen.finding, evidence={"calls": counted(seen.calls, "call")})
