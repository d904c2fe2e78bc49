"""`descend derive`: the gradient of a formula, written out."""

from __future__ import annotations

import sys
from typing import Annotated

from typer import Argument, Option

from descend.cli import options
from descend.cli.terminal import say, say_json
from descend.errors import ConfigError
from descend.registry import split_list


def derive(
    formula: options.Formula,
    data: Annotated[
        list[str] | None, Argument(metavar="DATA...", help="Files whose columns tell data from parameters.")
    ] = None,
    loss: options.Loss = "squared",
    columns: Annotated[
        str | None, Option(metavar="LIST", help="The names that are data, such as x,t; else x, t, z and the like are.")
    ] = None,
    language: Annotated[
        str | None, Option("--in", metavar="LANGUAGE", help="Only text, latex, numpy, torch or sql.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Derive dJ/dparameter, J being the mean loss over rows.

    Example: descend derive "y ~ a*exp(-b*x) + c"
    """
    if data and columns is not None:
        raise ConfigError("Data and --columns both say which names are data. Give one of them.")

    from descend import api
    from descend.formula.ambiguities import readings
    from descend.gradients.derivation import LANGUAGES
    from descend.registry import closest

    if language is not None and language not in LANGUAGES:
        raise ConfigError(
            f"There is no language `{language}`.{closest(language, LANGUAGES)} Known: {', '.join(LANGUAGES)}."
        )
    names = None if columns is None else split_list(columns)
    derived = api.derive(formula, options.one_or_all(data) if data else None, loss=loss, columns=names)
    for note in readings(derived.formula):
        say(f"Note: {note}.", file=sys.stderr)
    if json:
        say_json(derived.as_dict())
    else:
        say(str(derived) if language is None else derived.code(language))
