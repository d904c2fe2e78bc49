"""A first look at a file: what kind it is, judged by its first bytes, and whether it can be read at all."""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from dataclasses import dataclass, replace
from typing import BinaryIO

from descend.errors import DataError
from descend.table import zstandard
from descend.table.layout import not_utf8
from descend.wording import worded

HEAD_BYTES = 1 << 16
LONGEST_LINE = 1 << 26
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
PACKED_ENDINGS = (".gz", ".zst")
JSON_ENDINGS = (".json", ".jsonl", ".ndjson")
PARQUET_ENDINGS = (".parquet", ".pq")
WIDE = ("utf-16", "utf-32")
MARKUP = re.compile(r"\s*<(!doctype|html|\?xml|svg|body|table)\b", re.IGNORECASE)
FOREIGN = {
    b"PK\x03\x04": "a ZIP archive, or a spreadsheet: save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet: save the sheet as CSV",
    b"BZh": "packed by bzip2: unpack it, or pack it by gzip or zstd",
    b"\xfd7zXZ": "packed by xz: unpack it, or pack it by gzip or zstd",
}


@dataclass(frozen=True)
class File:
    """What the first look found.

    kind: ``delimited``, ``json`` or ``parquet``.
    packing: ``gzip``, ``zstd`` or an empty string.
    head: the first lines of a text file, unless it is packed by zstd.
    whole: whether ``head`` is all of it.
    encoding: of a text file.
    place: where it can be read, if that is a copy.
    """

    path: str
    kind: str
    packing: str = ""
    head: str = ""
    whole: bool = False
    encoding: str = "utf-8"
    place: str = ""

    @property
    def words(self) -> str:
        """The kind in words."""
        kind = {"delimited": "delimited text", "json": "JSON", "parquet": "Parquet"}[self.kind]
        return f"{kind} packed by {self.packing}" if self.packing else kind


def inspect(path: str, place: str = "") -> File:
    """Look at the start of a file. Raises DataError if it is empty, cannot be read, or holds no table.

    place: where it can be read, if that is a copy.
    """
    try:
        with open(place or path, "rb") as file:
            return replace(_judged(path, file), place=place or path)
    except OSError as error:
        said = (error.strerror or str(error)).lower()
        raise DataError(f"`{path}` cannot be read: {said}. Check the file and your permissions.") from None


def _judged(path: str, file: BinaryIO) -> File:
    start = file.read(HEAD_BYTES)
    if not start:
        raise DataError(f"`{path}` is empty. Give a file with a header and rows.")
    if start.startswith(b"PAR1"):
        return File(path, "parquet")
    for magic, words in FOREIGN.items():
        if start.startswith(magic):
            raise DataError(f"`{path}` is {words}.")
    if path.lower().endswith(PARQUET_ENDINGS):
        raise DataError(f"`{path}` is not a Parquet file, though its name says so. It may be damaged: write it again.")
    if start.startswith(ZSTD):
        if not zstandard.complete(file):
            raise DataError(f"`{path}` is cut short: its last block is missing. Write it again.")
        return File(path, _kind(path), "zstd")
    file.seek(0)
    if not start.startswith(GZIP):
        return _text(path, file, "")
    try:
        with gzip.open(file) as unpacked:
            return _text(path, unpacked, "gzip")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        said = str(error)[:1].lower() + str(error)[1:]
        raise DataError(f"`{path}` cannot be read: {said}. It may be damaged: write it again.") from None


def _text(path: str, file: BinaryIO | gzip.GzipFile, packing: str) -> File:
    start = file.read(HEAD_BYTES)
    whole = len(start) < HEAD_BYTES
    if not whole:
        start += file.readline(LONGEST_LINE)
    encoding = encoding_of(start, whole)
    if b"\0" in start and not encoding.startswith(WIDE):
        advice = worded("saving", "Save it as CSV, Parquet or JSON.")
        raise DataError(f"`{path}` is not text: it holds NUL bytes, as binary files do. {advice}")
    try:
        head = codecs.getincrementaldecoder(encoding)().decode(start, final=whole)
    except UnicodeDecodeError as error:
        line = start.count(b"\n", 0, error.start) + 1
        raise not_utf8(f"`{path}`", f"byte 0x{start[error.start]:02X} in line {line}") from None
    if not head.strip():
        raise DataError(f"`{path}` is empty. Give a file with a header and rows.")
    if MARKUP.match(head):
        raise DataError(f"`{path}` is a web page or XML, not a table. Download the file itself, or save it as CSV.")
    kind = _kind(path)
    if kind == "delimited" and re.match(r'\s*(\{\s*"|\[\s*\{)', head):
        kind = "json"  # of a pipe, whose name says nothing
    if kind == "json" and not re.match(r"\s*(\{|\[\s*[{\]])", head):
        raise DataError(f'`{path}` does not hold JSON records. Each row must be one object, such as {{"x": 1}}.')
    return File(path, kind, packing, head.removeprefix("\ufeff"), whole, encoding)


def encoding_of(start: bytes, whole: bool) -> str:
    """Return the encoding of a text by its first bytes: UTF-8, UTF-16 or -32, or that of Western Windows.

    UTF-16 without its mark is known by its NUL bytes, in every other place and nowhere else. Of what is not UTF-8 only
    single letters and signs are Western for sure: é, °, µ. In a row they may be Chinese.

    >>> encoding_of("T (°C)".encode(), True), encoding_of("T (°C)".encode("latin-1"), True)
    ('utf-8', 'cp1252')
    """
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    first, second = (start[place::2].count(0) for place in (0, 1))
    if max(first, second) > len(start) / 4 and not min(first, second):
        return "utf-16-le" if second else "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start, final=whole)
    except UnicodeDecodeError:
        alone = not re.search(rb"[\x80-\xff]{2}", start)
        return "cp1252" if alone and not re.search(rb"[\x81\x8d\x8f\x90\x9d]", start) else "utf-8"
    return "utf-8"


def _kind(path: str) -> str:
    name = path.lower()
    for ending in PACKED_ENDINGS:
        name = name.removesuffix(ending)
    return "json" if name.endswith(JSON_ENDINGS) else "delimited"
