"""The known covariance of the responses of all rows, and what makes errors of it that know nothing of each other."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.errors import DataError
from descend.wording import spell

Array = NDArray[np.float64]
Values = NDArray[Any]
"""Real or complex numbers."""
Places = NDArray[np.intp]
LIKE = 1e-8
"""Two entries that differ by less than this share of the largest are the same, and so are 1 and a diagonal."""
AGAIN = "Correct it, or add a little to its diagonal."


@dataclass(frozen=True, eq=False)
class Coupling:
    """The covariance of the responses of all rows of a table, (n, n), before any are left out.

    name: how messages call it. column: that of the numbers of the rows, from 0. correlation: whether sigma or weights
    say how far each row scatters, and this only how the rows go together.
    """

    matrix: Array
    name: str
    column: str = ""
    correlation: bool = False

    def check(self, rows: int) -> None:
        """Raise DataError unless it is a symmetric matrix for so many rows, of correlations where sigma says more."""
        size = len(self.matrix)
        if size != rows:
            raise DataError(
                f"{self.name} is {size:,} x {size:,}, but there are {rows:,} rows. It needs a row and a column for "
                f"each row of the data, in their order, those that {spell('where')} or {spell('missing')} leave out "
                "among them."
            )
        if not np.isfinite(self.matrix).all():
            row, column = np.argwhere(~np.isfinite(self.matrix))[0].tolist()
            raise DataError(f"{self.name} holds {self.matrix[row, column]} in row {row + 1}, column {column + 1}.")
        asymmetry = np.abs(self.matrix - self.matrix.T)
        if asymmetry.max(initial=0.0) > LIKE * np.abs(self.matrix).max(initial=0.0):
            row, column = sorted(divmod(int(asymmetry.argmax()), size))
            raise DataError(
                f"{self.name} is not symmetric: rows {row + 1} and {column + 1} hold {self.matrix[row, column]:g} and "
                f"{self.matrix[column, row]:g}."
            )
        diagonal = self.matrix.diagonal()
        if not (diagonal > 0.0).all():
            row = int(np.argmin(diagonal > 0.0))
            raise DataError(
                f"{self.name} has {diagonal[row]:g} on its diagonal in row {row + 1}. Variances must be above 0."
            )
        if self.correlation and np.abs(diagonal - 1.0).max(initial=0.0) > LIKE:
            row = int(np.abs(diagonal - 1.0).argmax())
            raise DataError(
                f"{self.name} has {diagonal[row]:g} on its diagonal in row {row + 1}. Beside {spell('sigma')} or "
                f"{spell('weights')}, which say how far each row scatters, it holds correlations, with 1 on the "
                "diagonal. Leave one of the two out."
            )

    def of(self, numbers: Array, counting: NDArray[np.bool_] | None = None) -> Whitening:
        """Return what whitens some of the rows. Raises DataError unless their covariance is positive definite.

        counting: the rows whose weight is above 0, if not all. The others, of unknown errors, say nothing of them.
        """
        row_numbers = numbers.astype(np.intp)
        every = len(row_numbers) == len(self.matrix) and bool((np.diff(row_numbers) == 1).all())
        matrix = self.matrix if every else self.matrix[np.ix_(row_numbers, row_numbers)]
        if counting is not None and not counting.all():
            matrix = np.where(np.outer(counting, counting), matrix, np.eye(len(row_numbers)))
        try:
            root = np.linalg.cholesky(0.5 * (matrix + matrix.T))
        except np.linalg.LinAlgError:
            raise self._not_positive(matrix, row_numbers) from None
        smallest_share = float(np.min(root.diagonal() / np.sqrt(matrix.diagonal()), initial=1.0))
        if smallest_share**2 < len(row_numbers) * np.finfo(np.float64).eps:
            raise self._not_positive(matrix, row_numbers)
        return Whitening(np.asarray(root, dtype=np.float64))

    def _not_positive(self, matrix: Array, rows: Places) -> DataError:
        """Name the smallest eigenvalue, and the two rows that are most part of its direction."""
        eigenvalue = float(np.linalg.eigvalsh(matrix)[0])
        sizes = np.sqrt(matrix.diagonal())
        correlations = matrix / np.outer(sizes, sizes)
        direction = np.linalg.eigh(correlations)[1][:, 0]
        i, j = np.sort(np.argsort(-np.abs(direction), kind="stable")[:2]).tolist()
        return DataError(
            f"{self.name} is not positive definite: its smallest eigenvalue is {eigenvalue:.3g}. Rows {rows[i] + 1} "
            f"and {rows[j] + 1} have most part in that; their correlation is {correlations[i, j]:.6g}. {AGAIN}"
        )

    @property
    def deviation(self) -> float | None:
        """The standard deviation of every row, if all have the same."""
        diagonal = self.matrix.diagonal()
        alike = not self.correlation and np.ptp(diagonal) <= LIKE * diagonal[0]
        return float(np.sqrt(diagonal[0])) if alike else None


@dataclass(frozen=True, eq=False)
class Whitening:
    """The lower triangle L of a covariance C = L L', (n, n): the errors L^-1 r know nothing of each other."""

    root: Array

    def of(self, values: Values) -> Values:
        """Return L^-1 times a vector, or a matrix, of as many rows."""
        from scipy.linalg import solve_triangular

        whitened: Values = solve_triangular(self.root, values, lower=True, check_finite=False)
        return whitened

    def back(self, values: Values) -> Values:
        """Return L'^-1 times a vector or a matrix, so that ``back(of(r))`` is C^-1 r."""
        from scipy.linalg import solve_triangular

        unwhitened: Values = solve_triangular(self.root, values, lower=True, trans="T", check_finite=False)
        return unwhitened

    @property
    def log_determinant(self) -> float:
        """log det C."""
        return 2.0 * float(np.log(self.root.diagonal()).sum())


def read_coupling(coupling: object) -> Coupling:
    """Read a matrix, or the file of one: .npy, or text with commas or spaces and no header. Raises DataError."""
    if isinstance(coupling, str | os.PathLike):
        return Coupling(
            _square(_in_file(Path(coupling)), f"The covariance `{coupling}`"), f"The covariance `{coupling}`"
        )
    try:
        matrix = np.asarray(coupling, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError("The covariance is no matrix of numbers.") from None
    return Coupling(_square(matrix, "The covariance"), "The covariance")


def _square(matrix: Array, name: str) -> Array:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        shape = " x ".join(f"{size:,}" for size in matrix.shape) or "a single number"
        raise DataError(f"{name} is {shape}. It must be a square matrix, with a row and a column for each row of data.")
    return matrix


def _in_file(path: Path) -> Array:
    name = f"The covariance `{path}`"
    try:
        if path.suffix == ".npy":
            return np.asarray(np.load(path, allow_pickle=False), dtype=np.float64)
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{name} cannot be read: {str(reason).lower()}.") from None
    for line, words in enumerate(text.splitlines()):
        for word in words.replace(",", " ").replace(";", " ").split():
            try:
                float(word)
            except ValueError:
                raise DataError(
                    f"{name} holds `{word}` in line {line + 1}. It must hold numbers alone, without a header."
                ) from None
    try:
        return np.loadtxt(io.StringIO(text.replace(",", " ").replace(";", " ")), ndmin=2)
    except ValueError as error:
        raise DataError(f"{name} is no matrix: {error}.") from None


@lru_cache(maxsize=4)
def whitened_by(coupling: Coupling, numbers: bytes, counting: bytes | None = None) -> Whitening:
    """Return what whitens the rows of these numbers, as ``Coupling.of``; of the same rows it is found once."""
    counted = None if counting is None else np.frombuffer(counting, dtype=np.bool_)
    return coupling.of(np.frombuffer(numbers, dtype=np.float64), counted)
