"""Columns that an option calls by the plain word before their unit, ``dt`` for ``dt (s)``, as formulas may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from descend.options.request import Request
from descend.table.headers import in_full


def with_full_names(request: Request, columns: Sequence[str]) -> Request:
    """Return a request whose weights, sigma and errors of inputs call the columns of a table by their whole names.

    >>> with_full_names(Request(model="y ~ w*t", data=None, sigma="dy"), ["t (s)", "y", "dy (s)"]).sigma
    'dy (s)'
    """
    named = {key: request[key] for key in ("weights", "sigma", "x_sigma", "x_correlation")}
    full = {key: _in_full(value, columns) for key, value in named.items() if value is not None}
    changed = {key: value for key, value in full.items() if value != named[key]}
    return request.but(**changed) if changed else request


def _in_full(value: Any, columns: Sequence[str]) -> Any:
    if isinstance(value, str) and "=" not in value:
        return value if value in columns else in_full(value, columns)
    if isinstance(value, str):
        return ",".join(_pair(part, columns) for part in value.split(","))
    if isinstance(value, Mapping):
        return {in_full(name, columns): _in_full(each, columns) for name, each in value.items()}
    return [_in_full(each, columns) for each in value] if isinstance(value, list | tuple) else value


def _pair(text: str, columns: Sequence[str]) -> str:
    """Return ``t=dt`` with the whole names of both."""
    name, sign, value = text.partition("=")
    blank = name[: len(name) - len(name.lstrip())]
    return f"{blank}{in_full(name.strip(), columns)}{sign}{_in_full(value.strip(), columns)}" if sign else text
