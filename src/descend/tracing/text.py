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
    for tape_place in _needed(entries, result):
        pieces[tape_place] = _piece(entries[tape_place], pieces, called)
        if len(pieces[tape_place][0]) > LONGEST:
            raise UntraceableError("does so much that its formula would be longer than anybody could read")
    return pieces[result][0]


def _needed(entries: Sequence[Entry], result: int) -> list[int]:
    """Return the places that a result is made of, in order."""
    places_needed, waiting = set(), [result]
    while waiting:
        tape_place = waiting.pop()
        if tape_place not in places_needed:
            places_needed.add(tape_place)
            waiting.extend(operand for operand in entries[tape_place][1:] if type(operand) is int)
    return sorted(places_needed)


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
            base, exponent = (pieces[operand_place] for operand_place in operands)
            return f"{_within(base, ATOM)}^{_within(exponent, SIGN)}", POWER
    operand_pieces = [pieces[operand_place] for operand_place in operands]
    rank = RANKS.get(str(operation))
    if rank is None:
        return f"{operation}({', '.join(text for text, _ in operand_pieces)})", ATOM
    tighter = rank + 1
    first = _within(operand_pieces[0], tighter if rank == COMPARE else rank)
    # a - (b + c) and a/(b*c) need their brackets; a sum within a sum does not.
    second = _within(operand_pieces[1], rank if operation in ("+", "*", "and", "or") else tighter)
    if second.startswith("-"):
        second = f"({second})"
    return f"{first}{OPERATORS[str(operation)]}{second}", rank


def _within(piece: Piece, least_strength: int) -> str:
    text, rank = piece
    return text if rank >= least_strength else f"({text})"


def _number(value: float) -> Piece:
    if not math.isfinite(value):
        raise UntraceableError(f"gives {value} a part in its result, which no formula can hold")
    text = str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return text, SIGN if text.startswith("-") else ATOM
