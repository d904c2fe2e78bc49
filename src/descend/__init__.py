"""Fit a model to data by gradient descent, wherever the data lie, and see how it was done.

    fit       a formula, a Python function or a PyTorch module, to a table     -> Fit
    compare   the same with several optimizers                                 -> Comparison
    derive    the gradient of a formula, in several languages                  -> Derivation
    generate  a table from formulas with random numbers                        -> dict of arrays
    load      a model file                                                     -> Fit
    DescendError and its kinds FormulaError, DataError, ConfigError, OutputError

Names are imported when they are first used, so that ``import descend`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from descend.api import Comparison, compare, derive, fit, generate, load
    from descend.descent import Outcome, Step, Trace
    from descend.errors import ConfigError, DataError, DescendError, FormulaError, OutputError
    from descend.fit import Fit

_PLACES = {
    "fit": "descend.api", "compare": "descend.api", "derive": "descend.api", "generate": "descend.api", "load": "descend.api",
    "Comparison": "descend.api", "Fit": "descend.fit", "Outcome": "descend.descent", "Step": "descend.descent", "Trace": "descend.descent",
    "DescendError": "descend.errors", "FormulaError": "descend.errors", "DataError": "descend.errors",
    "ConfigError": "descend.errors", "OutputError": "descend.errors",
}  # fmt: skip

__all__ = [
    "Comparison", "ConfigError", "DataError", "DescendError", "Fit", "FormulaError", "Outcome", "OutputError", "Step", "Trace",
    "compare", "derive", "fit", "generate", "load",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'descend' has no attribute {name!r}")
    value = getattr(import_module(_PLACES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
