"""The result a user holds: parameters and their uncertainty, prediction, and the model file."""

from descend.results.fit import Fit

__all__ = ["Fit"]
