"""How much memory there is, and sizes as people write them."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import numpy as np

from descend.errors import ConfigError
from descend.wording import spell, using

UNITS = {"": 1, "b": 1}
UNITS |= {f"{prefix}b": 1000**power for power, prefix in enumerate("kmgt", 1)}
UNITS |= {f"{prefix}ib": 1024**power for power, prefix in enumerate("kmgt", 1)}
LEAST = 64 * 1024**2
"""A database with less memory than this cannot work."""
PROGRAM = 256 * 1024**2
"""Memory that Python and the libraries take, about."""


@contextmanager
def enough_memory() -> Iterator[None]:
    """Turn a MemoryError into a ConfigError that says what to do.

    >>> with enough_memory():
    ...     raise MemoryError("Unable to allocate 7.28 TiB")
    Traceback (most recent call last):
    descend.errors.ConfigError: There is too little memory: unable to allocate 7.28 TiB. Rows that need ...
    """
    try:
        yield
    except MemoryError as error:
        raise too_little(error) from None


def too_little(error: MemoryError) -> ConfigError:
    """Return the error for too little memory, with the option that helps."""
    memory_message = " ".join(str(error).split()).rstrip(".")
    detail = f": {memory_message[:1].lower()}{memory_message[1:]}" if memory_message else ""
    return ConfigError(f"There is too little memory{detail}. {how_to_need_less()}")


def how_to_need_less() -> str:
    """Say which options help where there is too little memory."""
    return (
        f"Rows that need more than a limit are left in their files and read in parts: give one, "
        f"{spell('memory_limit', '1GiB')}, or a smaller one than yours, or fewer "
        f"rows,{using('where')}."
    )


def read_size(text: str | int) -> int:
    """Return a size in bytes. Raises ConfigError for text that is not a size, or one too small to run anything in.

    >>> read_size("1GiB"), read_size("1.5 GB"), read_size(2**30)
    (1073741824, 1500000000, 1073741824)
    """
    size_match = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*([a-zA-Z]*)\s*", str(text))
    if isinstance(text, bool) or size_match is None or size_match[2].lower() not in UNITS:
        raise ConfigError(f"The memory limit must be a size such as `1GiB` or `500MB`; it is {text!r}.")
    size = int(min(float(size_match[1]) * UNITS[size_match[2].lower()], sys.maxsize))
    if size < LEAST:
        raise ConfigError(f"The memory limit {text} is too small to work in. Give at least 64MiB.")
    return size


def written(size: float) -> str:
    """Write a size in bytes.

    >>> written(2**30), written(3.2e9), written(2e7)
    ('1 GiB', '2.98 GiB', '19.1 MiB')
    """
    for unit, power in (("GiB", 3), ("MiB", 2), ("KiB", 1)):
        if size >= 1024**power:
            return f"{size / 1024**power:.3g} {unit}"
    return f"{size:.0f} bytes"


def there_is() -> int:
    """Return the memory of this machine, or of the container around this process, in bytes."""
    sizes = []
    if hasattr(os, "sysconf"):
        sizes.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    try:
        with open("/sys/fs/cgroup/memory.max", encoding="ascii") as file:
            sizes.append(int(file.read()))
    except (OSError, ValueError):
        pass
    return min(sizes, default=4 * 1024**3)


def of_database(limit: int) -> int:
    """Return how much of a limit on the whole process a database in it may take."""
    return max(limit - PROGRAM, limit // 4)


@lru_cache(maxsize=1)
def keep_memory() -> None:
    """Let the memory that one block of rows frees serve the next.

    The C library of Linux asks the system for each array above some size, and hands it back, so that every page has to
    be cleared anew: three times the work of the sums. The size is that of the largest such array ever freed, at most
    32 MiB; elsewhere this does nothing.
    """
    np.empty(31 << 20, dtype=np.uint8)
