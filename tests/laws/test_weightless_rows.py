"""A row of weight 0 is no row: steps in batches are those of a fit without it, and no batch is made of such rows."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.optimizers import OPTIMIZERS

STOCHASTIC = [name for name in OPTIMIZERS if OPTIMIZERS.build(name).stochastic]


def rows() -> dict[str, np.ndarray]:
    x = np.arange(60) / 30.0
    y = 1.0 + 2.0 * x + 0.1 * np.random.default_rng(0).normal(size=60)
    return {"x": x, "y": y, "weight": np.where(np.arange(60) < 25, 0.0, 1.0 + x)}


@pytest.mark.parametrize("engine", ["numpy", "torch"])
@pytest.mark.parametrize("optimizer", STOCHASTIC)
def test_batches_leave_rows_of_weight_zero_out(optimizer, engine):
    how = {"optimizer": optimizer, "engine": engine, "batch_size": 8, "epochs": 5, "learning_rate": 0.01}
    how |= {"start": {"a": 0.0, "b": 0.0}, "weights": "weight"}
    data = rows()
    counting = {name: column[data["weight"] > 0.0] for name, column in data.items()}
    every, some = descend.fit("y ~ a + b*x", data, **how), descend.fit("y ~ a + b*x", counting, **how)
    np.testing.assert_allclose(every.theta, some.theta, rtol=1e-13)
    assert every.loss == pytest.approx(some.loss, rel=1e-13)


def test_a_batch_of_a_database_without_weight_moves_nothing(tmp_path):
    import pandas

    pandas.DataFrame(rows()).to_parquet(tmp_path / "rows.parquet")
    fit = descend.fit(
        "y ~ a + b*x", str(tmp_path / "rows.parquet"), engine="query", weights="weight", batch_size=8, epochs=40,
        optimizer="adam",
    )  # fmt: skip
    assert fit.parameters["b"] == pytest.approx(2.0, abs=0.5)
