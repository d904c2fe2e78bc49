"""The page: settings at the side, the rate above the pictures, the player below them, and what it all means."""

from __future__ import annotations

import math
from typing import Any

from descend.lab.data import Library, Rows
from descend.lab.endings import dotted, prose
from descend.lab.problems import PROBLEMS
from descend.lab.state import FILE, LANGUAGES, LONGEST_FORMULA, LONGEST_GRADIENT, UPLOAD, State
from descend.lab.texts import Words, words
from descend.losses import LOSSES
from descend.optimizers import OPTIMIZERS

DECADES = (-6.0, 1.0)
"""The rates that the slider reaches, as powers of ten, until those of the problem are known."""
BATCHES = (1, 5, 10, 25, 50, 100)
GRAPHS = ("data", "surface", "loss")
MOST_NAMED = 12


def shell() -> Any:
    """Return what stands on every page, until its content is known."""
    from dash import dcc, html

    return html.Div(
        [
            dcc.Location(id="url", refresh=False),
            dcc.Store(id="opening"),
            dcc.Store(id="theme"),
            dcc.Download(id="download"),
            html.Div(id="page"),
            # Loads the drawing library at once, beside the rest.
            html.Div(dcc.Graph(id="warm", config={"staticPlot": True}), className="away"),
        ]
    )


def page(state: State, rows: Rows | None, library: Library, unread: tuple[str, ...], at: object = None) -> Any:
    """Return the page of a state; what it asks carries ``at``, which tells it from the pages before."""
    from dash import dcc, html

    say = words(state.lang)
    notes = [say("unread", names=", ".join(unread))] if unread else []
    if state.problem == UPLOAD and rows is None:
        notes.append(say("need_upload"))
    if rows is not None and rows.sampled:
        notes.append(say("sampled", rows=f"{rows.rows:,}", total=f"{rows.total:,}"))
    if rows is not None and rows.left_out:
        shown = ", ".join(rows.left_out[:MOST_NAMED]) + (" …" if len(rows.left_out) > MOST_NAMED else "")
        notes.append(say("columns_left_out", names=shown))
        notes += list(rows.odd)
    return html.Div(
        [
            dcc.Store(id="context", data={"problem": state.problem, "seed": state.seed, "lang": state.lang, "at": at}),
            dcc.Store(id="asked"),
            dcc.Store(id="link"),
            _header(state, say),
            html.Div(
                [
                    html.Aside(_settings(state, rows, library, say), className="side", **_label(say("settings"))),
                    html.Main([*(html.P(prose(note), className="note") for note in notes), *_main(state, say)]),
                ],
                className="columns",
            ),
        ],
        lang="zh-CN" if state.lang == "zh" else "en",
    )


def _header(state: State, say: Words) -> Any:
    from dash import html

    other = next(language for language in LANGUAGES if language != state.lang)
    return html.Header(
        [
            html.H1(["descend ", html.Span(say("title"))], className="brand"),
            html.Div(
                [
                    html.Button(say("language"), id="language", className="quiet", **{"data-language": other}),
                    html.Button("◐", id="shade", className="quiet", title=say("theme"), **_label(say("theme"))),
                ],
                className="bar",
            ),
        ]
    )


def _settings(state: State, rows: Rows | None, library: Library, say: Words) -> list[Any]:
    from dash import dcc, html

    place, file = int(state.lang == "zh"), library.file
    too_large = say("too_large", most=f"{library.most_upload / 2**20:,.0f}")
    problems = [{"label": recipe.title[place], "value": name} for name, recipe in PROBLEMS.items()]
    if file is not None:
        problems.append({"label": f"{say('own_file')}: {file.name}", "value": FILE})
    own = rows.name if state.problem == UPLOAD and rows is not None else say("uploaded")
    problems.append({"label": own, "value": UPLOAD})
    recipe = state.built_in
    columns = ", ".join(list(rows.columns)[:12]) if rows is not None else "–"
    noise = 0.0 if recipe is None else (recipe.noise or 0.0) if state.noise is None else state.noise
    batches = sorted({*BATCHES, state.batch} - {None}, key=int)  # type: ignore[arg-type]
    return [
        _field(say("problem"), _choice("problem", problems, state.problem)),
        html.Div(
            [
                html.Button(say("upload"), id="choose-file"),
                html.Span(
                    id="upload-told", role="status", **{"data-most": library.most_upload, "data-large": too_large}
                ),
            ],
            className="row",
        ),
        html.P(recipe.about[place], className="about") if recipe is not None else None,
        _field(
            say("formula"),
            dcc.Input(
                id="formula",
                value=state.formula,
                type="text",
                debounce=0.12,
                maxLength=LONGEST_FORMULA,
                spellCheck=False,
                autoComplete="off",
                className="mono",
            ),
            hint=say("formula_hint", columns=columns),
        ),
        html.Div(id="formula-told", role="status"),
        html.Details(
            [
                html.Summary(say("settings")),
                _field(say("loss"), _choice("loss", list(LOSSES), state.loss)),
                _group(
                    say("optimizers"),
                    dcc.Checklist(
                        id="optimizers",
                        value=list(state.optimizers),
                        className="chips",
                        inline=True,
                        options=[{"label": name.replace("_", " "), "value": name} for name in OPTIMIZERS],
                    ),
                    hint=say("race"),
                ),
                html.Div(
                    [
                        _field(
                            say("epochs"),
                            dcc.Input(
                                id="epochs",
                                value=str(state.epochs),
                                type="text",
                                inputMode="numeric",
                                debounce=0.3,
                            ),
                        ),
                        _field(
                            say("batch"),
                            _choice(
                                "batch",
                                [
                                    {"label": say("all_rows"), "value": "all"},
                                    *({"label": str(size), "value": str(size)} for size in batches),
                                ],
                                "all" if state.batch is None else str(state.batch),
                            ),
                        ),
                    ],
                    className="pair",
                ),
                _field(
                    say("start"),
                    dcc.Input(
                        id="start",
                        type="text",
                        debounce=0.3,
                        spellCheck=False,
                        autoComplete="off",
                        className="mono",
                        value=", ".join(f"{name}={value:g}" for name, value in state.start),
                    ),
                    hint=say("start_hint"),
                ),
                html.Div(id="start-told", role="status"),
                html.Div(
                    [
                        _field(
                            say("noise"),
                            dcc.Input(
                                id="noise",
                                type="range",
                                min=0.0 if recipe is None else recipe.least,
                                max=1.0 if recipe is None else recipe.most,
                                step=0.05,
                                value=noise,
                            ),
                        ),
                        html.Output(f"{noise:g}", id="noise-told", htmlFor="noise"),
                        html.Button(say("sample"), id="sample"),
                    ],
                    className="row noise",
                    hidden=recipe is None or recipe.noise is None,
                ),
            ],
            id="more",
            open=True,
        ),
    ]


def _main(state: State, say: Words) -> list[Any]:
    from dash import html

    return [
        html.Div(id="trouble", role="alert", **{"data-silent": say("silent")}),
        _rate(state, say),
        html.Div([_figure("data", say("data_figure")), _figure("surface", say("surface_figure"))], className="figures"),
        _player(say),
        html.Div(
            [
                _figure("loss", say("loss_figure"), [dotted(say)]),
                html.Section(
                    [
                        html.H2(say("step_figure")),
                        html.P(id="rule", className="rule"),
                        html.Div(id="equations", **{"aria-live": "off", "data-ended": say("ended")}),
                    ],
                    className="card",
                ),
            ],
            className="figures",
        ),
        html.Section([html.H2(say("what")), html.Div(id="told", role="status")], className="what"),
        html.Div([_by_hand(state, say), _take(state, say)], className="figures"),
    ]


def _rate(state: State, say: Words) -> Any:
    from dash import dcc, html

    rate = 0.01 if state.rate is None else state.rate
    typed = "" if state.rate is None else f"{rate:.6g}"
    return html.Section(
        [
            html.Div(
                [
                    html.Label(say("rate"), htmlFor="rate-typed"),
                    dcc.Input(id="rate-typed", type="text", inputMode="decimal", debounce=0.4, value=typed,
                              className="mono", autoComplete="off"),
                    dcc.Checklist(id="auto", options=[{"label": say("auto"), "value": "auto"}],
                                  value=["auto"] if state.rate is None else [], className="switch"),
                ],
                className="row",
            ),
            html.Div(
                [
                    html.Label(say("log_rate"), htmlFor="rate", className="unseen"),
                    html.Div(id="ruler", className="ruler", **{"aria-hidden": "true"}),
                    dcc.Input(id="rate", type="range", min=DECADES[0], max=DECADES[1], step="any",
                              value=math.log10(rate), className="log"),
                ],
                className="scale",
            ),
            html.P(id="limit", className="hint"),
        ],
        className="card rate",
    )  # fmt: skip


def _player(say: Words) -> Any:
    from dash import html

    def button(name: str) -> Any:
        return html.Button(id=name, title=say(name), className="round", **_label(say(name)))

    play = html.Button(id="play", title=say("play"), className="round main", **_label(say("play")),
                       **{"data-play": say("play"), "data-pause": say("pause")})  # fmt: skip
    slider = html.Div(id="frames", **{"data-label": say("epoch_slider"), "data-of": say("of")})
    told = html.Output(id="epoch-told")
    buttons = html.Div([button("first"), button("back"), play, button("next")], className="bar")
    return html.Section([buttons, slider, told], className="card player")


def _by_hand(state: State, say: Words) -> Any:
    from dash import dcc, html

    return html.Section(
        [
            html.H2(html.Label(say("gradient"), htmlFor="gradient")),
            html.P(say("gradient_hint"), className="hint"),
            dcc.Textarea(id="gradient", value=state.gradient, maxLength=LONGEST_GRADIENT, rows=3, spellCheck=False,
                         className="mono",),
            html.Div(id="gradient-told", role="status"),
            dcc.Checklist(id="by-hand", options=[{"label": say("by_hand"), "value": "by_hand"}],
                          value=["by_hand"] if state.by_hand else [], className="switch"),
            html.Details([html.Summary(say("derived")), html.Div(id="derived")], className="solution"),
            dcc.Store(id="mathematics"),
            dcc.Store(id="written"),
        ],
        className="card",
    )  # fmt: skip


def _take(state: State, say: Words) -> Any:
    from dash import html

    def block(name: str, title: str) -> Any:
        code = html.Pre(html.Code(id=name))
        copy = html.Button(say("copy"), className="copy", **{"data-copies": name, "data-done": say("copied")})
        return html.Div([html.H3(title), html.Div([code, copy], className="code")])

    hint = say("link_upload" if state.problem == UPLOAD else "link_hint")
    return html.Section(
        [
            html.H2(say("take")),
            block("command", say("command")),
            block("python", say("python")),
            html.Div(
                [
                    html.Button(say("report"), id="report"),
                    html.Button(say("link"), id="copy-link", **{"data-done": say("copied")}),
                ],
                className="row",
            ),
            html.P(hint, className="hint"),
        ],
        className="card",
    )


def _figure(name: str, title: str, caption: Any = None) -> Any:
    from dash import dcc, html

    graph = dcc.Graph(
        id=f"{name}-figure", responsive=True,
        config={"displayModeBar": False, "displaylogo": False, "doubleClick": False, "showTips": False},
    )  # fmt: skip
    return html.Section(
        [
            html.H2(title, id=f"{name}-title"),
            html.Div(graph, className="graph"),
            html.P(caption, id=f"{name}-caption", className="hint"),
        ],
        className=f"card figure {name}",
    )


def _choice(name: str, options: list[Any], value: str) -> Any:
    from dash import dcc

    return dcc.Dropdown(id=name, options=options, value=value, clearable=False, searchable=False)


def _field(title: str, control: Any, hint: str = "") -> Any:
    from dash import html

    told = [html.P(hint, className="hint", id=f"{control.id}-hint")] if hint else []
    return html.Div([html.Label(title, htmlFor=control.id), control, *told], className="field")


def _group(title: str, control: Any, hint: str) -> Any:
    from dash import html

    return html.Fieldset([html.Legend(title), control, html.P(hint, className="hint")], className="field")


def _label(text: str) -> dict[str, str]:
    return {"aria-label": text}
