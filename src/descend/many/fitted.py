"""What is known of many fits: one for each group, as arrays over groups, and each as a fit of its own on demand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.descent.solution import every_parameter
from descend.errors import DataError
from descend.losses import Loss
from descend.many.outcomes import REFUSED, Outcomes
from descend.many.source import Source
from descend.registry import closest
from descend.results import Fit
from descend.table.levels import Key, Label, said

if TYPE_CHECKING:
    from descend.many.quantified import Quantified

Array = NDArray[np.float64]
Cells = NDArray[np.generic]


class FittedGroups:
    """The fits of all groups, as far as they are numbers and sentences (see ``Fits``)."""

    def __init__(self, source: Source, outcomes: Outcomes, seconds: float, notes: tuple[str, ...] = ()) -> None:
        self._source, self.model, self._outcomes = source, source.model, outcomes
        self.seconds, self.notes = seconds, notes
        groups = source.groups
        self.by, self.ungrouped = groups.by, groups.ungrouped
        self.rows = groups.sizes
        if source.unreadable:
            self.rows = np.where(np.isin(np.arange(len(groups)), list(source.unreadable)), 0, groups.sizes)
        self.loss, self.r_squared = outcomes.loss, outcomes.r_squared

    def __len__(self) -> int:
        return len(self._source.groups)

    @cached_property
    def outcome(self) -> tuple[str, ...]:
        """How the fit of each group ended."""
        return tuple(self._outcomes.outcome.tolist())

    @cached_property
    def keys(self) -> list[Key]:
        """What each group is called: a tuple of its values, in order."""
        return list(self._source.groups.keys)

    def __iter__(self) -> Iterator[Key]:
        return iter(self.keys)

    def __contains__(self, key: object) -> bool:
        return _tuple(key) in self._places

    @cached_property
    def _places(self) -> dict[Key, int]:
        return {key: place for place, key in enumerate(self.keys)}

    def place(self, key: object) -> int:
        """Return the place of a group in all arrays. Raises DataError for a group that there is not."""
        place = self._places.get(_tuple(key))
        if place is None:
            names = ", ".join(f"`{name}`" for name in self.by)
            known = [said(each) for each in self.keys]
            raise DataError(
                f"There is no group {said(_tuple(key))} of {names}.{closest(said(_tuple(key)), known)} "
                f"There are {len(self):,}, such as {', '.join(known[:3])}."
            )
        return place

    def __getitem__(self, key: object) -> Fit:
        """Return the fit of one group, with everything that a fit can tell.

        Raises DataError for a group that there is not, or that could not be fitted, with the reason.
        """
        place = self.place(key)
        kept = self._outcomes.fits.get(place)
        if kept is None:
            self.refuse_unfitted(place)
            start, held = self.model.parameters.named(self._outcomes.parameters[place]), self.model.constraints
            if held is not None:
                start |= {name: held.with_held(name, np.asarray(start[name])) for name in held.places}
            kept = self._outcomes.fits[place] = self._source.alone(place, start)
        return kept

    def fitted(self, place: int) -> bool:
        """Whether a group was fitted, however that ended."""
        return self.outcome[place] != REFUSED

    def refuse_unfitted(self, place: int) -> None:
        """Raise DataError for a group that was not fitted, with the reason."""
        if not self.fitted(place):
            raise DataError(f"The group {said(self.keys[place])} was not fitted: {self.cause(place)}")

    def theta(self, place: int) -> Array:
        """Return the free parameters of one group as a flat vector, NaN where it has no fit."""
        found: Array = self._outcomes.parameters[place]
        return found

    def cause(self, place: int) -> str:
        """Return why one group failed, in a sentence; empty if it did not."""
        return self._outcomes.cause.get(place, "")

    def rows_of(self, place: int) -> Mapping[str, Array] | None:
        """Return the columns of one group that its fit reads; None for fits that were loaded, without their rows."""
        return self._source.rows_of(place)

    @property
    def call(self) -> Mapping[str, object]:
        """The arguments that repeat the fits; empty for fits that were loaded."""
        return self._source.call

    @property
    def column_types(self) -> Mapping[str, str]:
        """The kind of each column that the model reads, or that tells groups apart."""
        return self._source.column_types

    @property
    def units(self) -> Mapping[str, object]:
        """The units of parameters and columns by name, where they are known (see ``Fit.units``)."""
        return self._source.units

    @property
    def weights(self) -> str | None:
        """The column of row weights, if there is one."""
        return self._source.weights

    @property
    def sigma(self) -> str | None:
        """The column of known standard deviations of the response, if there is one."""
        return self._source.sigma

    @property
    def loss_function(self) -> Loss:
        """The loss that all groups share."""
        return self.model.loss

    @cached_property
    def parameters(self) -> dict[str, Array]:
        """The parameters of all groups, by name; fixed and tied ones too."""
        free, held = self._by_name(self._outcomes.parameters), self.model.constraints
        if held is None:
            return free
        every = held.complete(free)
        return {
            name: values
            if name in free
            else np.broadcast_to(values, (len(self), *np.shape(values)[name in held.tied :]))
            for name, values in every.items()
        }

    @cached_property
    def standard_errors(self) -> dict[str, Array]:
        """Their standard errors; NaN for those that are fixed, and for those tied to several."""
        free, held = self._by_name(self._outcomes.errors), self.model.constraints
        if held is None:
            return free
        none = {name: np.full_like(values, np.nan) for name, values in self.parameters.items()}
        tied = held.errors_of_tied(self._by_name(self._outcomes.parameters), free)
        return none | tied | {name: held.with_held(name, errors, np.nan) for name, errors in free.items()}

    @cached_property
    def quantities(self) -> dict[str, Quantified]:
        """The quantities that were asked for, by name: value, standard_error, low and high over the groups, and why."""
        return {name: self._outcomes.quantity(name, text) for name, text in self._source.quantities.items()}

    def estimates(self) -> dict[str, tuple[Array, Array]]:
        """Return the values of parameters and quantities in all groups, and their standard errors, by label."""
        values, errors = self.components(self.parameters), self.components(self.standard_errors)
        found = {label: (values[:, place], errors[:, place]) for place, label in enumerate(self.labels)}
        return found | {name: (each.value, each.standard_error) for name, each in self.quantities.items()}

    def intervals(self, level: float = 0.95) -> dict[str, tuple[Array, Array]]:
        """Return the lower and the upper ends of t intervals of each parameter over the groups, by label.

        An interval by profile, bootstrap or sandwich is asked of one fit: ``fits[key].intervals(method="profile")``.
        """
        from descend.many.intervals import reach

        values, errors = self.components(self.parameters), self.components(self.standard_errors)
        spare = self.rows - self.model.parameters.size
        ends = errors * reach(self.loss_function, self.sigma is not None, spare, level)[:, None]
        both = (values - ends).T, (values + ends).T
        return {label: (low, high) for label, low, high in zip(self.labels, *both, strict=True)}

    def _by_name(self, components: Array) -> dict[str, Array]:
        parameters = self.model.parameters
        return {
            name: components[:, place] if labels is not None else components[:, place.start]
            for (name, labels), place in zip(parameters.shapes.items(), parameters.slices.values(), strict=True)
        }

    @property
    def labels(self) -> tuple[str, ...]:
        """A label for each component of the parameters: ``b``, ``w[x1]``."""
        return every_parameter(self.model).labels

    def components(self, values: Mapping[str, Array]) -> Array:
        """Return ``parameters`` or ``standard_errors`` as (groups, components), in the order of ``labels``."""
        return np.column_stack([part.reshape(len(self), -1) for part in values.values()])

    @cached_property
    def failed(self) -> dict[Key | Label, str]:
        """Why a group has no fit, or one that did not converge, by key: a sentence for each."""
        return {
            (self.keys[place][0] if len(self.by) == 1 else self.keys[place]): cause
            for place, cause in sorted(self._outcomes.cause.items())
        }

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many groups ended how, the most frequent first."""
        return dict(Counter(self.outcome).most_common())

    @property
    def succeeded(self) -> bool:
        """Whether every group has a fit that succeeded."""
        return not self._outcomes.cause

    def worst(self) -> list[int]:
        """Return the places of all groups, the worst first: those that failed, then by R2, or by loss where none is."""
        measure = -self.r_squared if np.isfinite(self.r_squared).any() else self.loss
        badness = np.where(np.isfinite(measure), measure, np.inf)
        failed = np.zeros(len(self), dtype=bool)
        failed[list(self._outcomes.cause)] = True
        places: list[int] = np.lexsort((np.arange(len(self)), -badness, ~failed)).tolist()
        return places

    def columns(self) -> dict[str, Cells | list[str]]:
        """Return the table of `frame` as a dict of arrays.

        What is told of each fit has a `_` after its name where a key or a parameter has that name.
        """
        table: dict[str, Cells | list[str]] = {
            name: np.array([key[place] for key in self.keys]) for place, name in enumerate(self.by)
        }
        values, errors = self.components(self.parameters), self.components(self.standard_errors)
        table |= {label: values[:, place] for place, label in enumerate(self.labels)}
        table |= {f"{label} std. error": errors[:, place] for place, label in enumerate(self.labels)}
        if self.quantities:
            from descend.many.quantified import columns_of

            table |= columns_of(self.quantities)
        of_fits: dict[str, Cells | list[str]] = {
            "rows": self.rows,
            "loss": self.loss,
            "r_squared": self.r_squared,
            "outcome": list(self.outcome),
            "cause": [self.cause(place) for place in range(len(self))],
        }
        return table | {f"{name}_" if name in table else name: cells for name, cells in of_fits.items()}

    def inference(self) -> dict[str, Array]:
        """Return what a file keeps beside that table: degrees of freedom, dispersions, correlations, (groups,) each."""
        from descend.many.correlations import correlations_of, names_of

        names = names_of(self.model.parameters.labels)
        each = correlations_of(self._outcomes).T if names else np.empty((0, len(self)))
        if np.isnan(each).all():  # as of groups that a database summed
            names, each = [], each[:0]
        known = {"degrees_of_freedom": self._outcomes.degrees, "dispersion": self._outcomes.dispersion}
        return known | dict(zip(names, each, strict=True))

    def records(self, level: float | None = None) -> Iterator[dict[str, object]]:
        """Yield what ``--json`` prints of each group, a line each. level: of the t intervals, if they are asked for."""
        parameters, errors = self.parameters, self.standard_errors
        ends = {} if level is None else self.intervals(level)
        for place, key in enumerate(self.keys):
            found = {name: each.of(place, name).plain() for name, each in self.quantities.items()}
            more: dict[str, object] = {"quantities": found} if found else {}
            more |= {"units": {**self.units}} if self.units else {}
            if ends:
                both = {label: [_plain(low[place]), _plain(high[place])] for label, (low, high) in ends.items()}
                more |= {"intervals": both, "interval": "t", "level": level}
            yield {
                "group": dict(zip(self.by, key, strict=True)),
                "parameters": {name: _plain(values[place]) for name, values in parameters.items()},
                "standard_errors": {name: _plain(values[place]) for name, values in errors.items()},
                "loss": _plain(self.loss[place]),
                "r_squared": _plain(self.r_squared[place]),
                "rows": int(self.rows[place]),
                **more,
                "outcome": self.outcome[place],
                "cause": self.cause(place) or None,
            }


def _tuple(key: object) -> Key:
    return key if isinstance(key, tuple) else (key,)


def _plain(value: Array) -> object:
    """Return a number, or a list of them, for JSON, which has no word for NaN."""
    if np.ndim(value) == 0:
        return float(value) if np.isfinite(value) else None
    return [_plain(each) for each in value]
