"""What is known of units, as equations: products of powers that are pure numbers."""

from __future__ import annotations

from collections.abc import Iterable

from descend.units.unit import Unit, Unknown


class System:
    """Linear equations for the exponents, solved as they come: each unknown that is known by others stands in none.

    >>> from sympy import Integer
    >>> from descend.units.unit import Atom
    >>> b, second = Unknown("b"), Atom("second", "s")
    >>> system = System()
    >>> system.add(Unit({b: Integer(1), second: Integer(1)}))  # b s is a pure number
    >>> print(system.resolved(Unit({b: Integer(1)})))
    1/s
    """

    def __init__(self) -> None:
        self.solved: dict[Unknown, Unit] = {}

    def resolved(self, unit: Unit) -> Unit:
        """Return a unit with what is known put into it."""
        for base in unit.unknowns:
            if base in self.solved:
                power = unit.powers[base]
                unit = Unit({each: exponent for each, exponent in unit.powers.items() if each != base})
                unit = unit.times(self.solved[base], power)
        return unit

    def add(self, number: Unit) -> Unit | None:
        """Take note that this product is a pure number; return what then has to be one, if no unknown is left in it."""
        number = self.resolved(number)
        unknown = self._chosen(number.unknowns)
        if unknown is None:
            return number if number.powers else None
        power = number.powers[unknown]
        other_powers = Unit({base: exponent for base, exponent in number.powers.items() if base != unknown})
        value = Unit().times(other_powers, -1 / power)
        for other_unknown, unit in self.solved.items():
            if unknown in unit.powers:
                known_powers = Unit({base: exponent for base, exponent in unit.powers.items() if base != unknown})
                self.solved[other_unknown] = known_powers.times(value, unit.powers[unknown])
        self.solved[unknown] = value
        return None

    def _chosen(self, unknowns: Iterable[Unknown]) -> Unknown | None:
        """Return the unknown to solve for: a parameter before a column, the one that comes last before others."""
        unknowns_listed = list(unknowns)
        return next((each for each in unknowns_listed if not each.is_column), next(iter(unknowns_listed), None))
