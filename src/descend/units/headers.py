"""Units that stand beside the names of columns: ``t (s)``, ``V [mV]``, ``c / mM``."""

from __future__ import annotations

import re

BESIDE = re.compile(
    r"(?P<name>.*\S)\s*(?:\((?P<round>[^()]*(?:\([^()]*\))?[^()]*)\)|\[(?P<square>[^\[\]]*)\])|"
    r"(?P<symbol>.*\S)\s+/\s*(?P<slash>\S.*)|(?P<left>.*\S)/\s+(?P<right>\S.*)"
)
NO_UNIT = re.compile(r"\s*\d*\s*|.*[=,;].*", re.DOTALL)
"""What stands in brackets and is no unit: a number, as of the second column of a name, and remarks such as (n=3)."""


def beside(header: str) -> tuple[str, str] | None:
    """Return the name in a header, and what may be its unit; None if there is nothing like it.

    >>> [beside(header) for header in ("t (s)", "V [mV]", "c / mM", "y", "dose (n=3)", "x (2)")]
    [('t', 's'), ('V', 'mV'), ('c', 'mM'), None, None, None]
    """
    found = BESIDE.fullmatch(header.strip())
    if found is None:
        return None
    name, text = (each for each in found.groups() if each is not None)
    return None if NO_UNIT.fullmatch(text) else (name.strip(), text.strip())


def bare(text: str) -> str:
    """Return what a cell of a line of units says, without brackets around it: ``(s)``, ``[mV]``."""
    text = text.strip()
    return text[1:-1].strip() if text[:1] + text[-1:] in ("()", "[]") else text
