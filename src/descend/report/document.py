"""The frame of every page: the style sheet with the colours of light and dark, and a script.

A page is self-contained: no network, no other file, no library. Its security policy keeps it from loading or running
anything that is not in it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from functools import cache
from html import escape
from importlib.resources import files

from descend.report import palette, style
from descend.report.figures import Panel
from descend.report.svg import legend, svg
from descend.report.svg_scales import LARGE, Frame


def document(title: str, body: str, *more: str) -> str:
    """Return a page. more: names of further scripts and style sheets in this folder, such as ``film.js``."""
    scripts = [part(name) for name in ("page.js", *more) if name.endswith(".js")]
    sheets = [part(name) for name in ("page.css", *more) if name.endswith(".css")]
    digests = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts
    )
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src {digests}; base-uri 'none'"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(style.one_line(title, 80))} · descend</title>\n"
        f"<style>\n{_themes()}{''.join(sheets)}</style>\n</head>\n<body>\n{body}\n"
        + "".join(f"<script>{script}</script>\n" for script in scripts)
        + "</body>\n</html>\n"
    )


def parts(sections: Iterable[tuple[str, str, str]]) -> str:
    """Return the sections of a page that have something in them. sections: key, title and content of each."""
    return "".join(
        f'<section aria-labelledby="{key}"><h2 id="{key}">{title}</h2>{content}</section>'
        for key, title, content in sections
        if content
    )


def bar(subject: str) -> str:
    """Return the line at the top of a page: the library, the subject, and the button for the other theme."""
    theme = '<button type="button" id="theme" aria-pressed="false" hidden>Dark</button>'
    return f'<div class="bar"><p class="brand">descend <span>{subject}</span></p>{theme}</div>'


def figure(panel: Panel, prefix: str = "", moving: str = "", frame: Frame = LARGE) -> str:
    """Draw one panel with its title, legend and caption. prefix, moving, frame: as for ``svg``."""
    names = "".join(f"<li>{sample} {escape(style.one_line(name, 48))}</li>" for sample, name in legend(panel))
    said = f"Loss: {panel.title[:1].lower()}{panel.title[1:]}" if panel.key == "loss" else panel.title
    kind = ' class="bad"' if panel.failed else ""
    title = f"<h3{kind}>{escape(said)}</h3>"
    caption = f"<figcaption>{escape(panel.caption)}</figcaption>" if panel.caption else ""
    listed = f'<ul class="legend">{names}</ul>' if names else ""
    return f"<figure>{title}{listed}{svg(panel, prefix, moving, frame)}{caption}</figure>"


@cache
def part(name: str) -> str:
    """Return the text of a script or style sheet in this folder."""
    return files("descend.report").joinpath(name).read_text(encoding="utf-8")


@cache
def _themes() -> str:
    """Return the style sheets of the colours: light, dark, as the reader chooses, and for print."""
    light, dark = colours(0), colours(1)
    return (
        f":root {{ color-scheme: light; {light} }}\n"
        f'@media (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {{ color-scheme: dark; {dark} }} }}\n'
        f':root[data-theme="dark"] {{ color-scheme: dark; {dark} }}\n'
        f"@media print {{ :root, :root[data-theme] {{ color-scheme: light; {light} }} }}\n"
    )


def colours(theme: int) -> str:
    """Return the colours of a theme, 0 light or 1 dark, as CSS variables."""
    named = {name: pair[theme] for name, pair in (palette.PALETTE | palette.PAGE).items()}
    named |= {f"c{colour_number}": colour for colour_number, colour in enumerate(style.contours(12, dark=bool(theme)))}
    return " ".join(f"--{name}: {colour};" for name, colour in named.items())
