"""What is known of many fits: one for each group, as arrays over groups, and each as a fit of its own on demand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.errors import DataError
from descend.losses import Loss
from descend.many.outcomes import REFUSED, Outcomes
from descend.many.source_of_fits import Source
from descend.registry import closest
from descend.results import Fit
from descend.table.levels import Key, Label, said

if TYPE_CHECKING:
    from descend.many.quantified import Quantified

Array = NDArray[np.float64]
INFERENCE = ("degrees_of_freedom", "dispersion", "log_likelihood", "aic", "aicc", "bic")
"""What a file keeps of each fit beside the table of `Fits.columns`."""


class FittedGroups:
    """The fits of all groups, as far as they are numbers and sentences (see ``Fits``)."""

    def __init__(self, source: Source, outcomes: Outcomes, seconds: float, notes: tuple[str, ...] = ()) -> None:
        self._source, self.model, self._outcomes = source, source.model, outcomes
        self.seconds, self.notes = seconds, notes
        groups = source.groups
        self.by, self.ungrouped = groups.by, groups.ungrouped
        self.rows = np.where(np.isnan(outcomes.rows), groups.sizes, outcomes.rows).astype(np.intp)
        self.rows[list(source.unreadable)] = 0
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
        return {key: group_number for group_number, key in enumerate(self.keys)}

    def place(self, key: object) -> int:
        """Return the place of a group in all arrays. Raises DataError for a group that there is not."""
        group_number = self._places.get(_tuple(key))
        if group_number is None:
            names = ", ".join(f"`{name}`" for name in self.by)
            keys_shown = [said(each) for each in self.keys]
            raise DataError(
                f"There is no group {said(_tuple(key))} of {names}.{closest(said(_tuple(key)), keys_shown)} "
                f"There are {len(self):,}, such as {', '.join(keys_shown[:3])}."
            )
        return group_number

    def __getitem__(self, key: object) -> Fit:
        """Return the fit of one group, with everything that a fit can tell.

        Raises DataError for a group that there is not, or that could not be fitted, with the reason.
        """
        group = self.place(key)
        fit_of_group = self._outcomes.fits.get(group)
        if fit_of_group is None:
            self.refuse_unfitted(group)
            start, constraints = self.model.parameters.named(self._outcomes.parameters[group]), self.model.constraints
            if constraints is not None:
                start |= {name: constraints.with_held(name, np.asarray(start[name])) for name in constraints.places}
            fit_of_group = self._outcomes.fits[group] = self._source.alone(group, start)
        return fit_of_group

    def fitted(self, group: int) -> bool:
        """Whether a group was fitted, however that ended."""
        return self.outcome[group] != REFUSED

    def refuse_unfitted(self, group: int) -> None:
        """Raise DataError for a group that was not fitted, with the reason."""
        if not self.fitted(group):
            raise DataError(f"The group {said(self.keys[group])} was not fitted: {self.cause(group)}")

    def theta(self, group: int) -> Array:
        """Return the free parameters of one group as a flat vector, NaN where it has no fit."""
        theta_of_group: Array = self._outcomes.parameters[group]
        return theta_of_group

    def cause(self, group: int) -> str:
        """Return why one group failed, in a sentence; empty if it did not."""
        return self._outcomes.cause.get(group, "")

    @property
    def causes(self) -> list[str]:
        """Why each group failed, as `cause` says it."""
        return [self.cause(group) for group in range(len(self))]

    def rows_of(self, group: int) -> Mapping[str, Array] | None:
        """Return the columns of one group that its fit reads; None for fits that were loaded, without their rows."""
        return self._source.rows_of(group)

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
        free, constraints = self._by_name(self._outcomes.parameters), self.model.constraints
        if constraints is None:
            return free
        every = constraints.complete(free)
        return {
            name: values
            if name in free
            else np.broadcast_to(values, (len(self), *np.shape(values)[name in constraints.tied :]))
            for name, values in every.items()
        }

    @cached_property
    def standard_errors(self) -> dict[str, Array]:
        """Their standard errors; NaN for those that are fixed, and for those tied to several."""
        free, constraints = self._by_name(self._outcomes.errors), self.model.constraints
        if constraints is None:
            return free
        none = {name: np.full_like(values, np.nan) for name, values in self.parameters.items()}
        tied = constraints.errors_of_tied(self._by_name(self._outcomes.parameters), free)
        return none | tied | {name: constraints.with_held(name, errors, np.nan) for name, errors in free.items()}

    @cached_property
    def quantities(self) -> dict[str, Quantified]:
        """The quantities that were asked for, by name: value, standard_error, low and high over the groups, and why."""
        return {name: self._outcomes.quantity(name, text) for name, text in self._source.quantities.items()}

    def estimates(self) -> dict[str, tuple[Array, Array]]:
        """Return the values of parameters and quantities in all groups, and their standard errors, by label."""
        values, errors = self.components(self.parameters), self.components(self.standard_errors)
        groups = {label: (values[:, component], errors[:, component]) for component, label in enumerate(self.labels)}
        return groups | {name: (each.value, each.standard_error) for name, each in self.quantities.items()}

    def intervals(self, level: float = 0.95) -> dict[str, tuple[Array, Array]]:
        """Return the lower and the upper ends of t intervals of each parameter over the groups, by label.

        An interval by profile, bootstrap or sandwich is asked of one fit: ``fits[key].intervals(method="profile")``.
        """
        from descend.inference.intervals import checked_level
        from descend.many.quantified import reach

        values, errors = self.components(self.parameters), self.components(self.standard_errors)
        spare, loss = self.rows - self.model.parameters.size, self.loss_function
        degrees = np.where(np.isnan(self._outcomes.degrees), spare, self._outcomes.degrees)
        if loss.likelihood and (self.sigma is not None or not loss.quadratic):
            degrees = np.full(len(self), np.inf)  # the scale of the errors is known
        ends = errors * reach(degrees, checked_level(level))[:, None]
        both = (values - ends).T, (values + ends).T
        return {label: (low, high) for label, low, high in zip(self.labels, *both, strict=True)}

    def _by_name(self, components: Array) -> dict[str, Array]:
        parameters = self.model.parameters
        return {
            name: components[:, theta_slice] if labels is not None else components[:, theta_slice.start]
            for (name, labels), theta_slice in zip(parameters.shapes.items(), parameters.slices.values(), strict=True)
        }

    @property
    def labels(self) -> tuple[str, ...]:
        """A label for each component of the parameters: ``b``, ``w[x1]``."""
        return self.model.every_parameter.labels

    def components(self, values: Mapping[str, Array]) -> Array:
        """Return ``parameters`` or ``standard_errors`` as (groups, components), in the order of ``labels``."""
        return np.column_stack([values_of_name.reshape(len(self), -1) for values_of_name in values.values()])

    @cached_property
    def failed(self) -> dict[Key | Label, str]:
        """Why a group has no fit, or one that did not converge, by key: a sentence for each."""
        return {
            (self.keys[group][0] if len(self.by) == 1 else self.keys[group]): cause
            for group, cause in sorted(self._outcomes.cause.items())
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
        groups_by_badness: list[int] = np.lexsort((np.arange(len(self)), -badness, ~failed)).tolist()
        return groups_by_badness

    def inference(self) -> dict[str, Array]:
        """Return what a file keeps beside that table, (groups,) each: degrees of freedom, dispersions, criteria."""
        from descend.many.criteria import criteria_of

        return dict(
            zip(
                INFERENCE,
                (self._outcomes.degrees, self._outcomes.dispersion, *criteria_of(self._outcomes).T),
                strict=True,
            )
        )

    def correlations(self) -> Array:
        """Return the correlations of each pair of free parameters, (groups, pairs); no pairs where none are known."""
        from descend.many.correlations import are_kept, correlations_of

        if are_kept(self.model.parameters.size, len(self)):
            correlations = correlations_of(self._outcomes)
            if np.isfinite(correlations).any():
                return correlations
        return np.empty((len(self), 0))

    def records(self, level: float | None = None) -> Iterator[dict[str, object]]:
        """Yield what ``--json`` prints of each group, a line each. level: of the t intervals, if they are asked for."""
        parameters, errors = self.parameters, self.standard_errors
        ends = {} if level is None else self.intervals(level)
        for group, key in enumerate(self.keys):
            quantities_of_group = {name: each.of(group, name).plain() for name, each in self.quantities.items()}
            record: dict[str, object] = {"quantities": quantities_of_group} if quantities_of_group else {}
            record |= {"units": {**self.units}} if self.units else {}
            if ends:
                both = {label: [_plain(low[group]), _plain(high[group])] for label, (low, high) in ends.items()}
                record |= {"intervals": both, "interval": "t", "level": level}
            yield {
                "group": dict(zip(self.by, key, strict=True)),
                "parameters": {name: _plain(values[group]) for name, values in parameters.items()},
                "standard_errors": {name: _plain(values[group]) for name, values in errors.items()},
                "loss": _plain(self.loss[group]),
                "r_squared": _plain(self.r_squared[group]),
                "rows": int(self.rows[group]),
                **record,
                "outcome": self.outcome[group],
                "cause": self.cause(group) or None,
            }


def _tuple(key: object) -> Key:
    return key if isinstance(key, tuple) else (key,)


def _plain(value: Array) -> object:
    """Return a number, or a list of them, for JSON, which has no word for NaN."""
    if np.ndim(value) == 0:
        return float(value) if np.isfinite(value) else None
    return [_plain(each) for each in value]
