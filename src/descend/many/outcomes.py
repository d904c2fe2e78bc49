"""What came of each group: kept from descents together, or from a fit of its own, or settled by rule."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.descent.outcome import Outcome
from descend.formula.structure import symmetric
from descend.gradients.derived import Program
from descend.identifiability.symmetry import canonical_each
from descend.many.descending_groups import Descents
from descend.parameters import Bounds
from descend.results import Fit

if TYPE_CHECKING:
    from descend.many.quantified import Quantified

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Places = NDArray[np.intp]
Roots = Callable[[Places, Array], Array]
"""Returns the roots of the covariances of some groups at theta: see ``Together.roots_of``."""
REFUSED = "refused"
"""The outcome of a group that could not be fitted at all."""
LONGEST_WORD = f"U{max(map(len, (REFUSED, *map(str, Outcome))))}"
SAME = 1e-9
"""Losses that differ by a smaller share are one and the same."""
ENDLESS = (
    "There is no minimum to be found: from every start that was tried the loss falls, ever less, while parameters grow "
    "without end. Fix one of them, bound it, or give more rows."
)


@dataclass
class Outcomes:
    """What came of each group.

    parameters, errors: (groups, components), NaN where there is no fit. outcome: how it ended, empty if not yet.
    cause: why one failed, in a sentence. fits: those groups that were fitted by themselves. quantities: those asked
    for, by name. degrees: of freedom of each group, (groups,). dispersion: as estimated, even where it is known.
    correlations: of each pair of parameters, (groups, pairs), where they are known already. roots: those of the
    covariances, but for a scale, in groups that were fitted together. rows: that a fit counts, NaN if all of its group.
    criteria: log-likelihood, AIC, AICc and BIC, (groups, 4), of groups that were fitted together.
    """

    parameters: Array
    errors: Array
    loss: Array
    r_squared: Array
    degrees: Array
    dispersion: Array
    rows: Array
    criteria: Array
    outcome: NDArray[np.str_]
    cause: dict[int, str] = field(default_factory=dict)
    fits: dict[int, Fit] = field(default_factory=dict)
    quantities: dict[str, Quantified] = field(default_factory=dict)
    correlations: Array | None = None
    roots: Roots | None = None

    def __getstate__(self) -> dict[str, object]:
        """Return what is pickled: all but what holds compiled code."""
        return self.__dict__ | {"roots": None}

    @classmethod
    def none(cls, groups: int, components: int) -> Outcomes:
        """Return the outcomes of groups before any is fitted."""
        parameters, errors = np.full((2, groups, components), np.nan)
        loss, r_squared, degrees, dispersion, rows = np.full((5, groups), np.nan)
        criteria = np.full((groups, 4), np.nan)
        outcome = np.full(groups, "", dtype=LONGEST_WORD)
        return cls(parameters, errors, loss, r_squared, degrees, dispersion, rows, criteria, outcome)

    def quantity(self, name: str, text: str) -> Quantified:
        """Return what is known of a quantity, nothing at first."""
        from descend.many.quantified import Quantified

        return self.quantities.setdefault(name, Quantified.none(text, len(self.loss)))

    @property
    def open(self) -> Mask:
        """Which groups are not fitted yet."""
        open_groups: Mask = self.outcome == ""
        return open_groups

    def keep(
        self,
        groups: Places,
        descents: Descents,
        errors: Array,
        fitted: tuple[Array, Array],
        spread: tuple[Array, Array],
    ) -> None:
        """Keep where these groups converged, as far as that is lower than what is known.

        errors: of what was found. fitted: mean loss and R2. spread: degrees of freedom and dispersion.
        """
        (loss, r_squared), (degrees, dispersion) = fitted, spread
        lower = descents.converged & ~(self.loss[groups] <= loss * (1.0 + SAME))
        improved = slice(None) if lower.all() else lower
        group_places = groups[improved]
        self.parameters[group_places], self.errors[group_places] = descents.theta[improved], errors[improved]
        self.loss[group_places], self.r_squared[group_places] = loss[improved], r_squared[improved]
        self.degrees[group_places], self.dispersion[group_places] = degrees[improved], dispersion[improved]
        self.outcome[group_places] = str(Outcome.CONVERGED)
        for group in {*self.fits, *self.cause}.intersection(group_places.tolist()) if self.fits or self.cause else ():
            self.fits.pop(group, None)
            self.cause.pop(group, None)

    def in_order(self, program: Program, labels_given: Collection[str], bounds: Bounds | None) -> None:
        """Of equally good answers show the one that a fit by itself shows, as with like terms in order."""
        if not symmetric(program.formula):
            return
        together = self.outcome == str(Outcome.CONVERGED)
        together[list(self.fits)] = False
        groups = np.flatnonzero(together)
        if len(groups):
            self.parameters[groups], before = canonical_each(program, self.parameters[groups], labels_given, bounds)
            self.errors[groups] = np.take_along_axis(self.errors[groups], before, 1)

    def settle(self, groups: Places, descents: Descents, loss: Array, r_squared: Array) -> None:
        """Say of those groups that converged nowhere, and ran away, that they have no minimum."""
        endless = descents.endless & self.open[groups]
        group_places = groups[endless]
        self.parameters[group_places], self.loss[group_places] = descents.theta[endless], loss[endless]
        self.r_squared[group_places], self.outcome[group_places] = r_squared[endless], str(Outcome.STALLED)
        self.cause |= dict.fromkeys(group_places.tolist(), ENDLESS)

    def take(self, groups: Places, other_outcomes: Outcomes) -> None:
        """Take over what came of some groups, which others have in this order; not the fits, which hold their rows."""
        for name, mine in self.__dict__.items():
            if isinstance(mine, np.ndarray) and name != "correlations":
                mine[groups] = getattr(other_outcomes, name)
        if other_outcomes.correlations is not None:
            if self.correlations is None:
                self.correlations = np.full((len(self.loss), other_outcomes.correlations.shape[1]), np.nan)
            self.correlations[groups] = other_outcomes.correlations
        for name, quantity in other_outcomes.quantities.items():
            self.quantity(name, quantity.text).take(groups, quantity)
        self.cause |= {int(groups[group]): cause for group, cause in other_outcomes.cause.items()}

    def put(self, group: int, fit: Fit) -> None:
        """Keep the fit of a group by itself."""
        self.fits[group], self.outcome[group] = fit, str(fit.outcome)
        self.parameters[group], self.loss[group] = fit.theta, fit.loss
        errors, constraints = fit.standard_errors or {}, fit.model.constraints
        errors = errors if constraints is None else constraints.reduced(errors)
        names = [name for name in fit.model.parameters.shapes if name in errors]
        if len(names) == len(fit.model.parameters.shapes):
            self.errors[group] = np.concatenate([np.ravel(np.asarray(errors[name], dtype=float)) for name in names])
        self.r_squared[group] = np.nan if fit.r_squared is None else fit.r_squared
        self.rows[group] = fit.rows
        self.degrees[group] = np.nan if fit.degrees_of_freedom is None else fit.degrees_of_freedom
        deviation = fit.residual_standard_deviation if fit.loss_function.quadratic else None
        dispersion = fit.dispersion if deviation is None else deviation**2
        self.dispersion[group] = np.nan if dispersion is None else dispersion
        for name, each in fit.quantities.items():
            numbers = (each.value, each.standard_error, *each.interval)
            self.quantity(name, each.text).put(group, numbers, each.why)
        if not fit.succeeded:
            self.cause[group] = fit.advice

    def refuse(self, group: int, cause: str) -> None:
        """Say why a group was not fitted."""
        self.outcome[group], self.cause[group] = REFUSED, cause
