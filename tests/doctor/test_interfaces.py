"""The doctor for other programs and places: SARIF, notebooks, pytest."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.overrides import _len_torch_function_stack

import descend
from descend.doctor import examine
from descend.doctor.pytest_plugin import assert_trains  # noqa: F401  (a fixture)

SCRIPTS = Path(__file__).parent / "scripts"
FORGOTTEN = SCRIPTS / "faulty" / "not_zeroed_module.py"
LINE = SCRIPTS / "healthy" / "textbook_line.py"
TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
RESULT = {
    "type": "object",
    "required": ["ruleId", "ruleIndex", "level", "message", "locations"],
    "properties": {
        "level": {"enum": ["none", "note", "warning", "error"]},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "message": TEXT,
        "locations": {
            "type": "array",
            "items": {
                "required": ["physicalLocation"],
                "properties": {
                    "physicalLocation": {
                        "required": ["artifactLocation", "region"],
                        "properties": {
                            "artifactLocation": {"required": ["uri"]},
                            "region": {"required": ["startLine"], "properties": {"startLine": {"minimum": 1}}},
                        },
                    }
                },
            },
        },
    },
}
RUN = {
    "type": "object",
    "required": ["tool", "results", "invocations"],
    "properties": {
        "tool": {"required": ["driver"], "properties": {"driver": {"required": ["name", "version", "rules"]}}},
        "invocations": {"items": {"required": ["executionSuccessful"]}},
        "results": {"type": "array", "items": RESULT},
    },
}
SARIF = {
    "type": "object",
    "required": ["$schema", "version", "runs"],
    "properties": {"version": {"const": "2.1.0"}, "runs": {"type": "array", "minItems": 1, "items": RUN}},
}
"""The parts of the schema of SARIF 2.1.0 that a log of findings has to keep to (OASIS, section 3)."""


def test_sarif(run, monkeypatch: pytest.MonkeyPatch) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    monkeypatch.chdir(FORGOTTEN.parent)
    ran = run("doctor", FORGOTTEN.name, "--format", "sarif")
    log = json.loads(ran.stdout)
    assert ran.code == 1
    jsonschema.validate(log, SARIF)
    (result,) = log["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("not_zeroed", "error")
    location = result["locations"][0]["physicalLocation"]
    assert location["artifactLocation"] == {"uri": FORGOTTEN.name}
    assert location["region"] == {"startLine": 11, "snippet": {"text": "loss.backward()"}}
    healthy = json.loads(run("doctor", LINE, "--format", "sarif").stdout)
    jsonschema.validate(healthy, SARIF)
    assert healthy["runs"][0]["results"] == []


def test_a_script_that_fails_is_told_from_one_with_faults(run, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text("1 / 0\n")
    ran = run("doctor", script, "--format", "sarif")
    (invocation,) = json.loads(ran.stdout)["runs"][0]["invocations"]
    assert ran.code == 2
    assert not invocation["executionSuccessful"]
    assert invocation["toolExecutionNotifications"][0]["message"]["text"] == "ZeroDivisionError: division by zero"


def test_an_unknown_format(run) -> None:
    ran = run("doctor", LINE, "--format", "xml")
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr == (
        "ConfigError: There is no format 'xml' here. The formats are text, json, sarif; --json is json.\n"
    )


def trained(net: nn.Module, zeroing: bool) -> None:
    x = torch.randn(30, 3, generator=torch.Generator().manual_seed(0))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    for _ in range(6):
        if zeroing:
            optimizer.zero_grad()
        torch.nn.functional.mse_loss(net(x), x[:, :1]).backward()
        optimizer.step()


def test_a_block_is_watched(capsys: pytest.CaptureFixture[str]) -> None:
    before = (torch.autograd.backward, torch.optim.Optimizer.zero_grad, _len_torch_function_stack())
    with descend.watch(net := nn.Linear(3, 1)) as watched:
        trained(net, zeroing=False)
    assert (torch.autograd.backward, torch.optim.Optimizer.zero_grad, _len_torch_function_stack()) == before
    assert watched.report is not None
    (finding,) = watched.report.findings
    assert finding.name == "not_zeroed"
    assert finding.place is not None
    assert finding.place.code == "torch.nn.functional.mse_loss(net(x), x[:, :1]).backward()"
    assert capsys.readouterr().out.startswith("the block: 1 problem found")


def test_a_healthy_block(capsys: pytest.CaptureFixture[str]) -> None:
    with descend.watch(show=False) as watched:
        assert not watched.healthy
        trained(nn.Linear(3, 1), zeroing=True)
    assert watched.healthy
    assert capsys.readouterr().out == ""


def test_an_error_passes_through_a_block(capsys: pytest.CaptureFixture[str]) -> None:
    before = _len_torch_function_stack()
    with pytest.raises(RuntimeError, match="shapes"), descend.watch():
        nn.Linear(3, 1)(torch.ones(2, 4))
    assert "A Linear layer that takes 3 numbers a row is given rows of 4" in " ".join(capsys.readouterr().out.split())
    assert _len_torch_function_stack() == before


def test_a_model_that_trains(assert_trains) -> None:  # noqa: F811
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
    before, state = net[0].weight.clone(), torch.get_rng_state()
    x = torch.randn(32, 4)
    state = torch.get_rng_state()
    report = assert_trains(net, (x, x[:, :3].argmax(1)))
    assert report.watched["steps"] == 60
    assert torch.equal(net[0].weight, before)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_model_that_does_not_train(assert_trains) -> None:  # noqa: F811
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3), nn.Softmax(dim=1))
    x = torch.randn(32, 4)
    with pytest.raises(AssertionError) as error:
        assert_trains(net, {"input": x, "labels": x[:, :3].argmax(1)})
    assert "activation_twice: `functional.cross_entropy` is given the result of `softmax`" in str(error.value)
    assert str(error.value).startswith("Sequential does not train: its loss over one batch is ")


def test_the_plugin_loads_nothing_heavy() -> None:
    heavy = "{'torch', 'numpy', 'scipy', 'descend.doctor.examination'}"
    code = f"import sys, descend.doctor.pytest_plugin; print(sorted({heavy} & {{*sys.modules}}))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_a_long_run_is_watched_by_samples(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import torch\nw = torch.ones(3, requires_grad=True)\nopt = torch.optim.SGD([w], lr=1e-3)\n"
        "for step in range(700):\n    opt.zero_grad()\n    loss = (w * w).sum()\n"
        "    if step == 601:\n        loss = loss * torch.log(loss - 10)\n    loss.backward()\n    opt.step()\n"
    )
    (seldom,), (always,) = examine(script).findings, examine(script, every_step=True).findings
    assert (seldom.name, always.name) == ("first_nan", "first_nan")
    assert always.symptom == "`torch.log` makes the first NaN."
    assert seldom.symptom == (
        "The loss becomes a NaN at step 602, which was not watched closely: in a long run only each 16th step is."
    )
    assert seldom.fix == "descend doctor --every-step SCRIPT.py   # slower, and names the operation"
