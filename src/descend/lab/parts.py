"""Elements of a page as JSON, as Dash writes them: its own, which check all that they are given, take ten times longer.

>>> from descend.lab import parts as html
>>> html.P("J falls.", className="hint")["props"]
{'children': 'J falls.', 'className': 'hint'}
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

Part = dict[str, object]
"""An element as JSON."""


def __getattr__(name: str) -> Callable[..., Part]:
    """Return what makes elements of an HTML tag, called as that of `descend.lab.elements` is."""
    if not name[:1].isupper():
        raise AttributeError(name)
    return partial(_part, name)


def _part(tag: str, children: object = None, **properties: object) -> Part:
    return {"type": tag, "namespace": "dash_html_components", "props": {"children": children, **properties}}
