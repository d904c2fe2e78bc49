"""The examples of Python functions run as they stand, and say what docs/functions.md says of them."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run an example in an empty folder, and return what it printed."""
    monkeypatch.chdir(tmp_path)

    def printed(name):
        runpy.run_path(str(EXAMPLES / f"{name}.py"))
        return capsys.readouterr().out

    return printed


def test_one_line_makes_a_script_of_scipy_one_of_descend(run):
    texts = [(EXAMPLES / f"{name}.py").read_text().splitlines() for name in ("curve_fit_scipy", "curve_fit")]
    before, after = ([line for line in text if line and not line.startswith('"""')] for text in texts)
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert changed == [("from scipy.optimize import curve_fit", "from descend import curve_fit")]
    assert run("curve_fit") == run("curve_fit_scipy")


def test_a_differential_equation_is_fitted(run):
    printed = run("ode")
    assert printed.startswith("k1 = 0.9035 +- 0.0215\nk2 = 0.2517 +- 0.0041\na0 = 10.0318 +- 0.127")
    assert "gradient numeric, converged\n" in printed
    page = (EXAMPLES.parent / "docs" / "functions.md").read_text()
    (note,) = (line for line in printed.splitlines() if "is no formula" in line)
    assert note.partition(" (line")[0] in page


def test_a_voigt_peak_needs_no_start(run):
    printed = run("voigt")
    assert printed.startswith(
        "Fit(counts ~ area*voigt_profile(x - centre, sigma, gamma) + level + slope*x: area=50.4386"
    )
    assert "centre = 1.2019 +- 0.0060\n" in printed
