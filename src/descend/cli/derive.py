"""`descend derive`: the gradient of a formula, written out."""

from __future__ import annotations

import sys
from typing import Annotated

from typer import Argument

from descend.cli import options
from descend.cli.terminal import say, say_json
from descend.errors import ConfigError
from descend.options.option import Option


@options.takes(
    "loss",
    "columns",
    "response",
    Option("language", None, "Only text, latex, numpy, torch or sql.", metavar="LANGUAGE", flag="--in"),
    "json",
)
def derive(
    formula: options.Model,
    data: Annotated[
        list[str] | None, Argument(metavar="DATA...", help="Files whose columns tell data from parameters.")
    ] = None,
    *,
    loss: str,
    columns: str | None,
    response: str | None,
    language: str | None,
    json: bool,
) -> None:
    """Derive dJ/dparameter, J being the mean loss over rows.

    Example: descend derive "y ~ a*exp(-b*x) + c"
    """
    from descend import api
    from descend.formula.ambiguities import ambiguities
    from descend.gradients.derivation import LANGUAGES
    from descend.registry import closest

    if language is not None and language not in LANGUAGES:
        raise ConfigError(
            f"There is no language `{language}`.{closest(language, LANGUAGES)} Known: {', '.join(LANGUAGES)}."
        )
    formula, names = options.formula_in(formula, data, columns, response)
    derived = api.derive(formula, options.one_or_all(data) if data else None, loss=loss, columns=names)
    for note in ambiguities(derived.formula):
        say(f"Note: {note}.", file=sys.stderr)
    if json:
        say_json(derived.as_dict())
    else:
        say(str(derived) if language is None else derived.code(language))
