from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.applications import Starlette

from lib.core.errors import NotStoredError, PromptreelError, StoreError, VideoUnreadableError
from lib.ui.server import routes
from tests.helpers.http import ask, serving
from tests.helpers.routes import MP4_HEAD, SetOption

# --- videos ---------------------------------------------------------------------------------------


def test_a_video_is_served_whole_with_its_headers(routes_port: int, clip: Path) -> None:
    answer = ask(routes_port, "GET", routes.url_for_video(clip))
    assert answer.status == 200
    assert answer.body == clip.read_bytes()
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-length"] == str(clip.stat().st_size)
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"].startswith("private")
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_what_is_downloaded_has_a_name(routes_port: int, clip: Path) -> None:
    url = routes.url_for_video(clip, download_as="Straße, part 1.mp4")
    assert url != routes.url_for_video(clip)
    disposition = ask(routes_port, "GET", url).headers["content-disposition"]
    assert disposition == "attachment; filename*=utf-8''Stra%C3%9Fe%2C%20part%201.mp4"
    assert "content-disposition" not in ask(routes_port, "GET", routes.url_for_video(clip)).headers


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-99", 0, 100),
        ("bytes=100-100", 100, 101),
        ("bytes=10000-", 10000, 10272),
        ("bytes=-72", 10200, 10272),
        ("bytes=-999999", 0, 10272),
        ("bytes=10270-999999", 10270, 10272),
        ("BYTES= 5-6 ", 5, 7),
    ],
)
def test_a_range_gets_206_and_exactly_its_bytes(
    routes_port: int, clip: Path, header: str, start: int, end: int
) -> None:
    answer = ask(routes_port, "GET", routes.url_for_video(clip), headers={"Range": header})
    assert answer.status == 206
    assert answer.body == clip.read_bytes()[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/10272"
    assert answer.headers["content-length"] == str(end - start)


def test_several_ranges_come_as_one_multipart_answer(routes_port: int, clip: Path) -> None:
    answer = ask(routes_port, "GET", routes.url_for_video(clip), headers={"Range": "bytes=0-9,100-109,-5"})
    assert answer.status == 206
    boundary = re.fullmatch(r"multipart/byteranges; boundary=(\S+)", answer.headers["content-type"])
    assert boundary
    parts = answer.body.split(b"--" + boundary[1].encode())[1:-1]
    found = {part.split(b"Content-Range: ")[1].split(b"\r\n")[0]: part.split(b"\r\n\r\n")[1][:-2] for part in parts}
    content = clip.read_bytes()
    assert found == {
        b"bytes 0-9/10272": content[:10],
        b"bytes 100-109/10272": content[100:110],
        b"bytes 10267-10271/10272": content[-5:],
    }
    assert int(answer.headers["content-length"]) == len(answer.body)


@pytest.mark.parametrize("header", ["bytes=10272-", "bytes=99999-100000", "bytes=-0"])
def test_a_range_outside_the_file_gets_416_with_its_size(routes_port: int, clip: Path, header: str) -> None:
    answer = ask(routes_port, "GET", routes.url_for_video(clip), headers={"Range": header})
    assert (answer.status, answer.headers["content-range"]) == (416, "bytes */10272")


@pytest.mark.parametrize(
    "header", ["seconds=0-1", "bytes=a-b", "bytes", "bytes=", "bytes=-", "bytes=1-2;3", "bytes=0-" + "9" * 5000]
)
def test_a_range_that_makes_no_sense_is_ignored(routes_port: int, clip: Path, header: str) -> None:
    answer = ask(routes_port, "GET", routes.url_for_video(clip), headers={"Range": header})
    assert (answer.status, len(answer.body)) == (200, 10272)


def test_head_says_the_same_without_a_body(routes_port: int, clip: Path) -> None:
    url = routes.url_for_video(clip)
    whole, part = ask(routes_port, "HEAD", url), ask(routes_port, "HEAD", url, headers={"Range": "bytes=0-9"})
    assert (whole.status, whole.body, whole.headers["content-length"]) == (200, b"", "10272")
    assert (part.status, part.body, part.headers["content-length"]) == (206, b"", "10")
    assert part.headers["content-range"] == "bytes 0-9/10272"


def test_a_part_of_another_version_is_not_mixed_in(routes_port: int, clip: Path) -> None:
    url = routes.url_for_video(clip)
    current = ask(routes_port, "HEAD", url).headers["etag"]
    same = ask(routes_port, "GET", url, headers={"Range": "bytes=0-9", "If-Range": current})
    other = ask(routes_port, "GET", url, headers={"Range": "bytes=0-9", "If-Range": '"old"'})
    assert (same.status, other.status, len(other.body)) == (206, 200, 10272)


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        ("a.mp4", MP4_HEAD, "video/mp4"),
        ("0123abcd", MP4_HEAD, "video/mp4"),
        ("a.mov", b"\x00\x00\x00\x14ftypqt  " + bytes(8), "video/quicktime"),
        ("a", b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\x82\x84webm", "video/webm"),
        ("a", b"\x1aE\xdf\xa3\xa3B\x86\x81\x01B\xf7\x81\x01B\x82\x88matroska", "video/x-matroska"),
        ("a.dat", b"RIFF\x00\x00\x00\x00AVI LIST", "video/x-msvideo"),
        ("a.ts", b"G@\x00\x10", "video/mp2t"),
        ("page.html", b"<script>alert(1)</script>", "application/octet-stream"),
        ("a.svg", b"<svg onload='alert(1)'/>", "application/octet-stream"),
    ],
)
def test_the_media_type_is_that_of_the_content_and_never_a_page(
    routes_port: int, tmp_path: Path, name: str, head: bytes, expected: str
) -> None:
    (tmp_path / name).write_bytes(head)
    answer = ask(routes_port, "GET", routes.url_for_video(tmp_path / name))
    assert answer.headers["content-type"] == expected
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_same_file_keeps_its_url_and_a_replaced_one_gets_another(
    routes_port: int, clip: Path, tmp_path: Path
) -> None:
    url = routes.url_for_video(clip)
    assert routes.url_for_video(clip) == url
    (tmp_path / "link.mp4").symlink_to(clip)
    assert routes.url_for_video(tmp_path / "link.mp4") == url
    clip.write_bytes(MP4_HEAD + b"other")
    assert routes.url_for_video(clip) != url


def test_tokens_tell_nothing_of_the_path(clip: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(clip.read_bytes())
    tokens = [routes.url_for_video(path).rsplit("/", 1)[1] for path in (clip, other)]
    assert tokens[0] != tokens[1]
    assert all(re.fullmatch(r"[\w-]{24}", token) for token in tokens)


@pytest.mark.parametrize(
    "path",
    [
        "/promptreel/video/AAAAAAAAAAAAAAAAAAAAAAAA",
        "/promptreel/video/",
        "/promptreel/video/../../../../etc/passwd",
        "/promptreel/video/..%2f..%2f..%2fetc%2fpasswd",
        "/promptreel/video//etc/passwd",
        "/promptreel/thumb/AAAA/0",
    ],
)
def test_what_was_never_handed_out_is_not_found(routes_port: int, path: str) -> None:
    answer = ask(routes_port, "GET", path)
    assert answer.status == 404
    assert b"root:" not in answer.body


def test_a_video_deleted_meanwhile_is_not_found(routes_port: int, clip: Path) -> None:
    url = routes.url_for_video(clip)
    clip.unlink()
    assert ask(routes_port, "GET", url).status == 404
    with pytest.raises(VideoUnreadableError, match=r"clip\.mp4.*can't be read any more"):
        routes.url_for_video(clip)


def test_other_methods_are_refused(routes_port: int, clip: Path) -> None:
    assert ask(routes_port, "POST", routes.url_for_video(clip)).status == 405
    assert ask(routes_port, "GET", "/promptreel/upload/a.mp4").status == 405


def test_state_survives_a_reimport_of_the_module(routes_port: int, clip: Path) -> None:
    import importlib

    url = routes.url_for_video(clip)
    fresh = importlib.reload(routes)
    assert fresh.url_for_video(clip) == url
    assert ask(routes_port, "GET", url).status == 200


# --- thumbnails -----------------------------------------------------------------------------------


def test_thumbnails_come_from_their_loader_and_may_be_kept_for_good(routes_port: int) -> None:
    asked: list[int] = []

    def load(frame: int) -> bytes | None:
        asked.append(frame)
        return b"\xff\xd8jpeg%d" % frame if frame < 100 else None

    base = routes.url_for_thumbnails("embedding one", load)
    answer = ask(routes_port, "GET", f"{base}/42")
    assert (answer.status, answer.body, asked) == (200, b"\xff\xd8jpeg42", [42])
    assert answer.headers["content-type"] == "image/jpeg"
    assert "immutable" in answer.headers["cache-control"]
    assert "private" in answer.headers["cache-control"]
    assert ask(routes_port, "GET", f"{base}/100").status == 404
    for bad in ("x", "-1", "1.5", "", "../0"):
        assert ask(routes_port, "GET", f"{base}/{bad}").status == 404
    assert asked == [42, 100]


@pytest.mark.parametrize("digits", [19, 23, 5000])
def test_a_thumbnail_number_beyond_any_frame_is_not_found_and_never_reaches_the_store(
    routes_port: int, digits: int
) -> None:
    base = routes.url_for_thumbnails("embedding four", lambda frame: pytest.fail(f"{frame} was asked for"))
    assert ask(routes_port, "GET", f"{base}/{'9' * digits}").status == 404
    assert ask(routes_port, "GET", f"/promptreel/thumb/x/{'9' * digits}").status == 404
    assert ask(routes_port, "GET", f"{base}/%D9%A3").status == 404  # a digit, but not of ASCII


def test_one_embedding_keeps_its_thumbnail_url_and_uses_the_newest_loader(routes_port: int) -> None:
    base = routes.url_for_thumbnails("embedding two", lambda _: b"old")
    assert routes.url_for_thumbnails("embedding two", lambda _: b"new") == base
    assert routes.url_for_thumbnails("embedding three", lambda _: b"new") != base
    assert ask(routes_port, "GET", f"{base}/0").body == b"new"


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (NotStoredError("gone"), 404, "not here any more"),
        (StoreError("The store is damaged; do this."), 500, "The store is damaged; do this."),
    ],
)
def test_a_thumbnail_that_cannot_be_read_says_so(
    routes_port: int, error: PromptreelError, status: int, words: str
) -> None:
    def load(_: int) -> bytes | None:
        raise error

    answer = ask(routes_port, "GET", routes.url_for_thumbnails(f"broken {status}", load) + "/0")
    assert answer.status == status
    assert words in answer.body.decode()


def test_urls_and_routes_follow_the_base_path(clip: Path, streamlit_option: SetOption) -> None:
    streamlit_option("server.baseUrlPath", "lab/video")
    assert routes.url_for_upload() == "/lab/video/promptreel/upload/"
    with serving(Starlette(routes=routes.routes())) as number:
        url = routes.url_for_video(clip)
        assert url.startswith("/lab/video/promptreel/video/")
        assert ask(number, "GET", url).status == 200


# --- the player's lanes and modules ---------------------------------------------------------------


def test_a_pack_is_made_when_it_is_asked_for_and_keeps_its_url(routes_port: int) -> None:
    asked: list[str] = []

    def make() -> bytes:
        asked.append("made")
        return b"lanes"

    url = routes.url_for_pack("lines|a", make)
    assert routes.url_for_pack("lines|a", make) == url
    assert asked == []
    answer = ask(routes_port, "GET", url)
    assert (answer.status, answer.body, asked) == (200, b"lanes", ["made"])
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"] == "application/octet-stream"


def test_only_the_packs_used_last_are_kept(routes_port: int) -> None:
    first, second = (routes.url_for_pack(f"kept|{name}", bytes) for name in "ab")
    for number in range(routes.PACKS_KEPT - 1):
        routes.url_for_pack("kept|a", bytes)  # in use: it stays
        routes.url_for_pack(f"kept|{number}", bytes)
    assert ask(routes_port, "GET", first).status == 200
    assert ask(routes_port, "GET", second).status == 404


def test_modules_are_served_under_a_name_of_their_content(routes_port: int, tmp_path: Path) -> None:
    (tmp_path / "one.js").write_text("export const one = 1;", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not served", encoding="utf-8")
    base = routes.url_for_modules(tmp_path)
    answer = ask(routes_port, "GET", f"{base}/one.js")
    assert (answer.status, answer.body) == (200, b"export const one = 1;")
    assert answer.headers["content-type"].startswith("text/javascript")
    for path in (f"{base}/notes.txt", f"{base}/two.js", f"{base}/..%2fone.js", "/promptreel/module/x/one.js"):
        assert ask(routes_port, "GET", path).status == 404
    (tmp_path / "one.js").write_text("export const one = 2;", encoding="utf-8")
    assert routes.url_for_modules(tmp_path) != base
    assert ask(routes_port, "GET", f"{base}/one.js").body == b"export const one = 1;"
