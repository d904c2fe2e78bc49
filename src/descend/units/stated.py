"""What is said of units beside a fit: in headers and metadata, and by the user."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from descend.errors import ConfigError
from descend.formula.formula import Formula
from descend.table.headers import bare, beside
from descend.units.inference import Units, infer
from descend.units.library import is_installed, unit_of
from descend.units.unit import Unit
from descend.units.values import read_unit, unit_text

EXAMPLE = "Write a name and its unit, such as t=s."


@dataclass(frozen=True)
class Stated:
    """Units as texts, by name.

    columns: what stands beside the names of columns, which may be no unit. given: those that the user gave, of columns
    and of parameters; measured: those of values that the user gave for parameters, such as a start ``5/min``.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    measured: Mapping[str, str] = field(default_factory=dict)

    @property
    def strict(self) -> bool:
        """Whether the user gave units, so that what does not fit is an error."""
        return bool(self.given or self.measured)

    def __bool__(self) -> bool:
        return bool(self.columns or self.strict)

    def known(self) -> dict[str, Unit]:
        """Return the units of columns that are known, by name; those of the user count for more."""
        if not self.strict and not is_installed():
            return {}
        units_by_column = {name: unit for name, text in self.columns.items() if (unit := unit_of(text)) is not None}
        return units_by_column | {name: read_unit(text, name) for name, text in self.given.items()}

    def of(self, formula: Formula, ties: Mapping[str, str] | None = None) -> Units:
        """Return the units of a formula."""
        units_stated, names = self.known(), {*formula.given, *formula.columns}
        columns = {name: unit for name, unit in units_stated.items() if name in names}
        declared = {name: read_unit(text, name) for name, text in self.measured.items()}
        declared |= {name: unit for name, unit in units_stated.items() if name in self.given and name not in names}
        return infer(formula, columns, ties, declared)


def stated_units(names: Sequence[str], beside_names: Mapping[str, str], units_given: object) -> Stated:
    """Return what is said of units. names: of the columns; beside_names: what the data say elsewhere, by column.

    units_given: by the user. Raises ConfigError.
    """
    of_headers = {name: header_unit[1] for name in names if (header_unit := beside(name)) is not None}
    beside_them = {name: bare(text) for name, text in beside_names.items()}
    return Stated({**of_headers, **beside_them}, read_given(units_given))


def read_given(units_given: object) -> dict[str, str]:
    """Return units by name, also from texts such as ``t=s``.

    >>> read_given(["t=s", "`flow rate`=mL/min,V=mV"])
    {'t': 's', 'flow rate': 'mL/min', 'V': 'mV'}
    """
    if units_given is None:
        return {}
    if isinstance(units_given, Mapping):
        return {str(name): unit_text(unit) for name, unit in units_given.items()}
    units_by_name: dict[str, str] = {}
    for text in [units_given] if isinstance(units_given, str) else _texts(units_given):
        for part in text.split(","):
            name, sign, unit = (piece.strip() for piece in part.partition("="))
            if not (name and sign):
                raise ConfigError(f"The unit `{part.strip()}` names no column. {EXAMPLE}")
            units_by_name[name.strip("`")] = unit
    return units_by_name


def _texts(units_given: object) -> Iterable[str]:
    assert isinstance(units_given, Iterable)
    return map(str, units_given)
