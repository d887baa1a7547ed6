from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from lib.ui.server import routes
from lib.ui.server.security import SecurityHeaders, host_allowed
from tests.helpers.http import ask, serving
from tests.helpers.routes import XSRF, Inbox, SetOption


@pytest.mark.parametrize(
    ("host", "allowed", "expected"),
    [
        ("localhost:8501", ["localhost"], True),
        ("LOCALHOST", ["localhost"], True),
        ("localhost.", ["localhost"], True),
        ("127.0.0.1:1", ["localhost", "127.0.0.1"], True),
        ("[::1]:8501", ["::1"], True),
        ("[::1]", ["[::1]"], True),
        ("a.example.com", ["*.example.com"], True),
        ("example.com", ["*.example.com"], False),
        ("badexample.com", ["*.example.com"], False),
        ("evil.example", ["localhost"], False),
        ("localhost.evil.example", ["localhost"], False),
        ("evil.example:localhost", ["localhost"], False),
        ("localhost@evil.example", ["localhost"], False),
        ("evil.example/@localhost", ["localhost"], False),
        ("", ["localhost"], False),
        (None, ["localhost"], False),
        ("localhost:99999", ["localhost"], False),
        ("anything", ["*"], True),
        ("anything", [], True),
    ],
)
def test_hosts_are_matched_like_streamlits_own_list(host: str | None, allowed: list[str], expected: bool) -> None:
    assert host_allowed(host, allowed) is expected


def test_a_rebound_host_name_gets_nothing(
    routes_port: int, inbox: Inbox, clip: Path, streamlit_option: SetOption
) -> None:
    streamlit_option("server.allowedHosts", ["localhost", "127.0.0.1"])
    evil = {"Host": f"evil.example:{routes_port}"}
    thumb = routes.url_for_thumbnails("rebound", lambda _: b"x") + "/0"
    upload = "/promptreel/upload/a.mp4"
    assert ask(routes_port, "GET", routes.url_for_video(clip), headers=evil).status == 403
    assert ask(routes_port, "GET", thumb, headers=evil).status == 403
    origin = {"Origin": f"http://evil.example:{routes_port}"}
    assert ask(routes_port, "PUT", upload, headers={**XSRF, **evil, **origin}, body=b"content").status == 403
    assert inbox.arrived == []
    local = {"Host": f"localhost:{routes_port}"}
    assert ask(routes_port, "GET", routes.url_for_video(clip), headers=local).status == 200


def test_every_answer_carries_the_security_headers_unless_it_sets_its_own() -> None:
    def page(_: object) -> PlainTextResponse:
        return PlainTextResponse("x", headers={"X-Frame-Options": "DENY"})

    app = Starlette(routes=[Route("/page", page)], middleware=[Middleware(SecurityHeaders)])
    with serving(app) as number:
        own, missing = ask(number, "GET", "/page"), ask(number, "GET", "/nothing")
    assert missing.headers["x-frame-options"] == "SAMEORIGIN"
    assert missing.headers["content-security-policy"].startswith("default-src 'self'; ")
    assert missing.headers["x-content-type-options"] == "nosniff"
    assert missing.headers["referrer-policy"] == "same-origin"
    assert own.headers["x-frame-options"] == "DENY"
