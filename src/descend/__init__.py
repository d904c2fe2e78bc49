"""Fit a model to data by gradient descent, wherever the data lie, and see how it was done.

    fit       a formula, a Python function or a PyTorch module, to a table     -> Fit
    compare   several models of the same rows, or several optimizers            -> ModelComparison, Comparison
    check     a gradient, against the true one: what is wrong with it           -> Judgement
    derive    the gradient of a formula, in several languages                  -> Derivation
    explain   what a formula says before any descent                           -> Explanation
    range_test   which learning rates lower the loss, and which are unstable   -> RangeTest
    generate  a table from formulas with random numbers                        -> dict of arrays
    curve_fit a function to arrays, with SciPy's call                          -> popt, pcov
    load      a model file                                                     -> Fit
    watch     the training loop of a block, and what is wrong with it          -> Watched
    DescendError and its kinds FormulaError, DataError, ConfigError, OutputError

Names are imported when they are first used, so that ``import descend`` costs nothing.
"""

from __future__ import annotations

import gc
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from descend.api import check, derive, explain, fit, generate, range_test
    from descend.comparing import Comparison, ModelComparison, compare
    from descend.curve_fitting import curve_fit
    from descend.descent import Outcome, Step, Trace
    from descend.doctor import watch
    from descend.errors import ConfigError, DataError, DescendError, FormulaError, OutputError
    from descend.gradients.court import Judgement
    from descend.many import load
    from descend.results import Fit

_PLACES = {
    "descend.api": ("check", "derive", "explain", "fit", "generate", "range_test"),
    "descend.comparing": ("Comparison", "ModelComparison", "compare"),
    "descend.curve_fitting": ("curve_fit",),
    "descend.descent": ("Outcome", "Step", "Trace"),
    "descend.doctor": ("watch",),
    "descend.errors": ("ConfigError", "DataError", "DescendError", "FormulaError", "OutputError"),
    "descend.results": ("Fit",),
    "descend.gradients.court": ("Judgement",),
    "descend.many": ("load",),
}

__all__ = [
    "Comparison",
    "ConfigError",
    "DataError",
    "DescendError",
    "Fit",
    "FormulaError",
    "Judgement",
    "ModelComparison",
    "Outcome",
    "OutputError",
    "Step",
    "Trace",
    "check",
    "compare",
    "curve_fit",
    "derive",
    "explain",
    "fit",
    "generate",
    "load",
    "range_test",
    "watch",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("descend")
    place = next((place for place, names in _PLACES.items() if name in names), None)
    if place is None:
        raise AttributeError(f"module 'descend' has no attribute {name!r}")
    value = getattr(_imported(place), name)
    globals()[name] = value
    return value


def _imported(place: str) -> ModuleType:
    """Import a module: of the hundreds of thousands of objects that it leaves, none is garbage to be looked for."""
    if not gc.isenabled() or gc.get_freeze_count():  # as the program has its own way with it
        return import_module(place)
    gc.disable()
    try:
        return import_module(place)
    finally:
        gc.freeze()  # together: what is there now counts as old, without being looked through
        gc.unfreeze()
        gc.enable()


def __dir__() -> list[str]:
    return sorted(__all__)
