"""Rows whose errors depend on each other: what is summed of them, and what that does not go with."""

from __future__ import annotations

from descend.errors import ConfigError
from descend.gradients.contract import Kernel
from descend.gradients.derived import Program
from descend.gradients.whitened_rows import coupled
from descend.models import Model
from descend.options.request import Request
from descend.problem.engine_choice import is_arrow
from descend.wording import spell


def coupled_rows(code: Program | Kernel, model: Model, gradient: str, request: Request) -> Kernel:
    """Return the sums of a problem whose rows have a known covariance. Raises ConfigError where there are none."""
    if not model.loss.quadratic:
        raise ConfigError(
            f"{spell('covariance')} is that of normal errors, but the {model.loss.name} loss has errors of another "
            "kind. Use the squared loss."
        )
    if request.roles.clusters:
        raise ConfigError(
            f"{spell('covariance')} says how rows go together, and clustered errors estimate it. Leave out one of "
            "the two."
        )
    if is_arrow(code):
        raise ConfigError(
            f"{spell('covariance')} couples the rows of all groups, so that {model.parameters.size:,} parameters, most "
            "of one group each, are too many. Fit fewer groups."
        )
    return coupled(code, model, gradient)
