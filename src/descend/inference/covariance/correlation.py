"""Correlations of the estimates, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


class Correlation(np.ndarray[tuple[int, int], np.dtype[np.float64]]):
    """A matrix of correlations whose rows and columns have the names of parameters.

    >>> found = Correlation.of(np.array([[1.0, -0.5], [-0.5, 1.0]]), ["a", "b"])
    >>> float(found["a", "b"]), found.labels
    (-0.5, ('a', 'b'))
    >>> print(found)
           a      b
    a   1.00  -0.50
    b  -0.50   1.00
    """

    labels: tuple[str, ...]

    @classmethod
    def of(cls, values: ArrayLike, labels: Sequence[str]) -> Correlation:
        """Name the rows and columns of a matrix."""
        named = np.asarray(values, dtype=np.float64).view(cls)
        named.labels = tuple(labels)
        return named

    @classmethod
    def of_covariance(cls, covariance: Array, labels: Sequence[str]) -> Correlation:
        """Return the correlations that belong to a covariance matrix."""
        errors = np.sqrt(covariance.diagonal())
        with np.errstate(all="ignore"):
            return cls.of(covariance / errors / errors[:, None], labels)

    def __array_finalize__(self, source: object) -> None:
        self.labels = getattr(source, "labels", ())

    def __reduce__(self) -> tuple[object, ...]:
        return Correlation.of, (np.asarray(self), self.labels)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, tuple) and len(key) == 2 and all(isinstance(name, str) for name in key):
            for name in key:
                if name not in self.labels:
                    raise KeyError(f"There is no parameter `{name}`. Parameters: {', '.join(self.labels)}.")
            return float(np.asarray(self)[self.labels.index(key[0]), self.labels.index(key[1])])
        return np.asarray(self)[key]

    def __str__(self) -> str:
        width = max(5, *map(len, self.labels)) if self.labels else 5
        first = max(map(len, self.labels), default=0)
        rows = ["  ".join([" " * first, *(f"{label:>{width}}" for label in self.labels)])]
        for label, row in zip(self.labels, np.asarray(self), strict=True):
            rows.append("  ".join([f"{label:<{first}}", *(f"{value:{width}.2f}" for value in row)]))
        return "\n".join(rows)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        from html import escape

        head = "".join(f"<th>{escape(label)}</th>" for label in self.labels)
        lines = (
            f"<tr><th>{escape(label)}</th>{''.join(f'<td>{value:.2f}</td>' for value in row)}</tr>"
            for label, row in zip(self.labels, np.asarray(self), strict=True)
        )
        return f"<table><tr><th></th>{head}</tr>{''.join(lines)}</table>"
