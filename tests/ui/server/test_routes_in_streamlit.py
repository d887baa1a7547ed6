"""The routes inside a real ``streamlit run``: with its own XSRF cookie, its middleware, and its memory."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.helpers.dashboard import Dashboard, StartDashboard
from tests.helpers.http import ask
from tests.helpers.memory import watching_memory

_SCRIPT = """
import os, pathlib
import streamlit as st
from lib.ui.server import routes

HOME = pathlib.Path(os.environ["PROMPTREEL_HOME"])
if st.runtime.exists():
    st.write("page")
else:
    routes.accept_uploads(HOME / "incoming", lambda path, name, sha256: path.rename(HOME / sha256))
    (HOME / "url").write_text(routes.url_for_video(HOME / "big.mp4"))
    app = st.App(__file__, routes=routes.routes(), middleware=routes.middleware())
"""
_GIGABYTE = 1 << 30


@pytest.fixture(scope="module")
def dashboard(start_dashboard: StartDashboard, tmp_path_factory: pytest.TempPathFactory) -> Dashboard:
    folder = tmp_path_factory.mktemp("served")
    home = folder / "home"
    home.mkdir()
    with (home / "big.mp4").open("wb") as file:
        file.truncate(_GIGABYTE)  # sparse: takes no disk
    script = folder / "app.py"
    script.write_text(_SCRIPT, encoding="utf-8")
    return start_dashboard(script, home=home, options=["--server.maxUploadSize", "200"])


@pytest.fixture(scope="module")
def port(dashboard: Dashboard) -> int:
    number = urlsplit(dashboard.url).port
    assert number
    return number


@pytest.fixture(scope="module")
def xsrf(port: int) -> dict[str, str]:
    """Headers of an upload from the page: the cookie that Streamlit set, and the same as a header."""
    cookie = ask(port, "GET", "/_stcore/health").headers["set-cookie"].partition(";")[0]
    name, _, value = cookie.partition("=")
    assert name == "_streamlit_xsrf"
    return {"Cookie": cookie, "X-XSRF-Token": value}


def test_an_upload_with_streamlits_own_token_arrives(dashboard: Dashboard, port: int, xsrf: dict[str, str]) -> None:
    content = b"some video" * 1000
    sha256 = hashlib.sha256(content).hexdigest()
    answer = ask(port, "PUT", "/promptreel/upload/a.mp4", headers=xsrf, body=content)
    assert (answer.status, json.loads(answer.body)["sha256"]) == (200, sha256)
    assert (dashboard.home / sha256).read_bytes() == content
    assert ask(port, "PUT", "/promptreel/upload/a.mp4", body=content).status == 403


def test_the_configured_hosts_hold_for_the_routes(dashboard: Dashboard, port: int) -> None:
    url = (dashboard.home / "url").read_text()
    assert ask(port, "HEAD", url, headers={"Host": f"localhost:{port}"}).status == 200
    assert ask(port, "HEAD", url, headers={"Host": f"evil.example:{port}"}).status == 403


def test_the_page_itself_carries_the_security_headers(port: int) -> None:
    page = ask(port, "GET", "/")
    assert page.status == 200
    assert page.headers["x-frame-options"] == "SAMEORIGIN"
    policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == "'self'"
    assert "connect-src" not in policy
    for directive, sources in policy.items():
        assert not re.search(r"\*|https?:|'unsafe-eval'", sources), directive
    assert "'unsafe-inline'" not in policy["script-src"]
    assert page.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("name", ["..%2F..%2Fevil", "../evil", "..%5C..%5Cevil", "%2e%2e"])
def test_names_that_climb_reach_nothing(dashboard: Dashboard, port: int, xsrf: dict[str, str], name: str) -> None:
    answer = ask(port, "PUT", f"/promptreel/upload/{name}", headers=xsrf, body=b"evil")
    assert answer.status in (400, 404, 405)
    assert not (dashboard.home / hashlib.sha256(b"evil").hexdigest()).exists()


def _blocks(size: int) -> Iterator[bytes]:
    block = bytes(1 << 20)
    for _ in range(size >> 20):
        yield block


def test_an_upload_of_150_mb_leaves_memory_flat(dashboard: Dashboard, port: int, xsrf: dict[str, str]) -> None:
    size = 150 << 20
    assert ask(port, "PUT", "/promptreel/upload/warm.mp4", headers=xsrf, body=bytes(4 << 20)).status == 200
    headers = {**xsrf, "Content-Length": str(size)}
    with watching_memory(dashboard.pid) as memory:
        answer = ask(port, "PUT", "/promptreel/upload/big.mp4", headers=headers, body=_blocks(size))
    assert (answer.status, json.loads(answer.body)["size"]) == (200, size)
    assert memory.growth_mb < 30


def test_serving_a_gigabyte_leaves_memory_flat(dashboard: Dashboard, port: int) -> None:
    url = (dashboard.home / "url").read_text()
    ask(port, "GET", url, headers={"Range": "bytes=0-4000000"})
    with watching_memory(dashboard.pid) as memory:
        received = _read_through(port, url, "bytes=0-")
        for start in range(0, _GIGABYTE, _GIGABYTE // 8):  # a player that seeks: opens a range and drops it
            _read_through(port, url, f"bytes={start}-", stop_after=1 << 20)
    assert received == _GIGABYTE
    assert memory.growth_mb < 30


def _read_through(port: int, url: str, byte_range: str, *, stop_after: int | None = None) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", url, headers={"Range": byte_range})
    answer = connection.getresponse()
    assert answer.status == 206
    received = 0
    while block := answer.read(1 << 20):
        received += len(block)
        if stop_after and received >= stop_after:
            break
    connection.close()
    return received
