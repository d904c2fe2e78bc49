"""How derivatives depend on each other whatever the data: seen in random rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from numpy.random import Generator  # which takes long to import

Array = NDArray[np.float64]
DEPENDENT = 1e-9
"""Share of the length of a column below which what is left of it, freed of the others, is only rounding."""


def random_column(generator: Generator, rows: int, magnitudes: Sequence[float] = ()) -> Array:
    """Return numbers of any size and sign; magnitudes: those of the numbers that a formula compares them with."""
    signs = generator.choice([1.0, 1.0, -1.0], rows)
    sizes = generator.choice(magnitudes, rows) if magnitudes else 1.0
    column: Array = signs * sizes * generator.uniform(0.2, 3.0, rows)
    return column


def multiples(columns: Array) -> list[list[int]]:
    """Group columns, (k, points, rows), that are multiples of each other at every point.

    >>> multiples(np.array([[[1.0, 2.0]], [[0.0, 3.0]], [[-2.0, -4.0]]]))
    [[0, 2], [1]]
    """
    groups: list[list[int]] = []
    for k, column in enumerate(columns):
        lengths = np.sqrt((column**2).sum(axis=1))
        for group in groups:
            first = columns[group[0]]
            factors = (first * column).sum(axis=1) / np.maximum((first**2).sum(axis=1), np.finfo(float).tiny)
            left = column - factors[:, None] * first
            if (np.sqrt((left**2).sum(axis=1)) < DEPENDENT * lengths).all():
                group.append(k)
                break
        else:
            groups.append([k])
    return groups
