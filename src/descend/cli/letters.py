"""Characters that the encoding of a terminal lacks: replaced, and reported."""

from __future__ import annotations

import codecs
import sys

from descend.cli.terminal import say

PLAIN = {"²": "^2", "χ": "chi", "−": "-", "–": "-", "…": "...", "×": "x", "±": "+-"}
"""Replacements of our own characters; those of the user are written as codes, so that none can be mistaken."""
MOST_NAMED = 5


class Letters:
    """Writes characters that an encoding lacks otherwise, and remembers which of the user's they were."""

    def __init__(self) -> None:
        self.missing: dict[str, str] = {}

    def replaced(self, error: UnicodeError) -> tuple[str, int]:
        """Return the replacement of the characters at fault, and where to go on (a codec error handler)."""
        assert isinstance(error, UnicodeEncodeError)
        letters_written = []
        for letter in error.object[error.start : error.end]:
            code = letter.encode("ascii", "backslashreplace").decode()
            letters_written.append(PLAIN.get(letter, code))
            if letter not in PLAIN:
                self.missing.setdefault(letter, error.encoding)
        return "".join(letters_written), error.end

    def watch(self) -> None:
        """Prevent printing from failing because a character is missing from the encoding."""
        codecs.register_error("descend", self.replaced)
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="descend")

    def tell(self) -> None:
        """Say on stderr which characters were written as codes, if any, and how to see them."""
        if not self.missing:
            return
        codes = [letter.encode("ascii", "backslashreplace").decode() for letter in self.missing]
        codes_left = f" and {len(codes) - MOST_NAMED} more" if len(codes) > MOST_NAMED else ""
        encoding = next(iter(self.missing.values()))
        say(
            f"Note: the encoding of this terminal, {encoding}, lacks letters, written here by their codes: "
            f"{', '.join(codes[:MOST_NAMED])}{codes_left}. To see them, set "
            "PYTHONIOENCODING=utf-8, or a UTF-8 locale such as LC_ALL=C.UTF-8.",
            file=sys.stderr,
        )
