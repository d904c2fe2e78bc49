"""Runs that follow a ridge, along which J falls ever more slowly while parameters run on."""

from __future__ import annotations

import math

from descend.descent.step import Step, Trace
from descend.wording import spell

FAR = 2.0
"""By what factor a parameter has changed that runs on."""


def ridge(trace: Trace) -> str:
    """Say how far J fell lately and which parameters ran on meanwhile; empty if none did."""
    last = trace.last_finite
    middle = min(trace, key=lambda step: abs(step.epoch - last.epoch // 2))
    moved = [_moved(name, *ends) for name, ends in _ends(trace[0], last).items()]
    words = [each for each in moved if each]
    if not words or not middle.loss > 0.0:
        return ""
    fell = 100.0 * (middle.loss - last.loss) / middle.loss
    return (
        f"J falls ever more slowly along a ridge: by {fell:.2g}% in the last {last.epoch - middle.epoch:,} of "
        f"{last.epoch:,} epochs, while {' and '.join(words)}. The data may suit no curve of this formula, or one only "
        f"at infinity: fix such a parameter, start elsewhere with {spell('start')}, or choose another formula."
    )


def _ends(first: Step, last: Step) -> dict[str, tuple[float, float]]:
    """Return where each scalar parameter began, and where it ended."""
    begun = first.parameters
    return {
        name: (begun[name], end)
        for name, end in last.parameters.items()
        if isinstance(end, float) and isinstance(begun[name], float)
    }


def _moved(name: str, begin: float, end: float) -> str:
    if begin * end > 0.0 and abs(math.log(end / begin)) > math.log(FAR):
        return f"`{name}` went from {begin:.3g} to {end:.3g}"
    return ""
