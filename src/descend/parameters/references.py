"""The levels that a user chose as references: of a parameter with a value for each level, or of a column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from descend.errors import ConfigError
from descend.table.table import label

EXAMPLE = 'Write it as "u=red", or in Python as {"u": "red"}'


def read_references(references_given: Mapping[str, object] | Sequence[str] | str | None) -> dict[str, str]:
    """Return the chosen level of each name as text, from ``["u=red"]`` or ``{"u": "red"}``.

    Raises ConfigError for a text without a sign of equality, and for a name that is given twice.

    >>> read_references(["u=red", "`wool type`=A"]), read_references({"dose": 0.5, "w": ("A", 3)})
    ({'u': 'red', 'wool type': 'A'}, {'dose': '0.5', 'w': 'A, 3'})
    """
    if isinstance(references_given, Mapping):
        return {name: _text(level) for name, level in references_given.items()}
    references: dict[str, str] = {}
    for text in [references_given] if isinstance(references_given, str) else references_given or ():
        before, sign, level = text.partition("=")
        name = before.strip().strip("`")
        if not sign or not name or not level.strip():
            raise ConfigError(f"The reference `{text}` has no name and level. {EXAMPLE}.")
        if name in references:
            raise ConfigError(f"`{name}` has two references, `{references[name]}` and `{level.strip()}`. Give one.")
        references[name] = level.strip()
    return references


def _text(level: object) -> str:
    return ", ".join(map(label, level)) if isinstance(level, tuple | list) else label(level)
