"""The recipes of CONTRIBUTING.md do as they say: each block runs as it stands, and its part goes through everything."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
RECIPES = re.findall(r"^### (.+?)\n(.*?)(?=^##|\Z)", TEXT[TEXT.index("## Recipes") :], re.MULTILINE | re.DOTALL)
RUN = """
import sys
sys.path[:0] = {paths!r}
import recipe, proofs
proofs.{proof}()
"""


@pytest.mark.parametrize(("title", "text"), RECIPES, ids=[title for title, _ in RECIPES])
def test_a_recipe(title, text, tmp_path):
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "recipe.py").write_text("\n\n".join(blocks), encoding="utf-8")
    paths = [str(tmp_path), str(Path(__file__).parent), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    code = RUN.format(paths=paths, proof=title.lower().replace(" ", "_"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-4000:]


def test_every_kind_of_part_has_one():
    parts = {
        "A loss",
        "An optimizer",
        "A named function",
        "A named curve",
        "A data source",
        "An engine",
        "A gradient source",
        "A model kind",
        "An option",
        "A field of the report",
    }
    assert {title for title, _ in RECIPES} == parts
