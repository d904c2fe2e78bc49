"""How a script is run: as Python runs it, ended early, failing, stopped; and that no trace of the watch is left."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
import torch
from torch.nn.modules import module as modules
from torch.overrides import _len_torch_function_stack

from descend.doctor import examine
from descend.doctor.text import render
from descend.errors import ConfigError, DataError

SCRIPTS = Path(__file__).parent / "scripts"
LINE = SCRIPTS / "healthy" / "textbook_line.py"
FORGOTTEN = SCRIPTS / "faulty" / "not_zeroed_module.py"


def written(folder: Path, text: str, name: str = "train.py") -> Path:
    script = folder / name
    script.write_text(text)
    return script


def hooks() -> list[object]:
    """Everything the watch replaces."""
    return [
        torch.autograd.backward, torch.compile, torch.optim.Optimizer.__init__, torch.optim.Optimizer.zero_grad,
        torch.nn.Module.zero_grad, dict(modules._global_forward_hooks), dict(modules._global_forward_pre_hooks),
        dict(torch.optim.Optimizer.__dict__), dict(sys.modules["torch.optim.optimizer"]._global_optimizer_pre_hooks),
        dict(sys.modules["torch.optim.optimizer"]._global_optimizer_post_hooks), _len_torch_function_stack(),
        torch.is_grad_enabled(), torch.get_default_dtype(), sys.argv, sys.path[:], os.getcwd(), sys.modules["__main__"],
    ]  # fmt: skip


ENDINGS = {
    "finished": "",
    "raised": "raise ValueError('no')",
    "exited": "raise SystemExit(3)",
    "interrupted": "raise KeyboardInterrupt",
    "stopped": "import torch\nw = torch.ones(1, requires_grad=True)\no = torch.optim.SGD([w])\n"
    "for _ in range(9):\n    o.zero_grad(); (w*w).sum().backward(); o.step()",
}


@pytest.mark.parametrize("outcome", ENDINGS)
def test_nothing_of_the_watch_is_left(outcome: str, tmp_path: Path) -> None:
    start = "import os, sys, torch\nos.chdir('/')\nsys.path.append('x')\ntorch.set_default_dtype(torch.float64)\n"
    script = written(tmp_path, start + "torch.set_grad_enabled(True)\n" + ENDINGS[outcome] + "\n")
    before = hooks()
    report = examine(script, steps=3 if outcome == "stopped" else None)
    assert report.outcome == outcome
    assert hooks() == before


def test_the_script_finds_what_python_gives_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path, "RATE = 0.25\n", "settings_of_mine.py")
    script = written(
        tmp_path,
        "import sys\nfrom settings_of_mine import RATE\n"
        "print(__name__, __file__ == sys.argv[0], sys.argv[1:], sys.path[0], RATE)\n",
    )
    for _ in range(2):
        report = examine(script, ["--rate", "2"])
        assert capsys.readouterr().out == f"__main__ True ['--rate', '2'] {tmp_path} 0.25\n"
        assert report.healthy
        assert "settings_of_mine" not in sys.modules


def test_steps_end_a_script(tmp_path: Path) -> None:
    report = examine(LINE, steps=7)
    assert report.outcome == "stopped"
    assert report.watched["steps"] == 7
    by_hand = SCRIPTS / "healthy" / "by_hand.py"
    assert examine(by_hand, steps=5).watched["steps"] == 5


def test_json(run, tmp_path: Path) -> None:
    script = written(tmp_path, FORGOTTEN.read_text() + "print('its own words')\n")
    ran = run("doctor", script, "--json")
    report = json.loads(ran.stdout)
    assert ran.code == 1
    assert ran.stderr == "its own words\n"
    assert list(report) == ["script", "healthy", "outcome", "findings", "watched", "error", "traceback"]
    (finding,) = report["findings"]
    assert finding["name"] == "not_zeroed"
    assert finding["severity"] == "error"
    assert (finding["file"], finding["line"], finding["code"]) == (str(script), 11, "loss.backward()")
    evidence = finding["evidence"]
    assert evidence["norm_of_their_sum"] == pytest.approx(evidence["norm_left_over"] * 2, rel=0.01)
    assert report["watched"]["optimizers"] == [
        {"optimizer": "SGD", "name": "optimizer", "parameters": 4, "steps": 20, "first_rate": 0.001, "last_rate": 0.001}
    ]


def test_json_holds_no_nan(run) -> None:
    ran = run("doctor", SCRIPTS / "faulty" / "nan_log.py", "--json")
    report = json.loads(ran.stdout, parse_constant=lambda name: pytest.fail(name))
    assert report["watched"]["last_loss"] == "nan"


def test_a_process_of_its_own(run) -> None:
    ran = run("doctor", LINE, process=True)
    assert ran.code == 0
    assert ran.stderr == ""
    assert ran.stdout.splitlines() == [
        "1.9977558851242065",
        f"{LINE}: nothing wrong was found",
        "",
        "  Watched: the script ran to its end; 100 backward passes; 100 steps of SGD `optimizer`, learning",
        "    rate 0.001; loss 131.3 at first, 0.0001894 at last.",
    ]


def test_json_is_alone_on_stdout(run, tmp_path: Path) -> None:
    script = written(tmp_path, "import os, sys\nprint('a line')\nos.system('echo another')\n")
    ran = run("doctor", script, "--json", process=True)
    assert json.loads(ran.stdout)["healthy"]
    assert sorted(ran.stderr.split("\n")) == ["", "a line", "another"]


def test_arguments_after_two_dashes(run) -> None:
    ran = run("doctor", SCRIPTS / "healthy" / "trainer_class.py", "--steps", "5", "--", "--rate", "0.5", process=True)
    assert ran.code == 0
    assert "5 steps of Adam `self.optimizer`, learning rate 0.5;" in " ".join(ran.stdout.split())


def test_an_error_of_the_script(run, tmp_path: Path) -> None:
    script = written(
        tmp_path, "import torch\n\n\ndef loss(x):\n    return torch.ones(2) @ x\n\n\nloss(torch.ones(3))\n"
    )
    ran = run("doctor", script)
    assert ran.code == 2
    assert ran.stdout == (
        f"{script}: the script raised an error\n"
        "\n"
        "  RuntimeError: inconsistent tensor size, expected tensor [2] and src [3] to have the same number of\n"
        "    elements, but got 2 and 3 elements respectively\n"
        "    train.py:8: loss(torch.ones(3))\n"
        "    train.py:5: return torch.ones(2) @ x\n"
        "\n"
        "  Watched: the script raised an error; 0 backward passes.\n"
    )


def test_findings_before_an_error(run, tmp_path: Path) -> None:
    script = written(tmp_path, FORGOTTEN.read_text() + "1 / 0\n")
    ran = run("doctor", script, "--json")
    report = json.loads(ran.stdout)
    assert ran.code == 2
    assert [finding["name"] for finding in report["findings"]] == ["not_zeroed"]
    assert report["error"] == "ZeroDivisionError: division by zero"
    assert [line["code"] for line in report["traceback"]] == ["1 / 0"]


@pytest.mark.parametrize(
    ("code", "outcome", "error", "exit_code"),
    [
        ("", "finished", None, 0),
        ("import sys; sys.exit()", "finished", None, 0),
        ("import sys; sys.exit(0)", "finished", None, 0),
        ("import sys; sys.exit(3)", "exited", "It ended itself with exit code 3.", 2),
        ("import sys; sys.exit('no data')", "exited", "no data", 2),
        ("raise KeyboardInterrupt", "interrupted", None, 0),
    ],
)
def test_other_endings(code: str, outcome: str, error: str | None, exit_code: int, tmp_path: Path) -> None:
    report = examine(written(tmp_path, code))
    assert (report.outcome, report.error, report.exit_code) == (outcome, error, exit_code)


def test_bad_input(tmp_path: Path) -> None:
    missing = tmp_path / "missing.py"
    with pytest.raises(DataError) as none:
        examine(missing)
    assert str(none.value) == f"There is no file {missing}. The doctor takes a Python script, such as train.py."
    with pytest.raises(DataError) as folder:
        examine(tmp_path)
    assert str(folder.value) == f"{tmp_path} is a folder. The doctor takes a Python script, such as train.py."
    text = written(tmp_path, "x = 1\ny = = 2\n")
    with pytest.raises(ConfigError) as words:
        examine(text)
    assert str(words.value) == (
        f"{text}, line 2 is not Python: invalid syntax. The doctor takes a Python script, such as train.py."
    )
    with pytest.raises(ConfigError) as steps:
        examine(LINE, steps=0)
    assert str(steps.value) == "The script cannot be ended after 0 steps. Give at least 1."


def test_exit_code_of_bad_input(run, tmp_path: Path) -> None:
    ran = run("doctor", tmp_path / "missing.py")
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.startswith("DataError: There is no file ")


def test_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ConfigError) as error:
        examine(LINE)
    assert str(error.value) == (
        "PyTorch is not installed, and the doctor examines PyTorch scripts. "
        'Install it with: pip install "descend[torch]".'
    )


def test_warnings_point_at_the_script(tmp_path: Path) -> None:
    script = SCRIPTS / "faulty" / "broadcast_mse.py"
    with pytest.warns(UserWarning, match="target size") as seen:
        examine(script)
    assert [(Path(one.filename), one.lineno) for one in seen] == [(script, 12)]


def test_only_the_users_own_lines_are_shown_from_their_folder_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, "import torch\nw = torch.ones(1)\nprint(missing)\n")
    monkeypatch.chdir(tmp_path)
    assert [str(place) for place in examine("train.py").traceback] == ["train.py:3"]


def test_a_check_that_fails_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*given: object) -> None:
        raise ValueError("no such thing")

    monkeypatch.setattr("descend.doctor.checks.scales.Scales.operation", fails)
    report = examine(written(tmp_path, FORGOTTEN.read_text()))
    assert [finding.name for finding in report.findings] == ["not_zeroed"]
    assert report.watched["checks_left_out"] == ["Scales (ValueError: no such thing)"]
    assert "left out after an error of the doctor's own: Scales (ValueError: no such thing)." in " ".join(
        render(report).split()
    )
