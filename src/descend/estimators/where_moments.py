"""A method that an estimator has only where moments of rows say all of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import MethodType
from typing import Any

from descend.engines.moments import refusal
from descend.errors import ConfigError, DescendError
from descend.estimators.constructor import options_of
from descend.formula import read_formula
from descend.gradients.derived import derived
from descend.losses import LEAST_SQUARES
from descend.results.batches import refuse, without_moments

NAME, OF_ARRAYS = re.compile(r"[^\W\d]\w*"), re.compile(r"x\d*")
LONG = 3


class WhereMoments:
    """Like ``available_if`` of scikit-learn: elsewhere ``hasattr`` is False, and the AttributeError says why."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self.method, self.__doc__ = method, method.__doc__

    def __get__(self, estimator: Any, kind: type) -> Callable[..., Any]:
        if estimator is None:
            return self.method
        try:
            refuse({**options_of(estimator), "by": estimator.by})
            _refuse_curves(estimator.formula)
        except ConfigError as error:
            raise AttributeError(str(error)) from None
        return MethodType(self.method, estimator)


def _refuse_curves(formula: object) -> None:
    """Raise ConfigError for a formula of the columns of an array that is not linear; of others the rows will tell.

    Beside x0, x1, ... a name of some length may be a column too, so that `a*x + b*age` is left to the rows.
    """
    text = f"y ~ {formula.rpartition('~')[2].strip()}" if isinstance(formula, str) else ""
    names = dict.fromkeys(NAME.findall(text))
    columns = [name for name in names if OF_ARRAYS.fullmatch(name)]
    if not columns:
        return
    longer = [name for name in names if len(name) >= LONG]
    try:
        refused = refusal(derived(read_formula(text, ["y", *columns, *longer]), LEAST_SQUARES))
    except DescendError:
        return
    if refused is not None:
        raise without_moments(refused)
