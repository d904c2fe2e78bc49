"""The sizes in which a page draws its pictures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Frame:
    """The size of a picture, and what lies around its axes: where these begin and end, and how many ticks they have."""

    width: float = 560.0
    height: float = 350.0
    left: float = 64.0
    top: float = 30.0
    end: float = 546.0
    bottom: float = 304.0
    ticks: int = 6


LARGE, SMALL = Frame(), Frame(250.0, 168.0, 44.0, 20.0, 244.0, 134.0, 4)
