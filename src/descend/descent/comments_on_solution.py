"""Functions that comment on a solution: computed once each, and a failure of one does not lose the fit."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from descend.errors import DescendError


class Answering(Protocol):
    """An object that keeps the answers of functions about it, by name, and the failures among them."""

    @property
    def answers(self) -> dict[str, Any]: ...
    @property
    def failures(self) -> list[str]: ...


Subject = TypeVar("Subject", bound=Answering)
Value = TypeVar("Value")
More = ParamSpec("More")


def once(function: Callable[Concatenate[Subject, More], Value]) -> Callable[Concatenate[Subject, More], Value]:
    """Decorate a function of a solution, and of plain values, so that the solution keeps what it answers to each."""
    name = f"{function.__module__}.{function.__qualname__}"

    @wraps(function)
    def kept(solution: Subject, /, *args: More.args, **kwargs: More.kwargs) -> Value:
        key = f"{name}{args}{kwargs}" if args or kwargs else name
        if key not in solution.answers:
            solution.answers[key] = function(solution, *args, **kwargs)
        answer: Value = solution.answers[key]
        return answer

    return kept


def comment(
    subject: str, empty: Callable[[], Any] = lambda: None
) -> Callable[[Callable[[Subject], Value]], Callable[[Subject], Value]]:
    """Decorate a function of a solution: computed once; if it fails, it gives ``empty`` and ``failures`` says why.

    subject: in words, with an article. Errors meant for the user are raised as usual.
    """

    def decorate(function: Callable[[Subject], Value]) -> Callable[[Subject], Value]:
        @wraps(function)
        def attempted(solution: Subject) -> Value:
            value: Value = empty()
            with attempt(subject, solution.failures):
                value = function(solution)
            return value

        return once(attempted)

    return decorate


class attempt:  # noqa: N801 - a context manager that is called like a function, at a third of the time of a generator
    """Catch the failure of something that only comments on a fit; a sentence about it goes to ``failures``, once.

    >>> failures = []
    >>> with attempt("the digits", failures):
    ...     raise ArithmeticError("no digits here")
    >>> failures
    ['the digits could not be told: no digits here (ArithmeticError)']
    """

    def __init__(self, subject: str, failures: list[str]) -> None:
        self.subject, self.failures = subject, failures

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        if not isinstance(error, Exception) or isinstance(error, DescendError):
            return False
        why = " ".join(str(error).split()) or "it"
        sentence = f"{self.subject} could not be told: {why} ({type(error).__name__})"
        if sentence not in self.failures:
            self.failures.append(sentence)
        return True
