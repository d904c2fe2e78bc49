"""What a notebook shows of a result, beside its text."""

from __future__ import annotations

from importlib import import_module


class Shown:
    """A result that a notebook shows as tables and mathematics; what draws them is found by name when one asks."""

    def _repr_html_(self) -> str:
        html: str = import_module("descend.report.notebook").short(self)
        return html
