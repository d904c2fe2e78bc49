"""The columns of the results of many fits, once: text, pages, published tables, frames and files follow from them."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.many.quantified import columns_of
from descend.report.units import label_with_unit
from descend.table.levels import Label

if TYPE_CHECKING:
    from descend.many.fitted import FittedGroups

Array = NDArray[np.float64]
Cells = NDArray[np.generic]
Values = Cells | list[str] | list[Label]


class Kind(IntEnum):
    """What a column holds, in the order in which people are shown them."""

    KEY, ESTIMATE, MEASURE, COUNT, WORD, SENTENCE = range(6)


@dataclass(frozen=True)
class Statistic:
    """What is told of each fit beside its parameters. name: in frames and files. title: for people, if they see it."""

    name: str
    kind: Kind
    values: Callable[[FittedGroups], Cells | list[str]]
    title: str = ""
    known: Callable[[FittedGroups], bool] = lambda fits: True  # of some group


def _have_r_squared(fits: FittedGroups) -> bool:
    return bool(np.isfinite(fits.r_squared).any())


STATISTICS = (
    Statistic("rows", Kind.COUNT, lambda fits: fits.rows, "rows"),
    Statistic("loss", Kind.MEASURE, lambda fits: fits.loss),
    Statistic("r_squared", Kind.MEASURE, lambda fits: fits.r_squared, "R²", _have_r_squared),
    Statistic("outcome", Kind.WORD, lambda fits: list(fits.outcome), "outcome"),
    Statistic("cause", Kind.SENTENCE, lambda fits: fits.causes, "why", lambda fits: not fits.succeeded),
)


@dataclass(frozen=True, eq=False)
class Column:
    """A column that people are shown. found: returns its values over the groups, of which there may be very many."""

    title: str
    kind: Kind
    head: str
    found: Callable[[], Values]
    errors: Array = field(default_factory=lambda: np.empty(0))  # of estimates

    @cached_property
    def values(self) -> Values:
        """What it holds of each group."""
        return self.found()

    @cached_property
    def numbers(self) -> Array:
        """The same of a column of numbers."""
        return np.asarray(self.values, dtype=np.float64)

    @property
    def numeric(self) -> bool:
        """Whether it holds numbers, as a key may."""
        return isinstance(self.values[0], int | float) if self.kind is Kind.KEY else self.kind < Kind.WORD

    def order(self, down: bool) -> list[int]:
        """Return the places of all groups, sorted by this column; what has no number comes last, either way."""
        if self.kind is Kind.KEY or not self.numeric:
            return sorted(range(len(self.values)), key=self.values.__getitem__, reverse=down)
        finite = np.isfinite(self.numbers)
        signed = np.where(finite, -self.numbers if down else self.numbers, 0.0)
        groups: list[int] = np.lexsort((signed, ~finite)).tolist()
        return groups


def shown(fits: FittedGroups) -> list[Column]:
    """Return the columns that people are shown, in their order."""
    shapes, known = fits.model.parameters, [each for each in STATISTICS if each.title and each.known(fits)]
    columns = [Column(name, Kind.KEY, name, partial(_labels, fits, place)) for place, name in enumerate(fits.by)]
    for label, (values, errors) in fits.estimates().items():
        head = label_with_unit(fits, shapes, label)
        columns.append(Column(label, Kind.ESTIMATE, head, partial(np.asarray, values), errors))
    columns += [Column(each.title, each.kind, each.title, partial(each.values, fits)) for each in known]
    return sorted(columns, key=lambda each: each.kind)


def _labels(fits: FittedGroups, place: int) -> list[Label]:
    return [key[place] for key in fits.keys]


def apart(name: str, table: Container[str]) -> str:
    """Return the name of a column, with a `_` after it where a table has one of that name."""
    return f"{name}_" if name in table else name


def table_of(fits: FittedGroups) -> dict[str, Cells | list[str]]:
    """Return the table of a frame or a file (see ``Fits.columns``)."""
    values, errors = fits.components(fits.parameters).T, fits.components(fits.standard_errors).T
    table: dict[str, Cells | list[str]] = {name: np.array(_labels(fits, place)) for place, name in enumerate(fits.by)}
    table |= dict(zip(fits.labels, values, strict=True))
    table |= {f"{label} std. error": found for label, found in zip(fits.labels, errors, strict=True)}
    table |= columns_of(fits.quantities)
    return table | {apart(each.name, table): each.values(fits) for each in STATISTICS}
