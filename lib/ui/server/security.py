"""Who may talk to the dashboard's own HTTP routes, and the headers on every answer.

Streamlit checks the Host header of WebSockets only and knows nothing of our routes, so the checks are here: a
page that re-bound its name to this machine (DNS rebinding) is refused by its Host, a page of another origin
by its Origin and by the XSRF token it can't read.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

XSRF_COOKIE = "_streamlit_xsrf"
XSRF_HEADER = "x-xsrf-token"


def _inline_scripts() -> str:
    """Return the sources of a policy that allow the scripts in Streamlit's own page, and no other inline script."""
    page = Path(st.__file__).with_name("static") / "index.html"
    scripts = re.findall(r"<script>(.*?)</script>", page.read_text(encoding="utf-8"), re.DOTALL)
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    return " ".join(f"'sha256-{digest}'" for digest in digests)


# Whatever text ends up on a page, the browser asks no other host for anything on its account. blob: is where Streamlit
# puts components' scripts and downloads. Nothing evaluates text: its charts come with an interpreter of Vega's
# expressions.
_POLICY = "; ".join(
    [
        "default-src 'self'",
        f"script-src 'self' blob: {_inline_scripts()}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    ]
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "same-origin",
}


def host_allowed(host: str | None, allowed: Sequence[str]) -> bool:
    """Return whether a Host header is in a list like Streamlit's ``server.allowedHosts``.

    Ports don't matter; ``*.example.com`` covers subdomains; ``*`` and an empty list allow every host.
    """
    if not allowed:
        return True
    try:
        parts = urlsplit(f"//{host or ''}")
        name, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not name or parts.netloc != host or "@" in host:
        return False
    name = name.rstrip(".")
    for entry in allowed:
        pattern = entry.strip().lower().rstrip(".").strip("[]")
        if pattern in ("*", name) or (pattern.startswith("*.") and name.endswith(pattern[1:])):
            return True
    return False


def refused_host(request: Request) -> bool:
    """Return whether this request's Host is outside ``server.allowedHosts``."""
    return not host_allowed(request.headers.get("host"), st.get_option("server.allowedHosts") or ())


def refused_origin(request: Request) -> bool:
    """Return whether a page of another origin sent this; programs send no Origin and are let through."""
    origin = request.headers.get("origin")
    if origin is None:
        return False
    same = urlsplit(origin).netloc == request.headers.get("host")
    return not same and origin not in (st.get_option("server.corsAllowedOrigins") or ())


def refused_token(request: Request) -> bool:
    """Return whether the XSRF token in the header differs from the one in the cookie, or is missing."""
    if not st.get_option("server.enableXsrfProtection"):
        return False
    cookie = request.cookies.get(XSRF_COOKIE, "").strip('"')
    header = request.headers.get(XSRF_HEADER, "").strip('"')
    return not cookie or not hmac.compare_digest(cookie.encode(), header.encode())


class SecurityHeaders:
    """ASGI middleware that adds headers to every HTTP answer which doesn't set them itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; WebSockets are left alone."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
