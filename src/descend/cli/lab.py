"""`descend lab`: a descent to look at and play with, in the browser."""

from __future__ import annotations

import sys
from typing import Annotated

from typer import Argument

from descend.cli import options
from descend.cli.terminal import say
from descend.errors import ConfigError
from descend.options.option import Option


@options.takes(
    Option("port", None, "Port; 8050, or any that is free, if not given.", "whole", "N"),
    Option("host", "127.0.0.1", "Where to listen. Anybody who can reach it may use the lab.", metavar="ADDRESS"),
    Option("no_browser", False, "Do not open the browser.", "switch"),
)
def lab(
    formula: Annotated[str | None, Argument(metavar="FORMULA", help='The model, such as "y ~ w*x + b".')] = None,
    data: Annotated[str | None, Argument(metavar="DATA", help="A CSV, Parquet or JSON file.")] = None,
    *,
    port: int | None,
    host: str,
    no_browser: bool,
) -> None:
    """Open the web lab: play with a descent, its rate and its start, in the browser.

    It serves this machine alone unless told otherwise. Ctrl-C ends it.

    Example: descend lab "y ~ w*x + b" line.csv
    """
    if formula is not None and data is None:
        raise ConfigError('Which data? Write descend lab "FORMULA" DATA, or descend lab alone for built-in problems.')
    if port is not None and not 0 <= port <= 65535:
        raise ConfigError(f"A port lies between 0 and 65535; `--port` was given `{port}`.")

    from descend.lab.server import make_app, serve

    rows = None
    if formula is not None and data is not None:
        from pathlib import Path

        from descend.formula import read_formula
        from descend.lab.data import read_rows
        from descend.lab.state import FILE

        rows = read_rows(data, Path(data).name, (FILE, data))
        read_formula(formula, list(rows.table), list(rows.columns))
    app = make_app(rows, formula or "", host)

    def opened(address: str) -> None:
        say(f"The lab is at {address}\nCtrl-C ends it.", file=sys.stderr)
        if not no_browser:
            import webbrowser

            webbrowser.open(address)

    serve(app, host, port, opened)
