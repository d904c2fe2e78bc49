"""Data that a link carries: packed into the link itself where they are small, else in a file that the lab keeps.

A kept file has a name that follows from what is in it, which nobody can guess who does not have it. The oldest goes
when there are too many. A name is never a path: it is letters and digits, and is looked for in the folder of the lab.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import tempfile
import zlib
from pathlib import Path

from descend.errors import DataError
from descend.output import write_atomically

MOST_CARRIED = 2**20
"""Most bytes of data that a link carries."""
MOST_PACKED = 6_000
"""Most letters of data within a link: longer links do not pass every mail program and every server."""
MOST_KEPT = 200
"""Files that are kept, at most."""
NAMED = re.compile(r"[0-9a-f]{32}")


def packed(text: bytes, name: str) -> str:
    """Return a file as letters of an address."""
    content = json.dumps(name).encode() + b"\n" + text
    return base64.urlsafe_b64encode(zlib.compress(content, 9)).decode().rstrip("=")


def unpacked(letters: str) -> tuple[bytes, str]:
    """Return a file and its name from the letters of an address. Raises DataError for what is no such file.

    >>> unpacked(packed(b"x,y", "a.csv"))
    (b'x,y', 'a.csv')
    """
    try:
        opened = zlib.decompressobj()
        content = opened.decompress(base64.urlsafe_b64decode(letters + "=" * (-len(letters) % 4)), MOST_CARRIED + 400)
        name, _, text = content.partition(b"\n")
        if opened.unconsumed_tail or not opened.eof:
            raise ValueError
        return text, str(json.loads(name))[:80]
    except (ValueError, binascii.Error, zlib.error):
        raise DataError("The data in this link are not whole: a part of the link is missing. Copy it again.") from None


class Shelf:
    """The files that a lab keeps for links. folder: where; None for one that goes when the lab ends."""

    def __init__(self, folder: Path | None = None) -> None:
        self._own = tempfile.TemporaryDirectory(prefix="descend-lab-") if folder is None else None
        self.folder = Path(self._own.name) if self._own is not None else folder
        assert self.folder is not None
        self.folder.mkdir(parents=True, exist_ok=True)

    def put(self, text: bytes, name: str) -> str:
        """Keep a file and return the name it is kept under. Raises DataError if it is too large."""
        if len(text) > MOST_CARRIED:
            raise DataError(f"A link carries data of up to 1 MB; these are {len(text) / 2**20:.1f} MB.")
        letters = packed(text, name)
        data_key = hashlib.sha256(letters.encode()).hexdigest()[:32]
        assert self.folder is not None
        write_atomically(self.folder / f"{data_key}.data", letters)
        data_files = sorted(self.folder.glob("*.data"), key=lambda path: path.stat().st_mtime)
        for old in data_files[:-MOST_KEPT]:
            old.unlink(missing_ok=True)
        return data_key

    def get(self, data_key: str) -> tuple[bytes, str] | None:
        """Return a file and its own name; None if it is not kept."""
        assert self.folder is not None
        if not NAMED.fullmatch(data_key):
            return None
        try:
            return unpacked((self.folder / f"{data_key}.data").read_text())
        except (OSError, DataError):
            return None
