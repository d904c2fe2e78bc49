"""`descend`: the commands, and how errors become messages and exit codes.

Exit codes: 0 converged, or the asked-for epochs were run; 1 the fit failed, or Ctrl-C ended it, at whatever moment;
2 wrong usage or bad input.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from typing import Annotated

import typer

from descend.cli.letters import Letters
from descend.cli.terminal import flush, say
from descend.cli.usage import explained
from descend.cli.verb import Verbs
from descend.errors import INTERRUPTED, ConfigError, DescendError
from descend.wording import COMMAND_LINE, speaking

# Typer may use its own copy of Click or the installed one; in both cases this is its base class of usage errors.
UsageError: type[Exception] = typer.BadParameter.__bases__[0]

BY_SIGNAL = 130
"""What Typer returns if it caught Ctrl-C itself: the exit code that shells give an interrupted process."""

QUERY_ENDED = "Query interrupted"
"""The message of the RuntimeError that DuckDB raises if Ctrl-C or another signal interrupts a query."""

app = typer.Typer(
    cls=Verbs,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


@app.callback(invoke_without_command=True)
def descend(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --version: all versions that a report of a fault should name.")
    ] = False,
) -> None:
    """Fit a model to data by gradient descent, wherever the data lie, and see how it was done."""
    context.with_resource(speaking(COMMAND_LINE))
    if as_json and not version:
        raise ConfigError("`--json` goes with `--version` here, or behind a command: descend fit ... --json.")
    if version:
        from descend.cli.version import versions

        versions_found = versions()
        say(json.dumps(versions_found, indent=2) if as_json else f"descend {versions_found['descend']}")
        raise typer.Exit


def main() -> int:
    """Run the command line and return its exit code; an error becomes one message on stderr."""
    gc.set_threshold(200_000)  # imports make hundreds of thousands of objects but no garbage
    letters = Letters()
    letters.watch()
    try:
        if os.environ.get("DESCEND_IMPORT"):
            from descend.cli.python_file import import_listed

            import_listed(os.environ["DESCEND_IMPORT"])
        code = app(prog_name="descend", standalone_mode=False)
    except DescendError as error:
        code = _fail(f"{error.kind}: {error}", 2)
    except UsageError as error:
        code = _fail(explained(error), 2)
    except (typer.Abort, KeyboardInterrupt):
        code = BY_SIGNAL
    except MemoryError as error:
        from descend.table.memory import too_little

        code = _fail(f"ConfigError: {too_little(error)}", 2)
    except Exception as error:
        if str(error) == QUERY_ENDED:
            return _fail(INTERRUPTED, 1)
        if os.environ.get("DESCEND_DEBUG"):
            raise
        error_text = f"{type(error).__name__}: {error}".rstrip(": ")
        code = _fail(
            f"{error_text}\nThis is a bug in descend. Please report it with the command that led here; "
            "DESCEND_DEBUG=1 before the command shows where it happened.",
            1,
        )
    if code == BY_SIGNAL:
        code = _fail(INTERRUPTED, 1)
    letters.tell()
    flush()
    return code if isinstance(code, int) else 0


def _fail(message: str, code: int) -> int:
    say(message, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
