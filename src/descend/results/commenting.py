"""What comments on a fit may fail without taking the fit with it: one line says what could not be told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar, overload

from descend.errors import DescendError

Value = TypeVar("Value")


class Comment(Generic[Value]):
    """An attribute computed once, when somebody asks for it; where that fails it is ``empty``, and the fit says so.

    what: the attribute in words, with an article. Errors meant for the user are raised as ever.
    """

    def __init__(self, what: str, method: Callable[[Any], Value], empty: Callable[[Any], Value]) -> None:
        self.what, self.method, self.empty = what, method, empty
        self.__doc__ = method.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, fit: None, owner: type) -> Comment[Value]: ...
    @overload
    def __get__(self, fit: object, owner: type) -> Value: ...
    def __get__(self, fit: Any, owner: type) -> Comment[Value] | Value:
        if fit is None:
            return self
        value = self.empty(fit)
        with attempt(self.what, fit.failures):
            value = self.method(fit)
        fit.__dict__[self.name] = value
        return value


def comment(
    what: str, empty: Callable[[Any], Any] = lambda fit: None
) -> Callable[[Callable[[Any], Value]], Comment[Value]]:
    """Make an attribute of a method, as ``cached_property`` does, that does not take the fit with it if it fails."""
    return lambda method: Comment(what, method, empty)


@contextmanager
def attempt(what: str, failures: list[str]) -> Iterator[None]:
    """Let something fail that only comments on a fit: what could not be told goes to ``failures``, once.

    >>> failures = []
    >>> with attempt("the digits", failures):
    ...     raise ArithmeticError("no digits here")
    >>> failures
    ['the digits could not be told: no digits here (ArithmeticError)']
    """
    try:
        yield
    except DescendError:
        raise
    except Exception as error:
        said = f"{what} could not be told: {' '.join(str(error).split()) or 'it'} ({type(error).__name__})"
        if said not in failures:
            failures.append(said)
