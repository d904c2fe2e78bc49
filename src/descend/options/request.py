"""Every option of a fit, defined once, and the values that a user asked for.

A new option is one field of `Request`, with its default, its sentence of help and its check. This makes the command
line accept it (`descend.cli.options`), ``descend.fit`` know it, a report repeat it, a checkpoint compare it with that
of a resumed run, and messages spell it (`descend.wording`); its label is that of its control in the lab.
What remains is the code that uses it, which reads it from the request. (A test asks for its name in the signature of
``descend.fit``, too, where editors look.)

An option from outside the package is registered, `register(Option("key", ...))`, and read as ``request["key"]``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from descend.options import checks
from descend.options.checks import is_by_name, is_path, is_switch, is_text, is_texts, must_be, whole_number
from descend.options.option import Option, Values, option, options_of
from descend.wording import FLAGS

if TYPE_CHECKING:
    from descend.losses import Loss
    from descend.optimizers import Optimizer
    from descend.parameters.bounds import Given as Bounded
    from descend.parameters.ties import Ties
    from descend.table.rows import Roles

Gradient = str | Sequence[str] | Callable[..., Any] | None


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Request:
    """What the user asked for: the options of ``descend.fit``."""

    response: str | None = option(
        None, "Column that a Python function predicts.", check=checks.column, metavar="COLUMN"
    )
    inputs: Sequence[str] | None = option(None, check=must_be("a list of names of columns", is_texts))
    by: str | Sequence[str] | None = option(
        None,
        "One fit for each group of rows that share the values of these columns, such as plate,well; may be repeated.",
        "texts",
        must_be("the name of a column, or a list of them", is_text, is_texts),
        metavar="COLUMNS",
    )
    start: Values | None = option(
        None,
        "Starting value, such as w=0 or w=0,b=1; may be repeated.",
        "values",
        checks.start,
        metavar="NAME=VALUE",
        label=("Start", "起点"),
    )
    gradient: Gradient = option(
        None,
        'derived (the default), autograd, jax, or by hand: "w = mean(2*x*(w*x - y))", once for each parameter.',
        "texts",
        must_be("a text, a list of texts or a function", callable, is_texts),
        metavar="TEXT|FILE.py:NAME",
        identity="gradient",
        label=("Your own gradient", "自己推导梯度"),
    )
    loss: str | Loss = option(
        "squared",
        '{losses}; settings as in "huber(delta=2)".',
        check=checks.loss,
        metavar="LOSS",
        identity="loss",
        label=("Loss", "损失函数"),
    )
    weights: str | None = option(
        None, "Column of row weights, relative to each other.", check=checks.column, metavar="COLUMN"
    )
    sigma: str | None = option(
        None,
        "Column of known standard deviations of the response, in its unit.",
        metavar="COLUMN",
        check=must_be("the name of a column, an array with a value for each row, or a number", is_text),
    )
    x_sigma: Ties = option(
        None,
        "Standard deviation of an input, a column or a number, such as t=dt or t=0.1; may be repeated.",
        *("texts", must_be('standard deviations by name, such as {"t": "dt"}', is_texts, is_by_name)),
        metavar="INPUT=COLUMN|NUMBER",
    )
    offset: str | None = option(
        None,
        "Column that is added to the linear predictor: inside exp( ), sigmoid( ), or to the prediction itself.",
        metavar="COLUMN",
        check=must_be("the name of a column, or an array with a value for each row", is_text),
    )
    exposure: str | None = option(
        None,
        "Column that multiplies the mean of a count, such as the time or the area over which it was counted.",
        metavar="COLUMN",
        check=must_be("the name of a column, or an array with a value for each row", is_text),
    )
    errors: str | None = option(
        None,
        "Standard errors from the curvature, or robust against unlike residuals.",
        check=must_be("a text", is_text),
        metavar="model|sandwich",
    )
    l1: float = option(
        0.0,
        "Penalty on the sum of |parameter|: gives exact zeros.",
        "number",
        checks.penalty,
        metavar="NUMBER",
        identity="penalty",
    )
    l2: float = option(
        0.0, "Penalty on the sum of parameter^2.", "number", checks.penalty, metavar="NUMBER", identity="penalty"
    )
    bounds: Bounded = option(
        None,
        'Bounds, such as "b>0" or "0<=c<=1"; may be repeated.',
        "texts",
        must_be("a list of texts such as `b > 0`, or limits by name", is_texts, is_by_name),
        metavar="TEXT",
        flag="--bound",
        identity="bounds",
    )
    fix: Values | None = option(
        None,
        "Hold a parameter at a value, such as c=0 or w[x2]=1; may be repeated.",
        "values",
        must_be('values by name, such as {"c": 0}', is_text, is_by_name),
        metavar="NAME=VALUE",
        identity="parameters",
    )
    ties: Ties = option(
        None,
        'Let others set a parameter, as in "b2 = 2*b1"; may be repeated.',
        "texts",
        must_be("a list of texts such as `b2 = 2*b1`", is_texts, is_by_name),
        metavar="TEXT",
        flag="--tie",
        identity="parameters",
    )
    reference: Values | Sequence[str] | str | None = option(
        None,
        'The level to compare others with, such as "u=red" or "color=red"; may be repeated.',
        "texts",
        must_be('texts such as `u=red`, or levels by name, such as {"u": "red"}', is_texts, is_by_name),
        metavar="NAME=LEVEL",
        identity="parameters",
    )
    quantities: Ties = option(
        None,
        'A number that follows from the parameters, such as "half_life = log(2)/b"; may be repeated.',
        "texts",
        must_be("a list of texts such as `half_life = log(2)/b`, or expressions by name", is_texts, is_by_name),
        metavar="TEXT",
        flag="--quantity",
    )
    optimizer: str | Optimizer | None = option(
        None,
        '{optimizers}; settings as in "adam(beta1=0.8)". One is chosen if not given.',
        check=checks.optimizer,
        metavar="OPTIMIZER",
        identity="optimizer",
        label=("Optimizers", "优化算法"),
    )
    learning_rate: float | str | None = option(
        None,
        "auto takes it from the curvature at the start.",
        check=checks.rate,
        metavar="NUMBER|auto",
        identity="learning rate",
        label=("Learning rate η", "学习率 η"),
    )
    schedule: str = option("constant", "{schedules}.", check=checks.schedule, metavar="SCHEDULE", identity="schedule")
    epochs: int | None = option(
        None,
        "Run this many passes over the rows; otherwise the run ends when it has converged.",
        "whole",
        whole_number("number of epochs", 0),
        metavar="N",
        identity="number of epochs",
        label=("Epochs", "轮数"),
    )
    batch_size: int | None = option(
        None,
        "Rows per step; all of them if not given.",
        "whole",
        whole_number("batch size", 1),
        metavar="N",
        identity="batch size",
        label=("Batch size", "批量大小"),
    )
    seed: int = option(
        0, "Fixes the order of the batches.", "whole", whole_number("seed", 0), metavar="N", identity="seed"
    )
    tolerance: float | None = option(
        None,
        "End the run once the gradient is this close to zero.",
        "number",
        checks.positive("tolerance"),
        metavar="NUMBER",
    )
    time_limit: float | None = option(
        None, "End the run after so long.", "number", checks.positive("time limit"), metavar="SECONDS"
    )
    where: str | None = option(
        None,
        "Use only rows for which this SQL condition holds.",
        check=checks.condition,
        metavar="CONDITION",
        identity="rows",
    )
    missing: str = option(
        "raise",
        "What to do with rows that lack a value.",
        check=must_be("`raise` or `drop`", is_text),
        metavar="raise|drop",
        identity="rows",
    )
    engine: str = option(
        "auto",
        "auto, numpy, torch, moments (one pass) or query (in the database).",
        check=must_be("a text", is_text),
        metavar="ENGINE",
        identity="engine",
    )
    device: str | None = option(
        None,
        "Device of the engine torch, such as cuda.",
        metavar="DEVICE",
        check=must_be("a text such as `cuda`", is_text, lambda value: type(value).__name__ == "device"),
    )
    checkpoint: str | os.PathLike[str] | None = option(
        None,
        "Note every few seconds where the run stands, for --resume.",
        check=must_be("the path of a file", is_path),
        metavar="FILE",
        repeat=False,
    )
    resume: bool = option(
        False,
        "Go on from the checkpoint, to the same trajectory.",
        "switch",
        must_be("True or False", is_switch),
        repeat=False,
    )
    standardize: bool = option(
        False,
        "Descend in standardised columns; all that is reported stays in your units.",
        "switch",
        must_be("True or False", is_switch),
        identity="standardised",
    )
    sharpness: bool | int | str = option(
        False, "Show the largest eigenvalue of the curvature in the log, and in the JSON.", "switch", checks.sharpness
    )
    memory_limit: str | int | None = option(
        None, "Such as 1GiB: beyond it rows stay in their files.", check=checks.one_value, metavar="SIZE"
    )
    log_every: int | None = option(
        None, "Print every N epochs, and the last.", "whole", whole_number("log_every", 1), metavar="N", repeat=False
    )
    on_step: Callable[..., object] | None = option(None, check=must_be("a function", callable), repeat=False)
    on_groups: Callable[..., object] | None = option(None, check=must_be("a function", callable), repeat=False)
    model: object = None
    data: object = None
    given: Values = field(default_factory=dict)
    """Model, data and the options that differ from their defaults, as the user gave them."""
    more: Values = field(default_factory=dict)
    """The values of options that were registered from outside, by key."""
    polish: bool = True
    """Whether a start found by search may be improved by a short descent."""
    grow: bool = False
    """Whether a start may be improved on samples of many rows."""
    second_look: bool = True
    """Whether a search may look for a lower minimum than the one that the user's start led to."""
    bare: bool = False
    """Whether only the parameters are asked for: nothing is looked at to comment on, and what the data do not determine
    is no error."""
    notes: tuple[str, ...] = ()
    """What was decided about the request by looking at the data, in sentences."""
    unsettled: Request | None = None
    """This request before the scale of its loss was estimated from the data."""

    def but(self, **values: object) -> Request:
        """Return the same with other values: `dataclasses.replace`, in a tenth of its time."""
        changed = object.__new__(Request)
        changed.__dict__.update(self.__dict__, **values)
        changed.__dict__.pop("roles", None)
        return changed

    def check(self) -> None:
        """Raise ConfigError for the first option with a wrong value."""
        check_options({key: self[key] for key in OPTIONS})

    def __getitem__(self, key: str) -> Any:
        """Return the value of an option."""
        return self.more.get(key, OPTIONS[key].default) if key not in FIELDS else getattr(self, key)

    @property
    def identity(self) -> dict[str, object]:
        """The values of registered options that have to be the same for a run to be resumed, by their ``identity``."""
        others = (option for key, option in OPTIONS.items() if key not in FIELDS and option.identity)
        return {option.identity: self[option.key] for option in others}

    @property
    def batched(self) -> bool:
        """Whether the descent takes the rows in batches."""
        return self.batch_size is not None

    @property
    def full_epochs(self) -> int | None:
        """The number of passes over all rows at once; None if it is not given, or if the rows are taken in batches."""
        return None if self.batched else self.epochs

    @property
    def bounded(self) -> bool:
        """Whether the descent can keep parameters within bounds that the user did not ask for."""
        from descend.optimizers import OPTIMIZERS

        named = OPTIMIZERS.build(self.optimizer) if isinstance(self.optimizer, str) else self.optimizer
        return getattr(named, "bounded", named is None)

    @cached_property
    def roles(self) -> Roles:
        """The columns with a role of their own: weights and sigma."""
        from descend.table.rows import Roles

        return Roles(self.weights, self.sigma)


FIELDS = options_of(Request)
OPTIONS = dict(FIELDS)
"""Every option of a fit by key, in the order of the help; registered ones come after ours."""
FLAGS.update({key: option.flag for key, option in OPTIONS.items() if option.flag})


def register(option: Option) -> None:
    """Add an option from outside the package: ``descend.fit`` accepts it, and the request has its value in ``more``."""
    OPTIONS[option.key] = option
    if option.flag:
        FLAGS[option.key] = option.flag


def check_options(given: Mapping[str, object], *needed: str) -> None:
    """Raise ConfigError for an option with a wrong value; None stands for one that is not given.

    needed: the options that must be given.

    >>> check_options({"fix": {"c": 0}, "bounds": None})
    >>> check_options({"fix": 3})
    Traceback (most recent call last):
    descend.errors.ConfigError: `fix` must be values by name, such as {"c": 0}, not 3.
    """
    for key, value in given.items():
        if value is not None or key in needed:
            option = OPTIONS.get(key)
            if option is None or value is not option.default:
                checks.ARGUMENTS.get(key, checks.anything if option is None else option.check)(key, value)
