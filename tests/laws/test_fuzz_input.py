"""Mutated files and formulas: a fit or one message, whatever a file or a formula holds, and soon."""

from __future__ import annotations

import gzip
import random
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import descend
from descend.errors import DescendError
from descend.formula import read_formula
from descend.table import open_table

SECONDS = 5
"""Of the processor, not of the clock: other programs may be running."""
FEW_FILES, MANY_FILES = range(8), pytest.param(range(8, 508), marks=pytest.mark.slow)
FEW_FORMULAS, MANY_FORMULAS = range(20), pytest.param(range(20, 320), marks=pytest.mark.slow)


class TookTooLong(BaseException):
    """No error that a program would catch."""


@contextmanager
def limited() -> Iterator[None]:
    """End what takes too long."""

    def end(*_: object) -> None:
        raise TookTooLong

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def answer(work: Callable[[], object]) -> str:
    """Return what is said where input is refused, else nothing; anything else fails."""
    try:
        with limited():
            work()
    except DescendError as error:
        said = str(error)
        assert said.strip() and len(said) < 3_000, said[:300]
        assert not re.search(r"INTERNAL|Traceback|(Binder|Parser|Catalog) Error|report this|/descend-\w+/", said), said
        return said
    return ""


def rows(delimiter: str = ",", end: str = "\n", decimal: str = ".", head: tuple[str, ...] = ("x", "y", "note")) -> str:
    lines = [delimiter.join(head)]
    for i in range(40):
        cells = (f"{i / 10:.2f}", f"{i / 5 + 1 + 0.01 * (i % 7):.3f}", f"row {i}")[: len(head)]
        lines.append(delimiter.join(cell.replace(".", decimal) for cell in cells))
    return end.join(lines) + end


BARE = rows(head=("x", "y")).partition("\n")[2]
FILES = [
    *(rows(delimiter).encode() for delimiter in ",\t|"),
    rows(";", decimal=",").encode(),
    *(rows(end=end).encode() for end in ("\r\n", "\r")),
    rows(" ", head=("x", "y")).encode(),
    rows().encode("utf-16"),
    b"\xef\xbb\xbf" + rows().encode(),
    rows(head=("x", "y", "T (°C)")).replace("row", "é").encode("latin-1"),
    gzip.compress(rows().encode()),
    f"Instrument: X7\nDate: 2024-01-01\n\nx,y\n{BARE}".encode(),
    f"# made by hand\n# x,y\n{BARE}".encode(),
    f"x,y\ns,mV\n{BARE}".encode(),
    ("    x       y\n" + "".join(f"{i / 10:8.3f}   {i / 5:8.3f}\n" for i in range(40))).encode(),
    ('"x","y","a, b"\n' + "".join(f'"{i}","{i / 5}","a ""quoted"" cell\nof two lines"\n' for i in range(30))).encode(),
    ("x;y\n" + "".join(f"{i};1 {i:03d}\n" for i in range(30))).encode(),
    "".join(f'{{"x": {i / 10}, "y": {i / 5}}}\n' for i in range(30)).encode(),
]  # fmt: skip
BYTES = [
    b"\0", b"\0" * 50, b'"', b'""', b"'", b",", b";", b"\t", b"\n", b"\r", b"\r\n", b"\n\n\n", b"#", b"% ", b"\\",
    b"\xff", b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3", b"\xe9", b"\x80", b"\x1a", b"\x07", b"\x0c", b"\x0b",
    b"\xc2\xa0", b"\xe2\x88\x92", b"\xe2\x80\xa8", b"nan", b"NA", b"inf", b"-", b"#N/A", b"1e999", b"9" * 400,
    b"a" * 70_000, b"a" * 300_000, b'"' + b"x" * 140_000, b"x,", b"x", b"y", b"sep=;\n", b"%", b"$", b"1,234.5",
    b"Total", b"{", b"[", b"}", b" ", b"    ", b"2024-01-01", b"true", b"=1+1", b"1,5e-3", b"<html>",
]  # fmt: skip
ENCODINGS = ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "gbk", "utf-7", "cp037", "shift-jis"]


def mutated_file(chance: random.Random) -> bytes:
    content = chance.choice(FILES)
    for _ in range(chance.choice([1, 1, 1, 2, 4, 20])):
        size = len(content)
        place = chance.randrange(size + 1 if chance.random() < 0.6 else min(30, size + 1))
        end = min(size, place + chance.choice([1, 1, 3, 30, 200]))
        before, cut, after = content[:place], content[place:end], content[end:]
        kind = chance.random()
        if kind < 0.15:
            content = before + bytes(byte ^ (1 << chance.randrange(8)) for byte in cut) + after
        elif kind < 0.3:
            content = before + after
        elif kind < 0.65:
            content = before + chance.choice(BYTES) + (cut if chance.random() < 0.6 else b"") + after
        elif kind < 0.72:
            content = before
        elif kind < 0.77:
            content = before + cut * chance.choice([2, 50, 2_000]) + after
        elif kind < 0.82:
            lines = content.split(b"\n")
            lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))
            content = b"\n".join(lines)
        elif kind < 0.87:
            content = content.decode(errors="ignore").encode(chance.choice(ENCODINGS), errors="ignore")
        elif kind < 0.92:
            content = content.replace(
                chance.choice([b",", b"\n", b" ", b"1", b".", b"y"]),
                chance.choice([b"", b"\t", b";", b"\r\n", b'"', b"x", b"\0", b",,"]),
            )
        elif kind < 0.96:
            content += bytes(chance.randrange(256) for _ in range(chance.choice([1, 20, 300])))
        else:
            content *= chance.choice([2, 100])
        content = content[:3_000_000]
    return content


@pytest.mark.parametrize("seeds", [FEW_FILES, MANY_FILES])
@pytest.mark.filterwarnings("ignore")
def test_a_mutated_file_is_read_or_refused(seeds: range, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for seed in seeds:
        Path("t.csv").write_bytes(mutated_file(random.Random(seed)))
        print(seed)
        answer(lambda: open_table("t.csv", where="x > 1").numbers(["y"]))
        answer(lambda: descend.fit("y ~ a*x + b", "t.csv", missing="drop"))


FORMULAS = [
    "y ~ a*exp(-b*x) + c", "y ~ w @ [x, z, x*z] + b", "y ~ A*sin(f*x + p) + d", "y ~ top/(1 + (x/ec50)^hill)",
    "log(y) ~ a + b*log(x)", "y ~ where(x > k, a*(x - k), 0) + b", "y ~ V[g]*x/(K + x)", "y ~ w @ [*] + b",
    "y ~ a + b*`x` - c*max(x, z)**2", "y ~ sigmoid(w @ [x, z] + b)",
]  # fmt: skip
WORDS = [
    *"()[]@~*^-+/%=!<>.,;:`'\"\\{}#$|?&\n\t\0 ", "**", "~~", "//", "<=", "and", "or", "not", "if", "lambda", "import",
    "None", "True", "nan", "inf", "pi", "e", "1e999", "1e-999", "9" * 400, "0x10", "1_000", "..", "``", "é", "а", "α",
    "∞", "²", "√", "−", "×", "\u200b", "\ufeff", "😀", "x", "y", "z", "a", "b", "w", "[*]", "[x*]", "[]", "[x]", "exp(",
    "log(0)", "sqrt(-1)", "1/0", "0^0", "x^x^x", "where(", "max()", "min(x)", "sum(x)", "__import__('os')", "x.y",
    "w[1]", "I(x)", "0*", "1e308*1e308", "()", "exp()", "((((", "))))", "gamma(x)", "erf(x)", "abs", "sign(x)", "2x",
    "normal()", "x'", "[[x]]", "[x,,z]",
]  # fmt: skip
AROUND = [("(", ")"), ("[", "]"), ("-(", ")"), ("exp(", ")"), ("1+(", ")"), ("x*(a+", ")"), ("sin(", ")")]


def mutated_formula(chance: random.Random) -> str:
    text = chance.choice(FORMULAS)
    for _ in range(chance.choice([1, 1, 1, 2, 3, 6])):
        place = chance.randrange(len(text) + 1)
        end = min(len(text), place + chance.choice([1, 1, 2, 5]))
        before, cut, after = text[:place], text[place:end], text[end:]
        left, _, right = text.partition("~")
        kind = chance.random()
        if kind < 0.2:
            text = before + after
        elif kind < 0.65:
            text = before + chance.choice(WORDS) + ("" if chance.random() < 0.4 else cut) + after
        elif kind < 0.72:
            text = before + cut * chance.choice([2, 3, 50]) + after
        elif kind < 0.78:
            depth, (opened, closed) = chance.choice([3, 40, 300, 5_000]), chance.choice(AROUND)
            text = f"{left}~{opened * depth}{right}{closed * depth}"
        elif kind < 0.83:
            parts = (right.replace("a", f"a{i}") if i % 2 else right for i in range(chance.choice([5, 60, 400])))
            text = f"{left}~{chance.choice('+*-/^').join(parts)}"
        elif kind < 0.9:
            text = before + cut[::-1] + after
        elif kind < 0.95:
            text = before + chr(chance.choice([*range(32, 127), *range(0xA0, 0x400), 0x202E, 0xD7FF, 0x1F600])) + after
        else:
            old, new = chance.sample(["x", "y", "z", "a", "b", "c", "exp", "~", "+", "*", "(", ")", "g"], 2)
            text = text.replace(old, new)
    return text


@pytest.mark.parametrize("seeds", [FEW_FORMULAS, MANY_FORMULAS])
@pytest.mark.filterwarnings("ignore")
def test_a_mutated_formula_is_fitted_or_refused(seeds: range) -> None:
    x = np.linspace(0.1, 5, 30)
    noise = np.random.default_rng(0).normal(size=30)
    data = {"x": x, "z": noise, "y": 3 * np.exp(-x) + 1 + 0.05 * noise[::-1], "g": np.array(["p", "q", "r"] * 10)}
    for seed in seeds:
        text = mutated_formula(random.Random(seed))
        print(seed, text[:200])
        refused = answer(partial(read_formula, text, list(data), ["x", "y", "z"]))
        assert answer(partial(descend.fit, text, data)) or not refused
        answer(partial(descend.derive, text))
        answer(partial(descend.explain, text))
