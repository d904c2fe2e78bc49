"""A start for a sum: its terms are found one after the other, each in what the others leave unexplained."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from descend.starts.dictionary import Dictionary
from descend.starts.peaks import Span
from descend.starts.projection import Amplitude, Projection
from descend.starts.terms import Term
from descend.starts.unlike_candidates import unlike, unlike_pairs

Array = NDArray[np.float64]
Polish = Callable[[Array, NDArray[np.bool_]], tuple[float, Array]]
NUMBERS = 1 << 21
"""Most numbers in the columns of all points at which a term is tried."""
ROUNDS = 2
"""How often each term is taken out and looked for again."""
BETTER = 1e-4
"""Share of J by which a new place of a term must be lower to be accepted."""
MOST_PAIRS = 15
MOST_TURNED = 4
"""Steps up to which all ways to reverse them are tried."""
NARROW = 0.5
"""Share of the range up to which the stretch of two terms is searched by itself."""
CANDIDATES = 6
"""Places that are looked at more closely for a term, and (``PAIRS``) for two terms together."""
PAIRS = 4
DISTINCT = 0.9
"""Cosine between the columns of two terms from which on they lie on each other."""
UNCLEAR = 0.7
"""Share of what a term explains at its best place that it explains elsewhere, from which on the choice is not clear."""
STEPS = (0.5, 0.25)
"""How far, in distances between the points tried, a term moves in that closer look."""
ROUNDING = 1e-10
"""Share of a column's squares below which what is left of it, freed of others, is rounding."""
SINGULAR = 1e-12
ALIKE = 1e-6
"""Squared sine of the angle below which two columns count as the same."""


@dataclass
class Peeling:
    """Orthogonal matching pursuit over the terms of a sum, each refined with those before it.

    Each term is tried at many points. At each, its columns are freed of what the terms in place already span, and the
    point is chosen that leaves the least residual. Then all terms in place descend together. Finally each term is taken
    out again and looked for in what the others leave, since the first may have been put where two belong.

    polish: descends a little from a point, moving only the marked parameters. noise: whether a point leaves only noise.
    certain: whether the terms once placed left only noise, so that none was looked for again.
    clear: whether no other place of the last term came near the one chosen.

    Source: Pati, Rezaiifar & Krishnaprasad (1993), Asilomar Conf. 27, 40-44.
    """

    projection: Projection
    base: list[Amplitude]
    terms: list[Term]
    dictionary: Dictionary
    polish: Polish
    noise: Callable[[Array], bool]
    certain: bool = False
    clear: bool = True
    columns_of: dict[tuple[object, ...], tuple[Array, Array]] = field(default_factory=dict)
    tried: int = 0

    def start(self, theta: Array) -> tuple[float, Array]:
        """Return J and its point with all terms in place."""
        placed: list[Term] = []
        loss, theta = self._refined(theta, placed)
        while len(placed) < len(self.terms):
            self.clear = True
            kinds = {self._kind(term): term for term in reversed(self.terms) if term not in placed}
            options = [(*self._next(theta, term, placed), term) for term in kinds.values()]
            _, theta, term = min(options, key=lambda option: option[0])
            placed.append(term)
            loss, theta = self._refined(theta, placed)
        self.certain = self.clear and math.isfinite(loss) and self._settled(theta)
        return (loss, theta) if self.certain else self._swapped(loss, theta)

    def _settled(self, theta: Array) -> bool:
        """Whether only noise is left, and no two terms lie on each other, posing as one of another shape."""
        columns = self.projection.design(theta[None], [term.amplitudes[0] for term in self.terms if term.single])[0]
        with np.errstate(all="ignore"):
            columns = columns / np.linalg.norm(columns, axis=1)[:, None]
            apart = np.abs(np.triu(columns @ columns.T, 1)).max(initial=0.0) < DISTINCT
        return bool(apart) and self.noise(theta)

    def exchanged(self, theta: Array) -> list[Array]:
        """Return copies of theta with two like terms exchanged, one for each such pair."""
        pairs = itertools.combinations(self.terms, 2)
        exchanged_terms = [self._exchanged(theta, first, two) for first, two in pairs if first.kind == two.kind]
        return [self.projection.solved(theta_exchanged[None])[1][0] for theta_exchanged in exchanged_terms]

    def _exchanged(self, theta: Array, one: Term, two: Term) -> Array:
        slices, swapped_theta = self.projection.parameters.slices, theta.copy()
        for pair in zip(one.unknowns, two.unknowns, strict=True):
            here, there = (slices[symbol.name].start for symbol in pair)
            swapped_theta[[here, there]] = theta[[there, here]]
        return swapped_theta

    def _swapped(self, loss: float, theta: Array) -> tuple[float, Array]:
        """Look again for each term, and each pair of terms, in what the others leave, as long as it helps."""
        pairs = itertools.combinations((term for term in self.terms if term.single), 2)
        together: list[tuple[Term, ...]] = [(term,) for term in self.terms]
        together += itertools.islice(pairs, MOST_PAIRS)
        for _ in range(ROUNDS if len(self.terms) > 1 else 0):
            before = loss
            loss, theta = self._turned(loss, theta)
            for some in together:
                others = [other for other in self.terms if other not in some]
                for trial_theta in self._anew(theta, some, others):
                    lower, trial_theta = self._refined(trial_theta, self.terms)
                    if lower < loss * (1.0 - BETTER):
                        loss, theta = lower, trial_theta
                        if self._settled(theta):
                            return loss, theta
            if not loss < before * (1.0 - BETTER):
                break
        return loss, theta

    def _turned(self, loss: float, theta: Array) -> tuple[float, Array]:
        """Try to reverse steps, in all combinations: without a constant beside them, a rise and a fall differ."""
        slices = self.projection.parameters.slices
        turning = [self.dictionary.reversible(term.unknowns) for term in self.terms]
        term_indices = [slices[symbol.name].start for symbol in turning if symbol is not None]
        if len(term_indices) > MOST_TURNED or any(column.is_number for each in self.base for column in each.columns):
            return loss, theta
        for signs in itertools.islice(itertools.product((1.0, -1.0), repeat=len(term_indices)), 1, None):
            turned_theta = theta.copy()
            turned_theta[term_indices] *= signs
            lower, turned_theta = self._refined(turned_theta, self.terms)
            if lower < loss * (1.0 - BETTER):
                return self._turned(lower, turned_theta)
        return loss, theta

    def _anew(self, theta: Array, some: tuple[Term, ...], others: list[Term]) -> Iterator[Array]:
        """Yield theta with one or two terms elsewhere, the others as they are or as they settle alone."""
        alone = self._refined(theta, others)[1]
        if len(some) == 2:
            first, two = some
            yield from self._next_two(theta, first, two, others, self._between(theta, first, two))
            yield from self._next_two(alone, first, two, others)
            if first.kind != two.kind and len(first.unknowns) == len(two.unknowns):
                yield self._exchanged(theta, first, two)
        else:
            yield self._next(theta, some[0], others)[1]
            yield self._next(alone, some[0], others)[1]

    def _refined(self, theta: Array, placed: Sequence[Term]) -> tuple[float, Array]:
        """Solve for the linear parameters of the terms in place and descend a little, leaving out all other terms."""
        amplitudes = self._amplitudes(placed)
        losses, points = self.projection.solved(theta[None], amplitudes)
        if not (placed and np.isfinite(points).all()):
            return float(losses[0]), points[0]
        slices = self.projection.parameters.slices
        moving = np.zeros(theta.size, dtype=bool)
        for each in amplitudes:
            moving[list(each.places)] = True
            if each.phase is not None:
                moving[each.phase_place] = True
        for term in placed:
            for symbol in term.unknowns:
                moving[slices[symbol.name]] = True
        loss, polished_theta = self.polish(points[0], moving)
        return (loss, polished_theta) if loss < losses[0] else (float(losses[0]), points[0])

    def _amplitudes(self, placed: Sequence[Term]) -> list[Amplitude]:
        return [*self.base, *(each for term in placed for each in term.amplitudes)]

    def _next(self, theta: Array, term: Term, placed: Sequence[Term]) -> tuple[float, Array]:
        """Return J with one more term at its best place, and theta with it there."""
        residual, basis, settled = self._left(theta, placed)
        points, columns = self._tried(settled, term)
        if not len(points):
            return math.inf, theta
        self.tried += len(points)
        left = columns - (columns @ basis.T) @ basis
        squares, right = left @ left.transpose(0, 2, 1), left @ residual
        # A column of which only rounding is left does not count.
        diagonal = np.einsum("tkk->tk", squares)
        sound = diagonal > ROUNDING * np.einsum("tkn,tkn->tk", columns, columns)
        squares = squares + np.where(sound, SINGULAR * diagonal, 1e30)[:, :, None] * np.eye(squares.shape[1])
        gains = np.einsum("tk,tk->t", right, np.linalg.solve(squares, right[:, :, None])[:, :, 0])
        candidates = unlike(np.where(np.isfinite(gains), gains, -1.0), left[:, 0], CANDIDATES)
        if len(candidates) > 1 and gains[candidates[1]] > UNCLEAR * gains[candidates[0]]:
            self.clear = False
        thetas = np.array([self._put(settled, term, points[number]) for number in candidates])
        losses, thetas = self._nearby(thetas, [term], placed)
        best = int(np.argmin(losses))
        return float(losses[best]), thetas[best]

    def _nearby(self, thetas: Array, terms: Sequence[Term], placed: Sequence[Term]) -> tuple[Array, Array]:
        """Return J and where it is lowest, near each theta, as one term after the other moves in smaller steps."""
        amplitudes = self._amplitudes([*placed, *terms])
        losses, thetas = self.projection.solved(thetas, amplitudes)
        for step, term in itertools.product(STEPS, terms):
            near = [self._beside(theta, term, step) for theta in thetas]
            tried, solved_thetas = self.projection.solved(np.concatenate(near), amplitudes)
            self.tried += len(tried)
            begin = 0
            for number, some in enumerate(near):
                best = begin + int(np.argmin(tried[begin : begin + len(some)]))
                if tried[best] < losses[number]:
                    losses[number], thetas[number] = tried[best], solved_thetas[best]
                begin += len(some)
        return losses, thetas

    def _beside(self, theta: Array, term: Term, step: float) -> Array:
        slices = self.projection.parameters.slices
        point = np.array([theta[slices[symbol.name].start] for symbol in term.unknowns])
        return np.array([self._put(theta, term, each) for each in self.dictionary.beside(term.unknowns, point, step)])

    def _next_two(
        self, theta: Array, one: Term, two: Term, placed: Sequence[Term], within: Span | None = None
    ) -> Iterator[Array]:
        """Yield theta with two terms at their best places, found together: of any signs, and of the same sign.

        With g the cosine between two columns, and b the product of each with the residual, together they take
        (b1**2 + b2**2 - 2 g b1 b2) / (1 - g**2)  of its squares.
        """
        residual, basis, settled = self._left(theta, placed)
        points, left = self._paired(settled, one, basis, within)
        others, beside = (
            (points, left) if self._kind(two) == self._kind(one) else self._paired(settled, two, basis, within)
        )
        if not (len(points) and len(others)):
            return
        self.tried += len(points) + len(others)
        common, shared, cosine = (left @ residual)[:, None], beside @ residual, left @ beside.T
        first, second = common - cosine * shared, shared - cosine * common
        gains = (common * first + shared * second) / np.maximum(1.0 - cosine**2, ALIKE)
        for pair_gains in (gains, np.where(first * second > 0.0, gains, 0.0)):
            pairs = unlike_pairs(pair_gains, left, beside, PAIRS)
            thetas = [self._put(self._put(settled, one, points[row]), two, others[column]) for row, column in pairs]
            losses, solved_thetas = self._nearby(np.array(thetas), [one, two], placed)
            yield solved_thetas[int(np.argmin(losses))]

    def _paired(self, theta: Array, term: Term, basis: Array, within: Span | None) -> tuple[Array, Array]:
        """Return points of a term for pairs, and its columns there, freed of a basis and of length 1."""
        if (cached_columns := self.columns_of.get((self._kind(term), within))) is None:
            points = self.dictionary.for_pairs(term.amplitudes, term.unknowns, theta, within)
            cached_columns = self._columns(theta, term, points)
            if within is None and not self.dictionary.depends(term.unknowns):
                self.columns_of[self._kind(term), within] = cached_columns
        points, columns = cached_columns[0], cached_columns[1][:, 0]
        left = columns - (columns @ basis.T) @ basis
        norm = np.sqrt(np.einsum("tn,tn->t", left, left))
        sound = norm > math.sqrt(ROUNDING) * np.sqrt(np.einsum("tn,tn->t", columns, columns))
        return points[sound], left[sound] / norm[sound][:, None]

    def _left(self, theta: Array, placed: Sequence[Term]) -> tuple[Array, Array, Array]:
        """Return the residual of the terms in place, a basis of their span, and theta as solved for."""
        projection, amplitudes = self.projection, self._amplitudes(placed)
        settled = projection.solved(theta[None], amplitudes)[1]
        residual = projection.observed - projection.evaluated(projection.formula.expression, settled)[0]
        basis = _orthonormal(projection.design(settled, amplitudes)[0])
        return residual - (residual @ basis.T) @ basis, basis, settled[0]

    def _between(self, theta: Array, one: Term, two: Term) -> Span | None:
        """Return the stretch of the range that two peaks lie in, if that is a small one."""
        slices = self.projection.parameters.slices
        points = [np.array([theta[slices[symbol.name].start] for symbol in term.unknowns]) for term in (one, two)]
        peaks = [self.dictionary.peak(term.unknowns) for term in (one, two)]
        both = [peak.reach(point) for peak, point in zip(peaks, points, strict=True) if peak is not None]
        if len(both) < 2:
            return None
        low, high = min(span[0] for span in both), max(span[1] for span in both)
        return (low, high) if high - low < NARROW else None

    def _kind(self, term: Term) -> tuple[object, ...]:
        """Return what terms have in common that are tried at the same points."""
        return (term.kind, *(tuple(limit.tolist()) for limit in self._limits(term)))

    def _limits(self, term: Term) -> tuple[Array, Array]:
        """Return the bounds on the unknowns of a term."""
        bounds, slices = self.projection.bounds, self.projection.parameters.slices
        term_indices = [slices[symbol.name].start for symbol in term.unknowns]
        if bounds is None:
            return np.full(len(term_indices), -math.inf), np.full(len(term_indices), math.inf)
        return bounds.low[term_indices], bounds.high[term_indices]

    def _put(self, theta: Array, term: Term, point: Array) -> Array:
        placed = theta.copy()
        for symbol, value in zip(term.unknowns, point, strict=True):
            placed[self.projection.parameters.slices[symbol.name]] = value
        return placed

    def _tried(self, theta: Array, term: Term) -> tuple[Array, Array]:
        """Return points for the unknowns of a term, and its columns there, scaled to at most 1."""
        if (cached_columns := self.columns_of.get(self._kind(term))) is not None:
            return cached_columns
        points = self.dictionary.points(term.amplitudes, term.unknowns, theta)
        count = sum(len(each.columns) for each in term.amplitudes)
        tried = self._columns(theta, term, points[: max(16, NUMBERS // (count * self.projection.rows))])
        if not self.dictionary.depends(term.unknowns):
            self.columns_of[self._kind(term)] = tried
        return tried

    def _columns(self, theta: Array, term: Term, points: Array) -> tuple[Array, Array]:
        """Return those of the points within bounds at which the columns of a term have values, and the columns."""
        low, high = self._limits(term)
        within = ((points >= low) & (points <= high)).all(axis=1)
        points = points[within] if within.any() else np.clip(points, low, high)
        thetas = np.tile(theta, (len(points), 1))
        for place, symbol in enumerate(term.unknowns):
            thetas[:, self.projection.parameters.slices[symbol.name]] = points[:, place : place + 1]
        columns = self.projection.design(thetas, term.amplitudes)
        largest = np.abs(columns).max(axis=2)
        sound = (np.isfinite(largest) & (largest > 0.0)).all(axis=1)
        return points[sound], columns[sound] / largest[sound][:, :, None]


def _orthonormal(columns: Array) -> Array:
    """Return orthonormal rows that span what the given rows span."""
    largest = np.abs(columns).max(axis=1, initial=0.0)
    sound = np.isfinite(largest) & (largest > 0.0)
    if not sound.any():
        return np.zeros((0, columns.shape[1]))
    scaled = columns[sound] / largest[sound][:, None]
    q, r = np.linalg.qr((scaled / np.linalg.norm(scaled, axis=1)[:, None]).T)
    return np.asarray(q[:, np.abs(r.diagonal()) > 1e-10].T)
