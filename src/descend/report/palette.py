"""The colours of all pictures, by name: on white, and on a dark page."""

from __future__ import annotations

# The colours of Okabe and Ito (2008), which colour-blind readers can tell apart.
BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
INK, GREY, GRID = "#222222", "#6B6B6B", "#E6E6E6"
PALETTE = {
    "blue": (BLUE, "#5BB0E8"),
    "vermillion": (VERMILLION, "#FF8A3D"),
    "green": (GREEN, "#3CCFA0"),
    "purple": (PURPLE, "#E29BC4"),
    "orange": (ORANGE, "#F5C04A"),
    "sky": (SKY, "#8CCBF2"),
    "wine": ("#882255", "#D987B4"),
    "olive": ("#7A7A1E", "#CFCF70"),
    "indigo": ("#4B3FA8", "#A79EF0"),
    "brown": ("#8C5A3C", "#CFA184"),
    "slate": ("#5F6B7A", "#AEB9C6"),
    "rose": ("#B8405E", "#F08FA5"),
}
"""Colours by the names that panels use: on white, and on a dark page. The first six can be told apart by anyone."""
PAGE = {
    "ink": ("#1F2328", "#E8EAED"),
    "soft": ("#59626D", "#A9B1BC"),
    "paper": ("#FFFFFF", "#16191E"),
    "ground": ("#F6F7F9", "#0E1013"),
    "edge": ("#D9DDE3", "#30363F"),
    "grid": ("#E9ECEF", "#272C34"),
    "link": ("#005A94", "#7CC4F5"),
    "good": ("#0B6B4B", "#5FD3A6"),
    "fair": ("#8A5200", "#F2BC57"),
    "bad": ("#A83A00", "#FF9C66"),
}
"""The other colours of a page: words, lines and grounds, light and dark. Words on their ground have contrast AA."""
CONTOURS = (((0x3D, 0x7A, 0xB8), (0xF1, 0xF6, 0xFB)), ((0x3F, 0x86, 0xC6), (0x18, 0x20, 0x2A)))
"""The colours of the lowest and the highest contour, light and dark."""
