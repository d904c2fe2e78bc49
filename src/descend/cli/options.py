"""The options that several commands share, and the readers of those whose text has a syntax."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from typer import Argument

from descend.cli.verb import MOST_USED
from descend.errors import ConfigError
from descend.options.option import Option, Values
from descend.options.request import OPTIONS
from descend.options.units import number_or_measured
from descend.registry import split_assignments, split_list

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

UsageError: Callable[..., Exception] = typer.BadParameter.__bases__[0]
"""The base class of usage errors, of the Click that Typer uses."""
Command = TypeVar("Command", bound=Callable[..., None])


Model = Annotated[
    str,
    Argument(
        metavar="FORMULA|FILE.py:NAME",
        help='The model: a formula such as "y ~ a*exp(-b*x) + c", or a function in a Python file, which is run.',
    ),
]
DATA = Argument(
    metavar="DATA...", help="CSV, Parquet or JSON files, patterns such as 'data/*.csv', or - for standard input."
)
Data = Annotated[list[str], DATA]
DataOfFit = Annotated[list[str] | None, DATA]
"""As `Data`; with ``--like`` they stand where the model stands else."""
FITTING = tuple(key for key, option in OPTIONS.items() if option.on_command_line)
"""The options of a fit, in the order of the help."""
OUTPUT = (
    Option("level", None, "Level of confidence of the interval; 0.95 if not given.", "number", "NUMBER"),
    Option(
        "plot",
        None,
        "Draw the fit to a .png, .svg, .pdf, .eps or .jpg file; repeatable.",
        "texts",
        "PICTURE",
        often=True,
    ),
    Option("log", None, "Axes of the picture that are logarithmic: x, y or x,y.", metavar="AXES"),
    Option("log_x", False, "Give the picture a logarithmic axis across.", "switch"),
    Option("log_y", False, "Give the picture a logarithmic axis upwards.", "switch"),
    Option("x_label", None, "Words along the axis across.", metavar="TEXT"),
    Option("y_label", None, "Words along the axis upwards.", metavar="TEXT"),
    Option("title", None, "Words above the picture, in the place of the formula.", metavar="TEXT"),
    Option(
        "size", None, "Of the picture on paper, such as 85mm or 85mmx60mm, or on a screen, 8x5 inches.", metavar="SIZE"
    ),
    Option(
        "style", None, "screen, print, presentation, dark, a style of Matplotlib, or an .mplstyle file.", metavar="NAME"
    ),
    Option("bands", None, "Of the picture: confidence, prediction, both with a comma, or none.", metavar="BANDS"),
    Option("residuals", False, "Draw the residuals below the curve.", "switch"),
    Option("table_output", None, "Write a table for print: .tex, .md, .csv or .html.", metavar="FILE"),
    Option("table_errors", None, "In that table: parentheses, 0.1234(56), or plus-minus.", metavar="FORM"),
    Option("json", False, "Print one JSON object; all else goes to stderr.", "switch"),
    Option("quiet", False, "Print nothing but errors.", "switch", short="-q"),
    Option("columns", None, "The names that are data, such as x,t; else x, t, z and the like are.", metavar="LIST"),
)
"""Further options that several commands share: what is shown, and where it goes."""
FUNCTION = Option(
    "function", None, "Of a model that is a function: where it is.", metavar="FILE.py:NAME", flag="--model"
)
"""The function that a model file does not hold."""
LOOK = ("log", "log_x", "log_y", "x_label", "y_label", "title", "size", "style", "bands", "residuals")
"""Options for the look of a picture."""
NO_RESPONSE = "Which column does the function predict? Say so with --response y."
REQUIRED = inspect.Parameter.empty
"""Stands as the default of an option that must be given."""
TYPES: Mapping[str, object] = {
    "text": str,
    "texts": list[str],
    "values": list[str],
    "whole": str,
    "number": str,
    "number or text": str,
    "switch": bool,
}
METAVARS = {"whole": "N", "number": "NUMBER"}
"""What stands for values of these forms in the help, of options that do not say."""


def takes(*options: str | Option) -> Callable[[Command], Command]:
    """Give a command its options, as keys or as its own `Option`, in the order of its help; it gets their values."""
    options_by_key = {**OPTIONS, **{option.key: option for option in OUTPUT}}

    def with_options(verb: Command) -> Command:
        signature = inspect.signature(verb, eval_str=True)
        arguments = [each for each in signature.parameters.values() if each.kind is each.POSITIONAL_OR_KEYWORD]
        named = [_parameter(options_by_key[each] if isinstance(each, str) else each) for each in options]
        keys = [each.name for each in (*arguments, *named)]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise ConfigError(f"`{twice}` is an option of this command already. Give yours from outside another key.")
        verb.__signature__ = signature.replace(parameters=[*arguments, *named])  # type: ignore[attr-defined]
        return verb

    return with_options


def _parameter(option: Option) -> inspect.Parameter:
    """Return an option in the form that Typer reads: a parameter of the command's function."""
    kind: Any = TYPES[option.form]
    flags = f"{option.spelled}/{option.switched_off}" if option.default is True else option.spelled
    spelled = [flags, *([option.short] if option.short else [])]
    # A parser's ValueError, such as ConfigError, would be told in Typer's words; that of a callback is not.
    option_reader: Callable[..., object] | None = _reader(option) if option.form in ("whole", "number") else None
    if option.form == "number or text":
        option_reader = _number_or_text
    panel = MOST_USED if option.often else option.subject
    typer_option = typer.Option(
        *spelled,
        metavar=option.metavar or METAVARS.get(option.form),
        help=option.help,
        callback=option_reader,
        rich_help_panel=panel,
    )
    kind = kind | None if option.default is None else kind
    return inspect.Parameter(
        option.key, inspect.Parameter.KEYWORD_ONLY, default=option.default, annotation=Annotated[kind, typer_option]
    )


def _number_or_text(text: str | None) -> float | str | None:
    """Return a number where there is one: a penalty may be a word too, and rows held out a file."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return text


def _reader(option: Option) -> Callable[[str | None], int | float | None]:
    """Return a reader of numbers whose error names the option."""
    kind, words = (int, "a whole number") if option.form == "whole" else (float, "a number")

    def read(text: str | None) -> int | float | None:
        try:
            return None if text is None else kind(text)
        except ValueError:
            raise ConfigError(f"`{option.spelled}` takes {words}; it was given `{text}`.") from None

    return read


def formula_and_data(
    formula: str, data: list[str] | None, like: str | None, context: typer.Context
) -> tuple[str | None, list[str]]:
    """Return the model and the data that stand in a command; with ``--like`` all may be data."""
    from descend.cli.python_file import named_in_file

    if like is not None and "~" not in formula and not callable(named_in_file(formula)):
        return None, [formula, *(data or [])]
    if not data:
        raise UsageError("Missing argument 'DATA...'.", ctx=context)
    return formula, data


def fitting(formula: str | None, data: Sequence[str], options_given: Values) -> dict[str, Any]:
    """Return the arguments of `descend.fit` from those of a command: the model, and the options by name.

    Raises ConfigError if formula and data were exchanged, or a function is missing or has no response.
    """
    swapped = next((text for text in data if "~" in text and " " in text), None)
    if swapped is not None and formula is not None and "~" not in formula:
        raise ConfigError(f"The formula comes first, then the data: give `{swapped}` before `{formula}`.")
    from descend.cli.python_file import gradient_in_file, named_in_file

    values, function_in_file = values_of(options_given), None if formula is None else named_in_file(formula)
    unsaid = values.get("response") is None and options_given.get("like") is None
    if callable(function_in_file) and unsaid and not hasattr(function_in_file, "named_parameters"):
        raise ConfigError(NO_RESPONSE)
    gradient = gradient_in_file(options_given.get("gradient") or [])
    return {"model": function_in_file or formula, **values, **({} if gradient is None else {"gradient": gradient})}


def formula_in(
    text: str, data: Sequence[str] | None, listed: str | None, response: str | None
) -> tuple[str, list[str] | None]:
    """Return a formula and the names that are data, also of a function that ``FILE.py:NAME`` names.

    listed: what ``--columns`` lists, in place of data.
    """
    from descend.cli.python_file import named_in_file

    if data and listed is not None:
        raise ConfigError("Data and --columns both say which names are data. Give one of them.")
    function_in_file, columns = named_in_file(text), None if listed is None else split_list(listed)
    if not callable(function_in_file):
        if response is not None:
            raise ConfigError("`--response` names what a function predicts. A formula says that itself: leave it out.")
        return function_in_file or text, columns
    from descend.models.function_text import formula_of
    from descend.table import open_table

    columns_known = open_table(one_or_all(data)).names if data else columns
    formula, names = formula_of(function_in_file, columns_known, response)
    return formula, None if data else list(names)


def function_of(text: str | None) -> Callable[..., object] | None:
    """Return the function that ``--model FILE.py:NAME`` names, None if it is not given."""
    if text is None:
        return None
    from descend.cli.python_file import named_in_file

    function_in_file: object = named_in_file(text)
    if not callable(function_in_file):
        raise ConfigError(f"`--model {text}` names no function. Write --model FILE.py:NAME.")
    return function_in_file


def values_of(options_given: Values) -> dict[str, Any]:
    """Return the options of a fit among those of a command, in Python's form: pairs by name, one gradient as text."""
    values = {key: value for key, value in options_given.items() if key in OPTIONS}
    for key, value in values.items():
        if OPTIONS[key].form == "values":
            values[key] = assignments(value or [], OPTIONS[key].spelled)
    if len(values.get("gradient") or ()) == 1:
        values["gradient"] = values["gradient"][0]
    return values


def look(options: Values) -> dict[str, Any]:
    """Return the look of a picture from the options of a command: the arguments of `Fit.plot` that were given.

    >>> look({"log_x": True, "log_y": False, "size": "8x5", "title": None})
    {'size': '8x5', 'log': 'x'}
    """
    also = [side for side in ("x", "y") if options.get(f"log_{side}") and side not in (options.get("log") or "")]
    log = ",".join([options.get("log") or "", *also]).strip(",")
    look_options = {name: options.get(name) for name in ("x_label", "y_label", "title", "size", "style", "bands")}
    look_options |= {"log": log or None, "residuals": options.get("residuals") or None}
    return {name: value for name, value in look_options.items() if value is not None}


def one_or_all(data: Sequence[str]) -> str | list[str]:
    """Return a single file as its name, several as a list."""
    return data[0] if len(data) == 1 else list(data)


WITHOUT_COMMAS = re.compile(r"\s*[^\s=;`]+\s*=\s*[^\s=;]+(?:\s*[\s;]\s*[^\s=;`]+\s*=\s*[^\s=;]+)+[\s;]*")
"""Several names with their numbers, between which a comma would have to stand."""


def assignments(texts: Sequence[str], option: str, example: str = "w=0") -> dict[str, float | str | list[float | str]]:
    """Read ``w=0,b=1``, and several numbers for one name as in ``w=1,2,3``; one with a unit, ``b=5/min``, stays text.

    Raises ConfigError for anything else, and for a name given twice.

    >>> assignments(["w=1,2", "b=0,c=3"], "--start")
    {'w': [1.0, 2.0], 'b': 0.0, 'c': 3.0}
    """
    values: dict[str, list[float | str]] = {}
    for text in texts:
        name = ""
        for assignment in split_assignments(text):
            if WITHOUT_COMMAS.fullmatch(assignment):
                with_commas = re.sub(r"\s*[\s;,]\s*(?=[^\s=;,]+=)", ",", re.sub(r"\s*=\s*", "=", text.strip()))
                raise ConfigError(f"`{option} {text}` cannot be read. Put commas between: `{option} {with_commas}`.")
            before, sign, number = assignment.rpartition("=")
            if sign:
                name = before.strip().strip("`")
                if name in values:
                    raise ConfigError(f"`{option}` gives `{name}` twice. Give it once.")
                values[name] = []
            try:
                values[name].append(number_or_measured(number))
            except (KeyError, ValueError):
                raise ConfigError(
                    f"`{option} {text}` cannot be read. Write a name and a number, such as `{option} {example}`."
                ) from None
        if not name:
            raise ConfigError(f"`{option}` is empty. Write a name and a number, such as `{option} {example}`.")
    return {name: numbers[0] if len(numbers) == 1 else numbers for name, numbers in values.items()}


def with_gaps(numbers: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return numbers with None for any that are missing or not finite; words as they are."""
    import numpy as np

    if numbers.dtype.kind == "O":  # words
        return numbers
    finite = np.isfinite(numbers)
    if finite.all():
        return numbers
    gaps = numbers.astype(object)
    gaps[~finite] = None
    return gaps
