"""Make the files of this folder, with the descend that is on PYTHONPATH: see README.md."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from cases import CHECKPOINTS, FILES, MODELS, NEW, ROWS, fingerprint, network

import descend
from descend.descent import checkpoint


class CutOffError(Exception):
    pass


def write_rows() -> None:
    random = np.random.default_rng(15)
    x = np.round(np.linspace(0.0, 5.0, 60), 3)
    u = np.round(random.normal(size=60), 3)
    s = np.round(random.uniform(0.04, 0.2, 60), 3)
    y = np.round(3 * np.exp(-0.7 * x) + 1 + s * random.normal(size=60), 4)
    label = (random.uniform(size=60) < 1 / (1 + np.exp(2 - x - u))).astype(int)
    n = random.poisson(np.exp(2 - 0.3 * x))
    table = np.column_stack([x, u, s, y, label, n])
    lines = [",".join(f"{value:g}" for value in row) for row in table]
    ROWS.write_text("\n".join(["x,u,s,y,label,n", *lines]) + "\n")


def expected_of(name: str) -> dict[str, Any]:
    model, options = MODELS[name]
    given = network() if name == "network" else model
    descend.fit(given, ROWS, **options).save(FILES / f"{name}.model.json")
    loaded = descend.load(FILES / f"{name}.model.json", model=None if isinstance(model, str) else given)
    return {"predictions": loaded.predict(NEW).tolist(), "summary": loaded.summary(), "text": str(loaded)}


def run_of(name: str) -> dict[str, Any]:
    formula, at, options = CHECKPOINTS[name]
    path = FILES / f"{name}.run.json"

    def stop(step: Any) -> None:
        if step.epoch == at:
            raise CutOffError

    try:
        descend.fit(formula, ROWS, checkpoint=path, on_step=stop, **options)
    except CutOffError:
        assert json.loads(path.read_text())["position"]["epoch"] in (at, at - 1)
    else:
        raise SystemExit(f"{name} was over before epoch {at}")
    fit = descend.fit(formula, ROWS, **options)
    return {
        "outcome": str(fit.outcome),
        "losses": [step.loss for step in fit.trace],
        "theta": [step.theta.tolist() for step in fit.trace],
    }


if __name__ == "__main__":
    FILES.mkdir(exist_ok=True)
    write_rows()
    checkpoint.EVERY = -1.0
    expected = {
        "fingerprint": fingerprint(),
        "models": {name: expected_of(name) for name in MODELS},
        "runs": {name: run_of(name) for name in CHECKPOINTS},
    }
    (FILES / "expected.json").write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n")
