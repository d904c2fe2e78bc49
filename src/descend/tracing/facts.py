"""What follows from conditions that hold: where x < m does, x <= m is true and x >= m false."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Entry = tuple[Any, ...]
"""``("column", name)``, ``("parameter", name)``, ``("component", name, list)``, ``("number", value)``, or an operation
and its operands' places."""
BELOW, EQUAL, ABOVE, NEITHER = 1, 2, 4, 8
"""How two numbers may compare; neither, if one of them is NaN."""
OUTCOMES = {
    "<": BELOW,
    "<=": BELOW | EQUAL,
    ">": ABOVE,
    ">=": ABOVE | EQUAL,
    "==": EQUAL,
    "!=": BELOW | ABOVE | NEITHER,
}
"""The ways to compare in which a comparison is true."""
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
"""What a comparison is called when its sides change places."""


class Facts:
    """Conditions at places of a tape that are known to hold, or not to.

    >>> entries = [("column", "x"), ("parameter", "m"), ("<", 0, 1), (">=", 0, 1), ("not", 3)]
    >>> facts = Facts(entries)
    >>> facts.learn(2, True, never_nan=True)
    >>> facts.known(3), facts.known(4)
    (False, True)
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries
        self.conditions: dict[int, bool] = {}
        self.compared: dict[tuple[int, int], int] = {}

    def within(self, tape_place: int, truth: bool, never_nan: bool) -> Facts:
        """Return these facts and one more."""
        further_facts = Facts(self.entries)
        further_facts.conditions.update(self.conditions)
        further_facts.compared.update(self.compared)
        further_facts.learn(tape_place, truth, never_nan)
        return further_facts

    def learn(self, tape_place: int, truth: bool, never_nan: bool) -> None:
        """Take note that a condition holds, or does not. never_nan: whether what it compares is never NaN."""
        self.conditions[tape_place] = truth
        operation, *operands = self.entries[tape_place]
        if operation == "not":
            self.learn(operands[0], not truth, never_nan)
        elif operation == ("and" if truth else "or"):  # all of them hold, or none
            for operand in operands:
                self.learn(operand, truth, never_nan)
        elif operation in OUTCOMES:
            pair, outcomes = _sorted(operation, *operands)
            every = BELOW | EQUAL | ABOVE | (0 if never_nan else NEITHER)
            self.compared[pair] = self.compared.get(pair, every) & (outcomes if truth else ~outcomes)

    def known(self, tape_place: int) -> bool | None:
        """Return whether the condition at a place holds; None if that does not follow."""
        if tape_place in self.conditions:
            return self.conditions[tape_place]
        operation, *operands = self.entries[tape_place]
        if operation == "not":
            inner = self.known(operands[0])
            return None if inner is None else not inner
        if operation in ("and", "or"):
            truths = [self.known(operand) for operand in operands]
            deciding = operation == "or"
            return deciding if deciding in truths else None if None in truths else not deciding
        if operation not in OUTCOMES:
            return None
        pair, outcomes = _sorted(operation, *operands)
        possible = self.compared.get(pair, -1)
        return True if possible & ~outcomes == 0 else False if possible & outcomes == 0 else None


def _sorted(operation: str, first_place: int, second_place: int) -> tuple[tuple[int, int], int]:
    if first_place > second_place:
        return (second_place, first_place), OUTCOMES[MIRRORED.get(operation, operation)]
    return (first_place, second_place), OUTCOMES[operation]
