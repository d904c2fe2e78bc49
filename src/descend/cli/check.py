"""`descend check`: a gradient held against the true one, and what is wrong with it."""

from __future__ import annotations

import sys
from typing import Annotated, Any

from typer import Argument, Exit

from descend.cli import options
from descend.cli.terminal import colours, line_length, say, say_json
from descend.errors import ConfigError
from descend.options.option import Option


@options.takes(
    Option(
        "gradient", None, 'Such as "w = mean(2*x*(w*x - y))", once for each parameter.', "texts", "TEXT|FILE.py:NAME"
    ),
    Option("forward", None, "The model in the Python file: forward if not given.", metavar="NAME", flag="--model"),
    *("response", "start", "loss", "weights", "sigma", "l1", "l2", "bounds", "fix", "ties", "where", "missing", "json"),
)
def check(
    model: Annotated[
        str,
        Argument(
            metavar="FORMULA|FILE.py:NAME",
            help="The model: a formula, or a function in a Python file, which is run. Without --gradient, the gradient "
            "function in a file that brings the model too.",
        ),
    ],
    data: Annotated[
        list[str] | None,
        Argument(metavar="DATA...", help="CSV, Parquet or JSON files; a Python file may bring `data`."),
    ] = None,
    *,
    gradient: list[str] | None,
    forward: str | None,
    response: str | None,
    json: bool,
    **options_given: object,
) -> None:
    """Check a gradient written by hand: is it that of the mean loss, and if not, what is wrong with it?

    With row weights, mean( ) and sum( ) are weighted already: the text is the same with and without them. A Python
    function takes the column of weights and weighs the rows itself.

    Exit code 0 if it is, 1 if it is not, 2 for wrong usage or bad input.

    Example: descend check "y ~ w*x" line.csv --gradient "w = mean(2*x*(w*x - y))"

    Example: descend check model.py:peak peak.csv --response y --gradient model.py:jac
    """
    judged, given = _read(model, forward, gradient)
    table = options.one_or_all(data) if data else given.pop("data", None)
    if table is None:
        raise ConfigError("Which data? Name a file, such as line.csv.")
    response = response or given.get("response")
    if callable(judged) and response is None and not hasattr(judged, "named_parameters"):
        raise ConfigError(options.NO_RESPONSE)

    from descend import api

    judgement = api.check(
        judged, table, gradient=given["gradient"], response=response, **options.values_of(options_given)
    )
    if json:
        say_json(judgement.as_dict())
    else:
        from descend.report.gradient_judgement import render

        say(render(judgement, colours(sys.stdout), line_length()))
    if not judgement.agree:
        raise Exit(1)


def _read(model: str, forward: str | None, gradient: list[str] | None) -> tuple[Any, dict[str, Any]]:
    """Return the model, and the gradient with what a Python file brings besides."""
    from descend.cli.python_file import IN_FILE, gradient_in_file, guarded, named_in_file, run_file, taken

    file = IN_FILE.fullmatch(model)
    if file is None or gradient:
        if forward is not None:
            raise ConfigError("`--model` names a model in a Python file. Write check FILE.py:GRADIENT --model NAME.")
        if not gradient:
            raise ConfigError('Which gradient? Give it: --gradient "w = mean(2*x*(w*x - y))", once for each parameter.')
        given = gradient_in_file(gradient) or (gradient[0] if len(gradient) == 1 else gradient)
        return named_in_file(model) or model, {"gradient": given}
    names = run_file(file[1])
    judged_names = taken(names, forward or "forward", file[1])
    brought: dict[str, object] = {name: names[name] for name in ("data", "response") if name in names}
    right = taken(names, file[2], file[1])
    if judged_names is right:
        right = "autograd"
    return judged_names, {**brought, "gradient": guarded(right, file[1]) if callable(right) else right}
