"""Copies of untidy text files that DuckDB can read: from other encodings, aligned columns, pipes."""

from __future__ import annotations

import csv
import gzip
import itertools
import os
import shutil
import tempfile
import weakref
from typing import BinaryIO, TextIO

from descend.errors import DataError
from descend.table.files import File
from descend.table.layout import Layout, is_comment


class Copies:
    """A folder of copies, which is gone when nothing needs it any more."""

    def __init__(self) -> None:
        self._folder: str | None = None
        self._count = 0

    def place(self) -> str:
        """Return a path for another copy."""
        if self._folder is None:
            self._folder = tempfile.mkdtemp(prefix="descend-")
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._count += 1
        return os.path.join(self._folder, f"{self._count}.txt")

    def of_stream(self, stream: BinaryIO) -> str:
        """Return the path of a copy of what can be read only once."""
        place = self.place()
        with open(place, "wb") as copy:
            shutil.copyfileobj(stream, copy, 1 << 20)
        return place

    def tidied(self, file: File, layout: Layout, skip: int) -> str:
        """Return the path of a copy in UTF-8, one comma between aligned cells, one kind of line end.

        Its first row is below ``skip`` blank lines. Each line keeps its number if that is how many lines stood above.
        """
        try:
            return self._tidied(file, layout, skip)
        except OSError as error:
            raise DataError(
                f"`{file.path}` has to be copied to be read, and cannot: {(error.strerror or str(error)).lower()}. "
                "Make room for temporary files, or name another folder for them in the variable TMPDIR."
            ) from None

    def _tidied(self, file: File, layout: Layout, skip: int) -> str:
        place, one_column = self.place(), len(layout.names) == 1
        with _opened(file) as lines, open(place, "w", encoding="utf-8", newline="\n") as copy:
            writer = csv.writer(copy, lineterminator="\n")
            copy.write("\n" * skip)
            for line in itertools.islice(lines, layout.skip, None):
                if layout.comments and is_comment(line):
                    copy.write("" if one_column else "\n")  # where a blank line would be a row
                elif layout.aligned and line.strip():
                    writer.writerow(line.split())
                else:
                    copy.write(line)
        return place


def _opened(file: File) -> TextIO:
    if file.packing == "gzip":
        return gzip.open(file.place, "rt", encoding=file.encoding, errors="replace", newline=None)
    return open(file.place, encoding=file.encoding, errors="replace", newline=None)
