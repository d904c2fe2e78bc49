"""Many fits as one HTML page that needs nothing else: how groups ended and why, a table to sort, small pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from descend.errors import DescendError
from descend.many import compact_pictures
from descend.many.listing import Link, Listing, verdict
from descend.many.outcomes import REFUSED
from descend.many.parameter_spread import spread
from descend.many.pictures import caption_of, coloured, panel_of
from descend.many.reasons_of_failure import words
from descend.output import write_atomically
from descend.report import html, implicit, multiples
from descend.report.cells import prose
from descend.report.document import bar, document, figure, parts
from descend.report.fields import fields
from descend.report.figures import Panel
from descend.report.group_section import FIND, section_of
from descend.report.picture_look import Look
from descend.report.reproduce import as_command, as_python
from descend.report.view_of_fit import view

if TYPE_CHECKING:
    from descend.many.fitted import FittedGroups

LISTED = 2_000
"""Groups in the table of a page, at most: the worst of them."""
DRAWN, DETAILED = 36, 60
"""Groups with a small picture, and with a section of their own, at most: the worst."""
SHORT, SHORT_DRAWN = 10, 6
"""Groups in the table of a notebook, and with a picture there."""
LABELLED = 12
"""Parameters in the table of a notebook."""


def write_report(fits: FittedGroups, path: str | os.PathLike[str], command: str | None = None) -> None:
    """Write the page of many fits (see ``Fits.report``)."""
    html.check_report(path)
    write_atomically(path, page(fits, command))


def page(fits: FittedGroups, command: str | None = None) -> str:
    """Return the whole page. command: the command line that was typed, to repeat it."""
    groups = fits.worst()
    detailed = [group for group in groups[:DETAILED] if fits.rows_of(group) is not None]

    def link(place: int) -> str:
        return f"#group-{place}" if place in groups_linked else ""

    groups_linked, all_in_one = set(groups[:LISTED]) if detailed else set(), coloured(fits)
    sections = [
        ("together", "All groups", html.figures([all_in_one])),
        ("table", "The table", _table_section(fits, groups[:LISTED], link)),
        ("pictures", _title(fits, "One by one", min(len(groups), DRAWN)), _pictures(fits, groups[:DRAWN], link)),
        ("parameters", "How the parameters spread", html.figures(spread(fits))),
        ("mathematics", "The mathematics", _mathematics(fits)),
        ("repeat", "How to repeat it", _repeat(fits, command)),
    ]
    groups_html = "".join(_of_group(fits, group, detailed) for group in detailed)
    name = f"{fits.model}, by {' and '.join(fits.by)}"
    head = f"<header>{bar('report of many fits')}<h1>{escape(name)}</h1>{verdict(fits, link)}</header>"
    pictures = (
        compact_pictures.pictures(fits, [group for group in groups[:LISTED] if group not in detailed])
        if detailed
        else ""
    )
    page_html = f"{head}<main>{groups_html}{parts(sections)}</main>{html.footer()}{pictures}"
    return document(name, page_html, "groups.css", "groups.js")


def short(fits: FittedGroups) -> str:
    """Return the short form, for notebooks: how groups ended and why, the first of them, and the worst pictures."""
    name = f"{fits.model}, by {' and '.join(fits.by)}"
    rows = Listing(fits, most=LABELLED).table(range(min(len(fits), SHORT)), "scroll")
    groups_left = f"<p>And {len(fits) - SHORT:,} more groups.</p>" if len(fits) > SHORT else ""
    pictures_html = _small(fits, fits.worst()[:SHORT_DRAWN], [], f"fits-{id(fits):x}-")
    head = f'<p class="fitted"><code>{escape(name)}</code></p>{verdict(fits)}'
    return html.box(f"{head}{rows}{groups_left}{pictures_html}")


def _title(fits: FittedGroups, text: str, pictures_drawn: int) -> str:
    return f"{text}: the {pictures_drawn} worst" if pictures_drawn < len(fits) else f"{text}, the worst first"


def _pictures(fits: FittedGroups, groups_drawn: Sequence[int], link: Link) -> str:
    links = list(map(link, groups_drawn))
    return _small(fits, groups_drawn, links if all(links) else [], "")


def _small(fits: FittedGroups, groups_drawn: Sequence[int], links: Sequence[str], prefix: str) -> str:
    """Draw the groups small; nothing for fits that were loaded, without their rows."""
    prepared: list[Panel] = []
    for group in groups_drawn:
        rows = fits.rows_of(group)
        if rows is None:
            return ""
        prepared.append(panel_of(fits, group, rows, Look()))
    caption = f"<p>{escape(caption_of(fits))}</p>" if caption_of(fits) else ""
    return multiples.html(prepared, links, prefix) + caption if prepared else ""


def _table_section(fits: FittedGroups, groups_listed: Sequence[int], link: Link) -> str:
    some = ""
    if len(groups_listed) < len(fits):
        some = f"<p>The {len(groups_listed):,} worst of {len(fits):,} groups; a saved table has all of them.</p>"
    if len(groups_listed) > DETAILED and any(map(link, groups_listed[:1])):
        some += f"<p>Choose a group to see its curve; the {DETAILED} worst have all that is known of their fits.</p>"
    rows = Listing(fits, link, brief=True).table(groups_listed)
    return f"{some}{FIND}{rows}"


def _of_group(fits: FittedGroups, group: int, detailed: Sequence[int]) -> str:
    """Write the section of one group, which is shown when a link leads to it."""
    name = ", ".join(f"{column} = {value}" for column, value in zip(fits.by, fits.keys[group], strict=True))
    group_html = "".join(_contents(fits, group))
    return section_of(name, f"group-{group}", group_html, "#pictures", [f"group-{each}" for each in detailed])


def _contents(fits: FittedGroups, group: int) -> Iterator[str]:
    """Yield how one group ended, its parameters and its pictures; of one that was refused, the reason and its rows."""
    rows = fits.rows_of(group) or {}
    fit = None
    if fits.outcome[group] != REFUSED:
        try:
            fit = fits[fits.keys[group]]
        except DescendError as error:  # it was fitted together with others, but cannot be fitted by itself
            yield f'<div class="verdict failure"><p>{prose(error)}</p></div>'
    if fit is None:
        text = words(fits.outcome[group])
        yield f'<div class="verdict failure"><p class="ended">{html.ICONS["failure"]} {text[:1].upper()}{text[1:]}</p>'
        yield f"<p>{prose(' '.join(fits.cause(group).split()))}</p></div>"
        yield f'<div class="figures pairs">{figure(panel_of(fits, group, rows, Look()), f"g{group}-")}</div>'
        return
    intervals = html.usual_intervals(fit)
    fields_shown = fields(fit, intervals)
    yield html.verdict(fields_shown) + html.answer(fit, fields_shown, intervals)
    view_of_group = view(fit)
    panels_drawn = [implicit.first(view_of_group), *html.of_the_residuals(fit)[:1]]
    yield f'<div class="figures pairs">{"".join(figure(panel, f"g{group}-") for panel in panels_drawn if panel)}</div>'


def _mathematics(fits: FittedGroups) -> str:
    """Write the model and its gradient, which all groups share; nothing for functions."""
    fitted = (fits[key] for key, outcome in zip(fits.keys, fits.outcome, strict=True) if outcome != REFUSED)
    some = next(fitted, None)
    return "" if some is None else html.equations(some)


def _repeat(fits: FittedGroups, command: str | None) -> str:
    call = fits.call
    if not call:
        return html.repeat([])
    command = as_command(call) if command is None else command
    texts = [("On the command line", command)] if command is not None else []
    return html.repeat([*texts, ("In Python", as_python(call))])
