"""Results in a notebook: tables, mathematics and pictures, without a script and without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import singledispatch
from html import escape

import numpy as np

from descend.descent.step import Trace
from descend.diagnosis.explanation import Explanation
from descend.gradients.court import SOURCES, Judgement
from descend.gradients.derivation import Derivation
from descend.inference.fitted import Fitted
from descend.inference.goodness.diagnostics import Diagnostics
from descend.inference.intervals import Intervals
from descend.inference.prediction.inverse_answer import Inverse
from descend.inference.quantities.estimate import Estimated
from descend.inference.rows.influence import Influence
from descend.parameters import digits_of
from descend.report import html, influence_section, mathematics, panels
from descend.report.cells import RIGHT, heads, minus, number, prose, table
from descend.report.document import figure
from descend.report.gradient_judgement import explained, headline
from descend.report.race import summary, winner

LANGUAGES = {"text": "Text", "numpy": "NumPy", "torch": "PyTorch", "sql": "SQL", "latex": "LaTeX"}
"""The formats in which a derivation is shown, and their titles."""


MOST_STEPS, MOST_VALUES = 12, 8
"""So many steps of a trace are shown, and so many parameters of each."""


@singledispatch
def short(result: object) -> str:
    """Return the HTML that a notebook shows of a result."""
    raise NotImplementedError(f"There is no short form of {type(result).__name__}.")


@short.register
def _(result: Fitted) -> str:
    return html.short(result)


@short.register
def _(result: Explanation) -> str:
    lines = [
        f'<tr><th scope="row">{escape(label.strip())}</th><td>{prose(text)}</td></tr>' for label, text in result.lines()
    ]
    return html.box(f'<div class="equation">{mathematics.model(result.formula)}</div>' + _rows(lines))


@short.register
def _(result: Derivation) -> str:
    html_lines = [mathematics.model(result.formula), mathematics.objective(result)]
    html_lines += [line for _, line in mathematics.gradient(result)]
    equations = "".join(f'<div class="equation">{line}</div>' for line in html_lines)
    codes = "".join(
        f"<details><summary>{name}</summary><pre><code>{escape(result.shown(language))}</code></pre></details>"
        for language, name in LANGUAGES.items()
    )
    return html.box(equations + codes)


@short.register
def _(result: Judgement) -> str:
    kind = "success" if result.agree else "failure"
    sentence = result.sentence if result.agree else headline(result)
    findings = list(result.parameters.values())
    sources = [name for name in SOURCES if any(getattr(evidence, name) is not None for evidence in findings)]
    lines = []
    for name, evidence in result.parameters.items():
        cells = "".join(f"<td{RIGHT}>{number(getattr(evidence, source), 6)}</td>" for source in sources)
        verdict = escape(evidence.verdict.replace("_", " "))
        lines.append(f'<tr><th scope="row"><code>{escape(name)}</code></th>{cells}<td>{verdict}</td></tr>')
    reasons = "".join(
        f"<p><code>{escape(', '.join(names))}</code>: {prose(reason)}</p>"
        for reason, names in explained(findings).items()
    )
    verdict = f'<div class="{kind}"><p class="ended">{escape(sentence)}</p></div>'
    return html.box(
        f'<p class="fitted"><code>{escape(result.model)}</code></p>{verdict}'
        + _titled(
            ["parameter", *(name.replace("_", " ") for name in sources), "verdict"],
            lines,
            "Gradient",
            range(1, len(sources) + 1),
        )
        + reasons
    )


@short.register
def _(result: Intervals) -> str:
    lines = []
    for label, (low, high) in result.labelled.items():
        ends = (minus(f"{end:.{digits_of(end, abs(high - low) / 4.0)}g}") for end in (low, high))
        cells = "".join(f"<td{RIGHT}>{end}</td>" for end in ends)
        lines.append(f'<tr><th scope="row"><code>{escape(label)}</code></th>{cells}</tr>')
    level = f"<p>{result.level * 100:.10g}% intervals, by {escape(result.method)}</p>"
    return html.box(level + _titled(["parameter", "low", "high"], lines, "Intervals", (1, 2)) + _notes(result.notes))


@short.register
def _(result: Diagnostics) -> str:
    lines = [
        f'<tr><th scope="row">{escape(check.name)}</th><td{RIGHT}>{number(check.statistic, 4)}</td>'
        f"<td{RIGHT}>{number(check.p, 3)}</td><td>{prose(check.verdict)}</td></tr>"
        for check in result.checks
    ]
    judged = f"<p>{result.rows:,} rows judged" + (f", of {result.sampled:,}" if result.sampled else "") + "</p>"
    titles = ["check", "statistic", "p", "verdict"]
    residuals_html = judged + _titled(titles, lines, "Residuals", (1, 2)) if lines else ""
    return html.box(residuals_html + _notes([result.note] if result.note else []))


@short.register
def _(result: Influence) -> str:
    return html.box(influence_section.listed(result))


@short.register(Estimated)
@short.register(Inverse)
def _(result: Estimated | Inverse) -> str:
    return html.box(f"<p>{prose(result).replace(chr(10), '<br>')}</p>")


@short.register
def _(result: Trace) -> str:
    if not result:
        return html.box("<p>A fit that was loaded has no steps.</p>")
    steps_shown = sorted({round(place) for place in np.linspace(0, len(result) - 1, min(len(result), MOST_STEPS))})
    first = result[0]
    values = list(first.names.labels[:MOST_VALUES]) if first.names is not None else []
    measures = list(result[-1].measures or {})
    titles = ["epoch", "loss", *(name.replace("_", " ") for name in measures), "|gradient|", *values]
    lines = []
    for step in (result[place] for place in steps_shown):
        measured = ((step.measures or {}).get(name) for name in measures)
        residuals_html = [step.loss, *measured, step.gradient_norm, *(step.theta[: len(values)] if values else ())]
        cells = "".join(f"<td{RIGHT}>{number(value, 6)}</td>" for value in residuals_html)
        lines.append(f'<tr><th scope="row"{RIGHT}>{step.epoch:,}</th>{cells}</tr>')
    left_out = len(result) - len(steps_shown)
    level = f"<p>{left_out:,} steps between these are not shown.</p>" if left_out else ""
    return html.box(_titled(titles, lines, "The steps", range(len(titles))) + level)


def compared(fits: Mapping[str, Fitted]) -> str:
    """Return HTML for a notebook: several optimizers on one problem, how far each came, and their losses."""
    first = next(iter(fits.values()))
    formula = f'<p class="fitted"><code>{escape(str(first.model))}</code></p>'
    picture = figure(panels.comparison(fits), f"race-{id(first):x}-")
    return html.box(f"{formula}<p>{winner(fits)}</p>{summary(fits)}{picture}")


def _titled(titles: Sequence[str], lines: Sequence[str], name: str, numbers: Sequence[int]) -> str:
    return table(heads(titles, numbers), lines, name)


def _rows(lines: Sequence[str]) -> str:
    return f"<table><tbody>{''.join(lines)}</tbody></table>"


def _notes(notes: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{prose(note)}</li>' for note in notes)}</ul>" if notes else ""
