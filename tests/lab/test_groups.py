"""The lab keeps columns of few words, so that parameters may belong to groups, and draws these in their colours."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from tests.lab.films import film_of

from descend.lab.data.rows import read_rows
from descend.lab.descents.runs import descents
from descend.lab.state import FILE, State


@pytest.fixture
def rows(tmp_path):
    """Two decays of sites A and B, a column of notes that all differ, and one of words with a gap."""
    x = np.tile(np.linspace(0, 4, 12), 2)
    y = np.repeat([2.0, 1.0], 12) * np.exp(-x)
    lines = [
        f"{a},{b:.6g},{'AB'[k // 12]},note {k},{'ok' if k else ''}" for k, (a, b) in enumerate(zip(x, y, strict=True))
    ]
    path = tmp_path / "sites.csv"
    path.write_text("\n".join(["x,y,site,note,state", *lines]) + "\n")
    return read_rows(path, "sites.csv", ("file",))


def test_columns_of_few_words_are_kept(rows):
    assert list(rows.table) == ["x", "y", "site"]
    assert rows.left_out == ("note", "state")


def test_each_group_has_its_colour_and_one_line_moves(rows):
    state = State(FILE, "y ~ a[site]*exp(-b*x)", rate=None, start=(("b", 1.0),), epochs=50, optimizers=("lbfgs",))
    runs = descents(state, rows)
    assert runs.lowest.parameters["a"] == pytest.approx({"A": 2.0, "B": 1.0}, rel=1e-4)
    made = film_of(runs, False)
    drawn, moves = made["figures"]["data"], made["moves"]["data"]
    names = [trace["name"] for trace in drawn["data"][:2]]
    assert names == ["A", "B"] and len({trace["marker"]["color"] for trace in drawn["data"][:2]}) == 2
    (moving,) = moves
    gaps = [place for place, value in enumerate(moving["x"]) if np.isnan(value)]
    assert len(gaps) == 2 and gaps[1] == len(moving["x"]) - 1
    places = np.frombuffer(base64.b64decode(moving["heights"]), "<i2").reshape(-1, len(moving["x"]))
    last, scale = places[-1].astype(float), moving["scale"]
    assert scale[0] + last[0] * scale[1] == pytest.approx(2.0, abs=0.01)
    assert scale[0] + last[gaps[0] + 1] * scale[1] == pytest.approx(1.0, abs=0.01)
