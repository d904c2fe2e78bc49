"""The check that the settings of losses share."""

from __future__ import annotations

import math

from descend.errors import ConfigError


def require(loss: str, name: str, value: float, *, above: float, below: float = math.inf) -> None:
    """Raise ConfigError unless above < value < below."""
    if not above < value < below:
        allowed = f"greater than {above:g}" if below == math.inf else f"between {above:g} and {below:g}"
        raise ConfigError(f"The setting `{name}` of loss `{loss}` must be {allowed}; it is {value!r}.")
