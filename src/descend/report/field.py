"""One item to show of a fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Field:
    """One item to show.

    kind: ``formula``, ``parameter`` (value: the number, its standard error or None, what holds it, such as ``fixed``,
        or "", and the ends of its interval if asked for), ``number``, ``text``, ``success``, ``partial`` or
        ``failure`` (how the run ended), ``advice``, or ``note``. many: whether it is of a parameter with many groups.
    unit: of a parameter or quantity; empty if it is not known.
    """

    label: str
    value: Any
    kind: str
    many: bool = False
    unit: str = ""


def numbers_by_name(values: Mapping[str, float] | None) -> Iterator[Field]:
    """Yield a field for each number; none where there are no numbers."""
    for name, value in (values or {}).items():
        yield Field(name.replace("_", " "), value, "number")
