"""One fit for each group of a table, all of them in one call."""

from descend.many.fits import Fits, fit_groups

__all__ = ["Fits", "fit_groups"]
