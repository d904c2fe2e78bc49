"""How a process ends: Ctrl-C, a kill, a reader that goes away."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

MAIN = [sys.executable, "-m", "descend"]
SLOW = ["--optimizer", "gd", "--epochs", "2000"]
ENDLESS = [
    "fit",
    "y ~ a*x + b",
    "line.csv",
    "--epochs",
    "1000000000",
    "--learning-rate",
    "0.001",
    "--log-every",
    "1000",
]


@pytest.fixture
def folder(tmp_path: Path, line: dict[str, np.ndarray]) -> Path:
    np.savetxt(tmp_path / "line.csv", np.column_stack([line["x"], line["y"]]), delimiter=",", header="x,y", comments="")
    return tmp_path


@pytest.fixture
def endless(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A fit that runs for ever, and has begun."""
    words = [*MAIN, *ENDLESS, "--save", "line.json"]
    process = subprocess.Popen(words, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("epoch     0")
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_was_reached_is_kept(number: signal.Signals, endless: subprocess.Popen[str], folder: Path) -> None:
    endless.send_signal(number)
    stdout, stderr = endless.communicate(timeout=30)
    assert (endless.returncode, stderr) == (1, "")
    assert "outcome          interrupted after" in stdout
    assert stdout.endswith("Model saved to line.json\n")
    saved = json.loads((folder / "line.json").read_text())
    assert saved["outcome"] == "interrupted"
    assert f"  a   {saved['parameters']['a']:.6g}" in stdout


def test_a_second_ctrl_c_ends_at_once(folder: Path) -> None:
    # A step that takes for ever: only the second Ctrl-C can end it.
    code = """
import sys, time
from descend.cli.main import main
from descend.cli.terminal import Log
Log.__call__ = lambda log, step: (print("begun", flush=True), time.sleep(60))
sys.exit(main())
"""
    command = [sys.executable, "-c", code, *ENDLESS, "--save", "line.json"]
    process = subprocess.Popen(command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr) == (
        1,
        "Interrupted before there was a result; no file was left half-written.\n",
    )
    assert not (folder / "line.json").exists()


def test_ctrl_c_while_the_program_is_being_imported(folder: Path) -> None:
    # The import of the command line stands for all that takes its time before there is a run.
    code = """
import builtins, sys
before = builtins.__import__
def slow(name, *more):
    if name == "descend.cli.main":
        raise KeyboardInterrupt
    return before(name, *more)
builtins.__import__ = slow
from descend.__main__ import main
sys.exit(main())
"""
    done = subprocess.run([sys.executable, "-c", code, *ENDLESS], cwd=folder, text=True, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "",
        "Interrupted before there was a result; no file was left half-written.\n",
    )


def test_a_query_that_is_interrupted_is_no_bug(folder: Path) -> None:
    code = """
import sys
from descend.table.query import QueryTable
def interrupted(*_):
    raise RuntimeError("Query interrupted")  # as DuckDB does
QueryTable._read = interrupted
from descend.cli.main import main
sys.exit(main())
"""
    done = subprocess.run([sys.executable, "-c", code, *ENDLESS], cwd=folder, text=True, capture_output=True)
    assert (done.returncode, done.stderr) == (
        1,
        "Interrupted before there was a result; no file was left half-written.\n",
    )


def test_a_kill_leaves_the_old_file_or_the_new_one(folder: Path) -> None:
    whole = subprocess.run(
        [*MAIN, "fit", "y ~ a*x", "line.csv", "--save", "line.json"], cwd=folder, check=True, capture_output=True
    )
    assert whole.returncode == 0
    code = (
        "import sys, descend; f = descend.load('line.json'); print('go', flush=True)\nwhile True: f.save('line.json')"
    )
    for _ in range(5):
        writer = subprocess.Popen([sys.executable, "-c", code], cwd=folder, stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(random.uniform(0.0, 0.05))
        writer.kill()
        writer.communicate()
        assert json.loads((folder / "line.json").read_text())["formula"] == "y ~ a*x"


def test_a_reader_that_goes_away_is_no_error(folder: Path) -> None:
    words = [*MAIN, "fit", "y ~ a*x + b", "line.csv", *SLOW, "--log-every", "1", "--save", "line.json"]
    process = subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.wait(timeout=30) == 0
    assert json.loads((folder / "line.json").read_text())["epochs"] == 2000


def limited(words: list[str], limit: int, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command on a disk that is full: to a program, a limit on the size of files is the same."""
    code = (
        f"import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit})); "
        f"sys.argv = {['descend', *words]!r}; runpy.run_module('descend', run_name='__main__')"
    )
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("--save", "m.json"),
        ("--plot", "p.png"),
        ("--report", "r.html"),
        ("--animate", "a.html"),
        ("--animate", "a.gif"),
    ],
)
def test_a_full_disk_loses_one_file_and_nothing_else(option: str, name: str, folder: Path) -> None:
    words = ["fit", "y ~ a*x + b", "line.csv", "--optimizer", "gd", "--epochs", "20", option, name]
    ran = limited(words, 1_000 if option == "--save" else 9_000, folder)
    assert ran.returncode == 2, ran.stderr
    assert "outcome          " in ran.stdout
    assert ran.stderr == f"OutputError: `{name}` cannot be written: file too large. Choose another place.\n"
    assert sorted(path.name for path in folder.iterdir()) == ["line.csv"]


@pytest.mark.parametrize("size", [0, 1_000])
def test_a_full_disk_is_told_of_every_file(size: int, folder: Path) -> None:
    (folder / "aligned.txt").write_text("  x    y\n" + "".join(f"  {i}    {2 * i}\n" for i in range(200)))
    subprocess.run([*MAIN, "fit", "y ~ a*x", "line.csv", "--save", "m.json"], cwd=folder, check=True)
    before = sorted(folder.iterdir())
    for words in (
        ["predict", "m.json", "line.csv", "--output", "p.parquet"],
        ["predict", "m.json", "line.csv", "--output", "p.csv"],
        ["generate", "y = 2*x", "--column", "x=0:100:0.1", "--output", "g.parquet"],
    ):
        ran = limited(words, size, folder)
        assert ran.returncode == 2, ran.stderr
        assert ran.stderr == f"OutputError: `{words[-1]}` cannot be written: file too large. Choose another place.\n"
    ran = limited(["fit", "y ~ a*x", "aligned.txt"], size, folder)
    assert ran.stderr.startswith("DataError: `aligned.txt` has to be copied to be read, and cannot: ")
    assert sorted(folder.iterdir()) == before


def test_links_that_lead_nowhere_are_told_of_outputs(folder: Path) -> None:
    (folder / "loop").symlink_to("loop")
    for words in (
        ["fit", "y ~ a*x", "line.csv", "--save", "loop"],
        ["generate", "y = x", "--column", "x=0:1:0.1", "--output", "loop"],
    ):
        ran = subprocess.run([*MAIN, *words], cwd=folder, capture_output=True, text=True)
        assert ran.stderr.splitlines()[-1] == (
            "OutputError: `loop` cannot be written: too many levels of symbolic links. Choose another place."
        )
