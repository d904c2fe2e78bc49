"""A tape to the text of a formula."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from functools import lru_cache

from descend.formula.printers.code import AND as AND_
from descend.formula.printers.code import ATOM, COMPARE, NOT, POWER, PRODUCT, SIGN, SUM, plain_name
from descend.formula.printers.code import OR as OR_
from descend.tracing.facts import Entry
from descend.tracing.tape import COMPARISONS, UntraceableError

LONGEST = 10_000
"""Characters of a formula; to derive and to study a longer one takes longer than to call the function many times."""
Piece = tuple[str, int]
"""A text, and the rank of its outermost operator."""
RANKS = {"or": OR_, "and": AND_, **dict.fromkeys(COMPARISONS, COMPARE), "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT}
OPERATORS = {symbol: f" {symbol} " if rank not in (PRODUCT,) else symbol for symbol, rank in RANKS.items()}


def text_of(entries: Sequence[Entry], result: int) -> str:
    """Return what stands at a place of a tape as text of our formulas. Raises UntraceableError if it is too long.

    >>> text_of([("parameter", "a"), ("column", "x"), ("*", 0, 1), ("exp", 2)], 3)
    'exp(a*x)'
    """
    return _text(tuple(entries), result)


@lru_cache(maxsize=1024)
def _text(entries: tuple[Entry, ...], result: int) -> str:
    pieces: dict[int, Piece] = {}
    called = {str(entry[0]) for entry in entries}  # whose names, bare, mean nothing else in the text
    for place in _needed(entries, result):
        pieces[place] = _piece(entries[place], pieces, called)
        if len(pieces[place][0]) > LONGEST:
            raise UntraceableError("does so much that its formula would be longer than anybody could read")
    return pieces[result][0]


def _needed(entries: Sequence[Entry], result: int) -> list[int]:
    """Return the places that a result is made of, in order."""
    found, waiting = set(), [result]
    while waiting:
        place = waiting.pop()
        if place not in found:
            found.add(place)
            waiting.extend(operand for operand in entries[place][1:] if type(operand) is int)
    return sorted(found)


def _piece(entry: Entry, pieces: dict[int, Piece], called: Collection[str]) -> Piece:
    operation, *operands = entry
    match operation:
        case "number":
            return _number(operands[0])
        case "column" | "parameter":
            return plain_name(str(operands[0]), called), ATOM
        case "component":
            return f"({plain_name(str(operands[0]))} @ [{operands[1]}])", ATOM
        case "neg":
            return f"-{_within(pieces[operands[0]], SIGN)}", SIGN
        case "not":
            return f"not {_within(pieces[operands[0]], COMPARE)}", NOT
        case "^":
            base, exponent = (pieces[place] for place in operands)
            return f"{_within(base, ATOM)}^{_within(exponent, SIGN)}", POWER
    parts = [pieces[place] for place in operands]
    rank = RANKS.get(str(operation))
    if rank is None:
        return f"{operation}({', '.join(text for text, _ in parts)})", ATOM
    tighter = rank + 1
    first = _within(parts[0], tighter if rank == COMPARE else rank)
    # a - (b + c) and a/(b*c) need their brackets; a sum within a sum does not.
    second = _within(parts[1], rank if operation in ("+", "*", "and", "or") else tighter)
    if second.startswith("-"):
        second = f"({second})"
    return f"{first}{OPERATORS[str(operation)]}{second}", rank


def _within(piece: Piece, least: int) -> str:
    text, rank = piece
    return text if rank >= least else f"({text})"


def _number(value: float) -> Piece:
    if not math.isfinite(value):
        raise UntraceableError(f"gives {value} a part in its result, which no formula can hold")
    text = str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return text, SIGN if text.startswith("-") else ATOM
