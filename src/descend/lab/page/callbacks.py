"""The requests of the page and their answers, each of which depends on its request alone."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from descend import api
from descend.errors import ConfigError, DescendError
from descend.formula.curves import curve_named
from descend.gradients.derivation import Derivation
from descend.lab.cache import Cache
from descend.lab.data.rows import Library, Rows, first_formula
from descend.lab.descents import all_groups as groups
from descend.lab.descents import export as copies
from descend.lab.descents.runs import Descents, descents, gradient_lines, lowest_fit, starts, unknown_start
from descend.lab.figures import steps_by_hand as hand
from descend.lab.figures.film import captions, written
from descend.lab.figures.step_in_numbers import rule
from descend.lab.figures.still_figures import Still, as_json
from descend.lab.page import elements as html
from descend.lab.page import named_curves as curves
from descend.lab.page import rate_scale as rates
from descend.lab.page.layout import page
from descend.lab.page.verdicts import (
    error_text,
    groups_key,
    held_out_key,
    held_out_rows_key,
    judgement_text,
    legend,
    lowest_key,
    prose,
    sides_key,
    unbroken,
    verdicts,
)
from descend.lab.serving.turn_to_compute import Turn
from descend.lab.state import FILE, OUT_OF_DATE, READERS, UPLOAD, State, read_query, state_of, state_of_rows, usual_of
from descend.lab.words.option_names import on_the_page
from descend.lab.words.texts import Words, words
from descend.losses import LOSSES
from descend.report import mathematics
from descend.report.view_of_fit import view
from descend.wording import speaking

SETTINGS = (
    "formula.value loss.value trials.value dispersion.value optimizers.value rate.value auto.value start.value "
    "epochs.value batch.value validation.value noise.value by.value context.data by-hand.value theme.data"
)
TURN = Turn()
FILMS: Cache[tuple[bytes, Mapping[str, Still]]] = Cache(128)
WORDS: Cache[bytes] = Cache(128)
Answer = Callable[..., object] | str
Said = Mapping[str, Mapping[str, object]]
"""By element of a page, what becomes of its properties."""
Question = Mapping[str, object]
"""What a page posts."""
Opening = dict[str, Any]
"""What a page was opened with: the query of its address, and the key of its upload."""


class Callbacks:
    """The answers of one lab. formula: the one given with its own file, empty if none."""

    def __init__(self, library: Library, formula: str = "") -> None:
        self.library = library
        self.formula = formula

    def register(self, app: Any) -> None:
        """Register each answer with Dash."""
        from dash import ClientsideFunction, Input, Output
        from dash import State as Given

        def places(kind: type, names: str) -> list[object]:
            return [kind(*name.rsplit(".", 1)) for name in names.split()]

        def wire(answer: Answer, outputs: str, inputs: str, given: str = "", late: bool = True) -> None:
            """Connect an answer, or a browser function by its name. late: do not call it before an input changes."""
            to, of, given_places = places(Output, outputs), places(Input, inputs), places(Given, given)
            where = (to[0] if len(to) == 1 else to, of, given_places)
            if isinstance(answer, str):
                app.clientside_callback(ClientsideFunction("lab", answer), *where, prevent_initial_call=late)
            else:
                app.callback(*where, prevent_initial_call=late)(answer)

        wire("open", "opening.data", "url.search", late=False)
        wire(self.page, "page.children", "opening.data")
        wire("ask", "asked.data", SETTINGS, "gradient.value opening.data", late=False)
        judgement = "gradient-told.children mathematics.data gradient.placeholder"
        rows = "context.data noise.value opening.data by.value"
        wire(self.judge, judgement, "gradient.value formula.value loss.value", rows + " trials.value", late=False)
        wire(self.report, "download.data", "report.n_clicks", "link.data opening.data")
        wire(self.of_shares, "loss.value", "trials.value", "loss.value")
        wire("sample", "context.data", "sample.n_clicks", "context.data")
        wire("go", "url.search", "problem.value", "context.data")
        wire("write", "written.data", "mathematics.data", late=False)
        wire(self.curve, "formula.value start.value auto.value described.data", "curve.value", "formula.value " + rows)
        wire("draw", "pictured.data", "described.data", late=False)

    def page(self, opening: Opening) -> object:
        """Return the page for an address."""
        page_state, unread = read_query(str(opening.get("search") or ""), self.formula if self.library.file else "")
        if page_state.problem == FILE and self.library.file is None:
            page_state, unread = dataclasses.replace(usual_of("line"), lang=page_state.lang), (*unread, "problem")
        page_state, rows, unknown = self._divided(page_state, opening.get("key"))
        return page(page_state, rows, self.library, (*unread, *unknown), opening.get("at"))

    def of_shares(self, trials: str | None, loss: str) -> object:
        """Return the loss that is chosen when trials are given: of shares, unless another was asked for."""
        from dash import no_update

        state_of_groups = dataclasses.replace(usual_of("line"), trials=(trials or "").strip(), loss=loss).loss_shown
        return no_update if state_of_groups == loss else state_of_groups

    def _divided(self, page: State, key: str | None) -> tuple[State, Rows | None, tuple[str, ...]]:
        """Return a state without the groups that its rows do not have, these rows, and what was left out."""
        rows = self.library.rows(dataclasses.replace(page, group=""), key)
        if rows is None or not page.by:
            return dataclasses.replace(page, group=""), rows, ("group",) if page.group and not page.by else ()
        if not set(page.by) <= set(rows.groupings):
            return dataclasses.replace(page, by=(), group=""), rows, ("by",)
        try:
            return page, self.library.rows(page, key), ()
        except DescendError:
            return dataclasses.replace(page, group=""), rows, ("group",)

    def film(self, question: Question) -> bytes:
        """Return the film of some settings as JSON, or all groups, with what is wrong with them and where.

        question: ``settings``, the values of the controls; ``gradient``, by hand; ``key``, of an upload; ``shown``,
        which part of the table of groups; ``have``, the marks of the figures that the page has.

        It bypasses Dash, which would take longer to pass it on than it takes to compute.
        """
        film, page, groups_answer = b"null", usual_of("line"), b"null"
        notes: dict[str, object] = {"formula-told": None, "start-told": None, "trouble": None}
        try:
            page, rows, dark = self._state_and_rows(question)
            say = words(page.lang)
            if rows is None:
                notes["trouble"] = None if page.problem == UPLOAD else say("need_upload")
            elif not page.formula.strip():
                notes["formula-told"] = say("choose_formula", example=first_formula(list(rows.columns)))
            elif page.all_groups:
                with TURN.taken(soon=True), speaking(on_the_page(page.lang)):
                    groups_answer = as_json(groups.answer(page, rows, question.get("shown")))
            else:
                with speaking(on_the_page(page.lang)):
                    film = _film(page, rows, dark, question.get("have"))
                    unknown = unknown_start(page, lowest_fit(page, rows))
                if unknown:
                    notes["start-told"] = html.P([*prose(unknown), " ", say("left_out")], className="aside-told")
        except DescendError as error:
            notes["formula-told" if _of_formula(error, page) else "trouble"] = error_text(error, words(page.lang))
        return b'{"film":%b,"groups":%b,"told":%b}' % (film, groups_answer, as_json(notes))

    def hand(self, question: Question) -> bytes:
        """Return what a page that descends by hand has to know of a ``place`` on the surface, as JSON."""
        try:
            page, rows, _ = self._state_and_rows(question)
            if rows is None or page.all_groups:
                raise ConfigError(OUT_OF_DATE)
            hand_place = question.get("place")
            with TURN.taken(soon=True), speaking(on_the_page(page.lang)):
                return as_json(hand.stood(descents(page, rows), hand_place if isinstance(hand_place, list) else None))
        except DescendError as error:
            return as_json({"error": str(error)})

    def _state_and_rows(self, question: Question) -> tuple[State, Rows | None, bool]:
        """Return the state that a page asks for, its rows, and whether the page is dark. Raises DescendError."""
        settings, gradient, key = question.get("settings"), question.get("gradient"), question.get("key")
        if not isinstance(settings, Mapping):
            raise ConfigError(OUT_OF_DATE)
        page_state = state_of(settings, gradient if isinstance(gradient, str) else "")
        rows = self.library.rows(page_state, key if isinstance(key, str) else None)
        return page_state, rows, settings.get("theme") == "dark"

    def words(self, question: Question) -> bytes:
        """Return the words for the descents of a ``link`` as JSON: by element, what becomes of its properties.

        A page asks for them once its film is drawn and the hand rests. question: also ``key``, of an upload.
        """
        link, key = question.get("link"), question.get("key")
        page_state, rows = self._of_link(link if isinstance(link, str) else None, key if isinstance(key, str) else None)
        if rows is None:
            return b"{}"
        try:
            if page_state.all_groups:
                return as_json(_words_of_groups(page_state, rows))
            return WORDS((rows.key, page_state), lambda: as_json(_words(page_state, rows)))
        except DescendError:
            return b"{}"  # what is wrong is said with the film

    def _of_link(self, link: str | None, key: str | None) -> tuple[State, Rows | None]:
        """Return the state of a link, and its rows; None if these are not on this server."""
        page_state, _ = read_query(link or "", self.formula)
        return page_state, self.library.rows(page_state, key) if link else None

    def judge(
        self,
        gradient: str,
        formula: str,
        loss: str,
        context: Mapping[str, object],
        noise: float,
        opening: Opening,
        by: Sequence[str] | None = None,
        trials: str | None = None,
    ) -> tuple[object, str, str]:
        """Return the judgement on a gradient by hand, the derived gradient beside it, and a text to begin with."""
        try:
            page_state = dataclasses.replace(state_of_rows(context, noise, by), formula=formula or "", loss=loss)
            page_state = dataclasses.replace(page_state, trials=(trials or "").strip())
            READERS["gradient"](gradient or "")
            rows = self.library.rows(page_state, opening.get("key"))
            if rows is None or not page_state.formula.strip() or page_state.all_groups:
                return "", "", ""
            lowest = lowest_fit(page_state, rows)
        except (DescendError, ValueError):
            return "", "", ""  # shown beside the formula instead
        model = lowest.model
        loss_known = (
            lowest.loss_function if page_state.trials else LOSSES.build(loss)
        )  # no scale is estimated for a gradient by hand
        if model.formula is None:
            return "", "", ""  # of several scores in one there is no formula to derive
        derived = "".join(markup for _, markup in mathematics.gradient(Derivation(model.formula, loss_known)))
        skeleton = "\n".join(f"{label} = mean(...)" for label in model.parameters.labels)
        if not (gradient or "").strip():
            return "", derived, skeleton
        try:
            with speaking(on_the_page(page_state.lang)):
                judged = api.check(
                    page_state.formula,
                    rows.table,
                    gradient=gradient_lines(dataclasses.replace(page_state, gradient=gradient)),
                    start=starts(page_state, rows, lowest),
                    loss=loss_known,
                    weights=page_state.trials or None,
                    missing=rows.missing,
                )
            return judgement_text(judged, words(page_state.lang)), derived, skeleton
        except DescendError as error:
            return error_text(error, words(page_state.lang)), derived, skeleton

    def curve(
        self,
        name: str | None,
        present: str,
        context: Mapping[str, object],
        noise: float,
        opening: Opening,
        by: Sequence[str] | None,
    ) -> tuple[object, ...]:
        """Return the formula that a named curve makes of the columns, no start, a rate to be chosen, its picture."""
        from dash import no_update

        curve_chosen = curve_named(name or "")
        if curve_chosen is None:
            return no_update, no_update, no_update, ""
        page = state_of_rows(context, noise, by)
        rows, rows_of_page = self.library.rows(page, opening.get("key")), curves.shown(curve_chosen, words(page.lang))
        if rows is None:
            return no_update, no_update, no_update, rows_of_page
        return curves.formula_of(curve_chosen, rows, present or ""), "", ["auto"], rows_of_page

    def report(self, clicks: int | None, link: str | None, opening: Opening) -> object:
        """Return the report of the descent, or of the race, as a file to download."""
        from dash import no_update

        page_state, rows = self._of_link(link, opening.get("key"))
        if not clicks or rows is None:
            return no_update
        with TURN.taken(soon=False), speaking(on_the_page(page_state.lang)):
            content, name = copies.report(page_state, rows)
        return {"content": content, "filename": name, "type": "text/html", "base64": False}


def _film(page_state: State, rows: Rows, dark: bool, have: object) -> bytes:
    """Return the film of a state, with the figures that the page does not have."""

    def made() -> tuple[bytes, Mapping[str, Still]]:
        with TURN.taken(soon=True):
            return written(descents(page_state, rows), dark)

    moving, stills = FILMS((rows.key, page_state, dark), made)
    film_kept = have if isinstance(have, Mapping) else {}
    marks = as_json({name: each.mark for name, each in stills.items()})
    sent = b",".join(
        b'"%b":%b' % (name.encode(), each.text) for name, each in stills.items() if film_kept.get(name) != each.mark
    )
    return b'%b,"marks":%b,"figures":{%b}}' % (moving[:-1], marks, sent)


def _words_of_groups(page_state: State, rows: Rows) -> Said:
    """Return the words of all groups: how to repeat the fits elsewhere."""
    return {
        "command": {"children": unbroken(copies.commands(page_state, rows, {}))},
        "python": {"children": copies.python(page_state, rows, {})},
    }


def _words(page_state: State, rows: Rows) -> Said:
    """Return the words for a state, and the ends of the slider of rates."""
    with TURN.taken(soon=False), speaking(on_the_page(page_state.lang)):
        runs = descents(page_state, rows)
        say, runs_shown = words(page_state.lang), dict(runs.start)
        low, high = rates.ends(runs)
        contours, rows_left_out = captions(runs, say)
        best = [*groups_key(runs), *sides_key(runs, say), *([lowest_key(say)] if view(runs.first).one else [])]
        words_of_runs = {
            "told": verdicts(runs, say),
            "ruler": rates.drawn(runs, low, high, say),
            "limit": rates.sentence(runs, say),
            "rule": _rule(runs, say),
            "command": unbroken(copies.commands(page_state, rows, runs_shown)),
            "python": copies.python(page_state, rows, runs_shown),
            "surface-caption": [*legend(runs), contours],
            "data-caption": [*legend(runs), *best, *held_out_rows_key(runs, say), rows_left_out],
            "loss-caption": [lowest_key(say), *held_out_key(runs, say)],
        }
        return {name: {"children": key} for name, key in words_of_runs.items()} | {"rate": {"min": low, "max": high}}


def _of_formula(error: DescendError, page_state: State) -> bool:
    lines = str(error).split("\n")
    return len(lines) > 3 and bool(page_state.formula) and lines[1].strip()[:20] in page_state.formula


def _rule(runs: Descents, say: Words) -> str:
    page_state = runs.state
    text = rule(page_state.optimizers)
    if len(page_state.optimizers) > 1:
        text = f"{page_state.optimizers[0]}:   {text}"
    if page_state.batch is not None and page_state.batch < (rows := runs.first.rows):
        steps = math.ceil(rows / page_state.batch)
        text += f"   {say('batched', steps=steps, batch=page_state.batch)}"
    return text
