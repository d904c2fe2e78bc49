"""How a run ends: each outcome carries its own advice."""

from __future__ import annotations

from enum import StrEnum

from descend.wording import spell, using, worded


class Outcome(StrEnum):
    """How a run ended. Compares equal to its own name: ``fit.outcome == "converged"``."""

    CONVERGED = "converged"
    EPOCHS_USED_UP = "epochs_used_up"
    TIME_USED_UP = "time_used_up"
    DIVERGED = "diverged"
    STALLED = "stalled"
    INTERRUPTED = "interrupted"
    STOPPED_EARLY = "stopped_early"

    def advice(self, *, started: bool = True, rated: bool = True) -> str:
        """Return what to do about it, in a sentence that the run at hand can follow.

        started: whether it was given starting values. rated: whether its optimizer uses a learning rate.
        """
        remedy = self._remedy(started, rated)
        return f"{ADVICE[self]}{';' if self is Outcome.INTERRUPTED else ':'} {remedy}." if remedy else ADVICE[self]

    def _remedy(self, started: bool, rated: bool) -> str:
        if self is Outcome.EPOCHS_USED_UP:
            return "give more epochs or a larger rate" if rated else "give more epochs"
        if self is Outcome.TIME_USED_UP:
            return worded("going_on", "continue from these parameters")
        if self is Outcome.DIVERGED and rated:
            return f"use a smaller learning rate, or {spell('learning_rate', 'auto')}"
        if self is Outcome.DIVERGED:
            return f"try other starting values, or keep the parameters small{using('bounds')}"
        if self is Outcome.STALLED:
            return "try other starting values" if started else f"give starting values{using('start')}"
        return f"continue from them{using('start')}" if self is Outcome.INTERRUPTED else ""


ADVICE = {
    Outcome.CONVERGED: "The gradient is zero to within the tolerance; no further epochs are needed.",
    Outcome.EPOCHS_USED_UP: "The epochs ran out before the gradient reached zero",
    Outcome.TIME_USED_UP: "Time ran out before the gradient reached zero",
    Outcome.DIVERGED: "The loss grew beyond all bounds",
    Outcome.STALLED: "The loss stopped falling away from a minimum, or on a plateau",
    Outcome.STOPPED_EARLY: "The validation loss had not fallen for as many epochs as `patience` allows.",
    Outcome.INTERRUPTED: "Interrupted: these are the parameters reached so far",
}
