"""What holds some parameters back: bounds, fixed values, ties to others."""

from descend.constraints.bounds import Bounds, read_bounds
from descend.constraints.ties import FIXED, Constraints, constrained, narrowed

__all__ = ["FIXED", "Bounds", "Constraints", "constrained", "narrowed", "read_bounds"]
