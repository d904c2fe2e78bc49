"""The parts of the page that its own scripts bring to life: data of one's own, steps by hand, pictures to keep."""

from __future__ import annotations

from descend.lab.page import elements as html
from descend.lab.page.elements import Element
from descend.lab.state import LONGEST_FORMULA
from descend.lab.words.texts import Words

LONGEST_PASTE = 2**20
MOST_MADE = 2_000
"""Rows that are made of an equation, at most."""
PICTURE = (640, 400)
"""Size of the place to draw in, in pixels of the page."""


def own_data(say: Words) -> list[Element]:
    """Return the ways to data of one's own: buttons, and the dialog that three of them open."""
    ways = ("paste", "draw", "equation")
    buttons = [html.Button(say(f"own_{way}"), **{"data-own": way}, className="way") for way in ways]
    close = html.Button(
        "✕", id="own-close", className="quiet", title=say("own_close"), **{"aria-label": say("own_close")}
    )
    data_forms = {"paste": _paste(say), "draw": _draw(say), "equation": _equation(say)}
    sections = [
        html.Section([html.H2(say(f"own_{way}_title")), *data_forms[way]], **{"data-way": way, "hidden": True})
        for way in ways
    ]
    status = html.P(id="own-told", role="status", className="error")
    row = html.Div([html.Button(say("own_use"), id="own-use", className="strong"), status], className="row")
    dialog = html.Dialog(
        [close, *sections, row], id="own", **{"aria-label": say("own_data"), "data-words": say.phrases("draw")}
    )
    return [html.Div(buttons, className="row ways"), dialog]


def _paste(say: Words) -> list[Element]:
    box = html.Textarea(
        id="pasted",
        value="",
        rows=10,
        maxLength=LONGEST_PASTE,
        spellCheck=False,
        className="mono",
        placeholder="t (s)\tv (m/s)\n0\t1,5\n1\t2,25",
    )
    return [
        html.P(say("own_paste_hint"), className="hint", id="pasted-hint"),
        html.Label(say("own_paste_label"), htmlFor="pasted"),
        box,
    ]


def _draw(say: Words) -> list[Element]:
    kinds = [html.Option(say(f"draw_{kind}"), value=kind) for kind in ("curve", "points", "zero", "one")]
    choice = html.Select(kinds, id="draw-kind")
    width, height = PICTURE
    canvas = html.Canvas(
        id="drawing", width=width, height=height, tabIndex=0, role="img", **{"aria-label": say("draw_label")}
    )
    ends = [
        _number(f"draw-{name}", say(f"draw_{name}"), value)
        for name, value in (("left", 0), ("right", 10), ("low", 0), ("high", 10))
    ]
    undo = html.Button(say("draw_undo"), id="draw-undo")
    clear = html.Button(say("draw_clear"), id="draw-clear")
    tools = [
        html.Label(say("draw_what"), htmlFor="draw-kind"),
        choice,
        undo,
        clear,
        html.Span(id="draw-told", role="status"),
    ]
    return [
        html.P(say("own_draw_hint"), className="hint"),
        html.Div(tools, className="row"),
        canvas,
        html.Div(ends, className="ends"),
    ]


def _equation(say: Words) -> list[Element]:
    typed = html.Input(
        id="equation",
        type="text",
        value="y = 2*sin(x) + 0.3*normal()",
        maxLength=LONGEST_FORMULA,
        autoComplete="off",
        spellCheck=False,
        className="mono",
    )
    ends = [
        _number("made-low", say("made_low"), 0),
        _number("made-high", say("made_high"), 10),
        _number("made-rows", say("made_rows", most=f"{MOST_MADE:,}"), 100),
    ]
    label = html.Label(say("made_label"), htmlFor="equation")
    return [html.P(say("own_equation_hint"), className="hint"), label, typed, html.Div(ends, className="ends")]


def _number(name: str, label: str, value: float) -> Element:
    box = html.Input(
        id=name, type="text", inputMode="decimal", value=f"{value:g}", autoComplete="off", className="mono"
    )
    return html.Div([html.Label(label, htmlFor=name), box], className="field")


def by_hand(say: Words) -> Element:
    """Return what one descends with by hand, in the place of the player."""

    def slider(name: str, label: str) -> Element:
        return html.Div(
            [
                html.Span(label, id=f"{name}-label"),
                html.Div(id=name, **{"data-label": label}),
                html.Output(id=f"{name}-told"),
            ],
            className="turn",
        )

    buttons = [
        html.Button(say("hand_take"), id="hand-take", className="strong"),
        html.Button(say("hand_undo"), id="hand-undo"),
        html.Button(say("hand_again"), id="hand-again"),
        html.Button(say("hand_leave"), id="hand-leave", className="quiet"),
    ]
    sliders = [slider("hand-direction", say("hand_direction")), slider("hand-size", say("hand_size"))]
    return html.Section(
        [*sliders, html.Div(buttons, className="bar")], id="hand", className="card", **{"aria-label": say("hand_title")}
    )


def told_by_hand(say: Words) -> Element:
    """Return where steps by hand are told, in the place of the step with its numbers."""
    return html.Div(
        [html.H2(say("hand_title")), html.Div(id="hand-told", role="status", **{"data-words": say.phrases("hand")})],
        id="hand-card",
    )


def keeping(say: Words) -> list[Element]:
    """Return the buttons of the header: for a projector, and for print."""
    return [
        html.Button(say("projector"), id="projector", className="quiet", **{"aria-pressed": "false"}),
        html.Button(say("print"), id="print", className="quiet"),
    ]


def saving(name: str, say: Words) -> Element:
    """Return the button that saves the picture of a figure."""
    label = say("save_picture")
    return html.Button("⤓", className="save quiet", title=label, **{"aria-label": label, "data-picture": name})
