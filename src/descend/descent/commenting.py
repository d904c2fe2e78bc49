"""What comments on a solution is asked once, and may fail without taking the fit with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Protocol, TypeVar

from descend.errors import DescendError


class Answering(Protocol):
    """What keeps the answers to what it was asked, by name, and says what could not be answered."""

    @property
    def answers(self) -> dict[str, Any]: ...
    @property
    def failures(self) -> list[str]: ...


Asked = TypeVar("Asked", bound=Answering)
Value = TypeVar("Value")


def once(function: Callable[[Asked], Value]) -> Callable[[Asked], Value]:
    """Let a function of a solution be computed once for each: the solution keeps the answer."""
    name = f"{function.__module__}.{function.__qualname__}"

    @wraps(function)
    def kept(solution: Asked) -> Value:
        if name not in solution.answers:
            solution.answers[name] = function(solution)
        answer: Value = solution.answers[name]
        return answer

    return kept


def comment(
    subject: str, empty: Callable[[], Any] = lambda: None
) -> Callable[[Callable[[Asked], Value]], Callable[[Asked], Value]]:
    """Let a function of a solution be computed once, and be ``empty`` where it fails, which ``failures`` then tell.

    subject: in words, with an article. Errors meant for the user are raised as ever.
    """

    def decorate(function: Callable[[Asked], Value]) -> Callable[[Asked], Value]:
        @wraps(function)
        def attempted(solution: Asked) -> Value:
            value: Value = empty()
            with attempt(subject, solution.failures):
                value = function(solution)
            return value

        return once(attempted)

    return decorate


@contextmanager
def attempt(subject: str, failures: list[str]) -> Iterator[None]:
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
        sentence = f"{subject} could not be told: {' '.join(str(error).split()) or 'it'} ({type(error).__name__})"
        if sentence not in failures:
            failures.append(sentence)
