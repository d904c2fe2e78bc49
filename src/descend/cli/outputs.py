"""The files that a command writes: checked before anything is read or fitted, and written at its end."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from descend.cli.terminal import say
from descend.errors import ConfigError, DescendError, OutputError
from descend.options.option import Values
from descend.output import refuse_unwritable, write_atomically

Output = tuple[str, str | None, Callable[[str], object]]
"""What to say of a file once it is written, the file (None if not asked for), and the function that writes it."""
PAGES = (".html", ".htm")


def check_outputs(outputs: Mapping[str, str | Sequence[str] | None], inputs: Iterable[str] = ()) -> None:
    """Refuse a file that cannot be written, that two options name, or that is one of the inputs.

    outputs: option -> file or files, None if the option was not given. Raises OutputError, and leaves no file behind.
    """
    paths: dict[Path, str] = {}
    named = [
        (option, name) for option, path in outputs.items() for name in ([path] if isinstance(path, str) else path or ())
    ]
    for option, name in named:
        output = refuse_unwritable(name)
        if output in paths:
            raise OutputError(f"`{paths[output]}` and `{option}` both write `{name}`. Give each a file of its own.")
        paths[output] = option
        for path in inputs:
            if any(
                output == Path(os.path.realpath(path_met)) for path_met in (path, *glob.iglob(path, recursive=True))
            ):
                raise OutputError(f"`{option}` would overwrite `{name}`, which is to be read. Give another file.")


def check_pictures(names: Iterable[str] | None, look: Values, option: str = "--plot") -> None:
    """Refuse kinds of picture that cannot be drawn, an impossible look, and a look without a picture."""
    if not names and not look:
        return
    from descend.report.picture_look import Look
    from descend.report.style import check_picture

    for name in names or ():
        check_picture(name)
    if not names:
        raise ConfigError(f"What is to look so? No picture is asked for: add {option} and a file, such as line.png.")
    Look(**look)


def check_page(name: str | None) -> None:
    """Refuse a report whose file name is not that of a page."""
    if name is not None and Path(name).suffix.lower() not in PAGES:
        raise OutputError(f"`{name}` cannot be the report, which is a page: its name must end in .html.")


def check_animation(name: str | None) -> None:
    """Refuse, before the run, a kind of animation that cannot be written."""
    if name is not None:
        from descend.report.animation import check_animation

        check_animation(name)


def checked_published(name: str | None, errors: str | None = None) -> str:
    """Return how errors are written in a table for print; refuse a way, or an ending of its file, that there is not."""
    if name is None and errors is not None:
        raise ConfigError("`--table-errors` is of a table for print: add --table-output, such as fit.tex.")
    if name is not None:
        from descend.report.published.cells import checked_errors
        from descend.report.published.formats import format_of

        format_of(name)
        checked_errors(errors or "parentheses")
    return errors or "parentheses"


def write_published(path: str, table: Callable[..., str], **options: object) -> None:
    """Write a table for print. table: returns it as text in a format, the method ``table`` of a fit."""
    from descend.report.published.formats import format_of

    write_atomically(path, table(format_of(path), **options))


def check_tables(*names: str | None) -> None:
    """Refuse files of many fits whose ending names no kind of table."""
    for name in names:
        if name is not None:
            from descend.table.writing import refuse_unknown_ending

            refuse_unknown_ending(name)


def write(outputs: Iterable[Output], quiet: bool = False, json: bool = False) -> list[str]:
    """Write files and report each; return messages for those that could not be written."""
    failed = []
    for done, path, writer in outputs:
        if path is None:
            continue
        try:
            writer(path)
        except DescendError as error:
            failed.append(str(error))
        except Exception as error:
            failed.append(f"`{path}` could not be made: {' '.join(str(error).split())} ({type(error).__name__}).")
        else:
            if not quiet:
                say(f"{done} {path}", file=sys.stderr if json else sys.stdout)
    return failed
