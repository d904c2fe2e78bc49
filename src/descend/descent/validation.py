"""The loss on rows held out, told of each step; what it says of the run, and when it ends one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from descend.descent.outcome import Outcome
from descend.descent.step import Step
from descend.options.request import Request
from descend.problem.objective import VectorObjective
from descend.wording import spell

MEASURE = "validation_loss"
"""What it is called among the measures of a step."""


class Moment(NamedTuple):
    """An epoch, with J of the rows that are fitted and of those held out."""

    epoch: int
    loss: float
    validation_loss: float


class Validation:
    """Reads the steps of a run, in the parameters of the model: each is told its loss on the rows held out.

    objective: J of these rows, without what is added to it. patience: epochs without one lower by ``min_delta`` that
    end the run; None if it goes on. best: the step where it was lowest. keep: whether that one is the end of the run.
    """

    def __init__(self, objective: VectorObjective, request: Request, best: Step | None = None) -> None:
        self.objective, self.min_delta = objective, request.min_delta
        self.patience, self.keep = request.patience, request.keep == "best"
        self.best, self.last = best, best

    def measure(self, step: Step) -> float:
        """Tell a step its loss on the rows held out."""
        loss = float(self.objective(step.theta, 0).loss)
        step.measures = {MEASURE: loss}
        return loss

    def __call__(self, step: Step) -> None:
        loss, self.last = self.measure(step), step
        if self.best is None or math.isnan(lowest := _validation_loss(self.best)) or loss < lowest - self.min_delta:
            self.best = step
        if step.outcome is None and self.patience is not None and step.epoch - self.best.epoch >= self.patience:
            step.outcome = Outcome.STOPPED_EARLY
        if step.snapshot is not None:
            step.snapshot = replace(step.snapshot, best=self.best)

    def after(self, restore: Callable[[Step], None] | None) -> Callable[[Step], None]:
        """Return what measures steps that ``restore`` puts into the parameters of the model first."""

        def both(step: Step) -> None:
            if restore is not None:
                restore(step)
            self.measure(step)

        return both

    @property
    def kept(self) -> Step | None:
        """The step that is the end of the run though it is not the last; None if the last one is."""
        return self.best if self.keep and self._left_behind else None

    @property
    def _left_behind(self) -> bool:
        """Whether the best step is another than the last, by more than rounding, as where a descent converges."""
        if (moments := self._moments) is None or moments[0].epoch == moments[1].epoch:
            return False
        return f"{moments[0].validation_loss:.6g}" != f"{moments[1].validation_loss:.6g}"

    @property
    def _moments(self) -> tuple[Moment, Moment] | None:
        """The best epoch and the last; None before the first step."""
        if self.best is None or self.last is None:
            return None
        best, last = (Moment(step.epoch, step.loss, _validation_loss(step)) for step in (self.best, self.last))
        return best, last

    def remarks(self) -> tuple[str, ...]:
        """Say which epoch is kept, and from where on the fit followed the noise of its rows."""
        if (moments := self._moments) is None or not self._left_behind:
            return ()
        best, last = moments
        if self.keep:
            said = f"parameters of epoch {best.epoch:,}, whose validation loss is lowest: {best.validation_loss:.6g}"
        else:
            said = (
                f"validation loss {last.validation_loss:.6g}; lowest at epoch {best.epoch:,}: "
                f"{best.validation_loss:.6g}"
            )
        return said, *overfitting_sentence(best, last, self.min_delta, self.keep)

    def overfitting(self) -> tuple[Moment, Moment] | None:
        """Return the best epoch and the last, if the fit followed the noise of its rows between them."""
        moments = self._moments
        return moments if moments is not None and overfits(*moments, self.min_delta) else None

    @property
    def remedy(self) -> str:
        """What to do where more epochs would make it worse; empty where that is not so."""
        moments = self.overfitting()
        if moments is None:
            return ""
        return (
            f"Fewer epochs do better here: the validation loss was lowest at epoch {moments[0].epoch:,}, which "
            f"{spell('keep', 'best')} keeps."
        )


def overfits(best: Moment, last: Moment, min_delta: float) -> bool:
    """Whether the loss on rows held out rose, visibly, since the best epoch, while that of the others fell.

    >>> overfits(Moment(20, 0.5, 0.6), Moment(90, 0.4, 0.9), 0.0)
    True
    """
    rose = last.validation_loss > best.validation_loss + min_delta
    seen = f"{best.validation_loss:.4g}" != f"{last.validation_loss:.4g}"
    return best.epoch < last.epoch and rose and seen and last.loss < best.loss


def overfitting_sentence(best: Moment, last: Moment, min_delta: float, kept: bool) -> tuple[str, ...]:
    """Say so, if it did. kept: whether the best epoch is kept."""
    if not overfits(best, last, min_delta):
        return ()
    low, high = f"{best.validation_loss:.4g}", f"{last.validation_loss:.4g}"
    return (
        f"overfitting from epoch {best.epoch:,} on: by epoch {last.epoch:,} the validation loss rose from "
        f"{low} to {high} while the training loss fell from {best.loss:.4g} "
        f"to {last.loss:.4g}" + ("" if kept else f"; {spell('keep', 'best')} keeps that epoch"),
    )


def _validation_loss(step: Step) -> float:
    return (step.measures or {}).get(MEASURE, math.nan)
