"""Why a run failed, or ended short of what it could reach: a name, the numbers that show it, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Evidence = dict[str, object]
"""Numbers and names by which a cause was identified."""


class Cause(StrEnum):
    """Why a run went wrong. Compares equal to its own name: ``fit.cause == "rate_too_large"``."""

    WRONG_GRADIENT = "wrong_gradient"
    BAD_ROWS = "bad_rows"
    DOMAIN_ERROR = "domain_error"
    OVERFLOW = "overflow"
    FAR_ORIGIN = "far_origin"
    PLATEAU = "plateau"
    BATCH_NOISE = "batch_noise"
    UNSCALED_COLUMN = "unscaled_column"
    RATE_TOO_LARGE = "rate_too_large"
    TOO_FEW_EPOCHS = "too_few_epochs"

    @property
    def words(self) -> str:
        """The cause as a heading."""
        return self.value.replace("_", " ")


@dataclass(frozen=True)
class Diagnosis:
    """What was found about a run. A healthy one has no cause.

    evidence: numbers and names by which the cause was identified. sentence: what happened, quoting them.
    advice: what to do; empty where the outcome's own advice says it.
    """

    cause: Cause | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    sentence: str = ""
    advice: str = ""


HEALTHY = Diagnosis()
