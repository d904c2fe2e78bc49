"""`descend invert`: a saved model, and responses for which the input is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument

from descend.cli import options
from descend.cli.terminal import say, say_json
from descend.errors import ConfigError
from descend.options.option import Option
from descend.options.units import number_or_measured

if TYPE_CHECKING:
    from descend.inference.prediction.inverse_answer import Inverse
    from descend.results import Fit

Sample = tuple[list[float | str], Mapping[str, object]]
"""The replicates of a sample, and the values of the other inputs."""


@options.takes(
    Option(
        "response",
        options.REQUIRED,
        "Measured values: with commas, replicates of one sample; a file has a sample in each row; may be repeated.",
        "texts",
        metavar="VALUES|FILE",
    ),
    Option("along", None, "The input to solve for, if the model has several.", metavar="COLUMN", flag="--for"),
    Option("at", None, "Values of the other inputs, such as z=7; may be repeated.", "values", "NAME=VALUE"),
    Option("interval", "inversion", "inversion (the default) or wald.", metavar="inversion|wald"),
    "level",
    Option("mean", False, "Ask where the curve itself is there, not a new measurement.", "switch"),
    Option(
        "sigma", None, "Standard deviation of one new measurement, if the fit does not know it.", "number", "NUMBER"
    ),
    Option("between", None, "Where to look, such as 0:20.", metavar="LOW:HIGH"),
    options.FUNCTION,
    "json",
)
def invert(
    model: Annotated[str, Argument(metavar="MODEL", help="A file that `descend fit --save` wrote.")],
    *,
    response: list[str],
    at: list[str] | None,
    interval: str,
    level: float | None,
    mean: bool,
    sigma: float | None,
    between: str | None,
    function: str | None,
    along: str | None,
    json: bool,
) -> None:
    """Invert a saved model: which value of an input gave a response, with its interval.

    Example: descend invert curve.json --response 309,296,419

    Example: descend invert line.json --response 104 --response 100 --level 0.9
    """
    from descend.results.loading import load

    fitted = load(model, options.function_of(function))
    held = others(at or [])
    within = None if between is None else range_of(between)
    inverses = [
        fitted.invert(
            values,
            interval=interval,
            level=level or 0.95,
            mean=mean,
            sigma=sigma,
            input=along,
            at={**held, **row},
            between=within,
        )
        for text in response
        for values, row in _samples(text, fitted, along, held)
    ]
    if json:
        say_json([each.plain() for each in inverses])
    else:
        of = _beside(fitted.units.get(fitted.model.response))
        say("\n".join(_line(each, _beside(fitted.units.get(each.input)), of) for each in inverses))


def _samples(text: str, fitted: Fit, wanted: str | None, inputs: Mapping[str, object]) -> Iterator[Sample]:
    """Yield the samples that a text names: replicates with commas between them, or the rows of a file."""
    try:
        yield [number_or_measured(sample_text) for sample_text in text.split(",")], {}
        return
    except ValueError:
        if not Path(text).exists():
            raise ConfigError(
                f"`--response` takes numbers, such as 309,296,419, or a file; it was given `{text}`."
            ) from None
    from descend.inference.quantities.curve import inputs_named
    from descend.table import open_table

    table, model = open_table(text), fitted.model
    columns = table.numbers(model.response_columns)
    names = [name for name in inputs_named(model) if name in table.names and name not in inputs and name != wanted]
    # The input to solve for may be a column of the file, too: it is what is asked for.
    if wanted is None and len(names) == len(inputs_named(model)) - len(inputs):
        raise ConfigError(f"`{text}` has a column for every input. Say which to solve for with --for {names[-1]}.")
    cells = {name: values for name, values in table.cells().items() if name in names}
    for row, value in enumerate(model.observed(columns).tolist()):
        yield [value], {name: values[row] for name, values in cells.items()}


def others(texts: Sequence[str]) -> dict[str, object]:
    """Return the values of ``z=7,site=A`` by name: numbers where they are, else text."""
    inputs_at: dict[str, object] = {}
    for assignment in (assignment for text in texts for assignment in re.split(r",(?=[^,=]*=)", text)):
        name, sign, value = assignment.partition("=")
        if not (sign and name.strip() and value.strip()):
            raise ConfigError(f"`--at` takes names with a value, such as z=7; it was given `{assignment}`.")
        try:
            inputs_at[name.strip().strip("`")] = float(value)
        except ValueError:
            inputs_at[name.strip().strip("`")] = value.strip()
    return inputs_at


def range_of(text: str) -> tuple[float, float]:
    """Return the ends of a range such as ``0:20``. Raises ConfigError."""
    low, _, high = text.partition(":")
    try:
        return float(low), float(high)
    except ValueError:
        raise ConfigError(f"`--between` takes two numbers, such as 0:20; it was given `{text}`.") from None


def _beside(unit: object) -> str:
    return f" {unit}" if isinstance(unit, str) and unit != "1" else ""


def _line(inverse: Inverse, unit: str, of: str) -> str:
    """Return what people read of an inverse prediction. unit: of the input; of: of the response."""
    response = ", ".join(f"{value:g}" for value in inverse.response) + of
    return f"{response}:  {inverse.said(unit)}"
