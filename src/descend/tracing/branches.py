"""Follows every way through the branches of a function, and joins what they lead to: `if a < 0` becomes a choice."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from descend.tracing.facts import Facts
from descend.tracing.tape import Path, Tape, UntraceableError

MOST_WAYS = 32
"""Ways through a function; each is a call of it."""
MISUSES = (TypeError, AttributeError, NameError, LookupError, NotImplementedError, RecursionError)
"""Exceptions that a function does not raise to refuse parameters."""


def explored(tape: Tape, call: Callable[[], int]) -> int:
    """Return the place of what a function computes, which is called once for each way through its branches.

    call: calls the function and returns the place of its result. Parameters that it refuses, by `raise ValueError`,
    `assert`, NaN or infinity, have no result: there the formula says what the other way says, which only shows once the
    function is called there (see `proof`).

    Raises UntraceableError if there are too many ways.
    """
    before, ways = tape.path, list[tuple[dict[int, bool], int | None]]()
    decided: tuple[bool, ...] | None = ()
    try:
        while decided is not None:
            if len(ways) == MOST_WAYS:
                raise UntraceableError(f"has more than {MOST_WAYS} ways through its branches")
            tape.path = Path(Facts(tape.entries), decided)
            ways.append((tape.path.answers, _result(tape, call, tape.path)))
            decided = _next(list(tape.path.answers.values()))
    finally:
        tape.path = before
    result_on_tape = _joined(tape, [(list(answers.items()), result) for answers, result in ways], 0)
    if result_on_tape is None:
        raise UntraceableError("raises an error whatever its parameters")
    return result_on_tape


def _result(tape: Tape, call: Callable[[], int], path: Path) -> int | None:
    try:
        result_on_tape = call()
    except MISUSES:
        raise
    except Exception:
        if not path.answers:
            raise
        return None
    number = tape.value(result_on_tape)
    return result_on_tape if number is None or math.isfinite(number) or not path.answers else None


def _next(answers: list[bool]) -> tuple[bool, ...] | None:
    """Return the answers that lead the next way: the last that was yes is no now; None if there was none."""
    while answers and not answers[-1]:
        answers.pop()
    return (*answers[:-1], False) if answers else None


def _joined(tape: Tape, ways: Sequence[tuple[list[tuple[int, bool]], int | None]], depth: int) -> int | None:
    """Return the place where results of ways stand that are the same up to a depth."""
    if len(ways) == 1:
        return ways[0][1]
    condition = ways[0][0][depth][0]
    if any(answers[depth][0] != condition for answers, _ in ways):
        raise UntraceableError("goes another way each time it is called")
    yes, no = (
        _joined(tape, [way for way in ways if way[0][depth][1] is answer], depth + 1) for answer in (True, False)
    )
    if yes is None or no is None or yes == no:
        return no if yes is None else yes
    return tape.apply("where", condition, yes, no)
