"""What is to be said of the size of errors where inputs have some, too."""

from __future__ import annotations

import math
from collections.abc import Iterator

from descend.gradients.contract import Kernel
from descend.gradients.derived import Program
from descend.models import Model
from descend.table.rows import Rows


def notes_of_inexact(model: Model, code: Program | Kernel, rows: Rows) -> Iterator[str]:
    """Say what is taken for the errors of a response, and from how many rows their common scale is estimated.

    With n rows of q responses and p parameters the costs at the minimum add up to s**2 (nq - p) on average, of which
    ODRPACK makes an estimate of s**2 by n - p: too large by their ratio.
    """
    several = model.formula is not None and bool(model.formula.parts)
    if rows.roles.spread is None and model.response_columns and not several:
        yield (
            f"the errors of `{model.response}` are taken as 1, in its unit, beside those in `x_sigma`; if they are "
            "not, give `sigma` or `weights`"
        )
    if rows.roles.scale_known:
        return
    count, responses, size = code.counted(rows), rows.counting().count, model.parameters.size
    if count > size and responses > count:
        factor = math.sqrt((count - size) / (responses - size))
        yield (
            f"the size of the errors is estimated from {count:,} rows less {size} parameters, as in ODRPACK; from all "
            f"{responses:,} responses less {size} the standard errors would be {factor:.3g} times these"
        )
