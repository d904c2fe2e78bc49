"""A model file that was damaged anywhere is refused with the place, or works: no other error reaches the user."""

from __future__ import annotations

import copy
import json
import random
import time

import numpy as np
import pytest

import descend
from descend.errors import DescendError

ODD = [None, True, 0, -1, 2, 1e308, -0.5, "", "x", "y ~ z", "a", "squared", [], [1], ["a"], {}, {"a": 1}, "∞", [[1]],
       10**400, "1" * 50]  # fmt: skip
SAID = (
    "none of descend's own",
    "is damaged at `",
    "is not a model file",
    "in a format",
    "was fitted with the Python function",
)
X = np.linspace(0, 5, 50)
ROWS = {"x": X, "y": 3 * np.exp(-X) + 0.1 * np.random.default_rng(0).normal(size=50), "s": np.full(50, 0.1)}


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    place = tmp_path_factory.mktemp("models") / "model.json"
    found = []
    for formula, options in [
        ("y ~ a*exp(-b*x) + c", {"bounds": ["c > 0"]}),
        ("y ~ w @ [x, x^2] + c", {"fix": {"c": 1}}),
        ("y ~ a*exp(-b*x) + c", {"ties": ["c = 0.1*a"], "sigma": "s"}),
    ]:
        descend.fit(formula, ROWS, **options).save(place)
        found.append(json.loads(place.read_text()))
    return found


def places(value, above=()):
    if above:
        yield above
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from places(part, (*above, key))


def damaged(content, chance):
    content = copy.deepcopy(content)
    place = chance.choice(list(places(content)))
    holder = content
    for key in place[:-1]:
        holder = holder[key]
    kind = chance.random()
    if kind < 0.2:
        del holder[place[-1]]
    elif kind < 0.3 and isinstance(holder, dict):
        holder[f"{place[-1]}_"] = holder.pop(place[-1])
    else:
        holder[place[-1]] = chance.choice(ODD)
    return content


def use(path, tmp_path):
    """Do what the command line does with a model file."""
    fit = descend.load(path)
    for work in (
        lambda: fit.predict({"x": [1.0, 2.0]}),
        fit.summary,
        lambda: fit.export("sql") + fit.export("python") + fit.export("latex"),
        lambda: repr(fit) + str(fit._repr_html_()),
        lambda: fit.save(tmp_path / "again.json"),
        lambda: fit.predict({"x": [1.0], "s": [0.1]}, interval="prediction"),
        fit.intervals,
    ):
        try:
            work()
        except DescendError:
            continue


@pytest.mark.parametrize("seeds", [range(300), pytest.param(range(300, 2300), marks=pytest.mark.slow)])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_no_damage_ends_in_another_error(seeds, contents, tmp_path):
    path = tmp_path / "model.json"
    for seed in seeds:
        chance = random.Random(seed)
        content = damaged(chance.choice(contents), chance)
        path.write_text(json.dumps(content))
        began = time.monotonic()
        try:
            use(path, tmp_path)
        except DescendError as error:
            assert any(words in str(error) for words in SAID), (seed, str(error))
        assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"parameters": {"a": 1, "b": "x", "c": 0}}, "damaged at `parameters.b`: a number belongs there."),
        ({"parameters": {"a": 1, "b": [1, 2], "c": 0}}, "damaged at `parameters.b`: a number belongs there."),
        ({"parameters": {"a": 1, "c": 0}}, "damaged at `parameters.b`: it is missing."),
        ({"covariance": [[1, 2], [3, None], [1, "x"]]}, "damaged at `covariance[2][1]`: a number belongs there."),
        ({"covariance": [[1]]}, "damaged at `covariance`: 3 rows belong there."),
        ({"shapes": {"a": None, "c": None}}, "damaged at `shapes.b`: it is missing."),
        ({"sigma": ""}, "damaged at `sigma`: the name of a column belongs there."),
        ({"outcome": "fine"}, "damaged at `outcome`: how a run ends belongs there."),
        ({"formula": "y ~ a*exp("}, "damaged at `formula`: "),
        ({"loss_function": "squarred"}, "damaged at `loss_function`: There is no loss `squarred`."),
    ],
)
def test_the_place_of_the_damage_is_told(change, said, contents, tmp_path):
    path = tmp_path / "model.json"
    path.write_text(json.dumps(contents[0] | change))
    with pytest.raises(descend.DataError) as refused:
        descend.load(path)
    assert said in str(refused.value)
    assert str(refused.value).endswith("Fit and save it again.")


def test_a_file_fitted_with_a_loss_from_outside_says_what_to_import(contents, tmp_path):
    path = tmp_path / "model.json"
    path.write_text(json.dumps(contents[0] | {"loss_function": "linex(k=0.5)"}))
    with pytest.raises(descend.DataError) as refused:
        descend.load(path)
    assert str(refused.value) == (
        f"`{path}` was fitted with the loss `linex`, which is none of descend's own. Import the module that registers "
        "it, and load the file again."
    )
