"""What `import descend` loads, and what works when an optional library is not there."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

# Ours and NumPy's heavier friends: what a plain `import numpy` has not loaded either.
HEAVY = """
dash duckdb ibis IPython jax matplotlib mpmath pandas plotly polars pyarrow pydantic rich safetensors scipy sklearn
sympy torch typer asyncio http unittest concurrent.futures numpy.f2py numpy.polynomial numpy.random numpy.testing
"""

BLOCK = """
import importlib.abc, sys

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {libraries!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
"""

FIT = """
import descend
rows = {"x": [0.0, 1.0, 2.0, 3.0], "y": [1.0, 3.0, 5.0, 7.0]}
fit = descend.fit("y ~ w*x + b", rows)
assert abs(fit.parameters["w"] - 2) < 1e-6, fit.parameters
assert abs(fit.parameters["b"] - 1) < 1e-6, fit.parameters
assert abs(fit.predict({"x": [10.0]})[0] - 21) < 1e-5
assert set(fit.standard_errors) == {"w", "b"}
"""

COMMAND = """
from pathlib import Path
Path("line.csv").write_text("x,y\\n0,1\\n1,3\\n2,5\\n3,7\\n")
from descend.cli.main import main
sys.argv = ["descend", "fit", "y ~ w*x + b", "line.csv", "--save", "line.json", "--json"]
try:
    code = main()
except SystemExit as end:
    code = end.code
assert not code, code
assert Path("line.json").stat().st_size
"""


def python(code: str, folder: Path) -> str:
    """Run ``code`` in a fresh interpreter, warnings as errors, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=120, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_loads_nothing_heavy(tmp_path: Path) -> None:
    code = """
    import sys, numpy
    before = set(sys.modules)
    import descend
    print(*sorted(set(sys.modules) - before))
    """
    loaded = python(textwrap.dedent(code), tmp_path).split()
    assert "descend" in loaded
    assert set(loaded) & set(HEAVY.split()) == set()


@pytest.mark.parametrize(
    "libraries",
    [
        pytest.param(("torch", "safetensors"), id="torch"),
        pytest.param(("jax", "jaxlib"), id="jax"),
        pytest.param(("ibis", "sqlglot"), id="query"),
        pytest.param(("pandas", "polars", "pyarrow"), id="frames"),
        pytest.param(("matplotlib", "PIL"), id="matplotlib"),
        pytest.param(("duckdb",), id="duckdb"),
        pytest.param(("typer", "click", "rich"), id="command-line"),
    ],
)
def test_arrays_are_fitted_without(libraries: tuple[str, ...], tmp_path: Path) -> None:
    python(BLOCK.format(libraries=libraries) + FIT, tmp_path)


@pytest.mark.parametrize(
    "libraries",
    [
        pytest.param(("torch", "safetensors"), id="torch"),
        pytest.param(("ibis", "sqlglot"), id="query"),
        pytest.param(("pandas", "polars", "pyarrow"), id="frames"),
        pytest.param(("matplotlib", "PIL"), id="matplotlib"),
    ],
)
def test_the_command_line_fits_without(libraries: tuple[str, ...], tmp_path: Path) -> None:
    python(BLOCK.format(libraries=libraries) + COMMAND, tmp_path)


def test_a_line_is_fitted_without_random_numbers(tmp_path: Path) -> None:
    python(BLOCK.format(libraries=("numpy.random",)) + COMMAND, tmp_path)


def test_the_command_s_help_reads_no_table_and_no_formula(tmp_path: Path) -> None:
    code = """
    import sys
    from descend.cli.main import main
    sys.argv = ["descend", "--help"]
    try:
        main()
    except SystemExit:
        pass
    print("LOADED", *sorted(sys.modules))
    """
    loaded = python(textwrap.dedent(code), tmp_path).rpartition("LOADED")[2].split()
    assert set(loaded) & {"numpy", "sympy", "duckdb", "descend.table", "descend.formula", "descend.results"} == set()
