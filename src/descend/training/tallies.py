"""What is added up of the rows that pass a module, so that metrics need no second pass and no row twice."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Seen:
    """Some rows: what was observed, and what was predicted of them.

    y: responses, (n,) or (n, m); of classes their places, from 0. prediction: what ``fit.predict`` gives, with places
    for classes. probabilities: of each class, (n, K); None where there are no classes.
    """

    y: Array
    prediction: Array
    probabilities: Array | None = None

    @property
    def places(self) -> Array:
        """The predicted class of each row: the likeliest."""
        assert self.probabilities is not None
        places: Array = self.probabilities.argmax(axis=1).astype(np.float64)
        return places


class Tally(ABC):
    """A sum over rows, from which metrics follow."""

    @abstractmethod
    def add(self, seen: Seen) -> None:
        """Count some rows in."""


@dataclass
class Residuals(Tally):
    """Sums over numbers: of |r|, r^2 and |r / y| with r = prediction - y, and of the squares of y about its mean."""

    count: int = 0
    absolute: float = 0.0
    squares: float = 0.0
    relative: float = 0.0
    largest: float = 0.0
    mean: float | Array = 0.0
    spread: float = 0.0

    def add(self, seen: Seen) -> None:
        y = seen.y.reshape(len(seen.y), -1)
        size = np.abs(seen.prediction.reshape(y.shape) - y)
        self.absolute += float(size.sum() / y.shape[1])
        self.squares += float((size**2).sum() / y.shape[1])
        self.largest = float(np.maximum(self.largest, size.max(initial=0.0)))
        with np.errstate(all="ignore"):
            self.relative += float((size / np.abs(y)).sum() / y.shape[1])
        # About the mean of all rows so far, by that of these: Chan, Golub & LeVeque (1983), The American Statistician.
        mean, count = y.mean(axis=0), self.count + len(y)
        apart = mean - self.mean
        between = apart**2 * (self.count * len(y) / count)
        self.spread += float((((y - mean) ** 2).sum(axis=0) + between).sum() / y.shape[1])
        self.mean, self.count = self.mean + apart * (len(y) / count), count


@dataclass
class Confusion(Tally):
    """How many rows of each class (down) were predicted to be of each (across), and the rank of the right class.

    ranks: rows in which as many classes as the place says were likelier than the right one.
    """

    matrix: Array = field(default_factory=lambda: np.zeros((0, 0)))
    ranks: Array = field(default_factory=lambda: np.zeros(0))

    def add(self, seen: Seen) -> None:
        assert seen.probabilities is not None
        size, right = seen.probabilities.shape[1], seen.y.astype(np.intp)
        counts = np.bincount(right * size + seen.places.astype(np.intp), minlength=size * size)
        own = seen.probabilities[np.arange(len(right)), right]
        ranks = np.bincount((seen.probabilities > own[:, None]).sum(axis=1), minlength=size)
        if not self.matrix.size:
            self.matrix, self.ranks = np.zeros((size, size)), np.zeros(size)
        self.matrix += counts.reshape(size, size)
        self.ranks += ranks

    @property
    def right(self) -> Array:
        """How many rows of each class were predicted right."""
        return np.diag(self.matrix)


@dataclass
class Everything(Tally):
    """The rows themselves, for what is no sum over rows."""

    parts: list[Seen] = field(default_factory=list)

    def add(self, seen: Seen) -> None:
        self.parts.append(seen)

    @property
    def seen(self) -> Seen:
        """All rows at once."""
        shares = [part.probabilities for part in self.parts if part.probabilities is not None]
        return Seen(
            np.concatenate([part.y for part in self.parts]),
            np.concatenate([part.prediction for part in self.parts]),
            np.concatenate(shares) if shares else None,
        )
