"""What is fitted: named parameters as one flat vector, and what holds some of them back: bounds, fixed values, ties."""

from descend.parameters.bounds import Bounds, read_bounds
from descend.parameters.constraints import FIXED, Constraints, narrowed
from descend.parameters.ties import constrained
from descend.parameters.vector import DIGITS, Parameters, digits_of

__all__ = [
    "DIGITS",
    "FIXED",
    "Bounds",
    "Constraints",
    "Parameters",
    "constrained",
    "digits_of",
    "narrowed",
    "read_bounds",
]
