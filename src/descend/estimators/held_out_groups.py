"""Groups of rows that are held out whole where a penalty is chosen by cross-validation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError, DataError
from descend.options.penalty import Auto, read_penalty


def groups_as_words(groups: object, count: int) -> NDArray[np.generic]:
    """Return the group of each row as a word, so that it is none of the columns of numbers that ``[*]`` stands for.

    Raises DataError for another number of them than there are rows.

    >>> groups_as_words([3, 1, 3], 3)
    array(['group 1', 'group 0', 'group 1'], dtype='<U7')
    """
    groups_given = np.asarray(groups)
    if groups_given.shape != (count,):
        raise DataError(
            f"`groups` has a value for each row: {count} of them, not an array of shape {groups_given.shape}."
        )
    codes = np.unique(groups_given, return_inverse=True)[1]
    return np.array([f"group {code}" for code in codes.tolist()])


def held_out_by(column: str, options: Mapping[str, object]) -> dict[str, object]:
    """Return the penalties that the data choose, with a column whose groups are held out whole.

    Raises ConfigError where none is chosen, or where they say themselves which rows are held out together.

    >>> held_out_by("groups", {"l1": 0.0, "l2": "auto"})
    {'l2': 'auto(folds=5, rule=least, by=groups)'}
    """
    group_options: dict[str, object] = {}
    for key in ("l1", "l2"):
        penalty = read_penalty(key, options[key])
        if not isinstance(penalty, Auto):
            continue
        if penalty.by is not None or penalty.order is not None:
            raise ConfigError(
                f"The folds of {key} follow {'order' if penalty.by is None else 'by'} already, so that `groups` cannot "
                "hold rows out together. Leave one of them out."
            )
        group_options[key] = f"auto(folds={penalty.folds}, rule={penalty.rule}, by={column})"
    if not group_options:
        raise ConfigError(
            '`groups` are held out whole where a penalty is chosen, and none is. Ask for l2="auto", or leave them out.'
        )
    return group_options
