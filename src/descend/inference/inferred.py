"""What follows from a solution, as an attribute of a fit: computed when it is asked for, or read from its file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar, overload

from descend.descent.solution import Solution

Value = TypeVar("Value")


class Holder(Protocol):
    """What has such attributes: a fit."""

    def _inferred(self, name: str, function: Callable[[Solution], Value]) -> Value:
        """Return ``function`` of the solution, or what the file holds under ``name``."""
        ...


class Inferred(Generic[Value]):
    """An attribute computed from the solution, or, for a loaded fit, read from the file under the same name."""

    def __init__(self, function: Callable[[Solution], Value]) -> None:
        self.function, self.__doc__ = function, function.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, fit: None, owner: type) -> Inferred[Value]: ...
    @overload
    def __get__(self, fit: Holder, owner: type) -> Value: ...
    def __get__(self, fit: Holder | None, owner: type) -> Inferred[Value] | Value:
        return self if fit is None else fit._inferred(self.name, self.function)
