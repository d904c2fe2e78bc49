"""docs/architecture.md and CONTRIBUTING.md speak of the house that stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests import architecture

ROOT = Path(__file__).resolve().parent.parent
PAGES = ["docs/architecture.md", "CONTRIBUTING.md", "tests/golden/README.md"]
ROOMS = re.findall(r"^\| (\[\w.*?) \| ", (ROOT / "docs/architecture.md").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_is_named_is_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+?)\)", text):
        assert "://" in target or ((ROOT / page).parent / target).exists(), target
    for name in re.findall(r"`((?:[\w-]+/)+(?:[\w-]+\.(?:py|toml|md))?)`", text):
        here = [folder / name for folder in (ROOT, ROOT / "src" / "descend", (ROOT / page).parent)]
        assert name in ("demo/", "site/") or any(path.exists() for path in here), name  # those are made


def test_the_page_lists_the_rooms_in_the_order_that_the_linter_holds():
    listed = [set(re.findall(r"\[([\w]+)\]", row)) for row in ROOMS]
    layers = [layer - {"__main__"} for layer in reversed(architecture.layers())]
    depth = {name: number for number, layer in enumerate(layers) for name in layer}
    assert set().union(*listed) == set(depth)
    order = [max(depth[name] for name in names) for names in listed]
    assert order == sorted(order)


def test_every_file_of_the_house_belongs_to_a_room_of_the_page():
    listed = set().union(*(re.findall(r"\[([\w]+)\]", row) for row in ROOMS))
    assert {architecture.room(file) for file in architecture.FILES} <= listed | {"__init__", "__main__"}
