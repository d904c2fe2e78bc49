"""The black box where only a sample of the rows is in memory, and where it fails itself: no fit is lost by it."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

import descend
from descend.diagnosis import detectors
from descend.errors import ConfigError

ROWS = 12_000
START = {"a": 1.0, "b": 1.0, "c": 1.0}
GD = {"optimizer": "gd", "engine": "query"}
DECAY = "y ~ a*exp(-b*x) + c"


def saved(path, bad: bool = False):
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(0)
    x = rng.uniform(0.0, 3.0, ROWS)
    y = 2.0 * np.exp(-0.8 * x) + 0.5 + rng.normal(0.0, 0.05, ROWS)
    if bad:
        y[::1000] = 1e9
    pq.write_table(pa.table({"x": x, "y": y}), path)
    return str(path)


def forward(x, a, b, c):
    return a * np.exp(-b * x) + c


def gradient(x, y, a, b, c):
    e = np.exp(-b * x)
    r = a * e + c - y
    return [np.mean(2 * r * e), np.mean(-2 * r * a * x * e), np.mean(2 * r)]


FLAT = {"a": 1.0, "b": 40.0, "d": 40.0, "c": 0.0}


@pytest.mark.parametrize(
    ("model", "more", "cause"),
    [
        ("y ~ a*tanh(b*x + d) + c", {"start": FLAT, "learning_rate": 0.1, "epochs": 20}, "plateau"),
        (DECAY, {"start": START, "learning_rate": 50.0}, "rate_too_large"),
        (DECAY, {"start": START, "learning_rate": 0.01, "epochs": 3}, "too_few_epochs"),
        (forward, {"gradient": gradient, "start": START, "learning_rate": 50.0}, "rate_too_large"),
        (forward, {"gradient": gradient, "start": START, "learning_rate": 0.01, "epochs": 3}, "too_few_epochs"),
    ],
)
def test_a_run_over_rows_elsewhere_is_examined(model, more, cause, tmp_path):
    path = saved(tmp_path / "t.parquet")
    fit = descend.fit(model, path, **GD, **more, **({} if isinstance(model, str) else {"response": "y"}))
    assert fit.rows == ROWS
    assert fit.cause == cause


@pytest.mark.parametrize("model", [DECAY, forward])
def test_bad_rows_of_a_sample_have_no_numbers(model, tmp_path):
    path = saved(tmp_path / "t.parquet", bad=True)
    more = {} if isinstance(model, str) else {"response": "y", "gradient": gradient}
    fit = descend.fit(model, path, **GD, **more, start=START, learning_rate=0.1, epochs=10)
    assert fit.cause == "bad_rows"
    assert fit.evidence["rows"] is None
    assert re.match(
        r"`y` is 1e\+09 in \d+ of 10,000 rows of a sample, while its other rows lie", fit.diagnosis.sentence
    )


def test_batches_of_rows_elsewhere_are_examined(tmp_path):
    path = saved(tmp_path / "t.parquet")
    fit = descend.fit("y ~ a + b*x", path, **GD, start={"a": 0.0, "b": 0.0}, learning_rate=0.3, epochs=15,
                      batch_size=4000)  # fmt: skip
    assert fit.cause in (None, "batch_noise", "too_few_epochs", "rate_too_large")


def broken(case):
    raise ValueError("operands do not fit")


def failing_function(case):
    raise ConfigError("`forward` raised ZeroDivisionError: division by zero.")


LINE = {"x": np.arange(6.0), "y": 2.0 * np.arange(6.0)}
SHORT = {"optimizer": "gd", "learning_rate": 0.001, "epochs": 2, "start": {"w": 0.0}}


def test_a_fit_outlives_its_examination(monkeypatch):
    monkeypatch.setattr(detectors, "DETECTORS", (broken,))
    fit = descend.fit("y ~ w*x", LINE, **SHORT)
    told = "Its run could not be examined any closer (ValueError: operands do not fit). Please report this."
    with pytest.warns(RuntimeWarning, match=re.escape(told)):
        assert fit.advice.endswith(told)
    assert fit.parameters["w"] > 0.0


def test_a_function_of_the_user_that_fails_in_an_examination_is_no_error_of_ours(monkeypatch):
    monkeypatch.setattr(detectors, "DETECTORS", (failing_function,))
    fit = descend.fit("y ~ w*x", LINE, **SHORT)
    assert fit.advice.endswith(
        "Its run could not be examined any closer: `forward` raised ZeroDivisionError: division by zero."
    )


def test_the_command_line_prints_the_fit(monkeypatch, tmp_path, capsys):
    from descend.cli.main import main

    monkeypatch.setattr(detectors, "DETECTORS", (broken,))
    (tmp_path / "line.csv").write_text("x,y\n1,2\n2,4\n3,6.5\n")
    arguments = ["--optimizer", "gd", "--learning-rate", "0.001", "--epochs", "2", "--json"]
    monkeypatch.setattr(
        "sys.argv", ["descend", "fit", "y ~ w*x", str(tmp_path / "line.csv"), "--start", "w=0", *arguments]
    )
    with pytest.warns(RuntimeWarning, match="could not be examined"):
        assert main() == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["cause"] is None
    assert "could not be examined" in printed["advice"]
