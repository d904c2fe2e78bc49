"""Which column is to blame where J is hard to descend, and what standardising it would change."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from descend.problem.standard_units import standard_units
from descend.stability.spectrum import NOTHING, Spectrum, eigen

BLAMED = 100.0
"""A column may be to blame if the condition is above this, ..."""
GAIN = 10.0
"""... and standardising makes it at least this many times smaller."""


@dataclass(frozen=True)
class Culprit:
    """The parameter whose column makes J hard to descend.

    kind: ``"scale"``, its values are of another size than the others; ``"offset"``, they lie far from 0 beside their
        spread, so that the column resembles the intercept.
    column: its text, empty if the parameter does not enter linearly. size, mean, spread: root mean square of its
    values, None if not known, and for an offset their mean and standard deviation. ratio: its curvature over that of
    the others (scale), or (mean / spread)**2 (offset).
    """

    kind: str
    label: str
    column: str
    ratio: float
    size: float | None = None
    mean: float | None = None
    spread: float | None = None

    def __str__(self) -> str:
        if self.mean is not None and self.spread is not None:
            mean, spread = _rounded(self.mean), _rounded(self.spread)
            return f"`{self.column}` has a mean of {mean} and a spread of {spread}, so it resembles the intercept"
        values = "" if self.size is None else f" has values around {_rounded(self.size)}"
        return f"`{self.column or self.label}`{values}: its curvature is {self.ratio:.2g} times that of the others"


def standardised(spectrum: Spectrum) -> Spectrum | None:
    """Return the spectrum in standardised columns; None where no curvature matrix is at hand."""
    data = spectrum.curvature if spectrum.rows_only is None else spectrum.rows_only
    if data is None or spectrum.curvature is None or not (data.diagonal() > 0.0).all():
        return None
    # A common factor of the moments does not matter here: it leaves the eigenvectors the same.
    share = 2.0 if spectrum.intercept is None else data[spectrum.intercept, spectrum.intercept]
    units = standard_units(data / share, spectrum.linear, spectrum.intercept)
    gradient = units.gradient(spectrum.vectors @ spectrum.slopes)
    curvature = np.asarray(units.curvature(spectrum.curvature))
    values, vectors = eigen(curvature, gradient)
    rescaled = replace(spectrum, values=values, vectors=vectors, slopes=vectors.T @ gradient, curvature=curvature)
    return replace(rescaled, theta=units.u(spectrum.theta), columns=(), intercept=None, rows_only=None)


def culprit_of(spectrum: Spectrum) -> Culprit | None:
    """Return the column to blame for a high condition, if standardising would help a lot; None otherwise."""
    data = spectrum.curvature if spectrum.rows_only is None else spectrum.rows_only
    after = standardised(spectrum)
    if data is None or after is None or spectrum.condition < max(BLAMED, GAIN * after.condition):
        return None
    diagonal, intercept = data.diagonal(), spectrum.intercept
    others = [place for place in range(len(diagonal)) if place != intercept]
    scale = 1.0 / np.sqrt(diagonal)
    values = eigen(data * scale * scale[:, None], np.ones(len(scale)))[0]
    above_rounding = values[values > NOTHING * len(values) * values[-1]]
    labels = spectrum.labels or tuple(str(place) for place in range(len(diagonal)))
    columns = spectrum.columns or ("",) * len(diagonal)
    if intercept is not None and spectrum.condition < GAIN * above_rounding[-1] / above_rounding[0]:
        units = standard_units(data / data[intercept, intercept], spectrum.linear, intercept)
        place = int(np.abs(units.shift).argmax())
        shift, unit = float(units.shift[place]), float(units.scale[place])
        return Culprit("offset", labels[place], columns[place], shift**2, mean=shift / unit, spread=1.0 / unit)
    logs = np.log(diagonal)
    ratios = {k: float(logs[k] - np.median(np.delete(logs, k))) for k in others}
    # Of only two columns each stands out equally: choose the one whose size is further from 1.
    place = max(ratios, key=lambda k: (round(abs(ratios[k]), 6), abs(float(logs[k]))))
    size = None
    if columns[place] and intercept is not None:
        size = math.sqrt(diagonal[place] / diagonal[intercept])
    elif columns[place] and spectrum.exact:
        size = math.sqrt(diagonal[place] / 2.0)
    return Culprit("scale", labels[place], columns[place], math.exp(ratios[place]), size)


def _rounded(size: float) -> str:
    return f"{float(f'{size:.2g}'):,.10g}"
