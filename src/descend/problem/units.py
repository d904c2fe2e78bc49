"""Units of a request: what is said of them, what cannot be right, and values with units turned into plain numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from descend.errors import ConfigError
from descend.losses import LOSSES
from descend.models import Model
from descend.options.request import MEASURED, Request
from descend.problem.model_reading import read_model
from descend.registry import closest
from descend.table import Table
from descend.units.fault import in_words
from descend.units.inference import Units
from descend.units.library import is_one
from descend.units.stated import Stated, stated_units
from descend.units.values import conversion, factor, is_measured, measured
from descend.wording import spell

RELATION = re.compile(r"<=|>=|≤|≥|<|>")
Change = Callable[[str, str], str]
"""Takes the name of a parameter and a text; returns the text without a unit."""


def with_units(request: Request, table: Table) -> Request:
    """Return a request that knows what is said of units, and whose values have none.

    Raises FormulaError for a formula that the units given by the user do not allow, and ConfigError.
    """
    if request.stated is not None:
        return request
    stated = stated_units(table.names, table.units, request.units)
    units_of_columns: dict[str, str] = {}
    bare = {
        key: _changed(key, request[key], _collected(units_of_columns, key))
        for key in MEASURED
        if _has_units(request[key])
    }
    stated = Stated(stated.columns, {**table.given_units, **stated.given}, units_of_columns)
    if not stated:
        return request
    if not stated.strict:
        return request.but(stated=stated)
    plain = request.but(**bare, stated=stated)
    model, units = units_of_request(plain, table)
    _check_names(stated, table, model)
    if units is None:
        if stated.measured:
            name, text = next(iter(stated.measured.items()))
            raise ConfigError(
                f"`{name}` is given in {text}, and the units of parameters follow from a formula, which `{model}` has "
                "not. Give plain numbers."
            )
        return plain
    for fault in units.faults:
        if not fault.columns or any(name in stated.given for name in fault.columns):
            raise fault.error(units.columns)
    for column, sentence in unlike_errors(model, request.sigma, units, stated):
        if column in stated.given:
            raise ConfigError(f"{sentence}. Give both in one unit.")
    converted = {key: _changed(key, request[key], _converter(units, key)) for key in bare}
    return plain.but(**converted)


def units_of_request(request: Request, table: Table) -> tuple[Model, Units | None]:
    """Return the model of a request, and the units of its formula; None if it has no formula."""
    model, _ = read_model(request, table, LOSSES.build(request.loss))
    return model, units_of_model(model, request.stated)


def units_of_model(model: Model, stated: Stated | None) -> Units | None:
    """Return the units of the formula of a model; None where nothing is said of units, or there is no formula."""
    if stated is None or model.formula is None:
        return None
    constraints = model.constraints
    return stated.of(model.formula, {} if constraints is None else constraints.tie_texts)


def unlike_errors(model: Model, sigma: str | None, units: Units, stated: Stated) -> Iterator[tuple[str, str]]:
    """Yield each column of standard deviations that is in another unit than what it belongs to, and a sentence."""
    stated_units = stated.known()
    of_inputs = [(error_unit, name, units.columns.get(name)) for name, error_unit in model.inexact.items()]
    response = units.responses[0] if len(units.responses) == 1 else None
    for column, name, response_unit in ((sigma, model.response, response), *of_inputs):
        own = stated_units.get(column) if isinstance(column, str) else None
        if own is None or response_unit is None:
            continue
        scale = factor(own, response_unit)
        if scale is None or not is_one(scale):
            yield str(column), f"the errors `{column}` are {in_words(own)}, and `{name}` is {in_words(response_unit)}"


def _check_names(stated: Stated, table: Table, model: Model) -> None:
    """Refuse a unit of what is neither a column nor a parameter."""
    parameters = (*model.parameters.shapes, *model.every_parameter.shapes)
    for name in stated.given:
        if name not in table.names and name not in parameters:
            names = tuple(dict.fromkeys((*table.names, *parameters)))
            raise ConfigError(
                f"`{name}`, to which {spell('units')} gives a unit, is neither a column nor a parameter."
                f"{closest(name, names)} Columns: {', '.join(table.names)}."
            )


def _has_units(value: object) -> bool:
    """Whether a unit may stand in the values of an option."""
    if isinstance(value, Mapping):
        return any(map(_has_units, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_has_units, value))
    return isinstance(value, str) and any(_is_quantity(bound) for bound in re.split(r"[<>≤≥=~(),]+", value))


def _is_quantity(text: str) -> bool:
    """Whether a text is a number with a unit, and not an expression of numbers such as ``2*pi``."""
    return is_measured(text) and not re.fullmatch(r"[\s\d.*/^()+-]*(?:pi|e|π)[\s\d.*/^()+-]*", text)


def _changed(key: str, value: object, change: Change, name: str = "") -> object:
    """Return the values of an option with each that has a unit changed."""
    if isinstance(value, Mapping):
        return {each: _changed(key, one, change, name or str(each)) for each, one in value.items()}
    if isinstance(value, list | tuple):
        return [_changed(key, one, change, name) for one in value]
    if not isinstance(value, str):
        return value
    if key == "bounds" and not name:
        return _changed_bound(value, change)
    if key == "priors":
        return _changed_prior(value, change, name)
    return float(change(name, value)) if _is_quantity(value) else value


def _changed_bound(text: str, change: Change) -> str:
    signs, parts = RELATION.findall(text), [bound.strip() for bound in RELATION.split(text)]
    name = next((bound.strip("`") for bound in parts if not bound[:1].isdigit() and not _is_quantity(bound)), "")
    parts = [change(name, bound) if _is_quantity(bound) else bound for bound in parts]
    return " ".join(word for pair in zip(parts, [*signs, ""], strict=True) for word in pair).strip()


def _changed_prior(text: str, change: Change, name: str) -> str:
    left, sign, right = text.partition("~")
    if not sign:
        left, right = name, text
    call, bracket, inside = right.partition("(")
    if "log" in call and _has_units(inside):
        raise ConfigError(
            f"The settings of the prior `{text}` are of a logarithm, which has no unit. Write them as plain numbers."
        )

    def one(setting: str) -> str:
        before, equals, value = setting.rpartition("=")
        return f"{before}{equals}{change(left.strip().strip('`'), value)}" if _is_quantity(value) else setting

    parts = [one(prior_text) for prior_text in inside.rstrip().removesuffix(")").split(",")]
    changed = f"{call}{bracket}{','.join(parts)})"
    return f"{left}{sign}{changed}" if sign else changed


def _collected(found: dict[str, str], key: str) -> Change:
    """Return a change that notes the units of parameters, and leaves the numbers."""

    def change(name: str, text: str) -> str:
        read = measured(text)
        if read is None:
            raise ConfigError(
                f"`{text.strip()}`, given for `{name}`, is no number with a unit. Write it as in 5/min or 300 mV."
            )
        found.setdefault(name.partition("[")[0].strip().strip("`"), str(read[1]))
        return repr(read[0])

    return change


def _converter(units: Units, key: str) -> Change:
    """Return a change of values to the units that the formula gives parameters."""

    def change(name: str, text: str) -> str:
        read = measured(text)
        assert read is not None
        value, own = read
        unit = units.parameters.get(name.partition("[")[0].strip().strip("`"))
        if isinstance(unit, tuple):
            raise ConfigError(
                f"`{name}` has components of different units, so {spell(key)} takes plain numbers for it."
            )
        if unit is None:
            return repr(value)
        converted = conversion(own, unit)
        if converted is None:
            raise ConfigError(
                f"{spell(key)} gives `{name}` {text.strip()}, and by the formula it is {in_words(unit)}. Give it in "
                "a unit of that kind, or a plain number."
            )
        if converted.shift:
            raise ConfigError(
                f"{spell(key)} gives `{name}` {text.strip()}, and by the formula it is in {unit}: whether that is a "
                f"temperature or a difference of two, nothing says. Give it in {unit}."
            )
        return repr(float(f"{converted(value):.15g}"))

    return change
