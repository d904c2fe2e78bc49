"""Serving the lab: one process, a few threads, and no files but its own."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable
from importlib.resources import files
from typing import TYPE_CHECKING

from descend.errors import ConfigError
from descend.lab import routes
from descend.lab.callbacks import Callbacks
from descend.lab.data import MOST_UPLOAD, Library, Rows
from descend.lab.layout import shell
from descend.lab.security import guard
from descend.report import palette

if TYPE_CHECKING:
    from dash import Dash
    from flask import Flask

BLOCK = 2**20
PORT = 8050
THREADS = 16
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
    routes.give(app.server, callbacks)
    guard(app.server, host, app.csp_hashes(), most_upload, routes.UPLOADS)
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
