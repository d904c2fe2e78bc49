"""A Python function to a formula: it is called once with symbols, and what it does with them is written down."""

from descend.tracing.proof import POINTS, disagreement
from descend.tracing.tape import UntraceableError
from descend.tracing.tracing import trace

__all__ = ["POINTS", "UntraceableError", "disagreement", "trace"]
