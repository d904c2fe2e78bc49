"""A spectral line: a Voigt peak on a sloping background, fitted without starting values."""

import numpy as np
from scipy.special import voigt_profile

import descend


def line(x, area, centre, sigma, gamma, level, slope):
    """A line broadened by both Doppler (sigma) and pressure (gamma), on a sloping level."""
    return area * voigt_profile(x - centre, sigma, gamma) + level + slope * x


rng = np.random.default_rng(2)
x = np.linspace(-6.0, 8.0, 141)
data = {"x": x, "counts": line(x, 50.0, 1.2, 0.6, 0.4, 3.0, 0.1) + rng.normal(0.0, 0.4, x.size)}

fit = descend.fit(line, data, response="counts")
print(fit)
for name, value in fit.parameters.items():
    print(f"{name} = {value:.4f} +- {fit.standard_errors[name]:.4f}")
fit.plot().savefig("voigt.png")
