"""A public lab: a token in the link, a cookie for each reader, and limits of what each may ask."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.cookiejar import CookieJar

import pytest

from descend.lab.data.rows import read_rows
from descend.lab.serving.limits import PUBLIC, Allowance, Limits, within
from descend.lab.serving.server import Door, make_app
from descend.lab.serving.token_gate import FAILURES

TOKEN = "the-token-of-the-class"
HOST = "school.example"
SETTINGS = {
    "formula": "y ~ w*x", "loss": "squared", "optimizers": ["gd"], "rate": -3.0, "auto": [], "start": "w=0",
    "epochs": "100", "batch": "all", "noise": 2.0, "context": {"problem": "line", "seed": 0, "lang": "en"},
    "by-hand": [], "theme": "light",
}  # fmt: skip


def lab(limits=PUBLIC, **door):
    return make_app(limits=limits, door=Door(TOKEN, **door)).server.test_client()


def entered(reader, query=""):
    return reader.get(f"/?token={TOKEN}{query}", headers={"Host": HOST})


def test_nobody_comes_in_without_the_token():
    reader = lab()
    for path in ("/", "/film", "/assets/lab.js", "/?token=guess", "/_dash-layout"):
        assert reader.get(path, headers={"Host": HOST}).status_code == 401
    reply = reader.get("/", headers={"Host": HOST})
    assert "This lab is open to those who have its whole link." in reply.text and "此实验室" in reply.text
    assert reader.post("/film", json={"settings": SETTINGS}, headers={"Host": HOST}).status_code == 401


def test_the_link_with_the_token_lets_a_reader_in_and_the_token_leaves_the_address():
    reader = lab()
    reply = entered(reader, "&problem=valley&start=w:1,b:2")
    assert reply.status_code == 303 and reply.headers["Location"] == "/?problem=valley&start=w:1,b:2"
    cookie = reply.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and TOKEN not in cookie
    assert reader.get("/", headers={"Host": HOST}).status_code == 200
    again = entered(reader)  # the whole link, opened again
    assert again.status_code == 303 and again.headers["Location"] == "/"


def test_a_cookie_cannot_be_made_up():
    reader = lab()
    for value in ("", "me", "me.", "me.0000", "ü.ü"):
        reader.set_cookie("descend-lab", value, domain=HOST)
        assert reader.get("/", headers={"Host": HOST}).status_code == 401
    other = make_app(limits=PUBLIC, door=Door("another-token")).server.test_client()
    cookie = re.search(r"descend-lab=([^;]+)", entered(lab()).headers["Set-Cookie"])
    other.set_cookie("descend-lab", cookie[1], domain=HOST)
    assert other.get("/", headers={"Host": HOST}).status_code == 401


def test_below_a_prefix_and_behind_https():
    reader = lab(prefix="/lab")
    reply = reader.get(f"/?token={TOKEN}", base_url=f"https://{HOST}")
    assert reply.headers["Location"] == "/lab/" and "Path=/lab; " in reply.headers["Set-Cookie"]
    assert reply.headers["Set-Cookie"].endswith("; Secure")
    value = reply.headers["Set-Cookie"].partition(";")[0].partition("=")[2]
    page = make_app(limits=PUBLIC, door=Door(TOKEN, "/lab")).server.test_client()
    page.set_cookie("descend-lab", value, domain=HOST)
    text = page.get("/", base_url=f"https://{HOST}").text
    assert '"/lab/' in text and 'src="/_dash' not in text


def test_tokens_are_tried_only_so_often():
    reader = lab()
    codes = [reader.get(f"/?token=guess{number}", headers={"Host": HOST}).status_code for number in range(40)]
    assert codes[: int(FAILURES)] == [401] * int(FAILURES) and codes[-1] == 429


def test_a_reader_waits_who_asks_too_often_and_others_do_not():
    app = make_app(limits=Limits(requests=10), door=Door(TOKEN))
    one, other = app.server.test_client(), app.server.test_client()
    for reader in (one, other):
        entered(reader)
    replies = [one.post("/film", json={"settings": SETTINGS}, headers={"Host": HOST}) for _ in range(12)]
    assert [reply.status_code for reply in replies[:10]] == [200] * 10
    told = json.loads(replies[-1].text)
    assert replies[-1].status_code == 429 and told["wait"] == float(replies[-1].headers["Retry-After"]) > 0
    assert told["error"] == f"You have asked this lab for a lot in a short time. It goes on in {told['wait']:g} s."
    assert other.post("/film", json={"settings": SETTINGS}, headers={"Host": HOST}).status_code == 200


def test_work_is_counted_in_seconds_of_the_processor():
    reader = make_app(limits=Limits(work=1e-6), door=Door(TOKEN)).server.test_client()
    entered(reader)
    codes = [reader.post("/film", json={"settings": SETTINGS}, headers={"Host": HOST}).status_code for _ in range(2)]
    assert codes == [200, 429]
    assert reader.get("/", headers={"Host": HOST}).status_code == 200


def test_epochs_and_rows_have_their_limits(tmp_path):
    reader = lab()
    entered(reader)
    told = json.loads(
        reader.post("/film", json={"settings": SETTINGS | {"epochs": "3000"}}, headers={"Host": HOST}).text
    )
    assert "A descent takes 2,000 epochs at most in this lab; this is 3,000." in str(told["told"])
    path = tmp_path / "many.csv"
    path.write_text("x,y\n" + "1,2\n" * 6_000)
    with within(PUBLIC):
        rows = read_rows(path, "many.csv", ("many",))
    assert (rows.rows, rows.total) == (5_000, 6_000)
    big = reader.post("/upload", data=b"x,y\n" + b"1,2\n" * 300_000, headers={"Host": HOST})
    assert big.status_code == 413 and "larger than 1 MB" in big.text


def test_an_allowance_fills_up_evenly():
    now = [0.0]
    allowance = Allowance(60.0, clock=lambda: now[0])
    allowance.take("ann", 70.0)
    assert allowance.wait("ann") == 11.0
    now[0] = 11.0
    assert allowance.wait("ann") == 0.0 and allowance.wait("ann", 2.0) == 2.0
    now[0] = 500.0
    assert allowance.wait("ann", 60.0) == 0.0 and allowance.wait("ann", 61.0) > 0.0


@contextmanager
def running(*words):
    """Start a public lab, and end it: its link."""
    command = [sys.executable, "-m", "descend", "lab", "--public", "--token", TOKEN, "--port", "0", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as started:
        assert started.stderr is not None
        try:
            yield re.search(r"http://\S+", started.stderr.readline())[0]
        finally:
            started.terminate()
            started.stderr.read()


def test_behind_a_proxy_that_keeps_the_prefix_or_strips_it(tmp_path):
    with running("--prefix", "/lab", "--proxy", "127.0.0.1", "--keep", str(tmp_path / "kept")) as link:
        assert link.endswith(f"/lab/?token={TOKEN}")
        forwarded = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": HOST}
        for address in (link, link.replace("/lab/", "/")):
            opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()), Still())
            with pytest.raises(urllib.error.HTTPError) as moved:
                opener.open(urllib.request.Request(address, headers=forwarded))
            moved.value.close()
            assert moved.value.code == 303 and moved.value.headers["Location"] == "/lab/"
            assert "Secure" in moved.value.headers["Set-Cookie"]
            cookie = moved.value.headers["Set-Cookie"].partition(";")[0]
            asked = urllib.request.Request(
                address.partition("?")[0] + "film",
                json.dumps({"settings": SETTINGS}).encode(),
                {**forwarded, "Cookie": cookie, "Origin": f"https://{HOST}", "Content-Type": "application/json"},
            )
            with opener.open(asked) as reply:
                assert json.load(reply)["film"]["link"] == "?problem=line"


@pytest.mark.parametrize(("words", "counted_apart"), [(["--proxy", "127.0.0.1"], True), ([], False)])
def test_wrong_tokens_are_counted_for_each_address_that_a_trusted_proxy_names(words, counted_apart):
    with running(*words) as link:

        def tried(number, token):
            """Try a token, as forwarded for a reader; a header that he made up comes before what the proxy adds."""
            forwarded = {"X-Forwarded-For": f"198.51.100.1, 203.0.113.{number}"}
            asked = urllib.request.Request(link.replace(TOKEN, token), headers=forwarded)
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.build_opener(Still()).open(asked)
            refused.value.close()
            return refused.value.code

        assert [tried(7, "guess") for _ in range(int(FAILURES) + 2)][-1] == 429
        assert tried(8, TOKEN) == (303 if counted_apart else 429)


class Still(urllib.request.HTTPRedirectHandler):
    """Stays where it is."""

    def redirect_request(self, *_):
        return None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--token", "a-long-enough-token"], "`--token` is for a public lab: add --public."),
        (["--proxy", "127.0.0.1"], "`--proxy` is for a public lab: add --public."),
        (["--public", "--token", "short"],
         "The token of a public lab has 8 letters or more, so that nobody guesses it; this has 5. "
         "Leave `--token` out to have one made."),
        (["--public", "--proxy", "localhost"],
         "`--proxy` is the numeric address that the proxy connects from, such as 127.0.0.1; it was given `localhost`."),
        (["--prefix", "lab"], "`--prefix` is a path such as /lab, of letters, digits and -; it was given `lab`."),
        (["--public", "--most-rows", "0"], "`--most-rows` is above 0; it was given 0."),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(run, words, said):
    done = run("lab", *words)
    assert done.code == 2 and done.stderr == f"ConfigError: {said}\n"
