"""The options that say how to descend, where the rows are summed, and what is shown of the run."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from descend.options import checks
from descend.options.checks import is_path, is_switch, is_text, must_be, whole_number
from descend.options.of_model import OptionsOfModel
from descend.options.option import option

if TYPE_CHECKING:
    from descend.optimizers import Optimizer, Schedule


@dataclass(init=False, frozen=True, eq=False, repr=False, kw_only=True)
class OptionsOfDescent(OptionsOfModel):
    """How to descend."""

    subject: ClassVar[str] = "The descent"
    together: ClassVar[bool] = False
    optimizer: str | Optimizer | None = option(
        None,
        '{optimizers}; settings as in "adam(beta1=0.8)". One is chosen if not given.',
        check=checks.optimizer,
        metavar="OPTIMIZER",
        identity="optimizer",
        label=("Optimizers", "优化算法"),
        often=True,
        synonyms="method algorithm solver opt",
        steers=True,
    )
    learning_rate: float | str | None = option(
        None,
        "auto takes it from the curvature at the start.",
        check=checks.rate,
        metavar="NUMBER|auto",
        identity="learning rate",
        label=("Learning rate η", "学习率 η"),
        often=True,
        synonyms="lr rate alpha eta step-size stepsize",
        range_tested=False,
        steers=True,
    )
    schedule: str | Schedule | Callable[..., object] = option(
        "constant",
        "{schedules}.",
        check=checks.schedule,
        metavar="SCHEDULE",
        identity="schedule",
        range_tested=False,
        steers=True,
        needed=True,
    )
    epochs: int | None = option(
        None,
        "Run this many passes over the rows; otherwise the run ends when it has converged.",
        "whole",
        whole_number("number of epochs", 0),
        metavar="N",
        identity="number of epochs",
        label=("Epochs", "轮数"),
        often=True,
        synonyms="iterations iters iter n-iter niter max-iter maxiter max-iterations max-epochs n-epochs steps",
        range_tested=False,
        steers=True,
    )
    batch_size: int | None = option(
        None,
        "Rows per step; all of them if not given.",
        "whole",
        whole_number("batch size", 1),
        metavar="N",
        identity="batch size",
        label=("Batch size", "批量大小"),
        needs_rows=True,
        synonyms="batch batchsize",
        steers=True,
    )
    seed: int = option(
        0,
        "Fixes the order of the batches, and which rows are held out.",
        "whole",
        whole_number("seed", 0),
        metavar="N",
        identity="seed",
        together=True,
        synonyms="random-state random-seed",
    )
    tolerance: float | None = option(
        None,
        "End the run once the gradient is this close to zero.",
        "number",
        checks.positive("tolerance"),
        metavar="NUMBER",
        synonyms="tol ftol gtol xtol eps epsilon",
        range_tested=False,
    )
    time_limit: float | None = option(
        None,
        "End the run after so long.",
        "number",
        checks.positive("time limit"),
        metavar="SECONDS",
        synonyms="timeout max-time",
        range_tested=False,
    )
    engine: str = option(
        "auto",
        "auto, numpy, torch, moments (one pass) or query (in the database).",
        check=must_be("a text", is_text),
        metavar="ENGINE",
        identity="engine",
        together=True,
        needed=True,
    )
    device: str | None = option(
        None,
        "Device of the engine torch, such as cuda.",
        metavar="DEVICE",
        check=must_be("a text such as `cuda`", is_text, lambda value: type(value).__name__ == "device"),
        together=True,
    )
    checkpoint: str | os.PathLike[str] | None = option(
        None,
        "Note every few seconds where the run stands, for --resume.",
        check=must_be("the path of a file", is_path),
        metavar="FILE",
        repeat=False,
        range_tested=False,
    )
    resume: bool = option(
        False,
        "Go on from the checkpoint, to the same trajectory.",
        "switch",
        must_be("True or False", is_switch),
        repeat=False,
        range_tested=False,
    )
    standardize: bool = option(
        False,
        "Descend in standardised columns; all that is reported stays in your units.",
        "switch",
        must_be("True or False", is_switch),
        identity="standardised",
        needs_rows=True,
        synonyms="standardise normalize normalise scale",
        lacking="`standardize` is for formulas and functions: the weights of a module stand for no columns. Leave "
        "it out, and scale what the module takes, or begin it with torch.nn.BatchNorm1d.",
    )
    sharpness: bool | int | str = option(
        False,
        "Show the largest eigenvalue of the curvature in the log, and in the JSON.",
        "switch",
        checks.sharpness,
        range_tested=False,
        needed=True,
    )
    memory_limit: str | int | None = option(
        None,
        "Such as 1GiB: beyond it rows stay in their files.",
        check=checks.one_value,
        metavar="SIZE",
        together=True,
    )
    log_every: int | None = option(
        None,
        "Print every N epochs, and the last.",
        "whole",
        whole_number("log_every", 1),
        metavar="N",
        repeat=False,
        synonyms="verbose v print-every",
    )
    on_step: Callable[..., object] | None = option(None, check=must_be("a function", callable), repeat=False)
    on_groups: Callable[..., object] | None = option(
        None, check=must_be("a function", callable), repeat=False, together=True
    )
