"""Losses of responses that are one of several classes, named in the data by words or numbers."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np

from descend.errors import ConfigError
from descend.losses.contract import Loss
from descend.losses.domain import Domain
from descend.losses.formulas import Array
from descend.registry import setting
from descend.wording import spell

Self = TypeVar("Self", bound="Classes")


@dataclass(frozen=True)
class Classes(Loss):
    """Negative log-likelihood of a response that is one of K classes: -log of the probability of the observed one.

    levels: the classes in order, with commas between them; those of the data if empty. In the formulas, y is the place
    of a class among them, from 0.
    """

    levels: str = setting("")

    of_classes = True
    dispersion = "known"
    certain = 1e-12
    saturated_text = "0"

    def __post_init__(self) -> None:
        super().__post_init__()
        names = self.classes
        if self.levels and (len(names) < 2 or len(set(names)) < len(names) or "" in names):
            raise ConfigError(
                f"The levels of the {self.name} loss are two or more different classes with commas between them, such "
                f'as {self.name}(levels="low, medium, high"); they are {self.levels!r}.'
            )

    @cached_property
    def own_columns(self) -> tuple[str, ...]:
        return ()

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The classes in order; empty before the data are known."""
        return tuple(next(csv.reader([self.levels], skipinitialspace=True), ())) if self.levels else ()

    @property
    def endless(self) -> bool:
        return True

    @property
    def size(self) -> int:
        """The number of classes, K; 2 before the data are known."""
        return len(self.classes) or 2

    def refuse_classes(self, lacking: str) -> None:
        raise ConfigError(
            f"The {self.name} loss predicts classes, which have {lacking}. Ask for {spell('probabilities', True)}."
        )

    def of_levels(self: Self, names: Sequence[str]) -> Self:
        """Return the same loss of these classes."""
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(names)
        plain = ", ".join(names)
        loss_with_levels = replace(self, levels=plain)
        return loss_with_levels if loss_with_levels.classes == tuple(names) else replace(self, levels=line.getvalue())

    def __str__(self) -> str:
        texts = {
            name: value if isinstance(value, str) and value.isidentifier() else json.dumps(value)
            for name, value in self.settings.items()
        }
        texts_listed = ", ".join(f"{name}={text}" for name, text in texts.items())
        return f"{self.name}({texts_listed})" if texts_listed else self.name

    @property
    def settings(self) -> dict[str, object]:
        every = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: value for name, value in every.items() if value != type(self).__dict__.get(name, "")}

    @property
    def shown(self) -> str:
        other_settings = ", ".join(f"{name}={value}" for name, value in self.settings.items() if name != "levels")
        return f"{self.name}({other_settings})" if other_settings else self.name

    @property
    def response_domain(self) -> Domain:  # type: ignore[override]
        return Domain(0.0, self.size - 1.0, "classes")


def softmax(scores: Array) -> Array:
    """Return the probabilities of classes, given a score for each: (n, K, ...).

    >>> softmax(np.log([[1.0, 3.0]]))
    array([[0.25, 0.75]])
    """
    shares: Array = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return shares


def cells_of(names: Sequence[str]) -> tuple[str | int | float, ...]:
    """Return classes as the data hold them: as numbers where all are some, else as words, such as ``nan`` and ``inf``.

    >>> cells_of(["1", "2"]), cells_of(["0.5", "1"]), cells_of(["1", "two"]), cells_of(["1", "inf"])
    ((1, 2), (0.5, 1.0), ('1', 'two'), ('1', 'inf'))
    """
    try:
        numbers = [float(name) for name in names]
    except ValueError:
        return tuple(names)
    if not all(map(math.isfinite, numbers)):
        return tuple(names)
    return tuple(int(value) for value in numbers) if all(map(float.is_integer, numbers)) else tuple(numbers)
