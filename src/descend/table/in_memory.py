"""A table read as a whole, as columns in memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from descend.table.table import Table


def columns_in_memory(table: Table) -> dict[str, NDArray[np.generic]]:
    """Return every column: numbers and booleans as float64, NaN where missing; anything else as text."""
    numbers = [name for name in table.names if table.types[name] in ("number", "boolean")]
    found: dict[str, NDArray[np.generic]] = dict(table.with_gaps(numbers))
    return {name: found[name] if name in found else table.text(name) for name in table.names}
