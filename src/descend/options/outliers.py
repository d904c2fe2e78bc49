"""What is asked of outliers: whether they are listed or left out, and how many false ones are allowed."""

from __future__ import annotations

import re
from typing import NamedTuple

from descend.errors import ConfigError

CALL = re.compile(r"\s*(list|drop|true)?\s*\(?\s*([-+.\de]+)?\s*(%)?\s*\)?\s*", re.IGNORECASE)


class OutlierRule(NamedTuple):
    """drop: whether outliers are left out. rate: the false discovery rate Q, a share."""

    drop: bool
    rate: float = 0.01


def read_outliers(given: object) -> OutlierRule:
    """Read ``list``, ``drop``, ``0.05`` or ``drop(5%)``; True is ``list``. Raises ConfigError for anything else.

    >>> read_outliers("drop(5%)"), read_outliers(True)
    (OutlierRule(drop=True, rate=0.05), OutlierRule(drop=False, rate=0.01))
    """
    found = CALL.fullmatch(str(given)) if isinstance(given, str | float | int) else None
    if found is None or not (found[1] or found[2]):
        raise ConfigError(
            f"`outliers` is {given!r}. It can be `list`, `drop`, or the false discovery rate with either, such as 0.05 "
            "or `drop(0.05)`."
        )
    try:
        rate = float(found[2] or "1") / (100.0 if found[3] or not found[2] else 1.0)
    except ValueError:
        rate = -1.0
    if not 0.0 < rate <= 0.5:
        raise ConfigError(
            f"The false discovery rate of outliers is a share above 0, at most 0.5, such as 0.01 for 1%; it is {given}."
        )
    return OutlierRule((found[1] or "").lower() == "drop", rate)


def check_outliers(key: str, value: object) -> None:
    """Raise ConfigError for a wrong value of the option."""
    read_outliers(value)
