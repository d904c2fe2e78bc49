"""`descend export`: a saved model in another language."""

from __future__ import annotations

from typing import Annotated

from typer import Argument

from descend.cli import options
from descend.cli.outputs import check_outputs
from descend.cli.terminal import say
from descend.errors import ConfigError
from descend.options.option import Option


@options.takes(
    Option("to", options.REQUIRED, "sql, python, torch, latex or onnx.", metavar="LANGUAGE"),
    Option("table", None, "Of sql: the table to read; data if not given.", metavar="NAME"),
    Option("name", None, "Of sql: the new column; prediction if not given.", metavar="NAME", flag="--as"),
    Option("dialect", None, "Of sql: such as postgres or spark; duckdb if not given.", metavar="NAME"),
    Option("output", None, "Write it there instead of printing it.", metavar="FILE"),
)
def export(
    model: Annotated[str, Argument(metavar="MODEL", help="A file that `descend fit --save` wrote.")],
    *,
    to: str,
    output: str | None,
    **of_sql: str | None,
) -> None:
    """Export a saved model: a query, a Python function, a PyTorch module, an equation or ONNX that predicts the same.

    Example: descend export line.json --to sql --table measurements
    """
    check_outputs({"--output": output}, [model])
    sql_options = {key: value for key, value in of_sql.items() if value is not None}
    if sql_options and to != "sql":
        flag_shown = {"name": "as"}.get(next(iter(sql_options)), next(iter(sql_options)))
        raise ConfigError(f"`--{flag_shown}` is an option of sql, and has no meaning for {to}. Leave it out.")

    from descend.many.loading import load, many_in_file
    from descend.output import write_atomically
    from descend.results import Fit

    fitted = load(model)
    if not isinstance(fitted, Fit):
        raise ConfigError(many_in_file(model, fitted))
    if to == "onnx":
        from descend.estimators.onnx_registration import onnx_of

        if output is None:
            raise ConfigError("ONNX is no text that could be printed. Name a file for it, --output model.onnx.")
        write_atomically(output, onnx_of(fitted.to_estimator()))
        say(f"Model exported to {output}")
        return
    text = fitted.export(to, **sql_options)
    if output is None:
        say(text.rstrip("\n"))
    else:
        write_atomically(output, text if text.endswith("\n") else text + "\n")
        say(f"Model exported to {output}")
