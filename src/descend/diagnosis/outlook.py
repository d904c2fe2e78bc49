"""What a descent at some learning rate would do, said before its first step: part of `descend explain`."""

from __future__ import annotations

import math
from dataclasses import dataclass

from descend.descent.beginning import Beginning, learning_rate, named_optimizer
from descend.descent.loop import CLOSE_ENOUGH
from descend.diagnosis.progress import counted
from descend.errors import ConfigError
from descend.optimizers import OPTIMIZERS, Optimizer
from descend.optimizers.recurrence import Recurrence
from descend.options.checks import as_rate
from descend.options.request import check_options
from descend.problem.standardized import standardized
from descend.stability.culprit import culprit_of, standardised
from descend.stability.spectrum import LARGEST, MOST_EPOCHS, Spectrum, spectrum_at, spectrum_of
from descend.wording import spell

OutlookSettings = tuple[Optimizer, float | str | None, float]


@dataclass(frozen=True, eq=False)
class Outlook:
    """What the curvature at the start says about a descent by ``optimizer`` at ``rate``.

    spectrum: None where J has no usable curvature. tolerance: of what remains of the gradient.
    """

    optimizer: Optimizer
    rate: float
    tolerance: float
    spectrum: Spectrum | None
    standardized: bool = False
    """Whether the outlook is for a descent in standardised columns."""

    def as_dict(self) -> dict[str, object]:
        """Return all of it as plain values."""
        settings: dict[str, object] = {
            "optimizer": self.optimizer.name,
            "learning_rate": self.rate,
            "tolerance": self.tolerance,
        }
        settings["standardized"] = self.standardized
        spectrum = self.spectrum
        if spectrum is None:
            return settings
        blamed, gain = (None, None) if self.standardized else (culprit_of(spectrum), standardised(spectrum))
        best, growth = spectrum.best_rate(self.optimizer), spectrum.growth(self.rate, self.optimizer)
        return settings | {
            "exact": spectrum.exact,
            "largest_curvature": spectrum.largest,
            "smallest_curvature": spectrum.smallest,
            "condition": spectrum.condition,
            "largest_stable_rate": spectrum.stable_limit(self.optimizer),
            "best_rate": best,
            "epochs": spectrum.epochs_to(self.tolerance, self.rate, self.optimizer),
            "epochs_at_best_rate": None if best is None else spectrum.epochs_to(self.tolerance, best, self.optimizer),
            "growth": growth if growth is not None and math.isfinite(growth) else None,
            "overflow_epoch": {name: spectrum.overflow_epoch(self.rate, self.optimizer, name) for name in LARGEST},
            "to_blame": None if blamed is None else blamed.label,
            "why": None if blamed is None else str(blamed),
            "condition_standardized": None if gain is None else gain.condition,
            "epochs_standardized": None if gain is None else self._at_best(gain),
        }

    def _at_best(self, spectrum: Spectrum) -> int | None:
        best = spectrum.best_rate(self.optimizer)
        return None if best is None else spectrum.epochs_to(self.tolerance, best, self.optimizer)

    def lines(self) -> list[tuple[str, str]]:
        """Return labels and sentences."""
        spectrum, name = self.spectrum, self.optimizer.name
        if spectrum is None:
            return [("curvature", "none at the start that would tell anything about the steps")]
        limit, best = spectrum.stable_limit(self.optimizer), spectrum.best_rate(self.optimizer)
        assert limit is not None and best is not None
        most, condition = "" if spectrum.complete else " at least", spectrum.condition
        extremes = f"largest {spectrum.largest:.4g}, smallest {spectrum.smallest:.4g}, condition{most} {condition:.3g}"
        where = ", in standardised columns" if self.standardized else ""
        # With momentum the rate that is best in the long run need not be the first to arrive.
        best_of = "at best" if self.optimizer.recurrence == Recurrence() else "in the long run fastest at"
        lines = [
            (
                "curvature",
                extremes + where + ("" if spectrum.exact else "; of the parabola that J resembles at the start"),
            ),
            (
                "stable",
                f"{name} up to a learning rate of {limit:.4g}, {best_of} {best:.4g}: {self._epochs(spectrum, best)}",
            ),
            ("asked", f"{self.rate:.4g} is {self._at_rate(spectrum, limit)}"),
        ]
        blamed, gain = (None, None) if self.standardized else (culprit_of(spectrum), standardised(spectrum))
        if blamed is not None and gain is not None:
            after = f"brings the condition from {spectrum.condition:.2g} to {gain.condition:.2g}"
            epochs = self._at_best(gain)
            after += "" if epochs is None else f", at best {counted(epochs)}"
            lines.append(("to blame", f"{blamed}; standardising ({spell('standardize', True)}) {after}"))
        return lines

    def _at_rate(self, spectrum: Spectrum, limit: float) -> str:
        growth = spectrum.growth(self.rate, self.optimizer)
        assert growth is not None
        if self.rate <= limit:
            every = math.log(0.5) / math.log(growth) if growth > 0.0 else 0.0
            slow = f"the slowest part of the error halves every {every:,.0f} epochs"
            slow = slow if every >= 1.5 else "every part of the error more than halves per epoch"
            return f"stable: {self._epochs(spectrum, self.rate)}; {slow}"
        ends = [(spectrum.overflow_epoch(self.rate, self.optimizer, name), name) for name in LARGEST]
        overflow = [f"{name} at epoch {epoch:,}" for epoch, name in ends if epoch is not None]
        after = f"; it overflows {' and '.join(overflow)}" if overflow else ""
        return f"unstable: J grows {growth * growth:.3g}-fold per epoch{after}"

    def _epochs(self, spectrum: Spectrum, rate: float) -> str:
        epochs = spectrum.epochs_to(self.tolerance, rate, self.optimizer)
        if epochs is None:
            return f"more than {MOST_EPOCHS:.0e} epochs to the tolerance of {self.tolerance:g}"
        about = "" if spectrum.exact else "if J were that parabola, "
        return f"{about}{counted(epochs)} to the tolerance of {self.tolerance:g}"


def asked_outlook(
    optimizer: str | Optimizer | None,
    rate: float | str | None,
    tolerance: float | None,
    has_data: bool,
    standardize: bool = False,
) -> OutlookSettings | None:
    """Return optimizer, rate (None or "auto": chosen) and tolerance; None if no outlook is asked for.

    Raises ConfigError for an optimizer whose steps on a parabola are not known, and if there are no data.
    """
    if optimizer is None and rate is None and tolerance is None and not standardize:
        return None
    if not has_data:
        raise ConfigError("What a descent would do depends on the data. Give some, or leave out its options.")
    built = named_optimizer("gd" if optimizer is None else optimizer)
    if built.recurrence is None:
        able = ", ".join(name for name in OPTIMIZERS if OPTIMIZERS.build(name).recurrence)
        raise ConfigError(
            f"What `{built.name}` will do cannot be told from the curvature alone. Explained are: {able}."
        )
    if rate is not None and rate != "auto":
        rate = as_rate(rate)
    check_options({"tolerance": tolerance})
    return built, rate, CLOSE_ENOUGH if tolerance is None else tolerance


def outlook(
    beginning: Beginning, optimizer: Optimizer, rate: float | str | None, tolerance: float, standardize: bool = False
) -> Outlook:
    """Return what a descent from the beginning would do, in standardised columns if the user chose them."""
    problem, first = beginning.problem, beginning.first
    if standardize:
        first = standardized(problem, first)[0].first
        spectrum = spectrum_at(first, problem.model.parameters.labels, problem.scale, problem.parabola)
    else:
        spectrum = spectrum_of(problem, first)
    return Outlook(optimizer, learning_rate(rate, optimizer, first)[0], tolerance, spectrum, standardize)
