"""What messages say of options, in the words of the page."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import descend
from descend.lab.words.option_names import PHRASES, on_the_page
from descend.wording import COMMAND_LINE, COMMANDS, speaking, spell, using, worded

ROOMS = Path(descend.__file__).parent
OPTION = re.compile(r"(?<![\w-])--[a-z]")
PAGE = on_the_page("en")


def calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield node


def files() -> Iterator[Path]:
    for path in sorted(ROOMS.rglob("*.py")):
        if path.relative_to(ROOMS).parts[0] not in ("cli", "doctor", "lab", "options", "report", "wording.py"):
            yield path


def test_no_message_below_the_interfaces_spells_an_option_itself():
    for path in files():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
        texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in told]
        spelled = [text.value for text in texts if isinstance(text.value, str) and OPTION.search(text.value)]
        assert not spelled, (path, spelled)


def test_what_messages_name_are_options_and_phrases_there_are():
    from descend.options.request import OPTIONS

    keys, phrases = set(), set()
    for path in files():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for name, found in (("spell", keys), ("using", keys), ("worded", phrases)):
            found |= {call.args[0].value for call in calls(tree, name) if isinstance(call.args[0], ast.Constant)}
    assert keys - {"column", "mean", "rows", "probabilities", "low", "high", "steps"} <= {*OPTIONS} and len(keys) > 12
    assert phrases | {"more"} == {*PHRASES, *COMMANDS}  # that one is of reports


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (lambda: f"Use {spell('learning_rate', 0.0152)}, or {spell('learning_rate', 'auto')}.",
         "Use a learning rate of 0.0152, or “choose for me”."),
        (lambda: f"Use {spell('epochs', 17234)}, or another optimizer, such as lbfgs.",
         "Use 17,234 epochs (the lab runs 5,000 at most), or another optimizer, such as lbfgs."),
        (lambda: f"Use {spell('epochs', 640)}, or {worded('larger_rate', '', rate='0.0028')}.",
         "Use 640 epochs, or the larger learning rate 0.0028."),
        (lambda: f"Use {spell('batch_size', 40)}, or {spell('schedule', 'cosine')}.",
         "Use batches of 40 rows, or the command line's `--schedule cosine`."),
        (lambda: f"Use a larger {spell('batch_size')}, a smaller {spell('learning_rate')}.",
         "Use a larger batch size, a smaller learning rate."),
        (lambda: f"Give {spell('validation')}, such as {spell('validation', 0.2)}.",
         "Give “rows held out”, such as 0.2 as “rows held out”."),
        (lambda: f"Drop b, or {worded('fixing', '', them='it', values='b=0')}.",
         "Drop b, or write a number in place of it in the formula: b=0."),
        (lambda: f"Leave such rows out{using('where')}, or correct them.",
         "Leave such rows out of the file, or correct them."),
        (lambda: f"Correct this row, or leave it out{worded('keeping', '', conditions='x < 5')}.",
         "Correct this row, or leave it out of the file: keep those where `x < 5`."),
        (lambda: f"Standardise `x` ({spell('standardize')}): then 100 epochs will do.",
         "Standardise `x` (the command line's `--standardize`): then 100 epochs will do."),
        (lambda: f"Give other starting values{using('start')}.", "Give other starting values."),
        (lambda: descend.Outcome.TIME_USED_UP.advice(),
         "Time ran out before the gradient reached zero: use fewer epochs, larger batches, or the command line."),
        (lambda: str(descend.explain("y ~ a*exp(b + c*x)").redundancies[0]),
         "a and b trade off: only a*exp(b) is determined. Drop b, or write a number in place of it in the formula: "
         "b=0."),
    ],
)  # fmt: skip
def test_messages_in_the_words_of_the_page(message, said):
    with speaking(PAGE):
        assert message() == said


def test_a_file_of_which_a_column_has_text_is_told_in_them(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n2,3\n3,oops\n")
    with speaking(PAGE), pytest.raises(descend.DataError, match=r"leave such rows out of the file\.$"):
        descend.fit("y ~ a*x", tmp_path / "a.csv")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_has_a_control_for_every_option_with_a_label(language):
    from plotly.utils import PlotlyJSONEncoder

    from descend.lab.data.rows import Library
    from descend.lab.page.layout import page
    from descend.lab.state import State
    from descend.options.request import OPTIONS

    shown = json.dumps(page(State(lang=language), None, Library(), ()), cls=PlotlyJSONEncoder, ensure_ascii=False)
    labels = [option.label[language == "zh"] for option in OPTIONS.values() if option.label is not None]
    assert len(labels) == 11 and all(f'"{label}"' in shown for label in labels)


def test_a_chinese_page_names_its_own_control():
    with speaking(on_the_page("zh")):
        assert spell("learning_rate", "auto") == "“自动选择”"


def test_a_run_that_diverged_is_told_without_options(line):
    def advice() -> str:
        return descend.fit("y ~ w*x", line, optimizer="gd", start={"w": 0.0}, learning_rate=1.0).advice

    with speaking(PAGE):
        assert not OPTION.search(advice())
    assert "learning_rate=" in advice() and not OPTION.search(advice())
    with speaking(COMMAND_LINE):
        assert "--learning-rate " in advice()
