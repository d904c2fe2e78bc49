"""Numbers with a unit, such as ``5/min`` or ``8.314 J/mol/K``, and their conversion."""

from __future__ import annotations

import re

from descend.errors import ConfigError
from descend.units.library import Converted, nearest, offset_of, ratio, unit_of
from descend.units.unit import Unit

MEASURED = re.compile(
    r"\s*([-+−]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\*|/)?\s*((?:(?<=\s)1/)?[^\W\d_°%][^,]*|[°%].*)"
)
"""A number with a unit behind it, or ``/`` and what it is divided by."""
HOW = "Units are written as in mV, 1/s, mM/min or J/(mol*K)."


def is_measured(text: object) -> bool:
    """Whether a text may be a number with a unit. Pint is not asked.

    >>> [is_measured(text) for text in ("5/min", "5 1/min", "300 mV", "2", "2/3", "b")]
    [True, True, True, False, False, False]
    """
    return isinstance(text, str) and MEASURED.fullmatch(text) is not None


def as_text(value: object) -> object:
    """Return a quantity of Pint as text, its number and its unit; anything else as it is."""
    if hasattr(value, "magnitude") and hasattr(value, "units"):
        return f"{float(value.magnitude)!r} {unit_text(value.units)}"
    return value


def unit_text(unit: object) -> str:
    """Return a unit of Pint as text; a text as it is."""
    return unit if isinstance(unit, str) else f"{unit:~C}" if type(unit).__module__.startswith("pint") else str(unit)


def measured(text: str) -> tuple[float, Unit] | None:
    """Return a number and its unit; None for a text that is no such thing, or whose unit is not known.

    >>> value, unit = measured("8.314 J/mol/K")
    >>> value, str(unit)
    (8.314, 'J/(mol·K)')
    """
    number_with_unit = MEASURED.fullmatch(text)
    if number_with_unit is None:
        return None
    number, sign, name = number_with_unit.groups()
    unit = unit_of(f"1/{name.strip()}" if sign == "/" else name.strip())
    return None if unit is None else (float(number.replace("−", "-")), unit)


def read_unit(text: str, of: str) -> Unit:
    """Return the unit that a text names. of: whose it is, for the message. Raises ConfigError for what is none."""
    unit = unit_of(text)
    if unit is None:
        near = nearest(text)
        meant = f" Did you mean {' or '.join(f'`{name}`' for name in near)}?" if near else ""
        raise ConfigError(f"`{text}`, given for `{of}`, is no unit.{meant} {HOW}")
    return unit


def factor(own_unit: Unit, unit_wanted: Unit) -> float | None:
    """Return how many of the wanted unit one of this unit is; None if they are of other kinds.

    >>> factor(unit_of("1/min"), unit_of("1/s"))
    0.016666666666666666
    """
    return 1.0 if own_unit == unit_wanted else ratio(own_unit / unit_wanted)


def conversion(own_unit: Unit, unit_wanted: Unit) -> Converted | None:
    """Return how values are converted, also those of temperatures; None if the units are of other kinds.

    >>> kelvin = conversion(unit_of("°C"), unit_of("K"))
    >>> round(kelvin(25.0), 6)
    298.15
    """
    scale = factor(own_unit, unit_wanted)
    if scale is None or scale != scale:
        return None
    zeros = [0.0 if unit_offset is None else unit_offset[1] for unit_offset in map(offset_of, (own_unit, unit_wanted))]
    # A zero is told in degrees of its own scale.
    return Converted(scale, zeros[0] * scale - zeros[1])
