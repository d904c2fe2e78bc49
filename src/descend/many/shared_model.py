"""The model that all groups have, and what all of them can be fitted with together."""

from __future__ import annotations

from collections.abc import Sequence

from descend.errors import ConfigError
from descend.gradients.derived import Program, as_program
from descend.losses import LOSSES, Loss
from descend.models import Model
from descend.options.request import OPTIONS, Request, is_default
from descend.problem.model_reading import gradient_source, read_model
from descend.starts.robust import loss_of
from descend.table import Table


def program_of(request: Request, model: Model, table: Table, loss: Loss | None = None) -> Program | None:
    """Return what all groups can be fitted with together; None if each has to be fitted by itself.

    loss: that of the model, if it is not the one asked for.
    """
    loss = loss or loss_of(request)
    smooth = loss.plain and not loss.kinked and loss.estimated is None and request.engine in ("auto", "torch")
    alone = any(not option.together and not is_default(key, request[key]) for key, option in OPTIONS.items())
    if model.symbolic is None or not smooth or alone or request.gradient not in (None, "derived"):
        return None
    if not (loss.quadratic or loss.dispersion_known or (loss.of_residual and not loss.likelihood)) or loss.many_minima:
        return None
    return as_program(gradient_source(model, None, table, request.roles.spread)[1])


def model_by_groups(request: Request, table: Table, by: Sequence[str]) -> Model:
    """Return the model of each group. Raises ConfigError for one that reads what tells the groups apart."""
    model, _ = read_model(request, table, LOSSES.build(request.loss))
    if request.priors:
        from descend.parameters.prior_reading import read_priors

        read_priors(request.priors, model.parameters, model.constraints, table.names)
    if request.quantities:
        from descend.many.quantities import check_for_groups

        check_for_groups(request.quantities, model, by)
    for name in by:
        if name in model.columns:
            raise ConfigError(
                f"`{name}` tells the groups apart, so that it is the same in all rows of a group and its influence "
                "cannot be seen there. Leave it out of the model, or group by other columns."
            )
    return model
