"""A report as lines for people: what was found first, then how the script ended and what was watched."""

from __future__ import annotations

import textwrap

from descend.doctor.examination import Report
from descend.doctor.finding import WARNING, Finding, counted

WIDTH = 100
RED, YELLOW, GREEN, BOLD, DIM = "1;31", "33", "32", "1", "2"
ENDINGS = {
    "finished": "the script ran to its end",
    "stopped": "the script was ended after the steps asked for",
    "interrupted": "the script was interrupted",
    "exited": "the script ended itself",
    "raised": "the script raised an error",
}


def render(report: Report, colour: bool = False) -> str:
    """Return the report as text, in colour if asked for."""

    def styled(text: str, code: str) -> str:
        return f"\033[{code}m{text}\033[0m" if colour else text

    count = len(report.findings)
    if count:
        head = styled(f"{report.script}: {counted(count, 'problem')} found", RED)
    elif report.healthy:
        head = styled(f"{report.script}: nothing wrong was found", GREEN)
    else:
        head = styled(f"{report.script}: {ENDINGS[report.outcome]}", RED)
    lines = [head]
    for finding in report.findings:
        where = f"   {finding.place}: {finding.place.code}" if finding.place else ""
        name = styled(finding.name, YELLOW if finding.severity == WARNING else RED)
        lines += ["", f"  {name}{where}", *_paragraphs(finding)]
        lines += ["    Fix:", *(styled(f"        {line}", BOLD) for line in finding.fix.splitlines())]
    if report.error is not None:
        lines += ["", *textwrap.wrap(report.error, WIDTH, initial_indent="  ", subsequent_indent="    ")]
        lines += [f"    {place}: {place.code}" for place in report.traceback]
    lines += ["", *(styled(line, DIM) for line in _watched(report))]
    return "\n".join(lines)


def _paragraphs(finding: Finding) -> list[str]:
    evidence = "; ".join(f"{name.replace('_', ' ')} {_shown(value)}" for name, value in finding.evidence.items())
    texts = [f"{finding.symptom} {finding.why}", *([f"Evidence: {evidence}."] if evidence else [])]
    return [
        line
        for text in texts
        for line in textwrap.wrap(
            text, WIDTH, initial_indent="    ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
        )
    ]


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_shown, value))
    return "none" if value is None else str(value)


def _watched(report: Report) -> list[str]:
    seen = report.watched
    parts = [ENDINGS[report.outcome], counted(seen["backward_passes"], "backward pass")]
    for one in seen["optimizers"]:
        name = f" `{one['name']}`" if one["name"] else ""
        rate = one["last_rate"]
        at = "" if rate is None or rate != rate else f", learning rate {rate:.4g}"
        parts.append(f"{counted(one['steps'], 'step')} of {one['optimizer']}{name}{at}")
    if not seen["optimizers"] and seen["steps"]:
        parts.append(f"{counted(seen['steps'], 'step')} by hand")
    if seen["first_loss"] is not None:
        parts.append(f"loss {seen['first_loss']:.4g} at first, {seen['last_loss']:.4g} at last")
    if "checks_left_out" in seen:
        parts.append("left out after an error of the doctor's own: " + ", ".join(seen["checks_left_out"]))
    text = "Watched: " + "; ".join(parts) + "."
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
