"""Writing files so that a kill at any moment leaves the old file or the new one, never half of one."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from descend.errors import OutputError


def refuse_unwritable(path: str | os.PathLike[str]) -> Path:
    """Return ``path`` if a file can be written there; called before any work starts.

    Raises OutputError if it cannot, leaving nothing behind.
    """
    target = Path(os.path.realpath(path))  # of a link, what it points to is replaced
    folder = target.parent
    try:
        there = target.exists()
    except OSError as error:
        raise _unwritable(path, error) from None
    if target.is_dir():
        raise OutputError(f"`{path}` is a folder, so no file can be written there. Give a file name inside it.")
    if there and not target.is_file():
        raise OutputError(f"`{path}` is a device or a pipe, not a file that could be replaced. Choose another place.")
    if not folder.exists():
        shown = Path(path).parent
        raise OutputError(f"`{path}` cannot be written: the folder `{shown}` does not exist. Create it first.")
    try:
        handle, trial = tempfile.mkstemp(prefix=f".{target.name[:40]}.", dir=folder)
    except OSError as error:
        raise _unwritable(path, error) from None
    os.close(handle)
    os.unlink(trial)
    return target


def _unwritable(path: str | os.PathLike[str], error: OSError) -> OutputError:
    return OutputError(f"`{path}` cannot be written: {(error.strerror or str(error)).lower()}. Choose another place.")


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success it replaces ``path`` in one step, on failure it goes.

    The temporary file keeps the suffix of ``path``, for writers that choose a format by it.
    """
    target = refuse_unwritable(path)
    handle, name = tempfile.mkstemp(prefix=f".{target.stem[:40]}.", suffix=target.suffix, dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def write_atomically(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Write text (UTF-8) or bytes to ``path`` in one step."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
