"""Who may ask the lab, for what, and how much."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from descend.lab.data.rows import MOST_UPLOADS, Library, read_rows
from descend.lab.page.callbacks import Callbacks
from descend.lab.serving.limits import Limits
from descend.lab.serving.security import known_host, own_page
from descend.lab.serving.server import make_app
from descend.lab.state import UPLOAD, State

HOST = "127.0.0.1:8050"
CSV = b"x,y\n1,2\n2,4.5\n3,5.5\n"


@pytest.fixture(scope="module")
def lab():
    return make_app(limits=Limits(upload=4096)).server.test_client()


def ask(lab, method="GET", path="/", host=HOST, **more):
    headers = {"Host": host, **more.pop("headers", {})}
    return lab.open(path, method=method, headers=headers, **more)


@pytest.mark.parametrize("host", ["127.0.0.1:8050", "localhost:8050", "[::1]:8050", "localhost"])
def test_it_answers_to_the_names_of_this_machine(lab, host):
    assert ask(lab, host=host).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example:8050", "192.168.1.5:8050", "localhost.evil.example", "", "a@b:c", "[::"]
)
def test_it_answers_to_no_other_name(lab, host):
    reply = ask(lab, host=host)
    assert reply.status_code == 421
    assert reply.text == "This lab does not answer to that name. Open it at the address it printed."


def test_a_lab_for_all_answers_to_addresses_in_numbers_only():
    assert known_host("10.0.0.7:8050", "0.0.0.0") and known_host("lab.local:8050", "lab.local")
    assert not known_host("evil.example:8050", "0.0.0.0")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8050"},  # the same server under another name is another page
        {"Origin": "http://127.0.0.1:3000"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["/upload", "/_dash-update-component"])
def test_other_pages_may_not_ask_for_work(lab, path, headers):
    reply = ask(lab, "POST", path, data=CSV, headers=headers)
    assert reply.status_code == 403 and reply.text == "This request comes from another page, so it is refused."


def test_its_own_page_may():
    assert own_page(HOST, f"http://{HOST}", "same-origin") and own_page(HOST, None, None)


def test_too_much_is_refused(lab):
    assert ask(lab, "POST", "/upload", data=b"x\n" + b"1\n" * 3000).status_code == 413
    reply = ask(lab, "POST", "/_dash-update-component", data=b" " * (2**20 + 1))
    assert reply.status_code == 413 and reply.text == "This is larger than 1 MB, the most that is taken here."


def test_an_upload_without_a_length_is_refused(lab):
    reply = ask(
        lab, "POST", "/upload", headers={"Transfer-Encoding": "chunked"}, environ_overrides={"CONTENT_LENGTH": ""}
    )
    assert reply.status_code in (411, 413, 400)


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/../../etc/passwd", "/assets/../server.py", "/assets/%2e%2e/server.py",
             "/assets/..%2f..%2fapi.py", "/_dash-component-suites/dash/../../descend/api.py"]
)  # fmt: skip
def test_no_file_can_be_read_by_asking(lab, path):
    text = ask(lab, path=path).text
    assert "root:" not in text and "from __future__" not in text


def test_no_other_page_may_frame_it_and_it_may_load_nothing_from_elsewhere(lab):
    headers = ask(lab).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "http" not in policy and "unsafe-eval" not in policy and "script-src 'self' 'unsafe-inline'" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_an_upload_is_read_and_its_name_is_only_a_name(lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    reply = ask(lab, "POST", "/upload", data=CSV, headers={"X-Name": "..%2F..%2Fetc%2Frows.csv"})
    told = json.loads(reply.text)
    assert reply.status_code == 200 and len(told["key"]) >= 20
    assert parse_qs(told["search"][1:]) == {"problem": ["upload"], "formula": ["y ~ w*x + b"]}
    assert list(tmp_path.iterdir()) == []


def test_a_bad_upload_is_told_without_the_place_it_was_put(lab):
    reply = ask(lab, "POST", "/upload", data=b"name\nann\nbob\n", headers={"X-Name": "people.csv"})
    assert json.loads(reply.text) == {"error": "`people.csv` has no column of numbers. The lab needs at least one."}


def answer(callbacks: Callbacks, key: str | None, formula: str = "y ~ w*x + b", loss: str = "squared") -> dict:
    given = {
        "formula": formula, "loss": loss, "optimizers": ["gd"], "rate": -3.0, "auto": ["auto"], "start": "",
        "epochs": "20", "batch": "all", "noise": None, "context": {"problem": UPLOAD, "seed": 0, "lang": "en"},
        "by-hand": [], "theme": "light",
    }  # fmt: skip
    return dict(json.loads(callbacks.film({"settings": given, "key": key})))


def test_what_one_reader_uploads_no_other_sees(tmp_path: Path):
    path = tmp_path / "rows.csv"
    library = Library()
    callbacks = Callbacks(library)
    path.write_bytes(CSV)
    mine = library.add(path, "mine.csv")
    path.write_text("x,y\n1,-2\n2,-4.5\n3,-5.5\n")
    yours = library.add(path, "yours.csv")
    films = [answer(callbacks, key)["film"] for key in (mine, yours)]
    assert [film["figures"]["data"]["data"][0]["y"] for film in films] == [[2.0, 4.5, 5.5], [-2.0, -4.5, -5.5]]
    for key in (None, "", "guess", ["x"]):
        assert library.rows(State(UPLOAD), key) is None  # type: ignore[arg-type]


def test_uploads_are_forgotten_in_turn(tmp_path: Path):
    path = tmp_path / "rows.csv"
    path.write_bytes(CSV)
    library = Library()
    rows = read_rows(path, "rows.csv", ("x",))
    for number in range(MOST_UPLOADS + 5):
        library.uploads.put(number, rows)
    assert len(library.uploads) == MOST_UPLOADS and library.uploads.get(0) is None


@pytest.mark.parametrize(
    "formula", ['__import__("os")', "y ~ open('/etc/passwd')", "y ~ w*9^9^9^9", "y ~ w.__class__*x", "y ~ w*x +", "("]
)
def test_formulas_go_through_the_parser_alone(tmp_path: Path, formula):
    path = tmp_path / "rows.csv"
    path.write_bytes(CSV)
    library = Library()
    told = answer(Callbacks(library), library.add(path, "rows.csv"), formula)
    assert told["film"] is None and any(told["told"].values())


def test_a_lab_without_its_extra_says_what_to_install():
    import subprocess
    import sys

    code = (
        "import sys; sys.modules['dash'] = None\n"
        "from descend.cli.main import main\nsys.argv = ['descend', 'lab']\nsys.exit(main())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr == (
        'ConfigError: The web lab needs dash, which is not installed. Install it with: pip install "descend[lab]".\n'
    )


def test_what_makes_no_sense_is_refused_without_a_fault(lab):
    for content in (b"", b"[]", b"null", b"\xff", b"[" * 100_000 + b"]" * 100_000, b'{"settings": 1}'):
        reply = ask(lab, "POST", "/film", data=content, headers={"Content-Type": "application/json"})
        assert reply.status_code in (400, 411)
    told = json.loads(ask(lab, "POST", "/film", json={"settings": {"context": {"problem": "line&seed=1"}}}).text)
    assert told["film"] is None and "This page is out of date. Load it again." in str(told["told"])


def test_names_of_columns_are_words_and_no_markup(tmp_path: Path):
    path = tmp_path / "rows.csv"
    path.write_text('"<img src=x onerror=alert(1)>",y\n1,2\n2,4.5\n3,5.5\n')
    library = Library()
    key = library.add(path, "<b>rows</b>.csv")
    context = {"problem": UPLOAD, "seed": 0, "lang": "en"}
    formula = "y ~ w*`<img src=x onerror=alert(1)>`"
    _, markup, _ = Callbacks(library).judge("", formula, "squared", context, 0.0, {"key": key})
    assert "<math" in markup and "<img" not in markup and "&lt;img" in markup


def test_classes_without_an_order_descend(tmp_path: Path):
    path = tmp_path / "rows.csv"
    path.write_text("x,y\n" + "".join(f"{place},{'abc'[place * 7 % 5 % 3]}\n" for place in range(30)))
    library = Library()
    key, callbacks = library.add(path, "rows.csv"), Callbacks(library)
    context = {"problem": UPLOAD, "seed": 0, "lang": "en"}
    told = answer(callbacks, key, "y ~ a + b*x", "multinomial")
    assert told["film"] is not None, told["told"]
    assert callbacks.judge("", "y ~ a + b*x", "multinomial", context, 0.0, {"key": key}) == ("", "", "")


@pytest.mark.parametrize("path", ["dash/../x.js", "dash/..%2f..%2fos.py", "nothing/x.js", "dash/nothing.js"])
def test_scripts_that_are_not_the_labs_are_not_found(lab, path):
    reply = ask(lab, path=f"/_dash-component-suites/{path}")
    assert (reply.status_code, reply.text) == (404, "There is no such page.")
