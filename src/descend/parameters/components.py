"""Components of vectors and of parameters per group, as texts name them: ``w[x1]``, ``ec50[B]``, ``a[plate A, 3]``."""

from __future__ import annotations

import re

from sympy import Expr

from descend.formula.printers.code import plain_name
from descend.formula.symbols import Component
from descend.formula.tokens import pointed
from descend.parameters.vector import Parameters
from descend.registry import closest

QUOTES = "\"'`"
MOST_LISTED = 8
"""Components that a message lists."""


def with_components(text: str, parameters: Parameters) -> tuple[str, dict[str, Expr]]:
    """Return a text of the same length in which each component is a plain name, and the symbol behind each name.

    So positions in it are those of the user's text. What stands in the brackets may be in quotes.

    Raises FormulaError, pointing at a component that is none of the parameters'.

    >>> with_components("ec50[B]/ec50[A]", Parameters({"ec50": ("A", "B")}))
    ('q0_____/q1_____', {'q0_____': ec50[B], 'q1_____': ec50[A]})
    """
    symbols: dict[str, Expr] = {}
    typed = text
    quoted = [match.span() for match in re.finditer(r"`[^`]*`", text)]
    for name, labels in parameters.shapes.items():
        if labels is None:
            continue
        parts_known = {parts_of(label): label for label in labels}
        for match in re.finditer(rf"(?<![\w`]){re.escape(plain_name(name))}\s*\[([^\]]*)\]", text):
            if any(begin < match.start() < end for begin, end in quoted):
                continue  # in the name of a quantity
            label = parts_known.get(parts_of(match[1]))
            if label is None:
                fault = f"`{name}` has no component `{match[1].strip()}`.{closest(match[1].strip(), labels)}"
                others_text = f" and {len(labels) - MOST_LISTED} more" if len(labels) > MOST_LISTED else ""
                labels_listed = ", ".join(f"`{name}[{each}]`" for each in labels[:MOST_LISTED])
                raise pointed(typed, match.start(), match.end(), fault, f"Components: {labels_listed}{others_text}.")
            plain = _unused(text, len(symbols), len(match[0]))
            text = text[: match.start()] + plain + text[match.end() :]
            symbols[plain] = Component(f"{name}[{label}]")
    return text, symbols


def parts_of(label: str) -> tuple[str, ...]:
    """Return what stands between commas, without spaces and quotes around it."""
    return tuple(label_part.strip().strip(QUOTES) for label_part in label.split(","))


def _unused(text: str, number: int, length: int) -> str:
    """Return a name of a length that the text does not hold."""
    name = f"q{number}".ljust(length, "_")
    while re.search(rf"\b{name}\b", text):
        name = "q" + name[:-1]
    return name
