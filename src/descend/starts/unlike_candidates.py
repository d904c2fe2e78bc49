"""Of many trial points for a term, the few best that are not alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Places = list[int]
ALIKE = 0.7
"""Cosine between two columns from which on they count as the same choice."""


def unlike(gains: Array, columns: Array, most: int) -> Places:
    """Return the places of the highest gains, at most ``most``, each of a column unlike those before it.

    gains: (points,). columns: (points, rows), what each point adds to the prediction.

    >>> unlike(np.array([3.0, 2.0, 1.0]), np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]]), 2)
    [0, 2]
    """
    open_, candidates = gains.copy(), Places()
    norms = np.maximum(np.linalg.norm(columns, axis=1), np.finfo(float).tiny)
    while len(candidates) < most:
        best = int(np.argmax(open_))
        if candidates and not open_[best] > 0.0:
            break
        candidates.append(best)
        open_[np.abs(columns @ columns[best]) > ALIKE * norms * norms[best]] = -1.0
        open_[best] = -1.0
    return candidates


def unlike_pairs(gains: Array, rows: Array, columns: Array, most: int) -> list[tuple[int, int]]:
    """Return the places (row, column) of the highest gains of pairs, each unlike the pairs before it.

    gains: (r, c). rows, columns: what each point of the first, and of the second, adds to the prediction; of length 1.
    """
    open_, candidate_pairs = gains.copy(), list[tuple[int, int]]()
    while len(candidate_pairs) < most:
        row, column = (int(best_pair) for best_pair in np.unravel_index(int(np.argmax(open_)), open_.shape))
        if candidate_pairs and not open_[row, column] > 0.0:
            break
        candidate_pairs.append((row, column))
        for candidate, other in ((rows[row], columns[column]), (columns[column], rows[row])):
            open_[np.ix_(np.abs(rows @ candidate) > ALIKE, np.abs(columns @ other) > ALIKE)] = -1.0
        open_[row, column] = -1.0
    return candidate_pairs
