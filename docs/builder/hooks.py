"""What MkDocs asks while it builds the site: pages run, and their pictures are made by what they show."""

from __future__ import annotations

import functools
import os
import posixpath
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path

import latex2mathml.converter
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).parent))

import gallery
import pages
import reference

ROOT = pages.ROOT
LINK = re.compile(r"(?<=\]\()(?!\w+://|#)([^)#\s]+)(#[^)\s]*)?(?=\))")
MATHEMATICS = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.S)
FETCHED = '<script src="https://unpkg.com/iframe-worker/shim"></script>'
MADE: dict[str, tuple[str, dict[str, bytes]]] = {}
"""By page, its text when it last ran and the files it made: `mkdocs serve` runs only what has changed."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the reference, run the pages, and add what the pages made and the files of the project that they link to."""
    texts = {file.src_uri: file.content_string for file in files.documentation_pages()}
    shown = _gallery()
    written = {f"gallery/{example.name}.md": example.page for example in shown} | {
        "gallery/index.md": gallery.index(shown)
    }
    for name, text in (reference.written() | written).items():
        files.append(File.generated(config, name, content=text))
    for example in shown:
        files.append(File.generated(config, f"gallery/{example.name}.png", content=example.picture))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        made = dict(zip(texts, pool.map(_ran, texts.items()), strict=True))
    texts |= written
    for page, text in texts.items():
        for name, content in made.get(page, {}).items():
            files.append(File.generated(config, _place(page, name), content=content))
        for target, _ in LINK.findall(text):
            outside = _outside(page, target)
            if _ships(outside) and not files.get_file_from_path(_shipped(outside)):
                files.append(File.generated(config, _shipped(outside), content=outside.read_bytes()))
    return files


@functools.cache
def _gallery() -> list[gallery.Example]:
    try:
        return gallery.examples()
    except pages.DiffersError as error:
        raise PluginError(str(error)) from error


def _ran(item: tuple[str, str]) -> dict[str, bytes]:
    page, text = item
    if MADE.get(page, ("", {}))[0] != text:
        here = ROOT / "docs" / posixpath.dirname(page)
        names = {name for name, _ in LINK.findall(text) if "/" not in name and not (here / name).exists()}
        try:
            MADE[page] = text, pages.made_by(text, names)
        except pages.DiffersError as error:
            raise PluginError(f"docs/{page}: {error}") from error
    return MADE[page][1]


def _place(page: str, name: str) -> str:
    return f"made/{page.removesuffix('.md')}/{name}"


def _outside(page: str, target: str) -> Path | None:
    """Return a file or folder of the project beside docs/ to which a page links."""
    path = (ROOT / "docs" / posixpath.dirname(page) / target).resolve()
    return path if path.exists() and not path.is_relative_to(ROOT / "docs") else None


def _ships(path: Path | None) -> bool:
    """Whether the site has a copy of a file: scripts and data, but no pages that are none of the site's."""
    return path is not None and path.is_file() and path.suffix != ".md"


def _shipped(path: Path) -> str:
    return f"files/{path.relative_to(ROOT).as_posix()}"


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links lead to what was made, and to copies of the project's files; to folders and pages of it, none leads."""
    here = page.file.src_uri

    def led(match: re.Match[str]) -> str:
        target, anchor = match[1], match[2] or ""
        if target in MADE.get(here, ("", {}))[1]:
            return posixpath.relpath(_place(here, target), posixpath.dirname(here) or ".")
        outside = _outside(here, target)
        if _ships(outside):
            return posixpath.relpath(_shipped(outside), posixpath.dirname(here) or ".")
        return target + anchor

    def unlinked(match: re.Match[str]) -> str:
        outside = _outside(here, match[2])
        return match[1] if outside is not None and not _ships(outside) else match[0]

    return LINK.sub(led, re.sub(r"(?<!!)\[([^\]]+)\]\((?!\w+://|#)([^)#\s]+)\)", unlinked, markdown))


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn TeX into MathML, which every browser draws and every screen reader reads, without a program."""

    def mathml(match: re.Match[str]) -> str:
        display = "block" if match[1] == "div" else "inline"
        written: str = latex2mathml.converter.convert(unescape(match[2]).strip(), display=display)
        # What is wider than a narrow page scrolls by itself, and has to be reached by the keyboard for that.
        return written.replace('display="block"', 'display="block" tabindex="0"', 1)

    return MATHEMATICS.sub(mathml, html)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Have assets/worker.js in the place of the one program that the theme would fetch from the network."""
    here = posixpath.relpath("assets/worker.js", posixpath.dirname(page.url) or ".")
    return output.replace(FETCHED, f'<script src="{here}"></script>')


def on_post_template(output_content: str, template_name: str, config: MkDocsConfig) -> str:
    """Leave it out of the page for what is not found: that one comes from a server."""
    return output_content.replace(FETCHED, "")
