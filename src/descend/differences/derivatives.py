"""The derivatives of a function that can only be called: how they are found, how exact they are, what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from descend.differences.calls import ALIKE, Array, Calls, RowFunction
from descend.differences.complex_step import complex_jacobian, misfit, signs
from descend.differences.noise import LEAST, measured_noise
from descend.differences.scaled import Scaled, scaled
from descend.differences.secant import Secant
from descend.differences.stencils import ATTEMPTS, CENTRAL, FAR, FORWARD, FOURTH, NEAR, Stencil, differenced
from descend.errors import ConfigError

UPDATED, COARSE, FINE = 0, 1, 2
"""How derivatives were found: carried on from a point nearby; by forward differences; as well as can be."""
EXACT = 8.0 * LEAST
"""Relative error of a complex step, which is rounding."""
SUSPECT = 1e-11
"""From this relative noise on, a function is called twice at the same point."""
APART = 1e-6
"""Relative distance of a second point, to find out whether one call takes several."""
HAIR = 1e-10
"""Distance, as a share of the way that matters, at which only noise can make values miss a prediction."""
ROUNDED = 1e-15
"""A parameter changes by at least this share of itself, so that it changes at all."""
STILL = 1e-14
"""A predicted change below this share of a value may be lost in rounding."""
ROUNDINGS = 100.0
"""How many roundings a value may be made up of without counting as noisy."""
WIDEST = 1e3
"""The way of a parameter that matters is taken to be at most this multiple of it, however little it changes."""
FLAT = 1e-6
"""Step of a parameter of value 0 whose scale is not known yet, as a share of 1."""


class Derivatives:
    """The values of a function in n rows, and their derivatives by p parameters, at one point after another.

    1. A complex step, where the function takes complex numbers and that agrees in every row with differences.
    2. Else differences, with steps that balance the noise of the function, measured once, against its curvature: with
       one call for many points, of fourth order; with a call for each point, forward differences, carried on from one
       point to the next by secants, and central ones where they are asked for (`refine`).

    room: the least and the largest value of each parameter; the function is not called outside them.
    Raises DescendError where the function has no value at the first point, or is not deterministic.
    """

    def __init__(self, function: RowFunction, size: int, room: tuple[Array, Array]) -> None:
        self.calls, self.room = Calls(function, size), room
        self.size = size
        self.by_complex_step: bool | None = None
        """None before the first attempt, and after that whether it is verified."""
        self.complex_together = False
        self.checked = False
        """Whether the complex step was verified a second time, where the descent ended."""
        self.noise = 0.0
        """Standard deviation of the noise of the values; 0 where they are exact to rounding."""
        self.scale = 1.0
        """Root mean square of the values."""
        self.ways: Array | None = None
        """The change of each parameter that changes the values by their own size."""
        self.scales: Scaled | None = None
        self.learned = False
        self._looked: tuple[Scaled, Array] | None = None
        self.secant, self.stencil = Secant(), FORWARD
        self._last: tuple[bytes, Array, Array, int] | None = None
        self._level_wanted = UPDATED
        self.carry_on = False
        """Whether the next derivatives may be carried on from the last, where they would cost a call each."""
        self.errors = np.zeros(size)
        """Root mean square error of each column of the last derivatives."""

    @property
    def sparing(self) -> bool:
        """Whether derivatives cost a call for each parameter, so that values alone are worth asking for."""
        return not (self.complex_together if self.by_complex_step else self.calls.together)

    @property
    def noisy(self) -> bool:
        """Whether the function has more noise than rounding."""
        return self.noise > ROUNDINGS * LEAST * self.scale

    def values(self, theta: Array) -> Array:
        """Return the (n,) values at a point."""
        return self.calls.value(theta)

    def at(self, theta: Array) -> tuple[Array, Array]:
        """Return the (n,) values at a point, and their (n, p) derivatives."""
        key = theta.tobytes()
        if self._last is not None and self._last[0] == key and self._last[3] >= self._level_wanted:
            return self._last[1], self._last[2]
        if self.by_complex_step is None:
            values_and_jacobian = self._first(theta)
            if values_and_jacobian is None:
                values = self.calls.value(theta)
                values_and_jacobian = values, np.full((len(values), self.size), np.nan), FINE
        else:
            values_and_jacobian = self._next(theta)
        values, jacobian, level = values_and_jacobian
        if level > UPDATED:
            self._learn_scales(theta, values, jacobian)
        self._last = key, values, jacobian, level
        self._level_wanted, self.carry_on = UPDATED, False
        self.secant.base(theta, values, jacobian)
        return values, jacobian

    def refine(self, best: bool) -> bool:
        """Let derivatives be found better at the point where they were asked for last; False if they cannot be.

        best: as good as they can be; else at least not carried on from another point.
        """
        if self._last is None:
            return False
        key, values, jacobian, level = self._last
        if self.by_complex_step and level == FINE and not self.checked:
            self.checked = True
            theta = np.frombuffer(key)
            noise = misfit(self.calls, theta, values, jacobian, turn=1)
            if noise is not None:
                self.noise = max(self.noise, noise)
                return False
            self.by_complex_step, self._last = False, None
            self._measure(theta)
            return True
        if level >= (FINE if best else COARSE):
            return False
        self._level_wanted = FINE if best else COARSE
        return True

    @property
    def last_errors(self) -> tuple[Array, Array]:
        """The root mean square errors of the values, (n,), and of the derivatives, (n, p), that were last found."""
        assert self._last is not None
        values = self._last[1]
        rounding = 2.0 * LEAST * np.abs(values)
        of_values = rounding if self.noise <= 2.0 * LEAST * self.scale else np.maximum(rounding, self.noise)
        return of_values, np.broadcast_to(self.errors, (len(values), self.size))

    @property
    def words(self) -> tuple[str, ...]:
        """How derivatives were found, in sentences for a user."""
        name, noise = self.calls.function.name, self.noise / self.scale
        if self.by_complex_step is None:
            return ()
        if self.by_complex_step:
            how = "a complex step, which agrees with differences in every row"
        else:
            size = "rounding" if not self.noisy else f"{noise:.1g} of its values"
            how = f"{self.stencil.name}, in steps above its noise, which is {size}"
        notes = [f"derivatives of `{name}` by {how}; {self.calls.count} calls"]
        if self.calls.last_error is not None:
            many = "1 point" if self.calls.failures == 1 else f"{self.calls.failures} points"
            error = self.calls.last_error.__cause__ or self.calls.last_error
            error_text = " ".join(f"{type(error).__name__}: {error}".split())
            notes.append(f"{many} at which `{name}` has no value were stepped around; the last said: {error_text:.200}")
        return tuple(notes)

    def _first(self, theta: Array) -> tuple[Array, Array, int] | None:
        """Find out how derivatives are found; None where the function has no value yet."""
        values = self.calls.value(theta)
        finite_mask = np.isfinite(values)
        if not finite_mask.all():
            return None
        self.scale = float(np.sqrt(np.mean(values**2))) or 1.0
        self.noise = LEAST * self.scale
        ways = (True, False) if self.calls.learn(theta) else (False,)
        for self.complex_together in ways:
            complex_slopes = complex_jacobian(self.calls, theta, self.complex_together)
            if complex_slopes is not None and self._as_called(values, complex_slopes[0]):
                noise = misfit(self.calls, theta, values, complex_slopes[1])
                if noise is None:
                    break
                self.by_complex_step, self.noise = True, max(self.noise, noise)
                self._exact(complex_slopes[1])
                return values, complex_slopes[1], FINE
            if self.calls.refused_complex:
                break
        self.by_complex_step = self.complex_together = False
        if self.calls.learn(theta):
            self._measure(theta)
            return self._next(theta)
        by_differences = self._next(theta)
        if not self._noisy(theta, values, by_differences[1]):
            return by_differences
        self._measure(theta)
        self.ways = None
        return self._next(theta)

    def _noisy(self, theta: Array, values: Array, jacobian: Array) -> bool:
        """Whether values a hair away miss what derivatives predict by more than rounding, or do not change at all."""
        ways = HAIR * np.nan_to_num(self._ways(theta), posinf=0.0)
        probe_theta = theta + np.maximum(ways, ROUNDED * np.abs(theta)) * signs(self.size, 1)
        change, predicted = self.calls.value(probe_theta) - values, jacobian @ (probe_theta - theta)
        usable = np.isfinite(change) & np.isfinite(predicted)
        if not usable.any():
            return False
        missed = float(np.sqrt(0.5 * np.mean((change - predicted)[usable] ** 2)))
        still = (change == 0.0) & (np.abs(predicted) > STILL * np.abs(values)) & usable
        silent = int(np.count_nonzero(still)) > 0.5 * int(np.count_nonzero(usable))
        return missed > ROUNDINGS * LEAST * self.scale or silent

    def _learn_scales(self, theta: Array, values: Array, jacobian: Array) -> None:
        """Look for columns that cost no call, where columns cost one: they look so at two points, and a call agrees.

        The others differ in between, none of them 0.
        """
        if not self.sparing or self.size == 1 or self.learned or not np.isfinite(jacobian).all():
            return
        scaled_columns, before = scaled(theta, values, jacobian), self._looked
        self._looked = None if scaled_columns is None else (scaled_columns, theta)
        if before is None or scaled_columns is None or before[0] != scaled_columns:
            return
        other_components = np.array(
            [component not in (scaled_columns.factor, scaled_columns.constant) for component in range(self.size)]
        )
        if (theta[other_components] != before[1][other_components]).all() and (theta[other_components] != 0.0).all():
            self.learned = True
            self.scales = scaled_columns if scaled_columns.holds(self.calls, theta, values, self.room) else None

    def _costless(self, theta: Array, values: Array) -> dict[int, Array]:
        """Return the columns that the values tell; none, once and for all, if at the end they turn out to be wrong."""
        if self.scales is None:
            return {}
        if self._level_wanted == FINE and not self.scales.holds(self.calls, theta, values, self.room):
            self.scales = None
            return {}
        return self.scales.columns(theta, values)

    def _ways(self, theta: Array) -> Array:
        return np.where(theta == 0.0, FLAT, np.abs(theta)) if self.ways is None else self.ways

    def _as_called(self, values: Array, jacobian: Array) -> bool:
        return bool((np.abs(values - jacobian) <= ALIKE * np.abs(values).max(initial=0.0)).all())

    def _next(self, theta: Array) -> tuple[Array, Array, int]:
        if self.by_complex_step and not self.sparing:
            complex_slopes = complex_jacobian(self.calls, theta, True)
            if complex_slopes is not None:
                return self._remember(theta, *complex_slopes)
        if self.calls.together and not self.by_complex_step:
            self.stencil = FOURTH
            return *self._differenced(theta, FOURTH), FINE
        values = self.calls.value(theta)
        if not np.isfinite(values).any():
            return values, np.full((len(values), self.size), np.nan), FINE
        if self.carry_on and self.sparing and self._level_wanted == UPDATED:
            carried = self.secant.carried(theta, values, max(self.noise, LEAST * self.scale))
            if carried is not None:
                for component, column in self._costless(theta, values).items():
                    carried[:, component] = column
                self.errors = self.secant.error * _steepness(carried)
                return values, carried, UPDATED
        self.secant.fresh()
        costless_columns = self._costless(theta, values)
        if self.by_complex_step:
            complex_slopes = complex_jacobian(
                self.calls, theta, False, [k for k in range(self.size) if k not in costless_columns]
            )
            if complex_slopes is not None:
                jacobian = np.empty((len(values), self.size))
                jacobian[:, [k for k in range(self.size) if k not in costless_columns]] = complex_slopes[1]
                for component, column in costless_columns.items():
                    jacobian[:, component] = column
                return self._remember(theta, values, jacobian)
            self.by_complex_step = False
            self._measure(theta)
        self.stencil = CENTRAL if self._level_wanted == FINE else FORWARD
        return *self._differenced(theta, self.stencil, costless_columns), COARSE if self.stencil is FORWARD else FINE

    def _remember(self, theta: Array, values: Array, jacobian: Array) -> tuple[Array, Array, int]:
        self.calls.keep(theta, values)
        self._exact(jacobian)
        return values, jacobian, FINE

    def _exact(self, jacobian: Array) -> None:
        self.errors = EXACT * _steepness(jacobian)

    def _measure(self, theta: Array) -> None:
        """Measure the noise at a point; refuse a function that is not deterministic."""
        units = np.where(theta == 0.0, FLAT, np.abs(theta))
        noise = measured_noise(self.calls, theta, units)
        if np.isfinite(noise):
            self.noise = max(noise, self.noise)
        if self.noise > SUSPECT * self.scale:
            once, twice = self.calls.value(theta), self.calls.again(theta)
            once_less_twice = np.abs(once - twice)
            if float(np.nan_to_num(once_less_twice).max(initial=0.0)) > SUSPECT * self.scale:
                row = int(np.nanargmax(once_less_twice))
                raise ConfigError(
                    f"`{self.calls.function.name}` is not deterministic: called twice with the same arguments it "
                    f"returned {once[row]:.6g} and then {twice[row]:.6g} in row {row + 1}. Give it a fixed seed, or "
                    "take the mean of many draws."
                )

    def _differenced(
        self, theta: Array, stencil: Stencil, costless: Mapping[int, Array] = MappingProxyType({})
    ) -> tuple[Array, Array]:
        """Return values and derivatives by differences; steps that turn out badly chosen are chosen anew."""
        noise = max(self.noise / self.scale, LEAST)
        guessed = self.ways is None
        ways = self._ways(theta)
        aim = stencil.share(noise) * self.scale
        jacobian = np.empty((self.calls.rows, self.size))
        doubtful = np.ones(self.size, dtype=bool)
        for component, column in costless.items():
            jacobian[:, component], doubtful[component] = column, False
        for _ in range(ATTEMPTS if guessed or stencil is not FORWARD else 1):
            places = np.flatnonzero(doubtful)
            steps = stencil.share(noise) * ways
            values, slopes, changes = differenced(self.calls, theta, stencil, steps, self.room, places.tolist())
            jacobian[:, places] = slopes
            steep = _steepness(slopes)
            finite_slopes = (steep > 0.0) & np.isfinite(steep)
            ways[places] = np.where(finite_slopes, self.scale / np.where(finite_slopes, steep, 1.0), ways[places] * 1e3)
            ratio = np.where(changes > 0.0, changes, 0.0) / aim
            doubtful[places] = ~((ratio >= NEAR) & (ratio <= FAR))
            if not doubtful.any():
                break
        self.ways = np.where(theta == 0.0, ways, np.minimum(ways, WIDEST * np.abs(theta)))
        self.errors = 2.0 * stencil.error(noise) * _steepness(jacobian)
        self.errors[list(costless)] *= noise / stencil.error(noise)
        return values, jacobian


def _steepness(jacobian: Array) -> Array:
    """Return the root mean square of each column, over the rows where it is finite."""
    finite_mask = np.isfinite(jacobian)
    squares = np.where(finite_mask, jacobian, 0.0) ** 2
    steep: Array = np.sqrt(squares.sum(axis=0) / np.maximum(finite_mask.sum(axis=0), 1))
    return steep
