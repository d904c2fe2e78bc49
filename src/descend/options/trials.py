"""The option `trials`: of how many trials each share is, which is its weight under a loss of outcomes."""

from __future__ import annotations

from typing import Any

from descend.errors import ConfigError
from descend.losses import LOSSES, advised_for
from descend.models import kind_of
from descend.options.option import Values
from descend.options.request import check_options, is_default
from descend.wording import spell


def with_trials(model: object, options: Values) -> dict[str, Any]:
    """Return the options with the trials as weights, and with the loss of shares where none is given.

    Raises ConfigError for a number that is not above 0, beside weights or sigma, for a module, and for a loss that is
    not of shares.

    >>> with_trials("dead/n ~ sigmoid(a + b*x)", {"trials": "n", "loss": "squared"})["loss"]
    'binomial'
    """
    check_options({"trials": options["trials"]})
    _refuse_none(options["trials"])
    for option in ("weights", "sigma"):
        if options.get(option) is not None:
            raise ConfigError(
                f"{spell('trials')} says how much each share weighs, and so does {spell(option)}. Leave out one of the "
                "two; rows that occur several times have as many times the trials."
            )
    loss, usual = options.get("loss"), advised_for("shares of trials")
    if kind_of(model).in_place:
        raise ConfigError(
            f"{spell('trials')} is for formulas and functions. Give a module the loss {usual}, and the trials as "
            f"{spell('weights')}."
        )
    if loss is None or is_default("loss", loss):
        loss = usual
    elif not LOSSES.build(loss).two_levels:
        raise ConfigError(
            f"{spell('trials')} is of shares of trials, and the {LOSSES.build(loss).name} loss is not. Use the {usual} "
            f"loss, or leave out {spell('trials')}."
        )
    return {**options, "weights": options["trials"], "loss": loss}


def _refuse_none(trials: object) -> None:
    """Raise ConfigError for a number of trials, for all rows, that is not above 0."""
    if not isinstance(trials, str | int | float):
        return  # values of the rows, which are checked with these
    try:
        number = float(trials)
    except ValueError:
        return  # a column
    if not number > 0.0:
        raise ConfigError(f"The trials of each share must be above 0; {spell('trials')} is {trials}.")
