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

    @property
    def advice(self) -> str:
        """What to do about it, in a sentence."""
        return ADVICE[self]


ADVICE = {
    Outcome.CONVERGED: "The gradient is zero to within the tolerance; no further epochs are needed.",
    Outcome.EPOCHS_USED_UP: "The epochs ran out before the gradient reached zero: give more epochs or a larger rate.",
    Outcome.TIME_USED_UP: "Time ran out before the gradient reached zero: continue from these parameters.",
    Outcome.DIVERGED: "The loss grew beyond all bounds: use a smaller learning rate, or --learning-rate auto.",
    Outcome.STALLED: "The loss stopped falling away from a minimum, or on a plateau: try other starting values.",
    Outcome.INTERRUPTED: "Interrupted: these are the parameters reached so far; continue from them with --start.",
}
