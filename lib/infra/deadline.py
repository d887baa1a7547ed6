"""A time limit for an answer as a whole; a socket's own begins anew with each byte, and one that drips outlives it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

_of_this_thread = threading.local()


class Deadline:
    """Shuts down the connection of an answer, from its first header to its last byte, when its time is over."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self.passed = False

    def start(self, connection: Any) -> None:
        """Begin to count; ``connection`` is what urllib3 reads the answer from."""
        connection = getattr(connection, "socket", connection)  # of TLS to a host behind a TLS proxy
        self._timer = threading.Timer(self._seconds, self._shut, (connection,))
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        """End it: the connection may serve another request now."""
        with self._lock:
            if self._timer:
                self._timer.cancel()
            self._timer = None

    def _shut(self, connection: socket.socket) -> None:
        with self._lock:
            if self._timer:
                self.passed = True
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)  # SSLSocket's own disturbs the reading thread


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[Deadline]:
    """Limit the answer that this thread reads meanwhile, by a session with ``DeadlineAdapter``."""
    limit = _of_this_thread.deadline = Deadline(seconds)
    try:
        yield limit
    finally:
        limit.stop()
        _of_this_thread.deadline = None


class _Connection(HTTPConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 itself
        limit: Deadline | None = getattr(_of_this_thread, "deadline", None)
        if limit:
            limit.start(self.sock)
        return super().getresponse()


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class DeadlineAdapter(HTTPAdapter):
    """Makes the connections that ``deadline`` limits."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """See ``HTTPAdapter``."""
        super().init_poolmanager(*args, **options)
        _use_pools(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        """See ``HTTPAdapter``."""
        return _use_pools(super().proxy_manager_for(*args, **options))


def _use_pools(manager: Any) -> Any:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
    return manager
