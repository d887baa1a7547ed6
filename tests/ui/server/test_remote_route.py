"""A video that stays in object storage, through the dashboard's own route: whole, in ranges, and what goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.remote.storage import Remote
from lib.ui.server import routes
from tests.helpers.http import ask
from tests.helpers.routes import MP4_HEAD

CONTENT = MP4_HEAD + bytes(range(256)) * 40


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(routes, "_REMOTE_BYTES", 1000)
    (tmp_path / "clip").write_bytes(CONTENT)
    remote = Remote(f"file://{tmp_path}")
    file = remote.find("clip")
    assert file is not None
    return routes.url_for_remote(remote, file, "clip.mp4")


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-", 0, 10272),
        ("bytes=0-99", 0, 100),
        ("bytes=900-2100", 900, 2101),
        ("bytes=-72", 10200, 10272),
        ("bytes=10270-999999", 10270, 10272),
    ],
)
def test_a_range_gets_206_and_exactly_its_bytes(routes_port: int, url: str, header: str, start: int, end: int) -> None:
    answer = ask(routes_port, "GET", url, headers={"Range": header})
    assert (answer.status, answer.body) == (206, CONTENT[start:end])
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/10272"
    assert answer.headers["content-length"] == str(end - start)
    head = ask(routes_port, "HEAD", url, headers={"Range": header})
    assert (head.status, head.body, head.headers["content-length"]) == (206, b"", str(end - start))


@pytest.mark.parametrize("header", [None, "bytes=a-b", "bytes=0-9,20-29"])
def test_without_a_range_that_makes_sense_it_comes_whole(routes_port: int, url: str, header: str | None) -> None:
    answer = ask(routes_port, "GET", url, headers={"Range": header} if header else {})
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, CONTENT, "video/mp4")
    assert answer.headers["accept-ranges"] == "bytes"


def test_what_cannot_be_had_says_so(routes_port: int, url: str, tmp_path: Path) -> None:
    beyond = ask(routes_port, "GET", url, headers={"Range": "bytes=10272-"})
    assert (beyond.status, beyond.headers["content-range"]) == (416, "bytes */10272")
    assert ask(routes_port, "GET", url + "x").status == 404
    (tmp_path / "clip").unlink()
    gone = ask(routes_port, "GET", url)
    assert (gone.status, b"not there" in gone.body) == (502, True)
