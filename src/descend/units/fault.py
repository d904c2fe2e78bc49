"""What cannot be right about the units of a formula: where it stands, and what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from descend.errors import FormulaError
from descend.formula.printers.code import plain_name
from descend.formula.tokens import pointed
from descend.units.unit import Unit

SEVERAL = 4
"""Columns that a message names with their units, at most."""
CONSTANT = "A number has no unit: a constant that has one is a parameter, fixed with it, such as R=8.314 J/mol/K."


@dataclass(frozen=True)
class Fault:
    """A part of a formula whose units do not fit.

    text, start, end: the formula, and where the part stands in it. sentence: what is wrong, ``adds mV and s``, to be
    read after `This`. hint: what to do. columns: those that stand in the part, whose units are in question.
    """

    text: str
    start: int
    end: int
    sentence: str
    hint: str
    columns: tuple[str, ...]

    def error(self, units: Mapping[str, Unit]) -> FormulaError:
        """Return the error that points at the part."""
        columns = [(plain_name(name), units[name]) for name in self.columns if name in units][:SEVERAL]
        units_text = ", ".join(
            f"{name} {'in' if unit_number else 'is in'} {unit}" for unit_number, (name, unit) in enumerate(columns)
        )
        units_text = f"{units_text}. " if columns else ""
        return pointed(self.text, self.start, self.end, f"This {self.sentence}.", f"{units_text}{self.hint}")

    @property
    def note(self) -> str:
        """The fault as a sentence of its own."""
        return f"by the units in the data, `{self.text[self.start : self.end]}` {self.sentence}"


def words(unit: Unit) -> str:
    """Name a unit in a sentence: ``mV``, or ``a pure number``."""
    return str(unit) if unit.powers else "a pure number"


def in_words(unit: Unit) -> str:
    """Say what something is in: ``in mV``, or ``a pure number``."""
    return f"in {unit}" if unit.powers else words(unit)
