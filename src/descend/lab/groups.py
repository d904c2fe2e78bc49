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
from descend.lab.data import Rows, first_groups, groups_of
from descend.lab.descents import MOST_PARAMETERS
from descend.lab.limits import LIMITS
from descend.lab.state import State
from descend.lab.texts import OUTCOMES, Words, words
from descend.many import Fits
from descend.many.coloured import coloured
from descend.many.listing import Listing, reasons_of
from descend.many.outcomes import REFUSED
from descend.many.pictures import panel_of
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
    def of(cls, part: object) -> Shown:
        """Read what a page asks for; what cannot be read is as usual."""
        if not isinstance(part, Mapping):
            return cls()
        column, page = part.get("column"), part.get("page")
        return cls(
            column if isinstance(column, int) and column >= 0 else None,
            bool(part.get("down")),
            page if isinstance(page, int) and page >= 0 else 0,
            str(part.get("find") or "")[:LONGEST_SEARCH],
        )


def fits_of(state: State, rows: Rows) -> Fits:
    """Return the fits of all groups. Raises DescendError, also where they would take long."""
    every = rows.full or rows

    def fit() -> Fits:
        if (groups := groups_of(every, state.by)) > TRIED:
            _refuse_slow(state, every, groups)
        found = _fitted(state, every)
        if found.model.parameters.size > MOST_PARAMETERS:
            raise ConfigError(
                f"The formula has {found.model.parameters.size} parameters; the lab shows {MOST_PARAMETERS} at most. "
                "Use the command line."
            )
        return found

    return FITS((rows.key, state.formula, *state.kind.items(), state.by), fit)


def _fitted(state: State, rows: Rows) -> Fits:
    return api.fit(state.formula, rows.table, **state.kind, missing=rows.missing, by=list(state.by))


def _refuse_slow(state: State, rows: Rows, groups: int) -> None:
    """Raise ConfigError where a few groups, fitted first, say that all of them would take too long."""
    for some in (2, TRIED):  # the first compiles the formula
        began = time.perf_counter()
        _fitted(state, first_groups(rows, state.by, some))
        seconds = time.perf_counter() - began
    most = LIMITS.get().groups
    if seconds * groups / TRIED > most:
        raise ConfigError(
            f"One fit for each of {groups:,} groups would take longer than the {most:g} s that the lab allows: some "
            f"{seconds * groups / TRIED:,.0f} s. Use the command line."
        )


def answer(state: State, rows: Rows, part: object) -> dict[str, str]:
    """Return what the page shows of all groups. part: which part of the table. Raises DescendError."""
    fits, say, shown = fits_of(state, rows), words(state.lang), Shown.of(part)

    def link(place: int) -> str:
        return replace(state, group=said(fits.keys[place])).query

    return {
        "verdict": _verdict(fits, link, say),
        "picture": _picture(fits, link, say),
        "table": _table(fits, link, shown, say),
        "link": state.query,
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
    places = fits.worst()[:DRAWN]
    prepared = [panel_of(fits, place, rows, Look()) for place in places if (rows := fits.rows_of(place)) is not None]
    title = say("worst_figure", drawn=len(places), groups=f"{len(fits):,}") if len(places) < len(fits) else ""
    head = f"<h3>{escape(title or say('groups_figure'))}</h3>"
    return head + multiples.html(prepared, list(map(link, places)))


def _table(fits: Fits, link: Callable[[int], str], shown: Shown, say: Words) -> str:
    """Write one page of the table, with heads that sort it, and what leads to the other pages."""
    listing = Listing(fits, link, outcome=lambda outcome: _outcome(outcome, say), brief=True)
    order = fits.worst() if shown.column is None else listing.order(shown.column, shown.down)
    wanted = shown.find.lower().split()
    if wanted:
        order = [place for place in order if _has(fits, place, wanted, say)]
    pages = max(-(-len(order) // PER_PAGE), 1)
    page = min(shown.page, pages - 1)
    first = page * PER_PAGE
    rows = order[first : first + PER_PAGE]
    table = listing.table(rows, "scroll", _heads(listing, shown, say), say("groups_table"))
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


def _heads(listing: Listing, shown: Shown, say: Words) -> str:
    """Write the heads of the columns, each a button that sorts by it."""
    translated = {"rows": say("rows"), "outcome": say("outcome"), "why": say("why")}
    own = len(listing.fits.by) + len(listing.estimates)
    cells = []
    for place, title in enumerate(listing.titles):
        text = translated.get(title, title) if place >= own else title
        sort = f' aria-sort="{"descending" if shown.down else "ascending"}"' if place == shown.column else ""
        kind = ' class="number"' if place in listing.flush else ""
        cells.append(
            f'<th scope="col"{kind}{sort}><button type="button" data-column="{place}">{escape(text)}</button></th>'
        )
    return "".join(cells)


def _has(fits: Fits, place: int, wanted: Sequence[str], say: Words) -> bool:
    outcome = fits.outcome[place]
    text = f"{said(fits.keys[place])} {_outcome(outcome, say)} {outcome} {fits.cause(place)}".lower()
    return all(word in text for word in wanted)


def _outcome(outcome: str, say: Words) -> str:
    """Return what an ending is called in a language."""
    if outcome == REFUSED:
        return say("refused")
    return OUTCOMES[outcome][1] if say.chinese else outcome.replace("_", " ")


def _english(say: Words) -> str:
    return ' lang="en"' if say.chinese else ""
