"""NIST's 27 nonlinear models as functions of NumPy arrays, as people write them: columns first, then the parameters.

Nelson's model predicts log(y), so its function is fitted to a column of logarithms.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def misra1a(x: Array, b1: float, b2: float) -> Array:
    """Monomolecular adsorption."""
    return b1 * (1 - np.exp(-b2 * x))


def misra1b(x: Array, b1: float, b2: float) -> Array:
    """Monomolecular adsorption, as a power."""
    return b1 * (1 - 1 / (1 + b2 * x / 2) ** 2)


def misra1c(x: Array, b1: float, b2: float) -> Array:
    """Monomolecular adsorption, with a square root."""
    return b1 * (1 - 1 / np.sqrt(1 + 2 * b2 * x))


def misra1d(x: Array, b1: float, b2: float) -> Array:
    """Langmuir's adsorption."""
    bound = b2 * x
    return b1 * bound / (1 + bound)


def boxbod(x: Array, b1: float, b2: float) -> Array:
    """Biochemical oxygen demand."""
    return b1 * (1.0 - np.exp(-b2 * x))


def chwirut(x: Array, b1: float, b2: float, b3: float) -> Array:
    """Ultrasonic response."""
    return np.exp(-b1 * x) / (b2 + b3 * x)


def danwood(x: Array, b1: float, b2: float) -> Array:
    """Energy radiated by a filament."""
    return b1 * np.power(x, b2)


def bennett5(x: Array, b1: float, b2: float, b3: float) -> Array:
    """Magnetization of superconductors."""
    return b1 * (b2 + x) ** (-1 / b3)


def enso(
    x: Array, b1: float, b2: float, b3: float, b4: float, b5: float, b6: float, b7: float, b8: float, b9: float
) -> Array:
    """Pressure differences of the southern oscillation: a year and two cycles of unknown length."""
    y = np.full(len(x), b1)
    for period, c, s in ((12, b2, b3), (b4, b5, b6), (b7, b8, b9)):
        angle = 2 * np.pi * x / period
        y = y + c * np.cos(angle) + s * np.sin(angle)
    return y


def eckerle4(x: Array, b1: float, b2: float, b3: float) -> Array:
    """Transmittance of an interference filter."""
    z = (x - b3) / b2
    return b1 / b2 * np.exp(-0.5 * z**2)


def gauss(x: Array, b1: float, b2: float, b3: float, b4: float, b5: float, b6: float, b7: float, b8: float) -> Array:
    """Two peaks on a decaying baseline."""
    y = b1 * np.exp(-b2 * x)
    for height, center, width in [(b3, b4, b5), (b6, b7, b8)]:
        y += height * np.exp(-((x - center) ** 2) / width**2)
    return y


def cubic_ratio(x: Array, b1: float, b2: float, b3: float, b4: float, b5: float, b6: float, b7: float) -> Array:
    """Cubic over cubic: thermal expansion of copper (Hahn1), electron mobility (Thurber)."""
    return np.polyval([b4, b3, b2, b1], x) / np.polyval([b7, b6, b5, 1.0], x)


def kirby2(x: Array, b1: float, b2: float, b3: float, b4: float, b5: float) -> Array:
    """Line widths under a scanning electron microscope."""
    return (b1 + b2 * x + b3 * x**2) / (1 + b4 * x + b5 * x**2)


def lanczos(x: Array, b1: float, b2: float, b3: float, b4: float, b5: float, b6: float) -> Array:
    """Three decays."""
    amplitudes, rates = np.array([b1, b3, b5]), np.array([b2, b4, b6])
    return np.sum(amplitudes * np.exp(-rates * x[:, None]), axis=1)


def mgh09(x: Array, b1: float, b2: float, b3: float, b4: float) -> Array:
    """Kowalik's and Osborne's enzyme reaction."""
    x2 = np.square(x)
    return b1 * (x2 + x * b2) / (x2 + x * b3 + b4)


def mgh10(x: Array, b1: float, b2: float, b3: float) -> Array:
    """Meyer's thermistor."""
    return b1 * np.exp(b2 / (x + b3))


def mgh17(x: Array, b1: float, b2: float, b3: float, b4: float, b5: float) -> Array:
    """Osborne's two decays on a constant."""
    return b1 + b2 * np.exp(-x * b4) + b3 * np.exp(-x * b5)


def nelson(x1: Array, x2: Array, b1: float, b2: float, b3: float) -> Array:
    """Logarithm of the dielectric breakdown strength after weeks (x1) at a temperature (x2)."""
    return b1 - b2 * x1 * np.exp(-b3 * x2)


def rat42(x: Array, b1: float, b2: float, b3: float) -> Array:
    """Yield of a pasture."""
    return b1 / (1 + np.exp(b2 - b3 * x))


def rat43(x: Array, b1: float, b2: float, b3: float, b4: float) -> Array:
    """Dry weight of onion bulbs."""
    return b1 / (1 + np.exp(b2 - b3 * x)) ** (1 / b4)


def roszman1(x: Array, b1: float, b2: float, b3: float, b4: float) -> Array:
    """Quantum defects of iodine."""
    return b1 - b2 * x - np.arctan(b3 / (x - b4)) / np.pi


FUNCTIONS: MappingProxyType[str, Callable[..., Any]] = MappingProxyType(
    {
        "Bennett5": bennett5,
        "BoxBOD": boxbod,
        "Chwirut1": chwirut,
        "Chwirut2": chwirut,
        "DanWood": danwood,
        "ENSO": enso,
        "Eckerle4": eckerle4,
        "Gauss1": gauss,
        "Gauss2": gauss,
        "Gauss3": gauss,
        "Hahn1": cubic_ratio,
        "Kirby2": kirby2,
        "Lanczos1": lanczos,
        "Lanczos2": lanczos,
        "Lanczos3": lanczos,
        "MGH09": mgh09,
        "MGH10": mgh10,
        "MGH17": mgh17,
        "Misra1a": misra1a,
        "Misra1b": misra1b,
        "Misra1c": misra1c,
        "Misra1d": misra1d,
        "Nelson": nelson,
        "Rat42": rat42,
        "Rat43": rat43,
        "Roszman1": roszman1,
        "Thurber": cubic_ratio,
    }
)
