"""The quantities that were asked for in a fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from descend.descent.comments_on_solution import once
from descend.descent.solution import Solution
from descend.inference.estimates import estimates_of

if TYPE_CHECKING:
    from descend.inference.quantities.estimate import Estimated


@once
def quantities_of(solution: Solution) -> Mapping[str, Estimated]:
    """Return the quantities that were asked for, with their standard errors and 95% t intervals, by name."""
    if not solution.quantities:
        return {}
    from descend.inference.quantities.interval_methods import estimated_quantities

    return estimated_quantities(solution.quantities, estimates_of(solution), solution)
