"""A decay and its half-life, as SciPy's users write it, fitted by descend."""

import numpy as np

from descend import curve_fit


def decay(t, a, k, c):
    """Decay at the rate k to the level c."""
    return a * np.exp(-k * t) + c


rng = np.random.default_rng(0)
t = np.linspace(0.0, 10.0, 40)
y = decay(t, 80.0, 0.45, 12.0) + rng.normal(0.0, 2.0, t.size)

popt, pcov = curve_fit(decay, t, y, p0=[50.0, 1.0, 0.0])
perr = np.sqrt(np.diag(pcov))
for name, value, error in zip("akc", popt, perr, strict=True):
    print(f"{name} = {value:.4f} +- {error:.4f}")
print(f"half-life {np.log(2) / popt[1]:.3f}")
