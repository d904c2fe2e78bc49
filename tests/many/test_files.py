"""Each file a group: one that cannot be read, or lacks a column, costs itself only, and its sentence names it."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.errors import ConfigError, DataError

FORMULA = "y ~ a*exp(-b*x) + c"
TRUE = {"a": 2.0, "b": 0.7, "c": 0.5}


@pytest.fixture
def folder(tmp_path):
    """Eight runs: four good ones, one without x, one empty, one that is no text, one with a word among the numbers."""
    rng = np.random.default_rng(0)
    for run in range(8):
        x = np.linspace(0, 5, 15)
        y = TRUE["a"] * np.exp(-TRUE["b"] * x) + TRUE["c"] + run / 10 + 0.01 * rng.normal(size=15)
        rows = [f"{a:.6g},{b:.6g}" for a, b in zip(x, y, strict=True)]
        if run == 5:
            rows = []
        if run == 7:
            rows[3] = "1.2,abc"
        head = "time,y" if run == 4 else "x,y"
        (tmp_path / f"run{run}.csv").write_text("\n".join([head, *rows]) + "\n")
    (tmp_path / "run6.csv").write_bytes(bytes(range(256)))
    return tmp_path


def test_every_file_is_a_group_and_a_bad_one_costs_itself_only(folder):
    fits = descend.fit(FORMULA, folder / "*.csv", by="filename")
    assert fits.keys == [(f"run{run}.csv",) for run in range(8)]
    assert fits.outcome == ("converged",) * 4 + ("refused",) * 4
    np.testing.assert_allclose(fits.parameters["c"][:4], TRUE["c"] + np.arange(4) / 10, atol=0.03)
    assert fits.rows.tolist() == [15, 15, 15, 15, 0, 0, 0, 0]
    assert fits.failed["run4.csv"] == f"`{folder}/run4.csv` has no column `x`. Its columns: time, y."
    assert fits.failed["run5.csv"].startswith(f"`{folder}/run5.csv` has a header but no rows.")
    assert fits.failed["run6.csv"].startswith(f"`{folder}/run6.csv` is not text")
    assert fits.failed["run7.csv"].startswith(f"`y` in {folder}/run7.csv is text: row 4 holds 'abc'.")
    alone = descend.fit(FORMULA, folder / "run2.csv")
    assert fits["run2.csv"].parameters == pytest.approx(alone.parameters, rel=1e-6)
    with pytest.raises(DataError, match=r"The group run4\.csv was not fitted: .* has no column `x`"):
        fits["run4.csv"]
    assert len(fits.plot().axes) == 8


def test_saved_fits_of_files_predict_files(folder, tmp_path):
    descend.fit(FORMULA, folder / "*.csv", by="filename").save(tmp_path / "fits.json")
    fits = descend.load(tmp_path / "fits.json")
    predicted = fits.predict([folder / "run1.csv", folder / "run0.csv"])
    assert predicted[:15] == pytest.approx(fits["run1.csv"].predict(folder / "run1.csv"))
    assert predicted[15:] == pytest.approx(fits["run0.csv"].predict(folder / "run0.csv"))
    assert len(fits.plot(data=[folder / "run1.csv"]).axes) == 1
    with pytest.raises(DataError, match=r"`.*run4\.csv` has no column `x`"):
        fits.predict([folder / "run0.csv", folder / "run4.csv"])


def test_files_of_one_name_are_told_by_their_folders_and_further_columns_do_no_harm(folder):
    rows = (folder / "run1.csv").read_text().splitlines()
    for place in ("a", "b"):
        (folder / place).mkdir()
        (folder / place / "data.csv").write_text("\n".join(f"{row},{number or 'c'}" for number, row in enumerate(rows)))
    fits = descend.fit(FORMULA, [folder / "run0.csv", folder / "run1.csv", folder / "a/data.csv"], by="filename")
    assert fits.counts == {"converged": 3}  # c is a parameter, though one of three files has such a column
    assert fits.parameters["c"][2] == pytest.approx(fits.parameters["c"][0], rel=1e-9)
    fits = descend.fit("y ~ a*exp(-b*x) + d", str(folder / "[ab]" / "*.csv"), by="filename")
    assert fits.keys == [("a/data.csv",), ("b/data.csv",)]


def test_a_column_of_that_name_and_columns_beside_it(folder):
    for run in range(2):
        rows = (folder / f"run{run}.csv").read_text().splitlines()
        sites = ["site", *(["A"] * 8), *(["B"] * 7)]
        lines = [f"{row},{site}" for row, site in zip(rows, sites, strict=True)]
        (folder / f"sites{run}.csv").write_text("\n".join(lines))
    fits = descend.fit("y ~ w*x + b", folder / "sites*.csv", by=["filename", "site"])
    assert fits.keys == [(f"sites{run}.csv", site) for run in range(2) for site in "AB"]
    own = {"x": np.tile(np.arange(5.0), 2), "filename": np.repeat(["p", "q"], 5)}
    own["y"] = own["x"] * 2 + np.tile([0.1, -0.1, 0.0, 0.1, -0.1], 2)
    assert descend.fit("y ~ w*x", own, by="filename").keys == [("p",), ("q",)]
    with pytest.raises(ConfigError) as refused:
        descend.fit(FORMULA, folder / "run*.csv", by="filename", memory_limit="1GiB")
    assert str(refused.value) == (
        'by="filename" reads all files into memory, so that `memory_limit` has no meaning there. Leave it out.'
    )


def test_conditions_hold_for_each_file(folder):
    fits = descend.fit("y ~ w*x + b", folder / "run[0-3].csv", by="filename", where="y < 0.75 or x > 1")
    assert fits.counts == {"converged": 4} and len(set(fits.rows.tolist())) == 1
    fits = descend.fit("y ~ w*x + b", folder / "run[0-3].csv", by="filename", where="y > 2.6")
    assert fits.failed["run0.csv"] == f"No row of {folder}/run0.csv meets the condition `y > 2.6`. Loosen it."


def test_if_no_file_can_be_read_the_first_says_why(folder):
    with pytest.raises(DataError, match=r"run6\.csv` is not text"):
        descend.fit(FORMULA, folder / "run6.csv", by="filename")
