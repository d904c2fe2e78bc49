"""The descent: one loop, what it measures, how it ends, and why."""

from descend.descent.loop import Plan, descend
from descend.descent.objective import Objective, Penalty
from descend.descent.outcome import Outcome
from descend.descent.step import Step, Trace

__all__ = ["Objective", "Outcome", "Penalty", "Plan", "Step", "Trace", "descend"]
