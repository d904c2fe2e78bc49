"""Columns of words that count as 0 and 1: those that say no and yes, and outcomes."""

from __future__ import annotations

from collections.abc import Collection, Mapping

OPPOSITES = (("no", "yes"), ("n", "y"), ("false", "true"), ("f", "t"))
"""Words that say no and yes in any case of letters: the first counts as 0, the second as 1."""
SPELLINGS = 12
"""More different words than this are not looked at: they are no spellings of yes and no."""


def truth_of(words: Collection[str]) -> dict[str, float] | None:
    """Return what each word counts as, if all of them say yes or no in the same way; None otherwise.

    >>> truth_of(["yes", "no", "No"]), truth_of(["no", "maybe"])
    ({'yes': 1.0, 'no': 0.0, 'No': 0.0}, None)
    """
    if not 0 < len(words) <= SPELLINGS:
        return None
    for pair in OPPOSITES:
        if all(word.strip().casefold() in pair for word in words):
            return {word: float(pair.index(word.strip().casefold())) for word in words}
    return None


def shown(counted: Mapping[str, float], value: float) -> str:
    """Return the word that counts as a value; of several spellings, the first.

    >>> shown({"no": 0.0, "yes": 1.0}, 1.0)
    'yes'
    """
    return next(word for word, number in counted.items() if number == value)
