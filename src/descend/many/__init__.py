"""One fit for each group of a table, all of them in one call."""

from descend.many.call import fit_groups
from descend.many.fits import Fits
from descend.many.loading import load

__all__ = ["Fits", "fit_groups", "load"]
