"""Errors in the command line itself, and what the user probably meant."""

from __future__ import annotations

from collections.abc import Iterator

from descend.options.request import OPTIONS
from descend.registry import closest

OF_COMMANDS = {
    "--interval": "ci confidence",
    "--level": "confidence-level",
    "--plot": "figure picture png image",
    "--report": "html page",
    "--animate": "animation gif movie video",
    "--output": "o out save to-file",
    "--save": "o out output model to-file",
    "--at": "x values",
    "--optimizers": "methods optimizer algorithms",
}
"""What other programs call options of commands; those of a fit say it themselves (`Option.synonyms`)."""


def explained(error: Exception) -> str:
    """Say what is wrong with the command, and where its options are listed."""
    if type(error).__name__ == "NoArgsIsHelpError":  # its message is the help
        return str(error.format_message())  # type: ignore[attr-defined]
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "descend"
    message = _no_option(error) or error.format_message()  # type: ignore[attr-defined]
    end = "" if message.endswith((".", "?")) else "."
    return f"UsageError: {message}{end}\n`{command} --help` lists what it takes."


def _no_option(error: Exception) -> str:
    """Return a message for an option that does not exist; an empty text for other errors."""
    option_named, context = getattr(error, "option_name", None), getattr(error, "ctx", None)
    if option_named is None or context is None or type(error).__name__ != "NoSuchOption":
        return ""
    options = [option for parameter in context.command.params for option in parameter.opts if option.startswith("--")]
    name = str(option_named).lstrip("-").replace("_", "-").casefold()
    meant = next(_called(name, options), "")
    guess = f" Did you mean `{meant}`?" if meant else closest(f"--{name}", options) if len(name) > 2 else ""
    return f"There is no option `{option_named}`.{guess}"


def _called(name: str, options_known: list[str]) -> Iterator[str]:
    yield from (option for option in options_known if option == f"--{name}")
    synonyms = OF_COMMANDS | {option.spelled: option.synonyms for option in OPTIONS.values()}
    yield from (option for option in options_known if name in synonyms.get(option, "").split())
