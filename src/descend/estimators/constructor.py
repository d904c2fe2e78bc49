"""The parameters of an estimator's constructor, made from the options of a fit."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TypeVar

from descend.options.request import OPTIONS

LEFT_OUT = {
    "response": "it is `y`",
    "inputs": "they are the columns of `X`",
    "weights": "they are the `sample_weight` of `fit`",
    "where": "estimators keep every row; choose rows beforehand",
    "missing": "scikit-learn refuses missing values",
    "like": "`clone` and `set_params` do this",
    "checkpoint": "a search over parameters would resume the wrong fit",
    "resume": "a search over parameters would resume the wrong fit",
    "log_every": "the trace is in `fit_`",
    "on_step": "a function cannot be cloned faithfully",
    "on_groups": "a function cannot be cloned faithfully",
    "covariance": "it belongs to all rows of one table, which cross-validation takes apart",
    "by": "it stands in the signature of the estimators themselves",
}
"""Options of ``descend.fit`` that no estimator has, and why: scikit-learn has its own way, which no option knows of."""

Class = TypeVar("Class", bound=type)


def with_options(*without: str, **own: object) -> Callable[[Class], Class]:
    """Give an estimator a constructor of its own parameters, then of all options of a fit by the same names.

    It keeps every value as it was given, as scikit-learn asks. A default given here replaces that of a fit.
    without: the options that it settles itself.
    """
    options = {key: option for key, option in OPTIONS.items() if key not in LEFT_OUT and key not in without}
    defaults = own | {key: own.get(key, option.default) for key, option in options.items()}

    def decorate(estimator: Class) -> Class:
        def construct(self: object, *positional: object, **given: object) -> None:
            bound = signature.bind(self, *positional, **given)
            bound.apply_defaults()
            self.__dict__.update(list(bound.arguments.items())[1:])

        first, *others = defaults
        kinds = {first: inspect.Parameter.POSITIONAL_OR_KEYWORD} | dict.fromkeys(others, inspect.Parameter.KEYWORD_ONLY)
        signature = inspect.Signature(
            [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
            + [inspect.Parameter(name, kind, default=defaults[name]) for name, kind in kinds.items()]
        )
        construct.__signature__ = signature  # type: ignore[attr-defined]
        construct.__name__, construct.__qualname__ = "__init__", f"{estimator.__qualname__}.__init__"
        estimator.__init__ = construct  # type: ignore[misc]
        return estimator

    return decorate


def options_of(estimator: object) -> dict[str, object]:
    """Return the options of a fit that an estimator's parameters give."""
    return {key: getattr(estimator, key) for key in OPTIONS if key not in LEFT_OUT}
