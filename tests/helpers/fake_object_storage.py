"""S3 on 127.0.0.1: moto's server behind a proxy that answers with faults on demand."""

from __future__ import annotations

import http.client
import itertools
import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from tests.helpers.loopback import LoopbackHandler, LoopbackServer

KEY, SECRET = "AKIATESTKEYOFPROMPTR", "a-secret-that-no-message-may-show"
Fault = Callable[[str, str, dict[str, str]], int | None]
"""Method, path and headers of a request (to be changed in place) -> the status to answer in place of an answer."""


class ObjectStorage:
    """One moto server, and its proxy, which listens on ``host``; a bucket each test."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").disabled = True
        self._moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._moto.start()
        self.behind = self._moto.get_host_and_port()
        self._proxy = LoopbackServer(_Proxy, self, host=host)
        self.endpoint = self._proxy.start()
        self.bucket = ""
        self.fault: Fault | None = None
        self.requests: list[tuple[str, str]] = []
        self.lock = threading.Lock()

    def begin(self) -> None:
        """Start anew: an empty bucket, no faults."""
        self.bucket, self.fault, self.requests = f"bucket-{secrets.token_hex(4)}", None, []
        connection = http.client.HTTPConnection(*self.behind)
        connection.request("PUT", f"/{self.bucket}")
        assert connection.getresponse().status == 200
        connection.close()

    @property
    def address(self) -> str:
        """Address of an archive in the bucket."""
        return f"s3://{self.bucket}/archive"

    def environment(self) -> dict[str, str]:
        """Return what a process needs to reach it."""
        return {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.endpoint,
        }

    def stop(self) -> None:
        """End both."""
        self._proxy.stop()
        self._moto.stop()


@contextmanager
def object_storage() -> Iterator[ObjectStorage]:
    """Yield a running one."""
    storage = ObjectStorage()
    try:
        yield storage
    finally:
        storage.stop()


def now_and_then(status: int, every: int, *, only_conditional: bool = False) -> Fault:
    """Return a fault that answers ``status`` to each ``every``-th request, or each conditional one, from the first."""
    counts = itertools.count()

    def fault(method: str, path: str, headers: dict[str, str]) -> int | None:
        counts_here = not only_conditional or "if-none-match" in {name.lower() for name in headers}
        return status if counts_here and next(counts) % every == 0 else None

    return fault


class _Proxy(LoopbackHandler):
    owner: ObjectStorage

    def _forward(self) -> None:
        body = self._body()
        headers = dict(self.headers.items())
        with self.owner.lock:
            self.owner.requests.append((self.command, urlsplit(self.path).path))
            status = self.owner.fault(self.command, self.path, headers) if self.owner.fault else None
        if status is not None:
            code = {412: "PreconditionFailed", 403: "InvalidAccessKeyId"}.get(status, "SlowDown")
            told = f"<Error><Code>{code}</Code><AWSAccessKeyId>{KEY}</AWSAccessKeyId></Error>".encode()
            self.answer(status, told, {"Content-Type": "application/xml"}, with_body=self.command != "HEAD")
            return
        connection = http.client.HTTPConnection(*self.owner.behind)
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
        kept = {k: v for k, v in answer.getheaders() if k.lower() not in ("date", "server", "transfer-encoding")}
        if self.command != "HEAD":
            kept["Content-Length"] = str(len(data))
        self.answer(answer.status, data, kept, with_body=self.command != "HEAD")
        connection.close()

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        data = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def do_GET(self) -> None:
        self._forward()

    def do_PUT(self) -> None:
        self._forward()

    def do_POST(self) -> None:
        self._forward()

    def do_DELETE(self) -> None:
        self._forward()

    def do_HEAD(self) -> None:
        self._forward()
