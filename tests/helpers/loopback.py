"""What the stand-ins for servers have in common: a server on 127.0.0.1 that ends all it began, and how it answers."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class LoopbackServer(ThreadingHTTPServer):
    """Serves in a thread from ``start`` to ``stop``, which breaks kept-alive connections and joins all threads.

    Args:
        handler: of one connection.
        owner: the stand-in; the handler finds it as ``self.owner``.
        tls: serves https with it.
        host: where it listens; another one only in a network namespace of a test's own.
    """

    daemon_threads = False
    block_on_close = True
    request_queue_size = 32

    def __init__(
        self,
        handler: type[LoopbackHandler],
        owner: object,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        super().__init__((host, 0), type(handler.__name__, (handler,), {"owner": owner}))
        self.url = f"{'https' if tls else 'http'}://{host}:{self.server_address[1]}"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self._errors: list[BaseException] = []
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        self._ends = threading.Event()
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.01}, name=type(owner).__name__, daemon=True
        )

    def start(self) -> str:
        """Begin to serve; return the address."""
        self._thread.start()
        return self.url

    def stop(self) -> None:
        """End everything; what failed in the stand-in itself, not in its client, fails here."""
        self._ends.set()
        self.shutdown()
        with self._open_lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()
        self._thread.join(5)
        assert not self._errors, f"the stand-in itself failed: {self._errors}"

    def wait(self, seconds: float | None = None) -> None:
        """Wait, at most until the server ends."""
        self._ends.wait(seconds)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError):  # a client that went away is no fault
            assert error is not None
            self._errors.append(error)


class LoopbackHandler(BaseHTTPRequestHandler):
    """One connection, kept alive, that says nothing to the test's output."""

    server: LoopbackServer
    owner: Any
    """The stand-in."""
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def answer(
        self, status: int, data: bytes, headers: dict[str, str] | None = None, *, with_body: bool = True
    ) -> None:
        """Answer ``data``, as JSON unless ``headers`` say otherwise."""
        self.send_response(status)
        defaults = {"Content-Type": "application/json", "Content-Length": str(len(data))}
        for name, value in {**defaults, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(data)

    def hang(self) -> None:
        """Say nothing for long, at most until the server ends; then close the connection."""
        self.server.wait(30)
        self.close_connection = True

    def reset(self) -> None:
        """Break the connection so that the client sees a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()
