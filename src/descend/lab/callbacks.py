"""What the page asks, and what it is answered: each answer from its question alone."""

from __future__ import annotations

import dataclasses
import json
import math
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from descend.errors import ConfigError, DescendError
from descend.gradients.derivation import Derivation
from descend.lab import copies
from descend.lab import rates as ruler
from descend.lab.cache import Cache
from descend.lab.controls import on_the_page
from descend.lab.data import Library, Rows, first_formula
from descend.lab.descents import Descents, descents, gradient_lines, lowest_fit, starts, unknown_start
from descend.lab.endings import dotted, error_text, judged, legend, prose, unbroken, verdicts
from descend.lab.equations import rule
from descend.lab.film import captions, film_of
from descend.lab.layout import page
from descend.lab.state import FILE, READERS, UPLOAD, State, read_query, read_rate, usual_of
from descend.lab.texts import words
from descend.losses import LOSSES
from descend.report import mathematics
from descend.report.view import view
from descend.wording import speaking

TOLD = (
    ("told", "children"), ("ruler", "children"), ("limit", "children"), ("rule", "children"), ("command", "children"),
    ("python", "children"), ("surface-caption", "children"), ("data-caption", "children"), ("rate", "min"),
    ("rate", "max"), ("told", "data-link"),
)  # fmt: skip
"""The words to a film, for which the page asks by its link once it is drawn."""
ASKED = (
    ("formula", "value"), ("loss", "value"), ("optimizers", "value"), ("rate", "value"), ("auto", "value"),
    ("start", "value"), ("epochs", "value"), ("batch", "value"), ("noise", "value"), ("context", "data"),
    ("by-hand", "value"), ("theme", "data"),
)  # fmt: skip
"""The settings."""
DIGITS = 6
"""Digits of a rate: the slider hands on its logarithm, whose last ones are rounding."""

TURN = threading.Lock()
"""One answer is computed at a time: threads that compute side by side share one interpreter, and spend most of their
time handing it to each other."""
FILMS: Cache[str] = Cache(64)
WORDS: Cache[tuple[Any, ...]] = Cache(128)


class Callbacks:
    """The answers of one lab. formula: that of its own file, empty if it has none."""

    def __init__(self, library: Library, formula: str = "") -> None:
        self.library = library
        self.formula = formula

    def register(self, app: Any) -> None:
        """Tell Dash what answers what."""
        from dash import ClientsideFunction, Input, Output
        from dash import State as Given

        browser = ClientsideFunction
        app.clientside_callback(browser("lab", "open"), Output("opening", "data"), Input("url", "search"))
        app.callback(Output("page", "children"), Input("opening", "data"), prevent_initial_call=True)(self.page)
        app.clientside_callback(
            browser("lab", "ask"), Output("asked", "data"), [Input(*name) for name in ASKED],
            [Given("gradient", "value"), Given("opening", "data")],
        )  # fmt: skip
        app.callback(
            [Output(*name) for name in TOLD], Input("link", "data"),
            [Given("opening", "data"), Given("rate", "min"), Given("rate", "max")], prevent_initial_call=True,
        )(self.tell)  # fmt: skip
        app.callback(
            Output("gradient-told", "children"), Output("mathematics", "data"), Output("gradient", "placeholder"),
            [Input(name, "value") for name in ("gradient", "formula", "loss")],
            [Given("context", "data"), Given("noise", "value"), Given("opening", "data")],
        )(self.judge)  # fmt: skip
        app.callback(
            Output("download", "data"), Input("report", "n_clicks"), Given("link", "data"), Given("opening", "data"),
            prevent_initial_call=True,
        )(self.report)  # fmt: skip
        app.clientside_callback(
            browser("lab", "sample"), Output("context", "data"), Input("sample", "n_clicks"),
            Given("context", "data"), prevent_initial_call=True,
        )  # fmt: skip
        app.clientside_callback(
            browser("lab", "go"), Output("url", "search"), Input("problem", "value"), Given("context", "data"),
            prevent_initial_call=True,
        )  # fmt: skip
        app.clientside_callback(browser("lab", "write"), Output("written", "data"), Input("mathematics", "data"))

    def page(self, opening: dict[str, Any]) -> Any:
        """Return the page that an address names."""
        state, unread = read_query(str(opening.get("search") or ""), self.formula if self.library.file else "")
        if state.problem == FILE and self.library.file is None:
            state, unread = dataclasses.replace(usual_of("line"), lang=state.lang), (*unread, "problem")
        rows = self.library.rows(state, opening.get("key"))
        return page(state, rows, self.library, unread, opening.get("at"))

    def film(self, settings: Mapping[str, Any], gradient: str | None, key: str | None) -> str:
        """Return the film of the settings as JSON, beside what is wrong with them and where.

        It goes to the page past Dash, which would take longer to hand it on than it takes to make.
        """
        from dash import html

        film, formula_told, start_told, trouble = "null", None, None, None
        state = usual_of("line")
        try:
            state = state_of(settings, gradient)
            say = words(state.lang)
            rows = self.library.rows(state, key)
            if rows is None:
                trouble = None if state.problem == UPLOAD else say("need_upload")
            elif not state.formula.strip():
                formula_told = say("choose_formula", example=first_formula(list(rows.columns)))
            else:
                with speaking(on_the_page(state.lang)):
                    film = _film(state, rows, settings.get("theme") == "dark")
                    unknown = unknown_start(state, lowest_fit(state, rows))
                if unknown:
                    start_told = html.P([*prose(unknown), " ", say("left_out")], className="aside-told")
        except DescendError as error:
            told = error_text(error)
            formula_told, trouble = (told, None) if _of_formula(error, state) else (None, told)
        places = _json({"formula-told": formula_told, "start-told": start_told, "trouble": trouble})
        return f'{{"film":{film},"told":{places}}}'

    def tell(self, link: str | None, opening: dict[str, Any], low: float, high: float) -> list[Any]:
        """Return what is said of the descents of a link, and the ends of the slider of rates."""
        from dash import no_update

        unchanged = [no_update] * len(TOLD)
        if not link:
            return unchanged
        state, _ = read_query(link, self.formula)
        rows = self.library.rows(state, opening.get("key"))
        if rows is None:
            return unchanged
        *told, begin, end = WORDS((rows.key, state), lambda: _words(state, rows))
        return [*told, no_update if begin == low else begin, no_update if end == high else end, link]

    def judge(
        self, gradient: str, formula: str, loss: str, context: dict[str, Any], noise: float, opening: dict[str, Any]
    ) -> tuple[Any, str, str]:
        """Return the court's judgement on a gradient by hand, the derived one to compare with, and how to begin."""
        try:
            state = dataclasses.replace(_placed(context, noise), formula=formula or "", loss=loss)
            READERS["gradient"](gradient or "")
            rows = self.library.rows(state, opening.get("key"))
            if rows is None or not state.formula.strip():
                return "", "", ""
            found = lowest_fit(state, rows)
        except (DescendError, ValueError):
            return "", "", ""  # said where the formula stands
        model, known = found.model, LOSSES.build(loss)  # no scale is estimated for a gradient by hand
        assert model.formula is not None
        lines = [markup for _, markup in mathematics.gradient(Derivation(model.formula, known))]
        skeleton = "\n".join(f"{label} = mean(...)" for label in model.parameters.labels)
        if not (gradient or "").strip():
            return "", "".join(lines), skeleton
        say = words(state.lang)
        try:
            from descend.options.request import Request
            from descend.problem.gradient_check import check_gradient

            given = gradient_lines(dataclasses.replace(state, gradient=gradient))
            start = starts(state, rows, found)
            request = Request(start=start, gradient=given, loss=loss, missing="drop" if rows.gaps else "raise")
            with speaking(on_the_page(state.lang)):
                found_by_court = check_gradient(state.formula, dict(rows.columns), request, known)
            told = judged(found_by_court, say, state.lang == "zh")
        except DescendError as error:
            told = error_text(error)
        return told, "".join(lines), skeleton

    def report(self, clicks: int | None, link: str | None, opening: dict[str, Any]) -> Any:
        """Return the page of the descent, or of the race, as a file."""
        from dash import no_update

        if not clicks or not link:
            return no_update
        state, _ = read_query(str(link), self.formula)
        rows = self.library.rows(state, opening.get("key"))
        if rows is None:
            return no_update
        content, name = copies.report(descents(state, rows))
        return {"content": content, "filename": name, "type": "text/html", "base64": False}


def _film(state: State, rows: Rows, dark: bool) -> str:
    """Return the film of a state."""

    def made() -> str:
        with TURN:
            film = film_of(descents(state, rows), dark)
            return json.dumps(film, ensure_ascii=False, allow_nan=False, separators=(",", ":"))

    return FILMS((rows.key, state, dark), made)


def _words(state: State, rows: Rows) -> tuple[Any, ...]:
    """Return ``TOLD`` of a state."""
    with TURN, speaking(on_the_page(state.lang)):
        found = descents(state, rows)
        say, shown = words(state.lang), dict(found.start)
        low, high = ruler.ends(found)
        contours, rows_left_out = captions(found, say)
        best = [dotted(say)] if view(found.first).one else []
        return (
            verdicts(found, say, state.lang == "zh"), ruler.drawn(found, low, high, say), ruler.sentence(found, say),
            _rule(found, say), unbroken(copies.commands(state, rows, shown)), copies.python(state, rows, shown),
            [*legend(found), contours], [*legend(found), *best, rows_left_out], low, high,
        )  # fmt: skip


def state_of(settings: Mapping[str, Any], gradient: str | None) -> State:
    """Return the state of the page's settings, by their names in ``ASKED``. Raises ConfigError."""
    try:
        return _state_of(settings, gradient)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):  # no page of ours sends that
        raise ConfigError(OUT_OF_DATE) from None


def _state_of(settings: Mapping[str, Any], gradient: str | None) -> State:
    state = _placed(settings["context"], settings["noise"])
    texts = {
        "formula": settings["formula"] or "", "loss": settings["loss"], "batch": settings["batch"],
        "optimizers": ",".join(settings["optimizers"] or ["gd"]), "gradient": gradient or "",
        "epochs": str(settings["epochs"] or "").strip() or "100",
        "start": (settings["start"] or "").replace("=", ":"),
    }  # fmt: skip
    for name, text in texts.items():
        try:
            state = dataclasses.replace(state, **{name: READERS[name](str(text))})
        except ValueError:
            raise ConfigError(words(state.lang)(f"bad_{name}", text=str(text)[:60])) from None
    rate = None if settings["auto"] else read_rate(f"{10.0 ** float(settings['rate']):.{DIGITS}g}")
    return dataclasses.replace(state, rate=rate, by_hand=bool(settings["by-hand"]))


OUT_OF_DATE = "This page is out of date. Load it again."


def _placed(context: dict[str, Any], noise: float | None) -> State:
    """Return the state of a problem, as far as it fixes the rows. Raises ConfigError."""
    try:
        placed = {"problem": context["problem"], "seed": int(context["seed"]), "lang": context["lang"]}
        state, unread = read_query(f"?{urlencode(placed)}")
    except (KeyError, TypeError, ValueError):
        unread = ("problem",)
    if unread:
        raise ConfigError(OUT_OF_DATE)
    recipe = state.built_in
    if recipe is None or recipe.noise is None or noise is None or float(noise) == recipe.noise:
        return state
    amount = float(noise)
    if not recipe.can_have(amount):
        raise ConfigError(f"The noise lies between {recipe.least:g} and {recipe.most:g} here.")
    return dataclasses.replace(state, noise=amount)


def _json(told: Any) -> str:
    from plotly.utils import PlotlyJSONEncoder

    return json.dumps(told, cls=PlotlyJSONEncoder)


def _of_formula(error: DescendError, state: State) -> bool:
    lines = str(error).split("\n")
    return len(lines) > 3 and bool(state.formula) and lines[1].strip()[:20] in state.formula


def _rule(found: Descents, say: Any) -> str:
    state = found.state
    text = rule(state.optimizers)
    if len(state.optimizers) > 1:
        text = f"{state.optimizers[0]}:   {text}"
    if state.batch is not None and state.batch < found.rows.rows:
        steps = math.ceil(found.rows.rows / state.batch)
        text += "   " + str(say("batched", steps=steps, batch=state.batch))
    return text
