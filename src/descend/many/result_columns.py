"""The columns of the results of many fits, once: text, pages, published tables, frames and files follow from them."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from enum import IntEnum
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


STATISTICS = (
    Statistic("rows", Kind.COUNT, lambda fits: fits.rows, "rows"),
    Statistic("loss", Kind.MEASURE, lambda fits: fits.loss),
    Statistic("r_squared", Kind.MEASURE, lambda fits: fits.r_squared, "R²"),
    Statistic("outcome", Kind.WORD, lambda fits: list(fits.outcome), "outcome"),
    Statistic("cause", Kind.SENTENCE, lambda fits: [fits.cause(group) for group in range(len(fits))], "why"),
)


@dataclass(frozen=True, eq=False)
class Column:
    """A column that people are shown. values: over the groups. errors: of estimates. head: the title with the unit."""

    title: str
    kind: Kind
    values: Sequence[Label]
    errors: Sequence[float]
    head: str

    @property
    def numbers(self) -> Sequence[float]:
        """What a column of numbers holds."""
        return self.values  # type: ignore[return-value]

    @property
    def numeric(self) -> bool:
        """Whether it holds numbers, as a key may."""
        return isinstance(self.values[0], int | float)

    @property
    def known(self) -> bool:
        """Whether it says something of any group."""
        return any(map(np.isfinite, self.values) if self.kind is Kind.MEASURE else self.values)

    def order(self, down: bool) -> list[int]:
        """Return the places of all groups, sorted by this column; what has no number comes last, either way."""
        if self.kind is Kind.KEY or not self.numeric:
            return sorted(range(len(self.values)), key=self.values.__getitem__, reverse=down)
        values = np.array(self.values, dtype=np.float64)
        finite = np.isfinite(values)
        groups: list[int] = np.lexsort((np.where(finite, -values if down else values, 0.0), ~finite)).tolist()
        return groups


def shown(fits: FittedGroups, *kinds: Kind) -> list[Column]:
    """Return the columns that people are shown, of some kinds or of all."""
    shapes, keys = fits.model.parameters, zip(*fits.keys, strict=True)
    columns = [Column(name, Kind.KEY, list(values), [], name) for name, values in zip(fits.by, keys, strict=True)]
    for label, (values, errors) in fits.estimates().items():
        head = label_with_unit(fits, shapes, label)
        columns.append(Column(label, Kind.ESTIMATE, values.tolist(), errors.tolist(), head))
    for each in sorted(STATISTICS, key=lambda each: each.kind):
        column = Column(each.title, each.kind, np.asarray(each.values(fits)).tolist(), [], each.title)
        columns += [column] if each.title and (column.known or each.kind is Kind.COUNT) else []
    return [column for column in columns if not kinds or column.kind in kinds]


def apart(name: str, table: Container[str]) -> str:
    """Return the name of a column, with a `_` after it where a table has one of that name."""
    return f"{name}_" if name in table else name


def table_of(fits: FittedGroups) -> dict[str, Cells | list[str]]:
    """Return the table of a frame or a file (see ``Fits.columns``)."""
    values, errors = fits.components(fits.parameters).T, fits.components(fits.standard_errors).T
    table: dict[str, Cells | list[str]] = {column.title: np.array(column.values) for column in shown(fits, Kind.KEY)}
    table |= dict(zip(fits.labels, values, strict=True))
    table |= {f"{label} std. error": found for label, found in zip(fits.labels, errors, strict=True)}
    table |= columns_of(fits.quantities)
    return table | {apart(each.name, table): each.values(fits) for each in STATISTICS}
