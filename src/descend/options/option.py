"""What is known of an option, once: every interface spells it, reads it and checks it from here."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from descend.options.checks import Check, anything
from descend.wording import flag

Form = Literal["text", "texts", "values", "whole", "number", "switch"]
"""How an option is written in a command: as a text, several texts, ``name=value`` pairs, a whole number, a number, or
by its flag alone."""


Values = Mapping[str, Any]
"""Values of options, by key."""


@dataclass(frozen=True)
class Option:
    """One option.

    key: its name in Python, and in messages. default: its value where nobody gives it. help: one sentence, as the
        command line's ``--help`` says it; empty where it has no such option.
    form: how a command writes it. metavar: what stands for the value in the help. flag: the command line's name for
        it, where that is not the key; short: one letter more.
    check: refuses values that cannot be; None, not given, is never checked.
    identity: what a checkpoint calls the property of a run that the option decides, and that has to be the same for the
        run to be resumed; empty if the trajectory does not depend on the option.
    repeat: whether the command that repeats a fit needs it; not so of what only says where a run is shown or kept.
    label: what the web lab calls its control, in English and Chinese; None where the lab has none for it.
    """

    key: str
    default: object = None
    help: str = ""
    form: Form = "text"
    metavar: str | None = None
    flag: str = ""
    short: str = ""
    check: Check = anything
    identity: str = ""
    repeat: bool = True
    label: tuple[str, str] | None = None

    @property
    def on_command_line(self) -> bool:
        """Whether the command line has it."""
        return bool(self.help)

    @property
    def spelled(self) -> str:
        """Its name on the command line.

        >>> Option("learning_rate", help="...").spelled, Option("ties", help="...", flag="--tie").spelled
        ('--learning-rate', '--tie')
        """
        return self.flag or flag(self.key)

    def same_as_default(self, value: object) -> bool:
        """Whether a value says nothing that the default does not."""
        if value is self.default or (type(value) in (dict, list, tuple) and not value):
            return True
        return type(value) in (str, int, float, bool) and value == self.default


def option(default: Any, help: str = "", /, form: Form = "text", check: Check = anything, **more: Any) -> Any:
    """Return the field of a dataclass that is an option; ``more`` as in `Option`."""
    known = Option("", default, help, form, check=check, **more)
    return dataclasses.field(default=default, metadata={"option": known})


def options_of(request: type) -> dict[str, Option]:
    """Return the options that are the fields of a dataclass, by key."""
    return {
        field.name: dataclasses.replace(field.metadata["option"], key=field.name)
        for field in dataclasses.fields(request)
        if "option" in field.metadata
    }
