from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import shutil
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from lib.core.errors import StoreError, VideoUnreadableError
from lib.media.frames import probe
from lib.ui.server import routes, uploads
from tests.helpers.http import Answer, ask, wait_for
from tests.helpers.routes import TOKEN, XSRF, Arrived, Inbox, SetOption
from tests.helpers.videos import make_video


def error_of(answer: Answer) -> str:
    assert answer.headers["content-type"] == "application/json"
    content = json.loads(answer.body)
    assert list(content) == ["error"]
    return str(content["error"])


def test_an_upload_arrives_with_name_and_hash_and_leaves_no_part(routes_port: int, inbox: Inbox) -> None:
    content = os.urandom(3_500_000)
    answer = ask(routes_port, "PUT", "/promptreel/upload/night%20city.mp4", headers=XSRF, body=content)
    sha256 = hashlib.sha256(content).hexdigest()
    assert answer.status == 200
    assert json.loads(answer.body) == {"sha256": sha256, "name": "night city.mp4", "size": 3_500_000}
    assert inbox.arrived == [Arrived("night city.mp4", sha256, content)]
    assert inbox.parts == []
    assert threading.main_thread().name not in inbox.threads


def test_an_upload_of_unknown_length_arrives_too(routes_port: int, inbox: Inbox) -> None:
    blocks = [os.urandom(70_000) for _ in range(30)]
    headers = {**XSRF, "Transfer-Encoding": "chunked"}
    answer = ask(routes_port, "PUT", "/promptreel/upload/a.mp4", headers=headers, body=iter(blocks))
    assert answer.status == 200
    assert inbox.arrived[0].content == b"".join(blocks)


def test_a_handler_that_copies_leaves_no_part_either(routes_port: int, tmp_path: Path) -> None:
    routes.accept_uploads(tmp_path / "in", lambda path, name, sha256: shutil.copy(path, tmp_path / name))
    assert ask(routes_port, "PUT", "/promptreel/upload/a.mp4", headers=XSRF, body=b"content").status == 200
    assert (tmp_path / "a.mp4").read_bytes() == b"content"
    assert list((tmp_path / "in").iterdir()) == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-XSRF-Token": TOKEN},
        {"Cookie": XSRF["Cookie"]},
        {**XSRF, "X-XSRF-Token": TOKEN[:-1] + "9"},
        {"Cookie": "_streamlit_xsrf=", "X-XSRF-Token": ""},
        {**XSRF, "Origin": "http://evil.example"},
        {**XSRF, "Origin": "http://127.0.0.1:1"},
        {**XSRF, "Origin": "null"},
    ],
    ids=[
        "nothing",
        "no cookie",
        "no header",
        "other token",
        "empty",
        "foreign origin",
        "foreign port",
        "null origin",
    ],
)
def test_an_upload_from_elsewhere_is_refused(routes_port: int, inbox: Inbox, headers: dict[str, str]) -> None:
    answer = ask(routes_port, "PUT", "/promptreel/upload/a.mp4", headers=headers, body=b"content")
    assert answer.status == 403
    assert "reload the page" in error_of(answer)
    assert (inbox.arrived, inbox.parts) == ([], [])


def test_the_dashboards_own_page_and_listed_origins_may_upload(
    routes_port: int, inbox: Inbox, streamlit_option: SetOption
) -> None:
    own = {**XSRF, "Origin": f"http://127.0.0.1:{routes_port}"}
    assert ask(routes_port, "PUT", "/promptreel/upload/a.mp4", headers=own, body=b"content").status == 200
    streamlit_option("server.corsAllowedOrigins", ["https://videos.example.com"])
    listed = {**XSRF, "Origin": "https://videos.example.com"}
    assert ask(routes_port, "PUT", "/promptreel/upload/b.mp4", headers=listed, body=b"content").status == 200


def test_without_xsrf_protection_the_origin_is_still_checked(
    routes_port: int, inbox: Inbox, streamlit_option: SetOption
) -> None:
    streamlit_option("server.enableXsrfProtection", False)
    url = "/promptreel/upload/a.mp4"
    assert ask(routes_port, "PUT", url, body=b"content").status == 200
    assert ask(routes_port, "PUT", url, headers={"Origin": "http://evil.example"}, body=b"content").status == 403


def test_an_upload_beyond_the_limit_is_refused_before_and_while_it_arrives(
    routes_port: int, inbox: Inbox, streamlit_option: SetOption
) -> None:
    streamlit_option("server.maxUploadSize", 1)
    assert routes.max_upload_bytes() == 1_048_576
    exact = bytes(1_048_576)
    declared = ask(routes_port, "PUT", "/promptreel/upload/big.mp4", headers=XSRF, body=exact + b"x")
    chunked = {**XSRF, "Transfer-Encoding": "chunked"}
    undeclared = ask(routes_port, "PUT", "/promptreel/upload/big.mp4", headers=chunked, body=iter([exact, b"x"]))
    for answer in (declared, undeclared):
        assert answer.status == 413
        assert error_of(answer).startswith("“big.mp4” is larger than the 1.0 MB allowed here")
    assert (inbox.arrived, inbox.parts) == ([], [])
    assert ask(routes_port, "PUT", "/promptreel/upload/big.mp4", headers=XSRF, body=exact).status == 200


def test_an_empty_upload_is_refused(routes_port: int, inbox: Inbox) -> None:
    answer = ask(routes_port, "PUT", "/promptreel/upload/a.mp4", headers=XSRF, body=b"")
    assert (answer.status, error_of(answer)) == (400, "“a.mp4” is empty; choose a file with a video in it.")
    assert inbox.parts == []


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (
            VideoUnreadableError("“a.mp4” is not a video; choose another."),
            422,
            "“a.mp4” is not a video; choose another.",
        ),
        (StoreError("The store is full of holes; mend it."), 500, "The store is full of holes; mend it."),
        (
            OSError(errno.ENOSPC, "No space left"),
            507,
            "The disk filled up while “a.mp4” was arriving; free some",
        ),
        (
            OSError(errno.EACCES, "Permission denied"),
            500,
            "“a.mp4” could not be written to disk (Permission denied);",
        ),
    ],
)
def test_what_the_store_says_reaches_the_user_and_the_part_goes(
    routes_port: int, inbox: Inbox, error: Exception, status: int, sentence: str
) -> None:
    inbox.error = error
    answer = ask(routes_port, "PUT", "/promptreel/upload/a.mp4", headers=XSRF, body=b"content")
    assert answer.status == status
    assert error_of(answer).startswith(sentence)
    assert inbox.parts == []


@pytest.mark.parametrize("words", ["{path} is not a video.", "{path.name} is not a video."])
def test_a_sentence_about_the_part_names_the_file_that_was_chosen(routes_port: int, tmp_path: Path, words: str) -> None:
    def probe(path: Path, name: str, sha256: str) -> None:
        raise VideoUnreadableError(words.format(path=path))

    routes.accept_uploads(tmp_path / "incoming", probe)
    answer = ask(routes_port, "PUT", "/promptreel/upload/my%20film.mp4", headers=XSRF, body=b"content")
    assert error_of(answer) == "my film.mp4 is not a video."


def test_a_programming_error_is_logged_and_tells_no_internals(
    routes_port: int, inbox: Inbox, error_logs: list[logging.LogRecord]
) -> None:
    inbox.error = ZeroDivisionError("secret internals")
    answer = ask(routes_port, "PUT", "/promptreel/upload/a.mp4", headers=XSRF, body=b"content")
    assert (answer.status, error_of(answer)) == (
        500,
        "“a.mp4” arrived but could not be taken in; the server's log says why.",
    )
    assert inbox.parts == []
    assert [record.exc_info[0] for record in error_logs if record.exc_info] == [ZeroDivisionError]


def test_a_disk_that_fills_up_on_the_way_says_so(
    routes_port: int, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: object, block: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(uploads._Part, "write", full)
    answer = ask(routes_port, "PUT", "/promptreel/upload/a.mp4", headers=XSRF, body=bytes(5_000_000))
    assert answer.status == 507
    assert error_of(answer) == "The disk filled up while “a.mp4” was arriving; free some space and upload it again."
    assert (inbox.arrived, inbox.parts) == ([], [])


def test_a_file_that_cannot_fit_is_refused_before_it_is_sent(
    routes_port: int, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type(shutil.disk_usage("/"))
    monkeypatch.setattr(uploads.shutil, "disk_usage", lambda _: usage(10**12, 10**12, 65 << 20))
    answer = ask(routes_port, "PUT", "/promptreel/upload/a.mp4", headers=XSRF, body=bytes(2_000_000))
    assert answer.status == 507
    assert error_of(answer).startswith("“a.mp4” needs 2.0 MB, but only 1.0 MB are free")
    assert inbox.parts == []


def test_a_folder_that_cannot_be_written_says_so(routes_port: int, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    routes.accept_uploads(tmp_path / "file" / "incoming", lambda *_: None)
    answer = ask(routes_port, "PUT", "/promptreel/upload/a.mp4", headers=XSRF, body=b"content")
    assert answer.status == 500
    assert error_of(answer) == ("“a.mp4” could not be written to disk (Not a directory); check Promptreel's folder.")


def test_a_client_that_goes_away_leaves_nothing(routes_port: int, inbox: Inbox) -> None:
    with socket.create_connection(("127.0.0.1", routes_port), timeout=10) as client:
        head = "PUT /promptreel/upload/a.mp4 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 50000000\r\n"
        client.sendall((head + "".join(f"{k}: {v}\r\n" for k, v in XSRF.items()) + "\r\n").encode())
        client.sendall(bytes(3_000_000))
        assert wait_for(lambda: any(path.stat().st_size >= 1 << 20 for path in inbox.parts))
    assert wait_for(lambda: not inbox.parts)
    assert inbox.arrived == []


def test_uploads_at_the_same_time_do_not_mix(routes_port: int, inbox: Inbox) -> None:
    contents = {f"{n}.mp4": os.urandom(2_000_000) for n in range(4)}

    def send(name: str) -> int:
        return ask(routes_port, "PUT", f"/promptreel/upload/{name}", headers=XSRF, body=contents[name]).status

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(send, contents)) == {200}
    assert {arrived.name: arrived.content for arrived in inbox.arrived} == contents


def test_before_the_dashboard_is_ready_uploads_wait(routes_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes._state(), "on_upload", None)
    answer = ask(routes_port, "PUT", "/promptreel/upload/a.mp4", headers=XSRF, body=b"content")
    assert (answer.status, error_of(answer)) == (
        503,
        "The dashboard is still starting; try again in a moment.",
    )


def test_parts_of_killed_servers_are_removed_and_others_are_not(tmp_path: Path) -> None:
    folder = tmp_path / "incoming"
    folder.mkdir()
    old, new, foreign = folder / ".part-old", folder / ".part-new", folder / "mine.mp4"
    for path in (old, new, foreign):
        path.write_bytes(b"x")
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(old, (two_days_ago, two_days_ago))
    os.utime(foreign, (two_days_ago, two_days_ago))
    routes.accept_uploads(folder, lambda *_: None)
    assert sorted(folder.iterdir()) == [new, foreign]


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("night%20city.mp4", "night city.mp4"),
        ("%E5%A4%9C%E3%81%AE%E8%A1%97.mp4", "夜の街.mp4"),
        ("caf%65%CC%81.mp4", "café.mp4"),
        ("C:%5Cvideos%5Ca.mp4", "a.mp4"),
        ("..%5C..%5Cetc%5Cpasswd", "passwd"),
        ("%2e%2e", "video"),
        (".hidden.mp4", "hidden.mp4"),
        ("a%00b%0d%0a.mp4", "ab.mp4"),
        ("%E2%80%AE4pm.exe", "4pm.exe"),
        ("%3Cimg%20src=x%20onerror=alert(1)%3E.mp4", "<img src=x onerror=alert(1)>.mp4"),
        ("x" * 300 + ".mp4", "x" * 196 + ".mp4"),
    ],
)
def test_names_are_cleaned_but_stay_readable(routes_port: int, inbox: Inbox, sent: str, name: str) -> None:
    answer = ask(routes_port, "PUT", f"/promptreel/upload/{sent}", headers=XSRF, body=b"content")
    assert answer.status == 200
    assert json.loads(answer.body)["name"] == name
    assert inbox.arrived[0].name == name


@pytest.mark.parametrize("sent", ["..%2F..%2Fevil", "a/b.mp4", "../evil.mp4", "%2Fetc%2Fpasswd"])
def test_a_name_with_folders_reaches_no_route(routes_port: int, inbox: Inbox, tmp_path: Path, sent: str) -> None:
    answer = ask(routes_port, "PUT", f"/promptreel/upload/{sent}", headers=XSRF, body=b"content")
    assert answer.status in (404, 405)
    assert inbox.arrived == []
    assert not list(tmp_path.rglob("*evil*"))


@pytest.mark.parametrize("name", ["造" * 200 + ".mp4", "é" * 126 + ".mp4", "a" * 300 + ".webm"])
def test_a_kept_name_fits_into_the_bytes_of_a_file_name_with_its_suffix(name: str) -> None:
    kept = uploads.clean_name(name)
    assert len(kept.encode()) <= 200
    assert Path(kept).suffix == Path(name).suffix
    assert "\ufffd" not in kept


@pytest.mark.parametrize("content", [b"no video " * 40, b"FLV" + bytes(60), b"\x1aE\xdf\xa3" + b"\xff" * 60])
def test_what_is_no_video_is_answered_422_with_the_readers_sentence(
    content: bytes, routes_port: int, tmp_path: Path
) -> None:
    routes.accept_uploads(tmp_path / "in", lambda path, name, sha256: probe(path))
    answer = ask(routes_port, "PUT", "/promptreel/upload/w.mkv", headers=XSRF, body=content)
    assert answer.status == 422
    assert error_of(answer).startswith("w.mkv ")
    assert ".part" not in error_of(answer)


def test_a_video_beyond_the_limits_is_answered_422_with_size_and_limit(routes_port: int, tmp_path: Path) -> None:
    routes.accept_uploads(tmp_path / "in", lambda path, name, sha256: probe(path))
    image = np.zeros((2, 400, 3), np.uint8)
    path = make_video(tmp_path / "w.mkv", images=[image], size=(400, 2), codec="ffv1")
    answer = ask(routes_port, "PUT", "/promptreel/upload/w.mkv", headers=XSRF, body=path.read_bytes())
    assert answer.status == 422
    assert error_of(answer).startswith(
        "w.mkv: its pictures are stored as 400 × 2 pixels, and one side may be at most 20"
    )
