"""A fit: the rooms wired together, and nothing else."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import sympy  # noqa: F401 - first, few calls deep: at the end of a chunk of its stack Python 3.11 pays for every call

from descend.descent import Step
from descend.losses import Loss
from descend.models import kind_of
from descend.optimizers import Optimizer, Schedule
from descend.options.arguments import read_request
from descend.options.of_model import Gradient
from descend.options.request import Request, options_among
from descend.results import Fit
from descend.results.fitting import fit_table
from descend.results.solved import fit_of
from descend.starts.begin_and_descend import solve
from descend.table import open_table
from descend.table.memory import too_little

if TYPE_CHECKING:
    from descend.many import Fits
    from descend.options.option import Values

Formulas = str | Sequence[str] | Callable[..., object] | None


@overload
def fit(model: Formulas = None, data: object = None, *others: object, by: None = None, **options: Any) -> Fit: ...


@overload
def fit(
    model: Formulas = None, data: object = None, *others: object, by: str | Sequence[str], **options: Any
) -> Fits: ...


def fit(
    model: Formulas = None,
    data: object = None,
    *others: object,
    response: str | None = None,
    inputs: Sequence[str] | None = None,
    by: str | Sequence[str] | None = None,
    weights: object = None,
    trials: object = None,
    sigma: object = None,
    variance: str | None = None,
    covariance: object = None,
    x_sigma: Values | Sequence[str] | str | None = None,
    x_correlation: Values | Sequence[str] | str | None = None,
    censored: object = None,
    rounded: float | None = None,
    offset: object = None,
    exposure: object = None,
    units: Values | Sequence[str] | str | None = None,
    where: str | None = None,
    outliers: str | float | None = None,
    missing: str = "raise",
    like: object = None,
    start: Values | None = None,
    gradient: Gradient = None,
    loss: str | Loss = "squared",
    dispersion: str | float | None = None,
    errors: str | None = None,
    l1: float | str = 0.0,
    l2: float | str = 0.0,
    priors: Values | Sequence[str] | str | None = None,
    bounds: Values | Sequence[str] | str | None = None,
    fix: Values | str | None = None,
    ties: Values | Sequence[str] | str | None = None,
    reference: Values | Sequence[str] | str | None = None,
    quantities: Values | Sequence[str] | str | None = None,
    optimizer: str | Optimizer | Callable[..., object] | None = None,
    learning_rate: float | str | None = None,
    schedule: str | Schedule | Callable[..., object] = "constant",
    epochs: int | None = None,
    batch_size: int | None = None,
    seed: int = 0,
    tolerance: float | None = None,
    time_limit: float | None = None,
    engine: str = "auto",
    device: str | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    standardize: bool = False,
    sharpness: bool | int | str = False,
    memory_limit: str | int | None = None,
    log_every: int | None = None,
    on_step: Callable[[Step], None] | None = None,
    on_groups: Callable[[int, int], object] | None = None,
    validation: object = None,
    patience: int | None = None,
    min_delta: float = 0.0,
    keep: str = "last",
    monitor: str = "loss",
    clip: float | None = None,
    clip_value: float | None = None,
    accumulate: int = 1,
    schedule_every: str | None = None,
    precision: str | None = None,
    compile: bool = False,
    ema: float | None = None,
    metrics: object = None,
    callbacks: Sequence[object] | Callable[..., object] | None = None,
    progress: bool | None = None,
    **unknown: object,
) -> Fit | Fits:
    """Fit a model to data by gradient descent.

    With row weights omega:   J(theta) = sum omega loss(y, prediction) / sum omega + l2 sum theta**2 + l1 sum |theta|

    model: a formula such as ``"y ~ w*x + b"``, or several, of responses that share parameters; a function
        ``forward(x, w)``, or a ``torch.nn.Module``, which is trained where it is and holds the fitted weights at the
        end. Arguments of a function with a default that is no number, such as a flag, keep it; all others are columns
        or parameters.
    data: a path (CSV, Parquet, JSON lines; globs), a dict of arrays, a pandas, polars or Arrow frame, an Ibis table,
        whose rows stay in their database; ``(X, y)``, a matrix or frame and the response; for a module also tensors.
        For a function also arrays in a row, ``fit(f, x, y)`` or ``fit(f, x1, x2, y)``, named as its leading arguments;
        a matrix x, (k, n) or (n, k), is the columns ``x0``, ``x1``, ...
    by: a column, or several: one fit for each group of rows that share their values; ``"filename"`` for each file.
    response: the column that a function or module predicts. inputs: the columns a module takes, in order, as one vector
        per row; all other columns of numbers if not given.
    like: a model file, or a fit: the same again on other data, ``fit(data=new, like="line.json")``, but for the options
        given, from where it ended.
    start: starting values by name; for a vector a number or one per component. If they lead to a worse minimum than a
        search, a note says so, and ``Fit.from_start`` keeps it; not if an optimizer is named, nor if the residuals look
        like noise, which nothing lower could explain.
    gradient: ``"derived"`` (formulas), ``"autograd"``, ``"jax"`` (functions of jax.numpy), a text for each parameter
        such as ``"w = mean(2*x*(w*x - y))"``, or a function of columns and parameters: dJ/dparameters, or a Jacobian.
    trials: of how many each share is, ``dead/n ~ ...`` with ``"n"``, a number or values: the binomial loss.
    loss: such as ``"huber(delta=2)"``; the scale of a robust loss is estimated from the data if it is not given, and
        the gradient is not by hand. weights: the column of row weights, relative to each other: the size of the
        errors is estimated. sigma: the column of known standard deviations of the response, in its unit. Either may
        be an array, with a value for each row, or sigma one number for all rows. variance:
        ``"power"`` of the prediction, or ``"exponential"``, estimated. covariance: of the response, known: (n, n), or a
        file of it. x_sigma: standard deviations of inputs that have errors, ``{"t": "dt"}`` or
        ``{"t": 0.1}``: orthogonal distance regression. x_correlation: of these with the errors of the response.
    censored: the column that says ``left``, ``right`` or ``none`` in each row, or ``("low", "high")``, between which
        the response lies; cells such as ``<0.5`` need no word. rounded: the unit to which the response is rounded.
    offset: a column that is added to the linear predictor; exposure: one that multiplies the mean of a count.
    units: of columns, ``{"t": "s", "V": "mV"}``; those of the parameters follow from the formula (see ``Fit.units``).
    dispersion: of counts and shares, ``"estimated"`` (quasi-likelihood) or a number.
    errors: standard errors, ``"model"``, ``"observed"``, ``"sandwich"``, ``"cluster(site)"``: ``Fit.covariance_of``.
    l1, l2: penalties, which leave intercepts alone; ``"auto"``: by cross-validation.
    priors: what is known beforehand, ``["b ~ normal(0.5, 0.1)"]`` or ``{"b": "normal(0.5, 0.1)"}``, counted as data.
    bounds: such as ``["b > 0", "0 <= c <= 1"]`` or ``{"b": (0, None), "c": (0, 1)}``; of a vector ``w`` for all its
        components, or for one of them, ``w[x1] > 0``. fix: what is not fitted, ``{"c": 0}``, or ``{"w[x1]": 0}``.
    ties: such as ``["b2 = 2*b1"]`` or ``{"b2": "2*b1"}``. quantities: such as ``["half_life = log(2)/b"]``.
    reference: levels that are held at 0, ``{"u": "red"}`` of ``u[color]``, or ``{"color": "red"}`` of all such.
    optimizer: such as ``"gd"`` or ``"adam(beta1=0.8)"``; chosen for you if not given. For a module also a class such as
        ``torch.optim.NAdam``, or a function of its parameters that returns a torch optimizer.
    learning_rate: positive, or ``"auto"``: from the curvature at the start. schedule: such as ``"cosine"``; of a
        module also a scheduler of PyTorch, or what makes one of the optimizer; schedule_every: ``"step"`` or
        ``"epoch"``, what it counts.
    epochs: passes over the rows. If given, all of them are run; otherwise the run ends when it has converged.
    batch_size: rows per step; all of them if not given. seed: of the order of the batches.
    tolerance: ends the run once the gradient is this close to zero (see ``Point.remaining``). time_limit: in seconds.
    outliers: ``"list"`` or ``"drop"`` those by a false discovery rate, of 1% or ``0.05``, ``"drop(0.05)"``.
    where: SQL condition on the rows. missing: ``"raise"`` or ``"drop"``.
    engine: ``"auto"``, ``"numpy"``, ``"torch"``; ``"moments"``, one pass for a squared loss and linear parameters; or
        ``"query"``: rows stay where they are, and a database sums them. device: of torch, such as ``"cuda"``.
    memory_limit: such as ``"1GiB"``; rows that need more stay in their files.
    standardize: whether to descend in standardised columns; all that is reported stays in your units.
    sharpness: whether steps hold the largest eigenvalue of the curvature, where a log shows it or every so many epochs.
    checkpoint: a file that says where the run stands; with resume, a run goes on from there to the same trajectory, bit
        for bit on the same engine, and begins anew if there is no such file yet.
    log_every: print every so many epochs, and the last. on_step: called with every step; on_groups: with (done, all).
    validation: the share of the rows that is held out, or rows of their own, as ``data`` or ``(X, y)``:
        ``Fit.measures`` and ``Fit.trace`` tell their loss. patience: epochs without a lower one that end the run;
        min_delta: by how much lower. keep: ``"best"`` parameters by validation, or ``"last"``. Of a module: monitor:
        the metric that is watched instead. clip: norm to which gradients are cut; clip_value: the size of each of their
        numbers. accumulate: batches per step. precision: ``"bf16"``. compile: by torch.compile.
        ema: decay of an average of the weights. metrics: names such as ``"accuracy"``, functions of y and the
        prediction, or metrics of torchmetrics. callbacks: a list of objects with methods such as ``on_epoch_end(run)``,
        or functions of ``run``, called after each epoch. progress: whether a line shows it; if None, where one watches.

    Raises FormulaError, DataError or ConfigError, before the first step.

    >>> x = np.arange(0, 10, 0.1)
    >>> fitted = fit("y ~ w*x", {"x": x, "y": 2 * x}, start={"w": 0.0}, optimizer="gd", learning_rate=0.01, epochs=100)
    >>> round(fitted.parameters["w"], 6), str(fitted.outcome)
    (2.0, 'converged')
    """
    began = time.perf_counter()
    options = options_among(locals(), fit) | unknown
    if like is None:
        request = read_request(model, data, others, options)
    else:
        from descend.results.request_again import like_before

        request = like_before(like, model, data, options)
    if log_every is not None:
        from descend.report.log import printing

        on_step = printing(log_every, on_step)
    return fit_request(request, on_step, on_groups, began)


def fit_request(
    request: Request,
    on_step: Callable[[Step], None] | None = None,
    on_groups: Callable[[int, int], object] | None = None,
    began: float | None = None,
) -> Fit | Fits:
    """Fit what a request asks for. began: when it was asked for, by `time.perf_counter`; see `fit` for the others."""
    began = time.perf_counter() if began is None else began
    try:
        with np.errstate(all="ignore"):
            if kind_of(request.model).in_place:
                return _trained(request, on_step, began)
            if request.by is not None:
                from descend.many import fit_groups

                return fit_groups(request, request.where, on_groups)
            table = open_table(request.data, request.where)
            try:
                return fit_table(request, table, on_step, began)
            finally:
                table.release()
    except MemoryError as error:
        raise too_little(error) from None


def _trained(request: Request, on_step: Callable[[Step], None] | None, began: float) -> Fit:
    """Train a PyTorch module."""
    from descend.training.checkpoint import checkpointed
    from descend.training.posing import pose_module
    from descend.training.progress import watched

    problem, request = pose_module(request.model, request.data, request)
    resumed = checkpointed(problem, request)
    began -= 0.0 if resumed is None else resumed.snapshot.seconds
    bar = watched(request.progress, request.epochs, on_step)
    try:
        with problem.objective.session():
            return fit_of(solve(problem, request, on_step if bar is None else bar, resumed, began))
    finally:
        if bar is not None:
            bar.stop()
