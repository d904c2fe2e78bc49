"""Elimination written out for a few unknowns: sooner done in plain numbers than NumPy has checked what it was given."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

from descend.formula.compile import define

FEW = 8
"""Unknowns up to which it pays."""
Solution = tuple[list[float], float, float]
Solver = Callable[[Sequence[Sequence[float]], Sequence[float], Sequence[float], float], Solution | None]


@lru_cache(maxsize=FEW)
def solver(size: int) -> Solver:
    """Return a function that solves (C + lambda U) d = -g for so many unknowns, C symmetric and U diagonal.

    It takes C as rows, g, the diagonal of U, which is above 0, and lambda. It returns

        d,   (lambda d'Ud - g'd) / 2,   det(C + lambda U) / det U

    or None unless C + lambda U is positive definite, and finite. With C + lambda U = L P L', P diagonal and L with a
    unit diagonal, S = L P:

        S_ij = C_ij - sum_k<j S_ik L_jk,   P_i = C_ii + lambda U_i - sum_k<i S_ik L_ik,   L_ij = S_ij / P_j

    Scaling C's rows and columns alike scales each part of it, so that nothing need be scaled before.

    Source: Golub & Van Loan (2013), Matrix Computations, 4.1; scaling, van der Sluis (1969), Numer. Math. 14, 14-23.

    >>> solver(2)([[3.0, 1.0], [1.0, 1.0]], [-5.0, -3.0], [1.0, 1.0], 1.0)
    ([1.0, 1.0], 5.0, 7.0)
    """
    places = range(size)

    def names(letter: str) -> str:
        return "".join(f"{letter}{i}, " for i in places)

    def less(first: str, *terms: str) -> str:
        return " - ".join((first, *terms))

    lines = [f"{''.join(f'c{i}{j}, ' if j <= i else '_, ' for j in places)} = rows[{i}]" for i in places]
    lines += [f"{names('g')} = gradient", f"{names('u')} = units"]
    for i in places:
        for j in range(i):
            lines.append(f"s{i}{j} = {less(f'c{i}{j}', *(f's{i}{k}*l{j}{k}' for k in range(j)))}")
            lines.append(f"l{i}{j} = s{i}{j}/p{j}")
        lines.append(f"p{i} = {less(f'c{i}{i} + damping*u{i}', *(f's{i}{k}*l{i}{k}' for k in range(i)))}")
        lines.append(f"if not 0.0 < p{i} < inf: return None")
        lines.append(f"z{i} = {less(f'-g{i}', *(f'l{i}{k}*z{k}' for k in range(i)))}")
    for i in reversed(places):
        lines.append(f"d{i} = {less(f'z{i}/p{i}', *(f'l{k}{i}*d{k}' for k in range(i + 1, size)))}")
    gain = " + ".join(f"d{i}*(damping*u{i}*d{i} - g{i})" for i in places)
    share = "*".join(f"(p{i}/u{i})" for i in places)
    lines.append(f"return [{names('d')}], 0.5*({gain}), {share}")
    source = "def solve(rows, gradient, units, damping):\n" + "".join(f"    {line}\n" for line in lines)
    return define("solve", source, {"inf": math.inf})
