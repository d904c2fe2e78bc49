"""The result a user holds: parameters and their uncertainty, prediction, and the model file."""

from descend.fit.intervals import Intervals
from descend.fit.predict import Prediction
from descend.fit.result import Fit, Kept
from descend.fit.store import load

__all__ = ["Fit", "Intervals", "Kept", "Prediction", "load"]
