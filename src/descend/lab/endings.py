"""What happened, in words: how each descent ended, why, and what to do."""

from __future__ import annotations

import re
from typing import Any

from descend.errors import DescendError
from descend.gradients.court import Judgement
from descend.lab import chinese as zh
from descend.lab.descents import Descents
from descend.lab.equations import number
from descend.lab.film import COLOURS
from descend.lab.texts import OUTCOMES, Words
from descend.lab.valley import Valley, other_valley

MOST_NAMED = 6
KINDS = {"converged": "success", "epochs_used_up": "partial", "time_used_up": "partial"}


def verdicts(found: Descents, say: Words, chinese: bool) -> list[Any]:
    """Return how the descents ended: a table if several race, and a box for each that has something to say."""
    boxes = [_verdict(name, found, say, chinese) for name in found.fits]
    return [_table(found, say, chinese), *boxes]


def legend(found: Descents) -> list[Any]:
    """Return which colour is whose, where several race."""
    from dash import html

    if len(found.fits) == 1:
        return []
    return [html.Span(_named(place, name), className="key") for place, name in enumerate(found.fits)]


def unbroken(text: str) -> list[Any]:
    """Return a command line whose options are not broken at their hyphens."""
    from dash import html

    return [part if part.isspace() else html.Span(part, className="word") for part in re.split(r"(\s)", text) if part]


def dotted(say: Words) -> Any:
    """Return what the dotted lines are."""
    from dash import html

    return html.Span([html.Span(className="dots", **{"aria-hidden": "true"}), say("lowest")], className="key")


def error_text(error: DescendError) -> Any:
    """Return an error: what it says, and where in the text it points."""
    from dash import html

    lines = str(error).split("\n")
    if len(lines) < 4 or not lines[1].startswith("    "):
        return html.P(prose(str(error)), className="error")
    text = "\n".join(line[4:] for line in lines[1:3])
    rest = " ".join(lines[3:])
    return html.Div([html.P(prose(lines[0])), html.Pre(text), html.P(prose(rest))], className="error")


def judged(judgement: Judgement, say: Words, chinese: bool) -> Any:
    """Return what the court says of a gradient by hand."""
    from dash import html

    kind = "success" if judgement.agree else "failure"
    sign = "✓" if judgement.agree else "✕"
    sentence = zh.verdict(judgement) if chinese else judgement.sentence
    told = html.P([html.Span(f"{sign} ", **{"aria-hidden": "true"}), *prose(sentence)], className=f"judged {kind}")
    if not chinese:
        return told
    return html.Div([told, html.Details([html.Summary(say("details")), html.P(prose(judgement.sentence))])])


def prose(text: str) -> list[Any]:
    """Return a sentence in which what stands in backticks is code."""
    from dash import html

    parts = text.split("`")
    if len(parts) % 2 == 0:
        return ["`".join(parts)]
    return [html.Code(part) if place % 2 else part for place, part in enumerate(parts) if part]


def _table(found: Descents, say: Words, chinese: bool) -> Any:
    from dash import html

    head = html.Tr([html.Th(text, scope="col") for text in
                    (say("run"), say("outcome"), say("used"), "J", "η", say("parameters"))])  # fmt: skip
    lines = []
    for place, (name, fit) in enumerate(found.fits.items()):
        ended = OUTCOMES[str(fit.outcome)][chinese]
        values = ",  ".join(
            f"{label} = {number(float(value))}"
            for label, value in zip(fit.model.parameters.labels[:4], fit.theta[:4], strict=False)
        )
        rate = "–" if fit.learning_rate is None else number(fit.learning_rate)
        cells = [ended, f"{fit.epochs:,}", number(fit.loss, 5), rate, values]
        lines.append(html.Tr([html.Th(_named(place, name), scope="row"), *map(html.Td, cells)]))
    return html.Div(html.Table([html.Thead(head), html.Tbody(lines)]), className="scroll", tabIndex=0)


def _named(place: int, name: str) -> list[Any]:
    """Return the name of a descent behind a dot of its colour."""
    from dash import html

    dot = html.Span(className=f"dot {COLOURS[place % len(COLOURS)]}", **{"aria-hidden": "true"})
    return [dot, name.replace("_", " ")]


def _verdict(name: str, found: Descents, say: Words, chinese: bool) -> Any:
    """Return the box of one descent."""
    from dash import html

    fit, several = found.fits[name], len(found.fits) > 1
    outcome, cause = str(fit.outcome), fit.diagnosis.cause
    title = OUTCOMES[outcome][chinese]
    valley = other_valley(found, name)
    short = cause is None or cause == "too_few_epochs"
    if valley is not None and short:
        title = f"{title} – {say('in_valley')}"
    elif cause is not None:
        why = zh.CAUSES[cause.value] if chinese else cause.words
        title += f"：{why}" if chinese else f": {why}"
    if several:
        title = f"{name.replace('_', ' ')} – {title}"
    sentences = [fit.advice]
    if fit.diagnosis.sentence and fit.diagnosis.sentence != fit.advice:
        sentences.append(fit.diagnosis.sentence[:1].upper() + fit.diagnosis.sentence[1:])
    english = [html.P(prose(sentence)) for sentence in sentences]
    body = [html.P(prose(zh.why(fit))), html.Details([html.Summary(say("details")), *english])] if chinese else english
    if valley is not None:  # what more epochs would do is no longer the question
        body = [html.P(_of_valley(valley, say)), *([] if short else body)]
    kind = "failure" if cause is not None and cause != "too_few_epochs" else KINDS.get(outcome, "failure")
    return html.Div([html.P(title, className="ended"), *body], className=f"verdict {kind}")


def _of_valley(valley: Valley, say: Words) -> str:
    """Say that there is a deeper valley, where, and what leads to it."""
    place = ", ".join(f"{name} = {number(value)}" for name, value in list(valley.parameters.items())[:MOST_NAMED])
    told = say("valley", floor=number(valley.floor), lowest=number(valley.lowest), place=place)
    if valley.same_start:
        return f"{told} {say('valley_same_start', name=valley.optimizer.replace('_', ' '))}"
    return f"{told} {say('valley_elsewhere')}"
