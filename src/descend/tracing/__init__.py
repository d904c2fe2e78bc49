"""A Python function to a formula: it is called once with symbols, and what it does with them is written down."""

from descend.tracing.proof import Pair
from descend.tracing.substitution import of_numbers, unwrapped
from descend.tracing.tape import UntraceableError
from descend.tracing.tracing import trace

__all__ = ["Pair", "UntraceableError", "of_numbers", "trace", "unwrapped"]
