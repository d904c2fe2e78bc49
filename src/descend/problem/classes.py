"""Turns a request whose response is one of several classes into one whose loss knows them, and their places as y."""

from __future__ import annotations

import math

from descend.errors import ConfigError, DataError
from descend.losses import LOSSES, Loss
from descend.options.request import Request
from descend.parameters.references import read_references
from descend.problem.left_side import LeftSide
from descend.registry import closest
from descend.table import Table
from descend.table.table import label, listing
from descend.table.yes_no_words import OPPOSITES
from descend.wording import spell

MOST = 100
"""Classes, at most: each has parameters of its own."""
NAMED = 5
"""Classes that a message names."""


def with_classes(request: Request, table: Table) -> tuple[Request, Table]:
    """Return a request whose loss knows the classes of the response, and a table that holds their places, from 0.

    The classes are those that the loss was given, the categories of the data, or what occurs: numbers in their order,
    and words in that of the alphabet, unless the loss needs to know a better one.

    Raises ConfigError or DataError for a response without classes, or without an order that is needed.
    """
    loss = LOSSES.build(request.loss)
    if isinstance(request.model, str) and ";" in request.model:
        raise ConfigError(
            f"The {loss.name} loss is of one response, and several formulas have several. Fit them one by one."
        )
    if not isinstance(request.model, str):
        raise ConfigError(
            f"The {loss.name} loss goes with a formula, such as `y ~ a*x`. Write the model as one, or choose another "
            "loss."
        )
    response = LeftSide.of(request, table)
    name = response.columns[0] if response.columns else response.text
    if response.expression is not None or name not in table.names:
        if response.expression is None:
            return request, table  # the formula is refused where it is read
        raise ConfigError(
            f"The {loss.name} loss is of classes, with which `{response.text}` cannot compute. Write a column on the "
            "left."
        )
    occurring = _occurring(name, loss, table)
    classes = _by_reference(name, loss, _known(name, loss, table, occurring), request)
    present = tuple(each for each in classes if each in set(occurring))
    if loss.classes and len(present) < len(classes):
        absent = next(each for each in classes if each not in present)
        raise DataError(
            f"No row of {table.source} has `{absent}` in `{name}`, so that its parameters cannot be estimated. Leave "
            "it out of the levels."
        )
    if len(present) < 2:
        raise DataError(f"`{name}` is `{occurring[0]}` in every row, so that there is nothing to tell apart.")
    chosen = {each: level for each, level in read_references(request.reference).items() if each != name}
    request = request.but(loss=loss.of_levels(present), reference=chosen or None)
    return request, table.with_words(name, {each: float(code) for code, each in enumerate(present)})


def numbered_classes(name: str, loss: Loss, table: Table) -> tuple[Loss, Table]:
    """Return the loss of the classes in a column, and a table that holds their places, from 0."""
    occurring = _occurring(name, loss, table)
    classes = _known(name, loss, table, occurring)
    if len(classes) < 2:
        raise DataError(f"`{name}` is `{occurring[0]}` in every row, so that there is nothing to tell apart.")
    return loss.of_levels(classes), table.with_words(name, {each: float(code) for code, each in enumerate(classes)})


def _known(name: str, loss: Loss, table: Table, occurring: list[str]) -> tuple[str, ...]:
    """Return the classes in order: those that the loss was given, or what occurs."""
    classes = loss.classes or _in_order(name, loss, table, occurring)
    for each in occurring:
        if each not in classes:
            raise DataError(
                f"`{name}` holds `{each}`, which is none of the levels {listing(classes, 'and')}."
                f"{closest(each, classes)} Add it to them, or leave such rows out with {spell('where')}."
            )
    return classes


def _occurring(name: str, loss: Loss, table: Table) -> list[str]:
    levels = table.words(name, MOST + 1)
    if not levels:
        raise DataError(f"No row of {table.source} has a value in `{name}`.")
    if len(levels) > MOST:
        raise DataError(
            f"`{name}` has more than {MOST} different values, such as {listing(levels[:NAMED])}, and each would be a "
            f"class of the {loss.name} loss. Put them into fewer classes, or choose a loss of numbers."
        )
    return levels


def _in_order(name: str, loss: Loss, table: Table, words: list[str]) -> tuple[str, ...]:
    """Return the classes that occur, in the order that the data give them."""
    if (categories := table.categories(name)) is not None:
        ranks = {label(value): rank for rank, value in enumerate(categories)}
        return tuple(sorted(words, key=lambda word: ranks.get(word, len(ranks))))
    numbers = {word: _number(word) for word in words}
    if all(math.isfinite(value) for value in numbers.values()):
        return tuple(sorted(words, key=numbers.__getitem__))
    if loss.ordered and not any({*map(str.casefold, words)} == {*pair} for pair in OPPOSITES):
        raise DataError(
            f"`{name}` holds words, which have no order by themselves: {listing(words)}. Give it, from the lowest to "
            f"the highest: {spell('loss', _example(loss, words))}."
        )
    return tuple(words)


def _example(loss: Loss, words: list[str]) -> str:
    """Return the loss with its words as levels, those that people use for an order in theirs."""
    usual = ("none", "very low", "low", "small", "bad", "poor", "fair", "medium", "moderate", "average", "good", "high")
    ranks = {word: rank for rank, word in enumerate((*usual, "large", "great", "very good", "very high", "excellent"))}
    return str(loss.of_levels(sorted(words, key=lambda word: ranks.get(word.casefold(), len(ranks)))))


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return math.nan


def _by_reference(name: str, loss: Loss, known: tuple[str, ...], request: Request) -> tuple[str, ...]:
    """Return the classes with the one first that the user chose as reference."""
    level = read_references(request.reference).get(name)
    if level is None:
        return known
    if loss.ordered:
        raise ConfigError(f"The classes of the {loss.name} loss have an order and no reference. Leave `{name}` out.")
    if level not in known:
        raise ConfigError(
            f"`{name}` has no level `{level}` to be the reference.{closest(level, known)} It holds "
            f"{listing(known, 'and')}."
        )
    return (level, *(each for each in known if each != level))
