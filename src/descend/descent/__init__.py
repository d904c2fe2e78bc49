"""The descent: one loop, what it yields, and how it ends."""

from descend.descent.loop import Plan, descend
from descend.descent.outcome import Outcome
from descend.descent.step import Step, Trace

__all__ = ["Outcome", "Plan", "Step", "Trace", "descend"]
