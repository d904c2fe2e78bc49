"""The groups of many fits in HTML: how they ended and why, and a table with a line for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING

from descend.many.reasons_of_failure import NAMED, Reason, reasons, shortened, words
from descend.many.result_columns import Column, Kind, shown
from descend.many.text import counted
from descend.report import html
from descend.report.cells import RIGHT, heads, prose
from descend.report.group_section import cell
from descend.table.levels import said

if TYPE_CHECKING:
    from descend.many.fitted import FittedGroups

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
    def columns(self) -> list[Column]:
        """What is shown of each group."""
        columns = shown(self.fits)
        if self.most is None:
            return columns
        beyond = [column for column in columns if column.kind is Kind.ESTIMATE][self.most :]
        return [column for column in columns if column not in beyond and column.kind is not Kind.SENTENCE]

    @property
    def flush(self) -> list[int]:
        """The places of the columns of numbers, which are set flush right."""
        return [place for place, column in enumerate(self.columns) if column.numeric]

    def line(self, group: int) -> str:
        """Return the line of a group."""
        return f"<tr>{''.join(self._cell(column, group) for column in self.columns)}</tr>"

    def _cell(self, column: Column, group: int) -> str:
        value, cause = column.values[group], self.fits.cause(group)
        if column.kind is Kind.KEY:
            name = escape(str(value))
            linked = _linked(self.link(group), name) if column is self.columns[0] else name
            return f'<th scope="row"{RIGHT if isinstance(value, int | float) else ""}>{linked}</th>'
        if column.kind is Kind.ESTIMATE:
            return cell(column.numbers[group], column.errors[group])
        if column.kind is Kind.MEASURE:
            return cell(column.numbers[group], None, 4)
        if column.kind is Kind.COUNT:
            return f'<td{RIGHT} data-v="{value}">{value:,}</td>'
        if column.kind is Kind.WORD:
            bad = ' class="bad"' if cause else ""
            return f"<td{bad}>{escape(self.outcome(str(value)))}</td>"
        return f'<td class="why">{prose(shortened(cause) if self.brief else " ".join(cause.split()))}</td>'

    def table(self, groups: Sequence[int], kind: str = "scroll tall", head: str = "", name: str = "Groups") -> str:
        """Return the table of these groups. head: its heads, if not the titles alone; name: for those who hear it."""
        lines = "".join(map(self.line, groups))
        key = ' id="groups"' if self.most is None else ""
        head = head or heads([column.head for column in self.columns], self.flush)
        body = f"<table{key}><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"
        return f'<section class="{kind}" tabindex="0" aria-label="{escape(name)}">{body}</section>'
