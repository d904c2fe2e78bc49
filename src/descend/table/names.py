"""Names of columns that cannot be told apart."""

from __future__ import annotations

from collections.abc import Sequence

from descend.errors import DataError


def refuse_duplicates(names: Sequence[str], source: str) -> None:
    """Raise DataError for a name that occurs twice."""
    seen: dict[str, int] = {}
    for position, name in enumerate(names, 1):
        if name in seen:
            raise DataError(
                f"Two columns of {source} are named `{name}`: columns {seen[name]} and {position}. Rename one of them."
            )
        seen[name] = position
