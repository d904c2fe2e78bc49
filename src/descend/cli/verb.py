"""The verbs, and how each reads its words and shows its help."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from importlib import import_module
from typing import Any, Protocol

import typer
from typer.core import TyperCommand, TyperGroup

from descend.errors import ConfigError
from descend.options.option import Option
from descend.options.request import OPTIONS

IN_ORDER = "fit predict invert design plot compare curves derive explain range-test check doctor export generate lab"
VERBS = IN_ORDER.split()
"""Each is the function of its name, in the file of its name."""
MOST_USED = "Most used"
MANY = 30
"""From so many options on, help has them by subject."""
VALUE = re.compile(r"[a-z]+(\(.*\))?|[-+.\de]+%?", re.IGNORECASE)
"""What the value of an option is that may stand alone: a word or a number, not a formula or a file."""


class Sections(Protocol):
    """What help is written into."""

    def section(self, name: str, /) -> AbstractContextManager[None]: ...

    def write_dl(self, rows: Sequence[tuple[str, str]], /) -> None: ...


class Verb(TyperCommand):
    """A command whose help lists the known losses, optimizers and schedules, looked up only when it is shown."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give a flag that stands alone its value."""
        return super().parse_args(ctx, with_values(joined(args)))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help, with the registered names in place of ``{losses}`` and the like."""
        for parameter in self.params:
            text = getattr(parameter, "help", None)
            if text and "{" in text:
                parameter.help = text.format_map(_registered())  # type: ignore[attr-defined]
        super().format_help(ctx, formatter)

    def format_options(self, ctx: Any, formatter: Sections) -> None:
        """Write the arguments, and the options: where they are many, by subject, those that are used most first."""
        few = len(self.params) < MANY
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options" if few else MOST_USED: []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            panel = "Options" if few else getattr(parameter, "rich_help_panel", None) or Option.subject
            if record is not None:
                section = "Arguments" if parameter.param_type_name == "argument" else panel
                sections.setdefault(section, []).append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


class Verbs(TyperGroup):
    """All verbs; a file is read when its verb is called, or listed in the help."""

    def __init__(self, **attributes: object) -> None:
        super().__init__(**attributes)  # type: ignore[arg-type]
        self.commands = Commands()  # type: ignore[assignment]


class Commands(Mapping[str, TyperCommand]):
    """The command of each verb."""

    def __getitem__(self, name: str) -> TyperCommand:
        if name not in VERBS:
            raise KeyError(name)
        return _command(name)

    def __iter__(self) -> Iterator[str]:
        return iter(VERBS)

    def __len__(self) -> int:
        return len(VERBS)


@cache
def _command(name: str) -> TyperCommand:
    place = name.replace("-", "_")
    verb = getattr(import_module(f"descend.cli.{place}"), place)
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command(name, cls=Verb, short_help=(verb.__doc__ or "").partition(":")[0].partition(".")[0])(verb)
    command = typer.main.get_command(alone)
    assert isinstance(command, TyperCommand)
    return command


def joined(words: Sequence[str]) -> list[str]:
    """Return the words of a command with what is said by response in several options in one.

    >>> joined(["fit", "--sigma", "y=s", "--sigma=z=0.1", "--json"])
    ['fit', '--json', '--sigma', 'y=s,z=0.1']
    """
    words_joined = list(words)
    for key in ("sigma", "weights"):
        flag = OPTIONS[key].spelled
        values, left, waiting = [], list[str](), iter(words_joined)
        for word in waiting:
            if word == flag:
                values.append(next(waiting, ""))
            elif word.startswith(f"{flag}="):
                values.append(word.removeprefix(f"{flag}="))
            else:
                left.append(word)
        if len(values) < 2:
            continue
        if not all("=" in value for value in values):
            raise ConfigError(f"`{flag}` is given twice, as {values[0]} and {values[1]}. Give it once.")
        words_joined = [*left, flag, ",".join(values)]
    return words_joined


def with_values(words: Sequence[str]) -> list[str]:
    """Return the words of a command with a value behind each flag that may stand alone, if it does."""
    alone = {option.spelled: option.alone for option in OPTIONS.values() if option.alone}
    words_with_values: list[str] = []
    for word, following in zip(words, [*words, ""][1:], strict=True):
        bare = word in alone and (not VALUE.fullmatch(following) or os.path.exists(following))
        words_with_values += [word, alone[word]] if bare else [word]
    return words_with_values


def _registered() -> dict[str, str]:
    from descend.losses import LOSSES
    from descend.optimizers import OPTIMIZERS, SCHEDULES

    return {"losses": ", ".join(LOSSES), "optimizers": ", ".join(OPTIMIZERS), "schedules": ", ".join(SCHEDULES)}
