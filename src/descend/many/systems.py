"""Many small symmetric systems at once: A = L D L' with L unit lower triangular and D diagonal.

A matrix is given as the rows of its lower triangle, whose entries are arrays over groups: NumPy's or PyTorch's.
"""

from __future__ import annotations

from collections.abc import Sequence

from descend.many.arrays import Values

Entries = Sequence[Values]
Triangle = Sequence[Entries]


class Factor:
    """The factors of A. below: the rows of L left of its diagonal. pivots: D, all above 0 if A is positive definite."""

    def __init__(self, below: Triangle, pivots: Entries) -> None:
        self.below, self.pivots = below, pivots

    @classmethod
    def of(cls, matrix: Triangle) -> Factor:
        """Factorise A row by row, without pivoting."""
        below: list[list[Values]] = []
        pivots: list[Values] = []
        for row in matrix:
            scaled: list[Values] = []  # L D of this row
            for j, above in enumerate(below):
                value = row[j]
                for k, entry in enumerate(above):
                    value = value - scaled[k] * entry
                scaled.append(value)
            pivot, entries = row[-1], []
            for value, earlier in zip(scaled, pivots, strict=True):
                entries.append(value / earlier)
                pivot = pivot - value * entries[-1]
            below.append(entries)
            pivots.append(pivot)
        return cls(below, pivots)

    def forward(self, right: Entries) -> list[Values]:
        """Return z of L z = b."""
        forward_solved: list[Values] = []
        for row, value in zip(self.below, right, strict=True):
            for entry, solved_entry in zip(row, forward_solved, strict=True):
                value = value - entry * solved_entry
            forward_solved.append(value)
        return forward_solved

    def backward(self, right: Entries) -> list[Values]:
        """Return x of L' x = b."""
        backward_solved = list(right)
        for i in range(len(backward_solved) - 1, 0, -1):
            for k, entry in enumerate(self.below[i]):
                backward_solved[k] = backward_solved[k] - entry * backward_solved[i]
        return backward_solved

    def scaled(self, right: Entries) -> list[Values]:
        """Return D^-1 b."""
        return [value / pivot for value, pivot in zip(right, self.pivots, strict=True)]

    def solved(self, right: Entries) -> list[Values]:
        """Return x of A x = b."""
        return self.backward(self.scaled(self.forward(right)))

    def rooted(self, right: Entries) -> list[Values]:
        """Return D^-1/2 L^-1 b, the sum of whose squares is b' A^-1 b."""
        return [value / pivot**0.5 for value, pivot in zip(self.forward(right), self.pivots, strict=True)]

    def root(self) -> list[list[Values]]:
        """Return the rows of R = L D^1/2, with R R' = A."""
        size, roots = len(self.pivots), [pivot**0.5 for pivot in self.pivots]
        lower = [[entry * root for entry, root in zip(row, roots, strict=False)] for row in self.below]
        return [[*row, roots[i], *[0.0] * (size - i - 1)] for i, row in enumerate(lower)]
