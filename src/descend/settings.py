"""Settings of losses, optimizers and schedules: each field knows its range, and a value outside it is refused."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from descend.errors import ConfigError


def setting(
    default: Any,
    *,
    at_least: float | None = None,
    above: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
    choices: tuple[str, ...] = (),
    auto: bool = False,
) -> Any:
    """Return a dataclass field with a default and the range its values must lie in; ``auto``: or be "auto"."""
    bounds = {
        "at_least": at_least,
        "above": above,
        "below": below,
        "at_most": at_most,
        "choices": choices,
        "auto": auto,
    }
    return dataclasses.field(default=default, metadata=bounds)


def refuse_bad_settings(kind: str, part: Any) -> None:
    """Raise ConfigError, naming setting and range, for the first field of ``part`` that is outside its range."""
    for field in dataclasses.fields(part):
        value = getattr(part, field.name)
        if not _inside(value, field):
            raise ConfigError(
                f"The setting `{field.name}` of {kind} `{part.name}` must be {_range(field)}, "
                f"such as {field.default!r}; it is {value!r}."
            )


def _inside(value: Any, field: dataclasses.Field[Any]) -> bool:
    bounds = field.metadata
    if bounds["auto"] and value == "auto":
        return True
    if isinstance(field.default, str):
        return isinstance(value, str) and (not bounds["choices"] or value in bounds["choices"])
    if isinstance(value, bool) or not isinstance(value, int if isinstance(field.default, int) else (int, float)):
        return False
    return (
        math.isfinite(value)
        and (bounds["at_least"] is None or value >= bounds["at_least"])
        and (bounds["above"] is None or value > bounds["above"])
        and (bounds["below"] is None or value < bounds["below"])
        and (bounds["at_most"] is None or value <= bounds["at_most"])
    )


def _range(field: dataclasses.Field[Any]) -> str:
    bounds = field.metadata
    if isinstance(field.default, str):
        return " or ".join(map(repr, bounds["choices"])) or "text"
    words = [
        f"{word} {bounds[key]:g}"
        for word, key in [("at least", "at_least"), ("above", "above"), ("below", "below"), ("at most", "at_most")]
        if bounds[key] is not None
    ]
    text = f"a {'whole ' if isinstance(field.default, int) else ''}number {' and '.join(words)}"
    return f"{text}, or 'auto'" if bounds["auto"] else text
