"""The formats of published tables: LaTeX with booktabs, Markdown, CSV and HTML."""

from __future__ import annotations

import csv
import io
import math
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from descend.errors import ConfigError, OutputError
from descend.formula.printers.latex import as_latex
from descend.formula.symbols import RealSymbol
from descend.registry import closest
from descend.report.published.cells import Cell, Estimate, Interval, Measure, Name, Number, Published
from descend.report.published.rounding import Written, end

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
MINUS = "\N{MINUS SIGN}"
PLAIN_NAME = re.compile(r"[A-Za-z]\w*")


class Format(ABC):
    """How a table is written. errors: ``parentheses`` or ``plus-minus``."""

    minus, plus_minus, apart = MINUS, " ± ", ", "

    def __init__(self, errors: str) -> None:
        self.parentheses = errors == "parentheses"

    @abstractmethod
    def table(self, published: Published) -> str:
        """Return the table as text."""

    @abstractmethod
    def text(self, text: str) -> str:
        """Return a text with what the format would read otherwise escaped."""

    @abstractmethod
    def powered(self, number: str, power: int) -> str:
        """Return a number times a power of ten."""

    def number(self, text: str) -> str:
        """Return a number with the minus of the format."""
        return text.replace("-", self.minus)

    def name(self, name: str) -> str:
        return self.text(name)

    def cell(self, cell: Cell) -> str:
        """Return what stands in a cell."""
        if cell is None:
            return ""
        if isinstance(cell, Name):
            return self.name(cell.text)
        if isinstance(cell, Estimate):
            return self.estimate(cell.written)
        if isinstance(cell, Interval):
            return self.interval(cell)
        if isinstance(cell, Number):
            return self.plain_number(cell.text)
        return self.text(cell) if isinstance(cell, str) else self.measure(cell.unit)

    def measure(self, unit: str) -> str:
        """Return a unit."""
        return self.text(unit)

    def plain_number(self, text: str) -> str:
        digits, _, power = text.partition("e")
        return self.powered(self.number(digits), int(power)) if power else self.number(digits)

    def estimate(self, estimate_text: Written) -> str:
        value = self.number(estimate_text.value)
        if not estimate_text.error:
            return self.powered(value, estimate_text.power) if estimate_text.power else value
        error = self.number(estimate_text.error)
        if self.parentheses:
            last = error if estimate_text.places is None else estimate_text.in_last_digits
            value = f"{value}({last})"
            return self.powered(value, estimate_text.power) if estimate_text.power else value
        both = f"{value}{self.plus_minus}{error}"
        return self.powered(f"({both})", estimate_text.power) if estimate_text.power else both

    def interval(self, cell: Interval) -> str:
        if math.isnan(cell.low) and math.isnan(cell.high):
            return ""
        like = cell.of.written
        both = f"[{self.apart.join(self.number(end(each, like)) for each in (cell.low, cell.high))}]"
        return self.powered(both, like.power) if like.power else both

    def rows(self, section: Sequence[Sequence[Cell]]) -> list[list[str]]:
        return [[self.cell(cell) for cell in row] for row in section]


WORDS = {"\\": "backslash", "^": "asciicircum", "~": "asciitilde", "<": "less", ">": "greater", "|": "bar"}
SMALL = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho varsigma sigma tau upsilon"
GREEK = dict(zip("αβγδεζηθικλμνξπρςστυφχψω", f"{SMALL} phi chi psi omega".split(), strict=True))
LARGE = "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
GREEK |= dict(zip("ΓΔΘΛΞΠΣΥΦΨΩ", LARGE.split(), strict=True))
GREEK |= {"\N{OHM SIGN}": "Omega", "\N{MICRO SIGN}": "mu", "ϕ": "phi", "ϑ": "vartheta", "ϵ": "varepsilon"}
"""Greek letters by their names, which TeX has as commands; the others look like Latin ones."""
SUPERSCRIPTS = {raised: f"^{{{plain}}}" for raised, plain in zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True)}
SUBSCRIPTS = {low: f"_{{{plain}}}" for low, plain in zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True)}
MATHS = {"²": "^2", "χ": r"\chi", "Δ": r"\Delta", "±": r"\pm", "µ": r"\mu", "μ": r"\mu", "∞": r"\infty", "−": "-"}
MATHS = SUPERSCRIPTS | SUBSCRIPTS | {letter: f"\\{name}" for letter, name in GREEK.items()} | MATHS


class Latex(Format):
    """A ``tabular`` with the lines of booktabs; numbers are mathematics, so that a minus is one."""

    minus, plus_minus = "-", r" \pm "
    ESCAPES: Mapping[str, str] = (
        {letter: f"\\{letter}" for letter in "{}$&#_%"}
        | {letter: rf"\text{word}{{}}" for letter, word in (WORDS | {"`": "asciigrave", '"': "quotedbl"}).items()}
        | {letter: f"${code}$" for letter, code in (MATHS | {"°": r"^\circ", "×": r"\times"}).items()}
        | {"–": "--", "€": r"\texteuro{}"}
    )

    def text(self, text: str) -> str:
        return "".join(self.ESCAPES.get(letter, letter) for letter in " ".join(text.split()))

    def name(self, name: str) -> str:
        base, bracket, bracket_text = name.partition("[")
        if base[:1] in GREEK:
            base = GREEK[base[0]] + base[1:]
        if PLAIN_NAME.fullmatch(base) and base.isascii():
            return f"${as_latex(RealSymbol(base))}$" + self.text(bracket + bracket_text)
        return self.text(name)

    def measure(self, unit: str) -> str:
        from descend.units.library import is_installed, unit_of

        unit_text = unit_of(unit) if is_installed() else None
        return self.text(unit) if unit_text is None else f"${unit_text.latex}$"

    def powered(self, number: str, power: int) -> str:
        return rf"{number} \times 10^{{{power}}}"

    def plain_number(self, text: str) -> str:
        return f"${super().plain_number(text)}$"

    def estimate(self, estimate_text: Written) -> str:
        latex_text = super().estimate(estimate_text).replace("∞", r"\infty")
        return "--" if estimate_text.value == "–" else f"${latex_text}$"

    def interval(self, cell: Interval) -> str:
        latex_text = super().interval(cell).replace("∞", r"\infty").replace("–", r"\text{--}")
        return f"${latex_text}$" if latex_text else ""

    def table(self, published: Published) -> str:
        sides = "".join("r" if _numeric(published, column) else "l" for column in range(len(published.heads)))
        lines = [
            f"% {' '.join(published.caption.split())}",
            r"% \usepackage{booktabs}",
            rf"\begin{{tabular}}{{{sides}}}",
            r"\toprule",
            " & ".join(map(self.text, published.heads)) + r" \\",
        ]
        for section in published.filled:
            lines.append(r"\midrule")
            lines += [self._row(row) for row in self.rows(section)]
        lines += [r"\bottomrule", r"\end{tabular}"]
        notes = [self.text(f"{note}.") for note in published.notes]
        return "\n".join([*lines, *([rf"\par\smallskip{{\footnotesize {' '.join(notes)}\par}}"] if notes else [])])

    @staticmethod
    def _row(cells: Sequence[str]) -> str:
        line = " & ".join(cells).rstrip()
        # After the end of a row, a bracket or a star would be read as its argument.
        return ("{}" if line[:1] in ("[", "*") else "") + line + r" \\"


class Markdown(Format):
    """A table of pipes, which GitHub, Pandoc and notebooks read."""

    def text(self, text: str) -> str:
        return re.sub(r"([\\`*_{}\[\]<>#|~$])", r"\\\1", " ".join(text.split()))

    def powered(self, number: str, power: int) -> str:
        return f"{number} × 10{str(power).translate(RAISED)}"

    def interval(self, cell: Interval) -> str:
        return super().interval(cell).replace("[", r"\[").replace("]", r"\]")

    def table(self, published: Published) -> str:
        columns = range(len(published.heads))
        lines = [
            self._row(map(self.text, published.heads)),
            self._row("---:" if _numeric(published, column_number) else "---" for column_number in columns),
            *(self._row(row) for section in published.filled for row in self.rows(section)),
        ]
        notes = [self.text(f"{note}.") for note in published.notes]
        return "\n".join([*lines, *(["", " ".join(notes)] if notes else [])])

    @staticmethod
    def _row(cells: object) -> str:
        return f"| {' | '.join(cells)} |"  # type: ignore[arg-type]


class Html(Format):
    """A ``<table>``; its style is that of the page it is put into."""

    def text(self, text: str) -> str:
        return escape(" ".join(text.split()))

    def powered(self, number: str, power: int) -> str:
        return f"{number} × 10<sup>{self.number(str(power))}</sup>"

    def table(self, published: Published) -> str:
        sides = [
            ' style="text-align:right"' if _numeric(published, column) else "" for column in range(len(published.heads))
        ]
        heads = "".join(f"<th{side}>{self.text(head)}</th>" for side, head in zip(sides, published.heads, strict=True))
        bodies = []
        for section in published.filled:
            rows = "\n".join(
                "<tr>" + "".join(f"<td{side}>{cell}</td>" for side, cell in zip(sides, row, strict=True)) + "</tr>"
                for row in self.rows(section)
            )
            bodies.append(f"<tbody>\n{rows}\n</tbody>")
        notes = " ".join(self.text(f"{note}.") for note in published.notes)
        caption = f"<caption>{self.text(published.caption)}</caption>"
        html_rows = "\n".join([f"<thead><tr>{heads}</tr></thead>", *bodies])
        return f"<table>\n{caption}\n{html_rows}\n</table>" + (f"\n<p>{notes}</p>" if notes else "")


class Csv(Format):
    """Comma-separated values: an estimate is its value, its error, and both as written; an interval is its ends."""

    minus, plus_minus = "-", "+/-"

    def text(self, text: str) -> str:
        return text

    def powered(self, number: str, power: int) -> str:
        return f"{number}e{power}"

    def table(self, published: Published) -> str:
        file = io.StringIO()
        lines = csv.writer(file, lineterminator="\n")
        rows = [row for section in published.filled for row in section]
        kinds = [
            next((type(row[column_number]) for row in rows if row[column_number] is not None), str)
            for column_number in range(len(published.heads))
        ]
        heads = zip(published.heads, kinds, strict=True)
        lines.writerow([each for head, kind in heads for each in self._heads(head, kind)])
        for row in rows:
            lines.writerow([each for cell, kind in zip(row, kinds, strict=True) for each in self._cells(cell, kind)])
        return file.getvalue().rstrip("\n")

    @staticmethod
    def _heads(head: str, kind: type) -> list[str]:
        if kind is Estimate:
            return [head, f"{head} error", f"{head} written"]
        return [f"{head} low", f"{head} high"] if kind is Interval else [head]

    def _cells(self, cell: Cell, kind: type) -> list[str]:
        if isinstance(cell, Estimate):
            return [_repr(cell.value), _repr(cell.error), self.cell(cell)]
        if isinstance(cell, Interval):
            return [_repr(cell.low), _repr(cell.high)]
        if isinstance(cell, Number):
            return [_repr(cell.value), *([""] * (2 if kind is Estimate else 0))]
        cell_text = cell.text if isinstance(cell, Name) else cell.unit if isinstance(cell, Measure) else cell or ""
        return [cell_text, *([""] * {Estimate: 2, Interval: 1}.get(kind, 0))]


def _repr(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else repr(value if isinstance(value, int) else float(value))


def _numeric(published: Published, column: int) -> bool:
    """Whether a column holds numbers."""
    return any(isinstance(row[column], Estimate | Interval | Number) for section in published.filled for row in section)


FORMATS: Mapping[str, type[Format]] = {"latex": Latex, "markdown": Markdown, "csv": Csv, "html": Html}
ENDINGS = {".tex": "latex", ".md": "markdown", ".csv": "csv", ".html": "html", ".htm": "html"}
"""The format that the ending of a file means."""


def write_tables(published: Sequence[Published], format: str, errors: str) -> str:
    """Return tables as text, one after the other. Raises ConfigError for a format that there is not."""
    name = {ending[1:]: table_format for ending, table_format in ENDINGS.items()}.get(format, format)
    if name not in FORMATS:
        raise ConfigError(
            f"There is no format `{format}` of a table.{closest(str(format), FORMATS)} Known: {', '.join(FORMATS)}."
        )
    writer = FORMATS[name](errors)
    return "\n\n".join(writer.table(each) for each in published) + "\n"


def format_of(path: str | os.PathLike[str]) -> str:
    """Return the format that the ending of a file means. Raises OutputError if it means none."""
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        raise OutputError(f"`{os.fspath(path)}` cannot be a table: its ending must be one of {', '.join(ENDINGS)}.")
    return ENDINGS[ending]
