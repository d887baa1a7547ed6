"""The ingest benchmark: it runs, says what it skips, and its ratios are what it says they are."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks import ingest as bench
from benchmarks.ingest import Timings


def test_a_ratio_is_taken_within_a_round() -> None:
    timings = Timings({"decoding alone": [1.0, 4.0, 2.0], "Promptreel": [2.0, 4.4, 2.2]})
    assert timings.median("Promptreel") == 2.2
    assert timings.ratio(lambda row: row["decoding alone"]) == pytest.approx(1.1)
    assert timings.ratio(lambda row: 2 * row["decoding alone"]) == pytest.approx(0.55)


def test_without_a_server_its_part_is_skipped_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--server", "http://127.0.0.1:1", "--seconds", "2", "--rounds", "1"]) in (0, 1)
    out = capsys.readouterr().out
    assert "48 frames, 5 samples, median of 1" in out
    assert "No inference server answers at http://127.0.0.1:1; this part is skipped." in out
    assert out.count("| Promptreel | ") == 2
    assert out.count("× the longer of waiting alone and decoding alone (bar: at most 1.15): ") == 2


class _Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    posts: list[str]

    def do_GET(self) -> None:
        self._answer(b"{}")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.posts.append(self.path)
        count = body.count(b'"value"')
        rows = ",".join("[" + ",".join(["1.0"] * 512) + "]" for _ in range(count))
        self._answer(f'{{"embeddings": [{rows}], "similarity": [0.1, 0.2]}}'.encode())

    def _answer(self, data: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        self.wfile.write(head.encode() + data)

    def log_message(self, *args: object) -> None:
        pass


def test_against_a_server_the_slow_way_and_ours_are_timed(capsys: pytest.CaptureFixture[str]) -> None:
    posts: list[str] = []
    handler = type("Handler", (_Server,), {"posts": posts})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        assert bench.main(["--server", url, "--seconds", "2", "--rounds", "1", "--only", "server"]) in (0, 1)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    out = capsys.readouterr().out
    assert "| compare (5 frames) | " in out
    assert "times the samples a second of one compare a frame (bar: at least 3): " in out
    assert "A server that waits" not in out  # --only
    assert posts.count("/clip/compare") == 10  # five to warm up, five timed
    assert posts.count("/clip/embed_image") == 3  # a warm-up, the server alone, Promptreel
