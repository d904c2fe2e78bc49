"""What units the arguments of a function have, and its value: ``u -> u^(1/2)`` of sqrt, ``rad -> 1`` of sin."""

from __future__ import annotations

from functools import lru_cache

from sympy import Expr, Integer, Rational

from descend.units.equations import DEGREES, RADIANS
from descend.units.unit import Unit

POWERS: dict[str, Expr] = {
    "u": Integer(1),
    "u^2": Integer(2),
    "1/u": Integer(-1),
    "u^(1/2)": Rational(1, 2),
    "u^(1/3)": Rational(1, 3),
}
"""Results that follow from the unit u of the arguments."""
ANGLES = {"rad": RADIANS, "deg": DEGREES}


@lru_cache(maxsize=256)
def signature(text: str, count: int) -> tuple[tuple[str, ...], Unit, Expr]:
    """Return what each of ``count`` arguments is, and the unit of the result with the power of u beside it.

    An argument is ``1``, a pure number; ``rad`` or ``deg``, an angle; ``u``, of any unit, the same for all of them; or
    ``any``. The last one is that of all further arguments.

    >>> wanted, unit, power = signature("u -> u^(1/2)", 1)
    >>> wanted, str(unit), power
    (('u',), '1', 1/2)
    """
    before, _, after = text.partition(" -> ")
    kinds = before.split(", ")
    argument_units = tuple(kinds[min(argument_number, len(kinds) - 1)] for argument_number in range(count))
    return argument_units, ANGLES.get(after, Unit()), POWERS.get(after, Integer(0))
