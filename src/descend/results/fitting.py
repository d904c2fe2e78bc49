"""A request and a table to a fit."""

from __future__ import annotations

from collections.abc import Callable

from descend.descent import Step
from descend.descent.checkpoint import to_resume
from descend.descent.solution import starts_at
from descend.errors import ConfigError, DescendError, LimitsError
from descend.formula import read_formula
from descend.losses import LOSSES
from descend.options.request import Request, check_options
from descend.problem.model_reading import read_model
from descend.problem.posing import pose
from descend.problem.problem import Problem
from descend.results.solved import SolvedFit, fit_of
from descend.starts.begin_and_descend import solve
from descend.table import Table
from descend.wording import spell

Reader = Callable[[Step], None] | None


def fit_table(request: Request, table: Table, on_step: Reader, began: float) -> SolvedFit:
    """Pose the problem that a request makes of a table, and solve it.

    on_step: called with every step. began: when the call started, by ``time.perf_counter``.

    Raises FormulaError, DataError or ConfigError, before the first step.
    """
    if request.says_units(table):
        from descend.problem.units import with_units

        request = with_units(request, table)
    if request.outliers is not None and request.outliers is not False:
        from descend.results.fit_without_outliers import fit_with_outliers

        return fit_with_outliers(request, table, on_step, began, fit_table)
    if LOSSES.build(request.loss).of_classes:
        from descend.problem.classes import with_classes

        request, table = with_classes(request, table)
    if request.censored is not None or request.rounded is not None:
        from descend.problem.censoring import censored_by_cells, with_censoring

        try:
            request, table = with_censoring(request, table)
        except LimitsError as refused:
            request, table = censored_by_cells(request, table, refused)
    try:
        return _fit(request, table, on_step, began)
    except LimitsError as refused:
        from descend.problem.censoring import censored_by_cells

        return _fit(*censored_by_cells(request, table, refused), on_step, began)


def _fit(request: Request, table: Table, on_step: Reader, began: float) -> SolvedFit:
    """Fit rows whose units, classes and censoring are known: 1. settle the request; 2. pose; 3. solve."""
    if request.validation is not None and request.held_out is None:
        return _validated(request, table, on_step, began)
    if follows_prediction(request, table):
        from descend.results.reweighting import reweighted

        return reweighted(request, table, lambda each, reader: _fit(each, table, reader, began), on_step)
    if isinstance(request["l1"], str) or isinstance(request["l2"], str):
        from descend.results.penalty_choice import fit_with_choice

        return fit_with_choice(request, table, lambda each: _fit(each, table, on_step, began))
    if (held_out := request.held_out) is None:
        request = _started(request, table, began)
    else:  # simpler fits on the way end by themselves
        share = request.validation
        request = _started(request.but(validation=None, held_out=None), table, began)
        request = request.but(validation=share, held_out=held_out)
    resumed = None if request.checkpoint is None else to_resume(request.checkpoint, request.resume)
    if resumed is not None:  # it starts where the run did, whatever start is found or given now
        check_options({"start": resumed.start})
        request = request.but(start=resumed.start)
        began -= resumed.snapshot.seconds
    problem = pose(request, table)
    if request.errors is not None:
        request = request.but(errors=_errors_of(problem, request, request.errors))
    if request.quantities:
        from descend.inference.quantities.reading import read_quantities

        read_quantities(request.quantities, problem.model)  # refused before the first step
    return fit_of(solve(problem, request, on_step, resumed, began))


def _validated(request: Request, table: Table, on_step: Reader, began: float) -> SolvedFit:
    """Fit rows of which some are held out, so that nothing that is estimated sees these."""
    from descend.problem.validation import with_held_out

    if follows_prediction(request, table):
        raise ConfigError(
            f"{spell('validation')} does not go with weights that follow from the prediction, which are those of all "
            "rows together. Leave out one of the two."
        )
    return _fit(*with_held_out(request, table), on_step, began)


def _started(request: Request, table: Table, began: float) -> Request:
    """Return a request with what earlier, simpler fits have to find out: scales, a dispersion, where to start."""
    loss, inexact = LOSSES.build(request.loss), bool(request.x_sigma)
    if inexact and loss.of_distance and not loss.quadratic:
        read_model(request, table, loss)  # refused here, or not at all
        # Its scale is that of the distances from a curve that is near.
        request, inexact = started_without_errors(request, table, began), False
    if loss.efficient is not None:  # robust, with a scale
        from descend.starts.robust import settled

        request = settled(request, table)
        loss = LOSSES.build(request.loss)
    if (exact := loss.exact) is not None:
        from descend.starts.censored_as_exact import started_as_if_exact

        if loss.states:
            from descend.problem.censoring import refuse_open

            refuse_open(loss.states, table)
        request = started_as_if_exact(request, loss, exact, lambda each: _fit(each, table, None, began).solution)
    if request.priors:
        from descend.inference.priors.dispersion import with_dispersion

        request = with_dispersion(request, table, began)
    if inexact:
        request = started_without_errors(request, table, began)
    if request.covariance is not None and request.polish:
        request = started_without_coupling(request, table, began)
    return request


def _errors_of(problem: Problem, request: Request, errors: str) -> str:
    """Return the kind of standard errors that was asked for. Raises ConfigError where it is not known here."""
    from descend.inference.estimates import refuse_robust
    from descend.inference.intervals import checked_errors

    weighted = request.roles.spread is not None and not problem.model.inexact  # distances are in units of it
    checked = checked_errors(errors, problem.model.loss, weighted)
    refuse_robust(problem.model, checked)
    if checked == "observed" and problem.objective.arrow:
        raise ConfigError(
            "The observed information of so many parameters would be a dense matrix. Use the errors model."
        )
    return checked


def follows_prediction(request: Request, table: Table) -> bool:
    """Whether the weights of a request follow from its predictions."""
    if request.variance is not None:
        return True
    texts = [text for text in (request.sigma, request.weights) if text is not None and "prediction" in text]
    return bool(texts) and texts[0] not in table.names and "prediction" not in table.names


def started_without_coupling(request: Request, table: Table, began: float) -> Request:
    """Return a request that starts where the fit of rows that know nothing of each other ends."""
    request_alone = request.on_the_way(covariance=None)
    try:
        uncoupled_fit = fit_table(request_alone, table, None, began)
    except DescendError:
        return request  # which says what is wrong
    return request.but(start=starts_at(uncoupled_fit.model, uncoupled_fit.theta), second_look=False)


def started_without_errors(request: Request, table: Table, began: float) -> Request:
    """Return a request that starts where the fit with exact inputs ends: near it, and found far more easily."""
    exact = request.on_the_way(x_sigma=None, x_correlation=None, priors=None)
    if not (loss := LOSSES.build(request.loss)).quadratic:
        exact = exact.but(loss=loss.to_estimate(), sigma=None)
    if isinstance(request.model, str) and request.model.partition("~")[0].strip() == "0":
        from descend.gradients.orthogonal import first_order
        from descend.models.inexact import inexact_inputs

        formula = read_formula(request.model, table.names)
        inexact = inexact_inputs(request.x_sigma, formula.inputs, table.names)
        exact = exact.but(model=first_order(formula, inexact), second_look=True)
    try:
        exact_fit = fit_table(exact, table, None, began)
    except DescendError:
        if loss.quadratic:
            raise
        return request  # the scale of a robust loss may be found with errors of inputs where it is not without
    return request.but(start=starts_at(exact_fit.model, exact_fit.theta), second_look=False)
