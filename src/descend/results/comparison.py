"""Fits of several optimizers, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from descend.results.fit import Fit

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Comparison:
    """Several optimizers on one problem, in the order they were named."""

    fits: Mapping[str, Fit]

    def plot(self) -> Figure:
        """Draw all loss curves over each other; returns a Matplotlib figure."""
        from descend.report.plots import plot_comparison

        return plot_comparison(self.fits)

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        from descend.report.notebook import compared

        return compared(self.fits)
