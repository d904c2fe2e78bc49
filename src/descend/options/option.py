"""The definition of an option, in one place: every interface writes, reads and checks it from here."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from descend.options.checks import Check, anything
from descend.wording import flag

Form = Literal["", "text", "texts", "values", "whole", "number", "number or text", "switch"]
"""The form of an option in a command: a text, several texts, ``name=value`` pairs, a whole number, a number, a number
where the text is one, or only its flag. If empty, the type of the default says it."""
FORMS: Mapping[type, Form] = {bool: "switch", int: "whole", float: "number"}
"""The forms of options whose defaults are of these types, where nothing else is said."""


Naming = Literal["", "names", "keys", "arguments"]
"""Where the value of an option names columns: nowhere; anywhere; before the signs of equality; in brackets."""
Values = Mapping[str, Any]
"""Values of options, by key."""


@dataclass(frozen=True, eq=False, repr=False)
class Option:
    """One option.

    key: its name in Python, and in messages. default: its value if the user gives none. help: one sentence, for the
        command line's ``--help``; empty if the command line does not have the option.
    form: its form in a command: if not given, a number of the kind of the default, a flag where that is False or True,
        else a text. metavar: stands for the value in the help. flag: its name on the command line, if not
        the key; short: a one-letter name besides.
    check: raises ConfigError for a wrong value; it is never called with None, which means not given.
    identity: the name in a checkpoint of a property that the option decides and that has to be the same for a run to be
        resumed; empty if the option does not affect the trajectory.
    repeat: whether the command that repeats a fit needs it: not if it only says what is shown, or where a run is kept.
    label: the label of its control in the web lab, in English and Chinese; None if the lab has no such control.
    alone: its value on the command line where its flag stands alone; empty if it takes a value always.
    synonyms: what other programs call it, on the command line.
    lacking: why a module cannot have it and what to do instead, in sentences; empty if it can.
    range_tested: whether a learning-rate range test takes it, which makes single steps of one problem.
    steers: whether it says how steps are taken: where nobody does, a start may be improved on samples of many rows.
    needed: whether None is an error rather than the default.
    measured: whether its values may have units.
    inherited: whether a fit like an earlier one takes it over, on other rows and from where that ended.
    often: whether it stands among the options that are used most. subject: the heading that it stands under else.
    naming: where its value names columns, which then may be called without their unit (see `full_names`).
    needs_rows: whether a fit with it looks at single rows, or at more of them than their moments tell.
    together: whether all groups of `by` may be fitted in one descent where it is given; if not, each is fitted by
        itself, which honours every option. If None, the class that the option stands in says so.
    """

    key: str
    default: object = None
    help: str = ""
    form: Form = ""
    metavar: str | None = None
    flag: str = ""
    short: str = ""
    check: Check = anything
    identity: str = ""
    repeat: bool = True
    label: tuple[str, str] | None = None
    alone: str = ""
    naming: Naming = ""
    needs_rows: bool = False
    together: bool | None = None
    synonyms: str = ""
    lacking: str = ""
    range_tested: bool = True
    steers: bool = False
    needed: bool = False
    measured: bool = False
    inherited: bool = True
    often: bool = False
    subject: str = "What is shown, and where it goes"

    def __post_init__(self) -> None:
        if not self.form:
            object.__setattr__(self, "form", FORMS.get(type(self.default), "text"))

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

    @property
    def switched_off(self) -> str:
        """What the command line has for False, of a switch that is on where nobody says otherwise."""
        return f"--no-{self.spelled.removeprefix('--')}"


def option(default: Any, help: str = "", /, form: Form = "text", check: Check = anything, **more: Any) -> Any:
    """Return a dataclass field for an option; ``more`` are further arguments of `Option`."""
    stated = {"default": default, "help": help, "form": form, "check": check, **more}
    return dataclasses.field(default=default, metadata={"option": stated})


def options_of(request: type) -> dict[str, Option]:
    """Return the options among the fields of a dataclass, by key, with the subject of the class they stand in."""
    class_of = {key: vars(each) for each in reversed(request.__mro__) for key in vars(each).get("__annotations__", ())}
    return {
        field.name: Option(
            field.name,
            **{"together": class_of[field.name]["together"], **field.metadata["option"]},
            subject=class_of[field.name]["subject"],
        )
        for field in dataclasses.fields(request)
        if "option" in field.metadata
    }
