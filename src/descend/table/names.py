"""Names of columns that cannot be told apart."""

from __future__ import annotations

from collections.abc import Sequence

from descend.errors import DataError


def duplicate_names(names: Sequence[str], source: str) -> DataError | None:
    """Return the error for a name that occurs twice, or None."""
    seen: dict[str, int] = {}
    for position, name in enumerate(names, 1):
        if name in seen:
            return DataError(
                f"Two columns of {source} are named `{name}`: columns {seen[name]} and {position}. Rename one of them."
            )
        seen[name] = position
    return None
