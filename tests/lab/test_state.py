"""The state of a page and the query of its address say the same."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from descend.errors import ConfigError
from descend.lab.data.problems import PROBLEMS
from descend.lab.data.rows import Library
from descend.lab.page.callbacks import Callbacks
from descend.lab.state import FILE, UPLOAD, State, read_query, state_of, usual_of
from descend.losses import LOSSES
from descend.optimizers import OPTIMIZERS

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.text("abwxyz_[]0123456789", min_size=1, max_size=6)
TEXTS = st.text(max_size=60)
STATES = st.builds(
    State,
    problem=st.sampled_from([*PROBLEMS, UPLOAD]),
    formula=TEXTS,
    loss=st.sampled_from(list(LOSSES)),
    trials=TEXTS,
    dispersion=st.sampled_from(["", "estimated", "known", "2.5"]),
    optimizers=st.lists(st.sampled_from(list(OPTIMIZERS)), min_size=1, max_size=6, unique=True).map(tuple),
    rate=st.none() | st.floats(1e-300, 1e300),
    start=st.dictionaries(NAMES, NUMBERS, max_size=4).map(lambda named: tuple(named.items())),
    epochs=st.integers(1, 5000),
    batch=st.none() | st.integers(1, 10**6),
    validation=st.none() | st.floats(0.01, 0.99),
    noise=st.none() | st.floats(0.0, 6.0),
    seed=st.integers(0, 10**9),
    gradient=TEXTS,
    by_hand=st.booleans(),
    by=st.lists(st.text(min_size=1, max_size=12), max_size=4, unique=True).map(tuple),
    group=TEXTS,
    lang=st.sampled_from(["en", "zh"]),
)


@given(STATES)
def test_a_state_travels_in_the_address(state):
    possible = state.noise is None or (state.built_in is not None and state.built_in.can_have(state.noise))
    if possible:
        assert read_query(state.query) == (state, ())
    else:
        assert read_query(state.query) == (dataclasses.replace(state, noise=None), ("noise",))


def test_an_address_of_too_many_parts_is_left_as_usual():
    text = "&".join(f"a{number}=1" for number in range(100))
    assert read_query(f"?{text}") == (usual_of("line"), (f"?{text}"[:40],))


@pytest.mark.parametrize("name", list(PROBLEMS))
def test_a_problem_is_all_that_its_own_address_says(name):
    assert usual_of(name).query == f"?problem={name}"


@given(st.text(max_size=200))
def test_any_address_can_be_read(text):
    state, _ = read_query(f"?{text}")
    assert state.problem in (*PROBLEMS, UPLOAD, FILE)


@pytest.mark.parametrize(
    "text",
    [
        "problem=/etc/passwd", "problem=../line", "formula=" + "x" * 301, "loss=open", "optimizers=gd,os",
        "optimizers=", "rate=-1", "rate=nan", "rate=0", "start=w:inf", "start=:1", "epochs=0", "epochs=5001",
        "batch=0", "validation=1", "validation=some", "noise=-1", "noise=50", "seed=-1", "lang=xx", "file=/etc/passwd",
        "by_hand=2",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_and_left_as_usual(text):
    state, unread = read_query(f"?{text}")
    assert state == usual_of("line") and unread == (text.partition("=")[0],)


SETTINGS = {
    "formula": "y ~ w*x", "loss": "squared", "optimizers": ["gd"], "rate": -3.0, "auto": [], "start": "w=0.5",
    "epochs": "100", "batch": "all", "noise": 2.0, "context": {"problem": "line", "seed": 0, "lang": "en"},
    "by-hand": [], "theme": "light",
}  # fmt: skip


def test_the_settings_of_the_page_make_a_state():
    assert state_of(SETTINGS, "") == State(rate=0.001, start=(("w", 0.5),))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"start": "w"}, "The start cannot be read: write it as w=0, b=1."),
        ({"epochs": "9999"}, "The lab runs 1 to 5,000 epochs; this is `9999`."),
        ({"validation": "2"}, "The share of the rows held out lies between 0 and 1; this is `2`."),
        ({"loss": "open"}, "There is no loss `open`."),
        ({"noise": 50.0}, "The noise lies between 0 and 5 here."),
        ({"context": {"problem": "/etc/passwd", "seed": 0, "lang": "en"}}, "This page is out of date. Load it again."),
        (
            {"epochs": "9", "batch": "x", "context": {"problem": "line", "seed": 0, "lang": "zh"}},
            "批量大小是不小于 1 的整数；这里是 `x`。",
        ),
        ({"context": None}, "This page is out of date. Load it again."),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(wrong, message):
    with pytest.raises(ConfigError) as error:
        state_of(SETTINGS | wrong, "")
    assert str(error.value) == message


def test_a_gradient_by_hand_is_judged_by_the_loss_that_a_descent_with_it_has():
    """Under a robust loss the scale is estimated, but not for a gradient by hand."""
    text = "w = mean(min(max(w*x - y, -1), 1)*x)"
    context = {"problem": "line", "seed": 0, "lang": "en"}
    told, markup, _ = Callbacks(Library()).judge(text, "y ~ w*x", "huber", context, 0.5, {})
    assert "The gradient is correct: proved by algebra, for all parameters and data." in str(told)
    assert "<math" in markup
