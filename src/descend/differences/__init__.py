"""Derivatives of a function that can only be called: by a complex step, or by differences above its noise."""

from descend.differences.calls import RowFunction, Values
from descend.differences.derivatives import Derivatives

__all__ = ["Derivatives", "RowFunction", "Values"]
