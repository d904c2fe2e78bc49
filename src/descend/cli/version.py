"""Which versions a report of a fault should name: ours, Python's, the machine's, and those of what we stand on."""

from __future__ import annotations

import platform
import re
from importlib.metadata import PackageNotFoundError, requires, version

DEVELOPING = re.compile(r"extra == '(bench|dev|docs)'")
"""Marks what only those who work on descend install."""


def versions() -> dict[str, str]:
    """Return versions by name; of packages, those of our dependencies and extras that are installed.

    >>> list(versions())[:3]
    ['descend', 'python', 'platform']
    """
    versions_found = {
        "descend": version("descend"),
        "python": platform.python_version(),
        "platform": platform.platform(),
    }
    packages_needed = [text for text in requires("descend") or () if not DEVELOPING.search(text)]
    needed = {re.split(r"[^\w.-]", text, maxsplit=1)[0].lower() for text in packages_needed}
    for name in sorted(needed - {"descend"}):
        try:
            versions_found[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions_found
