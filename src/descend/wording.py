"""How messages name options: by their keys, which each interface spells in its own way.

A message is written where the facts are known, and it may be read in Python, on the command line or on the page of the
lab. What differs between them stands here as a function: `spell` names an option, `using` adds what sets it, `worded`
is a phrase that another interface may put otherwise. As long as none speaks, options are spelled as Python has them.

>>> f"Use {spell('learning_rate', 0.05)}, or {spell('learning_rate', 'auto')}."
'Use learning_rate=0.05, or learning_rate="auto".'
>>> with speaking(COMMAND_LINE):
...     print(f"Use {spell('learning_rate', 0.05)}; give starting values{using('start', {'w': 1})}{using('where')}.")
Use --learning-rate 0.05; give starting values with --start w=1 with --where.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

FLAGS: dict[str, str] = {}
"""The flags of options that are not called as their keys are: each option brings its own."""
Value = str | float | bool | Mapping[str, object]
"""What an option is set to: True of a switch; nothing, if it is an empty text."""


class Wording:
    """The words of Python.

    >>> Wording().spell("start", {"w": 1.0}), Wording().spell("resume", True), Wording().spell("by", "")
    ('start={"w": 1}', 'resume=True', '`by`')
    """

    def spell(self, key: str, value: Value) -> str:
        """Name an option, set to a value unless that is an empty text."""
        return f"`{key}`" if value == "" else f"{key}={_literal(value)}"

    def using(self, key: str, value: Value) -> str:
        """Say after a verb with which option it is done."""
        return f" with {self.spell(key, value)}"

    def worded(self, name: str, text: str, values: dict[str, object]) -> str:
        """Return a phrase by its name: the text, unless this interface puts it otherwise, with the same values."""
        return text


COMMANDS = {
    "saved": "Give a file that `descend fit --save` wrote",
    "more": "see --json",
    "registering": "Name the module or file that registers it in DESCEND_IMPORT, as in DESCEND_IMPORT=mine.py, and run "
    "the command again",
    "column_range": "--column {name}=0:10:0.1",
    "naming_function": "Name it: --model FILE.py:{name}",
    "giving_function": "Give that one: --model FILE.py:{name}",
}
"""Phrases that the command line puts in its own way."""


class OnCommandLine(Wording):
    """The words of the command line.

    >>> COMMAND_LINE.spell("where", "x > 0"), COMMAND_LINE.spell("resume", True)
    ('--where "x > 0"', '--resume')
    """

    def spell(self, key: str, value: Value) -> str:
        """Name an option by its flag."""
        return flag(key) if value is True else f"{flag(key)} {_word(value)}".rstrip()

    def worded(self, name: str, text: str, values: dict[str, object]) -> str:
        """Return the phrase of the command line, if it has one of its own."""
        return COMMANDS[name].format(**values) if name in COMMANDS else text


COMMAND_LINE = OnCommandLine()
SPEAKING: ContextVar[Wording] = ContextVar("SPEAKING", default=Wording())  # noqa: B039 - it has no state


def _literal(value: object) -> str:
    """Write a value in Python."""
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(name)}: {_literal(each)}" for name, each in value.items()) + "}"
    if not isinstance(value, str):
        return repr(value)
    try:
        float(value)
    except ValueError:
        return f"'{value}'" if '"' in value and "'" not in value else json.dumps(value, ensure_ascii=False)
    return value


def _word(value: Value) -> str:
    """Write a value as a word of a command: in quotes, where a shell would read more into it."""
    if isinstance(value, Mapping):
        value = ",".join(
            f"{name}={each:g}" if isinstance(each, float) else f"{name}={each}" for name, each in value.items()
        )
    text = f"{value:g}" if isinstance(value, float) else str(value)
    if not re.search(r"[^\w@%+=:,./\-\[\]]", text):
        return text
    return f"'{text}'" if re.search(r'["$`\\]', text) else f'"{text}"'


def command_line(words: Sequence[str], windows: bool = os.name == "nt") -> str:
    """Return words as a line for the shell, of Windows or of all others.

    >>> print(command_line(["descend", "fit", "y ~ a*x", "C:\\\\my data\\\\new.csv", "--bound", "a>0"], windows=True))
    descend fit "y ~ a*x" "C:\\my data\\new.csv" --bound "a>0"
    """
    if not windows:
        return shlex.join(words)
    plain = re.compile(r"[\w@+=:,./\\\-\[\]]+")
    return " ".join(word if plain.fullmatch(word) else '"' + word.replace('"', '\\"') + '"' for word in words)


def flag(key: str) -> str:
    """Return the flag of an option on the command line."""
    return FLAGS.get(key) or f"--{key.replace('_', '-')}"


def spell(key: str, value: Value = "") -> str:
    """Name an option in the words of the interface that speaks."""
    return SPEAKING.get().spell(key, value)


def using(key: str, value: Value = "") -> str:
    """Say after a verb with which option it is done; begins with a blank, unless there is nothing to say."""
    return SPEAKING.get().using(key, value)


def worded(name: str, text: str, /, **values: object) -> str:
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
