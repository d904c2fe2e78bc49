"""The page of a fit: what it says, that it is well formed and whole, and that nothing of the user's can act in it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import descend
from descend.errors import ConfigError, OutputError
from descend.report.html import page, short
from descend.report.reproduce import as_command, as_python

TEXTBOOK = {"start": {"w": 0.0}, "optimizer": "gd", "learning_rate": 0.001, "epochs": 100}
VOID = {"meta", "br", "hr", "img", "link", "input", "mspace", "rect", "path", "circle"}
EVIL = '</code><script>alert("x")</script>&\'"'


class Reader(HTMLParser):
    """Reads a page: its text by tag, its attributes, and whether every tag is closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]

    def text(self, *tags: str) -> str:
        return "".join(data for tag, data in self.texts if tag in tags or (not tags and tag not in ("script", "style")))


@pytest.fixture
def textbook(line):
    return descend.fit("y ~ w*x", line, **TEXTBOOK)


def test_the_page_says_what_the_fit_found(textbook):
    read = Reader(page(textbook))
    text = read.text()
    for said in ("y ~ w*x", textbook.fitted_formula, f"{textbook.parameters['w']:.6g}",
                 f"{textbook.standard_errors['w']:.3g}", textbook.advice, "100 rows",
                 "Loss: not converged"):  # fmt: skip
        assert said in text
    assert [text for tag, text in read.texts if tag == "h1"] == ["y ~ w*x"]
    headings = [tag for tag, _ in read.found if tag in ("h1", "h2", "h3")]
    assert headings[0] == "h1" and headings.count("h1") == 1 and headings[1] == "h2"
    assert read.of("html")[0]["lang"] == "en" and len(read.of("math")) == 3


def test_the_page_is_small_whole_and_asks_for_nothing(textbook):
    text = page(textbook)
    assert len(text) < 200_000
    assert not re.findall(r"(?:src|href)=|url\((?!#)|@import|https?://(?!www\.w3\.org/2000/svg)", text)
    ids = re.findall(r'\bid="([^"]*)"', text)
    assert len(set(ids)) == len(ids)
    assert all(attributes["aria-label"] for attributes in Reader(text).of("svg") if "role" in attributes)


def test_a_converged_fit_has_intervals_and_a_poor_one_has_advice(line):
    good, bad = descend.fit("y ~ w*x + b", line), descend.fit("y ~ w*x + b", line, optimizer="gd", learning_rate=0.05)
    low, high = good.intervals()["w"]
    assert f"{low:.6g} to {high:.6g}" in Reader(page(good)).text()
    text = Reader(page(bad)).text()
    assert "✕ Diverged after" in text and "learning rate 0.05 is too large" in text and "95% interval" not in text


def test_names_of_the_user_are_only_ever_text(line):
    names = {"x": f"x{EVIL.replace('`', '')}", "y": "y<img src=x onerror=alert(1)>"}
    rows = {names["x"]: line["x"], names["y"]: line["y"]}
    fitted = descend.fit(f"`{names['y']}` ~ w*`{names['x']}`", rows)
    plain = Reader(page(descend.fit("y ~ w*x", line)))
    read, box = Reader(page(fitted)), Reader(short(fitted))
    assert len(read.of("script")) == 1 and not read.of("img") and not box.of("img") and not box.of("script")
    assert sorted({tag for tag, _ in read.found} - {"mtext"}) == sorted({tag for tag, _ in plain.found} - {"mtext"})
    assert names["x"] in read.text() and names["y"] in read.text()
    assert not [key for _, attributes in read.found for key in attributes if key.startswith("on")]


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("y ~ m", {}),
        ("y ~ a*exp(b*x)", {"bounds": "b > 0"}),
        ("y ~ w*x + b", {"fix": {"b": 1.0}}),
        ("y ~ w*x + b", {"loss": "huber(delta=1)"}),
        ("y ~ w*x + b", {"l2": 0.1}),
        ("y ~ w*x + b", {"weights": "v"}),
        ("log(y) ~ w @ [x, v] + b", {}),
        ("y ~ w*x + w2*x + b", {}),
    ],
)
def test_every_kind_of_fit_has_a_page_and_a_short_form(line, model, options):
    fitted = descend.fit(model, line | {"v": 1.0 + line["x"] % 3}, **options)
    Reader(page(fitted))
    Reader(short(fitted))


def test_a_logistic_fit_a_function_and_a_module_have_pages(line):
    torch = pytest.importorskip("torch")
    switched = {"x": line["x"], "y": (line["x"] + 3 * np.sin(7 * line["x"]) > 5).astype(float)}
    assert "The residuals" not in Reader(page(descend.fit("y ~ sigmoid(a + b*x)", switched, loss="logistic"))).text(
        "h2"
    )

    def forward(x, w):
        return w * x

    fitted = descend.fit(forward, line, response="y", gradient="autograd", **TEXTBOOK)
    text = Reader(page(fitted)).text()
    assert "fit = descend.fit(forward, data," in text and "The mathematics" not in text
    net = descend.fit(torch.nn.Linear(1, 1), line, response="y", optimizer="adam", learning_rate=0.1, epochs=5)
    assert "J over" not in Reader(page(net)).text()


def test_the_report_is_written_whole_or_not_at_all(textbook, tmp_path):
    place = tmp_path / "fit.html"
    textbook.report(place)
    assert place.read_text(encoding="utf-8").startswith("<!DOCTYPE html>") and len(list(tmp_path.iterdir())) == 1
    with pytest.raises(OutputError) as error:
        textbook.report(tmp_path / "fit.pdf")
    assert str(error.value) == (
        f"`{tmp_path / 'fit.pdf'}` cannot be the report, which is a page: its name must end in .html."
    )


def test_a_loaded_fit_has_no_report(textbook, tmp_path):
    textbook.save(tmp_path / "line.json")
    loaded = descend.load(tmp_path / "line.json")
    with pytest.raises(ConfigError) as error:
        loaded.report(tmp_path / "line.html")
    assert str(error.value) == "This fit was loaded from a file, without its data, so there is nothing to report on."
    assert textbook.fitted_formula in Reader(loaded._repr_html_()).text()


def test_a_notebook_shows_the_short_form(textbook):
    box = textbook._repr_html_()
    assert textbook.fitted_formula in Reader(box).text() and len(box) < 30_000
    assert not re.search(
        r"(^|})\s*(?!\.descend-fit)[a-z.:*][^{}]*{", box.partition("<style>")[2].partition("</style>")[0]
    )


def test_the_command_line_writes_it(run, line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savetxt("line.csv", np.column_stack([line["x"], line["y"]]), delimiter=",", header="x,y", comments="")
    words = ["fit", "y ~ w*x", "line.csv", "--start", "w=0", "--optimizer", "gd", "--learning-rate", "0.001"]
    words += ["--epochs", "100", "--where", "x > 0.5", "--json", "--report", "the line.html"]
    done = run(*words)
    assert done.code == 0 and done.stderr.endswith("Report written to the line.html\n")
    text = Reader(Path("the line.html").read_text(encoding="utf-8")).text("code")
    command = (
        "descend fit 'y ~ w*x' line.csv --start w=0 --optimizer gd --learning-rate 0.001 --epochs 100 "
        "--where 'x > 0.5' --json --report 'the line.html'"
    )
    assert command in text
    again = run(*shlex.split(command)[1:])
    found = json.loads(done.stdout)["parameters"]
    assert again.code == 0 and json.loads(again.stdout)["parameters"] == found
    made = text[text.index("import descend") : text.index(")", text.index("descend.fit(")) + 1]
    told = subprocess.run([sys.executable, "-c", f"{made}\nprint(fit.parameters['w'])"], capture_output=True, text=True)
    assert told.stdout.strip() == repr(found["w"]), told.stderr


def test_it_has_the_intervals_that_were_asked_for(run, line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savetxt("line.csv", np.column_stack([line["x"], line["y"]]), delimiter=",", header="x,y", comments="")
    words = ["fit", "y ~ a + b*x", "line.csv", "--interval", "profile", "--level", "0.68", "--quiet"]
    assert run(*words, "--report", "line.html").code == 0
    told = Reader(Path("line.html").read_text(encoding="utf-8")).text("th", "td")
    low, high = descend.fit("y ~ a + b*x", line).intervals(0.68, "profile")["b"]
    assert "68% interval, profile" in told and f"{low:.6g} to {high:.6g}" in told


def test_values_are_written_down_to_their_standard_errors():
    random = np.random.default_rng(3)
    t = 2_459_000 + np.linspace(0.0, 3.0, 120)
    y = 1 - 0.02 * np.exp(-(((t - 2_459_001.12345) / 0.05) ** 2)) + 0.0005 * random.normal(size=120)
    fitted = descend.fit("y ~ c - d*exp(-((t-m)/s)^2)", {"t": t, "y": y})
    m, error = fitted.parameters["m"], fitted.standard_errors["m"]
    assert 1e-4 < error < 1e-2
    told = Reader(page(fitted)).text("td")
    low, high = fitted.intervals()["m"]
    shown = f"{m:.12g}"
    assert f"{shown}{error:.3g}{low:.12g} to {high:.12g}" in told
    assert shown in Reader(short(fitted)).text("td") and shown[:-2] in fitted.fitted_formula


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--report", "a.pdf"], "`a.pdf` cannot be the report, which is a page: its name must end in .html."),
        (["--report", "a.html", "--save", "a.html"],
         "`--save` and `--report` both write `a.html`. Give each a file of its own."),
    ],
)  # fmt: skip
def test_the_command_line_refuses_before_it_reads(run, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    done = run("fit", "y ~ w*x", "missing.csv", *words)
    assert done.code == 2 and done.stderr.strip() == f"OutputError: {message}"


def test_calls_are_written_as_python_and_as_commands():
    call = {"model": 'y ~ w*x + "a', "data": ["a b.csv", Path("c.csv")], "start": {"w": np.array([1.0, 2.5])},
            "bounds": ["w > 0"], "l1": 0.1, "learning_rate": "auto", "resume": True}  # fmt: skip
    assert as_python(call).splitlines()[-1] == (
        'fit = descend.fit("y ~ w*x + \\"a", ["a b.csv", "c.csv"], start={"w": [1.0, 2.5]}, bounds=["w > 0"], l1=0.1, '
        'learning_rate="auto", resume=True)'
    )
    assert shlex.split(as_command(call)) == [
        "descend", "fit", 'y ~ w*x + "a', "a b.csv", "c.csv", "--start", "w=1.0,2.5", "--bound", "w > 0", "--l1", "0.1",
        "--learning-rate", "auto", "--resume",
    ]  # fmt: skip
    assert as_command({"model": "y ~ w*x", "data": {"x": [1.0]}}) is None
    assert as_command({"model": abs, "data": "line.csv"}) is None


def test_the_call_holds_what_was_asked_and_no_more(line):
    assert list(descend.fit("y ~ w*x", line, start={}, loss="squared", seed=0, on_step=print).solution.call()) == [
        "model",
        "data",
    ]
