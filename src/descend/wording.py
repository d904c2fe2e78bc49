"""How messages name options: by their keys, which each interface spells in its own way.

A message is written where the facts are known, and it may be read on the command line or on the page of the lab. What
differs between them stands here as a function: `spell` names an option, `using` adds what sets it, `worded` is a
phrase that another interface may put otherwise. As long as none speaks, options are spelled as the command line has
them.

>>> f"Use {spell('learning_rate', 0.05)}, or {spell('learning_rate', 'auto')}."
'Use --learning-rate 0.05, or --learning-rate auto.'
>>> f"Give other starting values{using('start')}."
'Give other starting values with --start.'
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

FLAGS: dict[str, str] = {}
"""The flags of options that are not called as their keys are: each option brings its own."""


class Wording:
    """The words of the command line."""

    def spell(self, key: str, value: str) -> str:
        """Name an option, set to a value unless that is empty."""
        return f"{flag(key)} {value}".rstrip()

    def using(self, key: str, value: str) -> str:
        """Say after a verb with which option it is done."""
        return f" with {self.spell(key, value)}"

    def worded(self, name: str, text: str, values: dict[str, object]) -> str:
        """Return a phrase by its name: the text, unless this interface puts it otherwise, with the same values."""
        return text


SPEAKING: ContextVar[Wording] = ContextVar("SPEAKING", default=Wording())  # noqa: B039 - it has no state


def flag(key: str) -> str:
    """Return the flag of an option on the command line."""
    return FLAGS.get(key) or f"--{key.replace('_', '-')}"


def spell(key: str, value: object = "") -> str:
    """Name an option in the words of the interface that speaks."""
    return SPEAKING.get().spell(key, str(value))


def using(key: str, value: object = "") -> str:
    """Say after a verb with which option it is done; begins with a blank, unless there is nothing to say."""
    return SPEAKING.get().using(key, str(value))


def worded(name: str, text: str, **values: object) -> str:
    """Return a phrase, or what the interface that speaks says in its place."""
    return SPEAKING.get().worded(name, text, values)


@contextmanager
def speaking(wording: Wording) -> Iterator[None]:
    """Let messages that are made inside be in these words."""
    before = SPEAKING.set(wording)
    try:
        yield
    finally:
        SPEAKING.reset(before)
