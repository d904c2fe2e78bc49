"""What is shown of the run of a module: its curves, its frame, its progress."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import descend

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(80, 4)).astype(np.float32)
Y = (X[:, 0] + 0.3 * RANDOM.normal(size=80)).astype(np.float32)


@pytest.fixture(scope="module")
def fitted() -> descend.Fit:
    torch.manual_seed(0)
    options = {"optimizer": "adam", "epochs": 5, "batch_size": 16, "validation": 0.25, "metrics": ["rmse"]}
    return descend.fit(torch.nn.Linear(4, 1), (X, Y), **options)


def test_both_losses_are_drawn(fitted):
    axes = fitted.plot().axes[-1]
    lines = axes.get_lines()
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["training", "validation"]
    assert np.asarray(lines[1].get_ydata()).tolist() == pytest.approx(fitted.trace.validation_losses.tolist())


def test_the_report_has_the_metrics(fitted, tmp_path):
    fitted.report(tmp_path / "fit.html")
    page = (tmp_path / "fit.html").read_text()
    assert "Metrics per epoch" in page
    assert "The validation loss goes from" in page


def test_the_trace_is_a_frame(fitted):
    frame = fitted.trace.frame()
    assert list(frame.columns[:5]) == ["epoch", "loss", "gradient_norm", "learning_rate", "seconds"]
    assert frame["validation_loss"].tolist() == fitted.trace.validation_losses.tolist()
    assert frame["rmse"].iloc[-1] == fitted.trace[-1].measures["rmse"]


@pytest.mark.parametrize("progress", [True, None])
def test_the_progress_is_shown_where_it_is_asked_for(progress, monkeypatch, capsys):
    from descend.training import progress as room

    monkeypatch.setattr(room, "PATIENCE", 0.0)
    monkeypatch.setattr(room, "REFRESH", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("FORCE_COLOR", "1")
    torch.manual_seed(0)
    options = {"optimizer": "adam", "epochs": 4, "batch_size": 16, "validation": 0.25, "progress": progress}
    descend.fit(torch.nn.Linear(4, 1), (X, Y), **options)
    shown = capsys.readouterr().err
    assert ("validation loss" in shown) is bool(progress)
