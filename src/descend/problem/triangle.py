"""J at one theta by the triangle of its scaled Jacobian, which keeps more digits than a curvature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.engines.totals import Factor

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Triangle:
    """The upper triangle R of the scaled Jacobian and residual, (p + 1, p + 1), with J there.

    own: the gradient, where it is not the derived one that R gives.
    """

    loss: float
    own: Array | None
    factor: Factor
