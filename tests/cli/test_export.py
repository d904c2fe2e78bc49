"""`descend export`."""

import numpy as np
import pytest

from descend.cli.main import main


@pytest.fixture
def model(tmp_path):
    import descend

    descend.fit("y ~ w*x", {"x": [1.0, 2.0], "y": [2.0, 4.0]}).save(tmp_path / "line.json")
    return str(tmp_path / "line.json")


def run(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["descend", "export", *arguments])
    return main()


def test_it_prints_or_writes(model, monkeypatch, capsys, tmp_path):
    assert run(monkeypatch, model, "--to", "sql", "--table", "points", "--as", "fitted") == 0
    printed = capsys.readouterr().out
    assert printed == 'select *, 2.0e0*cast("x" as double) as "fitted" from "points"\n'
    assert run(monkeypatch, model, "--to", "sql", "--output", str(tmp_path / "model.sql")) == 0
    assert (tmp_path / "model.sql").read_text() == 'select *, 2.0e0*cast("x" as double) as "prediction" from "data"\n'


def test_an_option_of_sql_is_refused_elsewhere(model, monkeypatch, capsys):
    assert run(monkeypatch, model, "--to", "python", "--as", "fitted") == 2
    assert capsys.readouterr().err == (
        "ConfigError: `--as` is an option of sql, and has no meaning for python. Leave it out.\n"
    )


def test_it_does_not_overwrite_the_model(model, monkeypatch, capsys):
    assert run(monkeypatch, model, "--to", "sql", "--output", model) == 2
    assert "would overwrite" in capsys.readouterr().err


def test_onnx_is_written_to_a_file_alone(model, monkeypatch, capsys, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    place = tmp_path / "line.onnx"
    assert run(monkeypatch, model, "--to", "onnx", "--output", str(place)) == 0
    (found,) = runtime.InferenceSession(str(place)).run(None, {"x": np.array([[3.0], [0.5]])})
    np.testing.assert_allclose(found, [[6.0], [1.0]], rtol=1e-12)
    capsys.readouterr()
    assert run(monkeypatch, model, "--to", "onnx") == 2
    assert capsys.readouterr().err == (
        "ConfigError: ONNX is no text that could be printed. Name a file for it, --output model.onnx.\n"
    )
