"""What went wrong is told of rows that lie elsewhere too, of which a sample is here."""

import numpy as np
import pytest

import descend

ROWS = 12_000
X = np.linspace(0.0, 3.0, ROWS)


@pytest.mark.parametrize("text", ["y ~ a*erf(b*x)", "y ~ a*tanh(b*x)", "y ~ sigmoid(a + b*x)"])
@pytest.mark.parametrize("rate", [1e-6, 1e6])
def test_every_failure_is_diagnosed(text, rate, monkeypatch):
    monkeypatch.setattr("descend.problem.out_of_core.SAMPLE", 500)
    start = {"a": 40.0, "b": 40.0}
    data = {"x": X, "y": np.tanh(X) + 0.1 * np.sin(50.0 * X)}
    fit = descend.fit(text, data, engine="query", optimizer="gd", learning_rate=rate, start=start, epochs=3)
    assert fit.epochs <= 3
    assert fit.cause is None or fit.evidence


@pytest.mark.parametrize(("rate", "outcome"), [(1e3, "diverged"), (1e-2, "epochs_used_up"), (1.0, "epochs_used_up")])
def test_batches_of_rows_elsewhere(rate, outcome, monkeypatch):
    monkeypatch.setattr("descend.problem.out_of_core.SAMPLE", 500)
    data = {"x": X, "y": np.tanh(X) + np.sin(5000.0 * X)}
    options = {"optimizer": "gd", "learning_rate": rate, "batch_size": 2000, "epochs": 4, "start": {"a": 1, "b": 1}}
    fit = descend.fit("y ~ a*exp(-b*x)", data, engine="query", **options)
    assert (str(fit.outcome), fit.cause is None or len(fit.evidence) > 0) == (outcome, True)
    if outcome != "diverged":  # J at the start, and after each of four epochs, and each row once in those
        assert fit.passes == pytest.approx(10.0, abs=1.5)
