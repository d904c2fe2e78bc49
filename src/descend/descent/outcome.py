"""How a run ends: each outcome carries its advice, and none of them can be taken for another."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """How a run ended. Compares equal to its own name: ``fit.outcome == "converged"``."""

    CONVERGED = "converged"
    EPOCHS_USED_UP = "epochs_used_up"
    TIME_USED_UP = "time_used_up"
    DIVERGED = "diverged"
    STALLED = "stalled"
    INTERRUPTED = "interrupted"

    def advice(self, *, started: bool = True, rated: bool = True) -> str:
        """Return what to do about it, in a sentence that the run at hand can follow.

        started: whether it was given starting values. rated: whether its optimizer uses a learning rate.
        """
        if self is Outcome.STALLED and not started:
            return f"{ADVICE[self]}: give starting values with --start."
        if not rated and self in WITHOUT_RATE:
            return f"{ADVICE[self]}: {WITHOUT_RATE[self]}."
        return f"{ADVICE[self]}: {REMEDIES[self]}." if self in REMEDIES else ADVICE[self]


ADVICE = {
    Outcome.CONVERGED: "The gradient is zero to within the tolerance; no further epochs are needed.",
    Outcome.EPOCHS_USED_UP: "The epochs ran out before the gradient reached zero",
    Outcome.TIME_USED_UP: "Time ran out before the gradient reached zero: continue from these parameters.",
    Outcome.DIVERGED: "The loss grew beyond all bounds",
    Outcome.STALLED: "The loss stopped falling away from a minimum, or on a plateau",
    Outcome.INTERRUPTED: "Interrupted: these are the parameters reached so far; continue from them with --start.",
}
REMEDIES = {
    Outcome.EPOCHS_USED_UP: "give more epochs or a larger rate",
    Outcome.DIVERGED: "use a smaller learning rate, or --learning-rate auto",
    Outcome.STALLED: "try other starting values",
}
WITHOUT_RATE = {
    Outcome.EPOCHS_USED_UP: "give more epochs",
    Outcome.DIVERGED: "try other starting values, or keep the parameters small with --bound",
}
"""Of optimizers that find the length of each step themselves."""
