"""The page: settings at the side, the rate above the pictures, the player below them, and then explanations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from descend.lab.data.problems import PROBLEMS
from descend.lab.data.rows import Library, Rows
from descend.lab.page import elements as html
from descend.lab.page.elements import Element
from descend.lab.page.named_curves import listed
from descend.lab.page.scripted_parts import by_hand, keeping, own_data, saving, told_by_hand
from descend.lab.page.verdicts import lowest_key, prose
from descend.lab.state import FILE, LANGUAGES, LONGEST_FORMULA, LONGEST_GRADIENT, UPLOAD, State
from descend.lab.words import chinese_messages as chinese
from descend.lab.words.texts import Words, too_large, words
from descend.losses import LOSSES
from descend.optimizers import OPTIMIZERS

if TYPE_CHECKING:
    from dash.development.base_component import Component

DECADES = (-6.0, 1.0)
"""The ends of the slider of rates, as powers of ten, until those of the problem are known."""
BATCHES = (1, 5, 10, 25, 50, 100)
SHARES = (0.1, 0.2, 0.3, 0.4, 0.5)
MOST_NAMED = 12
TYPED = {"type": "text", "autoComplete": "off"}
CODE = {**TYPED, "spellCheck": False, "className": "mono"}
"""Properties of boxes for typed text, and of those for typed code."""


def shell() -> Component:
    """Return the frame of every page, before its content is known."""
    from dash import dcc
    from dash.html import Div

    # The last element makes the drawing library load at once, in parallel with the rest.
    warm = Div(dcc.Graph(id="warm", config={"staticPlot": True}), className="away")
    stores = [dcc.Store(id="opening"), dcc.Store(id="theme"), dcc.Download(id="download")]
    return Div([dcc.Location(id="url", refresh=False), *stores, Div(id="page"), warm])


def page(state: State, rows: Rows | None, library: Library, unread: tuple[str, ...], at: object = None) -> Element:
    """Return the page of a state. Its requests carry ``at``, which distinguishes it from earlier pages."""
    say = words(state.lang)
    context = {"problem": state.problem, "seed": state.seed, "lang": state.lang, "at": at}
    context |= {"by": list(state.by), "group": state.group, "data": state.data}
    notes = [html.P(prose(note), className="note") for note in _notes(state, rows, unread, say)]
    side = html.Aside(_settings(state, rows, library, say), className="side", **_label(say("settings")))
    columns = html.Div([side, html.Main([*notes, *_main(state, say)])], className="columns")
    stores = [html.Store(id="context", data=context), html.Store(id="asked"), html.Store(id="link")]
    return html.Div([*stores, _header(state, say), columns], lang="zh-CN" if state.lang == "zh" else "en")


def _notes(page_state: State, rows: Rows | None, unread: tuple[str, ...], say: Words) -> list[str]:
    """Say where the page differs from what the address or the file says."""
    notes = [say("unread", names=", ".join(unread))] if unread else []
    if page_state.problem == UPLOAD and rows is None:
        notes.append(say("kept_gone" if page_state.data else "need_upload"))
    if rows is not None and rows.sampled:
        note = say("sampled", rows=f"{rows.rows:,}", total=f"{rows.total:,}")
        notes.append(f"{note} {say('groups_take_all')}" if rows.full and rows.groupings else note)
    if rows is not None and rows.left_out:
        columns_left_out = ", ".join(rows.left_out[:MOST_NAMED]) + (" …" if len(rows.left_out) > MOST_NAMED else "")
        notes.append(say("columns_left_out", names=columns_left_out))
    notes += [_noted(note, say) for note in rows.odd] if rows is not None else []
    return notes


def _noted(note: str, say: Words) -> str:
    """Return a note on how a file was read as a sentence, in Chinese where there is one for it."""
    return (chinese.noted(note) if say.chinese else None) or f"{note[:1].upper()}{note[1:]}".rstrip(".") + "."


def _header(page_state: State, say: Words) -> Element:
    other_language = next(language for language in LANGUAGES if language != page_state.lang)
    language = html.Button(say("language"), id="language", className="quiet", **{"data-language": other_language})
    shade = html.Button("◐", id="shade", className="quiet", title=say("theme"), **_label(say("theme")))
    title = html.H1(["descend ", html.Span(say("title"))], className="brand")
    formula = html.Div(page_state.formula, id="shown-formula", className="mono")
    return html.Header([title, formula, html.Div([*keeping(say), language, shade], className="bar")])


def _settings(page_state: State, rows: Rows | None, library: Library, say: Words) -> list[Element | None]:
    language_place, recipe = int(page_state.lang == "zh"), page_state.built_in
    problems = [{"label": each.title[language_place], "value": name} for name, each in PROBLEMS.items()]
    if library.file is not None:
        problems.append({"label": f"{say('own_file')}: {library.file.name}", "value": FILE})
    upload_name = rows.name if page_state.problem == UPLOAD and rows is not None else say("uploaded")
    problems.append({"label": upload_name, "value": UPLOAD})
    limit = {"data-most": library.most_upload, "data-large": too_large(library.most_upload, page_state.lang)}
    upload = [html.Button(say("upload"), id="choose-file"), html.Span(id="upload-told", role="status", **limit)]
    own_rows = html.Fieldset(
        [html.Legend(say("own_data")), html.Div(upload, className="row"), *own_data(say)], className="field"
    )
    columns = ", ".join(list(rows.table)[:MOST_NAMED]) if rows is not None else "–"
    formula = html.Input(id="formula", value=page_state.formula, debounce=0.12, maxLength=LONGEST_FORMULA, **CODE)
    return [
        _field(say("problem"), _choice("problem", problems, page_state.problem)),
        html.P(recipe.about[language_place], className="about") if recipe is not None else None,
        _field(say("formula"), formula, hint=say("formula_hint", columns=columns)),
        html.Div(id="formula-told", role="status"),
        _curves(say),
        own_rows,
        _by(page_state, rows, say),
        html.Details([html.Summary(say("settings")), *_more(page_state, say)], id="more", open=True),
    ]


def _more(state: State, say: Words) -> list[Element]:
    """Return the settings that a reader does not need at first."""
    optimizers = [{"label": name.replace("_", " "), "value": name} for name in OPTIMIZERS]
    race = html.Checklist(
        id="optimizers", value=list(state.optimizers), className="chips", inline=True, options=optimizers
    )
    epochs = html.Input(id="epochs", value=str(state.epochs), type="text", inputMode="numeric", debounce=0.3)
    batch_given = {state.batch} if state.batch is not None else set()
    sizes = [str(size) for size in sorted({*BATCHES} | batch_given)]
    batches = [{"label": say("all_rows"), "value": "all"}, *({"label": size, "value": size} for size in sizes)]
    batch = _choice("batch", batches, "all" if state.batch is None else str(state.batch))
    shares = sorted({*SHARES} | ({state.validation} if state.validation is not None else set()))
    held_out = [{"label": say("none_held_out"), "value": "none"}]
    held_out += [{"label": f"{100.0 * share:g} %", "value": repr(share)} for share in shares]
    validation = _choice("validation", held_out, "none" if state.validation is None else repr(state.validation))
    trials = html.Input(id="trials", debounce=0.3, value=state.trials, maxLength=LONGEST_FORMULA, **CODE)
    dispersion = html.Input(id="dispersion", debounce=0.3, value=state.dispersion, maxLength=40, **CODE)
    typed = ", ".join(f"{name}={value:g}" for name, value in state.start)
    return [
        html.Fieldset(
            [html.Legend(say.label("optimizer")), race, html.P(say("race"), className="hint")], className="field"
        ),
        html.Div([_field(say.label("epochs"), epochs), _field(say.label("batch_size"), batch)], className="pair"),
        _field(say.label("start"), html.Input(id="start", debounce=0.3, value=typed, **CODE), hint=say("start_hint")),
        html.Div(id="start-told", role="status"),
        _noise(state, say),
        _field(say.label("validation"), validation, hint=say("validation_hint")),
        _field(
            say.label("loss"),
            _choice("loss", [{"label": say.loss(name), "value": name} for name in LOSSES], state.loss_shown),
        ),
        _field(say.label("trials"), trials, hint=say("trials_hint")),
        _field(say.label("dispersion"), dispersion, hint=say("dispersion_hint")),
    ]


def _curves(say: Words) -> Element:
    """Return the list of named curves; one that is chosen becomes the formula, and its picture is shown below."""
    choice = html.Dropdown(
        id="curve", options=listed(say), placeholder=say("curve_hint"), searchable=True, clearable=True
    )
    stores = [html.Store(id="described"), html.Store(id="pictured")]
    label = html.Label(say("curves"), htmlFor="curve", className="unseen")
    picture = html.Div(id="curve-picture", className="drawn")
    return html.Details([html.Summary(say("curves")), label, choice, *stores, picture], id="curves")


def _by(page_state: State, rows: Rows | None, say: Words) -> Element:
    """Return the choice of the columns that tell groups apart; it is hidden where no column could."""
    names = rows.groupings if rows is not None else page_state.by
    chips = html.Checklist(id="by", value=list(page_state.by), className="chips", inline=True, options=list(names))
    hint = html.P(say("by_hint"), className="hint", hidden=len(names) < 2)
    return html.Fieldset([html.Legend(say.label("by")), chips, hint], className="field", hidden=not names)


def _noise(page_state: State, say: Words) -> Element:
    recipe = page_state.built_in
    least_noise, most = (0.0, 1.0) if recipe is None else (recipe.least, recipe.most)
    noise = 0.0 if recipe is None else (recipe.noise or 0.0) if page_state.noise is None else page_state.noise
    slider = html.Input(id="noise", type="range", min=least_noise, max=most, step=0.05, value=noise)
    amount = html.Output(f"{noise:g}", id="noise-told", htmlFor="noise")
    row = [_field(say("noise"), slider), amount, html.Button(say("sample"), id="sample")]
    return html.Div(row, className="row noise", hidden=recipe is None or recipe.noise is None)


def _main(page_state: State, say: Words) -> list[Element]:
    steps = html.Div(id="equations", **{"aria-live": "off", "data-ended": say("ended")})
    in_words = html.Div(id="in-words", **{"aria-live": "off", "data-words": say.phrases("step")})
    numbers = html.Div(
        [html.H2(say("step_figure")), html.P(id="rule", className="rule"), steps, in_words], id="step-card"
    )
    step = [numbers, told_by_hand(say)]
    loss = _figure("loss", say, [lowest_key(say)])
    return [
        html.Div(id="trouble", role="alert", **{"data-silent": say("silent")}),
        _groups(say),
        _one_group(page_state, say),
        _rate(page_state, say),
        html.Div([_figure("data", say), _figure("surface", say)], className="figures above"),
        _player(say),
        by_hand(say),
        html.Div([loss, html.Section(step, className="card step")], className="figures below"),
        html.Section([html.H2(say("what")), html.Div(id="told", role="status")], className="what"),
        html.Div([_by_hand(page_state, say), _take(page_state, say)], className="figures"),
    ]


def _groups(say: Words) -> Element:
    """Return the place of all groups: how they ended, their picture, and their table with what finds one in it."""
    find = html.Input(id="find-group", type="search", debounce=True, autoComplete="off", maxLength=80)
    worst = html.Button(say("worst_first"), id="worst-first")
    search = html.Div([html.Label(say("find"), htmlFor="find-group"), find, worst], className="row")
    verdict = html.Div(id="groups-verdict", role="status")
    return html.Section(
        [
            html.H2(say("groups")),
            verdict,
            html.Div(id="groups-picture", className="drawn"),
            html.H3(say("groups_table")),
            search,
            html.Div(id="groups-table"),
        ],
        id="all-groups",
        className="card",
    )


def _one_group(page_state: State, say: Words) -> Element:
    """Return which group is shown, and the way back to all."""
    back = html.A(say("back_to_all"), href=replace(page_state, group="").query)
    title = html.H2(say("one_group", by=", ".join(page_state.by), name=page_state.group))
    return html.Div([title, back], id="one-group", className="row", hidden=not page_state.group)


def _rate(page_state: State, say: Words) -> Element:
    rate = 0.01 if page_state.rate is None else page_state.rate
    rate_shown = "" if page_state.rate is None else f"{rate:.6g}"
    low, high = DECADES
    typed = html.Input(id="rate-typed", inputMode="decimal", debounce=0.4, value=rate_shown, className="mono", **TYPED)
    auto = _switch("auto", say("auto"), "auto", page_state.rate is None)
    slider = html.Input(id="rate", type="range", min=low, max=high, step="any", value=math.log10(rate), className="log")
    scale = [
        html.Label(say("log_rate"), htmlFor="rate", className="unseen"),
        html.Div(id="ruler", className="ruler", **{"aria-hidden": "true"}),
        slider,
    ]
    row = html.Div([html.Label(say.label("learning_rate"), htmlFor="rate-typed"), typed, auto], className="row")
    return html.Section(
        [row, html.Div(scale, className="scale"), html.P(id="limit", className="hint")], className="card rate"
    )


def _player(say: Words) -> Element:
    def button(name: str, kind: str = "round", **data: str) -> Element:
        return html.Button(id=name, title=say(name), className=kind, **_label(say(name)), **data)

    play = button("play", "round main", **{"data-play": say("play"), "data-pause": say("pause")})
    texts = {"data-label": say("epoch_slider"), "data-of": say("of"), "data-held": say("held_out_now")}
    slider = html.Div(id="frames", **texts)
    buttons = html.Div([button("first"), button("back"), play, button("next")], className="bar")
    hand_buttons = [
        html.Button(say("hand"), id="hand-begin", title=say("hand_about")),
        html.Button(
            say("video"),
            id="video",
            title=say("video_about"),
            **{"data-going": say("video_going"), "data-none": say("video_none")},
        ),
    ]
    epoch = html.Output(id="epoch-told")
    return html.Section([buttons, slider, epoch, html.Div(hand_buttons, className="bar")], className="card player")


def _by_hand(page_state: State, say: Words) -> Element:
    typed = html.Textarea(
        id="gradient", value=page_state.gradient, maxLength=LONGEST_GRADIENT, rows=3, spellCheck=False, className="mono"
    )
    derived = html.Details([html.Summary(say("derived")), html.Div(id="derived")], className="solution")
    return html.Section(
        [
            html.H2(html.Label(say.label("gradient"), htmlFor="gradient")),
            html.P(say("gradient_hint"), className="hint"),
            typed,
            html.Div(id="gradient-told", role="status"),
            _switch("by-hand", say("by_hand"), "by_hand", page_state.by_hand),
            derived,
            html.Store(id="mathematics"),
            html.Store(id="written"),
        ],
        className="card",
    )


def _take(page_state: State, say: Words) -> Element:
    def block(name: str) -> Element:
        copy = html.Button(say("copy"), className="copy", **{"data-copies": name, "data-done": say("copied")})
        return html.Div([html.H3(say(name)), html.Div([html.Pre(html.Code(id=name)), copy], className="code")])

    link = html.Button(say("link"), id="copy-link", **{"data-done": say("copied"), "data-failed": say("link_failed")})
    row = html.Div([html.Button(say("report"), id="report"), link], className="row")
    hint = html.P(say("link_upload" if page_state.problem == UPLOAD else "link_hint"), className="hint")
    return html.Section([html.H2(say("take")), block("command"), block("python"), row, hint], className="card")


def _figure(name: str, say: Words, caption: Sequence[Element] | None = None) -> Element:
    config = {"displayModeBar": False, "displaylogo": False, "doubleClick": False, "showTips": False}
    graph = html.Div(html.Graph(id=f"{name}-figure", responsive=True, config=config), className="graph")
    below = html.P(caption, id=f"{name}-caption", className="hint")
    title = html.Div([html.H2(say(f"{name}_figure"), id=f"{name}-title"), saving(name, say)], className="title")
    return html.Section([title, graph, below], className=f"card figure {name}")


def _choice(name: str, options: Sequence[str | dict[str, str]], value: str) -> Element:
    return html.Dropdown(id=name, options=options, value=value, clearable=False, searchable=False)


def _switch(name: str, label: str, value: str, on: bool) -> Element:
    """Return a box to tick."""
    options = [{"label": label, "value": value}]
    return html.Checklist(id=name, options=options, value=[value] if on else [], className="switch")


def _field(title: str, control: Element, hint: str = "") -> Element:
    name = control["props"]["id"]
    below = [html.P(hint, className="hint", id=f"{name}-hint")] if hint else []
    return html.Div([html.Label(title, htmlFor=name), control, *below], className="field")


def _label(text: str) -> dict[str, str]:
    return {"aria-label": text}
