"""The elements of a page as JSON, as Dash writes them: its own classes, which check everything, take ten times longer.

>>> from descend.lab.page import elements as html
>>> html.P("J falls.", className="hint")["props"]
{'children': 'J falls.', 'className': 'hint'}
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

Element = dict[str, Any]
"""An element: its kind and its properties."""
CONTROLS = frozenset({"Checklist", "Dropdown", "Graph", "Input", "Store", "Textarea"})
"""Elements that Dash knows how to read from; all others are HTML tags."""


def __getattr__(name: str) -> Callable[..., Element]:
    """Return what makes elements of a kind, called as the class of Dash is: children first."""
    if not name[:1].isupper():
        raise AttributeError(name)
    return partial(_element, name)


def _element(kind: str, children: object = None, **properties: object) -> Element:
    library = "dash_core_components" if kind in CONTROLS else "dash_html_components"
    properties = {"children": children, **properties} if children is not None else properties
    return {"type": kind, "namespace": library, "props": properties}
