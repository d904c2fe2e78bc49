"""What a release hands out: a wheel that works where nothing else is installed, and promises that are kept."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
API = ROOT / "tests" / "golden" / "api.txt"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def ran(*command, cwd=ROOT):
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def signatures():
    """Return a line for each public function, class and method, with its arguments."""
    import descend
    from descend import estimators

    lines = []
    for room in (descend, estimators):
        for name in room.__all__:
            value = getattr(room, name)
            methods = {
                f".{inner}": found
                for inner, found in inspect.getmembers(value)
                if inspect.isclass(value) and not inner.startswith("_") and inspect.isfunction(found)
            }
            made_by_us = inspect.isclass(value) and room is descend  # fits, steps, errors: nobody else makes them
            for inner, found in ({"": None if made_by_us else value} | methods).items():
                try:
                    arguments = inspect.signature(found).parameters.values()
                except (TypeError, ValueError):  # of a builtin, or none at all
                    continue
                listed = ", ".join(str(one.replace(annotation=one.empty)) for one in arguments)
                lines.append(f"{room.__name__}.{name}{inner}({re.sub(r' at 0x[0-9a-f]+', '', listed)})")
    return sorted(lines)


def names_of(signature):
    """Return what it is called, and its arguments by name with whether each may be left out."""
    name, _, inside = signature.partition("(")
    return name, [(one.split("=")[0].strip(" *"), "=" in one or one.startswith("*")) for one in inside[:-1].split(", ")]


def test_what_others_call_is_still_there():
    """A release may add; what it takes away, or asks for, stands in the changelog after "Breaking:"."""
    announced = re.findall(r"Breaking: `([\w.]+)`", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    now = dict(names_of(line) for line in signatures())
    for line in API.read_text(encoding="utf-8").splitlines():
        name, arguments = names_of(line)
        if name in announced:
            continue
        assert name in now, f"{name} is gone, and the changelog does not say so"
        asked = {argument for argument, _ in now[name]}
        assert {argument for argument, _ in arguments} <= asked, f"{name} no longer takes all that it took"
        new = [argument for argument, optional in now[name] if not optional and (argument, False) not in arguments]
        assert new == [], f"{name} asks for more than it did"


def test_versions_as_json(run):
    found = json.loads(run("--version", "--json").stdout)
    assert {"descend", "python", "platform", "numpy", "scipy", "sympy", "duckdb"} <= set(found)
    assert "pytest" not in found
    said = run("--json")
    assert (said.code, said.stderr) == (
        2, "ConfigError: `--json` goes with `--version` here, or behind a command: descend fit ... --json.\n"
    )  # fmt: skip


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_is_one(path):
    yaml = pytest.importorskip("yaml")
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {"name", "permissions", "jobs"} <= set(found) and True in found  # YAML reads the key `on` as true
    for job in found["jobs"].values():
        assert "runs-on" in job
        assert all(set(step) & {"uses", "run"} for step in job["steps"])
        assert set(re.findall(r"matrix\.(\w+)", json.dumps(job))) <= set(job.get("strategy", {}).get("matrix", {}))


def test_the_citation_and_the_recipe_name_this_version():
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)[1]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    recipe = (ROOT / "packaging" / "conda" / "meta.yaml").read_text(encoding="utf-8")
    assert f'set version = "{version}"' in recipe
    needed = re.search(r"^dependencies = \[(.*?)^\]", (ROOT / "pyproject.toml").read_text("utf-8"), re.M | re.S)[1]
    for name, wanted in re.findall(r'"(\w+)(.+?)"', needed):
        assert re.search(rf"- (python-)?{name}(-base)? {re.escape(wanted)}\n", recipe), name


@pytest.mark.slow
def test_the_wheel_works_alone(tmp_path):
    """It is built and checked, holds no tests, and does what the first page shows, without any extra."""
    ran(sys.executable, "-m", "build", "--outdir", tmp_path / "dist")
    wheel, sdist = next((tmp_path / "dist").glob("*.whl")), next((tmp_path / "dist").glob("*.tar.gz"))
    ran(sys.executable, "-m", "twine", "check", "--strict", wheel, sdist)
    held = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].partition("-")[0] for name in held} == {"descend"}
    assert "descend/py.typed" in held and any(name.startswith("descend/lab/assets/") for name in held)
    with tarfile.open(sdist) as archive:
        assert {"tests", "docs", "README.md", "mkdocs.yml"} <= {name.split("/")[1] for name in archive.getnames()[1:]}

    venv.create(tmp_path / "bare", with_pip=True)
    programs = tmp_path / "bare" / ("Scripts" if sys.platform == "win32" else "bin")
    ran(programs / "python", "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", wheel)
    descend = programs / "descend"
    ran(descend, "generate", "y = 2.5*exp(-1.3*x) + 0.5 + normal()/20", "--column", "x=0:4:0.05", "--seed", "1",
        "--output", "decay.csv", cwd=tmp_path)  # fmt: skip
    said = ran(descend, "fit", "y ~ a*exp(-b*x) + c", "decay.csv", "--quantity", "half_life = log(2)/b", "--save",
               "decay.json", "--plot", "decay.png", "--report", "decay.html", "--json", cwd=tmp_path)  # fmt: skip
    assert json.loads(said)["parameters"]["b"] == pytest.approx(1.30982, rel=1e-5)
    assert ran(descend, "predict", "decay.json", "--at", "x=1,2", cwd=tmp_path).split()[1] == "1,1.176240617"
