"""What pages ask for beside Dash: films, steps by hand, and data of their own, all as JSON."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING
from urllib.parse import quote, unquote

import numpy as np

from descend import api
from descend.errors import ConfigError, DescendError
from descend.formula.printers.code import plain_name
from descend.lab.data.data_in_links import MOST_PACKED, packed, unpacked
from descend.lab.data.pasted_text import headed
from descend.lab.data.rows import Library, first_formula
from descend.lab.page.callbacks import Callbacks
from descend.lab.page.scripted_parts import MOST_MADE
from descend.lab.state import LONGEST_FORMULA, OUT_OF_DATE, UPLOAD
from descend.lab.words.option_names import on_the_page
from descend.lab.words.texts import too_large
from descend.wording import speaking

if TYPE_CHECKING:
    from flask import Flask

UPLOADS = "/upload"
FILMS = "/film"
BLOCK = 2**20
Answer = tuple[str | bytes, int, dict[str, str]]


def give(server: Flask, callbacks: Callbacks) -> None:
    """Make a server answer them."""
    _give_films(server, callbacks)
    _take_uploads(server, callbacks.library)
    _carry_data(server, callbacks.library)


def _give_films(server: Flask, callbacks: Callbacks) -> None:
    """Make a server answer questions, each of which has some part, of some kind, or its page is out of date."""
    questions: list[tuple[str, Callable[[Mapping[str, object]], bytes], str, type]] = [
        (FILMS, callbacks.film, "settings", dict),
        ("/words", callbacks.words, "link", str),
        ("/hand", callbacks.hand, "settings", dict),
    ]
    for path, answer, part, kind in questions:

        def answered(answer: Callable[..., bytes] = answer, part: str = part, kind: type = kind) -> Answer:
            posted = _posted()
            if isinstance(posted, dict) and isinstance(posted.get(part), kind):
                return answer(posted), 200, {"Content-Type": "application/json"}
            return _said({"error": OUT_OF_DATE}, 400)

        server.add_url_rule(path, path, answered, methods=["POST"])


def _posted() -> object:
    """Return what a page posted; None if that is no JSON."""
    import orjson
    from flask import request

    try:
        return orjson.loads(request.get_data()) if request.is_json else None
    except orjson.JSONDecodeError:
        return None


def _take_uploads(server: Flask, library: Library) -> None:
    """Make a server take a file: it is read at once, its rows are kept, and the file is deleted."""
    from flask import request

    @server.post(UPLOADS)  # type: ignore[untyped-decorator]
    def upload() -> Answer:
        # The uploaded name is only shown: whatever it says, the file is stored in a folder made for it.
        name = PurePosixPath(unquote(request.headers.get("X-Name", "")).replace("\\", "/")).name[:80] or "data.csv"
        kind = request.headers.get("X-Kind", "")
        with tempfile.TemporaryFile() as file:
            if not _stored(request.stream, file, library.most_upload):
                return _said({"error": too_large(library.most_upload)}, 413)
            file.seek(0)
            text = file.read()
        try:
            with speaking(on_the_page("en")):
                if kind == "link":
                    text, name = unpacked(text.decode("ascii", "replace"))
                elif kind == "pasted":
                    text = headed(text.decode("utf-8", "replace")).encode()
                elif kind == "equation":
                    text, name = made(json.loads(text)), "made.csv"
                return _taken(library, text, name)
        except DescendError as error:
            return _said({"error": str(error)}, 200)
        except (ValueError, OverflowError, RecursionError):
            return _said({"error": OUT_OF_DATE}, 400)


def _carry_data(server: Flask, library: Library) -> None:
    """Make a server pack uploaded rows into a link, or keep them for one."""
    from flask import request

    @server.post("/share")  # type: ignore[untyped-decorator]
    def share() -> Answer:
        data_kept = library.text(request.get_data(as_text=True))
        if data_kept is None:
            return _said(
                {"error": "The data are not here any more, or larger than 1 MB, the most a link carries."}, 200
            )
        letters = packed(*data_kept)
        if len(letters) <= MOST_PACKED:
            return _said({"packed": letters}, 200)
        try:
            return _said({"kept": library.shelf.put(*data_kept)}, 200)
        except DescendError as error:
            return _said({"error": str(error)}, 200)


def made(question: object) -> bytes:
    """Return rows of an equation as CSV: ``{"equation": "y = sin(x)", "low": 0, "high": 10, "rows": 100, "seed": 0}``.

    Raises DescendError, and ValueError for what no page of ours would ask.
    """
    if not isinstance(question, Mapping):
        raise ValueError(question)
    equation = str(question.get("equation", ""))[:LONGEST_FORMULA]
    usual = {"low": 0.0, "high": 10.0, "rows": 100.0, "seed": 0.0}
    low, high, rows, seed = (_number(question.get(key, value)) for key, value in usual.items())
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ConfigError(f"x goes from a number to a larger one; this is {low:g} to {high:g}.")
    if not 2.0 <= rows <= MOST_MADE:
        raise ConfigError(f"The lab makes 2 to {MOST_MADE:,} rows; this is {rows:,.0f}.")
    equation_text = equation if "=" in equation else f"y = {equation}"
    columns = api.generate(equation_text, {"x": np.linspace(low, high, int(rows))}, seed=int(seed))
    lines = zip(*(values.tolist() for values in columns.values()), strict=True)
    head = ",".join(columns)
    return "\n".join([head, *(",".join(f"{value:.7g}" for value in line) for line in lines), ""]).encode()


def _number(value: object) -> float:
    """Return a number of a question; NaN for a field that is empty, or holds no number."""
    return float(value) if isinstance(value, int | float) else math.nan


def _taken(library: Library, text: bytes, name: str) -> Answer:
    key = library.take(text, name)
    rows = library.uploads.get(key)
    assert rows is not None
    search = f"?problem={UPLOAD}&formula={quote(first_formula(list(rows.columns)))}"
    return _said({"key": key, "search": search, "columns": list(map(plain_name, rows.columns))}, 200)


def _stored(stream: IO[bytes], file: IO[bytes], most: int) -> bool:
    """Write a stream to a file; return False if it is too long."""
    bytes_taken = 0
    while block := stream.read(BLOCK):
        bytes_taken += len(block)
        if bytes_taken > most:
            return False
        file.write(block)
    return True


def _said(answer: dict[str, object], code: int) -> Answer:
    return json.dumps(answer), code, {"Content-Type": "application/json"}
