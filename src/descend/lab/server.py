"""Serving the lab: one process, a few threads, and no files but its own."""

from __future__ import annotations

import json
import os
import select
import socket
import tempfile
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING
from urllib.parse import quote, unquote

from descend.errors import ConfigError, DescendError
from descend.lab.callbacks import Callbacks
from descend.lab.controls import on_the_page
from descend.lab.data import MOST_UPLOAD, Library, Rows, first_formula
from descend.lab.layout import shell
from descend.lab.security import guard
from descend.lab.state import OUT_OF_DATE, UPLOAD
from descend.lab.texts import too_large
from descend.report import palette
from descend.wording import speaking

if TYPE_CHECKING:
    from dash import Dash
    from flask import Flask

UPLOADS = "/upload"
FILMS = "/film"
BLOCK = 2**20
PORT = 8050
THREADS = 16
SUFFIXES = (".csv", ".tsv", ".txt")
CONNECTIONS = 2000
"""Most connections at a time, if the system allows so many per process: a browser keeps six per page open."""
IDLE = 20
"""Seconds after which a silent connection is closed; a browser opens another when it needs one."""
INDEX = """<!DOCTYPE html>
<html lang="en">
<head>{%metas%}<title>{%title%}</title>{%favicon%}<style>COLOURS</style>{%css%}</head>
<body>{%app_entry%}<footer>{%config%}{%scripts%}{%renderer%}</footer></body>
</html>
"""


def make_app(
    file: Rows | None = None, formula: str = "", host: str = "127.0.0.1", most_upload: int = MOST_UPLOAD
) -> Dash:
    """Return the Dash app of a lab; a web server serves its Flask server, ``app.server``.

    file, formula: the lab's own rows, and what to fit to them. host: where it will listen. most_upload: in bytes.

    Raises ConfigError if the optional packages of the lab are not installed.
    """
    try:
        import waitress  # noqa: F401 - to report at once if it is missing
        from dash import Dash
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"The web lab needs {error.name}, which is not installed. Install it with: pip install 'descend[lab]'."
        ) from None

    library = Library(file, most_upload)
    app = Dash(
        "descend.lab",
        assets_folder=str(files("descend.lab").joinpath("assets")),
        title="descend lab",
        update_title="",
        serve_locally=True,
        suppress_callback_exceptions=True,
        enable_mcp=False,
        add_log_handler=False,
        index_string=INDEX.replace("COLOURS", colours()),
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    app.layout = shell()
    callbacks = Callbacks(library, formula)
    callbacks.register(app)
    _give_pages_own_scripts_only(app.server)
    _give_films(app.server, callbacks)
    _take_uploads(app.server, library)
    guard(app.server, host, app.csp_hashes(), most_upload, UPLOADS)
    return app


def colours() -> str:
    """Return the report's colours as a style sheet, for light and dark."""

    def named(theme: int) -> str:
        return " ".join(f"--{name}: {pair[theme]};" for name, pair in (palette.PALETTE | palette.PAGE).items())

    return (
        f':root {{ color-scheme: light; {named(0)} }}\n:root[data-theme="dark"] {{ color-scheme: dark; {named(1)} }}\n'
    )


def _give_pages_own_scripts_only(server: Flask) -> None:
    """Make a server answer "no such page" where Dash is asked for a script that it does not know."""
    from dash.exceptions import DependencyException

    @server.errorhandler(DependencyException)  # type: ignore[untyped-decorator]
    def unknown(error: Exception) -> tuple[str, int]:
        return "There is no such page.", 404


def _give_films(server: Flask, callbacks: Callbacks) -> None:
    """Make a server answer with films."""
    from flask import request

    @server.post(FILMS)  # type: ignore[untyped-decorator]
    def film() -> tuple[str | bytes, int, dict[str, str]]:
        try:
            posted = request.get_json(silent=True)
        except RecursionError:
            posted = None
        if not (isinstance(posted, dict) and isinstance(posted.get("settings"), dict)):
            return _said({"error": OUT_OF_DATE}, 400)
        answer = callbacks.film(posted["settings"], posted.get("gradient"), posted.get("key"), posted)
        return answer, 200, {"Content-Type": "application/json"}


def _take_uploads(server: Flask, library: Library) -> None:
    """Make a server take a file: it is read at once, its rows are kept, and the file is deleted."""
    from flask import request

    @server.post(UPLOADS)  # type: ignore[untyped-decorator]
    def upload() -> tuple[str, int, dict[str, str]]:
        # The uploaded name is only shown: whatever it says, the file is stored in a folder made for it.
        name = PurePosixPath(unquote(request.headers.get("X-Name", "")).replace("\\", "/")).name[:80] or "data.csv"
        suffix = Path(name).suffix.lower()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"rows{suffix if suffix in SUFFIXES else '.csv'}"
            if not _stored(request.stream, path, library.most_upload):
                return _said({"error": too_large(library.most_upload)}, 413)
            try:
                with speaking(on_the_page("en")):
                    key = library.add(path, name)
            except DescendError as error:
                return _said({"error": str(error).replace(str(path), name)}, 200)
        rows = library.uploads.get(key)
        assert rows is not None
        return _said(
            {"key": key, "search": f"?problem={UPLOAD}&formula={quote(first_formula(list(rows.columns)))}"}, 200
        )


def _stored(stream: IO[bytes], path: Path, most: int) -> bool:
    """Write a stream to a file; return False if it is too long."""
    taken = 0
    with path.open("wb") as file:
        while block := stream.read(BLOCK):
            taken += len(block)
            if taken > most:
                return False
            file.write(block)
    return True


def _said(answer: dict[str, object], code: int) -> tuple[str, int, dict[str, str]]:
    return json.dumps(answer), code, {"Content-Type": "application/json"}


def serve(app: Dash, host: str, port: int | None, opened: Callable[[str], None]) -> None:
    """Serve an app until Ctrl-C, and call ``opened`` with its address once it listens.

    port: None for the usual one, or any free one. Raises ConfigError if the port is taken.
    """
    import logging

    from waitress.server import create_server

    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it would report every request that waits its turn
    listening = _listen(host, port)
    name = f"[{host}]" if ":" in host else host
    server = create_server(
        app.server,
        sockets=[listening],
        threads=THREADS,
        max_request_body_size=MOST_UPLOAD + BLOCK,
        ident=None,
        clear_untrusted_proxy_headers=True,
        connection_limit=_connections(),
        channel_timeout=IDLE,
        cleanup_interval=IDLE / 4,
        asyncore_use_poll=hasattr(select, "poll"),
        backlog=CONNECTIONS,
    )
    opened(f"http://{name}:{listening.getsockname()[1]}/")
    try:
        server.run()
    finally:
        server.close()


def _connections() -> int:
    """Return how many connections may be open at once: half the number of files that this process may open."""
    try:
        import resource
    except ModuleNotFoundError:  # not on Windows
        return CONNECTIONS // 4
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CONNECTIONS
    if 0 <= soft < wanted:
        soft = wanted if hard < 0 else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return CONNECTIONS if soft < 0 else min(CONNECTIONS, soft // 2)


def _listen(host: str, port: int | None) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for place in [port] if port is not None else [PORT, 0]:
        listening = socket.socket(family, socket.SOCK_STREAM)
        if os.name != "nt":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, place))
        except (OSError, OverflowError) as error:
            listening.close()
            if port is None and place:
                continue
            why = getattr(error, "strerror", None) or str(error)
            raise ConfigError(
                f"The lab cannot listen on {host}, port {place}: {why.lower()}. Choose another --port or --host."
            ) from None
        return listening
    raise AssertionError("unreachable")
