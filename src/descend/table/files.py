"""From the paths a user typed to readable files: which there are, and of what kind, judging by their first bytes."""

from __future__ import annotations

import codecs
import glob
import gzip
import os
import re
import shutil
import stat
import sys
import tempfile
import weakref
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from descend.errors import DataError
from descend.registry import closest
from descend.wording import worded

STANDARD_INPUT = "-"
HEAD_BYTES = 1 << 16
LONGEST_LINE = 1 << 26
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
PACKED_ENDINGS = (".gz", ".zst")
MODEL = re.compile(r'\s*\{\s*"descend":\s*"[^"]*",\s*"format":')
"""How a model file begins."""
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
    """What a first look at a file found.

    kind: ``delimited``, ``json`` or ``parquet``.
    packing: ``gzip``, ``zstd`` or an empty string.
    head: the first lines of a text file, unless it is packed by zstd.
    complete: whether ``head`` is all of it.
    encoding: of a text file.
    place: where it can be read, if that is a copy. copies: keeps that copy from being removed.
    """

    path: str
    kind: str
    packing: str = ""
    head: str = ""
    complete: bool = False
    encoding: str = "utf-8"
    place: str = ""
    copies: object = None

    @property
    def words(self) -> str:
        """The kind in words."""
        kind = {"delimited": "delimited text", "json": "JSON", "parquet": "Parquet"}[self.kind]
        return f"{kind} packed by {self.packing}" if self.packing else kind


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
        file_url = self.place()
        with open(file_url, "wb") as copy:
            shutil.copyfileobj(stream, copy, 1 << 20)
        return file_url


def find_files(paths_given: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> tuple[list[File], str]:
    """Return the files, all of one kind, that a path, a pattern or a list of them names, and words for them.

    Delimited text, JSON and Parquet are told apart by what the files hold, JSON also by its ending;
    gzip and zstd are unpacked. Raises DataError if a file is missing, is not one of these, or has no columns.
    """
    paths, source = named_files(paths_given)
    files = [_inspected(path) for path in paths]
    first = files[0]
    for other_file in files[1:]:
        if (other_file.kind, other_file.packing) != (first.kind, first.packing):
            raise DataError(
                f"`{first.path}` and `{other_file.path}` are of different kinds, {first.words} and {other_file.words}. "
                "Give files of one kind."
            )
    return files, source


def _inspected(path: str) -> File:
    """Look at the start of a file; standard input and pipes, which can be read only once, are copied first."""
    if path == STANDARD_INPUT:
        if sys.stdin is None or sys.stdin.isatty():
            raise DataError(
                "The data are to come from standard input, but nothing is sent there. Write `descend fit ... - < FILE`."
            )
        return _copied("standard input", sys.stdin.buffer)
    try:
        mode = os.stat(path).st_mode
        if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode)):
            return inspect(path)
        with open(path, "rb") as stream:
            return _copied(path, stream)
    except OSError as error:
        raise _unreadable(path, error) from None


def _copied(path: str, stream: BinaryIO) -> File:
    copies = Copies()
    return replace(inspect(path, copies.of_stream(stream)), copies=copies)


def _unreadable(path: str, error: OSError) -> DataError:
    system_message = (error.strerror or str(error)).lower()
    return DataError(f"`{path}` cannot be read: {system_message}. Check the file and your permissions.")


def inspect(path: str, file_path: str = "") -> File:
    """Look at the start of a file. Raises DataError if it is empty, cannot be read, or holds no table.

    file_path: where it can be read, if that is a copy.
    """
    try:
        with open(file_path or path, "rb") as file:
            return replace(_judged(path, file), place=file_path or path)
    except OSError as error:
        raise _unreadable(path, error) from None


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
        from descend.table.zstandard import complete

        if not complete(file):
            raise DataError(f"`{path}` is cut short: its last block is missing. Write it again.")
        return File(path, _kind(path), "zstd")
    file.seek(0)
    if not start.startswith(GZIP):
        return _text(path, file, "")
    try:
        with gzip.open(file) as unpacked:
            return _text(path, unpacked, "gzip")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        system_message = str(error)[:1].lower() + str(error)[1:]
        raise DataError(f"`{path}` cannot be read: {system_message}. It may be damaged: write it again.") from None


def _text(path: str, file: BinaryIO | gzip.GzipFile, packing: str) -> File:
    start = file.read(HEAD_BYTES)
    complete = len(start) < HEAD_BYTES
    if not complete:
        start += file.readline(LONGEST_LINE)
    encoding = encoding_of(start, complete)
    if b"\0" in start and not encoding.startswith(WIDE):
        advice = worded("saving", "Save it as CSV, Parquet or JSON.")
        raise DataError(f"`{path}` is not text: it holds NUL bytes, as binary files do. {advice}")
    try:
        head = codecs.getincrementaldecoder(encoding)().decode(start, final=complete)
    except UnicodeDecodeError as error:
        line = start.count(b"\n", 0, error.start) + 1
        raise not_utf8(f"`{path}`", f"byte 0x{start[error.start]:02X} in line {line}") from None
    if not head.strip():
        raise DataError(f"`{path}` is empty. Give a file with a header and rows.")
    if MARKUP.match(head):
        raise DataError(f"`{path}` is a web page or XML, not a table. Download the file itself, or save it as CSV.")
    if MODEL.match(head):
        raise DataError(
            f"`{path}` is a model file, as a fit is saved, not a table. Give the table of data here; a model file "
            "stands where a model is asked for, as in `descend predict line.json new.csv`."
        )
    kind = _kind(path)
    if kind == "delimited" and re.match(r'\s*(\{\s*"|\[\s*\{)', head):
        kind = "json"  # of a pipe, whose name says nothing
    if kind == "json" and not re.match(r"\s*(\{|\[\s*[{\]])", head):
        raise DataError(f'`{path}` does not hold JSON records. Each row must be one object, such as {{"x": 1}}.')
    return File(path, kind, packing, head.removeprefix("\ufeff"), complete, encoding)


def not_utf8(source: str, file_path: str) -> DataError:
    """Return the error for text in another encoding, with a command that converts it."""
    how = worded("recoding", "; if it is Latin-1, `iconv -f LATIN1 -t UTF-8 FILE > NEW` does so.")
    return DataError(f"{source} is not UTF-8 text: {file_path} cannot be read. Save it as UTF-8{how}")


def encoding_of(start: bytes, complete: bool) -> str:
    """Return the encoding of a text by its first bytes: UTF-8, UTF-16 or -32, or that of Western Windows.

    UTF-16 without its mark is known by NUL bytes in every other place and nowhere else. In text that is not UTF-8 only
    single letters and signs are surely Western: é, °, µ. Several in a row may be Chinese.

    >>> encoding_of("T (°C)".encode(), True), encoding_of("T (°C)".encode("latin-1"), True)
    ('utf-8', 'cp1252')
    """
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    first, second = (start[parity::2].count(0) for parity in (0, 1))
    if max(first, second) > len(start) / 4 and not min(first, second):
        return "utf-16-le" if second else "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start, final=complete)
    except UnicodeDecodeError:
        alone = not re.search(rb"[\x80-\xff]{2}", start)
        return "cp1252" if alone and not re.search(rb"[\x81\x8d\x8f\x90\x9d]", start) else "utf-8"
    return "utf-8"


def _kind(path: str) -> str:
    name = path.lower()
    for ending in PACKED_ENDINGS:
        name = name.removesuffix(ending)
    return "json" if name.endswith(JSON_ENDINGS) else "delimited"


def named_files(paths_given: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> tuple[list[str], str]:
    """Return the paths that were named, each once, and words for them."""
    if isinstance(paths_given, (str, os.PathLike)):
        text = _path_of(paths_given)
        if text == STANDARD_INPUT:
            return [text], "standard input"
        paths = _matching(text)
        source = text if paths == [text] else f"{len(paths)} files matching {text}" if len(paths) > 1 else paths[0]
        return paths, source
    texts = [_path_of(path_given) for path_given in paths_given]
    paths = list(dict.fromkeys(path for text in texts for path in _matching(text)))
    if not paths:
        raise DataError("The list of files is empty. Give at least one file.")
    other_files = f"{len(paths) - 1} more files" if len(paths) > 2 else paths[-1]
    return paths, paths[0] if len(paths) == 1 else f"{paths[0]} and {other_files}"


def _matching(text: str) -> list[str]:
    """Return the file of this name, else those that match it as a pattern."""
    home = os.path.expanduser(text)
    for path in (text, home):
        if os.path.isdir(path):
            unquoted = (
                " A shell reads ~ as this folder: put a formula in quotes." if path == os.path.expanduser("~") else ""
            )
            raise DataError(
                f"`{path}` is a folder. Give a file in it, or a pattern such as `{path.rstrip('/')}/*.csv`.{unquoted}"
            )
        if os.path.lexists(path):
            return [_openable(path)]
    _refuse_formula(text)
    if "://" in text:
        raise DataError(f"`{text}` is a web address. Download the file, then give its path.")
    if not glob.has_magic(text):
        raise _missing(home)
    paths = sorted(path for path in glob.glob(home, recursive=True) if not os.path.isdir(path))
    if not paths:
        raise DataError(f"No file matches `{text}`. Check the pattern and the folder it starts from.")
    return [_openable(path) for path in paths]


def _refuse_formula(text: str) -> None:
    """Refuse a text that reads as a formula, as where model and data were exchanged."""
    if re.search(r"[\w)`\]]\s*~(?!\d+[./\\]|\d+$)\s*\S", text) and re.search(r"\s~|~\s|[*(^+]", text):
        raise DataError(f"`{text}` is a formula, not a file of data. The formula comes first, then the data.")


def _openable(path: str) -> str:
    # DuckDB escapes the signs of a pattern only without a backslash beside them, which it takes for a folder separator.
    if os.sep == "/" and "\\" in path and glob.has_magic(path):
        raise DataError(
            f"The name of `{path}` has a backslash and one of *, ? and [, and cannot be read. Rename the file."
        )
    return path


def _missing(path: str) -> DataError:
    folder, name = os.path.split(path)
    try:
        file_names = os.listdir(folder or ".")
    except OSError:
        return DataError(f"There is no file `{path}`: its folder `{folder}` cannot be found. Check the path.")
    return DataError(f"There is no file `{path}`.{closest(name, file_names) or ' Check the path.'}")


def _path_of(path: object) -> str:
    if not isinstance(path, (str, os.PathLike)):
        raise DataError(f"A list of files must hold paths, but it holds {path!r}. Give each file as text.")
    text = os.fsdecode(path)
    if not text or "\0" in text:
        raise DataError("The path of the file is empty or has a NUL character. Give the path of a file.")
    return text
