"""What messages say of options, in the words of the page."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import descend
from descend.lab.controls import in_lab
from descend.lab.texts import words

ROOMS = Path(descend.__file__).parent
OPTION = re.compile(r"(?<![\w-])--[a-z]")
CALLED = re.compile(r"the command line's `--[a-z0-9-]+(?: \w+)?`|`descend [^`]*`")
SAMPLES = {"limit / 2": "0.05", "smaller": "0.05", "faster": "0.3", "needed": "640", "larger": "40",
           "values": "b=0,c=1.5", "only": "torch", "name": "wide",
           "conditions": "x < 5 AND y > -1", "condition": "try_cast(x as double) is not null"}  # fmt: skip
"""What stands in the places of messages that follow an option."""


def messages() -> Iterator[str]:
    """Every text below the command line and the lab that names an option, its places filled in."""
    for path in sorted(ROOMS.rglob("*.py")):
        if path.relative_to(ROOMS).parts[0] in ("cli", "doctor", "lab", "report"):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
        for node in ast.walk(tree):
            if id(node) in parts | told or not isinstance(node, ast.Constant | ast.JoinedStr):
                continue
            text = _filled(node)
            if OPTION.search(text):
                yield text


def _filled(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(
        SAMPLES.get(ast.unparse(part.value), "w") if isinstance(part, ast.FormattedValue) else _filled(part)  # type: ignore[arg-type]
        for part in node.values
    )


def test_no_message_of_the_library_speaks_of_options_as_if_the_page_had_them():
    found = list(messages())
    assert len(found) > 40
    for text in found:
        said = in_lab(text, words("en"))
        assert not OPTION.search(CALLED.sub("", said)), said
        assert said.count("`") % 2 == text.count("`") % 2 and "{" not in said.replace("start={", ""), said


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Use --learning-rate 0.0152, or --learning-rate auto.", "Use a learning rate of 0.0152, or “choose for me”."),
        ("Use --epochs 17234, or another optimizer, such as lbfgs.",
         "Use 17,234 epochs (the lab runs 5,000 at most), or another optimizer, such as lbfgs."),
        ("Use --epochs 640, or the larger rate --learning-rate 0.0028.",
         "Use 640 epochs, or the larger learning rate 0.0028."),
        ("Use --batch-size 40, or --learning-rate 1e-05, which lower that noise 2 times, or --schedule cosine.",
         "Use batches of 40 rows, or a learning rate of 1e-05, which lower that noise 2 times, or the command line's "
         "`--schedule cosine`."),
        ("Use a larger --batch-size, a smaller --learning-rate, or --schedule cosine.",
         "Use a larger batch size, a smaller learning rate, or the command line's `--schedule cosine`."),
        ("Drop b, or fix it with --fix b=0.", "Drop b, or write a number in place of it in the formula: b=0."),
        ("Leave such rows out with --where, or correct them.", "Leave such rows out of the file, or correct them."),
        ("Correct them, or leave such rows out with `--missing drop` (in Python, missing=\"drop\").",
         "Correct them, or leave such rows out of the file."),
        ("Correct this row, or leave it out: --where 'x < 5'.",
         "Correct this row, or leave it out of the file: keep those where `x < 5`."),
        ("Standardise `x` (--standardize): then 100 epochs will do.",
         "Standardise `x` (the command line's `--standardize`): then 100 epochs will do."),
        ("Give other starting values with --start.", "Give other starting values."),
        ("Time ran out before the gradient reached zero: continue from these parameters.",
         "Time ran out before the gradient reached zero: use fewer epochs, larger batches, or the command line."),
        ("A sentence -- with dashes - of a--b.", "A sentence -- with dashes - of a--b."),
    ],
)  # fmt: skip
def test_messages_in_the_words_of_the_page(message, said):
    assert in_lab(message, words("en")) == said


def test_a_chinese_page_names_its_own_control():
    assert in_lab("Use --learning-rate auto.", words("zh")) == "Use “自动选择”."


def test_a_run_that_diverged_is_told_without_options(line):
    fit = descend.fit("y ~ w*x", line, optimizer="gd", start={"w": 0.0}, learning_rate=1.0)
    assert OPTION.search(fit.advice) and not OPTION.search(in_lab(fit.advice, words("en")))
