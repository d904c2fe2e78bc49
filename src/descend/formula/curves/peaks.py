"""Peaks."""
from __future__ import annotations

from descend.formula.curves.entry import Argument, Curve
FIELD = "Spectroscopy: peaks"
X = Argument("x", "wavelength, energy, angle or time", "x", 400.0, 700.0)
HEIGHT = Argument("height", "height of the peak", "y", 1.0, 100.0)
CENTER = Argument("center", "place of the maximum", "x", 480.0, 620.0)
ENTRIES = (
    Curve(
        "gaussian",
        "Gaussian peak",
        "height*exp(-((x - center)/width)^2/2)",
        (X, HEIGHT, CENTER, Argument("width", "standard deviation; the full width at half height is 2.355 of it", "x", 15.0, 50.0)),
        use="peaks broadened by many small causes: chromatography, beam profiles, Doppler-broadened lines",
        source="Bevington & Robinson, Data Reduction and Error Analysis, 3rd ed. (2003), sec. 2.3",
        aliases="gauss, normal, bell, gaussian_peak",
        y="intensity",
    ),
)
