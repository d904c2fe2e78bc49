"""Whether a zstd file is complete: DuckDB silently reads the missing part of a truncated one as nothing."""

from __future__ import annotations

import os
from typing import BinaryIO

FRAME = 0xFD2FB528
SKIPPABLE = range(0x184D2A50, 0x184D2A60)
RUN_LENGTH_BLOCK = 1


def complete(file: BinaryIO) -> bool:
    """Return whether the file is a series of whole frames, by stepping from block to block.

    Source: RFC 8878, section 3.1.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    while file.tell() < size:
        magic = _number(file, 4)
        if magic in SKIPPABLE:
            file.seek(_number(file, 4), os.SEEK_CUR)
        elif magic == FRAME:
            _skip_frame(file, size)
        else:
            return False
    return file.tell() == size


def _skip_frame(file: BinaryIO, size: int) -> None:
    descriptor = _number(file, 1)
    single_segment = descriptor >> 5 & 1
    window = 1 - single_segment
    dictionary = (0, 1, 2, 4)[descriptor & 3]
    content_size = (single_segment, 2, 4, 8)[descriptor >> 6]
    file.seek(window + dictionary + content_size, os.SEEK_CUR)
    last = 0
    while not last and file.tell() < size:
        block = _number(file, 3)
        last = block & 1
        file.seek(1 if block >> 1 & 3 == RUN_LENGTH_BLOCK else block >> 3, os.SEEK_CUR)
    # Without its last block a frame does not end here: step past the end of the file to say so.
    checksum = 4 if descriptor >> 2 & 1 else 0
    file.seek(checksum if last else size + 1, os.SEEK_CUR)


def _number(file: BinaryIO, width: int) -> int:
    return int.from_bytes(file.read(width), "little")
