"""The file of a fitted module: weights in safetensors beside the JSON, loaded into a fresh module."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

import descend
from descend import ConfigError, DataError, OutputError

RANDOM = np.random.default_rng(0)
TABLE = {"x1": RANDOM.normal(size=30), "x2": RANDOM.normal(size=30)}
TABLE["y"] = np.tanh(TABLE["x1"]) - TABLE["x2"]


def network(width: int = 4, seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Linear(2, width), torch.nn.BatchNorm1d(width), torch.nn.Tanh(), torch.nn.Linear(width, 1)
    )


@pytest.fixture
def fitted() -> descend.Fit:
    return descend.fit(network(), TABLE, response="y", epochs=20, learning_rate=0.01, loss="huber(delta=0.5)")


def test_a_fresh_module_predicts_the_same(fitted, tmp_path):
    fitted.save(tmp_path / "m.json")
    assert {path.name for path in tmp_path.iterdir()} == {"m.json", "m.safetensors"}
    module = network(seed=1)
    loaded = descend.load(tmp_path / "m.json", model=module)
    np.testing.assert_array_equal(loaded.predict(TABLE), fitted.predict(TABLE))
    for name, value in fitted.parameters.items():
        np.testing.assert_array_equal(loaded.parameters[name], value)
    torch.testing.assert_close(module.state_dict(), fitted.model.module.state_dict())
    assert module.training
    assert (loaded.loss, loaded.outcome, loaded.rows) == (fitted.loss, fitted.outcome, fitted.rows)
    assert str(loaded) == str(fitted)
    assert loaded.loss_function == fitted.loss_function
    assert loaded.column_types == {"y": "number", "x1": "number", "x2": "number"}
    loaded.save(tmp_path / "again.json")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "m.safetensors").read_bytes()


def test_the_json_holds_no_weights_of_a_large_module(tmp_path):
    module = torch.nn.Sequential(torch.nn.Linear(2, 4000), torch.nn.Linear(4000, 1))
    found = descend.fit(module, TABLE, response="y", epochs=1, learning_rate=1e-6)
    found.save(tmp_path / "m.json")
    assert (tmp_path / "m.json").stat().st_size < 5000
    content = json.loads((tmp_path / "m.json").read_text())
    assert content["module"]["file"] == "m.safetensors" and len(content["module"]["sha256"]) == 64
    assert content["shapes"]["1.weight"] == [1, 4000]


def test_tensors(tmp_path):
    X = torch.rand(10, 3, 2)
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(6, 1))
    found = descend.fit(module, (X, X.sum(dim=(1, 2))), epochs=5)
    found.save(tmp_path / "m.json")
    again = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(6, 1))
    np.testing.assert_array_equal(descend.load(tmp_path / "m.json", model=again).predict(X), found.predict(X))


def test_shared_and_frozen_weights(tmp_path):
    def make():
        module = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2), torch.nn.Linear(2, 1))
        module[1].weight = module[0].weight
        module[2].requires_grad_(False)
        return module

    found = descend.fit(make(), TABLE, response="y", epochs=5)
    found.save(tmp_path / "m.json")
    loaded = descend.load(tmp_path / "m.json", model=make())
    np.testing.assert_array_equal(loaded.predict(TABLE), found.predict(TABLE))


def test_a_module_of_other_shapes_is_refused(fitted, tmp_path):
    path = tmp_path / "m.json"
    fitted.save(path)
    cases = {
        network(width=5): f"`0.weight` has shape (4, 2) in `{tmp_path}/m.safetensors` but (5, 2) in this `Sequential`.",
        torch.nn.Linear(
            2, 1
        ): f"`{tmp_path}/m.safetensors` holds `1.num_batches_tracked`, which this `Linear` has not.",
        network().append(torch.nn.Linear(1, 1)): (
            f"`{tmp_path}/m.safetensors` does not hold `4.weight`, which this `Sequential` has."
        ),
    }
    for module, message in cases.items():
        before = [tensor.clone() for tensor in module.state_dict().values()]
        with pytest.raises(DataError) as refusal:
            descend.load(path, model=module)
        assert str(refusal.value) == f"{message} Make the module as it was when it was fitted."
        assert all(map(torch.equal, before, module.state_dict().values()))


def test_a_module_is_needed(fitted, tmp_path):
    path = tmp_path / "m.json"
    fitted.save(path)
    with pytest.raises(DataError) as refusal:
        descend.load(path)
    assert str(refusal.value) == (
        f"`{path}` was fitted with the PyTorch module `Sequential`, of which it holds the weights only. "
        "Make the module and load them into it, in Python: descend.load(path, model=module)."
    )


def test_other_weights_are_refused(fitted, tmp_path):
    path, weights = tmp_path / "m.json", tmp_path / "m.safetensors"
    fitted.save(path)
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    with pytest.raises(DataError) as refusal:
        descend.load(path, model=network())
    assert (
        str(refusal.value) == f"`{weights}` does not hold the weights that `m.json` was saved with. Save the fit again."
    )
    weights.unlink()
    with pytest.raises(DataError) as refusal:
        descend.load(path, model=network())
    assert str(refusal.value) == (
        f"The weights `{weights}`, which `m.json` names, cannot be read: no such file or directory. "
        "Keep both files in one folder, under their names."
    )


def test_one_name_cannot_hold_both(fitted, tmp_path):
    path = tmp_path / "m.safetensors"
    with pytest.raises(OutputError) as refusal:
        fitted.save(path)
    assert str(refusal.value) == f"`{path}` is where the weights go. Name the model file otherwise, such as `m.json`."
    assert not list(tmp_path.iterdir())


def test_a_failure_while_saving_leaves_the_old_files(fitted, tmp_path, monkeypatch):
    path = tmp_path / "m.json"
    fitted.save(path)
    before = {place.name: place.read_bytes() for place in tmp_path.iterdir()}

    def fail(*arguments):
        raise KeyboardInterrupt

    fitted.model.module[3].bias.data.add_(1.0)
    monkeypatch.setattr(sys.modules["descend.results.saving"], "write_atomically", fail)
    with pytest.raises(KeyboardInterrupt):
        fitted.save(path)
    assert {place.name: place.read_bytes() for place in tmp_path.iterdir()} == before


def test_without_safetensors(fitted, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    with pytest.raises(ConfigError) as refusal:
        fitted.save(tmp_path / "m.json")
    assert str(refusal.value) == (
        "safetensors is not installed, and the weights of a module are kept in its format. "
        'Install it with: pip install "descend[torch]".'
    )
    assert not list(tmp_path.iterdir())


def test_fitting_without_a_module_imports_no_torch():
    code = """
import sys, descend
descend.fit("y ~ w*x", {"x": [1.0, 2.0], "y": [2.0, 4.0]}, epochs=2)
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=60)
