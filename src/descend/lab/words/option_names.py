"""What messages call options: by the label of their control on the page, or else as on the command line."""

from __future__ import annotations

from functools import lru_cache

from descend.lab.state import MOST_EPOCHS
from descend.lab.words.texts import Words, words
from descend.wording import OnCommandLine, Value

CONTROLS = {
    "learning_rate": ("learning rate", "a learning rate of {value}"),
    "batch_size": ("batch size", "batches of {value} rows"),
    "epochs": ("epochs", "{value} epochs"),
    "validation": ("“rows held out”", "{value} as “rows held out”"),
}
"""Names of the options that have a control: alone, and set to a value."""
BOXES = ("trials", "dispersion")
"""Options that are called by the label of their box."""
EVIDENT = {"start": "", "where": " of the file"}
"""Words after a verb for options that need no name: the page has the start, and no condition on the rows."""
PHRASES = {
    "larger_rate": "the larger learning rate {rate}",
    "going_on": "use fewer epochs, larger batches, or the command line",
    "searching": ", such as a click elsewhere on the surface",
    "taken_for_column": "give it a name that is less like that of the column",
    "fixing": "write a number in place of {them} in the formula: {values}",
    "leaving_out": " of the file",
    "keeping": " of the file: keep those where `{conditions}`",
    "recoding": ", in a spreadsheet as “CSV UTF-8”.",
    "saving": "Save it as CSV.",
}


class OnThePage(OnCommandLine):
    """The words of the page, in one of its languages.

    >>> from descend.lab.words.texts import words
    >>> from descend.wording import speaking, spell, using
    >>> with speaking(OnThePage(words("en"))):
    ...     print(f"Use {spell('learning_rate', 0.05)}, or {spell('learning_rate', 'auto')}.")
    ...     print(f"Give more rows, or add a penalty{using('l2')}.")
    Use a learning rate of 0.05, or “choose for me”.
    Give more rows, or add a penalty with the command line's `--l2`.
    """

    def __init__(self, say: Words) -> None:
        self.say = say

    def spell(self, key: str, value: Value) -> str:
        """Return the name of a control, or of a command-line option if the page has no control for it."""
        if key in BOXES:
            return f"{value} as “{self.say.label(key)}”" if value else f"“{self.say.label(key)}”"
        if key not in CONTROLS:
            return f"the command line's `{super().spell(key, value)}`"
        if value == "auto":
            return f"“{self.say('auto')}”"
        alone, with_value = CONTROLS[key]
        if key == "epochs" and value and int(str(value)) > MOST_EPOCHS:
            with_value += f" (the lab runs {MOST_EPOCHS:,} at most)"
        return with_value.format(value=f"{int(str(value)):,}" if key == "epochs" else value) if value else alone

    def using(self, key: str, value: Value) -> str:
        """Return the words that say how to do something, such as "with ..."; none if that is evident."""
        return EVIDENT[key] if key in EVIDENT else super().using(key, value)

    def worded(self, name: str, text: str, values: dict[str, object]) -> str:
        """Return the page's own phrase, if it has one."""
        return PHRASES[name].format(**values) if name in PHRASES else super().worded(name, text, values)


@lru_cache
def on_the_page(language: str) -> OnThePage:
    """Return the wording in a language: always the same object, so that it can be part of a cache's key."""
    return OnThePage(words(language))
