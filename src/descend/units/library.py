"""Pint: what units mean. The only module that imports it, and only once a unit is met."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Integer

from descend.errors import ConfigError
from descend.units.unit import Atom, Base, Unit, fraction

if TYPE_CHECKING:
    import pint

Numbers = TypeVar("Numbers", float, NDArray[np.float64])
TOLERANCE = 1e-9
"""Relative difference up to which two units count as equally large."""
LONGEST = 60
LABORATORY = (
    "arbitrary_unit = [arbitrary_unit]",
    "cell = count",
    "colony_forming_unit = count = CFU",
    "international_unit = [biological_activity] = IU",
    "optical_density = [] = OD",
    "fluorescence_unit = [fluorescence] = RFU",
    "euro = [euro] = EUR",
    "us_dollar = [us_dollar] = USD",
    "pound_sterling = [pound_sterling] = GBP",
    "swiss_franc = [swiss_franc] = CHF",
    "japanese_yen = [japanese_yen] = JPY",
    "chinese_yuan = [chinese_yuan] = CNY",
)
"""Units of laboratories, and money, that Pint lacks."""
ALIASES = {
    **dict.fromkeys(("a.u.", "a. u.", "arb", "arb.", "arb. u.", "arb.u.", "arb. unit", "arb. units"), "arbitrary_unit"),
    **dict.fromkeys(("-", "1", "—"), ""),  # ISO 80000: a quantity that is a number
    **dict.fromkeys(("℃", "oC", "deg C", "° C"), "°C"),
    **dict.fromkeys(("%RH", "% RH"), "%"),
    "pH": "",
    "cells": "cell",
    "€": "EUR",
    "$": "USD",
}
"""What Pint reads otherwise, or not at all."""
SPELLED = {"degree_Celsius": "°C", "degree_Fahrenheit": "°F", "arbitrary_unit": "a.u.", "percent": "%", "kelvin": "K"}
WORD = re.compile(r"[^\W\d_](?:\w*[^\W\d_])?\d*|[%°]\w*")
POWER = re.compile(r"(?<=[^\W\d_°%])\^?([-−+]?\d+)(?![\w.])")
"""The exponent in ``s-1`` and ``m2``."""


@dataclass(frozen=True)
class Size:
    """How large a unit is: the powers of its dimensions, its size in base units, and its zero.

    zero: 273.15 of °C, whose scale begins elsewhere than that of K; else 0.
    """

    dimensions: Mapping[str, float]
    factor: float
    zero: float = 0.0


@dataclass(frozen=True)
class Converted:
    """What turns a value into another unit: scale * value + shift."""

    scale: float
    shift: float = 0.0

    def __call__(self, value: Numbers) -> Numbers:
        return value * self.scale + self.shift if self.shift else value * self.scale


@lru_cache(maxsize=1)
def registry() -> pint.UnitRegistry[float]:
    """Return Pint's units. Raises ConfigError where Pint is not installed."""
    try:
        import pint
    except ImportError:
        raise ConfigError('Units need Pint, which is not installed. Run: pip install "descend[units]"') from None
    registry_of_units: pint.UnitRegistry[float] = pint.UnitRegistry(autoconvert_offset_to_baseunit=False)
    for definition in LABORATORY:
        registry_of_units.define(definition)
    return registry_of_units


def is_installed() -> bool:
    """Whether Pint is there."""
    from importlib.util import find_spec

    return find_spec("pint") is not None


@lru_cache(maxsize=1024)
def unit_of(text: str) -> Unit | None:
    """Return the unit that a text names; None if it names none.

    >>> print(unit_of("mV"), unit_of("µmol m-2 s-1"), unit_of("kg/m3"), unit_of("°C"), unit_of("raw"))
    mV µmol/(m²·s) kg/m³ °C None
    """
    plain = " ".join(text.split())
    plain = ALIASES.get(plain, plain)
    if len(plain) > LONGEST:
        return None
    for unit_text in dict.fromkeys((plain, _translated(plain))):
        try:
            parsed = registry().parse_units(unit_text)
        except ConfigError:
            raise
        except Exception:  # Pint raises whatever the text leads its parser to
            continue
        spellings = _spellings(unit_text)
        powers: dict[Base, Expr] = {
            Atom(name, SPELLED.get(name) or spellings.get(name) or f"{registry().Unit(name):~P}"): fraction(
                float(cast(float, power))
            )
            for name, power in sorted(parsed._units.items(), key=lambda each: _place(unit_text, spellings, each[0]))
        }
        return Unit(powers)
    return None


def _translated(text: str) -> str:
    """Write ``m s-1``, ``m.s-1`` and ``kg/m3`` as Pint reads them."""
    text = re.sub(r"[·⋅∙×]|(?<=[^\W\d_])\.(?=[^\W\d_])", "*", text.replace("−", "-"))
    text = POWER.sub(r"**\1", text)
    return re.sub(r"(?<=[\w%°)]) (?=[^\W\d_°%(])", "*", text)


def _spellings(text: str) -> dict[str, str]:
    """Return how the text spells the units in it, by Pint's names."""
    spellings: dict[str, str] = {}
    for word in WORD.findall(text):
        names = registry().parse_unit_name(word)
        if names:
            spellings.setdefault("".join(names[0][:2]), word)
    return spellings


def _place(text: str, spellings: Mapping[str, str], name: str) -> int:
    return text.find(spellings.get(name, name))


@lru_cache(maxsize=1024)
def size_of(name: str) -> Size:
    """Return how large a unit is, by Pint's name.

    dB is a number, that of 10 log10 of a ratio; another on a logarithmic scale, such as Np, is like no other.
    """
    unit_registry = registry()
    definition = unit_registry._units.get(name, None)
    if definition is not None and getattr(definition, "is_logarithmic", False):
        return Size({} if name.startswith("decibel") else {name: 1.0}, 1.0)
    offset = definition is not None and not definition.is_multiplicative
    base_size, base = unit_registry.get_base_units(f"delta_{name}" if offset else name)
    factor = float(cast(float, base_size))
    dimensions = {str(each): float(cast(float, power)) for each, power in base.dimensionality.items()}
    zero = float(unit_registry.Quantity(0.0, name).to_base_units().magnitude) / factor if offset else 0.0
    return Size(dimensions, factor, zero)


def ratio(unit: Unit) -> float | None:
    """Return how large a unit is if it is a pure number, such as 0.001 of ms/s; None if it has a dimension."""
    dimensions: dict[str, float] = {}
    above = below = 1.0  # apart, as 120/60 is 2 and 120 times a sixtieth is not
    for base, power in unit.powers.items():
        if not isinstance(base, Atom) or not power.is_number:
            return None
        size = size_of(base.name)
        if power > 0:
            above *= size.factor ** float(power)
        else:
            below *= size.factor ** -float(power)
        for dimension, exponent in size.dimensions.items():
            dimensions[dimension] = dimensions.get(dimension, 0.0) + float(power) * exponent
    if any(abs(exponent) > TOLERANCE for exponent in dimensions.values()):
        return None
    return above / below


def is_one(size: float) -> bool:
    """Whether a unit is the number 1, but for rounding."""
    return abs(math.log(size)) < TOLERANCE


def offset_of(unit: Unit) -> tuple[Atom, float] | None:
    """Return the unit and its zero if it is one whose scale does not begin at nothing, such as °C; else None."""
    if len(unit.powers) != 1:
        return None
    ((base, power),) = unit.powers.items()
    zero = size_of(base.name).zero if isinstance(base, Atom) and power == Integer(1) else 0.0
    return (base, zero) if zero and isinstance(base, Atom) else None


def nearest(text: str, most: int = 3) -> list[str]:
    """Return units whose names are near to a text.

    >>> nearest("secnds")[0]
    'seconds'
    """
    names = {name.casefold(): name for name in registry()._units if name.isidentifier() and len(name) > 1}
    names |= {f"{name}s": f"{names[name]}s" for name in tuple(names) if len(name) > 3}
    near_names = difflib.get_close_matches(text.casefold(), names, most, 0.7)
    return [names[name] for name in near_names]
