"""Words that count as 0 and 1: the two levels of a response, and columns that hold yes and no."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from descend.errors import ConfigError, DataError, WordsError
from descend.losses import LOSSES, Loss, advised_for
from descend.models import Model
from descend.options.request import Request
from descend.parameters.references import read_references
from descend.problem.model_reading import read_model
from descend.registry import closest
from descend.table import Table
from descend.table.table import label, listing
from descend.table.yes_no_words import shown
from descend.wording import spell

Result = TypeVar("Result")
NAMED = 3
"""Levels of a response that a message names."""
CLASSES_NAMED = 6
"""Classes that a note names."""


def with_levels(work: Callable[[Table], Result], request: Request, table: Table) -> Result:
    """Do work that reads the response of a table, with its words as 0 and 1 where it holds two: see below."""
    try:
        return work(table)
    except WordsError as refused:
        return work(levels_of_words(request, table, refused))


def levels_of_words(request: Request, table: Table, refused: WordsError) -> Table:
    """Return a table whose response, refused as it holds words, is read as 0 and 1, if the loss is for that.

    Of its two words the later counts as 1.

    Raises DataError if another column was refused, the loss needs numbers, or there are not two words.
    """
    name, loss = refused.column, LOSSES.build(request.loss)
    try:
        model, _ = read_model(request, table, loss)
    except WordsError:
        raise refused from None
    if name not in model.response_columns or name in model.inputs:
        raise refused
    words = _words(table, name)
    if name != model.response or not loss.two_levels or len(words) != 2:
        raise _not_two(refused, loss, name == model.response, words)
    return table.with_words(name, {words[0]: 0.0, words[1]: 1.0})


def levels_by_reference(model: Model, request: Request, table: Table) -> Table:
    """Return a table of whose response the level that the user chose as reference counts as 0, the other as 1.

    Raises ConfigError for a reference that is none of them, and for one of what has no levels.
    """
    name, chosen = model.response, read_references(request.reference)
    other = next((each for each in chosen if each != name), None)
    if other is not None and not model.codings:
        raise ConfigError(
            f"`{other}` has no levels of which one could be the reference: the model has no parameter such as u[color]."
        )
    if (zero := chosen.get(name)) is None or name not in model.response_columns or name in model.inputs:
        return table
    if not model.loss.two_levels:
        raise ConfigError(
            f"`{name}` has no reference `{zero}`: the {model.loss.name} loss takes it as numbers. Leave it out."
        )
    words = _words(table, name)
    if zero not in words:
        raise ConfigError(
            f"`{name}` has no level `{zero}` to count as 0.{closest(zero, words)} It holds {listing(words, 'and')}."
        )
    return table.with_words(name, {word: float(word != zero) for word in words}) if len(words) == 2 else table


def settled_response(request: Request, table: Table) -> tuple[Request, Table]:
    """Return a table as `levels_by_reference` does, and a request whose references are those of parameters only."""
    model, _ = read_model(request, table, LOSSES.build(request.loss))
    chosen = {name: level for name, level in read_references(request.reference).items() if name != model.response}
    return request.but(reference=chosen or None), levels_by_reference(model, request, table)


def _words(table: Table, name: str) -> list[str]:
    """Return the different cells of a column as text, in the order of its categories or of text; of many, some."""
    words = table.words(name, NAMED + 1)
    ranks = {label(value): rank for rank, value in enumerate(table.categories(name) or ())}
    return sorted(words, key=lambda word: ranks.get(word, len(ranks)))


def _not_two(refused: WordsError, loss: Loss, plain: bool, words: list[str]) -> DataError:
    if not plain:
        return DataError(f"{refused.says} The left side of the formula computes with it. Use a column of numbers.")
    if loss.two_levels and len(words) < 2:
        return DataError(f"{refused.says} So does every row, so that there is nothing to tell apart.")
    if loss.two_levels:
        some = listing(words[:NAMED]) + (" and others" if len(words) > NAMED else "")
        return DataError(
            f"{refused.says} It has more than two levels ({some}), and the {loss.name} loss is for two. Use "
            f"{_of_several()}; or keep the rows of two of them with {spell('where')}."
        )
    if len(words) == 2:
        return DataError(
            f"{refused.says} The {loss.name} loss needs numbers; to tell `{words[0]}` from `{words[1]}`, use "
            f"{spell('loss', advised_for('two levels'))}."
        )
    return DataError(
        f"{refused.says} The {loss.name} loss needs a column of numbers; classes are fitted by {_of_several()}."
    )


def _of_several() -> str:
    several, ordered = (spell("loss", advised_for(f"{kind} levels")) for kind in ("several", "ordered"))
    return f"{several} or, if they have an order, {ordered}"


def said_classes(loss: Loss) -> str:
    """Write the classes of a loss in a sentence, in their order."""
    every = loss.classes
    some = every if len(every) <= CLASSES_NAMED else (*every[: CLASSES_NAMED - 1], "...", every[-1])
    return (" < " if loss.shifts else ", ").join(f"`{each}`" if each != "..." else each for each in some)


def counted_notes(
    counted: Mapping[str, Mapping[str, float]], names: Iterable[str], response: str, loss: Loss
) -> tuple[str, ...]:
    """Say of each column of words that was read as numbers which word counts as 1, and how to choose the other.

    counted: what each word of such a column counts as. names: the columns of the model.
    """
    notes = []
    for name in names:
        words = counted.get(name)
        if words is None:
            continue
        if name == response and loss.classes:
            notes.append(f"the classes of `{name}` are {said_classes(loss)}")
            continue
        both = {number: shown(words, number) for number in sorted(set(words.values()), reverse=True)}
        note = f"in `{name}`, {' and '.join(f'`{word}` counts as {number:g}' for number, word in both.items())}"
        if name == response and loss.two_levels and len(both) == 2:
            note += (
                f", so that predictions are probabilities of `{both[1.0]}`; for those of `{both[0.0]}` use "
                f"{spell('reference', {name: both[1.0]})}"
            )
        notes.append(note)
    return tuple(notes)
