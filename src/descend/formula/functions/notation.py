"""How LaTeX and MathML write the call of a function, from what mathematicians call it by.

A symbol is a word, or several: ``Γ``, ``log Φ``; each may have an index or a power: ``E_1``, ``erf^-1``. An argument
that stands there stands nowhere else: ``J_{0}`` of an order and a number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

WORD = re.compile(r"([^_^]+)(?:([_^])(.+))?")
IN_LATEX = ("log",)
"""The words for which LaTeX has a command."""


def _words(symbol: str) -> Iterator[tuple[str, str, str]]:
    """Yield each word, the sign of what stands above or below the line behind it, and that."""
    for word in symbol.split():
        parts = WORD.fullmatch(word)
        assert parts is not None
        yield parts[1], parts[2] or "", parts[3] or ""


def _others(symbol: str, arguments: Sequence[str]) -> list[str]:
    return [argument for argument in arguments if argument not in symbol]


def latex_call(symbol: str, name: str, arguments: Sequence[str]) -> str:
    """Return a template for LaTeX. arguments: their placeholders; name: what stands where there is no symbol.

    >>> print(latex_call("log Γ", "lgamma", ["{0}"]), latex_call("J_{0}", "jn", ["{0}", "{1}"]))
    \\log \\Gamma\\left({0}\\right) J_{{{0}}}\\left({1}\\right)
    """
    words = [_word_in_latex(*word) for word in _words(symbol)] or [rf"\operatorname{{{{{name}}}}}"]
    return rf"{' '.join(words)}\left({', '.join(_others(symbol, arguments))}\right)"


def _word_in_latex(base: str, sign: str, script: str) -> str:
    greek = unicodedata.name(base[0]).startswith("GREEK")
    letter = unicodedata.name(base[0]).rpartition(" ")[2]
    command = f"\\{letter.title() if base.isupper() else letter.lower()}" if greek else f"\\{base}"
    text = command if greek or base in IN_LATEX else base if len(base) == 1 else rf"\operatorname{{{{{base}}}}}"
    script = script.replace("(", r"\left(").replace(")", r"\right)")
    return text + sign + (script if len(script) < 2 else f"{{{{{script}}}}}")


def mathml_call(symbol: str, name: str, arguments: Sequence[str]) -> str:
    """Return a template for MathML; see `latex_call`.

    >>> mathml_call("E_1", "exp1", ["{0}"])
    '<mrow><msub><mi>E</mi><mn>1</mn></msub><mo>(</mo>{0}<mo>)</mo></mrow>'
    """
    words = [_word_in_mathml(*word) for word in _words(symbol)] or [f"<mi>{name}</mi>"]
    inside = "<mo>,</mo>".join(_others(symbol, arguments))
    return f"<mrow>{'<mo>&InvisibleTimes;</mo>'.join(words)}<mo>(</mo>{inside}<mo>)</mo></mrow>"


def _word_in_mathml(base: str, sign: str, script: str) -> str:
    if not sign:
        return f"<mi>{base}</mi>"
    tag = "msub" if sign == "_" else "msup"
    bracketed = f"<mrow><mo>(</mo>{script[1:-1]}<mo>)</mo></mrow>" if script[0] == "(" else script
    return f"<{tag}><mi>{base}</mi>{bracketed if '{' in script else f'<mn>{script}</mn>'}</{tag}>"
