"""Tables, numbers and sentences of a page."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from descend.parameters import digits_of

RIGHT = ' class="number"'


def table(head: str, lines: Sequence[str], name: str) -> str:
    """Return a table that scrolls sideways where it is wider than the page."""
    return (
        f'<section class="scroll" tabindex="0" aria-label="{name}"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></section>"
    )


def heads(titles: Iterable[str], numbers: Container[int] = ()) -> str:
    """Return the heads of columns; numbers: indices of the columns that are set flush right."""
    return "".join(
        f'<th scope="col"{RIGHT if place in numbers else ""}>{escape(title)}</th>' for place, title in enumerate(titles)
    )


def number(value: float | None, digits: int) -> str:
    """Write a number, or a dash where there is none."""
    return "–" if value is None else minus(f"{value:.{digits}g}")


def minus(text: str) -> str:
    """Escape a number, with a true minus sign."""
    return escape(text).replace("-", "−") if "e" not in text else escape(text)


def prose(text: object) -> str:
    """Escape a sentence; text in backticks becomes code."""
    prose_parts = str(text).split("`")
    if len(prose_parts) % 2 == 0:
        return escape(str(text))
    return "".join(
        f"<code>{escape(prose_part)}</code>" if part_number % 2 else escape(prose_part)
        for part_number, prose_part in enumerate(prose_parts)
    )


def ranged(values: NDArray[np.float64]) -> str:
    """Return the cells of a column of data: its least value, mean and largest value, as exact as its range asks for."""
    ends = float(values.min()), float(values.mean()), float(values.max())
    digits = max(digits_of(number, (ends[2] - ends[0]) / 1000.0) for number in ends)
    return "".join(f'<td class="number">{minus(f"{number:.{digits}g}")}</td>' for number in ends)
