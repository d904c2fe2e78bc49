"""The film of a state: what it shows is what `descend.fit` finds."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from tests.lab.films import film_of

from descend.errors import ConfigError
from descend.lab.data.problems import PROBLEMS
from descend.lab.data.rows import Library, Rows, read_rows
from descend.lab.descents import export as copies
from descend.lab.descents.runs import descents, unknown_start
from descend.lab.figures.frames import chosen, frames_of
from descend.lab.figures.loss_surface import landscape_of
from descend.lab.figures.still_figures import as_json
from descend.lab.page import rate_scale as rates
from descend.lab.page.callbacks import Callbacks
from descend.lab.page.verdicts import sides_key
from descend.lab.serving.limits import Limits, within
from descend.lab.state import State, usual_of
from descend.lab.words import chinese_messages as chinese
from descend.lab.words.texts import OUTCOMES, TEXTS, words
from descend.optimizers import OPTIMIZERS


def found(state):
    rows = Library().rows(state, None)
    assert rows is not None
    return descents(state, rows)


def frames_in(move: dict) -> int:
    """How many frames a move has."""
    if "heights" in move:
        return len(base64.b64decode(move["heights"])) // (2 * len(move["x"]))
    return len(base64.b64decode(move["side"])) // move["cells"] ** 2 if "side" in move else len(move["y"])


@pytest.mark.parametrize("name", list(PROBLEMS))
def test_every_problem_descends_and_its_film_is_json(name):
    made = found(usual_of(name))
    film = film_of(made, dark=False)
    frames = len(film["epochs"])
    as_json(film)
    assert all(fit.trace[-1].loss < fit.trace[0].loss for fit in made.fits.values())
    assert (
        film["epochs"] == sorted(set(film["epochs"])) and film["begin"] == frames - 1 == len(film["steps"]["theta"]) - 1
    )
    assert set(film["figures"]) == set(film["moves"])
    for moves in film["moves"].values():
        told = [move for move in moves if move["kind"] != "line" and not move.get("held")]
        assert len(told) == len(made.fits) and all(frames_in(move) == frames for move in told)


@pytest.mark.parametrize(
    ("language", "key", "learned"),
    [
        (
            "en",
            "the same for the rows held out",
            "From epoch 14 on it learns the noise: for the rows held out the loss rises from 0.09996 to 3.054, while J "
            "still falls.",
        ),
        (
            "zh",
            "留出的行的损失",
            "从第 14 轮起，曲线在学习噪声：留出的行的损失从 0.09996 升到 3.054，而 J 还在下降。",
        ),
    ],
)
def test_the_loss_of_the_rows_held_out_turns_upwards_beside_j(language, key, learned):
    state = dataclasses.replace(usual_of("waves"), lang=language)
    made = found(state)
    film = film_of(made, dark=False)
    shown = [made.first.trace.at(epoch).validation_loss for epoch in film["epochs"]]
    assert film["held"] == [pytest.approx(shown, rel=1e-6)]
    line, point = (move for move in film["moves"]["loss"] if move.get("held"))
    assert line["y"][[0, -1]] == pytest.approx([shown[0], shown[-1]]) and point["y"] == pytest.approx(shown)
    assert 10.0 ** film["figures"]["loss"]["layout"]["yaxis"]["range"][1] > max(shown)
    held_out = next(trace for trace in film["figures"]["data"]["data"] if trace["name"] == "held out")
    assert len(held_out["x"]) == 8 and made.first.rows == made.lowest.rows == 13
    said = json.loads(Callbacks(Library()).words({"link": state.query}))
    assert key in json.dumps(said["loss-caption"], ensure_ascii=False)
    assert learned in json.dumps(said["told"], ensure_ascii=False) and "lbfgs" not in json.dumps(said["told"])
    assert "--validation 0.4" in copies.commands(state, made.rows, {})
    assert "validation=0.4" in copies.python(state, made.rows, {})


def test_the_textbook_run_is_in_the_film():
    film = film_of(found(usual_of("line")), dark=True)
    x = film["moves"]["surface"][0]["x"]
    assert x[0] == 0.0 and x[100] == pytest.approx(2.1722409669, rel=1e-5)
    assert round(float(film["losses"][0][0]), 1) == 155.9 and film["link"] == "?problem=line"


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_the_numbers_of_a_step_lead_to_the_next_parameters(name):
    made = found(dataclasses.replace(usual_of("decay"), optimizers=(name,), epochs=20))
    steps = film_of(made, dark=False)["steps"]
    trace, fit = made.first.trace, made.first
    for frame, epoch in enumerate(frames_of(made.fits).epochs[:-1]):
        assert steps["theta"][frame] == pytest.approx(trace.at(epoch).theta, rel=1e-7)
        assert steps["after"][frame] == pytest.approx(trace.at(epoch + 1).theta, rel=1e-7)
        assert steps["slope"][frame] == pytest.approx(
            fit.solution.objective(trace.at(epoch).theta, 1).gradient, rel=1e-5
        )
        assert steps["loss"][frame] == pytest.approx(trace.at(epoch).loss, rel=1e-7)
    assert steps["labels"] == ["a", "b"] and steps["more"] == 0


def test_a_step_of_gradient_descent_is_the_rate_times_the_slope():
    steps = film_of(found(usual_of("line")), dark=False)["steps"]
    for theta, after, slope, rate in zip(steps["theta"], steps["after"], steps["slope"], steps["rate"], strict=True):
        assert theta[0] - rate * slope[0] == pytest.approx(after[0], rel=1e-7)
    assert steps["slope"][0][0] == pytest.approx(-142.8, rel=1e-3) and steps["kind"] == "gd"


def test_a_small_step_tells_the_slope_no_worse():
    """Near the end a step of gd is lost in the digits of what it moves, so the slope is asked for."""
    state = dataclasses.replace(usual_of("valley"), rate=0.1, epochs=2000)
    made = found(state)
    steps = film_of(made, dark=False)["steps"]
    last = made.first.trace.at(made.first.trace[-1].epoch - 1).theta
    assert steps["slope"][-1] == pytest.approx(made.first.solution.objective(last, 1).gradient, rel=1e-3)


def test_the_plane_of_two_inputs_shows_both_sides():
    made = found(usual_of("sides"))
    film = film_of(made, dark=False)
    figure, move = film["figures"]["data"], film["moves"]["data"][0]
    assert [trace["name"] for trace in figure["data"]] == ["z = 0", "z = 1"]
    assert figure["layout"]["xaxis"]["title"]["text"] == "x"
    cells = move["cells"]
    ends = np.frombuffer(base64.b64decode(move["side"]), np.uint8).reshape(-1, cells, cells)[-1] / 200.0
    x, y = np.linspace(*move["x"], cells), np.linspace(*move["y"], cells)
    right = made.first.predict({"x": np.tile(x, cells), "y": np.repeat(y, cells)}).reshape(cells, cells)
    assert np.abs(ends - right).max() <= 0.0026


def test_a_figure_that_the_page_has_is_not_sent_again():
    callbacks = Callbacks(Library())
    settings = {
        "formula": "y ~ w*x", "loss": "squared", "optimizers": ["gd"], "rate": -3.0, "auto": [], "start": "w=0",
        "epochs": "100", "batch": "all", "noise": 2.0, "context": {"problem": "line", "seed": 0, "lang": "en"},
        "by-hand": [], "theme": "light",
    }  # fmt: skip
    first = json.loads(callbacks.film({"settings": settings}))["film"]
    assert set(first["figures"]) == set(first["marks"]) == {"data", "surface", "loss"}
    again = json.loads(callbacks.film({"settings": settings | {"rate": -3.1}, "have": first["marks"]}))["film"]
    assert set(again["figures"]) <= {"loss"} and again["moves"] != first["moves"]


def test_the_stable_region_ends_where_descents_begin_to_diverge():
    limit = found(usual_of("valley")).limit
    assert limit is not None
    for share, outcome in ((0.99, "epochs_used_up"), (1.2, "diverged")):
        state = dataclasses.replace(usual_of("valley"), rate=share * limit, epochs=300)
        assert found(state).first.outcome == outcome
    low, high = rates.ends(found(usual_of("valley")))
    assert 10**low < limit < 10**high


def test_a_diverging_film_begins_while_it_can_be_seen():
    film = film_of(found(dataclasses.replace(usual_of("valley"), rate=0.2)), dark=False)
    assert 0 < film["begin"] < len(film["epochs"]) - 1


def test_the_map_stays_where_it_is_when_the_rate_or_a_start_on_it_changes():
    state = usual_of("decay")
    ends = landscape_of(found(state)).ends
    assert landscape_of(found(dataclasses.replace(state, rate=1.0))).ends == ends
    assert landscape_of(found(dataclasses.replace(state, start=(("a", 2.0), ("b", 1.0))))).ends == ends
    outside = landscape_of(found(dataclasses.replace(state, start=(("a", 9.0), ("b", 1.0))))).ends
    assert outside[0][1] > 9.0 and outside[1] == ends[1]


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5])
def test_the_way_down_a_parabola_stays_on_the_map(share):
    columns = {"load": np.array([1.0, 2.0, 3.0, 4.0]), "length": np.array([12.0, 14.1, 15.9, 18.0])}
    rows = Rows(("springs",), columns, "springs.csv", 4)
    state = State("upload", "length ~ w*load + b", rate=None, start=())
    made = descents(dataclasses.replace(state, rate=share * descents(state, rows).limit), rows)
    assert made.first.trace[-1].loss < made.first.trace[0].loss
    landscape = landscape_of(made)
    for place, (low, high) in zip(landscape.places, landscape.ends, strict=True):
        way = [step.theta[place] for step in made.first.trace]
        assert low < min(way) and max(way) < high


@pytest.mark.parametrize("last", [0, 1, 120, 121, 999, 5000])
def test_frames_go_from_the_first_epoch_to_the_last(last):
    epochs = chosen(last)
    assert epochs[0] == 0 and epochs[-1] == last and len(epochs) <= 121
    assert epochs == sorted(set(epochs))


@pytest.mark.parametrize(
    "state",
    [
        usual_of("line"),
        dataclasses.replace(usual_of("valley"), noise=1.5, seed=3, batch=25, epochs=7),
        dataclasses.replace(usual_of("line"), gradient="w = mean(2*x*(w*x - y))", by_hand=True),
        usual_of("classes"),
        usual_of("banana"),
        dataclasses.replace(usual_of("decay"), optimizers=("adam", "lbfgs"), rate=None, epochs=20),
    ],
    ids=["line", "batches", "by hand", "classes", "race", "auto"],
)
def test_the_copies_give_the_same_answer(state, run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    rows = Library().rows(state, None)
    made = descents(state, rows)
    *first, last = copies.commands(state, rows, made.start).split("\n")
    for command in first:
        assert run(*shlex.split(command)[1:]).code == 0
    told = json.loads(run(*shlex.split(last)[1:], "--json").stdout)
    names: dict = {}
    exec(copies.python(state, rows, made.start), names)
    fits = names["compared"].fits if len(made.fits) > 1 else {state.optimizers[0]: names["fit"]}
    assert list(fits) == list(made.fits)
    for name, fit in made.fits.items():
        answer = told["optimizers"][name] if len(made.fits) > 1 else told
        assert answer["parameters"] == fit.parameters == fits[name].parameters


def test_a_value_given_for_a_vector_is_the_start_of_all_its_components():
    columns = {"a": np.array([1.0, 2.0, 4.0]), "b": np.array([1.0, 0.0, 2.0]), "y": np.array([1.0, 2.0, 3.0])}
    state = State("upload", "y ~ w@[a, b]", start=(("w", 3.0), ("w[b]", 5.0)), rate=None)
    made = descents(state, Rows(("vector",), columns, "rows.csv", 3))
    assert made.start == {"w": [3.0, 5.0]} and unknown_start(state, made.lowest) == ""
    wrong = dataclasses.replace(state, start=(("w[b]", 1.0), ("ww", 1.0)))
    assert unknown_start(wrong, made.lowest) == "There is no parameter `ww` to start. Parameters: w."


def test_too_many_steps_are_refused():
    with pytest.raises(ConfigError) as error:
        found(dataclasses.replace(usual_of("line"), batch=1, epochs=5000))
    assert str(error.value) == (
        "5,000 epochs in batches of 1 of 100 rows are 500,000 steps; the lab takes 200,000 at most. "
        "Use larger batches or fewer epochs, or the command line."
    )


def test_a_run_that_takes_too_long_is_stopped():
    with within(Limits(seconds=0.02)):
        made = found(dataclasses.replace(usual_of("wave"), batch=2, epochs=3999, seed=11))
    assert made.first.outcome == "time_used_up" and made.first.seconds < 1.0


def test_many_rows_are_sampled(tmp_path: Path):
    path = tmp_path / "many.csv"
    x = np.arange(25_000) / 1000
    np.savetxt(path, np.column_stack([x, 2 * x]), delimiter=",", header="x,y", comments="")
    rows = read_rows(path, "many.csv", ("many",))
    assert (rows.rows, rows.total, rows.sampled) == (10_000, 25_000, True)
    assert np.array_equal(rows.columns["y"], 2 * rows.columns["x"])


def test_rows_with_gaps_are_left_out_of_the_fit_that_needs_them(tmp_path: Path):
    path = tmp_path / "gaps.csv"
    path.write_text("x,z,y,name\n1,,2,a\n2,5,4,b\n3,6,6,c\n4,7,,d\n")
    rows = read_rows(path, "gaps.csv", ("gaps",))
    assert list(rows.columns) == ["x", "z", "y"] and rows.gaps
    made = descents(State("upload", "y ~ w*x", rate=None, start=()), rows)
    assert made.first.rows == 3 and "--missing drop" in copies.commands(made.state, rows, dict(made.start))


def test_every_word_is_there_in_both_languages():
    from descend.descent import Outcome
    from descend.diagnosis import Cause

    assert all(len(pair) == 2 and all(pair) for pair in TEXTS.values())
    assert set(OUTCOMES) == set(chinese.OUTCOME_ADVICE) == {str(outcome) for outcome in Outcome}
    assert set(chinese.CAUSES) == set(chinese.CAUSE_ADVICE) == {str(cause) for cause in Cause}
    fields = [[set(re.findall(r"{\w+}", text)) for text in pair] for pair in TEXTS.values()]
    assert all(english == chinese for english, chinese in fields)


@pytest.mark.parametrize(("loss", "formula"), [("multinomial", "word ~ a + b*x"), ("ordinal", "grade ~ b*x")])
def test_classes_descend_too(tmp_path, loss, formula):
    random = np.random.default_rng(4)
    grades = random.integers(0, 3, 60)
    lines = [f"{x},{grade},{'abc'[grade]}" for x, grade in zip(random.normal(size=60), grades, strict=True)]
    (tmp_path / "classes.csv").write_text("x,grade,word\n" + "\n".join(lines) + "\n", encoding="utf-8")
    rows = read_rows(tmp_path / "classes.csv", "classes.csv", ("classes", loss))
    made = descents(State(formula=formula, loss=loss), rows)
    as_json(film_of(made, dark=False))
    assert made.lowest.loss < made.fits["gd"].trace[-1].loss < made.fits["gd"].trace[0].loss


def test_two_kinds_of_rows_and_their_border_have_a_legend():
    say = words("en")
    named = [part["props"]["children"][1] for part in sides_key(found(usual_of("sides")), say)]
    assert named == ["z = 0", "z = 1", "both are as likely"]
    assert sides_key(found(usual_of("line")), say) == []


def test_words_are_asked_by_the_link_of_a_film():
    lab = Callbacks(Library())
    said = json.loads(lab.words({"link": "?problem=line&rate=0.002", "key": None}))
    assert said["rate"] == {"min": -6.0, "max": 0.0} and said["limit"]["children"].endswith("up to 0.0305.")
    assert "--learning-rate 0.002" in "".join(
        part if isinstance(part, str) else part["props"]["children"] for part in said["command"]["children"]
    )
    for question in ({"link": "?problem=upload", "key": "gone"}, {"link": None}, {"link": "?problem=line&formula=y"}):
        assert lab.words(question) == b"{}"


def test_a_scale_that_a_loss_estimates_is_that_of_the_lowest_fit():
    made = found(usual_of("outliers"))
    assert made.first.loss_function == made.lowest.loss_function
    rows = Library().rows(usual_of("outliers"), None)
    alone = descents(usual_of("outliers"), rows, afresh=True).first
    assert alone.loss_function.delta == pytest.approx(made.first.loss_function.delta, rel=1e-6)
    assert "estimated from the median residual" in alone.notes[0] and alone.loss == pytest.approx(made.first.loss)
