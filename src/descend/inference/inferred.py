"""What follows from a solution, as an attribute of a fit: computed when it is asked for, or read from its file."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Generic, Protocol, TypeVar, overload

from descend.descent.solution import Solution

Value = TypeVar("Value")


class Holder(Protocol):
    """What has such attributes: a fit."""

    def _inferred(self, name: str, function: Callable[[Solution], Value]) -> Value:
        """Return ``function`` of the solution, or what the file holds under ``name``."""
        ...


class Inferred(Generic[Value]):
    """An attribute computed from the solution, or, for a loaded fit, read from the file under the same name.

    source: the function that computes it, or its place in this room, ``module:function``, so that it is imported when
    it is needed: most fits are asked for few of their attributes.
    """

    def __init__(self, source: str | Callable[[Solution], Value]) -> None:
        self.source = source

    def of(self, solution: Solution) -> Value:
        """Compute the attribute."""
        function = self.source
        if isinstance(function, str):
            module, _, name = function.partition(":")
            function = self.source = getattr(import_module(f"descend.inference.{module}"), name)
        return function(solution)

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, fit: None, owner: type) -> Inferred[Value]: ...
    @overload
    def __get__(self, fit: Holder, owner: type) -> Value: ...
    def __get__(self, fit: Holder | None, owner: type) -> Inferred[Value] | Value:
        return self if fit is None else fit._inferred(self.name, self.of)
