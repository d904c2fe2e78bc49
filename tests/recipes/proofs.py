"""What each recipe's part is sent through, once its block of CONTRIBUTING.md has run: see test_recipes.py."""

from __future__ import annotations

import io
import json
import math
import sys
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import descend

X = np.linspace(-2.0, 3.0, 80)
NOISE = np.random.default_rng(0).normal(size=80)


def csv(**columns: np.ndarray) -> Path:
    """Write columns to a file, and return its path."""
    path = Path("rows.csv")
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    path.write_text("\n".join([",".join(columns), *(",".join(map(repr, row)) for row in rows)]) + "\n")
    return path


class Ran(NamedTuple):
    """A command that has run: its exit code, what it printed, and its messages."""

    code: int
    printed: str
    said: str


def command(*arguments: Any) -> Ran:
    """Run the command line."""
    from descend.cli.main import main

    sys.argv = ["descend", *map(str, arguments)]
    with redirect_stdout(io.StringIO()) as printed, redirect_stderr(io.StringIO()) as said:
        try:
            code = main()
        except SystemExit as end:
            code = end.code
    return Ran(int(code or 0), printed.getvalue(), " ".join(said.getvalue().split()))


def refused(*arguments: Any) -> str:
    """Run a command that has to be refused, and return its message."""
    ran = command(*arguments)
    assert ran.code == 2, ran
    return ran.said


def lab() -> str:
    """Return the lab's page, its controls and what they offer included."""
    from plotly.utils import PlotlyJSONEncoder

    from descend.lab.data.rows import Library
    from descend.lab.page.layout import page
    from descend.lab.state import State

    return json.dumps(page(State(), None, Library(), ()), cls=PlotlyJSONEncoder)


def through_everything(formula: str, rows: Path | str, **options: Any) -> descend.Fit:
    """Fit, save, load, report, command line: with the same result everywhere. Return the fit."""
    fit = descend.fit(formula, rows, **options)
    fit.save("model.json")
    loaded = descend.load("model.json")
    assert np.array_equal(loaded.predict(rows), fit.predict(rows)) and str(loaded.loss_function) == str(
        fit.loss_function
    )
    fit.report("report.html")
    assert "</html>" in Path("report.html").read_text(encoding="utf-8")
    given = [part for key, value in options.items() for part in (f"--{key.replace('_', '-')}", value)]
    ran = command("fit", formula, rows, *given, "--json", "--save", "model.json", "--report", "report.html")
    assert ran.code == 0, ran.said
    assert json.loads(ran.printed)["parameters"] == fit.summary()["parameters"]
    assert command("predict", "model.json", rows, "--output", "predicted.csv").code == 0
    return fit


def an_optimizer() -> None:
    rows = csv(x=X, y=2.0 * X + 1.0 + NOISE / 10)
    options = {"optimizer": "rprop(growth=1.3)", "epochs": 80}
    fit = through_everything("y ~ a*x + b", rows, **options)
    exact = descend.fit("y ~ a*x + b", rows).parameters
    assert all(abs(fit.parameters[name] - exact[name]) < 1e-6 for name in exact), fit.parameters
    line = ("fit", "y ~ a*x + b", rows, "--optimizer")
    assert "Did you mean `rprop`?" in refused(*line, "rprob")
    wanted = "The setting `growth` of optimizer `rprop` must be a number above 1, such as 1.2; it is 1.0."
    assert wanted in refused(*line, "rprop(growth=1)")
    assert "rprop" in command("fit", "--help").printed and '"rprop"' in lab()
    ran = command("compare", "y ~ a*x + b", rows, "--optimizers", "gd,rprop", "--epochs", "20")
    assert ran.code == 0 and "rprop" in ran.printed, ran
    interrupted(rows, options)


def interrupted(rows: Path, options: dict[str, Any]) -> None:
    """Hold a run that was cut off and taken up again against one that was not."""
    from descend.descent import checkpoint

    checkpoint.EVERY = -1.0

    def stop(step: Any) -> None:
        if step.epoch == 33:
            raise RuntimeError("cut off")

    with suppress(RuntimeError):
        descend.fit("y ~ a*x + b", rows, checkpoint="run.json", on_step=stop, **options)
    fit = descend.fit("y ~ a*x + b", rows, checkpoint="run.json", resume=True, **options)
    assert fit.theta.tolist() == descend.fit("y ~ a*x + b", rows, **options).theta.tolist()
    assert "resumed at epoch 33" in fit.notes[0] or "resumed at epoch 32" in fit.notes[0], fit.notes


def a_named_function() -> None:
    rows = csv(x=X, y=2.0 * (0.7 * X - 0.5) / (1.0 + np.abs(0.7 * X - 0.5)) + 1.0 + NOISE / 100)
    formula = "y ~ a*softsign(b*x - m) + c"
    fit = through_everything(formula, rows)
    for options in ({"engine": "query"}, {"engine": "torch"}, {"gradient": "autograd"}):
        other = descend.fit(formula, rows, **options).parameters
        assert all(abs(abs(fit.parameters[name]) - abs(other[name])) < 1e-5 for name in other), options
    ran = command("derive", "y ~ softsign(b*x)", "--columns", "x,y")
    assert ran.code == 0 and "softsign" in ran.printed, ran
    assert "softsign" in refused("fit", "y ~ a*sofsign(b*x)", rows)


def a_named_curve() -> None:
    rows = csv(x=X, y=5.0 * 2.0 ** (-X / 1.5) + 1.0 + NOISE / 100)
    formula = "y ~ half_life_decay(x) + level"
    fit = through_everything(formula, rows)
    assert abs(fit.parameters["half_life"] - 1.5) < 0.1 and fit.model.formula.text == formula
    for options in ({"engine": "query"}, {"engine": "torch"}, {"gradient": "autograd"}):
        other = descend.fit(formula, rows, **options).parameters
        assert all(abs(fit.parameters[name] - other[name]) < 1e-5 for name in other), options
    assert "half_life_decay(x) = 2^(-x/half_life)*initial" in command("derive", formula).printed
    assert "Physics of nuclei\n  half_life_decay" in command("curves").printed
    assert "Decay by its half-life" in command("curves", "radioactive", "--plot", "curve.png").printed
    assert Path("curve.png").stat().st_size > 1000
    assert "Did you mean the curve `half_life_decay`?" in refused("fit", "y ~ halflife_decay(x)", rows)


def an_option() -> None:
    rows = csv(x=X, y=2.0 * X + 1.0 + NOISE / 10)
    fit = through_everything("y ~ a*x + b", rows, purpose="a paper")
    assert fit.solution.call().get("purpose", "exploration") == "a paper"
    assert json.loads(Path("model.json").read_text(encoding="utf-8"))["request"]["purpose"] == "a paper"
    assert "--purpose" in Path("report.html").read_text(encoding="utf-8")  # in the command that repeats it
    told = " ".join(command("fit", "--help").printed.split())
    assert "--purpose" in told and "What the fit is for, as it is noted in a log book." in told
    try:
        descend.fit("y ~ a*x + b", rows, purpose=3)
    except descend.ConfigError as error:
        assert str(error) == "`purpose` must be a text, not 3.", error
    else:
        raise AssertionError("nothing was refused")


def a_data_source() -> None:
    Path("rows.xy").write_text("\n".join(f"{x!r} {2.0 * x + 1.0!r}" for x in X.tolist()))
    for data, options in (
        ("rows.xy", {}),
        (Path("rows.xy"), {}),
        ("rows.xy", {"engine": "query"}),
        ("rows.xy", {"engine": "torch"}),
    ):
        fit = descend.fit("y ~ a*x + b", data, **options)
        assert np.allclose([fit.parameters["a"], fit.parameters["b"]], [2.0, 1.0]), options
    fit = through_everything("y ~ a*x + b", "rows.xy")
    assert len(descend.fit("y ~ a*x + b", "rows.xy", where="x > 0").predict("rows.xy")) == len(X)
    assert "DataError: `nothing.xy` is no file with two numbers in each line." in refused(
        "fit", "y ~ a*x + b", "nothing.xy"
    )


def a_loss() -> None:
    random = np.random.default_rng(1)
    mean = np.exp(0.3 + 0.5 * X)
    rows = csv(x=X, t=random.exponential(mean))
    options = {"loss": "waiting_time"}
    fit = through_everything("t ~ exp(a + b*x)", rows, **options)

    # The likelihood, held against SciPy's density; the standard errors against the Fisher information (X'X)^-1.
    from scipy.stats import expon

    t = np.genfromtxt(rows, delimiter=",", names=True)["t"]
    density = float(expon.logpdf(t, scale=fit.predict(rows)).sum())
    assert np.isclose(fit.log_likelihood, density) and np.isclose(fit.aic, 4 - 2 * density), fit.summary()
    design = np.column_stack([np.ones(80), X])
    errors = np.sqrt(np.diag(np.linalg.inv(design.T @ design)))
    assert np.allclose([fit.standard_errors[name] for name in "ab"], errors, rtol=1e-4), fit.standard_errors
    assert fit.deviance > 0 and fit.diagnostics is not None

    for more in ({"engine": "query"}, {"engine": "torch"}, {"gradient": "autograd"}, {"optimizer": "lbfgs"}):
        other = descend.fit("t ~ exp(a + b*x)", rows, **options, **more).parameters
        assert all(np.isclose(fit.parameters[name], other[name], atol=1e-5) for name in "ab"), (more, other)

    # By hand, in the court: a right gradient and one with a wrong sign.
    right = ["a = mean(1 - t/exp(a + b*x))", "b = mean(x*(1 - t/exp(a + b*x)))"]
    for first, code in ((right[0], 0), (right[0].replace("1 - ", "1 + "), 1)):
        ran = command(
            "check", "t ~ exp(a + b*x)", rows, "--loss", "waiting_time", "--gradient", first, "--gradient", right[1]
        )
        assert ran.code == code, ran

    line = ("fit", "t ~ exp(a + b*x)", rows, "--loss")
    assert "Did you mean `waiting_time`?" in refused(*line, "dwell")
    assert "waiting_time" in command("fit", "--help").printed and '"waiting_time"' in lab()
    zero = csv(x=X[:9], t=np.arange(9.0))
    assert "the waiting_time loss needs times, all positive" in refused(
        "fit", "t ~ exp(a + b*x)", zero, *line[3:], "waiting_time"
    )


def an_engine() -> None:
    rows = csv(x=X, y=2.0 * np.exp(-0.5 * X) + 1.0 + NOISE / 10, w=1.0 + X**2)
    formula, options = "y ~ a*exp(-b*x) + c", {"engine": "exact"}
    fit = through_everything(formula, rows, **options)
    assert fit.engine == "exact", fit.engine
    for more in (
        {},
        {"weights": "w"},
        {"loss": "huber(delta=0.1)"},
        {"optimizer": "lbfgs"},
        {"l2": 0.1},
        {"bounds": ["b < 1"]},
    ):
        one, other = (descend.fit(formula, rows, **more, **engine) for engine in (options, {}))
        assert np.allclose(one.theta, other.theta, rtol=1e-6), more
        assert math.isclose(one.loss, other.loss, rel_tol=1e-12), more
    batched = {"optimizer": "adam", "batch_size": 16, "epochs": 3, "learning_rate": 0.01}
    one, other = (descend.fit(formula, rows, **batched, **engine) for engine in (options, {}))
    assert np.allclose(one.theta, other.theta, rtol=1e-10)
    line = ("fit", formula, rows, "--engine")
    assert "There is no engine `exakt`. Did you mean `exact`?" in refused(*line, "exakt")
    said = "The autograd gradient runs on the engine `torch`, not on `exact`. Use --engine torch, or another gradient."
    assert said in refused(*line, "exact", "--gradient", "autograd")


def a_gradient_source() -> None:
    rows = csv(x=X, y=2.0 * np.exp(-0.7 * X) + 0.5 + 0.1 * NOISE)
    formula, options = "y ~ a*exp(-b*x) + c", {"gradient": "forward"}
    fit = through_everything(formula, rows, **options)
    assert fit.solution is not None and fit.solution.problem.gradient == "forward"
    right = descend.fit(formula, rows)
    assert np.allclose(list(fit.parameters.values()), list(right.parameters.values()), rtol=1e-6)

    def curve(x, a, b, c):
        return a * np.exp(-b * x) + c

    by_function = descend.fit(curve, rows, response="y", **options)
    assert np.allclose(list(by_function.parameters.values()), list(right.parameters.values()), rtol=1e-6)
    said = "A formula has no gradient source `forwart`. Did you mean `forward`? Known: derived, autograd, forward;"
    assert said in refused("fit", formula, rows, "--gradient", "forwart")


def a_model_kind() -> None:
    from recipe import Waves

    angle = 2 * np.pi * X / 7.0
    rows = csv(y=1.0 + 2.0 * np.cos(angle) - np.sin(angle) + NOISE / 10, x=X)
    fit = descend.fit(Waves(7.0), rows, response="y")
    exact = descend.fit("y ~ mean + a*cos(2*pi*x/7) + b*sin(2*pi*x/7)", rows)
    for name in ("mean", "a", "b"):
        assert math.isclose(fit.parameters[name], exact.parameters[name], abs_tol=1e-6), fit.parameters
        assert math.isclose(fit.standard_errors[name], exact.standard_errors[name], rel_tol=1e-3), name
    for more in ({"loss": "huber(delta=0.1)"}, {"optimizer": "gd", "learning_rate": 0.3}, {"batch_size": 20}):
        assert descend.fit(Waves(7.0), rows, response="y", epochs=20, **more).epochs
    fit.save("model.json")
    loaded = descend.load("model.json")
    assert np.array_equal(loaded.predict(rows), fit.predict(rows))
    ran = command("predict", "model.json", rows, "--output", "predicted.csv")
    assert ran.code == 0 and Path("predicted.csv").exists(), ran
    fit.report("report.html")
    assert "</html>" in Path("report.html").read_text(encoding="utf-8")
    assert "mean" in str(fit) and fit.plot() is not None
    streamed = descend.fit(Waves(7.0), rows, response="y", engine="query")
    assert "rows streamed to NumPy in blocks" in " ".join(streamed.notes)
    assert np.allclose(streamed.theta, fit.theta, atol=1e-6)
    try:
        descend.fit(Waves(7.0), rows, response="y", engine="torch")
    except descend.ConfigError as error:
        assert "runs on the engine `numpy`, not on `torch`" in str(error), error
    else:
        raise AssertionError("nothing was refused")


def a_field_of_the_report() -> None:
    rows = csv(x=X, y=2.0 * np.exp(-0.5 * X) + NOISE / 100)
    fit = through_everything("y ~ a*exp(-b*x)", rows)
    value = math.log(2.0) / fit.parameters["b"]
    assert math.isclose(fit.summary()["half_life"], value)
    assert f"half-life {value:.6g}" in " ".join(command("fit", "y ~ a*exp(-b*x)", rows).printed.split())
    assert "half-life" in Path("report.html").read_text(encoding="utf-8")
    assert json.loads(Path("model.json").read_text(encoding="utf-8"))["half_life"] == fit.summary()["half_life"]
    assert (
        json.loads(command("fit", "y ~ a*exp(-b*x)", rows, "--json").printed)["half_life"] == fit.summary()["half_life"]
    )
    other = descend.fit("y ~ c + d*x", rows)
    assert other.summary()["half_life"] is None and "half-life" not in str(other)
