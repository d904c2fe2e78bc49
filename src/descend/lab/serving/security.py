"""Which requests the lab answers: only those of its own pages, under a name of this machine.

A lab listens on this machine alone, but any page in a browser can send requests there. Two checks refuse those.
Host: another site can give its own name our address (DNS rebinding), but its requests then carry that name, so only
our own names are answered. A numeric address cannot be redirected like that. Origin: a request that changes or
computes anything must come from a page of ours, and browsers say where a request comes from.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from descend.lab.words.texts import too_large

if TYPE_CHECKING:
    from flask import Flask, Response

LOCAL = ("localhost", "127.0.0.1", "::1")
MOST_BYTES = 2**20
"""Most bytes of a request that is not an upload."""
POLICY = (
    "default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def guard(server: Flask, host: str | None, scripts: Collection[str], most_upload: int, upload: str) -> None:
    """Make a Flask server refuse what does not come from its own pages, and tell browsers to do so too.

    host: where it listens; None where a token guards the lab, under whatever name. scripts: hashes of the inline
    scripts of the page. upload: the path that takes uploads, of at most ``most_upload`` bytes.
    """
    from flask import request

    policy = POLICY.format(scripts=" ".join(scripts))

    @server.before_request  # type: ignore[untyped-decorator]
    def check() -> tuple[str, int] | None:
        if host is not None and not known_host(request.host, host):
            return "This lab does not answer to that name. Open it at the address it printed.", 421
        if request.method not in ("GET", "HEAD") and not own_page(
            request.host, request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
        ):
            return "This request comes from another page, so it is refused.", 403
        most = most_upload if request.path == upload else MOST_BYTES
        length = request.content_length
        if length is not None and length > most:
            return too_large(most), 413
        if length is None and request.method == "POST":
            return "This request does not say how long it is.", 411
        return None

    @server.after_request  # type: ignore[untyped-decorator]
    def add_headers(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = policy
        for name, value in HEADERS.items():
            response.headers[name] = value
        return response


def known_host(name_and_port: str, host: str) -> bool:
    """Whether a request's Host is a name of this lab: where it listens, this machine, or any numeric address.

    For a lab that listens on this machine alone, only the names of this machine.

    >>> known_host("127.0.0.1:8050", "127.0.0.1"), known_host("evil.example:8050", "127.0.0.1")
    (True, False)
    >>> known_host("192.168.1.5:8050", "0.0.0.0"), known_host("192.168.1.5:8050", "127.0.0.1")
    (True, False)
    """
    try:
        name = urlsplit(f"//{name_and_port}").hostname
    except ValueError:
        return False
    if name is None:
        return False
    if name in LOCAL or name == host.lower():
        return True
    return not is_local(host) and _address(name)


def own_page(host: str, origin: str | None, site: str | None) -> bool:
    """Whether a request comes from a page of the host that it addresses, as far as the browser says.

    >>> own_page("localhost:8050", "http://localhost:8050", "same-origin")
    True
    >>> own_page("localhost:8050", "http://localhost:3000", None), own_page("localhost:8050", "null", None)
    (False, False)
    """
    if site is not None and site not in ("same-origin", "none"):
        return False
    if origin is None:
        return True  # not a browser: browsers always name the origin
    origin_parts = urlsplit(origin)
    return origin_parts.scheme in ("http", "https") and origin_parts.netloc.lower() == host.lower()


def is_local(host: str) -> bool:
    """Whether only this machine can reach a server that listens on ``host``."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
