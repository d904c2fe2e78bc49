"""The kinds of model, and which of them is made from what a user gave."""

from __future__ import annotations

from collections.abc import Iterator

from descend.errors import ConfigError
from descend.models.contract import Model
from descend.models.formula import FormulaModel
from descend.registry import changed

REGISTERED: list[type[Model]] = []
"""Kinds from outside, the last registered first."""


def kinds() -> Iterator[type[Model]]:
    """Yield the kinds of model, those from outside first. The first that takes what was given is used.

    Each is imported when it is reached, so that a formula waits for no other. Modules precede functions, as they can be
    called like them.
    """
    yield from REGISTERED
    yield FormulaModel
    from descend.models.module import ModuleModel

    yield ModuleModel
    from descend.models.curve import CurveModel

    yield CurveModel
    from descend.models.function import FunctionModel

    yield FunctionModel


def register(kind: type[Model]) -> type[Model]:
    """Register a kind of model, as a decorator; it is tried before the existing kinds."""
    REGISTERED.insert(0, kind)
    changed()
    return kind


def kind_of(model_given: object) -> type[Model]:
    """Return the kind of model that is made of what was given. Raises ConfigError if there is none."""
    for kind in kinds():
        if kind.takes(model_given):
            return kind
    *other_kinds, last = sorted({kind.kind for kind in kinds()}, key=str.casefold)
    raise ConfigError(f"A model is a {', a '.join(other_kinds)} or a {last}; this is a {type(model_given).__name__}.")
