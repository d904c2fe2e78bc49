"""Files that an earlier descend wrote are read by today's: see README.md."""

from __future__ import annotations

import json
import shutil

import pytest
from tests.golden.cases import CHECKPOINTS, FILES, MODELS, NEW, ROWS, fingerprint, network

import descend

EXPECTED = json.loads((FILES / "expected.json").read_text(encoding="utf-8"))


def loaded(name):
    model, _ = MODELS[name]
    if name == "network":
        pytest.importorskip("torch")
    path = FILES / f"{name}.model.json"
    return descend.load(path, model=network() if name == "network" else model if callable(model) else None)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_file_says_what_it_said(name):
    fit = loaded(name)
    assert fit.predict(NEW) == pytest.approx(EXPECTED["models"][name]["predictions"], rel=1e-14, abs=0)
    assert str(fit) == EXPECTED["models"][name]["text"]
    summary = json.loads(json.dumps(fit.summary()))
    for key, value in EXPECTED["models"][name]["summary"].items():
        assert summary[key] == value, key


@pytest.mark.parametrize("name", MODELS)
def test_saving_it_again_loses_nothing(name, tmp_path):
    path = tmp_path / f"{name}.model.json"
    loaded(name).save(path)
    before = json.loads((FILES / path.name).read_text(encoding="utf-8"))
    after = json.loads(path.read_text(encoding="utf-8"))
    for key, value in before.items():
        assert key == "descend" or after[key] == value, key


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_run_is_taken_up_to_the_last_bit(name, tmp_path):
    formula, _, options = CHECKPOINTS[name]
    path = tmp_path / "run.json"
    shutil.copy(FILES / f"{name}.run.json", path)
    expected = EXPECTED["runs"][name]
    if fingerprint() != EXPECTED["fingerprint"]:
        pytest.skip("this machine rounds exponentials or sums otherwise than the one that wrote the checkpoint")
    fit = descend.fit(formula, ROWS, checkpoint=path, resume=True, **options)
    assert [step.loss for step in fit.trace] == expected["losses"]
    assert [step.theta.tolist() for step in fit.trace] == expected["theta"]
    assert str(fit.outcome) == expected["outcome"]
    assert any(note.startswith("resumed at epoch ") for note in fit.notes)
