"""`descend lab`: a descent to look at and play with, in the browser."""

from __future__ import annotations

import os
import re
import secrets
import sys
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument

from descend.cli import options
from descend.cli.terminal import say
from descend.errors import ConfigError
from descend.options.option import Option

if TYPE_CHECKING:
    from descend.lab.serving.limits import Limits
    from descend.lab.serving.server import Door

SHORTEST_TOKEN = 8
PATH = re.compile(r"(/[A-Za-z0-9._-]+)+")


@options.takes(
    Option("port", None, "Port; 8050, or any that is free, if not given.", "whole", "N"),
    Option("host", "127.0.0.1", "Where to listen. Anybody who can reach it may use the lab.", metavar="ADDRESS"),
    Option("no_browser", False, "Do not open the browser.", "switch"),
    Option("public", False, "For others: a link with a token, and limits for each reader.", "switch"),
    Option("token", None, "The token; or $DESCEND_LAB_TOKEN. One is made if not given.", metavar="TEXT"),
    Option("prefix", "", "Where the lab is below its host, behind a proxy: /lab.", metavar="PATH"),
    Option("proxy", None, "Address of the proxy before it, whose forwarded headers count.", metavar="ADDRESS"),
    Option("keep", None, "Folder for the data that links carry; else they go with the lab.", metavar="FOLDER"),
    Option("most_rows", None, "Rows of a table, at most; of more a sample is taken.", "whole", "N"),
    Option("most_epochs", None, "Epochs of a descent, at most.", "whole", "N"),
    Option("most_work", None, "Seconds of the processor for each reader in each minute.", "number", "SECONDS"),
)
def lab(
    formula: Annotated[str | None, Argument(metavar="FORMULA", help='The model, such as "y ~ w*x + b".')] = None,
    data: Annotated[str | None, Argument(metavar="DATA", help="A CSV, Parquet or JSON file.")] = None,
    *,
    port: int | None,
    host: str,
    no_browser: bool,
    public: bool,
    token: str | None,
    prefix: str,
    proxy: str | None,
    keep: str | None,
    most_rows: int | None,
    most_epochs: int | None,
    most_work: float | None,
) -> None:
    """Open the web lab: play with a descent, its rate and its start, in the browser.

    It serves this machine alone unless told otherwise. Ctrl-C ends it.

    Example: descend lab "y ~ w*x + b" line.csv

    Example: descend lab --public --prefix /lab --proxy 127.0.0.1 --keep class-data
    """
    if formula is not None and data is None:
        raise ConfigError('Which data? Write descend lab "FORMULA" DATA, or descend lab alone for built-in problems.')
    if port is not None and not 0 <= port <= 65535:
        raise ConfigError(f"A port lies between 0 and 65535; `--port` was given `{port}`.")

    from descend.lab.serving.server import make_app, serve

    door = _door(public, token, prefix, proxy)
    limits = _limits(public, {"rows": most_rows, "epochs": most_epochs, "work": most_work})
    rows = None
    if formula is not None and data is not None:
        from descend.formula import read_formula
        from descend.lab.data.rows import read_rows
        from descend.lab.serving.limits import within
        from descend.lab.state import FILE

        with within(limits):
            rows = read_rows(data, Path(data).name, (FILE, data))
        read_formula(formula, list(rows.table), list(rows.columns))
    app = make_app(rows, formula or "", host, limits, door, Path(keep) if keep else None)

    def opened(address: str) -> None:
        say(f"The lab is at {address}\nCtrl-C ends it.", file=sys.stderr)
        if not (no_browser or public):
            import webbrowser

            webbrowser.open(address)

    serve(app, host, port, opened, door)


def _door(public: bool, token: str | None, prefix: str, proxy: str | None) -> Door:
    """Return how readers come in. Raises ConfigError for what is for a public lab alone, and for what is no path."""
    from descend.lab.serving.server import Door

    if not public:
        if token or proxy:
            raise ConfigError(f"`--{'token' if token else 'proxy'}` is for a public lab: add --public.")
        return Door(None, _path(prefix))
    token = token or os.environ.get("DESCEND_LAB_TOKEN") or secrets.token_urlsafe(12)
    if len(token) < SHORTEST_TOKEN:
        raise ConfigError(
            f"The token of a public lab has {SHORTEST_TOKEN} letters or more, so that nobody guesses it; this has "
            f"{len(token)}. Leave `--token` out to have one made."
        )
    return Door(token, _path(prefix), _address(proxy))


def _address(proxy: str | None) -> str | None:
    """Return the address of a proxy as connections have it. Raises ConfigError for a name, which they do not have."""
    if proxy is None:
        return None
    try:
        return str(ip_address(proxy.strip("[]")))
    except ValueError:
        raise ConfigError(
            f"`--proxy` is the numeric address that the proxy connects from, such as 127.0.0.1; it was given `{proxy}`."
        ) from None


def _path(prefix: str) -> str:
    path = prefix.rstrip("/")
    if path and not PATH.fullmatch(path):
        raise ConfigError(f"`--prefix` is a path such as /lab, of letters, digits and -; it was given `{prefix}`.")
    return path


def _limits(public: bool, limits_given: Mapping[str, float | None]) -> Limits:
    """Return the limits for each reader. Raises ConfigError for one that is not above 0."""
    from descend.lab.serving.limits import OWN, PUBLIC

    changed = {name: value for name, value in limits_given.items() if value is not None}
    for name, value in changed.items():
        if not value > 0:
            raise ConfigError(f"`--most-{name}` is above 0; it was given {value:g}.")
    return replace(PUBLIC if public else OWN, **changed)  # type: ignore[arg-type]
