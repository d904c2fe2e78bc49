"""The result in words: how each descent ended, why, and what to do."""

from __future__ import annotations

import re

from descend.errors import DescendError
from descend.gradients.court import Judgement
from descend.lab.descents.deeper_valley import Valley, other_valley
from descend.lab.descents.runs import Descents
from descend.lab.figures.data_figure import Scene, colour_name
from descend.lab.figures.step_in_numbers import number
from descend.lab.page import elements as html
from descend.lab.page.elements import Element
from descend.lab.words import chinese_messages as zh
from descend.lab.words.texts import OUTCOMES, Words
from descend.report import grouped
from descend.report.units import unit_of_label
from descend.report.view_of_fit import view
from descend.results import Fit

MOST_NAMED = 6
MOST_LISTED = 4
KINDS = {"converged": "success", "epochs_used_up": "partial", "time_used_up": "partial", "stopped_early": "success"}
HIDDEN = {"aria-hidden": "true"}
SHORT_OF_EPOCHS = "too_few_epochs"
"""The one cause that is not a failure: more epochs would do."""


def verdicts(runs: Descents, say: Words) -> list[Element]:
    """Return how the descents ended: a table if several race, and a box for each that has something to say."""
    return [_table(runs, say), *(_verdict(name, runs, say) for name in runs.fits)]


def legend(runs: Descents) -> list[Element]:
    """Return the legend, which colour is which optimizer; empty unless several race."""
    if len(runs.fits) == 1:
        return []
    return [html.Span(_named(run_number, name), className="key") for run_number, name in enumerate(runs.fits)]


def groups_key(runs: Descents) -> list[Element]:
    """Return the legend of the rows: which colour is which group, where parameters belong to groups."""
    view_of_rows, keys = view(runs.first), []
    for name, colour in grouped.coloured(view_of_rows) if grouped.together(view_of_rows) else ():
        dot = html.Span(className="dot", style={"background": colour}, **HIDDEN)
        keys.append(html.Span([dot, name], className="key"))
    return keys


def sides_key(runs: Descents, say: Words) -> list[Element]:
    """Return the legend of two kinds of rows, and of the border between them; empty where they are not drawn."""
    scene = Scene.of(runs)
    if not scene.sides:
        return []
    border = [] if len(runs.fits) > 1 else [("stroke", say("border"))]  # of several the legend says whose is which
    response = scene.seen.response
    named = [("dot blue", f"{response} = 0"), ("wedge", f"{response} = 1"), *border]
    return [_key(kind, text) for kind, text in named]


def lowest_key(say: Words) -> Element:
    """Return the legend of the dotted lines."""
    return _key("dots", say("lowest"))


def held_out_key(runs: Descents, say: Words) -> list[Element]:
    """Return the legend of the dashed line, the loss of the rows held out; empty where there are none."""
    return [] if runs.state.validation is None else [_key("dashes", say("held_out"))]


def held_out_rows_key(runs: Descents, say: Words) -> list[Element]:
    """Return the legend of the rows held out; empty where none are drawn."""
    return [html.Span(["△ ", say("held_out_rows")], className="key")] if Scene.of(runs).held_out() else []


def _key(sign: str, text: str) -> Element:
    """Return a sign of a figure, and what it stands for."""
    return html.Span([html.Span(className=sign, **HIDDEN), text], className="key")


def unbroken(text: str) -> list[Element | str]:
    """Return a text in which command-line options are not broken at their hyphens."""
    return [
        piece if piece.isspace() else html.Span(piece, className="word") for piece in re.split(r"(\s)", text) if piece
    ]


def error_text(error: DescendError, say: Words) -> Element:
    """Return an error message, and where in the text it points; below a Chinese sentence where it is English."""
    lines = str(error).split("\n")
    english = {"lang": "en"} if say.chinese and str(error)[:1].isascii() else {}
    lead = [html.P(zh.MESSAGE_BELOW)] if english else []
    if len(lines) < 4 or not lines[1].startswith("    "):
        body = [html.P(prose(str(error)), **english)]
    else:
        pointed = html.Pre("\n".join(line[4:] for line in lines[1:3]))
        body = [html.P(prose(lines[0]), **english), pointed, html.P(prose(" ".join(lines[3:])), **english)]
    return html.Div([*lead, *body], className="error")


def judgement_text(judgement: Judgement, say: Words) -> Element:
    """Return the judgement on a gradient by hand, in words."""
    kind, sign = ("success", "✓") if judgement.agree else ("failure", "✕")
    sentence = zh.verdict(judgement) if say.chinese else judgement.sentence
    sentences = [html.Span(f"{sign} ", **HIDDEN), *prose(sentence)]
    sentences_html = html.P(sentences, className=f"judged {kind}")
    return html.Div([sentences_html, _details([judgement.sentence], say)]) if say.chinese else sentences_html


def prose(text: str) -> list[Element | str]:
    """Return a sentence with the text in backticks set as code."""
    prose_parts = text.split("`")
    if len(prose_parts) % 2 == 0:
        return [text]
    return [html.Code(part) if part_number % 2 else part for part_number, part in enumerate(prose_parts) if part]


def _details(sentences: list[str], say: Words) -> Element:
    """Return the library's own English sentences, to stand below a Chinese one."""
    return html.Details([html.Summary(say("details")), *(html.P(prose(sentence), lang="en") for sentence in sentences)])


def _table(runs: Descents, say: Words) -> Element:
    held_out_head = [] if runs.state.validation is None else [say("held_out_loss")]
    heads = (say("run"), say("outcome"), say("used"), "J", *held_out_head, "η", say("parameters"))
    lines = []
    for run_number, (name, fit) in enumerate(runs.fits.items()):
        shapes = fit.model.parameters
        labelled = zip(fit.model.parameters.labels[:MOST_LISTED], fit.theta[:MOST_LISTED], strict=True)
        values = ",  ".join(
            f"{label} = {number(float(value))} {unit_of_label(fit, shapes, label)}".rstrip()
            for label, value in labelled
        )
        rate = "–" if fit.learning_rate is None else number(fit.learning_rate)
        held_out = [] if fit.measures is None else [number(fit.measures["validation_loss"], 5)]
        outcome = OUTCOMES[str(fit.outcome)][say.chinese]
        cells = [outcome, f"{fit.epochs:,}", number(fit.loss, 5), *held_out, rate, values]
        lines.append(html.Tr([html.Th(_named(run_number, name), scope="row"), *map(html.Td, cells)]))
    head = html.Thead(html.Tr([html.Th(text, scope="col") for text in heads]))
    return html.Div(html.Table([head, html.Tbody(lines)]), className="scroll", tabIndex=0)


def _named(run_number: int, name: str) -> list[Element | str]:
    """Return a dot in the colour of a descent, and its name."""
    return [html.Span(className=f"dot {colour_name(run_number)}", **HIDDEN), name.replace("_", " ")]


def _verdict(name: str, runs: Descents, say: Words) -> Element:
    """Return the box of one descent."""
    fit = runs.fits[name]
    outcome, cause = str(fit.outcome), fit.diagnosis.cause
    valley = other_valley(runs, name)
    harmless = cause is None or cause == SHORT_OF_EPOCHS
    title = OUTCOMES[outcome][say.chinese]
    if valley is not None and harmless:
        title = f"{title} – {say('in_valley')}"
    elif cause is not None:
        title += f"：{zh.CAUSES[cause.value]}" if say.chinese else f": {cause.words}"
    if len(runs.fits) > 1:
        title = f"{name.replace('_', ' ')} – {title}"
    body = [html.P(_of_valley(valley, say))] if valley is not None else []
    if valley is None or not harmless:  # if there is a deeper valley, more epochs would not help
        sentences = [fit.advice]
        if fit.diagnosis.sentence and fit.diagnosis.sentence != fit.advice:
            sentences.append(fit.diagnosis.sentence[:1].upper() + fit.diagnosis.sentence[1:])
        body += (
            [html.P(prose(zh.why(fit))), _details(sentences, say)]
            if say.chinese
            else map(html.P, map(prose, sentences))
        )
    if harmless and (learned := _overfitting(fit, say)) is not None:
        body = [html.P(learned)]  # where the descent should have ended sooner, however far J could still fall
    kind = KINDS.get(outcome, "failure") if harmless else "failure"
    return html.Div([html.P(title, className="ended"), *body], className=f"verdict {kind}")


def _overfitting(fit: Fit, say: Words) -> str | None:
    """Say from where on the loss of the rows held out rose while J fell, if it did."""
    assert fit.solution is not None
    validation = fit.solution.run.validation
    moments = None if validation is None else validation.overfitting()
    if moments is None:
        return None
    best, last = moments
    low, high = number(best.validation_loss), number(last.validation_loss)
    return say("overfits", epoch=f"{best.epoch:,}", low=low, high=high)


def _of_valley(valley: Valley, say: Words) -> str:
    """Say that there is a deeper valley, where it is, and how to get there."""
    values_text = ", ".join(f"{name} = {number(value)}" for name, value in list(valley.parameters.items())[:MOST_NAMED])
    sentence = say("valley", floor=number(valley.floor), lowest=number(valley.lowest), place=values_text)
    if valley.same_start:
        return f"{sentence} {say('valley_same_start', name=valley.optimizer.replace('_', ' '))}"
    return f"{sentence} {say('valley_elsewhere')}"
