"""Letters that the encoding of a terminal does not have: written otherwise, and told of."""

from __future__ import annotations

import codecs
import sys

from descend.cli.terminal import say

PLAIN = {"²": "^2", "χ": "chi", "−": "-", "–": "-", "…": "...", "×": "x", "±": "+-"}
"""What stands for our own letters; those of the user keep their code, so that they cannot be mistaken."""
MOST_NAMED = 5


class Letters:
    """Writes what an encoding has no letter for, and remembers which of the user's they were."""

    def __init__(self) -> None:
        self.missing: dict[str, str] = {}

    def replaced(self, error: UnicodeError) -> tuple[str, int]:
        """Return what stands for the letters at fault, and where to go on."""
        assert isinstance(error, UnicodeEncodeError)
        written = []
        for letter in error.object[error.start : error.end]:
            code = letter.encode("ascii", "backslashreplace").decode()
            written.append(PLAIN.get(letter, code))
            if letter not in PLAIN:
                self.missing.setdefault(letter, error.encoding)
        return "".join(written), error.end

    def watch(self) -> None:
        """Let nothing that is printed fail for want of a letter."""
        codecs.register_error("descend", self.replaced)
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="descend")

    def tell(self) -> None:
        """Say on stderr what was written by its code, if anything, and how to see it."""
        if not self.missing:
            return
        codes = [letter.encode("ascii", "backslashreplace").decode() for letter in self.missing]
        more = f" and {len(codes) - MOST_NAMED} more" if len(codes) > MOST_NAMED else ""
        encoding = next(iter(self.missing.values()))
        say(
            f"Note: the encoding of this terminal, {encoding}, lacks letters, written here by their codes: "
            f"{', '.join(codes[:MOST_NAMED])}{more}. To see them, set "
            "PYTHONIOENCODING=utf-8, or a UTF-8 locale such as LC_ALL=C.UTF-8.",
            file=sys.stderr,
        )
