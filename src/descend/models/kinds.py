"""The kinds of model, and which of them is made from what a user gave."""

from __future__ import annotations

from descend.errors import ConfigError
from descend.models.contract import Model
from descend.models.curve import CurveModel
from descend.models.formula import FormulaModel
from descend.models.function import FunctionModel
from descend.models.module import ModuleModel

KINDS: list[type[Model]] = [FormulaModel, ModuleModel, CurveModel, FunctionModel]
"""The first kind that takes what was given is used; modules precede functions, as they can be called like them."""


def register(kind: type[Model]) -> type[Model]:
    """Register a kind of model, as a decorator; it is tried before the existing kinds."""
    KINDS.insert(0, kind)
    return kind


def kind_of(given: object) -> type[Model]:
    """Return the kind of model that is made of what was given. Raises ConfigError if there is none."""
    for kind in KINDS:
        if kind.takes(given):
            return kind
    *others, last = sorted({kind.kind for kind in KINDS}, key=str.casefold)
    raise ConfigError(f"A model is a {', a '.join(others)} or a {last}; this is a {type(given).__name__}.")
