"""The options that more than one verb takes, and the texts among them that need reading."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option
from typer.core import TyperCommand

from descend.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Verb(TyperCommand):
    """A command whose help names the losses, optimizers and schedules there are, looked up only when help is shown."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help, with the registered names where ``{losses}`` and the like stand."""
        for parameter in self.params:
            text = getattr(parameter, "help", None)
            if text and "{" in text:
                parameter.help = text.format_map(_registered())  # type: ignore[attr-defined]
        super().format_help(ctx, formatter)


def _registered() -> dict[str, str]:
    from descend.losses import LOSSES
    from descend.optimizers import OPTIMIZERS, SCHEDULES

    return {
        "losses": ", ".join(LOSSES),
        "optimizers": ", ".join(OPTIMIZERS),
        "schedules": ", ".join(SCHEDULES),
    }


def whole(option: str) -> Any:
    """Return a reader of whole numbers that names the option in its error."""
    return _reader(int, f"`{option}` takes a whole number")


def number(option: str) -> Any:
    """Return a reader of numbers that names the option in its error."""
    return _reader(float, f"`{option}` takes a number")


def _reader(kind: type[int] | type[float], wanted: str) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return kind(text)
        except ValueError:
            raise ConfigError(f"{wanted}; it was given `{text}`.") from None

    return read


Formula = Annotated[str, Argument(metavar="FORMULA", help='The model, such as "y ~ a*exp(-b*x) + c".')]
Data = Annotated[
    list[str],
    Argument(
        metavar="DATA...", help="CSV, Parquet or JSON files, patterns such as 'data/*.csv', or - for standard input."
    ),
]
Start = Annotated[
    list[str] | None, Option(metavar="NAME=VALUE", help="Starting value, such as w=0 or w=0,b=1; may be repeated.")
]
Gradient = Annotated[
    list[str] | None,
    Option(
        metavar="TEXT",
        help='derived (the default), autograd, or by hand: "w = mean(2*x*(w*x - y))", once for each parameter.',
    ),
]
Loss = Annotated[
    str,
    Option(metavar="LOSS", help='{losses}; settings as in "huber(delta=2)".'),
]
Weights = Annotated[str | None, Option(metavar="COLUMN", help="Column of row weights, relative to each other.")]
Sigma = Annotated[
    str | None, Option(metavar="COLUMN", help="Column of known standard deviations of the response, in its unit.")
]
Errors = Annotated[
    str | None,
    Option(metavar="model|sandwich", help="Standard errors from the curvature, or robust against unlike residuals."),
]
L1 = Annotated[
    float,
    Option(
        "--l1", metavar="NUMBER", parser=number("--l1"), help="Penalty on the sum of |parameter|: gives exact zeros."
    ),
]
L2 = Annotated[
    float, Option("--l2", metavar="NUMBER", parser=number("--l2"), help="Penalty on the sum of parameter^2.")
]
Bound = Annotated[list[str] | None, Option(metavar="TEXT", help='Bounds, such as "b>0" or "0<=c<=1"; may be repeated.')]
Fix = Annotated[
    list[str] | None,
    Option(metavar="NAME=VALUE", help="Hold a parameter at a value, such as c=0 or w[x2]=1; may be repeated."),
]
Tie = Annotated[
    list[str] | None, Option(metavar="TEXT", help='Let others set a parameter, as in "b2 = 2*b1"; may be repeated.')
]
Optimizer = Annotated[
    str | None,
    Option(
        metavar="OPTIMIZER",
        help='{optimizers}; settings as in "adam(beta1=0.8)". One is chosen if not given.',
    ),
]
LearningRate = Annotated[
    str | None, Option(metavar="NUMBER|auto", help="auto takes it from the curvature at the start.")
]
Schedule = Annotated[str, Option(metavar="SCHEDULE", help="{schedules}.")]
Epochs = Annotated[
    int | None,
    Option(
        metavar="N",
        parser=whole("--epochs"),
        help="Run this many passes over the rows; otherwise the run ends when it has converged.",
    ),
]
BatchSize = Annotated[
    int | None, Option(metavar="N", parser=whole("--batch-size"), help="Rows per step; all of them if not given.")
]
Seed = Annotated[int, Option(metavar="N", parser=whole("--seed"), help="Fixes the order of the batches.")]
Tolerance = Annotated[
    float | None,
    Option(metavar="NUMBER", parser=number("--tolerance"), help="End the run once the gradient is this close to zero."),
]
TimeLimit = Annotated[
    float | None, Option(metavar="SECONDS", parser=number("--time-limit"), help="End the run after so long.")
]
Where = Annotated[str | None, Option(metavar="CONDITION", help="Use only rows for which this SQL condition holds.")]
Missing = Annotated[str, Option(metavar="raise|drop", help="What to do with rows that lack a value.")]
Engine = Annotated[
    str, Option(metavar="ENGINE", help="auto, numpy, torch, moments (one pass) or query (in the database).")
]
Device = Annotated[str | None, Option(metavar="DEVICE", help="Device of the engine torch, such as cuda.")]
Checkpoint = Annotated[
    str | None, Option(metavar="FILE", help="Note every few seconds where the run stands, for --resume.")
]
Resume = Annotated[bool, Option("--resume", help="Go on from the checkpoint, to the same trajectory.")]
MemoryLimit = Annotated[str | None, Option(metavar="SIZE", help="Such as 1GiB: beyond it rows stay in their files.")]
Level = Annotated[
    float | None,
    Option(metavar="NUMBER", parser=number("--level"), help="Level of confidence of the interval; 0.95 if not given."),
]
Standardize = Annotated[
    bool, Option("--standardize", help="Descend in standardised columns; all that is reported stays in your units.")
]
Plot = Annotated[
    list[str] | None,
    Option(metavar="PICTURE", help="Draw the fit to a .png, .svg, .pdf or .jpg file; may be repeated."),
]
LogX = Annotated[bool, Option("--log-x", help="Give the picture a logarithmic axis across.")]
LogY = Annotated[bool, Option("--log-y", help="Give the picture a logarithmic axis upwards.")]
XLabel = Annotated[str | None, Option(metavar="TEXT", help="Words along the axis across.")]
YLabel = Annotated[str | None, Option(metavar="TEXT", help="Words along the axis upwards.")]
Title = Annotated[str | None, Option(metavar="TEXT", help="Words above the picture, in the place of the formula.")]
Size = Annotated[str | None, Option(metavar="WIDTHxHEIGHT", help="Of the picture, in inches, such as 8x5.")]
Residuals = Annotated[bool, Option("--residuals", help="Draw the residuals below the curve.")]
Json = Annotated[bool, Option("--json", help="Print one JSON object; all else goes to stderr.")]
Quiet = Annotated[bool, Option("--quiet", "-q", help="Print nothing but errors.")]

FITTING = (
    "loss", "weights", "sigma", "errors", "l1", "l2", "optimizer", "learning_rate", "schedule", "epochs", "batch_size",
    "seed", "tolerance", "time_limit", "where", "missing", "engine", "device", "memory_limit", "standardize",
    "checkpoint", "resume",
)  # fmt: skip
"""The options that `descend.fit` takes as they are."""


def fitting(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keyword arguments of `descend.fit` from the options of a verb, by name.

    Raises ConfigError if formula and data stand in each other's place.
    """
    swapped = next((text for text in given.get("data") or () if "~" in text and " " in text), None)
    if swapped is not None and "~" not in given.get("formula", "~"):
        raise ConfigError(f"The formula comes first, then the data: give `{swapped}` before `{given['formula']}`.")
    arguments = {name: given[name] for name in FITTING if name in given}
    gradients = given["gradient"] or []
    arguments["gradient"] = gradients[0] if len(gradients) == 1 else gradients or None
    arguments["start"] = assignments(given["start"] or [], "--start")
    arguments["bounds"], arguments["ties"] = given["bound"], given["tie"]
    arguments["fix"] = assignments(given["fix"] or [], "--fix")
    return arguments


def look(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a picture is to look from the options of a verb: the arguments of `Fit.plot` that were given.

    >>> look({"log_x": True, "log_y": False, "size": "8x5", "title": None})
    {'log': 'x', 'size': ('8', '5')}
    """
    log = "x" * bool(given.get("log_x")) + "y" * bool(given.get("log_y"))
    size = given.get("size")
    wanted = {name: given.get(name) for name in ("x_label", "y_label", "title")}
    wanted |= {"log": log or None, "size": size and tuple(re.split("[xX×,]", size))}
    wanted |= {"residuals": given.get("residuals") or None}
    return {name: value for name, value in wanted.items() if value is not None}


def one_or_all(data: Sequence[str]) -> str | list[str]:
    """Return a single file by its name, several as a list."""
    return data[0] if len(data) == 1 else list(data)


def assignments(texts: Sequence[str], option: str) -> dict[str, float | list[float]]:
    """Read ``w=0,b=1``, and several numbers for one name as in ``w=1,2,3``.

    Raises ConfigError for anything else, and for a name given twice.

    >>> assignments(["w=1,2", "b=0,c=3"], "--start")
    {'w': [1.0, 2.0], 'b': 0.0, 'c': 3.0}
    """
    values: dict[str, list[float]] = {}
    for text in texts:
        name = ""
        # Names may be in backticks, as in a formula, and hold commas there.
        for part in re.findall(r"(?:`[^`]*`|[^,`])+", text):
            before, sign, number = part.rpartition("=")
            if sign:
                name = before.strip().strip("`")
                if name in values:
                    raise ConfigError(f"`{option}` gives `{name}` twice. Give it once.")
                values[name] = []
            try:
                values[name].append(float(number))
            except (KeyError, ValueError):
                raise ConfigError(
                    f"`{option} {text}` cannot be read. Write a name and a number, such as `{option} w=0`."
                ) from None
        if not name:
            raise ConfigError(f"`{option}` is empty. Write a name and a number, such as `{option} w=0`.")
    return {name: numbers[0] if len(numbers) == 1 else numbers for name, numbers in values.items()}


def with_gaps(numbers: NDArray[Any]) -> NDArray[Any]:
    """Return numbers with None in place of those that are missing or not finite, if any are."""
    import numpy as np

    finite = np.isfinite(numbers)
    if finite.all():
        return numbers
    gaps = numbers.astype(object)
    gaps[~finite] = None
    return gaps
