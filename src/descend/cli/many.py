"""`descend fit --by`: many fits as a table, as a JSON object a line, and as a file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from json import dumps
from typing import TYPE_CHECKING

from descend.cli.terminal import say
from descend.errors import ConfigError

if TYPE_CHECKING:
    from descend.many import Fits


def refuse_others(asked: Mapping[str, object]) -> None:
    """Refuse what is shown of one fit only. asked: the options that were given, by their flags."""
    for flag, value in asked.items():
        if value:
            raise ConfigError(
                f"`{flag}` goes with one fit, not with one for each group. Drop it, or fit one group alone: --where."
            )


def show(fits: Fits, json: bool, quiet: bool, save: str | None) -> Iterable[str]:
    """Print many fits, and write their table; return messages for what could not be written."""
    from descend.cli.fit import write

    if json:
        for line in fits.records():
            say(dumps(line, ensure_ascii=False))
    elif not quiet:
        from descend.many.text import render

        say(render(fits), sys.stdout)
    return write([("Table of fits saved to", save, fits.save)], quiet, json)
