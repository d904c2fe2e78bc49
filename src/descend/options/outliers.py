"""What is asked of outliers: whether they are listed or left out, and how many false ones are allowed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from descend.errors import ConfigError

RATE = 0.01
"""The usual false discovery rate."""
LARGEST = 0.5
CALL = re.compile(r"\s*(list|drop)?\s*\(?\s*([-+.\de]+\s*%?)?\s*\)?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class AskedOutliers:
    """drop: whether outliers are left out. rate: the false discovery rate Q, a share."""

    drop: bool
    rate: float = RATE


def read_outliers(given: Any) -> AskedOutliers:
    """Read ``list``, ``drop``, ``0.05`` or ``drop(0.05)``; True is ``list``. Raises ConfigError for anything else.

    >>> read_outliers("drop(5%)"), read_outliers(True)
    (AskedOutliers(drop=True, rate=0.05), AskedOutliers(drop=False, rate=0.01))
    """
    if given is True:
        return AskedOutliers(False)
    found = CALL.fullmatch(str(given)) if isinstance(given, str | float | int) else None
    if found is None or not (found[1] or found[2]):
        raise ConfigError(
            f"`outliers` is {given!r}. It can be `list`, `drop`, or the false discovery rate with either, such as 0.05 "
            "or `drop(0.05)`."
        )
    text, rate = (found[2] or "").strip(), RATE
    try:
        rate = float(text.removesuffix("%")) / (100.0 if text.endswith("%") else 1.0) if text else RATE
    except ValueError:
        rate = -1.0
    if not 0.0 < rate <= LARGEST:
        raise ConfigError(
            f"The false discovery rate of outliers is a share above 0, at most {LARGEST:g}, such as 0.01 for 1%; it is "
            f"{text}."
        )
    return AskedOutliers((found[1] or "").lower() == "drop", rate)


def check_outliers(key: str, value: object) -> None:
    """Raise ConfigError for a wrong value of the option."""
    read_outliers(value)
