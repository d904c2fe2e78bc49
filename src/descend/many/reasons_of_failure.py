"""Why groups failed: sentences that differ only in the group and its numbers are one reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from descend.table.levels import said

if TYPE_CHECKING:
    from descend.many.fitted import FittedGroups

NUMBER = re.compile(r"[-+]?\d[\d,.]*(?:e[-+]?\d+)?")
NAMED = 3
"""Groups that are named for a reason, at most."""
FIRST = re.compile(r"(?<=[^\s.][^\s.])[.!?](?=\s+[A-Z`]|\s*$)")
"""The end of a sentence; not the point of a number or of an abbreviation such as `e.g.`."""


@dataclass(frozen=True)
class Reason:
    """One way to fail. groups: the places of those that did. sentence: why the first of them did, in full."""

    outcome: str
    groups: list[int]
    sentence: str

    @property
    def short(self) -> str:
        """The first sentence, without its point."""
        return shortened(self.sentence)


def shortened(text: str) -> str:
    """Return the first sentence of a text, without its point.

    >>> shortened("The group C has one row of data. A fit needs at least two.")
    'The group C has one row of data'
    """
    return FIRST.split(" ".join(text.split()), maxsplit=1)[0].rstrip(".")


def reasons(fits: FittedGroups) -> list[Reason]:
    """Return why groups failed, the most frequent reason first."""
    groups_by_reason: dict[tuple[str, str], list[int]] = {}
    for group in range(len(fits)) if fits.failed else ():
        if cause := fits.cause(group):
            plain = NUMBER.sub("#", cause.replace(said(fits.keys[group]), "#"))
            groups_by_reason.setdefault((fits.outcome[group], plain), []).append(group)
    listed = [Reason(outcome, groups, fits.cause(groups[0])) for (outcome, _), groups in groups_by_reason.items()]
    return sorted(listed, key=lambda reason: -len(reason.groups))


def examples(fits: FittedGroups, reason: Reason) -> str:
    """Name the first groups of a reason: ``7, 19 and 23``; keys of several values in brackets."""
    names = [said(fits.keys[group]) for group in reason.groups[:NAMED]]
    if len(fits.by) > 1:
        names = [f"({name})" for name in names]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def one_line(fits: FittedGroups, most: int = 3) -> str:
    """Say in a line how many groups failed and why; empty if none did."""
    return " ".join(_sentences(fits, most))


def _sentences(fits: FittedGroups, most: int) -> Iterator[str]:
    if fits.succeeded:
        return
    yield f"{len(fits.failed):,} of {len(fits):,} groups failed."
    reasons_found = reasons(fits)
    for reason in reasons_found[:most]:
        such = " such as" if len(reason.groups) > NAMED else ""
        yield f"{len(reason.groups):,} {words(reason.outcome)}:{such} {examples(fits, reason)}: {reason.short}."
    if len(reasons_found) > most:
        remaining = sum(len(reason.groups) for reason in reasons_found[most:])
        yield f"{remaining:,} more for other reasons."


def words(outcome: str) -> str:
    """Return an outcome in words."""
    return outcome.replace("_", " ")
