"""The result a user holds: parameters and their uncertainty, prediction, and the model file."""

from descend.inference.intervals import Intervals
from descend.inference.prediction import Prediction
from descend.results.fit import Fit
from descend.results.loading import load
from descend.results.solved import fit_of

__all__ = ["Fit", "Intervals", "Prediction", "fit_of", "load"]
