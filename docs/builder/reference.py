"""The reference, written from the program itself: commands, options, and the docstrings of all public parts."""

from __future__ import annotations

import re
import textwrap

import typer

import descend
from descend.cli.main import app
from descend.losses import LOSSES
from descend.optimizers import OPTIMIZERS, SCHEDULES
from descend.options.request import OPTIONS
from descend.registry import Registry

ESTIMATORS = "FormulaRegressor", "FormulaClassifier"
DIRECTIVE = """
::: {place}
    options:
      heading_level: 2
      show_root_heading: true
      show_root_full_path: false
      members: {members}
"""
PART = """
## {name}

::: {place}
    options:
      heading_level: 3
      show_root_heading: false
      show_root_toc_entry: false
      members: false
      show_bases: false
"""


NAMES = {
    "losses": ", ".join(LOSSES),
    "optimizers": ", ".join(OPTIMIZERS),
    "schedules": ", ".join(SCHEDULES),
}
"""What stands in help texts for the names that are registered."""


def written() -> dict[str, str]:
    """Return the pages of the reference, by their place in docs/."""
    return {
        "reference/commands.md": commands(),
        "reference/options.md": options(),
        "reference/python.md": python(),
        "reference/losses.md": parts("Losses", LOSSES, "--loss", "loss"),
        "reference/optimizers.md": parts("Optimizers", OPTIMIZERS, "--optimizer", "optimizer"),
        "reference/schedules.md": parts("Schedules of the learning rate", SCHEDULES, "--schedule", "schedule"),
        "reference/estimators.md": "# Estimators\n"
        + "".join(directive(f"descend.estimators.{name}", "true") for name in ESTIMATORS),
    }


def directive(place: str, members: str = "false") -> str:
    """Return what mkdocstrings turns into the docstring of an object."""
    return DIRECTIVE.format(place=place, members=members)


def python() -> str:
    """Return the page of all public names of the package, functions first, as `help(descend)` lists them."""
    names = sorted(descend.__all__, key=lambda name: (name[0].isupper(), name.endswith("Error"), name))
    text = textwrap.dedent((descend.__doc__ or "").partition("\n\n")[2].partition("\n\n")[0])
    return "".join(
        ["# Python\n\n", '```text title="The names of the package"\n', text, "\n```\n"]
        + [directive(canonical(name), str(name[0].isupper() and not name.endswith("Error")).lower()) for name in names]
    )


def canonical(name: str) -> str:
    """Return where a public name is defined, for it is imported lazily."""
    value = getattr(descend, name)
    return f"{value.__module__}.{value.__qualname__}"


def parts(title: str, registry: Registry, flag: str, key: str) -> str:
    """Return the page of a registry: the docstring of each of its parts, under its name."""
    return "".join(
        [f'# {title}\n\nChoose one by its name, with `{flag} NAME` or `{key}="NAME"`.\n']
        + [
            PART.format(name=name, place=f"{part.__module__}.{part.__qualname__}")
            for name in registry
            for part in [registry[name]]
        ]
    )


def options() -> str:
    """Return the page of all options of a fit, from their definitions."""
    rows = [
        f"| `{option.key}` | {f'`{option.spelled}`' if option.on_command_line else ''} | {_shown(option.default)} | "
        f"{cell(option.help)} |"
        for option in OPTIONS.values()
        if option.help
    ]
    return "\n".join(
        [
            "# Options of a fit\n",
            "Each is a keyword of [`descend.fit`](python.md) and, unless it only makes sense in Python, a flag of "
            "[`descend fit`](commands.md#descend-fit), which has more flags, for what is shown of a fit: `--interval`, "
            "`--plot`, `--report` and others. What takes functions is in [`descend.fit`](python.md).\n",
            "| Python | command line | default | what it does |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


def commands() -> str:
    """Return the page of all commands, from their own help."""
    lines = ["# Commands\n", "`descend COMMAND --help` shows the same.\n"]
    root = typer.main.get_command(app)
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        said = re.sub(r"^Example: (.*)$", r"```console\n$ \1\n```", command.help, flags=re.M)
        lines += [f"## descend {name}\n", said, "\n| argument | what it does |", "| --- | --- |"]
        for one in command.params:
            spelled = ", ".join(one.opts) if one.opts[0].startswith("-") else ""
            shape = f" {one.metavar}" if one.metavar else ""
            lines.append(f"| {code(spelled + shape)} | {cell(one.help or '')} |")
        lines.append("")
    return "\n".join(lines)


def _shown(default: object) -> str:
    return "" if default in (None, "", False, ()) else f"`{default}`"


def cell(text: str) -> str:
    """Return a help text for a cell of a table, with the registered names in their places."""
    parts = (
        re.sub(r"\{(losses|optimizers|schedules)\}", lambda found: NAMES[found[1]], text).replace("\n", " ").split("`")
    )
    return "".join(code(part) if place % 2 else escaped(part) for place, part in enumerate(parts))


def escaped(text: str) -> str:
    """Return text of which nothing is a mark of Markdown."""
    return re.sub(r"[*_|<&]", lambda found: f"&#{ord(found[0])};", text)


def code(text: str) -> str:
    """Return code for a cell of a table, where a backtick would not hide a `|`."""
    return f"<code>{escaped(text.strip())}</code>"
