"""Tables for print: values rounded to their errors, in every format, of one fit, of many, and of models compared."""

from __future__ import annotations

import csv
import io
import math
from decimal import Decimal, localcontext
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import descend
from descend.errors import ConfigError
from descend.report.published.cells import Estimate, Interval, Name, Number, Published
from descend.report.published.formats import FORMATS, write_tables
from descend.report.published.rounding import end, written

T = np.linspace(0.0, 5.0, 25)
DATA = {"t": T, "y": 3.0 * np.exp(-0.7 * T) - 0.5 + 0.05 * np.sin(40.0 * T)}


@pytest.mark.parametrize(
    ("value", "error", "markdown", "plus_minus"),
    [
        (0.12344, 0.00563, "0.1234(56)", "0.1234 ± 0.0056"),
        (-0.12344, 0.00563, "−0.1234(56)", "−0.1234 ± 0.0056"),
        (34.56, 1.23, "34.6(12)", "34.6 ± 1.2"),
        (345.6, 12.3, "346(12)", "346 ± 12"),
        (-2.0, 0.0996, "−2.00(10)", "−2.00 ± 0.10"),
        (1.0, 0.00999, "1.000(10)", "1.000 ± 0.010"),
        (123456.0, 7890.0, "1.235(79) × 10⁵", "(1.235 ± 0.079) × 10⁵"),
        (999600.0, 1000.0, "9.996(10) × 10⁵", "(9.996 ± 0.010) × 10⁵"),
        (3.0e-7, 2.1e-8, "3.00(21) × 10⁻⁷", "(3.00 ± 0.21) × 10⁻⁷"),
        (6.02214076e23, 1.5e15, "6.022140760(15) × 10²³", None),
        (0.00012, 5.6, "0.0(56)", "0.0 ± 5.6"),
        (-0.0001, 0.5, "0.00(50)", "0.00 ± 0.50"),
        (0.0, 0.02, "0.000(20)", "0.000 ± 0.020"),
        (0.0, 2000.0, "0.0(20) × 10³", "(0.0 ± 2.0) × 10³"),
        (0.125, 0.1, "0.12(10)", "0.12 ± 0.10"),
        (0.5, None, "0.5", "0.5"),
        (1.0 / 3.0, None, "0.333333", "0.333333"),
        (1.0 / 3.0, 0.0, "0.333333", "0.333333"),
        (1.0 / 3.0, math.nan, "0.333333", "0.333333"),
        (1.0 / 3.0, math.inf, "0.333(∞)", "0.333 ± ∞"),
        (-2.5e9, None, "−2.5 × 10⁹", "−2.5 × 10⁹"),
        (math.nan, 1.0, "–", "–"),
        (math.inf, None, "∞", "∞"),
        (-math.inf, 1.0, "−∞", "−∞"),
        (5e-324, 5e-324, "4.9(49) × 10⁻³²⁴", None),
        (1.7e308, 1e307, "1.70(10) × 10³⁰⁸", None),
    ],
)
def test_values_end_at_the_second_digit_of_their_error(value, error, markdown, plus_minus):
    estimate = Estimate(value, error)
    assert FORMATS["markdown"]("parentheses").cell(estimate) == markdown
    assert plus_minus is None or FORMATS["markdown"]("plus-minus").cell(estimate) == plus_minus


sizes = st.floats(min_value=1e-290, max_value=1e290)


@given(st.floats(min_value=-1e290, max_value=1e290), sizes)
def test_what_is_written_is_the_value_to_half_a_digit(value, error):
    found = written(value, error)
    with localcontext() as context:
        context.prec = 2000
        unit = Decimal(1).scaleb(found.power - found.places)
        assert abs(Decimal(found.value).scaleb(found.power) - Decimal(value)) <= unit / 2
        assert abs(Decimal(found.error).scaleb(found.power) - Decimal(error)) <= unit / 2
    assert 10 <= int(found.in_last_digits) <= 99
    assert Decimal(found.value) != 0 or not found.value.startswith("-")


@given(st.floats(min_value=0.01, max_value=999.0), st.floats(min_value=0.001, max_value=9.0))
def test_it_is_what_the_uncertainties_package_writes(value, error):
    from uncertainties import ufloat

    value, error = float(f"{value:.10g}"), float(f"{error:.10g}")
    assert f"{written(value, error).value}+/-{written(value, error).error}" == f"{ufloat(value, error):.2uf}"


def test_ends_of_intervals_have_the_places_of_their_value():
    assert end(0.13567, written(0.12344, 0.00563)) == "0.1357"
    assert end(135670.0, written(123440.0, 5630.0)) == "1.357"
    assert end(math.inf, written(1.0, 0.1)) == "∞" and end(-math.inf, written(1.0, 0.1)) == "-∞"
    assert end(0.98765, written(1.0)) == "0.9877"


HOSTILE = Published(
    ["site_1 (µg & 50%)", "value", "interval"],
    [
        [
            [Name("[C]"), Estimate(-1.5, 0.1), Interval(-math.inf, -1.3, Estimate(-1.5, 0.1))],
            [Name("K_m[a|b]"), Estimate(2e6, 2e4), Interval(1.9e6, 2.1e6, Estimate(2e6, 2e4))],
            ["#~^\\{}$ <b>*x*", Number(1.5e-9), None],
        ]
    ],
    "made up",
    ["50% of it"],
)


def test_latex_escapes_and_sets_numbers_as_mathematics():
    text = write_tables([HOSTILE], "latex", "parentheses")
    assert text.splitlines() == [
        "% made up",
        r"% \usepackage{booktabs}",
        r"\begin{tabular}{lrr}",
        r"\toprule",
        r"site\_1 ($\mu$g \& 50\%) & value & interval \\",
        r"\midrule",
        r"{}[C] & $-1.50(10)$ & $[-\infty, -1.30]$ \\",
        r"$K_{m}$[a\textbar{}b] & $2.000(20) \times 10^{6}$ & $[1.900, 2.100] \times 10^{6}$ \\",
        r"\#\textasciitilde{}\textasciicircum{}\textbackslash{}\{\}\$ \textless{}b\textgreater{}*x* & "
        r"$1.5 \times 10^{-9}$ & \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\par\smallskip{\footnotesize 50\% of it.\par}",
    ]


def test_markdown_and_html_escape_too():
    text = write_tables([HOSTILE], "markdown", "parentheses").splitlines()
    assert text[0] == r"| site\_1 (µg & 50%) | value | interval |" and text[1] == "| --- | ---: | ---: |"
    assert text[2] == r"| \[C\] | −1.50(10) | \[−∞, −1.30\] |"
    assert text[4] == r"| \#\~^\\\{\}\$ \<b\>\*x\* | 1.5 × 10⁻⁹ |  |"
    text = write_tables([HOSTILE], "html", "plus-minus")
    assert "(2.000 ± 0.020) × 10<sup>6</sup>" in text and "&lt;b&gt;" in text and "<b>" not in text


def test_csv_has_the_numbers_in_full_beside_what_is_printed():
    rows = list(csv.DictReader(io.StringIO(write_tables([HOSTILE], "csv", "parentheses"))))
    assert rows[1] == {
        "site_1 (µg & 50%)": "K_m[a|b]",
        "value": "2000000.0",
        "value error": "20000.0",
        "value written": "2.000(20)e6",
        "interval low": "1900000.0",
        "interval high": "2100000.0",
    }
    from uncertainties import ufloat_fromstr

    assert ufloat_fromstr(rows[1]["value written"]).std_dev == 20000.0


@pytest.fixture(scope="module")
def fit() -> descend.Fit:
    quantities = ["half_life = log(2)/b_1"]
    return descend.fit("y ~ a*exp(-b_1*t) + c", DATA, quantities=quantities, fix={"c": -0.5})


def test_a_fit_has_parameters_quantities_and_how_good_it_is(fit, tmp_path):
    text = fit.table()
    a, error = fit.parameters["a"], fit.standard_errors["a"]
    low, high = fit.intervals()["a"]
    lines = text.splitlines()
    assert lines[0] == "| parameter | value | 95% interval | note |"
    assert lines[2] == f"| a | {a:.3f}({error * 1e3:.0f}) | \\[{low:.3f}, {high:.3f}\\] |  |"
    assert "| c | −0.5 |  | fixed |" in lines
    life = fit.quantities["half_life"]
    assert f"| half\\_life | {life.value:.3f}({life.standard_error * 1e3:.0f}) |" in text and "| log(2)/b\\_1 |" in text
    assert f"| R² | {fit.r_squared:.5g} |  |  |" in lines and "| degrees of freedom | 23 |  |  |" in lines
    fit.save(tmp_path / "fit.json")
    assert descend.load(tmp_path / "fit.json").table() == text
    profile = fit.table("md", errors="plus-minus", intervals=fit.intervals(0.9, "profile"))
    assert "90% interval" in profile and "±" in profile and "Intervals: profile, likelihood ratio" in profile


def test_a_run_that_did_not_converge_says_so():
    start = {"a": 1.0, "b": 1.0, "c": 0.0}
    fitted = descend.fit("y ~ a*exp(-b*t) + c", DATA, start=start, optimizer="gd", learning_rate=0.01, epochs=3)
    assert "The run did not reach a minimum: epochs used up." in fitted.table()


def test_many_fits_have_a_row_for_each_group():
    x, site = np.tile(np.linspace(0.5, 20.0, 12), 3), np.repeat(["A_1", "B", "C"], 12)
    y = np.repeat([2.0, 4e6, np.nan], 12) * x / (3.0 + x) * (1.0 + 0.01 * np.cos(37.0 * x))
    fits = descend.fit("y ~ V*x/(K + x)", {"x": x, "y": y, "site": site}, by="site")
    lines = fits.table().splitlines()
    assert lines[0] == "| site | V | K | R² | rows | outcome |"
    assert lines[2].startswith("| A\\_1 | 2.00") and lines[3].startswith("| B | 4.00") and "× 10⁶" in lines[3]
    assert lines[4].startswith("| C | – | – |  |")
    assert "A\\_1 & $2.00" in fits.table("latex")


def test_a_comparison_has_its_models_and_its_tests():
    found = descend.compare(["y ~ a*exp(-b*t)", "y ~ a*exp(-b*t) + c"], DATA)
    lines = found.table().splitlines()
    assert lines[0] == "| model | parameters | loss | AIC | AICc | ΔAICc | BIC | weight |"
    assert lines[2].startswith("| y \\~ a\\*exp(-b\\*t) | 2 |")
    assert lines[5] == "| model | within | F | df | p | LR | p of LR |" and f"{found.tests[0].F:.5g}" in lines[7]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"format": "latx"},
            "There is no format `latx` of a table. Did you mean `latex`? Known: latex, markdown, csv, html.",
        ),
        (
            {"errors": "plusminus"},
            "Errors of a table are written in parentheses, 0.1234(56), or by plus-minus, 0.1234 ± 0.0056. There is no "
            "`plusminus`. Did you mean `plus-minus`?",
        ),
    ],
)
def test_what_no_table_has_is_refused(fit, asked, message):
    with pytest.raises(ConfigError) as error:
        fit.table(**asked)
    assert str(error.value) == message


def test_the_command_line_writes_tables(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savetxt("decay.csv", np.column_stack([*DATA.values()]), delimiter=",", header="t,y", comments="")
    words = ["y ~ a*exp(-b*t) + c", "decay.csv", "--table-output"]
    done = run("fit", *words, "fit.tex", "--interval", "profile", "--level", "0.9", "--table-errors", "plus-minus")
    assert done.code == 0 and done.stdout.endswith("Table written to fit.tex\n")
    text = Path("fit.tex").read_text()
    assert r"\toprule" in text and r"\pm" in text and r"90\% interval" in text and "25 rows of decay.csv" in text
    done = run("compare", *words, "models.md", "--against", "y ~ a*exp(-b*t)")
    assert done.code == 0 and Path("models.md").read_text().startswith("| model |")
    done = run("fit", *words, "fit.docx")
    assert done.code == 2 and done.stderr.strip() == (
        "OutputError: `fit.docx` cannot be a table: its ending must be one of .tex, .md, .csv, .html, .htm."
    )
    done = run("compare", *words, "race.md", "--optimizers", "gd,lbfgs")
    assert done.code == 2 and done.stderr.strip() == (
        "ConfigError: `--table-output` is a table of models that are compared. Name another with --against."
    )
    np.savetxt("groups.csv", np.column_stack([T, DATA["y"], T > 2.0]), delimiter=",", header="t,y,g", comments="")
    done = run("fit", "y ~ a + b*t", "groups.csv", "--by", "g", "--table-output", "groups.html")
    assert done.code == 0 and "<table>" in Path("groups.html").read_text()


def test_priors_and_an_estimated_variance_are_in_the_table():
    t = np.linspace(0.0, 4.0, 14)
    data = {"t": t, "y": 3 * np.exp(-t) * (1 + 0.05 * np.sin(9 * t))}
    prior = descend.fit("y ~ a*exp(-b*t)", data, priors=["b ~ normal(1, 0.05)"])
    share = 100.0 * prior.priors[0].share
    assert f"Prior: b \\~ normal(1, 0.05), {share:.3g}% of the information" in prior.table()
    fit = descend.fit("y ~ a*exp(-b*t)", data, variance="power")
    rows = list(csv.reader(io.StringIO(fit.table("csv"))))
    power = next(row for row in rows if row and row[0] == "power of the variance")
    assert str(fit.scatter.power)[:4] in "".join(power)


def test_greek_letters_and_signs_are_commands_of_tex():
    t = np.linspace(0.0, 4.0, 14)
    site = np.repeat(["Ω{µm}", "10 €/m³"], 7)
    data = {"t": t, "y": 3 * np.exp(-t) * (1 + 0.05 * np.sin(9 * t)), "site": site}
    table = descend.fit("y ~ α*exp(-β_1*t)", data).table("latex")
    assert r"$\alpha$ & " in table and r"$\beta_{1}$ & " in table and "R$^2$" in table
    table = descend.fit("y ~ a[site]*exp(-b*t)", data).table("latex")
    assert r"$a$[$\Omega$\{$\mu$m\}]" in table and r"$a$[10 \texteuro{}/m$^{3}$]" in table and table.isascii()


def test_chi_square_has_pearsons_name_only_where_errors_are_not_normal():
    x = np.arange(8.0)
    data = {"x": x, "y": 1.0 + 2.0 * x + 0.1 * np.cos(5.0 * x), "n": [1.0, 2.0, 2.0, 4.0, 4.0, 7.0, 9.0, 12.0]}
    normal = descend.fit("y ~ a + b*x", data, covariance=0.01 * np.eye(8))
    counts = descend.fit("n ~ exp(a + b*x)", data, loss="poisson")
    assert "| χ² |" in normal.table() and "| Pearson's χ² |" in counts.table()


def test_degrees_of_freedom_with_priors_are_no_whole_number():
    prior = "b ~ normal(0.7, 0.05)"
    fit = descend.fit("y ~ a*exp(-b*t) + c", DATA, priors=[prior])
    assert fit.degrees_of_freedom % 1.0 > 0.05
    assert f"| degrees of freedom | {fit.degrees_of_freedom:.5g} |" in fit.table()


def test_a_field_may_name_itself_in_print(monkeypatch):
    from descend.report import fields

    entry = fields.Entry("half_life", value=lambda fit: math.log(2.0) / fit.parameters["b"], published="half-life")
    monkeypatch.setattr(fields, "ENTRIES", [*fields.ENTRIES])
    fields.ENTRIES.append(entry)
    fit = descend.fit("y ~ a*exp(-b*t) + c", DATA)
    assert dict(entry.in_print(fit)) == {"half-life": math.log(2.0) / fit.parameters["b"]}
