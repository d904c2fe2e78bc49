"""What notebooks show of each result: in one that is executed, and by itself."""

from __future__ import annotations

import copy
import os
import pickle
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import descend

CELLS = {
    "import descend, numpy as np\n"
    "x = np.linspace(0.0, 4.0, 60)\n"
    "data = {'x': x, 'y': 3.0*np.exp(-1.2*x) + 0.5 + 0.05*np.sin(7.0*x)}\n"
    "fit = descend.fit('y ~ a*exp(-b*x) + c', data)\n"
    "fit": "text/html",
    "fit.plot(residuals=True)": "image/png",
    "fit.correlation": "text/html",
    "fit.intervals(0.9, 'profile')": "text/html",
    "fit.diagnostics()": "text/html",
    "fit.influence()": "text/html",
    "fit.trace": "text/html",
    "fit.quantity('log(2)/b')": "text/html",
    "fit.invert(2.0)": "text/html",
    "fit.save('fit.json')\ndescend.load('fit.json')": "text/html",
    "descend.fit('y ~ m*x + k', data | {'g': np.repeat(['A', 'B'], 30)}, by='g')": "text/html",
    "compared = descend.compare('y ~ a*exp(-b*x) + c', data, ['gd', 'lbfgs'], epochs=30)\ncompared": "text/html",
    "compared.plot()": "image/png",
    "descend.explain('y ~ a*exp(b + c*x)', data)": "text/html",
    "descend.derive('y ~ a*exp(-b*x) + c')": "text/html",
    "descend.check('y ~ w*x', data, gradient='w = mean(x*(w*x - y))')": "text/html",
    "import sys; assert 'matplotlib.pyplot' not in sys.modules": None,
}
"""The cells, and as what each is shown."""


@pytest.mark.slow
def test_an_executed_notebook_shows_tables_and_pictures(monkeypatch, tmp_path):
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    client = pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(descend.__file__).parents[1])]))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    client.NotebookClient(book, timeout=120, kernel_name="python3", allow_errors=False).execute()
    for cell, kind in zip(book.cells, CELLS.values(), strict=True):
        shown = [output["data"] for output in cell.outputs if output.output_type == "execute_result"]
        assert [kind in data for data in shown] == [True] * (kind is not None), cell.source
        assert all(output.output_type == "execute_result" for output in cell.outputs), cell.outputs


class Reader(HTMLParser):
    """Reads what is shown: its tags, its text, and that every tag is closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.said: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag not in ("mspace", "rect", "path", "circle"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] != "style":
            self.said.append(data)


def shown(result) -> Reader:
    text = result._repr_html_()
    assert "<script" not in text and "http" not in re.sub(r"http://www.w3.org/\S*", "", text)
    return Reader(text)


def test_results_are_shown_as_tables_and_mathematics(line):
    assert "math" in shown(descend.explain("y ~ a*exp(b + c*x)")).tags
    explained = shown(descend.explain("y ~ a*exp(b + c*x)", line))
    assert 'a and b trade off: only a*exp(b) is determined. Drop b, or fix it with fix={"b": 0}.' in explained.said
    derived = shown(descend.derive("y ~ a*exp(-b*x) + c"))
    assert derived.tags.count("math") == 5 and "NumPy" in derived.said
    judged = shown(descend.check("y ~ w*x", line, gradient="w = mean(x*(w*x - y))"))
    assert "The gradient of w is wrong." in judged.said and {"yours", "derived", "numeric"} <= set(judged.said)
    right = shown(descend.check("y ~ w*x", line, gradient="w = mean(2*x*(w*x - y))"))
    assert "The gradient is correct: proved by algebra, for all parameters and data." in right.said


def test_a_comparison_names_who_came_lowest(line):
    compared = shown(descend.compare("y ~ w*x + b", line, ["gd", "lbfgs"]))
    assert compared.tags.count("table") == 1 and compared.tags.count("tr") == 3 and "svg" in compared.tags
    assert any(text.startswith("lbfgs came lowest") for text in compared.said)


def test_intervals_and_diagnostics_are_tables(line):
    fitted = descend.fit("y ~ w*x + b", line)
    found = fitted.intervals(0.9, "profile")
    table = shown(found)
    low, high = found["w"]
    assert "90% intervals, by profile" in table.said and f"{low:.6g}" in table.said and f"{high:.6g}" in table.said
    checks = shown(fitted.diagnostics())
    assert "100 rows judged" in checks.said and checks.tags.count("tr") == len(fitted.diagnostics().checks) + 1


def test_a_trace_is_a_table_of_few_steps(line):
    fitted = descend.fit("y ~ w*x + b", line, optimizer="gd", learning_rate=0.001, epochs=100)
    steps = shown(fitted.trace)
    assert steps.tags.count("tr") == 13 and "89 steps between these are not shown." in steps.said
    assert f"{fitted.trace[100].loss:.6g}" in steps.said and "|gradient|" in steps.said


def test_rows_quantities_and_inverses_are_shown(line):
    fitted = descend.fit("y ~ w*x + b", line)
    assert shown(fitted.influence()).tags.count("tr") == len(fitted.influence().cells()) + 1
    for result in (fitted.quantity("b/w"), fitted.invert(5.0)):
        assert str(result) in shown(result).said


def test_copies_are_shown_too(line):
    fitted = descend.fit("y ~ w*x + b", line)
    for result in (fitted.intervals(), fitted.diagnostics(), descend.derive("y ~ w*x"), fitted.correlation):
        for other in (copy.deepcopy(result), pickle.loads(pickle.dumps(result))):
            assert other._repr_html_() == result._repr_html_()


def test_names_are_text_and_never_markup():
    evil = "<img src=x>&'"
    data = {evil: np.arange(9.0), "y": np.arange(9.0) ** 2}
    formula = f"y ~ a*`{evil}` + b"
    fitted = descend.fit(formula, data)
    for result in (descend.explain(formula, data), descend.derive(formula, data), fitted.intervals(),
                   descend.compare(formula, data, ["lbfgs"])):  # fmt: skip
        assert "img" not in shown(result).tags


def test_correlations_have_names(line):
    fitted = descend.fit("y ~ w*x + b", line)
    found = fitted.correlation
    assert found["w", "b"] == found[0, 1] and found["w", "w"] == pytest.approx(1.0)
    assert found.labels == ("w", "b") and "-0.8" in str(found)
    assert found.shape == (2, 2) and type(np.asarray(found)) is np.ndarray
    with pytest.raises(KeyError, match="There is no parameter `z`"):
        found["w", "z"]
