"""Priors of a request, posed: read for a model, refused where they mean nothing, and weighed against its likelihood."""

from __future__ import annotations

from descend.errors import ConfigError
from descend.models import Model
from descend.options.request import Request
from descend.parameters.prior_reading import read_priors
from descend.parameters.priors import WeighedPriors
from descend.problem.objective import VectorObjective
from descend.problem.problem import Summing
from descend.problem.with_priors import WithPriors
from descend.table import Table
from descend.wording import spell


def posed_priors(
    objective: VectorObjective, request: Request, model: Model, table: Table, summing: Summing
) -> WithPriors:
    """Return J with the priors of a request on its scale.

    Raises ConfigError beside penalties and sandwich errors, for losses that are no likelihood, and for priors of
    expressions of very many parameters.
    """
    loss = model.loss
    if not loss.likelihood:
        raise ConfigError(
            f"A prior is weighed against the likelihood of the data, and the {loss.name} loss is not one. Use the "
            f"squared loss, or leave {spell('priors')} out."
        )
    if request.l1 or request.l2:
        raise ConfigError(
            f"{spell('l1')} and {spell('l2')} are priors themselves, of an unknown weight, so they do not go with "
            f"{spell('priors')}. Give the parameters normal priors around 0 instead."
        )
    if request.errors not in (None, "model"):
        raise ConfigError(
            "Robust errors tell how estimates scatter from data set to data set, and a prior does not. Leave out "
            f"{spell('errors', request.errors)}, or {spell('priors')}."
        )
    priors = read_priors(request.priors, model.parameters, model.constraints, table.names)
    if priors.expressed and summing.engine.arrow:
        raise ConfigError(
            f"A prior of an expression ties parameters together, and this model has {model.parameters.size:,}, most of "
            "one group each. Give priors to the parameters themselves."
        )
    there = summing.all_rows
    total = summing.rows.total if there is None else there.omega
    dispersion = request.prior_dispersion or loss.known_dispersion
    return WithPriors(
        objective, WeighedPriors(priors, dispersion, loss.unit * dispersion / total, request.dispersion_alone)
    )
