"""Serving the lab: one process, a few threads, and no files but its own."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from descend.errors import ConfigError
from descend.lab.data.data_in_links import Shelf
from descend.lab.data.rows import Library, Rows
from descend.lab.page.callbacks import Callbacks
from descend.lab.page.layout import shell
from descend.lab.serving import routes
from descend.lab.serving.limits import OWN, Limits
from descend.lab.serving.security import guard
from descend.lab.serving.token_gate import Gate
from descend.report import palette

if TYPE_CHECKING:
    from dash import Dash
    from flask import Flask

PORT = 8050
THREADS = 16
CONNECTIONS = 2000
"""Most connections at a time, if the system allows so many per process: a browser keeps six per page open."""
IDLE = 20
"""Seconds after which a silent connection is closed; a browser opens another when it needs one."""
FORWARDED = {"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"}
INDEX = """<!DOCTYPE html>
<html lang="en" data-token="TOKEN">
<head>{%metas%}<title>{%title%}</title>{%favicon%}<style>COLOURS</style>{%css%}</head>
<body>{%app_entry%}<footer>{%config%}{%scripts%}{%renderer%}</footer></body>
</html>
"""


@dataclass(frozen=True)
class Door:
    """How readers come to a lab that others can reach.

    token: what their link has to carry; None for a lab that anybody may use who can reach it. prefix: where the lab is
    below its host, such as ``/lab``. proxy: the address of the server before this one, whose word on where requests
    come from is taken; None for none.
    """

    token: str | None = None
    prefix: str = ""
    proxy: str | None = None


def make_app(
    file: Rows | None = None,
    formula: str = "",
    host: str = "127.0.0.1",
    limits: Limits = OWN,
    door: Door = Door(),
    keep: Path | None = None,
) -> Dash:
    """Return the Dash app of a lab; a web server serves its Flask server, ``app.server``.

    file, formula: the lab's own rows, and what to fit to them. host: where it will listen. limits: how much one reader
    may ask. keep: where data are kept that links carry; None to forget them with the lab.

    Raises ConfigError if the optional packages of the lab are not installed.
    """
    try:
        import waitress  # noqa: F401 - to report at once if it is missing
        from dash import Dash
    except ModuleNotFoundError as error:
        raise ConfigError(
            f'The web lab needs {error.name}, which is not installed. Install it with: pip install "descend[lab]".'
        ) from None

    library = Library(file, limits.upload, None if keep is None else Shelf(keep))
    app = Dash(
        "descend.lab",
        assets_folder=str(files("descend.lab").joinpath("assets")),
        title="descend lab",
        update_title="",
        serve_locally=True,
        suppress_callback_exceptions=True,
        enable_mcp=False,
        add_log_handler=False,
        requests_pathname_prefix=f"{door.prefix}/",
        routes_pathname_prefix="/",
        index_string=INDEX.replace("COLOURS", colours()).replace("TOKEN", escape(door.token or "")),
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    app.layout = shell()
    callbacks = Callbacks(library, formula)
    callbacks.register(app)
    _give_pages_own_scripts_only(app.server)
    routes.give(app.server, callbacks)
    guard(app.server, host if door.token is None else None, app.csp_hashes(), limits.upload, routes.UPLOADS)
    app.server.wsgi_app = Gate(app.server.wsgi_app, limits, door.token, door.prefix)
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


def serve(app: Dash, host: str, port: int | None, opened: Callable[[str], None], door: Door = Door()) -> None:
    """Serve an app until Ctrl-C, and call ``opened`` with its address once it listens.

    port: None for the usual one, or any free one. door: as the app was made with.

    Raises ConfigError if the port is taken.
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
        max_request_body_size=OWN.upload + routes.BLOCK,
        ident=None,
        url_prefix=door.prefix,
        trusted_proxy=door.proxy,
        trusted_proxy_headers=FORWARDED if door.proxy is not None else set(),
        clear_untrusted_proxy_headers=True,
        connection_limit=_connections(),
        channel_timeout=IDLE,
        cleanup_interval=IDLE / 4,
        asyncore_use_poll=hasattr(select, "poll"),
        backlog=CONNECTIONS,
    )
    link = "" if door.token is None else f"?token={quote(door.token)}"
    opened(f"http://{name}:{listening.getsockname()[1]}{door.prefix}/{link}")
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
    connections_wanted = 2 * CONNECTIONS
    if 0 <= soft < connections_wanted:
        soft = connections_wanted if hard < 0 else min(connections_wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return CONNECTIONS if soft < 0 else min(CONNECTIONS, soft // 2)


def _listen(host: str, port: int | None) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port_tried in [port] if port is not None else [PORT, 0]:
        listening = socket.socket(family, socket.SOCK_STREAM)
        if os.name != "nt":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, port_tried))
        except (OSError, OverflowError) as error:
            listening.close()
            if port is None and port_tried:
                continue
            why = getattr(error, "strerror", None) or str(error)
            raise ConfigError(
                f"The lab cannot listen on {host}, port {port_tried}: {why.lower()}. Choose another --port or --host."
            ) from None
        return listening
    raise AssertionError("unreachable")
