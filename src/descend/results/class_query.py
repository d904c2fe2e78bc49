"""The classes of a fit and their probabilities as a query."""

from __future__ import annotations

from collections.abc import Sequence

from descend.formula.printers.code import quoted
from descend.inference.fitted import Fitted
from descend.losses.classes import cells_of
from descend.results.query import predicting, qualified, transpiled

SCORED = "scored"
LARGEST = "700e0"
"""exp of more has no double."""


def query_of_classes(fit: Fitted, classes: Sequence[object] | None, table: str, name: str, dialect: str) -> str:
    """Return a query that adds the score of each class but the first, its probability, and the likeliest class.

    With s the scores, of which the first is 0,   p_k = 1 / sum over j of exp(s_j - s_k)   in columns ``name_class``.

    classes: their values, those of the data if not given. name: of the column of the likeliest class.
    """
    values = cells_of(fit.loss_function.classes) if classes is None else classes
    words = [_word(value) for value in values]
    scores = ["0e0", *(quoted(f"score_{word}") for word in words[1:])]
    each = [(model.symbolic, theta) for model, theta in fit.model.of_each_class(fit.theta)]
    texts = [predicting(model, theta, dialect) for model, theta in each if model is not None]
    inner = ", ".join(f"{text} as {score}" for text, score in zip(texts, scores[1:], strict=True))
    columns = [f"{_probability(scores, place)} as {quoted(f'{name}_{word}')}" for place, word in enumerate(words)]
    likeliest = f"case {_cases(scores, values)} end as {quoted(name)}"
    scored = f"with {SCORED} as (select *, {inner} from {qualified(table)})"
    return transpiled(f"{scored} select *, {', '.join([*columns, likeliest])} from {SCORED}", dialect) + "\n"


def _word(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _probability(scores: Sequence[str], class_number: int) -> str:
    other_exponentials = [
        f"exp(least({score} - {scores[class_number]}, {LARGEST}))" for score in scores if score != scores[class_number]
    ]
    return f"1e0/(1e0 + {' + '.join(other_exponentials)})"


def _cases(scores: Sequence[str], values: Sequence[object]) -> str:
    """Return which class is the likeliest: the first of those that no other exceeds."""
    score_cases = []
    for score, value in zip(scores[:-1], values, strict=False):
        above = " and ".join(f"{score} >= {other_score}" for other_score in scores if other_score != score)
        score_cases.append(f"when {above} then {_literal(value)}")
    return f"{' '.join(score_cases)} else {_literal(values[-1])}"


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"
