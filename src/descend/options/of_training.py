"""The options that say which rows are held out of a fit, and how the run of a PyTorch module goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import ClassVar

from descend.errors import ConfigError
from descend.options import checks
from descend.options.checks import is_switch, is_text, must_be, whole_number
from descend.options.of_descent import OptionsOfDescent
from descend.options.option import Values, option
from descend.wording import spell


def _one_of(*known: str) -> checks.Check:
    def check(key: str, value: object) -> None:
        if not is_text(value) or value not in known:
            raise ConfigError(f"`{key}` is `{'` or `'.join(known)}`, not {value!r}.")

    return check


def _precision(key: str, value: object) -> None:
    if str(value).removeprefix("torch.") not in ("bf16", "bfloat16", "bf16-mixed"):
        raise ConfigError(
            f"`{key}` is `bf16`, not {value!r}. Half precision, fp16, would need its losses scaled; for double "
            "precision, give module.double()."
        )


def _decay(key: str, value: object) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0.0 < value < 1.0:
        raise ConfigError(f"`{key}` is a decay between 0 and 1, such as 0.999, not {value!r}.")


def _share(key: str, value: object) -> None:
    if isinstance(value, int | float) and not (isinstance(value, float) and 0.0 < value < 1.0):
        raise ConfigError(
            f"`{key}` is a share of the rows between 0 and 1, such as 0.2, or rows of its own; this is {value!r}."
        )


def _kept(key: str, value: object) -> None:
    if not is_text(value) or value not in ("last", "best"):
        raise ConfigError(f"`{key}` says which parameters are left, `last` or `best`, not {value!r}.")


def _at_least_zero(key: str, value: object) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not value >= 0:
        raise ConfigError(f"`{key}` is a number that is not negative, not {value!r}.")


@dataclass(init=False, frozen=True, eq=False, repr=False, kw_only=True)
class OptionsOfValidation(OptionsOfDescent):
    """Which rows are held out, and what the loss on them decides; `training/` reads them for modules."""

    subject: ClassVar[str] = "Rows held out"
    together: ClassVar[bool] = False

    validation: object = option(
        None,
        "Hold out this share of the rows, or take those of a file, and tell the loss on them after each epoch.",
        "number or text",
        _share,
        metavar="SHARE|FILE",
        label=("Rows held out", "留出的行"),
    )
    patience: int | None = option(
        None,
        "End the run after N epochs without a lower validation loss.",
        "whole",
        whole_number("patience", 1),
        metavar="N",
        range_tested=False,
    )
    min_delta: float = option(
        0.0, "By how much it has to be lower to count.", "number", _at_least_zero, metavar="NUMBER", range_tested=False
    )
    keep: str = option(
        "last",
        "Parameters that are kept: last, or best by validation.",
        check=_kept,
        metavar="WHICH",
        range_tested=False,
    )


def refuse_without_validation(values: Values) -> None:
    """Refuse options that make no sense without rows held out. Raises ConfigError."""
    patience, best = values.get("patience"), values.get("keep") == "best"
    if values.get("validation") is None:
        if patience is not None:
            raise ConfigError(
                f"{spell('patience')} counts epochs without a lower validation loss, so give {spell('validation')}, "
                "such as 0.2."
            )
        if best:
            raise ConfigError(
                f"The best parameters are those of the lowest validation loss: give {spell('validation')}, such as 0.2."
            )
    if values.get("min_delta") and patience is None and not best:
        raise ConfigError(
            f"{spell('min_delta')} is by how much a validation loss has to be lower to count, so give "
            f"{spell('patience')}, too."
        )


@dataclass(init=False, frozen=True, eq=False, repr=False, kw_only=True)
class OptionsOfTraining(OptionsOfValidation):
    """How the run of a module goes; `training/course.py` reads them."""

    subject: ClassVar[str] = "PyTorch modules"
    together: ClassVar[bool] = False

    monitor: str = option(
        "loss",
        "What patience and keep watch: the loss, or a metric.",
        check=must_be("the name of a measure, such as `accuracy`", is_text),
        metavar="NAME",
        range_tested=False,
    )
    clip: float | None = option(
        None, "Cut the gradient of a module to this norm.", "number", checks.positive("clip"), metavar="NORM"
    )
    clip_value: float | None = option(
        None,
        "Cut each number of the gradient of a module to this size.",
        "number",
        checks.positive("clip_value"),
        metavar="NUMBER",
    )
    accumulate: int = option(
        1, "Add up the gradients of N batches for a step.", "whole", whole_number("accumulate", 1), metavar="N"
    )
    schedule_every: str | None = option(
        None,
        "Whether a scheduler of PyTorch counts steps or epochs; by its kind if not given.",
        check=_one_of("step", "epoch"),
        metavar="WHICH",
        range_tested=False,
    )
    precision: str | None = option(
        None, "bf16: compute a module in bfloat16 where that is safe, by autocast.", check=_precision, metavar="BITS"
    )
    compile: bool = option(
        False, "Compile a module by torch.compile.", "switch", must_be("True or False", is_switch), repeat=False
    )
    ema: float | None = option(
        None,
        "Average the weights of a module over its steps with this decay, such as 0.999.",
        "number",
        _decay,
        metavar="DECAY",
        range_tested=False,
    )
    metrics: object = option(
        None,
        "A metric of a module after each epoch, such as accuracy or rmse; may be repeated.",
        "texts",
        metavar="NAME",
        flag="--metric",
        range_tested=False,
    )
    callbacks: Sequence[object] | Callable[..., object] | None = option(
        None, check=must_be("a list of callbacks", lambda value: not is_text(value)), repeat=False, range_tested=False
    )
    progress: bool | None = option(None, check=must_be("True or False", is_switch), repeat=False)


TRAINING = tuple(each.name for each in fields(OptionsOfTraining)[len(fields(OptionsOfValidation)) :])
"""The options that only a module takes."""
