"""What ended a run that met a number that is not finite, where that was seen as it happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """cause: the name of why it failed. evidence: by which it was told. sentence: what happened. advice: what to do."""

    cause: str
    evidence: Mapping[str, object]
    sentence: str
    advice: str
