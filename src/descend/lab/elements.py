"""The elements of a page: those of Dash, which is only imported when the first element is made.

>>> from descend.lab import elements as html
>>> html.P("J falls.", className="hint")
P(children='J falls.', className='hint')
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dash.development.base_component import Component


def __getattr__(name: str) -> Callable[..., Component]:
    """Return a class of elements: an HTML tag, or else a Dash control; ``Textarea`` is the control, to be read from."""
    if name.startswith("_"):
        raise AttributeError(name)
    from dash import dcc, html

    dash_element: Callable[..., Component] = getattr(html if hasattr(html, name) and name != "Textarea" else dcc, name)
    return dash_element
