"""What a big upload costs the server in memory, beside Streamlit's own uploader.

Bar: 1 GB through the upload route raises the server's memory by less than 100 MB. A real ``streamlit run
dashboard.py`` with one open session each time; the file is a small playable MP4 padded to size, sent as the
browser sends it (one PUT, body streamed); resident memory of the server is read 50 times a second. The second
row puts the same file into the same dashboard the way ``st.file_uploader`` does.
"""

from __future__ import annotations

import argparse
import http.client
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import av
import numpy as np

from benchmarks._dashboard_session import Session
from tests.helpers.dashboard import Dashboard
from tests.helpers.memory import MB, watching_memory

BAR_MB = 100.0
_BLOCK = bytes(1 << 20)


@dataclass(frozen=True)
class Result:
    """One upload: seconds, memory before, growth at the peak and growth two seconds after the end."""

    elapsed_s: float
    before_mb: float
    peak_mb: float
    kept_mb: float


def small_video(path: Path) -> bytes:
    """Return a playable MP4 of a second, its index at the front."""
    with av.open(str(path), "w", options={"movflags": "faststart"}) as output:
        stream = output.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for index in range(24):
            picture = np.full((180, 320, 3), index * 10, np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(stream.encode())
    return path.read_bytes()


def padded(head: bytes, size: int) -> Iterator[bytes]:
    """Yield ``head`` and an MP4 box of zeros behind it that players skip, ``size`` bytes in all."""
    yield head
    yield struct.pack(">I4sQ", 1, b"free", size - len(head))
    left = size - len(head) - 16
    while left > 0:
        yield _BLOCK[:left]
        left -= len(_BLOCK)


def put(url: str, path: str, headers: dict[str, str], body: Iterator[bytes], size: int) -> None:
    """Send one PUT with the page's own XSRF token; raises RuntimeError when it is refused."""
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=600)) as connection:
        connection.request("GET", "/_stcore/health")
        answer = connection.getresponse()
        answer.read()
        cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
        token = cookie.partition("=")[2]
        page = {"Cookie": cookie, "X-XSRF-Token": token, "X-Xsrftoken": token, "Content-Length": str(size)}
        connection.request("PUT", path, body=body, headers={**page, **headers})
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        if answer.status >= 300:
            raise RuntimeError(f"{path}: {answer.status} {text}")


def through_route(url: str, session: Session, head: bytes, size: int) -> None:
    """Upload as the dashboard's own component does."""
    put(url, "/promptreel/upload/big.mp4", {}, padded(head, size), size)


def through_file_uploader(url: str, session: Session, head: bytes, size: int) -> None:
    """Upload as ``st.file_uploader`` does: a multipart form to a URL that the session was given."""
    before = (
        b'--frame\r\nContent-Disposition: form-data; name="file"; filename="big.mp4"\r\nContent-Type: video/mp4\r\n\r\n'
    )
    after = b"\r\n--frame--\r\n"

    def body() -> Iterator[bytes]:
        yield before
        yield from padded(head, size)
        yield after

    headers = {"Content-Type": "multipart/form-data; boundary=frame"}
    length = len(before) + size + len(after)
    put(url, session.built_in_upload_url("big.mp4"), headers, body(), length)


def measure(upload: Callable[[str, Session, bytes, int], None], size: int) -> Result:
    """Upload ``size`` bytes to a fresh dashboard and watch its memory."""
    with tempfile.TemporaryDirectory(prefix="promptreel-upload-") as folder:
        head = small_video(Path(folder) / "small.mp4")
        with Dashboard(Path(folder) / "home") as dashboard, Session(dashboard.url) as session:
            # A small upload first: what is imported and opened on first use is no cost of a big one.
            upload(dashboard.url, session, head, len(head) + (4 << 20))
            time.sleep(2)
            with watching_memory(dashboard.pid) as memory:
                start = time.perf_counter()
                upload(dashboard.url, session, head, size)
                elapsed = time.perf_counter() - start
                time.sleep(2)
            kept = (memory.sample() - memory.before) / MB
            return Result(elapsed, memory.before / MB, memory.growth_mb, kept)


def main(argv: list[str]) -> int:
    """Print the table; 1 when the bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks upload", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--only-route", action="store_true", help="leave st.file_uploader out")
    options = parser.parse_args(argv)
    size = options.megabytes * MB
    ways = {"upload route": through_route}
    if not options.only_route:
        ways["st.file_uploader"] = through_file_uploader
    results = {name: measure(way, size) for name, way in ways.items()}
    print(f"{options.megabytes} MB, one upload to a fresh dashboard\n")
    print("| way | seconds | MB a second | memory before | growth at the peak | growth kept |")
    print("|---|---|---|---|---|---|")
    for name, result in results.items():
        print(
            f"| {name} | {result.elapsed_s:.1f} | {options.megabytes / result.elapsed_s:.0f} "
            f"| {result.before_mb:.0f} MB | {result.peak_mb:.1f} MB | {result.kept_mb:.1f} MB |"
        )
    growth = results["upload route"].peak_mb
    print(f"\nBar: growth {growth:.1f} MB (below {BAR_MB:g}): {'met' if growth < BAR_MB else 'MISSED'}.")
    return 0 if growth < BAR_MB else 1
