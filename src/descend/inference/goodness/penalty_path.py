"""How the error on rows that were held out changes with a penalty, and the penalty that was chosen by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PenaltyPath:
    """The penalties that were tried, from the strongest on, and the mean loss of the rows that each fold held out.

    l1, l2: (m,) the penalties. error, standard_error: (m,) the mean over folds, and how uncertain it is as folds
    differ. chosen: the place of the one that was taken. folds: how many there were. rule: by which it was chosen.
    labels: of the parameters that are penalised. parameters: (m, k) those of all rows at each penalty, empty where
    this would take long.
    """

    l1: Array
    l2: Array
    error: Array
    standard_error: Array
    chosen: int
    folds: int
    rule: str
    labels: tuple[str, ...]
    parameters: Array

    def __str__(self) -> str:
        """Say what was chosen, and how."""
        penalty = self.chosen
        parts = [f"{key} = {values[penalty]:.4g}" for key, values in (("l1", self.l1), ("l2", self.l2)) if values.any()]
        rule = "" if self.rule == "least" else ", the strongest within one standard error of the least error"
        return (
            f"Penalty {' and '.join(parts) or '0'} chosen among {len(self.error)} by {self.folds}-fold "
            f"cross-validation{rule}: mean loss {self.error[penalty]:.4g} +- {self.standard_error[penalty]:.2g} on "
            f"rows held out, {self.error[-1]:.4g} with the least penalty; under a penalty there are no standard "
            "errors, and those of a fit without one to what this choice leaves would be conditional on it, hence too "
            "small"
        )

    def plain(self) -> dict[str, object]:
        """Return plain values, as JSON has them."""
        numbers = ("l1", "l2", "error", "standard_error", "parameters")
        keys_plain = ("chosen", "folds", "rule")
        return (
            {name: getattr(self, name).tolist() for name in numbers}
            | {name: getattr(self, name) for name in keys_plain}
            | {"labels": list(self.labels)}
        )

    @classmethod
    def restored(cls, plain: Mapping[str, object]) -> PenaltyPath:
        """Return the path that `plain` wrote."""
        values = dict(plain)
        numbers = ("l1", "l2", "error", "standard_error", "parameters")
        values |= {name: np.array(values[name], dtype=np.float64) for name in numbers}
        return cls(**values | {"labels": tuple(values["labels"])})  # type: ignore[arg-type]

    @property
    def strength(self) -> Array:
        """(m,) the penalty that varies: l1, unless there is none."""
        return self.l1 if self.l1.any() else self.l2
