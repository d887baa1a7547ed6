"""Who may talk to the dashboard's own HTTP routes, and the headers on every answer.

Streamlit checks the Host header of WebSockets only and knows nothing of our routes, so the checks are here: a
page that re-bound its name to this machine (DNS rebinding) is refused by its Host, a page of another origin
by its Origin and by the XSRF token it can't read.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from urllib.parse import urlsplit

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

XSRF_COOKIE = "_streamlit_xsrf"
XSRF_HEADER = "x-xsrf-token"

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Content-Security-Policy": "frame-ancestors 'self'",
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
