"""Why a run ended as it did, and what to do, with the numbers at hand."""

from __future__ import annotations

from descend.descent.objective import Point
from descend.descent.outcome import Outcome
from descend.descent.step import Trace
from descend.optimizers import Optimizer
from descend.optimizers.curvature import largest_curvature


def advice(outcome: Outcome, trace: Trace, optimizer: Optimizer, first: Point) -> str:
    """Return a sentence or two of advice for a run that began at ``first``, an evaluation of order 2."""
    if outcome is not Outcome.DIVERGED:
        return outcome.advice
    curvature = largest_curvature(first.curvature)
    limit = None if curvature is None else optimizer.largest_stable_rate(curvature)
    rate, last = trace[0].learning_rate, trace[-1]
    grown = f"The loss went from {trace[0].loss:.4g} to {last.loss:.4g} in {last.epoch} epochs"
    if limit is None or rate <= limit:
        return f"{grown}: it diverged. Use a smaller learning rate than {rate:g}, or --learning-rate auto."
    return (
        f"{grown}: the learning rate {rate:g} is too large. The largest stable rate at the start is {limit:.3g} "
        f"(2/lambda_max with lambda_max = {curvature:.4g}"
        + (")" if optimizer.name == "gd" else f", for {optimizer.name})")
        + ". "
        f"Use --learning-rate {limit / 2:.2g}, or --learning-rate auto."
    )
