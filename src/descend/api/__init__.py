"""The functions that a user calls: the rooms wired together, and nothing else."""

from typing import TYPE_CHECKING

from descend.api.fitting import fit, fit_request

if TYPE_CHECKING:
    from descend.api.formulas import check, derive, explain, generate, range_test

__all__ = ["check", "derive", "explain", "fit", "fit_request", "generate", "range_test"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'descend.api' has no attribute {name!r}")
    from descend.api import formulas  # which a fit does without

    function: object = getattr(formulas, name)
    return function
