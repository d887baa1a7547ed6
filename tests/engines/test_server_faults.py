"""What an inference server can do wrong, and what the user reads; retries counted at a stand-in server."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading

import pytest
import requests

from lib.core.errors import BadReplyError, EngineError, EngineUnavailableError
from lib.engines.server import ServerEngine
from lib.engines.server_client import Timeouts
from lib.infra.http import RetryPolicy
from tests.helpers.clock import Clock
from tests.helpers.fake_server import Connect, FakeServer
from tests.helpers.videos import plain_picture


class TestRetries:
    @pytest.mark.parametrize("status", [408, 425, 429, 502, 503, 504, 520, 524])
    def test_get_over_a_server_that_is_busy_for_a_while(
        self, server: FakeServer, engine: ServerEngine, clock: Clock, status: int
    ) -> None:
        server.faults.first, server.faults.status = 3, status

        assert engine.embed_texts(["a dog"]).shape == (1, 512)
        assert len(server.seen) == 4
        assert len(clock.waits) == 3

    def test_get_over_broken_connections(self, server: FakeServer, engine: ServerEngine) -> None:
        server.faults.first, server.faults.manner = 2, "reset"

        assert engine.embed_images([plain_picture()]).shape == (1, 512)
        assert len(server.seen) == 3

    def test_wait_as_long_as_the_server_asks(self, server: FakeServer, engine: ServerEngine, clock: Clock) -> None:
        server.faults.first, server.faults.status, server.faults.retry_after = 1, 429, "7"

        engine.embed_texts(["a dog"])

        (waited,) = clock.waits
        assert 7 <= waited <= 7.5

    def test_end_after_so_many_tries(self, server: FakeServer, engine: ServerEngine, clock: Clock) -> None:
        server.faults.first = 99

        message = (
            rf"The inference server at {server.url} is overloaded or not ready "
            r"\(503 “Model is temporarily not ready - retry request\.”, after 5 attempts\); look at its log and "
        )
        with pytest.raises(EngineUnavailableError, match=message):
            engine.embed_texts(["a dog"])
        assert len(server.seen) == 5
        assert len(clock.waits) == 4

    def test_end_when_the_time_is_used_up(self, server: FakeServer, connect: Connect, clock: Clock) -> None:
        server.faults.first, server.faults.status, server.faults.retry_after = 99, 429, "40"
        server.faults.message = "Slow down."
        retries = RetryPolicy(attempts=50, total_s=100)
        engine = connect(sleep=clock.wait, clock=clock.time, retries=retries)

        message = (
            r"takes no more requests for now \(429 “Slow down\.”, it asks to wait 40 s, after 3 attempts\); "
            "wait a little and run it again, what is embedded is kept"
        )
        with pytest.raises(EngineUnavailableError, match=message):
            engine.embed_texts(["a dog"])
        assert clock.time() <= 100
        assert len(server.seen) == 3

    @pytest.mark.parametrize("status", [400, 401, 404, 500])
    def test_are_not_made_for_what_no_retry_mends(
        self, server: FakeServer, engine: ServerEngine, clock: Clock, status: int
    ) -> None:
        server.faults.first, server.faults.status, server.faults.message = 99, status, "No."

        with pytest.raises(EngineError):
            engine.embed_texts(["a dog"])
        assert len(server.seen) == 1
        assert not clock.waits


class TestNoAnswer:
    def test_nothing_listens(self, clock: Clock) -> None:
        with FakeServer() as gone:
            url = gone.url
        engine = ServerEngine(url, sleep=clock.wait)

        with pytest.raises(EngineUnavailableError) as caught:
            engine.embed_images([plain_picture()])
        assert str(caught.value) == (
            f"The inference server at {url} can't be reached; start it, or choose the embedded engine."
        )
        assert len(clock.waits) == 4

    def test_connections_break(self, server: FakeServer, engine: ServerEngine) -> None:
        server.faults.first, server.faults.manner = 99, "reset"

        with pytest.raises(EngineUnavailableError, match="breaks off the connection; look at its log, it may have"):
            engine.embed_images([plain_picture()])
        assert len(server.seen) == 5

    def test_the_first_answer_takes_too_long(self, server: FakeServer, connect: Connect) -> None:
        server.faults.first, server.faults.manner = 99, "hang"
        engine = connect(timeouts=Timeouts(read_s=0.05, first_s=0.1), retries=RetryPolicy(attempts=1))

        message = (
            r"did not answer within 0\.1 s; the first request loads the model and may download its weights: "
            "look at its log and try again in a minute or two"
        )
        with pytest.raises(EngineUnavailableError, match=message):
            engine.embed_texts(["a dog"])

    def test_an_answer_stops_half_way(self, clock: Clock) -> None:
        with half_an_answer() as url:
            engine = ServerEngine(
                url, sleep=clock.wait, timeouts=Timeouts(first_s=0.1, read_s=0.1), retries=RetryPolicy(attempts=2)
            )
            with pytest.raises(EngineUnavailableError, match=r"did not answer within 0\.1 s"):
                engine.embed_texts(["a dog"])
            engine.close()
        assert len(clock.waits) == 1

    @pytest.mark.parametrize(
        "begin",
        [
            b"",
            b"HTTP/1.1 200 OK\r\nX: ",
            b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        ],
        ids=["status", "header", "body", "body without an end", "chunk", "size of a chunk"],
    )
    def test_an_answer_that_drips_ends_at_the_time_limit(self, clock: Clock, begin: bytes) -> None:
        with half_an_answer(begin, drip=b"1") as url:
            limits, retries = Timeouts(first_s=0.3, read_s=0.3), RetryPolicy(attempts=2)
            engine = ServerEngine(url, sleep=clock.wait, timeouts=limits, retries=retries)
            with pytest.raises(EngineUnavailableError, match=r"did not answer within 0\.3 s"):
                engine.embed_texts(["a dog"])
            engine.close()
        assert len(clock.waits) == 1

    def test_an_answer_without_measure_is_not_read(
        self, server: FakeServer, engine: ServerEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("lib.infra.http.MAX_ANSWER_BYTES", 1 << 20)
        server.faults.body = gzip.compress(bytes(1 << 24))
        with pytest.raises(BadReplyError, match="no JSON object"):  # 16 kB as they are
            engine.embed_texts(["a dog"])
        server.faults.body = bytes(1 << 21)
        with pytest.raises(EngineUnavailableError, match=r"can't be asked: its answer has more than 1 MiB; check"):
            engine.embed_texts(["a dog"])
        assert len(server.seen) == 2

    def test_another_address_is_answered(self, server: FakeServer, connect: Connect) -> None:
        with FakeServer() as other:
            server.faults.redirect = other.url
            engine = connect(api_key="rf_secret_1234")
            message = f"redirects elsewhere to {other.url}; enter the address of the inference server itself"
            with pytest.raises(EngineUnavailableError, match=message):
                engine.embed_texts(["a dog"])
            assert not other.seen  # the key went nowhere

    @pytest.mark.parametrize("address", ["http://elsewhere:99999999", "//"])
    def test_another_address_that_makes_no_sense_is_answered(
        self, server: FakeServer, engine: ServerEngine, address: str
    ) -> None:
        server.faults.redirect = address
        with pytest.raises(EngineUnavailableError, match="redirects elsewhere; enter the address of the inference"):
            engine.embed_texts(["a dog"])

    def test_tls_where_there_is_none(self, server: FakeServer, clock: Clock) -> None:
        engine = ServerEngine(server.url.replace("http", "https"), sleep=clock.wait)

        with pytest.raises(
            EngineUnavailableError, match=r"No safe connection .* or use http:// if the server has no TLS"
        ):
            engine.embed_texts(["a dog"])
        engine.close()

    def test_no_foreign_exception_leaves(self, clock: Clock) -> None:
        """Each exception of requests has its own sentence, and none of them is a traceback of requests."""
        kinds = [
            kind
            for kind in vars(requests.exceptions).values()
            if isinstance(kind, type) and issubclass(kind, requests.RequestException)
        ]
        assert len(kinds) > 15
        for kind in kinds:
            session = FailingSession(kind)
            engine = ServerEngine("http://localhost:9001", session=session, sleep=clock.wait)
            with pytest.raises(EngineUnavailableError, match="http://localhost:9001"):
                engine.embed_texts(["a dog"])
            assert session.count >= 1


class FailingSession(requests.Session):
    def __init__(self, kind: type[requests.RequestException]) -> None:
        super().__init__()
        self.kind = kind
        self.count = 0

    def request(self, *args: object, **options: object) -> requests.Response:  # type: ignore[override]
        self.count += 1
        if issubclass(self.kind, requests.exceptions.JSONDecodeError):
            raise self.kind("no", "", 0)
        raise self.kind("no")


class half_an_answer:  # noqa: N801 - reads as a context
    """A server that begins an answer to every connection, and then says nothing, or ``drip`` for ever."""

    def __init__(
        self, begin: bytes = b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"embeddin', drip: bytes = b""
    ) -> None:
        self._begin, self._drip = begin, drip
        self._ends = threading.Event()

    def __enter__(self) -> str:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._connections: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._connections.append(connection)
            connection.recv(65536)
            connection.sendall(self._begin)
            with contextlib.suppress(OSError):
                while self._drip and not self._ends.wait(0.02):
                    connection.sendall(self._drip)

    def __exit__(self, *exc_info: object) -> None:
        self._ends.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)
        for connection in self._connections:
            connection.close()
