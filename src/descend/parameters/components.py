"""Components of vectors and of parameters per group, by label: ``w[x1]``, ``a[plate A, 3]``, or ``{"a": {"B": 1}}``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from sympy import Expr

from descend.errors import ConfigError
from descend.formula.printers.code import plain_name
from descend.formula.symbols import Component
from descend.formula.tokens import pointed
from descend.parameters.vector import Parameters
from descend.registry import closest
from descend.table.levels import GroupLabels, said

QUOTES = "\"'`"
MOST_LISTED = 8
"""Components, or groups, that a message lists."""


def with_components(text: str, parameters: Parameters) -> tuple[str, dict[str, Expr]]:
    """Return a text of the same length in which each component is a plain name, and the symbol behind each name.

    So positions in it are those of the user's text. What stands in the brackets may be in quotes.

    Raises FormulaError, pointing at a component that is none of the parameters'.

    >>> with_components("ec50[B]/ec50[A]", Parameters({"ec50": ("A", "B")}))
    ('q0_____/q1_____', {'q0_____': ec50[B], 'q1_____': ec50[A]})
    """
    symbols: dict[str, Expr] = {}
    typed = text
    quoted = [match.span() for match in re.finditer(r"`[^`]*`", text)]
    for name, labels in parameters.shapes.items():
        if labels is None:
            continue
        parts_known = {parts_of(label): label for label in labels}
        for match in re.finditer(rf"(?<![\w`]){re.escape(plain_name(name))}\s*\[([^\]]*)\]", text):
            if any(begin < match.start() < end for begin, end in quoted):
                continue  # in the name of a quantity
            label = parts_known.get(parts_of(match[1]))
            if label is None:
                fault = f"`{name}` has no component `{match[1].strip()}`.{closest(match[1].strip(), labels)}"
                others_text = f" and {len(labels) - MOST_LISTED} more" if len(labels) > MOST_LISTED else ""
                labels_listed = ", ".join(f"`{name}[{each}]`" for each in labels[:MOST_LISTED])
                raise pointed(typed, match.start(), match.end(), fault, f"Components: {labels_listed}{others_text}.")
            plain = _unused(text, len(symbols), len(match[0]))
            text = text[: match.start()] + plain + text[match.end() :]
            symbols[plain] = Component(f"{name}[{label}]")
    return text, symbols


def equations(given: Mapping[str, object] | Sequence[str] | str | None, sign: str) -> list[str]:
    """Return what was given as texts, left side, sign and right side: one text, several, or right sides by name.

    >>> equations({"b": "normal(0.5, 0.1)", "a[A]": "half_normal(2)"}, "~"), equations("b2 = 2*b1", "=")
    (['b ~ normal(0.5, 0.1)', 'a[A] ~ half_normal(2)'], ['b2 = 2*b1'])
    """
    if isinstance(given, Mapping):
        return [f"{name if ']' in name else plain_name(name)} {sign} {text}" for name, text in given.items()]
    return [given] if isinstance(given, str) else [str(text) for text in given or ()]


def parts_of(label: str) -> tuple[str, ...]:
    """Return what stands between commas, without spaces and quotes around it."""
    return tuple(label_part.strip().strip(QUOTES) for label_part in label.split(","))


def _unused(text: str, number: int, length: int) -> str:
    """Return a name of a length that the text does not hold."""
    name = f"q{number}".ljust(length, "_")
    while re.search(rf"\b{name}\b", text):
        name = "q" + name[:-1]
    return name


def component(text: str, parameters: Parameters) -> str:
    """Return the name of the parameter or the label of the component that a text means.

    A label is written as tables show it, ``a[A]`` or ``a[A, 3]``, the name of a group in double quotes or without.
    A text that means none is returned as it is. Raises ConfigError for a group that the parameter has not.

    >>> from descend.table.levels import Levels
    >>> parameters = Parameters({"a": GroupLabels(Levels(("site", "day"), (("A", 3), ("B", 1)))), "k": None})
    >>> component('a["A",3]', parameters), component("k", parameters)
    ('a[A, 3]', 'k')
    """
    if text in parameters.shapes or text in parameters.labels:
        return text
    name, bracket, inside = text.partition("[")
    name = name.strip().strip("`")
    labels = parameters.shapes.get(name)
    if not (bracket and labels is not None and inside.rstrip().endswith("]")):
        return text
    inside = inside.rstrip().removesuffix("]").strip()
    label = inside if inside in labels else {parts_of(one): one for one in labels}.get(parts_of(inside))
    if label is not None:
        return f"{name}[{label}]"
    if name in parameters.groups:
        raise no_group(name, inside, parameters.groups[name])
    return text


def no_group(name: str, text: str, labels: GroupLabels) -> ConfigError:
    """Return the error for a group that a parameter has not."""
    some = ", ".join(f"`{name}[{label}]`" for label in labels[:MOST_LISTED])
    more = f" and {len(labels) - MOST_LISTED} more" if len(labels) > MOST_LISTED else ""
    return ConfigError(
        f"`{name}` has no group `{text}`.{closest(text, labels)} It has {some}{more}. A group is written as here; "
        'if its name holds brackets or commas, in double quotes: a["x, y"].'
    )


def spelled_out(values: Mapping[str, object], parameters: Parameters) -> dict[str, object]:
    """Return values by parameter or by label of a component, where some may be given by group.

    >>> from descend.table.levels import Levels
    >>> parameters = Parameters({"a": GroupLabels(Levels(("site",), (("A",), ("B",)))), "k": None})
    >>> spelled_out({"a": {"A": 1.0, "B": 2.0}, "k": 3.0}, parameters)
    {'a[A]': 1.0, 'a[B]': 2.0, 'k': 3.0}
    """
    values_by_label: dict[str, object] = {}
    for text, value in values.items():
        name = component(text, parameters)
        if not isinstance(value, Mapping):
            values_by_label[name] = value
        elif name in parameters.groups:
            values_by_label |= _of_groups(name, value, parameters.groups[name])
        else:
            values_by_label |= {component(f"{name}[{label}]", parameters): one for label, one in value.items()}
    return values_by_label


def _of_groups(name: str, values: Mapping[object, object], labels: GroupLabels) -> dict[str, object]:
    """Return the values of groups by label of each component; keys are those of ``fit.parameters``, or labels."""
    keys = dict(zip(labels.keys, labels.levels.labels, strict=True))
    values_by_label: dict[str, object] = {}
    for key, value in values.items():
        label = keys.get(key) if isinstance(key, str | int | float | tuple) else None
        label = label or next((group_label for group_label in labels.levels.labels if group_label == str(key)), None)
        if label is None:
            raise no_group(name, said(key) if isinstance(key, tuple) else str(key), labels)
        parts = [f"{name}[{label}, {label_part}]" for label_part in labels.parts] or [f"{name}[{label}]"]
        values_listed = [*value] if isinstance(value, list | np.ndarray) else []
        each: list[object] = values_listed if len(values_listed) == len(parts) > 1 else [value] * len(parts)
        values_by_label |= zip(parts, each, strict=True)
    return values_by_label


def by_parameter(values: Mapping[str, object], parameters: Parameters) -> dict[str, object]:
    """Return starting values by parameter, where some are given by component.

    Groups that are given none start at the mean of the others. Raises ConfigError for a vector of which a component is
    given none.
    """
    values_by_parameter: dict[str, object] = {}
    some: dict[str, dict[str, object]] = {}
    for label, value in spelled_out(values, parameters).items():
        name = label.partition("[")[0]
        if label in parameters.shapes or label not in parameters.labels:
            values_by_parameter[label] = value
        else:
            some.setdefault(name, {})[label] = Parameters({label: None}).checked(label, value)
    for name, value_given in some.items():
        if name in values_by_parameter:
            raise ConfigError(
                f"`{next(iter(value_given))}` is started by itself and with all of `{name}`. Leave out one."
            )
        labels = parameters.labels[parameters.slices[name]]
        missing = [label for label in labels if label not in value_given]
        if missing and name not in parameters.groups:
            raise ConfigError(
                f"`{name}` is given a start for some components, but not for `{missing[0]}`. Give it one."
            )
        mean = float(np.mean([float(value) for value in value_given.values()]))  # type: ignore[arg-type]
        values_by_parameter[name] = np.array([value_given.get(label, mean) for label in labels], dtype=np.float64)
    return values_by_parameter
