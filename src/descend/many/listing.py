"""The groups of many fits in HTML: how they ended and why, and a table with a line for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from descend.many.reasons_of_failure import NAMED, Reason, reasons, shortened, words
from descend.many.text import counted
from descend.report import html
from descend.report.cells import RIGHT, heads, prose
from descend.report.group_section import cell
from descend.report.units import label_with_unit
from descend.table.levels import said

if TYPE_CHECKING:
    from descend.many.fitted import Array, FittedGroups

Link = Callable[[int], str]
"""Where a click on a group leads; an empty text for nowhere."""


def nowhere(group: int) -> str:
    """Lead nowhere."""
    return ""


def verdict(fits: FittedGroups, link: Link = nowhere) -> str:
    """Say how groups ended, and why some failed, with links to examples."""
    kind = "success" if fits.succeeded else "partial" if len(fits.failed) < len(fits) else "failure"
    sign = f'<span aria-hidden="true">{html.ICONS[kind]}</span>'
    lines = reasons_of(fits, link)
    lacking = f"<p>{fits.ungrouped:,} rows have no value of {' or '.join(fits.by)}, and are in no group.</p>"
    return (
        f'<div class="verdict {kind}"><p class="ended">{sign} {escape(counted(fits))}</p>'
        + (lacking if fits.ungrouped else "")
        + "".join(f"<p>{prose(note[:1].upper() + note[1:])}</p>" for note in fits.notes)
        + (f'<ul class="outcomes">{lines}</ul>' if lines else "")
        + "</div>"
    )


def reasons_of(fits: FittedGroups, link: Link = nowhere) -> str:
    """Say why groups failed, an item of a list for each reason, with links to examples; empty if none did."""
    return "".join(f"<li>{_reason(fits, reason, link)}</li>" for reason in reasons(fits))


def _reason(fits: FittedGroups, reason: Reason, link: Link) -> str:
    names = ", ".join(_linked(link(group), escape(said(fits.keys[group]))) for group in reason.groups[:NAMED])
    others_text = " and others" if len(reason.groups) > NAMED else ""
    head = f"<strong>{len(reason.groups):,} {escape(words(reason.outcome))}</strong>"
    return f"{head} ({names}{others_text}): {prose(' '.join(reason.sentence.split()))}"


def _linked(target: str, name: str) -> str:
    return f'<a href="{escape(target)}">{name}</a>' if target else name


@dataclass(frozen=True, eq=False)
class Listing:
    """The table of groups: parameters with their errors, R2, rows, how each ended, and why one failed.

    link: where a click on a group leads. most: columns of parameters, at most; all of them, and the reasons of those
    that failed, if not given. outcome: what an ending is called. brief: whether a reason is its first sentence alone.
    """

    fits: FittedGroups
    link: Link = nowhere
    most: int | None = None
    outcome: Callable[[str], str] = words
    brief: bool = False

    @cached_property
    def estimates(self) -> Mapping[str, tuple[Array, Array]]:
        """The values in all groups and their errors, by label."""
        return dict(list(self.fits.estimates().items())[: self.most])

    @cached_property
    def squared(self) -> bool:
        """Whether there is R2 of any group."""
        return bool(np.isfinite(self.fits.r_squared).any())

    @cached_property
    def why(self) -> bool:
        """Whether a column says why groups failed."""
        return self.most is None and not self.fits.succeeded

    @property
    def titles(self) -> list[str]:
        """The heads of the columns."""
        labels = [label_with_unit(self.fits, self.fits.model.parameters, label) for label in self.estimates]
        return [*self.fits.by, *labels, *["R²"] * self.squared, "rows", "outcome", *["why"] * self.why]

    @property
    def flush(self) -> list[int]:
        """The columns of numbers, which are set flush right."""
        first = len(self.fits.by)
        keys = [group for group, value in enumerate(self.fits.keys[0]) if isinstance(value, int | float)]
        return [*keys, *range(first, first + len(self.estimates) + self.squared + 1)]

    def order(self, column: int, down: bool) -> list[int]:
        """Return the places of all groups, sorted by a column; what has no number comes last, either way."""
        fits, first = self.fits, len(self.fits.by)
        if column < first:
            groups_in_order = sorted(range(len(fits)), key=lambda place: fits.keys[place][column])
            return groups_in_order[::-1] if down else groups_in_order
        numbers = [*(values for values, _ in self.estimates.values()), *[fits.r_squared] * self.squared, fits.rows]
        if column < first + len(numbers):
            values = np.asarray(numbers[column - first], dtype=np.float64)
            finite = np.isfinite(values)
            groups: list[int] = np.lexsort((np.where(finite, -values if down else values, 0.0), ~finite)).tolist()
            return groups
        texts = (
            list(fits.outcome) if column == first + len(numbers) else [fits.cause(group) for group in range(len(fits))]
        )
        return sorted(range(len(fits)), key=texts.__getitem__, reverse=down)

    def line(self, group: int) -> str:
        """Return the line of a group."""
        fits, key = self.fits, self.fits.keys[group]
        names = [escape(str(value)) for value in key]
        names[0] = _linked(self.link(group), names[0])
        cells = [
            f'<th scope="row"{RIGHT if isinstance(value, int | float) else ""}>{name}</th>'
            for value, name in zip(key, names, strict=True)
        ]
        cells += [cell(values[group], errors[group]) for values, errors in self.estimates.values()]
        if self.squared:
            cells.append(cell(fits.r_squared[group], None, 4))
        cause = fits.cause(group)
        cells.append(f'<td{RIGHT} data-v="{fits.rows[group]}">{fits.rows[group]:,}</td>')
        bad = ' class="bad"' if cause else ""
        cells.append(f"<td{bad}>{escape(self.outcome(fits.outcome[group]))}</td>")
        if self.why:
            reason = shortened(cause) if self.brief else " ".join(cause.split())
            cells.append(f'<td class="why">{prose(reason)}</td>')
        return f"<tr>{''.join(cells)}</tr>"

    def table(self, groups: Sequence[int], kind: str = "scroll tall", head: str = "", name: str = "Groups") -> str:
        """Return the table of these groups. head: its heads, if not the titles alone; name: for those who hear it."""
        lines = "".join(map(self.line, groups))
        key = ' id="groups"' if self.most is None else ""
        head = head or heads(self.titles, self.flush)
        body = f"<table{key}><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"
        return f'<section class="{kind}" tabindex="0" aria-label="{escape(name)}">{body}</section>'
