"""Arrows for few groups, so that a matrix can be their judge."""

from __future__ import annotations

import pytest

from descend.gradients.derived import Program


def every_grouping_an_arrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let parameters of groups have an arrow for their curvature, however few they are."""

    def grouped(program: Program) -> bool:
        return any(term.levels is not None for term in program.formula.terms.values())

    monkeypatch.setattr(Program, "arrow", property(grouped))
