"""A judgement on a gradient as plain text, in colour on a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from descend.gradients.court import SOURCES, Finding, Judgement
from descend.report.text import MOST_PARAMETERS, WIDTH, aligned, below_each_other, folded, pad, styled, width
from descend.wording import worded


def render(judgement: Judgement, colour: bool = False, columns: int | None = None) -> str:
    """Return the verdict in words, the numbers behind it, and what to change. columns: length of a line."""
    most = WIDTH if columns is None else min(WIDTH, columns)
    findings = list(judgement.parameters.values())
    sentence = textwrap.wrap(judgement.sentence if judgement.agree else headline(judgement), most)
    kind = "success" if judgement.agree else "failure"
    at = ", ".join(f"{name}={value:.4g}" for name, value in list(judgement.at.items())[:6])
    lines = [styled(judgement.model, "formula", colour), ""]
    lines += [styled(line, kind, colour) for line in sentence]
    lines += ["", *_numbers(findings[:MOST_PARAMETERS], colour, columns)]
    if len(findings) > MOST_PARAMETERS:
        lines.append(f"  and {len(findings) - MOST_PARAMETERS:,} more: {worded('more', 'see judgement.parameters')}")
    lines += ["", *_explanations(findings, most)]
    derivative = "dJ/dparameter" if judgement.row is None else f"dprediction/dparameter in row {judgement.row:,}"
    note_lines = folded(f"The numbers are {derivative} at {at}.", most - 2).split("\n")
    return "\n".join([*lines, *(styled(f"  {line}", "note", colour) for line in note_lines)])


def headline(judgement: Judgement) -> str:
    """Say for which parameters the gradient is wrong."""
    wrong = [finding.name for finding in judgement.parameters.values() if finding.verdict != "correct"]
    if len(wrong) == len(judgement.parameters) > 1:
        return f"The {judgement.subject} is wrong, of every parameter."
    from descend.gradients.court.judgement import listed

    return f"The {judgement.subject} of {listed(wrong)} is wrong."


def _numbers(findings: Sequence[Finding], colour: bool, columns: int | None) -> list[str]:
    table = [["", *(finding.name for finding in findings)]]
    for source in SOURCES:
        values = [getattr(finding, source) for finding in findings]
        if any(value is not None for value in values):
            table.append([source.replace("_", " "), *aligned(values)])
    table.append(["verdict", *(finding.verdict.replace("_", " ") for finding in findings)])
    widths = [max(map(width, column)) for column in table]
    if columns is not None and sum(widths) + 3 * len(widths) > columns:
        return below_each_other(table, [""] * len(table[0]), colour, columns)
    lines = []
    for number, row in enumerate(zip(*table, strict=True)):
        *cells, verdict = row
        padded = [
            pad(cell, size, right=place > 0) for place, (cell, size) in enumerate(zip(cells, widths, strict=False))
        ]
        kind = "advice" if not number else "success" if verdict == "correct" else "failure"
        lines.append("   ".join(["  " + padded[0], *padded[1:], styled(verdict, kind, colour)]).rstrip())
    return lines


def explained(findings: Sequence[Finding]) -> dict[str, list[str]]:
    """Return each mistake, with the labels of the components that have it."""
    groups: dict[str, list[str]] = {}
    for finding in findings:
        if finding.verdict != "correct":
            groups.setdefault(finding.explanation, []).append(finding.name)
    return groups


def _explanations(findings: Sequence[Finding], most: int) -> list[str]:
    """Return what is wrong with the components, once for all that share a mistake."""
    groups = explained(findings)
    labels = [", ".join(names[:6]) + (" ..." if len(names) > 6 else "") for names in groups.values()]
    size = max(map(width, labels), default=0)
    lines = []
    for label, text in zip(labels, groups, strict=True):
        indent = " " * (size + 5)
        wrapped = textwrap.wrap(text[:1].upper() + text[1:], most - len(indent), break_long_words=False)
        lines.append(f"  {pad(label, size)}   {wrapped[0]}")
        lines += [indent + line for line in wrapped[1:]]
    return [*lines, ""] if lines else []
