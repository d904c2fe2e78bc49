"""Writing files: whole or not at all, and refused beforehand where it cannot be done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from descend.errors import OutputError
from descend.output import atomic_path, refuse_unwritable, write_atomically


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def listing() -> list[str]:
    return sorted(os.listdir())


def refused(path: str) -> str:
    before = listing()
    with pytest.raises(OutputError) as caught:
        refuse_unwritable(path)
    assert listing() == before
    return str(caught.value)


def test_text_and_bytes():
    write_atomically("a.txt", "价格\n")
    write_atomically(Path("b.bin"), b"\x00\xff")
    assert Path("a.txt").read_bytes() == "价格\n".encode()
    assert Path("b.bin").read_bytes() == b"\x00\xff"
    assert listing() == ["a.txt", "b.bin"]


def test_a_failure_leaves_the_old_file_and_nothing_else():
    Path("a.json").write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_path("a.json") as temporary:
        temporary.write_text("half of the n")
        raise ZeroDivisionError
    assert Path("a.json").read_text() == "old"
    assert listing() == ["a.json"]


def test_nobody_sees_half_a_file():
    Path("a.json").write_text("old")
    with atomic_path("a.json") as temporary:
        temporary.write_text("new")
        assert Path("a.json").read_text() == "old"
        assert temporary.suffix == ".json"
        assert temporary.parent == Path.cwd()
    assert Path("a.json").read_text() == "new"


def test_a_kill_while_writing_leaves_the_old_file():
    Path("a.json").write_text("old")
    code = """
    import time
    from descend.output import atomic_path
    with atomic_path("a.json") as temporary:
        temporary.write_text("half")
        print("writing", flush=True)
        time.sleep(60)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "writing\n"
        process.send_signal(signal.SIGKILL)
    assert Path("a.json").read_text() == "old"


def test_modes():
    os.umask(mask := os.umask(0))
    write_atomically("new.txt", "")
    assert Path("new.txt").stat().st_mode & 0o777 == 0o666 & ~mask
    Path("old.txt").write_text("")
    Path("old.txt").chmod(0o640)
    write_atomically("old.txt", "")
    assert Path("old.txt").stat().st_mode & 0o777 == 0o640


def test_a_link_stays_a_link():
    Path("folder").mkdir()
    Path("folder/run.json").write_text("old")
    Path("latest.json").symlink_to("folder/run.json")
    write_atomically("latest.json", "new")
    assert Path("latest.json").is_symlink()
    assert Path("folder/run.json").read_text() == "new"
    assert os.listdir("folder") == ["run.json"]


def test_where_a_file_can_be_written_nothing_is_left_behind():
    assert refuse_unwritable("a.json") == Path.cwd() / "a.json"
    assert listing() == []


def test_refusals():
    Path("models").mkdir()
    Path("file").write_text("")
    assert refused("models") == ("`models` is a folder, so no file can be written there. Give a file name inside it.")
    assert refused("nowhere/a.json") == (
        "`nowhere/a.json` cannot be written: the folder `nowhere` does not exist. Create it first."
    )
    assert refused("file/a.json") == "`file/a.json` cannot be written: not a directory. Choose another place."
    name = "a" * 300 + ".json"
    assert refused(name) == f"`{name}` cannot be written: file name too long. Choose another place."
    assert refused("a\0.json") == "`a\0.json` cannot be written: embedded null byte. Choose another place."
    os.mkfifo("pipe")
    assert refused("pipe") == "`pipe` cannot be written: it is not a file but a device. Choose another place."


def test_long_names_that_do_fit():
    name = "温" * 80 + "." + "j" * 10
    write_atomically(name, "x")
    assert listing() == [name]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_without_permission():
    Path("locked").mkdir()
    Path("locked").chmod(0o500)
    assert refused("locked/a.json") == "`locked/a.json` cannot be written: permission denied. Choose another place."
    Path("a.json").write_text("")
    Path("a.json").chmod(0o400)
    assert refused("a.json") == "`a.json` cannot be written: the file is read-only. Choose another place."


def test_a_place_the_system_refuses():
    if not Path("/proc/self").exists():
        pytest.skip("no /proc here")
    assert refused("/proc/a.json").startswith("`/proc/a.json` cannot be written: ")


def test_a_full_disk_is_reported_and_leaves_the_old_file():
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    Path("a.json").write_text("old")

    class Full(str):
        def encode(self, *_):
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError) as caught:
        write_atomically("a.json", Full("new"))
    assert str(caught.value) == "`a.json` cannot be written: no space left on device. Choose another place."
    assert Path("a.json").read_text() == "old"
    assert listing() == ["a.json"]


def test_writers_do_not_disturb_each_other():
    begin = time.perf_counter()
    with atomic_path("a.json") as one, atomic_path("a.json") as other:
        assert one != other
        one.write_text("one")
        other.write_text("other")
    assert Path("a.json").read_text() == "one"
    assert listing() == ["a.json"]
    assert time.perf_counter() - begin < 5
