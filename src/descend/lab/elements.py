"""The elements a page is made of: those of Dash, which is imported when the first of them is made.

>>> from descend.lab import elements as html
>>> html.P("J falls.", className="hint")
P(children='J falls.', className='hint')
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """Return a class of elements: a tag of HTML, or else a control; a box of text is the control, which can be read."""
    if name.startswith("_"):
        raise AttributeError(name)
    from dash import dcc, html

    return getattr(html if hasattr(html, name) and name != "Textarea" else dcc, name)
