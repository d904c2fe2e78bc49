"""`descend fit --by`: many fits as a table, or as a JSON object a line."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from json import dumps
from typing import TYPE_CHECKING

from descend.cli.terminal import say
from descend.errors import ConfigError

if TYPE_CHECKING:
    from descend.many import Fits


def refuse_others(options: Mapping[str, object]) -> None:
    """Refuse what is shown of one fit only. options: those that were given, by their flags."""
    for flag, value in options.items():
        if value:
            raise ConfigError(
                f"`{flag}` goes with one fit, not with one for each group. Drop it, or fit one group alone: --where."
            )


def show_all(fits: Fits, json: bool) -> None:
    """Print many fits as a table, or as a JSON object a line."""
    if json:
        for line in fits.records():
            say(dumps(line, ensure_ascii=False))
        return
    from descend.many.text import render

    say(render(fits), sys.stdout)
