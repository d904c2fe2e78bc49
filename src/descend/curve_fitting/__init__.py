"""SciPy's ``curve_fit``, done by descend: the same call, the same values."""

from descend.curve_fitting.curve_fit import curve_fit

__all__ = ["curve_fit"]
