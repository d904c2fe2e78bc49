"""The arguments of `descend.fit`, also in the forms of other libraries: understood, or refused with what to write."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from descend.errors import ConfigError
from descend.losses import LOSSES
from descend.models import kind_of
from descend.options.arrays_in_a_row import mentioned_in, named, unused_column
from descend.options.checks import WORDS_OF_DISPERSION
from descend.options.of_training import TRAINING, refuse_without_validation
from descend.options.option import Values
from descend.options.penalty import is_number_text, read_penalty
from descend.options.request import FIELDS, OPTIONS, PLAIN, Request, check_options, is_default
from descend.options.units import as_text, read_fixed
from descend.registry import EMPTIED_AT_A_CHANGE, closest
from descend.table import open_table
from descend.wording import spell, using

LONG = "How long to go on is given in passes over the rows, epochs=1000; without it, until it has converged."
GAPS = 'Rows without a value are refused, or left out with missing="drop".'
OF_OTHERS = {
    "p0": 'Starting values are given by name: start={"a": 1.0, "b": 0.5}; without them they are searched for.',
    "method": 'How to descend is chosen with optimizer="levenberg_marquardt", "lbfgs", "gd" and others.',
    "absolute_sigma": 'Whether sigma is absolute is told by its option: sigma="column" are known standard deviations, '
    'weights="column" relative weights.',
    **dict.fromkeys(("maxfev", "max_nfev", "maxiter"), LONG),
    "jac": "The gradient is derived if it is not given; a function of yours is gradient=jac, the Jacobian (n, p) or "
    "dJ/dparameters.",
    "lr": "The learning rate is learning_rate=0.01.",
    "n_epochs": "The number of epochs is epochs=100.",
    "verbose": "The log is printed with log_every=20.",
    "callback": "Every step is handed to a function with on_step=function.",
    "interval": 'Intervals are asked of the fit: fit.intervals(method="profile"), '
    'fit.quantity("log(2)/b", method="profile").',
    "table": "The data come after the model; a table of a database is named in its address, such as "
    '"postgres://host/lab?table=runs".',
    "full_output": "A fit has it all: fit.parameters, fit.covariance, fit.trace.",
    **dict.fromkeys(("check_finite", "nan_policy"), GAPS),
}
"""Options of other programs, and the words for them here."""
OTHERWISE = {"weights": "importance", "sigma": "standard_deviation"}
"""Names of columns given as values where the model has a parameter of the usual name; no near one, which would be
taken for a slip."""
SIMPLE = frozenset((str, int, float, bool))
"""Kinds of values of which an equal one means the same option, whatever the data."""


def read_request(model: object, data: object, arrays_given: Sequence[object], options: Values) -> Request:
    """Return the request of a call of `descend.fit`, with every option known and checked, and given only once.

    arrays_given: arrays after the first, as in ``fit(f, x, y)``. What does not depend on the data is read but once.

    Raises ConfigError.
    """
    others = [(key, type(value), value) for key, value in options.items() if key != "start"]
    simple = [kind in SIMPLE and key in OPTIONS and not OPTIONS[key].naming for key, kind, _ in others]
    if not all(simple) or "covariance" in options or not isinstance(model, str) or arrays_given or type(data) is tuple:
        return _read(model, data, arrays_given, options)
    request = _read_of_formula(model, tuple(others))
    if is_default("start", start := options.get("start")):
        return request.but(data=data, given={**request.given, "data": data})
    start = as_text(start)
    check_options({"start": start})
    return request.but(data=data, start=start, given={**request.given, "data": data, "start": start})


@lru_cache(maxsize=128)
def _read_of_formula(model: str, options: tuple[tuple[str, type, Any], ...]) -> Request:
    """Return the request of a fit of a formula with options, each with its type, that the data do not matter to."""
    request = _read(model, None, (), {key: value for key, _, value in options})
    request.__dict__["of_options"] = request
    return request


EMPTIED_AT_A_CHANGE.append(_read_of_formula.cache_clear)


def _read(model: object, data: object, arrays_given: Sequence[object], options: Values) -> Request:
    """Return a request as `read_request` does."""
    options = _known(options)
    if isinstance(model, list | tuple) and all(isinstance(formula_text, str) for formula_text in model):
        model = "; ".join(model)
    if isinstance(model, str) and ";" in model and options.get("by") is not None:
        raise ConfigError(
            "Several formulas are fitted to all rows together, and `by` fits one formula to each group. Leave out "
            "`by`; what differs between groups is a parameter of theirs, such as a[site]."
        )
    start = options.get("start")
    if start is not None and callable(model) and not kind_of(model).in_place:
        from descend.options.starts_in_order import by_name, is_in_order

        if is_in_order(start):
            options = {**options, "start": by_name(model, data, arrays_given, start)}
    if isinstance(model, str) and isinstance(data, tuple) and len(data) == 2 and not arrays_given:
        data, *arrays_given = data
    if options.get("validation") is not None:
        options = _with_rows_held_out(model, options)
    if arrays_given:
        model, data, response = named(model, (data, *arrays_given), options.get("response"), options.get("start"))
        options = {**options, "response": response}
    if isinstance(model, str) and ";" in model:
        options = {**options, **{key: by_formula(model, key, options.get(key)) for key in ("weights", "sigma")}}
    differing = {key: value for key, value in options.items() if not is_default(key, value)}
    options_given = {"model": model, "data": data} | {
        key: value for key, value in differing.items() if OPTIONS[key].repeat
    }
    data, options = in_full(data, options)
    options = _with_loss(model, _with_trials(model, options))
    if (sides := options.get("sigma")) is not None and (not isinstance(sides, str) or "," in sides):
        from descend.options.asymmetric import as_given, with_two_sides

        options_given["sigma"] = as_given(sides)
        data, options = with_two_sides(model, data, options, with_columns)
    data, weights, sigma = with_columns(model, data, options.get("weights"), options.get("sigma"))
    values = {**options, "weights": weights, "sigma": sigma, "trials": None}
    offsets_given = [value for key in ("offset", "exposure") if (value := values.get(key)) is not None]
    if any(are_values(value) or isinstance(value, str) for value in offsets_given):
        from descend.options.offset import with_offset

        model, data = with_offset(model, data, values)
    check_options(values)
    values["loss"] = _dispersed(model, values)
    data = _with_numbered(model, data, values)
    for key in ("l1", "l2"):
        if isinstance(values.get(key), str) and is_number_text(values[key]):
            values[key] = read_penalty(key, values[key])
    values["fix"] = None if options.get("fix") is None else read_fixed(options["fix"])
    if options.get("sharpness") is True:
        values["sharpness"] = options.get("log_every") or True
    _refuse_together(model, values, differing)
    return PLAIN.but(
        **{key: value for key, value in values.items() if key in FIELDS},
        model=model,
        data=data,
        given=options_given,
        more={key: value for key, value in values.items() if key not in FIELDS},
        polish=options.get("optimizer") is None,
        grow=not any(OPTIONS[key].steers for key in differing),
    )


def _with_rows_held_out(model: object, options: Values) -> Values:
    """Return the options with the rows of validation as a share, or as a table where they are given as arrays."""
    held_out = options["validation"]
    if isinstance(held_out, str):
        with contextlib.suppress(ValueError):  # else it is a file
            held_out = float(held_out)
    elif isinstance(held_out, tuple) and not kind_of(model).in_place:
        held_out = named(model, held_out, options.get("response"), options.get("start"))[1]
    return {**options, "validation": held_out}


def _known(options: Values) -> Values:
    """Return options that all exist, those with units as texts. Raises ConfigError."""
    for key in options:
        if key not in OPTIONS:
            hint = OF_OTHERS.get(key, f"{closest(key, OPTIONS).strip()} See help(descend.fit).".strip())
            raise ConfigError(f"`fit` has no option `{key}`. {hint}")
    if options.get("like") is not None:
        raise ConfigError(f"{spell('like')} repeats one fit on other data, and goes with fits alone. Leave it out.")
    measured = {key: value for key, value in options.items() if isinstance(value, dict | Mapping)}
    quantities = {key: as_text(value) for key, value in measured.items() if key == "units" or OPTIONS[key].measured}
    return {**options, **quantities} if quantities else options


def in_full(data: object, options: Values) -> tuple[object, Values]:
    """Return the data and the options, in which ``t`` that stands for a column ``t (s)`` is that column."""
    if not any(OPTIONS[key].naming for key, value in options.items() if value is not None):
        return data, options
    from descend.options.full_names import with_full_names

    return with_full_names(data, options)


def _refuse_together(model: object, values: Values, differing: Values) -> None:
    """Raise ConfigError for options that do not go with each other, or with the kind of model.

    differing: those that are not their defaults.
    """
    if values.get("resume") and values.get("checkpoint") is None:
        raise ConfigError(f"Resume from which run? Name its file{using('checkpoint')}.")
    if not differing.keys().isdisjoint(("patience", "keep", "min_delta")):
        refuse_without_validation(values)
    if differing.keys().isdisjoint(("inputs", *TRAINING)) or kind_of(model).in_place:
        return
    if "inputs" in differing:
        raise ConfigError(
            "`inputs` names the columns a PyTorch module takes; a formula or function names its own. Leave it out."
        )
    key = next(key for key in TRAINING if key in differing)
    raise ConfigError(f"`{key}` is for training a PyTorch module, not for a formula or a function.")


def with_columns(model: object, data: object, weights: Any, sigma: Any) -> tuple[object, Any, Any]:
    """Return the data, with row weights and standard deviations given as values added as columns, and their names.

    The columns have names that the model does not use: its `sigma` is a parameter. A number, or a text that is no
    name, such as ``0.05*y``, is computed from the columns in it, and names its column.
    """
    names = {"weights": weights, "sigma": sigma}
    for name, column_given in names.items():
        if column_given is None:
            continue
        if isinstance(column_given, Mapping):
            data, column_given = _of_responses(data, column_given, name)
            names[name] = column_given
        if is_number(column_given):
            column_given = names[name] = repr(float(column_given))
        if isinstance(column_given, str) and is_computed(column_given):
            data = _with_expression(data, column_given, name)
        if isinstance(column_given, str) or not are_values(column_given):
            continue
        table = open_table(data)
        in_model_only = name in mentioned_in(model) and name not in table.names
        column = unused_column(OTHERWISE[name] if in_model_only else name, table, model)
        data, names[name] = table.with_column(column, column_given), column
    return data, names["weights"], names["sigma"]


def _with_loss(model: object, options: Values) -> Values:
    """Return the options with the loss that was given for a module as one of ours."""
    if "loss" not in options or not kind_of(model).in_place:
        return options
    from descend.losses.of_modules import loss_of_module

    return {**options, "loss": loss_of_module(options["loss"])}


def _with_trials(model: object, options: Values) -> Values:
    if options.get("trials") is None:
        return options
    from descend.options.trials import with_trials

    return with_trials(model, options)


def _dispersed(model: object, values: Mapping[str, Any]) -> object:
    """Return the loss with the dispersion that is asked for. Raises ConfigError where it means nothing."""
    loss = values.get("loss", PLAIN.loss)
    if values.get("dispersion") is None:
        return loss
    from descend.losses.dispersed import with_dispersion

    if kind_of(model).in_place:
        raise ConfigError(
            f"A module has no standard errors, so that {spell('dispersion')} changes nothing. Leave it out."
        )
    dispersion = values["dispersion"]
    return with_dispersion(LOSSES.build(loss), dispersion if dispersion in WORDS_OF_DISPERSION else float(dispersion))


def _with_numbered(model: object, data: object, values: dict[str, Any]) -> object:
    """Return the data with columns for states and a covariance given as values, before any rows are left out."""
    if hasattr(values.get("censored"), "__array__"):
        from descend.table.in_memory import with_values

        table = open_table(data)
        column = unused_column("censored", table, model)
        data, values["censored"] = with_values(table, column, values["censored"]), column
    if values.get("covariance") is not None:
        from descend.options.covariance import with_covariance

        data, values["covariance"] = with_covariance(model, data, values)
    return data


def by_formula(model: str, key: str, value_given: object) -> object:
    """Return weights or standard deviations in the order of several formulas by response; others as they are.

    >>> by_formula("y ~ a*t; z ~ b*t", "sigma", ["sy", 0.1])
    {'y': 'sy', 'z': 0.1}
    """
    from descend.formula.equations import EACH
    from descend.formula.syntax import formulas_in

    if isinstance(value_given, Mapping):
        for response, value in value_given.items():
            if isinstance(value, tuple) and len(value) == 2 and all(isinstance(side, str) for side in value):
                raise ConfigError(
                    f"`{key}` of `{response}` has two sides, {value[0]} and {value[1]}, which go with one response "
                    f"alone, and there are several. {EACH}"
                )
    responses = [formula_text.partition("~")[0].strip() for formula_text in formulas_in(model)]
    if not isinstance(value_given, list) or len(value_given) != len(responses):
        return value_given
    in_order = all(isinstance(each, str | float | int) for each in value_given)
    return dict(zip(responses, value_given, strict=True)) if in_order else value_given


def _of_responses(data: object, responses_given: Mapping[str, object], role: str) -> tuple[object, str]:
    """Return weights or standard deviations by response as a text, ``y1=s1, y2=0.1``; arrays become columns."""
    response_names = []
    for response, value in responses_given.items():
        if not isinstance(value, str | int | float):
            column = f"{role} of {response}"
            data, value = open_table(data).with_column(column, value), column
        response_names.append(f"{response}={value}")
    return data, ", ".join(response_names)


def _with_expression(data: object, text: str, role: str) -> object:
    """Return the data with a column for an expression of others, named by its text; as they are if it is a column."""
    table = open_table(data)
    if text in table.names:
        return data
    from descend.formula.computed_column import PREDICTION, read_computed
    from descend.table.in_memory import with_values

    computed = read_computed(text, table.names, role, () if PREDICTION in table.names else (PREDICTION,))
    if PREDICTION in computed.columns and PREDICTION not in table.names:
        return data  # the values follow from the fit
    return with_values(table, text, computed.over(table.with_gaps(computed.columns), table.rows))


def is_computed(text: str) -> bool:
    """Whether a text is a number or an expression, such as ``0.05*y``, rather than the name of a column."""
    if text.isidentifier():
        return False
    from descend.formula.computed_column import is_computed as has_an_operator

    return has_an_operator(text)


def is_number(option: object) -> bool:
    """Whether one finite number was given, for all rows."""
    if not isinstance(option, int | float | np.generic) or isinstance(option, bool) or np.ndim(option):
        return False
    try:
        return math.isfinite(float(option))
    except (OverflowError, TypeError, ValueError):
        return False


def are_values(option_given: object) -> bool:
    """Whether an option is given as values of rows, rather than by a name."""
    if isinstance(option_given, bool):
        return False
    return isinstance(option_given, int | float | np.ndarray | Sequence) or hasattr(option_given, "__array__")
