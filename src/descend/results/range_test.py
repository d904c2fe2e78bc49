"""The learning-rate range test: steps at rates that rise, and the loss after each, beside what the curvature says."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from descend.descent.beginning import Beginning, choose
from descend.engines.batches import Places
from descend.errors import ConfigError
from descend.optimizers import Optimizer
from descend.options.request import OPTIONS, Request, is_default
from descend.problem.point import Objective
from descend.problem.standardized import standardized
from descend.report.figures import Axis, Line, Mark, Panel, Points
from descend.stability.spectrum import Spectrum, spectrum_at, spectrum_of
from descend.wording import spell

if TYPE_CHECKING:
    import os

    from matplotlib.figure import Figure

Array = NDArray[np.float64]
BELOW, ABOVE = 1e-3, 10.0
"""From and to which share of the largest stable rate a test goes, where that is known."""
USUAL = 1e-6, 10.0
"""From and to which rate it goes where it is not."""
BEYOND = 4.0
"""A test ends where the loss is so many times the first one."""
WIDTH = 3.0
"""Over so many steps the losses of batches are smoothed: the standard deviation of the weights."""
NEARLY = 0.02
"""The loss has fallen where so much of its fall is left."""
FALLS = 1e-6
"""A loss that changes by a smaller share does not fall."""
FEWEST = 10
"""Steps that a curve needs at least."""
ROOM = 0.35
"""How far above the losses that matter the picture reaches, as a share of their range."""


@dataclass(frozen=True, eq=False)
class RangeTest:
    """What a learning-rate range test found.

    rates: (m,) of the steps, rising. losses: (m,) J after each, of all rows, or of the batch that came next; the last
    is inf where J overflowed. first: J before the first step. batch_size: rows of a step; None if all.
    curvature: the largest eigenvalue lambda_max at the start; None where there is none. limit: the largest rate at
    which steps of this optimizer over all rows are stable there, 2 / lambda_max of gd; None where none is known.

    Source: Smith (2017), Cyclical learning rates for training neural networks, IEEE WACV, 464-472.
    """

    rates: Array
    losses: Array
    first: float
    optimizer: str
    batch_size: int | None
    curvature: float | None
    limit: float | None

    @cached_property
    def curve(self) -> Array:
        """The losses without the noise of batches: a mean over the steps around each, with weights of a normal density.

        Of steps over all rows the losses themselves.
        """
        if self.batch_size is None:
            return self.losses
        steps = np.arange(len(self.losses))
        weights = np.exp(-0.5 * ((steps[:, None] - steps) / WIDTH) ** 2)
        losses = np.minimum(self.losses, bound(self.first, float(self.losses.min())))
        return np.asarray(weights @ losses / weights.sum(axis=1))

    @property
    def lowest(self) -> float | None:
        """The rate up to which the loss falls: from there on it is hardly lower; None if it never falls."""
        return None if self._fallen is None else float(self.rates[self._fallen])

    @property
    def steepest(self) -> float | None:
        """The rate at which the loss falls fastest on its way down; None if it never falls."""
        if self._fallen is None:
            return None
        return float(self.rates[int(np.diff(self.curve[: self._fallen + 1], prepend=self._begins).argmin())])

    @property
    def diverged(self) -> float | None:
        """The rate at which the loss was far above the first one; None if it never was."""
        return float(self.rates[-1]) if self.losses[-1] > bound(self.first, float(self.losses.min())) else None

    @property
    def _begins(self) -> float:
        """Where the curve begins: the first batch says little of the others."""
        return self.first if self.batch_size is None else float(self.curve[0])

    @property
    def _fallen(self) -> int | None:
        """The first step that leads nearly to the lowest loss of the curve."""
        lowest_loss = float(self.curve.min())
        near = self.curve <= lowest_loss + NEARLY * (self._begins - lowest_loss)
        return int(near.argmax()) if lowest_loss < self._begins - FALLS * abs(self._begins) else None

    def plot(self, path: str | os.PathLike[str] | None = None) -> Figure:
        """Draw the loss against the rate, with the certain rate of the curvature; saved at ``path`` if given."""
        from descend.report.picture_look import Look
        from descend.report.plots import plot_panels, save

        panel = self.panel()
        figure = plot_panels([panel], captions=[panel.caption], look=Look(size=(8.0, 5.0)))
        if path is not None:
            save(figure, path)
        return figure

    def panel(self) -> Panel:
        """Prepare the picture: the loss against the rate, beside the rate that the curvature tells."""
        low, noisy = min(self.first, float(self.losses.min())), self.batch_size is not None
        span = (self.first - low) or abs(self.first) or 1.0
        bottom, top = low - 0.1 * span, self.first + ROOM * span
        marks: list[Mark] = []
        if noisy:
            marks.append(Points(self.rates, self.losses, "after the step, of a batch", "sky", size=0.7))
        name = "mean over the steps around" if noisy else "after the step"
        marks.append(Line(self.rates, np.minimum(self.curve, 1e3 * abs(top)), name, "blue"))
        if self.limit is not None:
            text, ends = f"stable up to {self.limit:.3g}, by the curvature", np.array([bottom, top])
            marks.append(Line(np.full(2, self.limit), ends, text, "vermillion", dashes="--"))
        if self.steepest is not None:
            at = np.array([self.steepest])
            height = np.interp(np.log(at), np.log(self.rates), self.curve)
            marks.append(Points(at, height, f"falls fastest, {self.steepest:.3g}", "green", size=1.6, over=True))
        axes = Axis("learning rate", "log"), Axis("loss", "linear", bottom, top)
        alt = " ".join(f"{label}: {sentence}." for label, sentence in self.lines())
        return Panel("range-test", f"Learning-rate range test of {self.optimizer}", *axes, marks, self._caption, alt)

    @property
    def _caption(self) -> str:
        if self.limit is None:
            return dict(self.lines()).get("certain", "").capitalize() + "." if self.curvature is not None else ""
        over_batches = " Single batches curve otherwise, so over them it may begin earlier."
        return (
            f"At the start the largest curvature of the loss is {self.curvature:.4g}: beyond the dashed line, steps "
            f"over all rows move away from the minimum along it.{'' if self.batch_size is None else over_batches}"
        )

    def as_dict(self) -> dict[str, object]:
        """Return all of it as plain values."""
        return {
            "optimizer": self.optimizer,
            "batch_size": self.batch_size,
            "first_loss": self.first,
            "rates": self.rates.tolist(),
            "losses": [loss if math.isfinite(loss) else None for loss in self.losses.tolist()],
            "steepest": self.steepest,
            "lowest": self.lowest,
            "diverged": self.diverged,
            "largest_curvature": self.curvature,
            "largest_stable_rate": self.limit,
        }

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield labels and sentences."""
        each = "all rows" if self.batch_size is None else f"batches of {self.batch_size:,}"
        low, high = self.rates[0], self.rates[-1]
        yield "test", f"{len(self.rates)} steps of {self.optimizer} over {each}, at rates from {low:.3g} to {high:.3g}"
        if self.steepest is None:
            yield "fell", f"nowhere: the loss was {self._begins:.4g} at first, and never lower"
        else:
            lowest_loss = float(self.curve.min())
            yield (
                "fell",
                f"fastest at {self.steepest:.3g}, and until {self.lowest:.3g}: {self._begins:.4g} to {lowest_loss:.4g}",
            )
        if self.diverged is not None:
            yield "diverged", f"at {self.diverged:.3g}"
        if self.limit is not None:
            yield (
                "certain",
                f"beyond {self.limit:.4g} steps of {self.optimizer} over all rows are unstable at the start, where the "
                f"largest curvature lambda_max is {self.curvature:.4g}",
            )
        elif self.curvature is not None:
            yield (
                "certain",
                f"nothing: the steps of {self.optimizer} do not follow from the curvature alone; those of gd are "
                f"unstable beyond 2/lambda_max = {2.0 / self.curvature:.4g}",
            )

    def __str__(self) -> str:
        return "\n".join(f"{label:<9} {sentence}" for label, sentence in self.lines())


def bound(first: float, lowest_loss: float) -> float:
    """Return the loss beyond which a test has diverged: the first one, and ``BEYOND`` - 1 times its size above it."""
    return first + (BEYOND - 1.0) * max(abs(first), first - lowest_loss)


def rising(low: float | None, high: float | None, steps: int, limit: float | None) -> Array:
    """Return the rates of a test, as far apart in their logarithm.

    limit: the largest stable rate, around which they lie where the user does not say. Raises ConfigError for rates that
    do not rise.

    >>> rising(None, None, 11, 0.5)[[0, -1]]
    array([5.e-04, 5.e+00])
    """
    if steps < FEWEST:
        raise ConfigError(f"A range test takes {FEWEST} steps at least, so {spell('steps')} cannot be {steps}.")
    usual = USUAL if limit is None else (BELOW * limit, ABOVE * limit)
    begin, end = usual[0] if low is None else low, usual[1] if high is None else high
    if not 0.0 < begin < end < math.inf:
        raise ConfigError(
            f"The rates of a range test rise from {spell('low')} to {spell('high')}, both positive: from {begin:g} to "
            f"{end:g} they do not."
        )
    return np.geomspace(begin, end, steps)


@dataclass(eq=False)
class Rise:
    """A test as it goes: its rates, and the losses so far, of which the first is that before any step."""

    rates: Array
    found: Spectrum | None
    limit: float | None
    losses: list[float] = field(default_factory=list)

    @classmethod
    def of(
        cls, spectrum: Spectrum | None, optimizer: Optimizer, low: float | None, high: float | None, steps: int
    ) -> Rise:
        """Return a test before its first step. spectrum: the curvature there."""
        limit = None if spectrum is None else spectrum.stable_limit(optimizer)
        return cls(rising(low, high, steps, limit), spectrum, limit)

    def ends(self, loss: float) -> bool:
        """Take the loss where the next step begins; whether there is none, as it diverged or all steps are taken."""
        self.losses.append(loss)
        first = self.losses[0]
        return not loss <= bound(first, min(self.losses)) or len(self.losses) > len(self.rates)

    def rate(self, step: int) -> float:
        """Return the rate of a step, from 0 on; behind the last one that of the last."""
        return float(self.rates[min(step, len(self.rates) - 1)])

    def result(self, optimizer: str, batch_size: int | None) -> RangeTest:
        """Return what was found."""
        losses = np.array(self.losses[1:])
        losses[np.isnan(losses)] = np.inf
        curvature = None if self.found is None else self.found.largest
        rates = self.rates[: len(losses)]
        return RangeTest(rates, losses, self.losses[0], optimizer, batch_size, curvature, self.limit)


def refuse_for_range_test(request: Request) -> None:
    """Refuse options of a fit that make no difference to a range test, or that it cannot follow."""
    for key, option in OPTIONS.items():
        if not (option.range_tested or is_default(key, request[key])):
            raise ConfigError(
                f"`{key}` has no part in a learning-rate range test, which takes single steps at rates that rise. "
                "Leave it out."
            )


def refuse_without_rate(optimizer: Optimizer) -> None:
    """Refuse an optimizer that has no learning rate to test."""
    if not optimizer.uses_rate:
        raise ConfigError(f"{optimizer.name} has no learning rate to test. Take another optimizer, such as gd or adam.")


def range_test_of(
    beginning: Beginning, request: Request, low: float | None, high: float | None, steps: int
) -> RangeTest:
    """Test the rates of a problem whose parameters are a vector."""
    problem, objective, first = beginning.problem, beginning.problem.objective, beginning.first
    optimizer, _ = choose(problem, request)
    refuse_without_rate(optimizer)
    if request.standardize:
        scaled, _ = standardized(problem, first)
        objective, first = scaled, scaled.first
        spectrum = spectrum_at(first, problem.model.parameters.labels, problem.scale, problem.parabola)
    else:
        spectrum = spectrum_of(problem, objective(first.theta, 2))
    rise = Rise.of(spectrum, optimizer, low, high, steps)
    optimizer_state, theta, needs = optimizer.init(first.theta), first.theta, max(1, optimizer.needs)
    for step, rows in enumerate(drawn(objective, request)):
        point = objective(theta, needs, rows)
        if rise.ends(point.loss):
            break
        point.rate = rise.rate(step)
        theta, optimizer_state = optimizer.step(point, optimizer_state)
    return rise.result(optimizer.name, request.batch_size)


def drawn(objective: Objective, request: Request) -> Iterator[Places | None]:
    """Yield the rows of one step after another, without end; None: all of them. Those of a database have no numbers."""
    for epoch in count():
        if request.batch_size is None:
            yield None
        else:
            yield from cast("Iterable[Places]", objective.batches(request.batch_size, request.seed, epoch))
