"""The Jacobian of the predictions as the user wrote it: a function such as the `jac` of SciPy's `curve_fit`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from descend.errors import ConfigError, DescendError
from descend.gradients.contract import Array
from descend.gradients.numeric import NumericKernel
from descend.models import Call, Model
from descend.table import Table


class JacobianKernel(NumericKernel):
    """Sums over rows of a model whose derivatives the user gives as well, in each row.

    jacobian: returns (n, p), a row for each row of data and a column for each parameter, fixed and tied ones too; or
    (p, n), its transpose. With the slope l' and the weight W of the loss, the gradient is J' l', the curvature J' W J.
    """

    undivided = True

    def __init__(self, model: Model, jacobian: Call) -> None:
        super().__init__(model, jacobian.columns)
        self.jacobian = jacobian

    def returned(self, theta: Array, columns: Mapping[str, Array]) -> Array:
        """Return what the function returns, (n, p) or (p, n). Raises ConfigError for anything else."""
        rows, every = len(next(iter(columns.values()))), self.model.every_parameter
        jacobian_returned = np.asarray(self.jacobian(columns, self.model.parameters.named(theta)), dtype=np.float64)
        if jacobian_returned.ndim == 1 and every.size == 1:
            jacobian_returned = jacobian_returned[:, None]
        if jacobian_returned.shape in ((rows, every.size), (every.size, rows)):
            return jacobian_returned
        names = ", ".join(every.labels[:12]) + (" ..." if every.size > 12 else "")
        raise ConfigError(
            f"`{self.jacobian.name}` returned shape {jacobian_returned.shape} for {rows} rows and {every.size} "
            f"parameter{'s' * (every.size > 1)} ({names}). Return ({rows}, {every.size}): a row for each row of data, "
            "a column for each parameter."
        )

    def given(self, theta: Array, columns: Mapping[str, Array]) -> Array:
        """Return the derivatives of the predictions by the free parameters, (n, p)."""
        returned, constraints = self.returned(theta, columns), self.model.constraints
        upright = returned if returned.shape[1] == self.model.every_parameter.size else returned.T
        return upright if constraints is None else upright @ constraints.jacobian(theta)

    def scores_and_jacobian(self, theta: Array, columns: Mapping[str, Array]) -> tuple[Array, Array]:
        """Return the score of each row, and the derivatives that the user's function returns."""
        return self.model.scores(theta, columns), self.given(theta, columns)


def is_jacobian(model: Model, function: Call, table: Table) -> bool:
    """Whether a function returns the Jacobian of the predictions, rather than dJ/dparameters.

    A gradient takes the response. A function that does not, and returns several numbers for each parameter, is taken
    for the Jacobian.
    """
    if set(model.response_columns) & set(function.columns) or not function.columns:
        return False
    columns, every = table.numbers(function.columns, "drop"), model.every_parameter
    try:
        with np.errstate(all="ignore"):
            returned = np.asarray(function(columns, every.named(np.ones(every.size))), dtype=np.float64)
    except (DescendError, TypeError, ValueError):
        return False
    return returned.ndim > 0 and returned.size > every.size and (returned.ndim == 2 or every.size == 1)
