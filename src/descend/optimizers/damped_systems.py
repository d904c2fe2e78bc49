"""Damped Gauss-Newton steps: their linear system, in four forms, and what follows from how far J falls.

Those of an arrow are in ``damped_arrow_systems``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from descend.engines.triangles import condition_bound
from descend.formula.compile import define
from descend.optimizers.bounded_least_squares import bounded_least_squares
from descend.optimizers.contract import NOTHING, RANK, WELL, Array, Evaluation, System, Units
from descend.optimizers.curvature import predicted, triangle, well

ATTEMPTS = 60
"""How many ever larger dampings are tried before giving up."""
LEAST_DAMPING = 1e-30
"""Small enough that even a system of condition 1e15 is effectively undamped."""
LEAST = 1e-300
"""Stands in for the squared norm of a column of zeros, so that it can be divided by."""
FARTHEST = 10.0
"""Steps that hardly shrink are not extrapolated: they may lead to infinity."""
FEW = 8
"""Up to this many unknowns, elimination in plain numbers is faster than a NumPy call."""
Solution = tuple[list[float], float, float]
Solver = Callable[[Sequence[Sequence[float]], Sequence[float], Sequence[float], float], Solution | None]


class Few(System):
    """The system (C + lambda D**2) d = -g of few unknowns, from curvature and gradient, in plain numbers.

    units: the largest squared column norms so far, or LEAST; ``units``, D**2, are those that also count the ones here.
    """

    order: ClassVar[int] = 2

    def __init__(self, evaluation: Evaluation, units: Units) -> None:
        assert isinstance(evaluation.curvature, np.ndarray)
        rows = evaluation.curvature.tolist()
        self.units = [row[k] if row[k] > units[k] else units[k] for k, row in enumerate(rows)]
        self.system = rows, evaluation.gradient.tolist(), self.units
        self.solve = solver(len(rows))
        self.undamped: Solution | None = None

    def move(self, damping: float) -> tuple[Array, float]:
        """Return d and the decrease of J that the model predicts; no decrease if the system is singular."""
        damped_step = self.solve(*self.system, damping)
        return (np.zeros(len(self.units)), 0.0) if damped_step is None else (np.array(damped_step[0]), damped_step[1])

    def newton(self) -> tuple[Array, float]:
        """Return the undamped d and |q|; if the system is singular, d = 0 and an infinite |q|."""
        newton_step = self.undamped = self.undamped or self.solve(*self.system, 0.0)
        if newton_step is None:
            return np.zeros(len(self.units)), math.inf
        return np.array(newton_step[0]), math.sqrt(max(2.0 * newton_step[1], 0.0))

    def safe(self) -> bool:
        """Whether its undamped step can be trusted.

        The trace of D^-1 C D^-1 is k at most, so its smallest eigenvalue at least det ((k-1)/k)**(k-1) > det/e.
        """
        newton_step = self.undamped = self.undamped or self.solve(*self.system, 0.0)
        if newton_step is None or newton_step[2] > math.e * WELL:
            return newton_step is not None
        scale = np.sqrt(self.units)
        return well(np.array(self.system[0]) / (scale * scale[:, None]))


class Normal(System):
    """The same system of many unknowns, solved for D d."""

    order: ClassVar[int] = 2

    def __init__(self, evaluation: Evaluation, units: Units) -> None:
        curvature = evaluation.curvature
        assert isinstance(curvature, np.ndarray)
        self.units = np.maximum(units, curvature.diagonal())
        self.scale = np.sqrt(self.units)
        self.curvature = curvature / (self.scale * self.scale[:, None])
        self.gradient = evaluation.gradient / self.scale
        self.sound = math.isfinite(np.add.reduce(self.units))

    @cached_property
    def undamped(self) -> Array | None:
        return solved(self.curvature, 0.0, -self.gradient) if self.sound else None

    def move(self, damping: float) -> tuple[Array, float]:
        """Return d and the decrease of J that the model predicts; no decrease if the system is singular.

        With z = D d the decrease -g'd - d'C d/2 is (lambda z'z - z'D^-1 g)/2.
        """
        if damping < NOTHING:
            move = self.undamped
        else:
            move = solved(self.curvature, damping, -self.gradient) if self.sound else None
        if move is None:
            return np.zeros_like(self.scale), 0.0
        return move / self.scale, 0.5 * float(damping * move.dot(move) - move.dot(self.gradient))

    def newton(self) -> tuple[Array, float]:
        move = self.undamped
        if move is None:
            return np.zeros_like(self.scale), math.inf
        return move / self.scale, math.sqrt(max(-float(move.dot(self.gradient)), 0.0))

    def safe(self) -> bool:
        return self.sound and well(self.curvature)


class Triangle(System):
    """The same system as a least-squares problem: minimize |R d + q|**2 + lambda |D d|**2."""

    order: ClassVar[int] = 3

    def __init__(self, evaluation: Evaluation, units: Units) -> None:
        self.units, self.scale, self.upper, self.right = scaled_triangle(evaluation, units)

    def move(self, damping: float) -> tuple[Array, float]:
        if damping < RANK**2:  # too little to keep the rounding of R from being inverted
            move = self.newton()[0]
            return move, predicted(self.upper, self.right, move * self.scale)
        size = self.scale.size
        stacked = np.zeros((2 * size, size + 1))
        stacked[:size, :size] = self.upper
        stacked[:size, size] = self.right
        stacked[range(size, 2 * size), range(size)] = np.sqrt(damping)
        solved = np.asarray(np.linalg.qr(stacked, mode="r"))
        move = -np.linalg.solve(solved[:size, :size], solved[:size, size])
        return move / self.scale, predicted(self.upper, self.right, move)

    def newton(self) -> tuple[Array, float]:
        """Return the undamped d and |q|; if R is not finite, as where weights underflow, d = 0 and an infinite |q|."""
        if not np.isfinite(self.upper).all():
            return np.zeros_like(self.scale), math.inf
        move = np.linalg.lstsq(self.upper, -self.right, rcond=RANK)[0]
        return move / self.scale, float(np.linalg.norm(self.right))


class Bounded(System):
    """The same problem, solved within bounds: minimize |R d + q|**2 + lambda |D d|**2 over low <= theta + d <= high."""

    order: ClassVar[int] = 3

    def __init__(self, evaluation: Evaluation, units: Units) -> None:
        assert evaluation.bounds is not None
        self.units, self.scale, self.upper, self.right = scaled_triangle(evaluation, units)
        low, high = evaluation.bounds.room(evaluation.theta)
        self.room = low * self.scale, high * self.scale
        self.free = ~evaluation.bounds.blocked(evaluation.theta, evaluation.gradient)

    def move(self, damping: float) -> tuple[Array, float]:
        stacked = np.vstack([self.upper, np.sqrt(damping) * np.eye(self.scale.size)])
        right = np.append(self.right, np.zeros(self.scale.size))
        move = bounded_least_squares(stacked, right, *self.room)
        return move / self.scale, predicted(self.upper, self.right, move)

    def newton(self) -> tuple[Array, float]:
        """Return the undamped d, and the length of that part of q which parameters that may still move can explain."""
        move = bounded_least_squares(self.upper, self.right, *self.room) / self.scale
        if not self.free.any():
            return move, 0.0
        basis = np.linalg.qr(self.upper[:, self.free])[0]
        return move, float(np.linalg.norm(basis.T @ self.right))


def system_of(evaluation: Evaluation, fine: bool) -> type[System]:
    """Return what to solve: the curvature, or if ``fine`` the triangle of the Jacobian, within bounds if any."""
    if not isinstance(evaluation.curvature, np.ndarray):
        if evaluation.system is not None:
            return evaluation.system
        from descend.optimizers.damped_arrow_systems import arrow_system

        return arrow_system(evaluation, fine)
    if evaluation.has_l1:
        from descend.optimizers.damped_l1_system import Sparse

        return Sparse
    if not fine:
        return Few if len(evaluation.theta) <= FEW else Normal
    return Triangle if evaluation.bounds is None else Bounded


def solved(matrix: Array, damping: float, right: Array) -> Array | None:
    """Return (M + damping I)^-1 ``right`` for a symmetric M, or None if that is singular.

    >>> solved(np.array([[3.0, 1.0], [1.0, 1.0]]), 1.0, np.array([5.0, 3.0]))
    array([1., 1.])
    """
    matrix = matrix.copy()
    matrix.flat[:: right.size + 1] += damping
    try:
        solution: NDArray[Any] = np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:
        return None
    return solution


def scaled_triangle(evaluation: Evaluation, units: Units) -> tuple[Units, Array, Array, Array]:
    """Return D**2, D, R D^-1 and q."""
    upper, right = triangle(evaluation.at(evaluation.theta, 3))
    squares: Array = np.maximum(units, np.add.reduce(upper * upper))
    scale = np.sqrt(squares)
    return squares, scale, upper / scale, right


def extrapolated(move: Array, step_taken: Array, before: Array, units: Units) -> list[Array]:
    """Return steps to try instead of the Gauss-Newton step ``move``, the longest first.

    Each Gauss-Newton step shrinks by a constant factor along the direction in which the neglected curvature matters
    most. Where ``before`` was the last such step and ``step_taken`` was made instead, a secant removes that factor:
        move - share (step_taken + move - before),   share = <move - before, move> / |move - before|**2
    """
    change = move - before
    weighed = change * units
    length = float(change.dot(weighed))
    share = float(move.dot(weighed)) / length if length > 0.0 else 0.0
    if abs(share) > FARTHEST:
        return [move]
    secant = move - share * (step_taken + change)
    return [secant, move] if abs(share) > 0.1 else [secant]


def less_damped(damping: float, ratio: float) -> float:
    """Return the damping after a step. ratio: of the decrease of J to the predicted one."""
    return max(damping * max(1.0 / 3.0, 1.0 - (2.0 * ratio - 1.0) ** 3), LEAST_DAMPING)


def ahead(evaluation: Evaluation, move: Array) -> Array:
    """Return where a step leads; a step to a bound ends exactly on it, not beside it by rounding."""
    bounds = evaluation.bounds
    return evaluation.theta + move if bounds is None else bounds.moved(evaluation.theta, move)


def moves(theta: Array, move: Array, share: float) -> bool:
    """Whether a step changes any parameter by more than this share of it."""
    return any(not abs(step) <= share * abs(value) for value, step in zip(theta.tolist(), move.tolist(), strict=True))


def finite(vector: Array) -> bool:
    """Whether no component is infinite or nan."""
    return math.isfinite(vector.dot(vector)) or bool(np.isfinite(vector).all())


def inverse_columns(rows: Sequence[Sequence[float]], places: Iterable[int]) -> list[list[float]] | None:
    """Return some columns of the inverse of a symmetric matrix of few rows, in plain numbers.

    None unless its smallest eigenvalue, scaled to a unit diagonal, is above WELL; it is at least det/e (`Few.safe`).

    >>> inverse_columns([[2.0, 0.0], [0.0, 4.0]], [1])
    [[0.0, 0.25]]
    """
    size = len(rows)
    units, solve, columns = [rows[k][k] for k in range(size)], solver(size), []
    if not min(units) > 0.0:
        return None
    for place in places:
        solution = solve(rows, [-float(k == place) for k in range(size)], units, 0.0)
        if solution is None or not solution[2] > math.e * WELL:
            return None
        columns.append(solution[0])
    return columns


def surely_above(curvature: Array, share: float) -> bool:
    """Whether a bound says, without eigenvalues, that `smallest_share` of a curvature is at least ``share``.

    Where the diagonal of a (k, k) matrix is 1, the largest eigenvalue is k at most, and the smallest at least
    det ((k-1)/k)**(k-1) > det/e, the others being at most as large as their mean. Nearer bounds are the Frobenius norm,
    and 1 / trace of the inverse.
    """
    size, units = len(curvature), curvature.diagonal().tolist()
    if not min(units) > 0.0:
        return False
    if size > FEW:
        scale = np.sqrt(units)
        return finite(curvature.ravel()) and share * condition_bound(curvature / (scale * scale[:, None])) < 1.0
    rows = curvature.tolist()
    solution = solver(size)(rows, units, units, 0.0)
    if solution is None or not solution[2] < math.inf:
        return False
    if share * math.e * size < solution[2]:
        return True
    inverse = inverse_columns(rows, range(size))
    if inverse is None:
        return False
    trace = sum([inverse[k][k] * units[k] for k in range(size)])
    squares = sum([rows[i][j] / units[i] * (rows[i][j] / units[j]) for i in range(size) for j in range(size)])
    return bool(share * math.sqrt(squares) * trace < 1.0)


@lru_cache(maxsize=FEW)
def solver(size: int) -> Solver:
    """Return a function that solves (C + lambda U) d = -g for so many unknowns, C symmetric and U diagonal.

    It takes C as rows, g, the diagonal of U, which is above 0, and lambda. It returns

        d,   (lambda d'Ud - g'd) / 2,   det(C + lambda U) / det U

    or None unless C + lambda U is positive definite, and finite. With C + lambda U = L P L', P diagonal and L with a
    unit diagonal, S = L P:

        S_ij = C_ij - sum_k<j S_ik L_jk,   P_i = C_ii + lambda U_i - sum_k<i S_ik L_ik,   L_ij = S_ij / P_j

    Scaling rows and columns of C alike scales every part of the factorisation, so none is needed beforehand.

    Source: Golub & Van Loan (2013), Matrix Computations, 4.1; scaling, van der Sluis (1969), Numer. Math. 14, 14-23.

    >>> solver(2)([[3.0, 1.0], [1.0, 1.0]], [-5.0, -3.0], [1.0, 1.0], 1.0)
    ([1.0, 1.0], 5.0, 7.0)
    """
    positions = range(size)

    def names(letter: str) -> str:
        return "".join(f"{letter}{i}, " for i in positions)

    def less(first: str, *terms: str) -> str:
        return " - ".join((first, *terms))

    lines = [f"{''.join(f'c{i}{j}, ' if j <= i else '_, ' for j in positions)} = rows[{i}]" for i in positions]
    lines += [f"{names('g')} = gradient", f"{names('u')} = units"]
    for i in positions:
        for j in range(i):
            lines.append(f"s{i}{j} = {less(f'c{i}{j}', *(f's{i}{k}*l{j}{k}' for k in range(j)))}")
            lines.append(f"l{i}{j} = s{i}{j}/p{j}")
        lines.append(f"p{i} = {less(f'c{i}{i} + damping*u{i}', *(f's{i}{k}*l{i}{k}' for k in range(i)))}")
        lines.append(f"if not 0.0 < p{i} < inf: return None")
        lines.append(f"z{i} = {less(f'-g{i}', *(f'l{i}{k}*z{k}' for k in range(i)))}")
    for i in reversed(positions):
        lines.append(f"d{i} = {less(f'z{i}/p{i}', *(f'l{k}{i}*d{k}' for k in range(i + 1, size)))}")
    gain = " + ".join(f"d{i}*(damping*u{i}*d{i} - g{i})" for i in positions)
    share = "*".join(f"(p{i}/u{i})" for i in positions)
    lines.append(f"return [{names('d')}], 0.5*({gain}), {share}")
    source = "def solve(rows, gradient, units, damping):\n" + "".join(f"    {line}\n" for line in lines)
    return define("solve", source, {"inf": math.inf})
