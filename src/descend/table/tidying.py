"""Copies of untidy text files that DuckDB can read: from other encodings, aligned columns, pipes."""

from __future__ import annotations

import csv
import gzip
import itertools
from typing import TextIO

from descend.errors import DataError
from descend.table.files import Copies, File
from descend.table.layout import Layout, is_comment


def tidied(copies: Copies, file: File, layout: Layout, skip: int) -> str:
    """Return the path of a copy in UTF-8, one comma between aligned cells, one kind of line end.

    Its first row comes after ``skip`` blank lines: each line keeps its number if as many lines stood above it.
    """
    try:
        return _tidied(copies.place(), file, layout, skip)
    except OSError as error:
        raise DataError(
            f"`{file.path}` has to be copied to be read, and cannot: {(error.strerror or str(error)).lower()}. "
            "Make room for temporary files, or name another folder for them in the variable TMPDIR."
        ) from None


def _tidied(file_path: str, file: File, layout: Layout, skip: int) -> str:
    one_column = len(layout.names) == 1
    with _opened(file) as lines, open(file_path, "w", encoding="utf-8", newline="\n") as copy:
        writer = csv.writer(copy, lineterminator="\n")
        copy.write("\n" * skip)
        for line in itertools.islice(lines, layout.skip, None):
            if layout.comments and is_comment(line):
                copy.write("" if one_column else "\n")  # where a blank line would be a row
            elif layout.aligned and line.strip():
                writer.writerow(line.split())
            else:
                copy.write(line)
    return file_path


def _opened(file: File) -> TextIO:
    if file.packing == "gzip":
        return gzip.open(file.place, "rt", encoding=file.encoding, errors="replace", newline=None)
    return open(file.place, encoding=file.encoding, errors="replace", newline=None)
