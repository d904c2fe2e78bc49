"""What the page asks, and what it is answered: each answer from its question alone."""

from __future__ import annotations

import dataclasses
import json
import math
import threading
from typing import Any

from descend.errors import ConfigError, DescendError
from descend.gradients.derivation import Derivation
from descend.lab import copies, ruler
from descend.lab.cache import Cache
from descend.lab.data import Library, Rows
from descend.lab.descents import Descents, descents, gradient_lines, lowest_fit, starts
from descend.lab.equations import rule
from descend.lab.film import film_of
from descend.lab.layout import page
from descend.lab.state import READERS, UPLOAD, State, read_query, usual_of
from descend.lab.texts import words
from descend.lab.told import error_text, judged, verdicts
from descend.models import FormulaModel
from descend.report import mathematics

ANSWERED = (
    ("film", "data"), ("link", "data"), ("formula-told", "children"), ("trouble", "children"), ("told", "children"),
    ("ruler", "children"), ("limit", "children"), ("rule", "children"), ("command", "children"), ("python", "children"),
    ("rate", "min"), ("rate", "max"), ("surface-caption", "children"), ("data-caption", "children"),
)  # fmt: skip
"""What changes with a setting."""
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
ANSWERS: Cache[dict[str, Any]] = Cache(64)


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
        app.callback(
            [Output(*name) for name in ANSWERED],
            [Input(*name) for name in ASKED],
            [Given("gradient", "value"), Given("opening", "data"), Given("rate", "min"), Given("rate", "max")],
        )(self.answer)
        app.callback(
            Output("gradient-told", "children"), Output("mathematics", "data"),
            [Input(name, "value") for name in ("gradient", "formula", "loss")],
            [Given("context", "data"), Given("noise", "value"), Given("opening", "data")],
        )(self.judge)  # fmt: skip
        app.callback(
            Output("download", "data"), Input("report", "n_clicks"), Given("link", "data"), Given("opening", "data"),
            prevent_initial_call=True,
        )(self.report)  # fmt: skip
        app.clientside_callback(
            browser("lab", "rates"), Output("rate", "value"), Output("rate-typed", "value"), Output("auto", "value"),
            Input("rate", "value"), Input("rate-typed", "value"), Given("auto", "value"), prevent_initial_call=True,
        )  # fmt: skip
        app.clientside_callback(
            browser("lab", "sample"), Output("context", "data"), Input("sample", "n_clicks"),
            Given("context", "data"), prevent_initial_call=True,
        )  # fmt: skip
        app.clientside_callback(
            browser("lab", "go"), Output("url", "search"), Input("problem", "value"), Given("context", "data"),
            prevent_initial_call=True,
        )  # fmt: skip
        app.clientside_callback(browser("lab", "write"), Output("written", "data"), Input("mathematics", "data"))
        for name in ("data", "surface", "loss"):
            app.clientside_callback(
                browser("lab", f"draw_{name}"), Output(f"{name}-figure", "figure"), Input("film", "data")
            )

    def page(self, opening: dict[str, Any]) -> Any:
        """Return the page that an address names."""
        state, unread = read_query(str(opening.get("search") or ""), self.formula if self.library.file else "")
        return page(state, self.library.rows(state, opening.get("key")), self.library.file, unread)

    def answer(self, *asked: Any) -> tuple[Any, ...]:
        """Return the film of the settings, and what is said about it."""
        from dash import no_update

        *settings, gradient, opening, low, high = asked
        dark = settings[-1] == "dark"
        unchanged = [no_update] * len(ANSWERED)

        def failed(place: str, told: Any) -> tuple[Any, ...]:
            return tuple(told if name == place else "" if name in PLACES else kept
                         for (name, _), kept in zip(ANSWERED, unchanged, strict=True))  # fmt: skip

        state = usual_of("line")
        try:
            state = state_of(settings, gradient)
            say = words(state.lang)
            rows = self.library.rows(state, opening.get("key"))
            if rows is None:
                return failed("trouble", "" if state.problem == UPLOAD else say("need_upload"))
            if not state.formula.strip():
                return failed("formula-told", say("choose_formula", example=_example(rows)))
            made = ANSWERS((rows.key, state, dark), lambda: self._in_turn(state, rows, dark))
        except DescendError as error:
            return failed("formula-told" if _of_formula(error, state) else "trouble", error_text(error))
        ends = made["ends"]
        scale = [no_update if end == now else end for end, now in zip(ends, (low, high), strict=True)]
        return (made["film"], made["link"], "", "", *made["told"], *scale, *made["captions"])

    def _in_turn(self, state: State, rows: Rows, dark: bool) -> dict[str, Any]:
        with TURN:
            return self._made(state, rows, dark)

    def _made(self, state: State, rows: Rows, dark: bool) -> dict[str, Any]:
        found = descents(state, rows)
        say, chinese = words(state.lang), state.lang == "zh"
        low, high = ruler.ends(found)
        film = film_of(found, dark)
        shown = dict(found.start)
        told = (
            verdicts(found, say, chinese),
            ruler.drawn(found, low, high, say),
            ruler.sentence(found, say),
            _rule(found, say),
            copies.commands(state, rows, shown),
            copies.python(state, rows, shown),
        )
        captions = film.pop("captions")
        # As text: Dash would look at each of its numbers, and the browser reads it as fast.
        text = json.dumps(film, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return {"film": text, "link": state.query, "told": told, "ends": (low, high), "captions": captions}

    def judge(
        self, gradient: str, formula: str, loss: str, context: dict[str, Any], noise: float, opening: dict[str, Any]
    ) -> tuple[Any, Any]:
        """Return the court's judgement on a gradient by hand, and the derived one to compare with."""
        try:
            state = dataclasses.replace(_placed(context, noise), formula=formula or "", loss=loss)
            READERS["gradient"](gradient or "")
            rows = self.library.rows(state, opening.get("key"))
            if rows is None or not state.formula.strip():
                return "", ""
            found = lowest_fit(state, rows)
        except (DescendError, ValueError):
            return "", ""  # said where the formula stands
        model = found.model
        assert isinstance(model, FormulaModel)
        lines = [markup for _, markup in mathematics.gradient(Derivation(model.formula, model.loss))]
        if not (gradient or "").strip():
            return "", "".join(lines)
        try:
            from descend.descent.check import check_gradient
            from descend.descent.problem import Wish

            given = gradient_lines(dataclasses.replace(state, gradient=gradient))
            start = starts(state, rows, found)
            wish = Wish(start=start, gradient=given, loss=loss, missing="drop" if rows.gaps else "raise")
            told = judged(check_gradient(state.formula, dict(rows.columns), wish, model.loss))
        except DescendError as error:
            told = error_text(error)
        return told, "".join(lines)

    def report(self, clicks: int | None, link: str | None, opening: dict[str, Any]) -> Any:
        """Return the page of the first descent, as a file."""
        from dash import no_update

        from descend.report.html import page as report_page

        if not clicks or not link:
            return no_update
        state, _ = read_query(str(link), self.formula)
        rows = self.library.rows(state, opening.get("key"))
        if rows is None:
            return no_update
        found = descents(state, rows)
        arguments = copies.arguments(state, rows, dict(found.start))
        fit = dataclasses.replace(found.first, call=lambda: arguments)
        return {"content": report_page(fit), "filename": f"{state.problem}.html", "type": "text/html", "base64": False}


PLACES = ("formula-told", "trouble")
"""Where errors are told."""


def state_of(settings: list[Any], gradient: str | None) -> State:
    """Return the state of the page's settings. Raises ConfigError for what cannot be read."""
    formula, loss, optimizers, power, auto, start, epochs, batch, noise, context, by_hand, _ = settings
    state = _placed(context, noise)
    texts = {
        "formula": formula or "", "loss": loss, "optimizers": ",".join(optimizers or ["gd"]), "batch": batch,
        "epochs": str(epochs or "").strip() or "100", "gradient": gradient or "",
        "start": (start or "").replace("=", ":"),
    }  # fmt: skip
    for name, text in texts.items():
        try:
            state = dataclasses.replace(state, **{name: READERS[name](str(text))})
        except ValueError:
            raise ConfigError(MESSAGES[name].format(text=str(text)[:60])) from None
    rate = None if auto else float(f"{10.0 ** min(max(float(power), -300.0), 300.0):.{DIGITS}g}")
    return dataclasses.replace(state, rate=rate, by_hand=bool(by_hand))


MESSAGES = {
    "formula": "The formula is longer than the lab takes. Use the command line.",
    "loss": "There is no loss `{text}`.",
    "optimizers": "Choose one to six optimizers.",
    "batch": "A batch is a whole number of rows, 1 or more; this is `{text}`.",
    "epochs": "The lab runs 1 to 5,000 epochs; this is `{text}`.",
    "gradient": "The gradient is longer than the lab takes. Use the command line.",
    "start": "The start cannot be read: write it as w=0, b=1.",
}


def _placed(context: dict[str, Any], noise: float | None) -> State:
    """Return the state of a problem, as far as it fixes the rows. Raises ConfigError."""
    try:
        state, unread = read_query(f"?problem={context['problem']}&seed={int(context['seed'])}&lang={context['lang']}")
    except (KeyError, TypeError, ValueError):
        unread = ("problem",)
    if unread:
        raise ConfigError("This page is out of date. Load it again.")
    recipe = state.built_in
    if recipe is None or recipe.noise is None or noise is None or float(noise) == recipe.noise:
        return state
    amount = float(noise)
    if not (math.isfinite(amount) and 0.0 <= amount <= recipe.most):
        raise ConfigError(f"The noise lies between 0 and {recipe.most:g} here.")
    return dataclasses.replace(state, noise=amount)


def _of_formula(error: DescendError, state: State) -> bool:
    lines = str(error).split("\n")
    return len(lines) > 3 and bool(state.formula) and lines[1].strip()[:20] in state.formula


def _example(rows: Rows) -> str:
    names = list(rows.columns)
    return f"{names[-1]} ~ w*{names[0]} + b" if len(names) > 1 else f"{names[0]} ~ m"


def _rule(found: Descents, say: Any) -> str:
    state = found.state
    text = rule(state.optimizers)
    if state.batch is not None and state.batch < found.rows.rows:
        steps = math.ceil(found.rows.rows / state.batch)
        text += "   " + str(say("batched", steps=steps, batch=state.batch))
    return text
