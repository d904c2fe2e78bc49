"""`descend fit --by`: a table, a line of JSON for each group, a file, and an exit code that says if all went well."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

import descend
from descend.cli.main import app

ROWS = "\n".join(
    ["x,y,site"]
    + [f"{x},{2 * x + 1 + 0.1 * (-1) ** x},A" for x in range(8)]
    + [f"{x},{5 - x + 0.1 * (-1) ** x},B" for x in range(8)]
)


@pytest.fixture
def sites(tmp_path):
    """Two lines of eight points each."""
    path = tmp_path / "sites.csv"
    path.write_text(ROWS + "\n")
    return path


def test_the_table_lists_the_groups(sites):
    result = CliRunner().invoke(app, ["fit", "y ~ w*x + b", str(sites), "--by", "site"])
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0] == "y ~ w*x + b, by site"
    assert lines[1].startswith("  2 groups: 2 converged, in ")
    assert [line.split() for line in lines[3:6]] == [
        ["site", "w", "b", "R²", "rows", "outcome"],
        ["A", "1.99048", "1.03333", "0.9995", "8", "converged"],
        ["B", "-1.00952", "5.03333", "0.9982", "8", "converged"],
    ]


def test_json_has_a_line_for_each_group_and_a_failed_one_decides_the_exit_code(sites, tmp_path):
    sites.write_text(ROWS + "\n3,4,C\n")
    result = CliRunner().invoke(
        app, ["fit", "y ~ w*x + b", str(sites), "--by", "site", "--json", "--save", str(tmp_path / "fits.csv")]
    )
    assert result.exit_code == 1
    groups = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    assert [each["group"] for each in groups] == [{"site": "A"}, {"site": "B"}, {"site": "C"}]
    assert groups[2]["outcome"] == "refused" and groups[2]["parameters"] == {"w": None, "b": None}
    assert groups[2]["cause"] == "The group C has one row of data. A fit needs at least two."
    saved = (tmp_path / "fits.csv").read_text().splitlines()
    assert saved[0] == "site,w,b,w std. error,b std. error,rows,loss,r_squared,outcome,cause"
    assert len(saved) == 4


def test_what_is_shown_of_one_fit_is_refused(sites, tmp_path):
    options = ["--by", "site", "--animate", str(tmp_path / "r.html")]
    result = CliRunner().invoke(app, ["fit", "y ~ w*x + b", str(sites), *options])
    assert str(result.exception) == (
        "`--animate` goes with one fit, not with one for each group. Drop it, or fit one group alone: --where."
    )


def test_pictures_take_the_looks_of_one_fit(sites, tmp_path):
    picture = tmp_path / "sites.png"
    looks = ["--bands", "confidence", "--style", "presentation", "--size", "8x4", "--log", "y", "--title", "Sites"]
    words = ["fit", "y ~ w*x + b", str(sites), "--by", "site", "--where", "y > 0", "--plot", str(picture), *looks]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert picture.stat().st_size > 10_000
    result = CliRunner().invoke(app, [*words, "--residuals"])
    assert str(result.exception).startswith("`--residuals` goes with one fit, not with one for each group.")


@pytest.mark.parametrize("options", [["--by", "site", "--by", "half"], ["--by", "site,half"]], ids=str)
def test_columns_may_be_named_one_by_one_or_with_commas(sites, options):
    rows = [f"{row},{'half' if place == 0 else place % 2}" for place, row in enumerate(ROWS.splitlines())]
    sites.write_text("\n".join(rows) + "\n")
    result = CliRunner().invoke(app, ["fit", "y ~ w*x + b", str(sites), *options, "--json"])
    assert result.exit_code == 0, result.output
    groups = [json.loads(line)["group"] for line in result.stdout.splitlines() if line.startswith("{")]
    assert groups == [{"site": site, "half": half} for site in "AB" for half in (0, 1)]


def test_a_table_of_many_fits_is_no_model_file(sites, tmp_path):
    table = tmp_path / "fits.json"
    saved = CliRunner().invoke(app, ["fit", "y ~ w*x + b", str(sites), "--by", "site", "--output", str(table)])
    assert saved.exit_code == 0, saved.output
    assert [record["site"] for record in json.loads(table.read_text())] == ["A", "B"]
    said = f"`{table}` is a table of many fits, not a model file. Give a file that `fit.save` wrote."
    with pytest.raises(descend.DataError) as refused:
        descend.load(table)
    assert str(refused.value) == said
    assert str(CliRunner().invoke(app, ["predict", str(table), str(sites)]).exception) == said.replace(
        "fit.save", "descend fit --save"
    )


@pytest.mark.parametrize("ending", ["json", "parquet"])
def test_saved_fits_predict_the_rows_of_each_group(sites, tmp_path, ending):
    fits, new, out = tmp_path / f"fits.{ending}", tmp_path / "new.csv", tmp_path / "out.csv"
    saved = CliRunner().invoke(app, ["fit", "y ~ w*x + b", str(sites), "--by", "site", "--save", str(fits)])
    assert saved.exit_code == 0, saved.output
    new.write_text("x,site\n10,B\n10,A\n,A\n1,\n")
    result = CliRunner().invoke(app, ["predict", str(fits), str(new)])
    assert str(result.exception).startswith(f"In {new}, `x` has a missing value in row 3.")
    result = CliRunner().invoke(app, ["predict", str(fits), str(new), "--missing", "drop", "--output", str(out)])
    assert result.exit_code == 0, result.output
    rows = [line.split(",") for line in out.read_text().splitlines()]
    assert rows[0] == ["x", "site", "prediction"] and [row[:2] for row in rows[1:]] == [["10", "B"], ["10", "A"]]
    assert [float(row[2]) for row in rows[1:]] == pytest.approx([-5.0619048, 20.938095], rel=1e-6)
    new.write_text("x,site\n10,C\n")
    result = CliRunner().invoke(app, ["predict", str(fits), str(new)])
    assert str(result.exception) == "There is no group C of `site`. There are 2, such as A, B."
    result = CliRunner().invoke(app, ["predict", str(fits), "--at", "x=1"])
    assert str(result.exception) == "`--at` gives no value for `site`. Add it, such as `--at site=A`."
    result = CliRunner().invoke(app, ["predict", str(fits), "--at", "site=B,A", "--at", "x=10"])
    assert [float(line.split(",")[-1]) for line in result.output.split()[1:]] == pytest.approx(
        [-5.0619048, 20.938095], rel=1e-6
    )
    result = CliRunner().invoke(app, ["predict", str(fits), "--at", "site=C,x=10"])
    assert str(result.exception) == "There is no group C of `site`. There are 2, such as A, B."
    result = CliRunner().invoke(app, ["export", str(fits), "--to", "sql"])
    assert str(result.exception) == (
        f"`{fits}` holds the fits of 2 groups. Save that of one group, in Python: "
        f'descend.load("{fits}")[\'A\'].save("one.json").'
    )


def test_the_last_line_says_how_many_failed_and_why(sites, tmp_path):
    sites.write_text(ROWS + "\n3,4,C\n3,5,D\n")
    plot = tmp_path / "p.png"
    for json_or_not in ([], ["--json"]):
        result = CliRunner().invoke(
            app, ["fit", "y ~ w*x + b", str(sites), "--by", "site", *json_or_not, "--plot", str(plot)]
        )
        assert result.exit_code == 1 and plot.stat().st_size > 10_000
        assert result.stderr.splitlines()[-1] == (
            "2 of 4 groups failed. 2 refused: C and D: The group C has one row of data."
        )


def test_a_table_is_for_many_fits_and_needs_a_known_ending(sites, tmp_path):
    result = CliRunner().invoke(app, ["fit", "y ~ w*x + b", str(sites), "--output", str(tmp_path / "t.csv")])
    assert str(result.exception) == (
        "`--output` is the table of many fits, and goes with --by. To keep one fit: --save."
    )
    result = CliRunner().invoke(app, ["fit", "y ~ w*x", str(sites), "--by", "site", "--save", str(tmp_path / "t.xls")])
    assert str(result.exception).startswith(f"`{tmp_path / 't.xls'}` cannot be written: its ending must be one of ")
