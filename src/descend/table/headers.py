"""Units that stand beside the names of columns: ``t (s)``, ``V [mV]``, ``c / mM``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

BESIDE = re.compile(
    r"(?P<name>.*\S)\s*(?:\((?P<round>[^()]*(?:\([^()]*\))?[^()]*)\)|\[(?P<square>[^\[\]]*)\])|"
    r"(?P<symbol>.*\S)\s+/\s*(?P<slash>\S.*)|(?P<left>.*\S)/\s+(?P<right>\S.*)"
)
SIGN = re.compile(r"[(\[/]")
"""What stands before a unit."""
NO_UNIT = re.compile(r"\s*\d*\s*|.*[=,;].*", re.DOTALL)
"""What stands in brackets and is no unit: a number, as of the second column of a name, and remarks such as (n=3)."""


def beside(header: str) -> tuple[str, str] | None:
    """Return the name in a header, and what may be its unit; None if there is nothing like it.

    >>> [beside(header) for header in ("t (s)", "V [mV]", "c / mM", "y", "dose (n=3)", "x (2)")]
    [('t', 's'), ('V', 'mV'), ('c', 'mM'), None, None, None]
    """
    header_match = BESIDE.fullmatch(header.strip())
    if header_match is None:
        return None
    name, text = (each for each in header_match.groups() if each is not None)
    return None if NO_UNIT.fullmatch(text) else (name.strip(), text.strip())


def plain_names(columns: Iterable[str]) -> Mapping[str, str]:
    """Return the columns that can do without the unit in their name, by what is left: ``t`` for ``t (s)``.

    Only where no other column is called so, with a unit or without.

    >>> plain_names(["t (s)", "V [mV]", "x", "x (m)", "y (m)", "y (s)"])
    {'t': 't (s)', 'V': 'V [mV]'}
    """
    names = tuple(columns)
    if SIGN.search("\n".join(names)) is None:
        return {}
    header_units = [(header_parts[0], name) for name in names if (header_parts := beside(name)) is not None]
    column_names = [*names, *(plain for plain, _ in header_units)]
    return {plain: name for plain, name in header_units if column_names.count(plain) == 1}


def alike(columns: Iterable[str]) -> Mapping[str, list[str]]:
    """Return the columns that only their unit tells apart, by what is left of their names where no column is called so.

    >>> alike(["t (s)", "t (min)", "V [mV]", "x", "x (m)", "x (s)"])
    {'t': ['t (s)', 't (min)']}
    """
    names, columns_alike = tuple(columns), dict[str, list[str]]()
    for name in names:
        if SIGN.search(name) and (header_parts := beside(name)) is not None:
            columns_alike.setdefault(header_parts[0], []).append(name)
    return {plain: those for plain, those in columns_alike.items() if len(those) > 1 and plain not in names}


def in_full(name: str, columns: Iterable[str]) -> str:
    """Return the column that a name stands for: ``t (s)`` for ``t``; the name as it is if it stands for none.

    >>> in_full("t", ["t (s)", "V"]), in_full("V", ["t (s)", "V"])
    ('t (s)', 'V')
    """
    return plain_names(columns).get(name, name)


def bare(text: str) -> str:
    """Return what a cell of a line of units says, without brackets around it: ``(s)``, ``[mV]``."""
    text = text.strip()
    return text[1:-1].strip() if text[:1] + text[-1:] in ("()", "[]") else text
