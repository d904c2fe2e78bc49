"""t intervals of the parameters of many fits: those that the fit of each group has by itself."""

import json

import numpy as np
import pytest

import descend
from descend.many.text import render

T = np.tile(np.linspace(0.0, 5.0, 12), 2)
SITE = np.repeat(["p", "q"], 12)
NOISE = np.random.default_rng(0).normal(size=24)
ROWS = {"t": T, "y": 3.0 * np.exp(-0.5 * T) + 0.05 * NOISE, "site": SITE, "n": np.round(9.0 + T + NOISE)}
ROWS |= {"few": np.where(T < 2.0, 0.0, 1.0), "gappy": np.where((T < 2.0) & (SITE == "p"), np.nan, ROWS["y"])}


@pytest.mark.parametrize(
    ("formula", "options"),
    [
        ("y ~ a*exp(-b*t)", {}),
        ("y ~ a*exp(-b*t)", {"sigma": 0.05}),
        ("n ~ exp(a + b*t)", {"loss": "poisson"}),
        ("y ~ a*exp(-b*t)", {"fix": {"a": 3.0}}),
        ("y ~ a*exp(-b*t)", {"weights": "few"}),
        ("y ~ a*exp(-b*t)", {"bounds": "a <= 2"}),
        ("gappy ~ a*exp(-b*t)", {"missing": "drop"}),
    ],
)
def test_they_are_those_of_each_fit(formula, options):
    fits = descend.fit(formula, ROWS, by="site", **options)
    low, high = fits.intervals(0.9)["b"]
    assert fits.rows.tolist() == [fits[key].rows for key in "pq"]
    for place, key in enumerate(("p", "q")):
        wanted = fits[key].intervals(0.9)["b"]
        assert (low[place], high[place]) == pytest.approx(wanted, rel=1e-6)


def test_the_command_line_shows_them(tmp_path, run):
    lines = [f"{t},{y},{site}" for t, y, site in zip(T, ROWS["y"], SITE, strict=True)]
    (tmp_path / "rows.csv").write_text("\n".join(["t,y,site", *lines]) + "\n")
    words = ("fit", "y ~ a*exp(-b*t)", tmp_path / "rows.csv", "--by", "site")
    found = json.loads(run(*words, "--interval", "t", "--level", "0.9", "--json").stdout.splitlines()[0])
    fits = descend.fit("y ~ a*exp(-b*t)", ROWS, by="site")
    assert found["intervals"]["b"] == pytest.approx([end[0] for end in fits.intervals(0.9)["b"]])
    assert (found["interval"], found["level"]) == ("t", 0.9)
    shown = render(fits, 120, 0.95)
    assert shown.splitlines()[3].split() == ["site", "a", "low", "high", "b", "low", "high", "R²", "rows", "outcome"]
    assert "  95% t intervals beside the parameters" in shown
    run(*words, "--interval", "t", "--output", tmp_path / "table.csv")
    assert "b low,b high" in (tmp_path / "table.csv").read_text()
    refused = run(*words, "--interval", "profile")
    assert refused.code == 2
    assert refused.stderr == (
        "ConfigError: `--interval profile` goes with one fit, not with one for each group. Drop it, or fit one group "
        "alone: --where.\n"
    )
