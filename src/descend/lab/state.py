"""Everything that a page shows, and its form as the query of an address."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from descend.errors import ConfigError, DescendError
from descend.lab.data.data_in_links import NAMED
from descend.lab.data.problems import PROBLEMS, Problem
from descend.lab.words.texts import words
from descend.losses import LOSSES, advised_for
from descend.optimizers import OPTIMIZERS
from descend.options.checks import is_dispersion

LANGUAGES = ("en", "zh")
FILE, UPLOAD = "file", "upload"
"""The problems whose rows are from the file that the lab was started with, or from an upload."""
LONGEST_FORMULA = 300
LONGEST_GRADIENT = 2_000
LONGEST_GROUP = 300
MOST_EPOCHS = 5_000
MOST_RACING = 6
MOST_STARTS = 20
MOST_COLUMNS = 4
"""Columns that tell groups apart, at most."""
DIGITS = 6
"""Digits of a rate: the slider passes on its logarithm, whose last digits are rounding."""
Settings = Mapping[str, Any]
"""The values of the controls of a page, by their names."""
OUT_OF_DATE = "This page is out of date. Load it again."


@dataclass(frozen=True)
class State:
    """What the page shows.

    trials, dispersion: as the options of these names, empty if not given. rate: learning rate, None to have it chosen.
    start: of the parameters, as far as it is given. batch: rows per step, None for all. validation: the share of the
    rows that is held out, None for none. noise, seed: of a built-in
    problem; noise is None for the usual one. gradient: by hand, one line per parameter; by_hand: whether to descend
    with it. formula: empty if none is chosen yet. by: columns that tell groups apart, for one fit of each group; group:
    the one whose descent is shown, all groups in a table if empty. data: the name of a file that the lab keeps for a
    link, in place of an upload.
    """

    problem: str = "line"
    formula: str = "y ~ w*x"
    loss: str = "squared"
    optimizers: tuple[str, ...] = ("gd",)
    rate: float | None = 0.001
    start: tuple[tuple[str, float], ...] = (("w", 0.0),)
    epochs: int = 100
    batch: int | None = None
    validation: float | None = None
    noise: float | None = None
    seed: int = 0
    gradient: str = ""
    by_hand: bool = False
    by: tuple[str, ...] = ()
    group: str = ""
    lang: str = "en"
    trials: str = ""
    dispersion: str = ""
    data: str = ""

    @property
    def all_groups(self) -> bool:
        """Whether all groups are shown, rather than a descent."""
        return bool(self.by) and not self.group

    @property
    def built_in(self) -> Problem | None:
        return PROBLEMS.get(self.problem)

    @property
    def kind(self) -> dict[str, Any]:
        """What is fitted, as options of `descend.fit`: the kind of response, and the rows that a descent leaves out.

        Only those that are not as usual.
        """
        options_given = {"trials": self.trials, "dispersion": self.dispersion}
        loss = {} if self.loss == State.loss else {"loss": self.loss}
        held_out = {} if self.validation is None or self.all_groups else {"validation": self.validation}
        return loss | {key: text for key, text in options_given.items() if text} | held_out

    @property
    def model(self) -> tuple[object, ...]:
        """What is fitted to the rows: with their key, that of a fit."""
        return self.formula, *self.kind.items()

    @property
    def loss_shown(self) -> str:
        """The loss that is fitted: of shares of trials that of shares, where no other is asked for."""
        return advised_for("shares of trials") if self.trials and self.loss == State.loss else self.loss

    @property
    def query(self) -> str:
        """The state as the query of an address: only what differs from the usual state of the problem."""
        usual = usual_of(self.problem)
        pairs = [("problem", self.problem)] + [
            (each.name, WRITERS.get(each.name, str)(getattr(self, each.name)))
            for each in fields(self)
            if each.name != "problem" and getattr(self, each.name) != getattr(usual, each.name)
        ]
        return "?" + urlencode(pairs, quote_via=quote, safe=",:~*()^/")


def usual_of(problem: str, formula: str = "") -> State:
    """Return the state with which a problem begins."""
    recipe = PROBLEMS.get(problem)
    if recipe is None:
        return State(problem, formula, rate=None, start=(), epochs=200)
    return State(
        problem,
        recipe.formula,
        recipe.loss,
        recipe.optimizers,
        recipe.rate,
        tuple(recipe.start.items()),
        recipe.epochs,
        validation=recipe.validation,
        by=recipe.by,
    )


def read_query(query: str, formula: str = "") -> tuple[State, tuple[str, ...]]:
    """Read the query of an address; keys with values that cannot be read are returned, and stay as usual.

    formula: that of the file the lab was started with, if any.

    >>> state, unread = read_query("?problem=line&rate=0.01&optimizers=gd,adam&epochs=many")
    >>> state.rate, state.optimizers, state.epochs, unread
    (0.01, ('gd', 'adam'), 100, ('epochs',))
    """
    try:
        pairs = dict(parse_qsl(query.removeprefix("?"), keep_blank_values=True, max_num_fields=40, errors="replace"))
    except ValueError:  # too many
        return usual_of("line"), (query[:40],)
    unread = []
    problem = pairs.pop("problem", FILE if formula else "line")
    if problem not in (*PROBLEMS, FILE, UPLOAD):
        unread.append("problem")
        problem = "line"
    page = usual_of(problem, formula if problem == FILE else "")
    for name, text in pairs.items():
        reader = READERS.get(name)
        try:
            value = reader(text) if reader is not None else None
        except (ValueError, OverflowError):
            reader = None
        if reader is None:
            unread.append(name[:40])
        else:
            changed: dict[str, Any] = {name: value}
            page = replace(page, **changed)
    if page.noise is not None and (page.built_in is None or not page.built_in.can_have(page.noise)):
        page = replace(page, noise=None)
        unread.append("noise")
    return page, tuple(unread)


def state_of(settings: Settings, gradient: str | None) -> State:
    """Return the state from the values of the controls, by name. Raises ConfigError."""
    try:
        return _state_of(settings, gradient)
    except DescendError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):  # not from our own page
        raise ConfigError(OUT_OF_DATE) from None


def _state_of(settings: Settings, gradient: str | None) -> State:
    page_state = state_of_rows(settings["context"], settings["noise"], settings.get("by"))
    texts = {
        "formula": settings["formula"] or "",
        "loss": settings["loss"],
        "trials": (settings.get("trials") or "").strip(),
        "dispersion": (settings.get("dispersion") or "").strip(),
        "batch": settings["batch"],
        "validation": settings.get("validation") or "none",
        "optimizers": ",".join(settings["optimizers"] or ["gd"]),
        "gradient": gradient or "",
        "epochs": str(settings["epochs"] or "").strip() or "100",
        "start": (settings["start"] or "").replace("=", ":"),
    }
    for name, text in texts.items():
        try:
            page_state = replace(page_state, **{name: READERS[name](str(text))})
        except ValueError:
            raise ConfigError(words(page_state.lang)(f"bad_{name}", text=str(text)[:60])) from None
    rate = None if settings["auto"] else read_rate(f"{10.0 ** float(settings['rate']):.{DIGITS}g}")
    return replace(page_state, rate=rate, by_hand=bool(settings["by-hand"]))


def state_of_rows(context: Settings, noise: float | None, by: Iterable[str] | None) -> State:
    """Return a state with only what determines the rows of a problem. Raises ConfigError.

    by: the columns that tell groups apart; the group of the context is one of those that its own columns tell apart.
    """
    try:
        placed = {"problem": context["problem"], "seed": int(context["seed"]), "lang": context["lang"]}
        placed |= {"data": context["data"]} if context.get("data") else {}
        page_state, unread = read_query(f"?{urlencode(placed)}")
        columns = tuple(str(name) for name in by or ())
        same = columns and list(columns) == list(context.get("by", ()))
        page_state = replace(page_state, by=columns, group=str(context["group"])[:LONGEST_GROUP] if same else "")
    except (KeyError, TypeError, ValueError):
        unread = ("problem",)
    if unread:
        raise ConfigError(OUT_OF_DATE)
    recipe = page_state.built_in
    if recipe is None or recipe.noise is None or noise is None or float(noise) == recipe.noise:
        return page_state
    amount = float(noise)
    if not recipe.can_have(amount):
        raise ConfigError(f"The noise lies between {recipe.least:g} and {recipe.most:g} here.")
    return replace(page_state, noise=amount)


def read_rate(text: str) -> float | None:
    """Read a learning rate: a positive number, or ``auto``. Raises ValueError."""
    if text.strip() == "auto":
        return None
    rate = _number(text)
    if rate <= 0.0:
        raise ValueError(text)
    return rate


def read_start(text: str) -> tuple[tuple[str, float], ...]:
    """Read ``w:0,b:1``. Raises ValueError."""
    pairs = [start_text.rpartition(":") for start_text in text.split(",") if start_text.strip()]
    start_values = {name.strip(): _number(value) for name, _, value in pairs}
    if len(start_values) > MOST_STARTS or not all(start_values):
        raise ValueError(text)
    return tuple(start_values.items())


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _integer(least_number: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        value = int(text)
        if not least_number <= value <= most:
            raise ValueError(text)
        return value

    return read


def _short(most: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if len(text) > most:
            raise ValueError(text)
        return text

    return read


def _name_of_data(text: str) -> str:
    if not NAMED.fullmatch(text):
        raise ValueError(text)
    return text


def _dispersion(text: str) -> str:
    if text and not is_dispersion(text):
        raise ValueError(text)
    return text


def _columns(text: str) -> tuple[str, ...]:
    """Read ``site,well``; a comma within a name is written as ``%2C``. Raises ValueError."""
    names = tuple(unquote(name) for name in _short(LONGEST_FORMULA)(text).split(",") if name)
    if len(names) > MOST_COLUMNS or len(set(names)) < len(names):
        raise ValueError(text)
    return names


def _known(names: Iterable[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in names:
            raise ValueError(text)
        return text

    return read


def _several(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name for name in text.split(",") if name))
    if not 1 <= len(names) <= MOST_RACING or any(name not in OPTIMIZERS for name in names):
        raise ValueError(text)
    return names


def _share(text: str) -> float | None:
    if text == "none":
        return None
    share = _number(text)
    if not 0.0 < share < 1.0:
        raise ValueError(text)
    return share


def _noise(text: str) -> float:
    value = _number(text)
    if not 0.0 <= value <= 1e6:
        raise ValueError(text)
    return value


READERS: Mapping[str, Callable[[str], Any]] = {
    "formula": _short(LONGEST_FORMULA),
    "loss": _known(LOSSES),
    "trials": _short(LONGEST_FORMULA),
    "dispersion": _dispersion,
    "optimizers": _several,
    "rate": read_rate,
    "start": read_start,
    "epochs": _integer(1, MOST_EPOCHS),
    "batch": lambda text: None if text == "all" else _integer(1, 10**6)(text),
    "validation": _share,
    "noise": _noise,
    "seed": _integer(0, 10**9),
    "gradient": _short(LONGEST_GRADIENT),
    "by_hand": lambda text: bool(_integer(0, 1)(text)),
    "by": _columns,
    "group": _short(LONGEST_GROUP),
    "lang": _known(LANGUAGES),
    "data": _name_of_data,
}
WRITERS: Mapping[str, Callable[[Any], str]] = {
    "optimizers": ",".join,
    "rate": lambda rate: "auto" if rate is None else repr(rate),
    "start": lambda start: ",".join(f"{name}:{value!r}" for name, value in start),
    "batch": lambda batch: "all" if batch is None else str(batch),
    "validation": lambda share: "none" if share is None else repr(share),
    "noise": lambda noise: "" if noise is None else repr(noise),
    "by_hand": lambda used: str(int(used)),
    "by": lambda names: ",".join(name.replace("%", "%25").replace(",", "%2C") for name in names),
}
