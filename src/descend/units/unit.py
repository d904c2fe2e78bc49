"""A unit as a product of powers, in which what is not known yet may stand too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy
from sympy import Expr, Integer, Rational

from descend.formula.printers.code import as_text

POWERS = {2: "²", 3: "³", 4: "⁴"}
"""Exponents that are written as such; others as ``s^(1/2)``, or ``mM^(1/n)`` of a fitted exponent."""
RADIAN = "radian"


@dataclass(frozen=True, order=True)
class Atom:
    """A unit that the user gave, such as mV or min. name: what Pint calls it; spelling: what the user does."""

    name: str
    spelling: str = field(compare=False)

    def __str__(self) -> str:
        return self.spelling


@dataclass(frozen=True, order=True)
class Unknown:
    """The unit, not known yet, of a parameter, of a component of a vector by its place, or of a column."""

    name: str
    place: int = -1
    is_column: bool = False

    def __str__(self) -> str:
        return self.name if self.place < 0 else f"{self.name}[{self.place + 1}]"


Base = Atom | Unknown
Powers = Mapping[Base, Expr]


def plain(exponent: Expr) -> Expr:
    """Return an exponent so that one that vanishes is 0."""
    return exponent if exponent.is_Rational else sympy.cancel(exponent)


@dataclass(frozen=True)
class Unit:
    """A product of powers of atoms and unknowns; exponents are rational, or hold a fitted exponent: mM^(1/n).

    >>> second, volt = Atom("second", "s"), Atom("millivolt", "mV")
    >>> print(Unit({volt: Integer(1)}) / Unit({second: Integer(2)}), Unit() / Unit({second: Integer(1)}), Unit())
    mV/s² 1/s 1
    """

    powers: Powers = field(default_factory=dict)

    def __mul__(self, other_unit: Unit) -> Unit:
        return self.times(other_unit, Integer(1))

    def __truediv__(self, other_unit: Unit) -> Unit:
        return self.times(other_unit, Integer(-1))

    def __pow__(self, exponent: Expr) -> Unit:
        return Unit().times(self, exponent)

    def times(self, other_unit: Unit, exponent: Expr) -> Unit:
        """Return this unit times a power of another."""
        powers = dict(self.powers)
        for base, power in other_unit.powers.items():
            powers[base] = plain(powers.get(base, Integer(0)) + power * exponent)
        return Unit({base: power for base, power in powers.items() if power != 0})

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """What is not known of it."""
        return tuple(base for base in self.powers if isinstance(base, Unknown))

    @property
    def known(self) -> bool:
        return not self.unknowns

    def without(self, name: str) -> Unit:
        """Return the unit without an atom."""
        return Unit({base: power for base, power in self.powers.items() if base.name != name})

    def __str__(self) -> str:
        """Write it in one line, as ``--unit`` reads it: mV, 1/s, J/(mol·K)."""
        above = [_written(base, power) for base, power in self.powers.items() if not _below(power)]
        below = [_written(base, -power) for base, power in self.powers.items() if _below(power)]
        bottom = "·".join(below) if len(below) < 2 else f"({'·'.join(below)})"
        return ("·".join(above) or "1") + (f"/{bottom}" if below else "")

    @property
    def latex(self) -> str:
        r"""Write it for LaTeX: ``\mathrm{mV}\,\mathrm{s}^{-1}``; empty for a pure number."""
        signs = {"%": r"\%", "°": r"{}^\circ ", "µ": r"\mu ", "μ": r"\mu ", "Ω": r"\Omega ", "Å": r"\text{\AA}"}
        latex_powers = []
        for base, power in self.powers.items():
            name = "".join(signs.get(sign, sign) for sign in str(base))
            exponent = "" if power == 1 else f"^{{{sympy.latex(power)}}}"
            latex_powers.append(rf"\mathrm{{{name}}}{exponent}")
        return r"\,".join(latex_powers)


def _below(power: Expr) -> bool:
    return bool(power.could_extract_minus_sign())


def _written(base: Base, power: Expr) -> str:
    name = f"[{base}]" if isinstance(base, Unknown) else str(base)
    if power == 1:
        return name
    if power in POWERS:
        return f"{name}{POWERS[int(power)]}"
    text = as_text(power)
    return f"{name}^{text}" if text.isidentifier() else f"{name}^({text})"


def fraction(value: float) -> Expr:
    """Return an exponent of a few digits as the fraction it stands for.

    >>> fraction(0.5), fraction(-2.0)
    (1/2, -2)
    """
    return Rational(str(value)).limit_denominator(1000)
