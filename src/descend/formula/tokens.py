"""Formula text to tokens, and messages that point into the text."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from descend.errors import FormulaError

Given = ParamSpec("Given")
Result = TypeVar("Result")
LONGEST = 100_000

# What keyboards and word processors write for the signs of a formula. One character for one, so that positions
# stay those of the user's text.
SAME_MEANING = str.maketrans(
    "−–×·\u0387⋅∗÷（），、［］【】～∼＝＋－＊／＾＜＞＠．０１２３４５６７８９"
    "\u2010\u2011\u2012\u2014∙•∕⁄˜\u200b\u2060\ufeff\u00ad",
    "--*****/(),,[][]~~=+-*/^<>@.0123456789----**//~    ",
)
TWO_IN_ONE = {"≤": "<=", "≥": ">=", "≠": "!="}

TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<name>[^\W\d]\w*)
    | `(?P<quoted>(?:[^`]|``)+)`
    | (?P<operator>\*\*|<=|>=|==|!=|[-+*/^@~=<>≤≥≠(),\[\]?])
    )""",
    re.VERBOSE,
)


SCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻₀₁₂₃₄₅₆₇₈₉", "0123456789+-0123456789")
QUOTATION = 'It is a quotation mark of a word processor: write straight ones, ", and ` around odd column names.'
ODD_NAME = "Column names with odd characters go in backticks: `unit price`."
HINTS = {
    ".": "If it belongs to a column name, put the name in backticks: `unit.price`.",
    **dict.fromkeys("{}", "Use round brackets."),
    **dict.fromkeys("\"'", ODD_NAME),
    **dict.fromkeys("“”„‟‘’‚‛«»‹›", QUOTATION),
    **dict.fromkeys("√∛", "Write roots as `sqrt(x)` or `cbrt(x)`."),
    **dict.fromkeys("½⅓⅔¼¾", "Write fractions as `1/2`."),
    "|": "Write the absolute value as `abs(x)`.",
    "%": "Write the remainder of a division as `mod(x, 2)`.",
    "!": "Write the factorial of n as `gamma(n + 1)`, and what is unlike as `!=`.",
    "∞": "A formula holds finite numbers only.",
    **dict.fromkeys("≈≃≅→", "Write response ~ expression, for example `y ~ w*x`."),
}
"""What to write instead of characters that cannot stand in a formula."""


LIBRARY = re.compile(
    r"(?:np|numpy|jnp|jax\.numpy|jax\.nn|(?:jax\.)?scipy\.special|jsp\.special|scipy|special|sp|sps|sc|math|torch|"
    r"torch\.special|torch\.nn\.functional|F|cp|cupy|tf|tf\.math)\.(?=(?:[^\W\d]\w*\s*\(|(?:pi|e)\b(?!\.)))"
)
"""What stands in Python before a function, or before pi and e, and says nothing more than where it comes from."""
SIMPLIFY = "Simplify it, or split it into columns of the data."


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the formula, its kind (number, name, quoted, operator, end) and where it stood."""

    kind: str
    text: str
    start: int
    end: int


def tokenize(text: str) -> list[Token]:
    """Split ``text`` into tokens. Raises FormulaError at the first character that cannot belong to a formula."""
    if len(text) > LONGEST:
        raise FormulaError(
            f"The formula is {len(text):,} characters long; at most {LONGEST:,} can be read. "
            "Compute parts of it beforehand, as columns of the data."
        )
    plain = text.translate(SAME_MEANING)
    tokens: list[Token] = []
    position = 0
    while match := TOKEN.match(plain, position):
        kind = str(match.lastgroup)
        begin, end = match.span(kind)
        position = match.end()
        if kind == "name" and (library := LIBRARY.match(plain, begin)):
            position = library.end()
        elif kind == "name":
            position = end = _end_of_name(text, plain, begin, end)
            tokens.append(Token(kind, text[begin:end], begin, end))
        elif kind == "quoted":
            tokens.append(Token(kind, text[begin:end].replace("``", "`"), begin - 1, end + 1))
        else:
            tokens.append(Token(kind, TWO_IN_ONE.get(plain[begin:end], plain[begin:end]), begin, end))
    stray = position + len(plain[position:]) - len(plain[position:].lstrip())
    if stray < len(plain):
        raise _stray(text, stray)
    tokens.append(Token("end", "", len(text), len(text)))
    return tokens


def _end_of_name(text: str, plain: str, begin: int, end: int) -> int:
    """Extend a name by the marks that some scripts write after a letter, and refuse characters such as ``²``."""
    while end < len(plain) and ("a" + plain[end]).isidentifier():
        end += 1
    if not plain[begin:end].isidentifier():
        odd = next(at for at in range(begin, end) if not plain[begin : at + 1].isidentifier())
        raise _stray(text, odd)
    return end


def _raised_or_lowered(text: str, start: int) -> FormulaError:
    """Say how numbers above and below the line are written."""
    end = start + 1
    while end < len(text) and ord(text[end]) in SCRIPTS:
        end += 1
    before = re.split(r"\W", text[:start])[-1] or "x"
    on_line = text[start:end].translate(SCRIPTS)
    lowered = "SUBSCRIPT" in unicodedata.name(text[start])
    hint = f"Write it on the line: `{before}{on_line}`." if lowered else f"Write powers with `^`: `{before}^{on_line}`."
    return pointed(text, start, end, f"`{text[start:end]}` cannot stand in a formula.", hint)


def _stray(text: str, start: int) -> FormulaError:
    character = text[start]
    if character == ".":
        from descend.formula.unknown_functions import without_call

        if (function_meant := without_call(text, start)) is not None:
            return pointed(text, *function_meant)
    if character == "`":
        closed = "Put another one after the column name: `unit price`."
        return pointed(text, start, start + 1, "This backtick is never closed.", closed)
    if "\udc80" <= character <= "\udcff":  # a byte that Python could not decode
        return FormulaError(
            "The formula has letters that the locale of this terminal, which is not UTF-8, cannot read. Set a UTF-8 "
            "locale, such as LC_ALL=C.UTF-8, or write them in Latin letters."
        )
    if ord(character) in SCRIPTS:
        return _raised_or_lowered(text, start)
    character_shown = f"`{character}`" if character.isprintable() else f"The character U+{ord(character):04X}"
    hint = HINTS.get(character, "Formulas are made of names, numbers, + - * / ^ @, brackets and functions.")
    return pointed(text, start, start + 1, f"{character_shown} cannot stand in a formula.", hint)


def pointed(text: str, start: int, end: int, fault: str, next_step: str) -> FormulaError:
    """Build a FormulaError that shows the formula with a caret line under the characters at fault."""
    fault = re.sub(r"`([^`]*)`", lambda word: word[0] if len(word[1]) <= 60 else f"`{word[1][:60]}...`", fault)
    before, marked_text, after = text[:start], text[start:end], text[end:]
    if len(text) > 100:  # The neighbourhood only: 10,000 parentheses help nobody.
        before = before if len(before) <= 43 else "..." + before[-40:]
        marked_text = marked_text if len(marked_text) <= 23 else marked_text[:20] + "..."
        after = after if len(after) <= 23 else after[:20] + "..."
    line = "".join(character if character.isprintable() else " " for character in before + marked_text + after)
    carets = "^" * max(1, _width(line[len(before) : len(before) + len(marked_text)]))
    return FormulaError(f"{fault}\n    {line}\n    {' ' * _width(line[: len(before)])}{carets}\n{next_step}")


def _width(text: str) -> int:
    """Count the columns ``text`` takes in a terminal: two for a Chinese character, none for a combining accent."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def refuse_depth(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Let ``function`` raise FormulaError where nesting exhausts Python's stack."""

    @functools.wraps(function)
    def guarded(*arguments: Given.args, **options: Given.kwargs) -> Result:
        try:
            return function(*arguments, **options)
        except RecursionError:
            raise FormulaError("The formula is nested too deeply. " + SIMPLIFY) from None

    return guarded
