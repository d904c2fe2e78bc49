"""Zip codes and the like in text files: `01` and `1` are two groups, and that is told."""

from __future__ import annotations

import numpy as np
import pytest

import descend

NOTE = "`zip` is read as text, as some of its numbers begin with 0, such as 0010: `01` and `1` are two groups"
CODES = ("01", "1", "10", "0010")


@pytest.fixture
def file(tmp_path):
    rng = np.random.default_rng(0)
    group = np.arange(80) % 4
    x = rng.uniform(0, 4, 80)
    y = 1.0 + group + 0.5 * x + 0.1 * rng.normal(size=80)
    lines = (f"{a},{b},{CODES[place]}" for a, b, place in zip(x, y, group, strict=True))
    path = tmp_path / "rows.csv"
    path.write_text("x,y,zip\n" + "\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("engine", ["auto", "query"])
def test_numbers_that_begin_with_0_are_groups_of_their_own(engine, file, tmp_path):
    fits = descend.fit("y ~ a + b*x", file, by="zip", engine=engine)
    assert fits.keys == [(code,) for code in sorted(CODES)] and NOTE in fits.notes
    assert dict(zip([key for (key,) in fits.keys], fits.parameters["a"], strict=True)) == pytest.approx(
        {"01": 1.0, "1": 2.0, "10": 3.0, "0010": 4.0}, abs=0.2
    )
    new = tmp_path / "new.csv"
    new.write_text("x,zip\n0,10\n0,1\n")  # no number here begins with 0
    assert fits.predict(new) == pytest.approx([3.0, 2.0], abs=0.2)


@pytest.mark.parametrize("engine", ["auto", "query"])
def test_parameters_of_groups_know_them_too(engine, file, tmp_path):
    fit = descend.fit("y ~ a[zip] + b*x", file, engine=engine)
    assert [*fit.parameters["a"]] == sorted(CODES) and NOTE in fit.notes
    fit.save(tmp_path / "fit.json")
    new = tmp_path / "new.csv"
    new.write_text("x,zip\n0,10\n0,1\n")
    assert descend.load(tmp_path / "fit.json").predict(new) == pytest.approx([3.0, 2.0], abs=0.2)


def test_plain_numbers_stay_numbers(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("x,y,day\n" + "\n".join(f"{x},{x + day},{day}" for day in (0, 2, 10) for x in range(4)) + "\n")
    assert descend.fit("y ~ a + b*x", path, by="day").keys == [(0,), (2,), (10,)]
