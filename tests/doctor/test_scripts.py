"""Every script of the corpus: the fault it names in its first line is found, at the line marked `# here`."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path

import pytest

from descend.doctor import examine

SCRIPTS = sorted(Path(__file__).parent.glob("scripts/*/*.py"))
MESSAGES: dict[str, list[str]] = json.loads((Path(__file__).parent / "messages.json").read_text())
"""What the finding of a script says: what happens, why it matters, and what to write."""
NUMBER = re.compile(r"-?\d+\.?\d*(?:e[-+]?\d+)?")
HEALTHY = [script for script in SCRIPTS if script.parent.name == "healthy"]


def expected(script: Path) -> tuple[list[str], int | None]:
    """Return the names in a script's first line, and the line that is marked."""
    lines = script.read_text().splitlines()
    names = lines[0].removeprefix("# expected: ").split()
    marked = [number for number, line in enumerate(lines, 1) if line.endswith("  # here")]
    return [] if names == ["nothing"] else names, marked[0] if marked else None


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: f"{script.parent.name}-{script.stem}")
def test_what_is_found(script: Path, recwarn: pytest.WarningsRecorder) -> None:
    names, line = expected(script)
    report = examine(script)
    assert [finding.name for finding in report.findings] == names, [finding.symptom for finding in report.findings]
    assert report.exit_code == (1 if names else 0)
    assert "checks_left_out" not in report.watched
    if not names:
        assert report.healthy
        assert report.outcome == "finished"
        return
    finding = report.findings[0]
    assert finding.place is not None
    assert (Path(finding.place.file), finding.place.line) == (script, line)
    assert finding.fix
    if script.stem in MESSAGES:
        for text, wanted in zip((finding.symptom, finding.why, finding.fix), MESSAGES[script.stem], strict=True):
            assert NUMBER.sub("#", text) == NUMBER.sub("#", wanted)  # word for word; numbers may differ by rounding
            numbers = [[float(number) for number in NUMBER.findall(said)] for said in (text, wanted)]
            assert numbers[0] == pytest.approx(numbers[1], rel=0.05, abs=1e-9)


def test_the_corpus_is_of_a_size() -> None:
    assert len(HEALTHY) >= 20
    assert len(SCRIPTS) - len(HEALTHY) >= 40


def repaired(script: Path) -> str:
    """Return a faulty script with the lines that begin with `#!` in the place of those marked `# here` or `# wrong`."""
    lines = ["# expected: nothing", *script.read_text().splitlines()[1:]]
    kept = [line for line in lines if not line.endswith(("  # here", "  # wrong"))]
    return "\n".join(re.sub(r"^(\s*)#! ?", r"\1", line) for line in kept) + "\n"


@pytest.mark.slow
@pytest.mark.parametrize("script", [one for one in SCRIPTS if "#!" in one.read_text()], ids=lambda script: script.stem)
def test_nothing_is_found_in_its_repaired_twin(script: Path, tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    twin = tmp_path / script.name
    twin.write_text(repaired(script))
    report = examine(twin)
    assert [(finding.name, finding.place) for finding in report.findings] == []
    assert report.outcome == "finished", report.error


@pytest.mark.parametrize("name", ["accumulation", "early_stopping", "gan", "lbfgs_closure", "loader_schedule"])
def test_the_watch_changes_no_number(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # All tensors a script is left with, and the next random number, tell whether it took the same path to the last bit.
    ending = """
from pathlib import Path
left = [(name, value.tolist()) for name, value in sorted(vars().items()) if isinstance(value, torch.Tensor)]
Path("left.txt").write_text(repr([*left, torch.rand(1).item()]))
"""
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "script.py"
    script.write_text((SCRIPTS[0].parent.parent / "healthy" / f"{name}.py").read_text() + ending)
    runpy.run_path(str(script), run_name="__main__")
    bare = Path("left.txt").read_text()
    assert examine(script).healthy
    assert Path("left.txt").read_text() == bare
