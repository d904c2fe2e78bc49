"""The same request on new data: what a model file holds of it, and where the new fit begins."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from descend.errors import ConfigError
from descend.formula.equations import levels_in
from descend.options.arguments import read_request
from descend.options.option import Values
from descend.options.request import OPTIONS, Request, is_default
from descend.results.fit import Fit
from descend.results.loaded import LoadedFit
from descend.results.loading import load
from descend.results.model_file import Content
from descend.results.request_content import request_content
from descend.table import open_table
from descend.table.levels import ByGroup
from descend.wording import spell

PATTERN = re.compile(r"\[[^\]]*[*?][^\]]*\]")
"""Matches a vector whose columns a pattern chooses, which may be others in new data."""
ENTRIES = {
    "loss_function": "loss",
    "fixed": "fix",
    "ties": "ties",
    "bounds": "bounds",
    "weights": "weights",
    "sigma": "sigma",
    "x_sigma": "x_sigma",
}
"""What files hold that were written before they held the request, and the options it was."""


@dataclass(frozen=True)
class Earlier:
    """An earlier request. model: as it was given. options: by key; notes: what of it is not known, in sentences."""

    model: object
    options: Values
    notes: tuple[str, ...]


def like_before(like: object, model: object, data: object, options: Values) -> Request:
    """Return the request of a new fit like an earlier one (see ``descend.fit``). Raises DescendError."""
    if data is None:
        model, data = None, model
    if data is None:
        raise ConfigError(f"{spell('like')} fits new data, and none are given. Name them, such as new.csv.")
    earlier_call = earlier(like, model, data, options)
    return read_request(earlier_call.model, data, (), earlier_call.options).but(notes=earlier_call.notes)


def earlier(like: object, model: object, data: object, options: Values) -> Earlier:
    """Return the request of an earlier fit, with the options that are given now in their places.

    like: a model file, or a fit. model: what replaces its formula; of a function, that function. options: those given.

    Raises ConfigError or DataError for what is no model file, and for a module.
    """
    function = model if callable(model) else None
    if isinstance(like, str | os.PathLike):
        fit: Fit = load(like, function)
        name = f"`{Path(like).name}`"
    elif isinstance(like, Fit):
        fit, name = like, "the earlier fit"
    else:
        raise ConfigError(f"{spell('like')} takes a model file, or a fit; this is of type {type(like).__name__}.")
    if fit.model.in_place:
        raise ConfigError(
            f"{spell('like')} is for formulas and functions: a module is trained on from where it is. Give the module "
            "itself."
        )
    call, notes = call_of(fit, name)
    options_given = {key: value for key, value in options.items() if key != "like" and _differs(key, value)}
    options_before = {key: value for key, value in call.items() if key in OPTIONS and OPTIONS[key].inherited}
    fixed = set(_names(options_given.get("fix")))
    for key in ("bounds", "priors", "ties") if fixed else ():  # what is fixed now was free, bounded or tied before
        options_before[key] = _without(options_before.get(key), fixed)
    model = call.get("model") if model is None else model
    if model is None and fit.model.formula is not None:  # a function that was traced into one
        model, options_before = str(fit.model), {**options_before, "response": None}
    if model is None:
        raise ConfigError(f"{name} was fitted with a Python function, which is not kept: give it as the model.")
    start = options_given.get("start") or _start(fit, model, data, options_given, {**options_before, **options_given})
    return Earlier(model, {**options_before, **options_given, "start": start}, notes)


def _differs(key: str, value: object) -> bool:
    """Whether an option is given: unknown, which the request will say, another value than the default, or a list."""
    return isinstance(value, list) or key not in OPTIONS or not is_default(key, value)


def call_of(fit: Fit, name: str) -> tuple[Values, tuple[str, ...]]:
    """Return the arguments that an earlier fit was made with, as far as they are known, and what is not."""
    if not isinstance(fit, LoadedFit):
        assert fit.solution is not None
        call = fit.solution.call()
        plain = request_content(call)
        return {**plain, "model": call["model"]}, _lacking(plain, name)
    request_saved = fit._content.get("request")
    if request_saved is None:
        missing = ", ".join(spell(key) for key in ("where", "missing", "optimizer"))
        note = f"{name} was written before model files held the request: if there were {missing}, give them again"
        return _of_entries(fit._content), (note,)
    model = fit.model.forward.function if fit.model.forward is not None else None
    return {**request_saved, "model": request_saved.get("model", model)}, _lacking(request_saved, name)


def _lacking(options_saved: Values, name: str) -> tuple[str, ...]:
    keys = options_saved.get("lacking") or ()
    if not keys:
        return ()
    listed = ", ".join(f"`{key}`" for key in keys)
    return (f"{listed} of {name} was given as values or a function, which are not kept: give it again if it matters",)


def _of_entries(content: Content) -> Values:
    """Return the request as far as the other entries of a model file tell it."""
    options_saved = {option: content[entry] for entry, option in ENTRIES.items() if content.get(entry)}
    if content.get("quantities"):
        options_saved["quantities"] = {name: each["expression"] for name, each in content["quantities"].items()}
    if content.get("errors") == "sandwich":
        options_saved["errors"] = "sandwich"
    return {"model": content["formula"], "response": content.get("response"), **options_saved}


def _start(fit: Fit, model: object, data: object, options_given: Values, options: Values) -> dict[str, object] | None:
    """Return the parameters of the earlier fit where the new one may begin there; of groups, those that it has, too.

    Left out is what is held now, or lay at a bound, and what a formula, bounds or priors given now may have changed.
    """
    texts = [model] if isinstance(model, str) else list(model) if isinstance(model, list | tuple) else []
    held_names = {name.partition("[")[0] for name in [*_names(options.get("fix")), *_names(options.get("ties"))]}
    held_names |= {label.partition("[")[0] for label in fit.at_bound}
    held_names |= {
        name
        for key in ("bounds", "priors")
        for text in map(str, _each(options_given.get(key)))
        for name in _words(text)
    }
    named = set(fit.parameters) if not texts else {name for text in texts for name in _words(text)}
    if any(PATTERN.search(text) for text in texts):
        held_names |= {name for name, value in fit.parameters.items() if isinstance(value, np.ndarray)}
    start_values: dict[str, object] = {}
    for name, value in fit.parameters.items():
        if name in held_names or name not in named:
            continue
        if isinstance(value, ByGroup):
            value = _of_groups(fit, name, value, texts, data)
        if value is not None and np.isfinite(np.asarray(value, dtype=np.float64)).all():
            start_values[name] = value
    return start_values or None


def _of_groups(fit: Fit, name: str, values: ByGroup, texts: Sequence[str], data: object) -> ByGroup | None:
    """Return the values of those groups that the new data have; None if there are none, or one is a reference."""
    labels = fit.model.every_parameter.groups.get(name)
    if fit.constraints is not None and any(each.startswith(f"{name}[") for each in fit.constraints.references):
        return None
    if labels is None:
        return None
    table = open_table(data)
    new = {key for text in texts for each in levels_in(text, table) for key in each.keys}
    options_kept = {key: value for key, value in values.items() if (key if isinstance(key, tuple) else (key,)) in new}
    return ByGroup(options_kept) if options_kept else None


def _each(option: object) -> list[object]:
    """Return one text, several, or names with values, as a list."""
    if isinstance(option, Mapping):
        return [*option]
    return [option] if isinstance(option, str) else list(option) if isinstance(option, list | tuple) else []


def _without(option_value: object, fixed: set[str]) -> object:
    """Return bounds, priors or ties but for those on the parameters that are fixed; None if there are no others."""
    if isinstance(option_value, Mapping):
        return {name: value for name, value in option_value.items() if name not in fixed} or None
    return [text for text in _each(option_value) if not _left(str(text)) & fixed] or None


def _left(text: str) -> set[str]:
    """Return the names of which a text says something: those left of ``~`` or ``=``, or of a bound, all in it."""
    for sign in ("~", "="):
        before, name_before, _ = text.partition(sign)
        if name_before and before.rstrip()[-1:] not in ("<", ">"):
            return _words(before)
    return _words(text)


def _names(option_value: object) -> list[str]:
    """Return the names on the left of values or equations."""
    return [str(text).partition("=")[0].strip().strip("`") for text in _each(option_value)]


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d]\w*", text))
