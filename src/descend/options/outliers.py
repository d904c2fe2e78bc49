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


def read_outliers(rule: object) -> OutlierRule:
    """Read ``list``, ``drop``, ``0.05`` or ``drop(5%)``; True is ``list``. Raises ConfigError for anything else.

    >>> read_outliers("drop(5%)"), read_outliers(True)
    (OutlierRule(drop=True, rate=0.05), OutlierRule(drop=False, rate=0.01))
    """
    outlier_rule = CALL.fullmatch(str(rule)) if isinstance(rule, str | float | int) else None
    if outlier_rule is None or not (outlier_rule[1] or outlier_rule[2]):
        raise ConfigError(
            f"`outliers` is {rule!r}. It can be `list`, `drop`, or the false discovery rate with either, such as 0.05 "
            "or `drop(0.05)`."
        )
    try:
        rate = float(outlier_rule[2] or "1") / (100.0 if outlier_rule[3] or not outlier_rule[2] else 1.0)
    except ValueError:
        rate = -1.0
    if not 0.0 < rate <= 0.5:
        raise ConfigError(
            f"The false discovery rate of outliers is a share above 0, at most 0.5, such as 0.01 for 1%; it is {rule}."
        )
    return OutlierRule((outlier_rule[1] or "").lower() == "drop", rate)
