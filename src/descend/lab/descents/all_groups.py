"""All groups at once: one fit each by the batch engine, a picture of them, and a table of which a page is shown.

What is sent is HTML, written by the same functions as the report: names and numbers, escaped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape

from descend import api
from descend.errors import ConfigError
from descend.lab.cache import Cache
from descend.lab.data.rows import Rows, first_groups, groups_of
from descend.lab.descents.runs import MOST_PARAMETERS
from descend.lab.serving.limits import LIMITS
from descend.lab.state import State
from descend.lab.words.texts import OUTCOMES, Words, words
from descend.many import Fits
from descend.many.listing import Listing, reasons_of
from descend.many.outcomes import REFUSED
from descend.many.pictures import coloured, panel_of
from descend.many.result_columns import Kind
from descend.report import multiples
from descend.report.document import figure
from descend.report.html import ICONS
from descend.report.picture_look import Look
from descend.table.levels import said

FITS: Cache[Fits] = Cache(8)
PER_PAGE = 25
"""Groups on a page of the table."""
DRAWN = 12
"""Groups that are drawn small, at most: those that fit worst."""
TRIED = 500
"""Groups that are fitted first, where there are more: they tell how long all of them will take."""
LONGEST_SEARCH = 80


@dataclass(frozen=True)
class Shown:
    """Which part of the table is shown. column: by which it is sorted, None for the worst first. page: from 0 on."""

    column: int | None = None
    down: bool = False
    page: int = 0
    find: str = ""

    @classmethod
    def of(cls, shown_option: object) -> Shown:
        """Read what a page asks for; what cannot be read is as usual."""
        if not isinstance(shown_option, Mapping):
            return cls()
        column, page = shown_option.get("column"), shown_option.get("page")
        return cls(
            column if isinstance(column, int) and column >= 0 else None,
            bool(shown_option.get("down")),
            page if isinstance(page, int) and page >= 0 else 0,
            str(shown_option.get("find") or "")[:LONGEST_SEARCH],
        )


def fits_of(page_state: State, rows: Rows) -> Fits:
    """Return the fits of all groups. Raises DescendError, also where they would take long."""
    every = rows.full or rows

    def fit() -> Fits:
        if (groups := groups_of(every, page_state.by)) > TRIED:
            _refuse_slow(page_state, every, groups)
        fits = _fitted(page_state, every)
        if fits.model.parameters.size > MOST_PARAMETERS:
            raise ConfigError(
                f"The formula has {fits.model.parameters.size} parameters; the lab shows {MOST_PARAMETERS} at most. "
                "Use the command line."
            )
        return fits

    return FITS((rows.key, *page_state.model, page_state.by), fit)


def _fitted(page_state: State, rows: Rows) -> Fits:
    return api.fit(page_state.formula, rows.table, **page_state.kind, missing=rows.missing, by=list(page_state.by))


def _refuse_slow(page_state: State, rows: Rows, groups: int) -> None:
    """Raise ConfigError where a few groups, fitted first, say that all of them would take too long."""
    for some in (2, TRIED):  # the first compiles the formula
        began = time.perf_counter()
        _fitted(page_state, first_groups(rows, page_state.by, some))
        seconds = time.perf_counter() - began
    most = LIMITS.get().groups
    if seconds * groups / TRIED > most:
        raise ConfigError(
            f"One fit for each of {groups:,} groups would take longer than the {most:g} s that the lab allows: some "
            f"{seconds * groups / TRIED:,.0f} s. Use the command line."
        )


def answer(page_state: State, rows: Rows, shown_option: object) -> dict[str, str]:
    """Return what the page shows of all groups. part: which part of the table. Raises DescendError."""
    fits, say, groups_shown = fits_of(page_state, rows), words(page_state.lang), Shown.of(shown_option)

    def link(place: int) -> str:
        return replace(page_state, group=said(fits.keys[place])).query

    return {
        "verdict": _verdict(fits, link, say),
        "picture": _picture(fits, link, say),
        "table": _table(fits, link, groups_shown, say),
        "link": page_state.query,
    }


def _verdict(fits: Fits, link: Callable[[int], str], say: Words) -> str:
    """Say how many groups ended how, and why some failed."""
    kind = "success" if fits.succeeded else "partial" if len(fits.failed) < len(fits) else "failure"
    counts = say("comma").join(f"{_outcome(outcome, say)} {count:,}" for outcome, count in fits.counts.items())
    ended = say("groups_ended", groups=f"{len(fits):,}", counts=counts, seconds=f"{fits.seconds:.2g}")
    without = f"<p>{say('ungrouped', rows=f'{fits.ungrouped:,}')}</p>" if fits.ungrouped else ""
    why = reasons_of(fits, link)
    lines = f'<ul class="outcomes"{_english(say)}>{why}</ul>' if why else ""
    sign = f'<span aria-hidden="true">{ICONS[kind]}</span>'
    return f'<div class="verdict {kind}"><p class="ended">{sign} {escape(ended)}</p>{without}{lines}</div>'


def _picture(fits: Fits, link: Callable[[int], str], say: Words) -> str:
    """Draw all groups in their colours, or the worst of them small."""
    together = coloured(fits)
    if together is not None:
        title = say("groups_figure")
        alt = f"{title}：{together.y.name} ~ {together.x.name}" if say.chinese else together.alt
        return figure(replace(together, title=title, alt=alt))
    groups = fits.worst()[:DRAWN]
    prepared = [panel_of(fits, group, rows, Look()) for group in groups if (rows := fits.rows_of(group)) is not None]
    title = say("worst_figure", drawn=len(groups), groups=f"{len(fits):,}") if len(groups) < len(fits) else ""
    head = f"<h3>{escape(title or say('groups_figure'))}</h3>"
    return head + multiples.html(prepared, list(map(link, groups)))


def _table(fits: Fits, link: Callable[[int], str], groups_shown: Shown, say: Words) -> str:
    """Write one page of the table, with heads that sort it, and what leads to the other pages."""
    listing = Listing(fits, link, outcome=lambda outcome: _outcome(outcome, say), brief=True)
    sorting = [column for place, column in enumerate(listing.columns) if place == groups_shown.column]
    order = sorting[0].order(groups_shown.down) if sorting else fits.worst()
    words_sought = groups_shown.find.lower().split()
    if words_sought:
        order = [group_number for group_number in order if _has(fits, group_number, words_sought, say)]
    pages = max(-(-len(order) // PER_PAGE), 1)
    page = min(groups_shown.page, pages - 1)
    first = page * PER_PAGE
    rows = order[first : first + PER_PAGE]
    table = listing.table(rows, "scroll", _heads(listing, groups_shown, say), say("groups_table"))
    extent = say(
        "groups_shown", first=f"{first + bool(rows):,}", last=f"{first + len(rows):,}", total=f"{len(order):,}"
    )
    return table + _pager(page, pages, extent, say)


def _pager(page: int, pages: int, extent: str, say: Words) -> str:
    """Write what leads to the other pages of the table, if there are any."""

    def way(target: int, text: str) -> str:
        off = "" if 0 <= target < pages else " disabled"
        return f'<button type="button" data-page="{target}"{off}>{text}</button>'

    ways = way(page - 1, f"← {say('before')}") + way(page + 1, f"{say('after')} →") if pages > 1 else ""
    return f'<p class="row pages"><span>{escape(extent)}</span>{ways}</p>'


def _heads(listing: Listing, groups: Shown, say: Words) -> str:
    """Write the heads of the columns, each a button that sorts by it."""
    translated = {"rows": say("rows"), "outcome": say("outcome"), "why": say("why")}
    cells = []
    for place, column in enumerate(listing.columns):
        text = translated.get(column.head, column.head) if column.kind > Kind.ESTIMATE else column.head
        sort = f' aria-sort="{"descending" if groups.down else "ascending"}"' if place == groups.column else ""
        kind = ' class="number"' if column.numeric else ""
        cells.append(
            f'<th scope="col"{kind}{sort}><button type="button" data-column="{place}">{escape(text)}</button></th>'
        )
    return "".join(cells)


def _has(fits: Fits, group_number: int, words_sought: Sequence[str], say: Words) -> bool:
    outcome = fits.outcome[group_number]
    text = f"{said(fits.keys[group_number])} {_outcome(outcome, say)} {outcome} {fits.cause(group_number)}".lower()
    return all(word in text for word in words_sought)


def _outcome(outcome: str, say: Words) -> str:
    """Return what an ending is called in a language."""
    if outcome == REFUSED:
        return say("refused")
    return OUTCOMES[outcome][1] if say.chinese else outcome.replace("_", " ")


def _english(say: Words) -> str:
    return ' lang="en"' if say.chinese else ""
