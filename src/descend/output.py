"""Writing files so that a kill at any moment leaves the old file or the new one, never half of one."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from descend.errors import OutputError


def refuse_unwritable(path: str | os.PathLike[str]) -> Path:
    """Return where a file named ``path`` will lie, if one can be written there; called before any work starts.

    Raises OutputError if it cannot, leaving nothing behind.
    """
    shown = Path(path)
    try:
        target = Path(os.path.realpath(shown))  # a link stays a link; the file it leads to is written
        folder = target.parent
        if target.is_symlink():
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        if target.is_dir():
            raise OutputError(f"`{shown}` is a folder, so no file can be written there. Give a file name inside it.")
        if not folder.exists():
            raise OutputError(
                f"`{shown}` cannot be written: the folder `{shown.parent}` does not exist. Create it first."
            )
        if target.exists():
            if not target.is_file():
                raise OutputError(f"`{shown}` cannot be written: it is not a file but a device. Choose another place.")
            if not os.access(target, os.W_OK):
                raise OutputError(f"`{shown}` cannot be written: the file is read-only. Choose another place.")
        _create_beside(target).unlink()
    except (OSError, ValueError) as error:
        raise OutputError(_refusal(shown, error)) from None
    return target


def _refusal(shown: Path, error: Exception) -> str:
    reason = getattr(error, "strerror", None) or str(error)
    held = isinstance(error, PermissionError) and shown.is_file()  # on Windows, where another program reads it
    choose = "Close what has it open, or choose another place." if held else "Choose another place."
    return f"`{shown}` cannot be written: {reason[:1].lower()}{reason[1:]}. {choose}"


def _create_beside(target: Path) -> Path:
    """Create an empty file in the same folder, with the same suffix and a name that nobody else has."""
    with contextlib.suppress(FileNotFoundError):
        os.lstat(target)  # a name that is too long fails here, not after hours of work
    temporary = target.with_name(f".descend-{os.urandom(8).hex()}{target.suffix[:20]}")
    temporary.open("xb").close()
    return temporary


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success it replaces ``path`` in one step, on failure it goes.

    The temporary file keeps the suffix of ``path``, for writers that choose a format by it. Raises OutputError if it
    cannot be written, as where the disk is full.
    """
    target = refuse_unwritable(path)
    temporary = _create_beside(target)
    try:
        yield temporary
        with temporary.open("r+b") as written:  # Windows flushes only what may be written
            os.fsync(written.fileno())
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o777)
        temporary.replace(target)
    except OSError as error:
        raise OutputError(_refusal(Path(path), error)) from None
    finally:
        temporary.unlink(missing_ok=True)


def write_atomically(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Write text (UTF-8) or bytes to ``path`` in one step. Raises OutputError if the disk is full."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
