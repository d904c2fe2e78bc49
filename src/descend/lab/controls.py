"""Messages of the library in the words of the page: it has controls where the command line has options.

The library writes each message once, with the options of the command line in it. Here stand, in one list, what those
are called on the page; an option that the page lacks is called what it is, an option of the command line.
"""

from __future__ import annotations

import re

from descend.lab.state import MOST_EPOCHS
from descend.lab.texts import Words

VALUE = r"`?(?P<value>'[^']*'|[^\s`;]+?)`?(?=[;.,:]?(?:\s|$))"
"""What follows an option, up to the end of the word."""
HERE = (
    (r"`?--learning-rate auto`?", "“{auto}”"),
    (r"the larger rate --learning-rate " + VALUE, "the larger learning rate {value}"),
    (r"(?P<an>a smaller|a larger) --(?P<name>learning-rate|batch-size)\b", "{an} {name}"),
    (r"--learning-rate (?P<value>[\d.e+-]*\d)", "a learning rate of {value}"),
    (r"--batch-size (?P<value>\d+)", "batches of {value} rows"),
    (r"--epochs (?P<value>\d+)", "{value} epochs"),
    (r"(?<=reached zero: )continue from these parameters", "use fewer epochs, larger batches, or the command line"),
    (r", or leave --start out to have some searched for", ", such as a click elsewhere on the surface"),
    (r"give it a start: --start .*$", "give it a name that is less like that of the column."),
    (r" (?:with|from them with) --start\b", ""),
    (r"or fix (?P<an>it|them) with --fix " + VALUE, "or write a number in place of {an} in the formula: {value}"),
    (r"(?P<an>[Ll]eave|take) such rows out with `?--(?:where|missing)\b(?: '[^']*'| drop)?`?(?: \(in Python, [^)]*\))?",
     "{an} such rows out of the file"),
    (r"; if it is Latin-1, `iconv [^`]*` does so", ", in a spreadsheet as “CSV UTF-8”"),
    (r"Save it as CSV, Parquet or JSON", "Save it as CSV"),
    (r": --where '(?P<value>[^']*)'", " of the file: keep those where `{value}`"),
)  # fmt: skip
"""Options, in the phrases that messages have them in, and what the page says instead."""
ELSEWHERE = re.compile(r"`[^`]*`|(?<![\w-])--[a-z][a-z0-9-]*(?: (?:cosine|numpy|query|torch)\b)?")
SAID = tuple((re.compile(phrase), words) for phrase, words in HERE)


def in_lab(message: str, say: Words) -> str:
    """Return a message of the library as the page says it.

    >>> from descend.lab.texts import words
    >>> in_lab("Use --learning-rate 0.05, or --learning-rate auto.", words("en"))
    'Use a learning rate of 0.05, or “choose for me”.'
    >>> in_lab("Give more rows, or add a penalty with --l2.", words("en"))
    "Give more rows, or add a penalty with the command line's `--l2`."
    """
    for phrase, words in SAID:
        message = phrase.sub(lambda found, words=words: _filled(words, found, say), message)  # type: ignore[misc]
    return ELSEWHERE.sub(lambda found: _of_the_command_line(found[0]), message)


def _of_the_command_line(text: str) -> str:
    option = text.strip("`")
    return f"the command line's `{option}`" if option.startswith("--") else text


def _filled(words: str, found: re.Match[str], say: Words) -> str:
    given = {name: text or "" for name, text in found.groupdict().items()}
    if "name" in given:
        given["name"] = given["name"].replace("-", " ")
    if "epochs" in words and "value" in given:
        given["value"] = f"{int(given['value']):,}"
        if int(found["value"]) > MOST_EPOCHS:
            words += f" (the lab runs {MOST_EPOCHS:,} at most)"
    return words.format(auto=say("auto"), **given)
