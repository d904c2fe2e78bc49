"""The gate of a public lab: who may come in, and how much each may ask.

Whoever opens a link with the token of the lab gets a cookie: a number of his own, signed with the token, so that it
cannot be made up. All that follows needs it. Requests, and seconds of the processor, are counted for each such number;
numbers are handed out to one address only so many in a minute.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from descend.lab.serving.limits import Allowance, Limits, within
from descend.lab.words.texts import words

COOKIE = "descend-lab"
TOKEN = "token"
ENTRIES = 300.0
"""Readers that may come in from one address in a minute: a class shares an address."""
FAILURES = 20.0
"""Wrong tokens that one address may try in a minute."""
Environment = dict[str, Any]
Respond = Callable[..., Any]
Headers = Sequence[tuple[str, str]]
Application = Callable[[Environment, Respond], Iterable[bytes]]


class Gate:
    """A WSGI application before another one.

    token: what a link has to carry; None for a lab on one's own machine, which everybody who reaches it may use.
    prefix: where the lab is below its host, such as ``/lab``; empty for all of it.
    """

    def __init__(self, inner: Application, limits: Limits, token: str | None = None, prefix: str = "") -> None:
        self.inner, self.limits, self.token, self.prefix = inner, limits, token, prefix
        self._key = hashlib.sha256((token or "").encode()).digest()
        self._entries, self._failures = Allowance(ENTRIES), Allowance(FAILURES)
        self._requests = None if limits.requests is None else Allowance(float(limits.requests))
        self._work = None if limits.work is None else Allowance(limits.work)

    def __call__(self, environ: Environment, respond: Respond) -> Iterable[bytes]:
        """Answer a request, or refuse it."""
        reader = self.reader(environ) if self.token is not None else str(environ.get("REMOTE_ADDR", ""))
        if reader is None:
            return self._at_the_gate(environ, respond)
        if self.token is not None and environ.get("REQUEST_METHOD") == "GET" and self._to_be_moved(environ):
            return _moved(respond, self._place(environ), [])
        wait = self._requests.wait(reader, 1.0) if self._requests is not None else 0.0
        if self._work is not None and environ.get("REQUEST_METHOD") == "POST":
            wait = max(wait, self._work.wait(reader))
        if wait:
            return _too_much(environ, respond, wait)
        if self._requests is not None:
            self._requests.take(reader, 1.0)
        began = time.thread_time()
        try:
            with within(self.limits):
                return self.inner(environ, respond)
        finally:
            if self._work is not None:
                self._work.take(reader, time.thread_time() - began)

    def reader(self, environ: Environment) -> str | None:
        """Return the number of the reader who asks, from his cookie; None for who has none, or one made up."""
        try:
            cookie = SimpleCookie(environ.get("HTTP_COOKIE", ""))
        except CookieError:
            return None
        number, _, signature = (cookie[COOKIE].value if COOKIE in cookie else "").partition(".")
        return number if number and hmac.compare_digest(signature.encode(), self._signed(number).encode()) else None

    def _signed(self, number: str) -> str:
        return hmac.new(self._key, number.encode(), hashlib.sha256).hexdigest()

    def _at_the_gate(self, environ: Environment, respond: Respond) -> Iterable[bytes]:
        """Let a reader in whose link has the token: he gets a cookie, and the page without the token in its address."""
        address = str(environ.get("REMOTE_ADDR", ""))
        pairs = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        token_given = next((value for name, value in pairs if name == TOKEN), None)
        wait = max(self._entries.wait(address, 1.0), self._failures.wait(address, 1.0))
        if token_given is not None and wait:
            return _too_much(environ, respond, wait)
        assert self.token is not None
        if token_given is None or not hmac.compare_digest(token_given.encode(), self.token.encode()):
            if token_given is not None:
                self._failures.take(address, 1.0)
            return _refused(environ, respond)
        self._entries.take(address, 1.0)
        number = secrets.token_urlsafe(12)
        cookie = f"{COOKIE}={number}.{self._signed(number)}; Path={self.prefix or '/'}; HttpOnly; SameSite=Lax"
        if environ.get("wsgi.url_scheme") == "https":
            cookie += "; Secure"
        return _moved(respond, self._place(environ), [("Set-Cookie", cookie)])

    def _to_be_moved(self, environ: Environment) -> bool:
        """Whether an address is not that of the page: it has the token, or lacks the slash at its end."""
        return f"{TOKEN}=" in environ.get("QUERY_STRING", "") or not environ.get("PATH_INFO")

    def _place(self, environ: Environment) -> str:
        """Return the address that was asked for, without the token."""
        pairs = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        query = urlencode([pair for pair in pairs if pair[0] != TOKEN], quote_via=quote, safe=",:~*()^/")
        path = f"{self.prefix}/{(environ.get('PATH_INFO') or '').lstrip('/')}"
        return f"/{quote(path.lstrip('/'))}" + (f"?{query}" if query else "")


def _moved(respond: Respond, address: str, added: Headers) -> Iterable[bytes]:
    respond("303 See Other", [("Location", address), ("Cache-Control", "no-store"), ("Content-Length", "0"), *added])
    return [b""]


def _refused(environ: Environment, respond: Respond) -> Iterable[bytes]:
    text = "\n".join(f"<p lang={code!r}>{words(code)('no_token')}</p>" for code in ("en", "zh"))
    page = f"<!DOCTYPE html><html lang='en'><meta charset='utf-8'><title>descend lab</title>{text}</html>".encode()
    return _answer(environ, respond, "401 Unauthorized", "text/html; charset=utf-8", page)


def _too_much(environ: Environment, respond: Respond, wait: float) -> Iterable[bytes]:
    chinese = "zh" in environ.get("HTTP_ACCEPT_LANGUAGE", "")[:5]
    refusal = {"error": words("zh" if chinese else "en")("too_much", seconds=f"{wait:g}"), "wait": wait}
    headers = [("Retry-After", f"{wait:g}")]
    return _answer(environ, respond, "429 Too Many Requests", "application/json", json.dumps(refusal).encode(), headers)


def _answer(
    environ: Environment,
    respond: Respond,
    status: str,
    kind: str,
    body: bytes,
    headers_added: Headers = (),
) -> Iterable[bytes]:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if 0 < length <= 2**20:  # what was sent is read, so that the browser hears the answer
        environ["wsgi.input"].read(length)
    headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
    respond(status, [*headers, *headers_added])
    return [body]
