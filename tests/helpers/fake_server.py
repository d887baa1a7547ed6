"""A stand-in for the inference server on 127.0.0.1, made after its measured protocol, with faults on demand.

It decodes the pictures it receives and answers toy vectors: from a picture's mean colour, from the colour
words of a text (``red`` gives the vector of a red picture), else from the text's hash. Not of unit length, as
the real one's.

::

    with FakeServer() as server:
        engine = ServerEngine(server.url)
        ...
        assert server.max_in_flight == 2
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import io
import json
import socket
import struct
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.helpers.server_faults import DIMS, Faults

__all__ = ["DIMS", "FakeServer", "Faults", "Seen"]

COLOURS = {
    "red": (1.0, 0.0, 0.0),
    "green": (0.0, 1.0, 0.0),
    "blue": (0.0, 0.0, 1.0),
    "white": (1.0, 1.0, 1.0),
    "black": (0.0, 0.0, 0.0),
    "grey": (0.5, 0.5, 0.5),
    "yellow": (1.0, 1.0, 0.0),
}
_CONTEXT_TOKENS = 77
_TOO_LONG = (
    "Error with model input. Cause: Text input is too long for the model context length. "
    "Shorten the text and retry."
)


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    target: str
    """Path with the query, as an access log would hold it."""
    headers: dict[str, str]
    """Names in lower case."""
    body: dict[str, Any]
    items: int
    """Pictures or texts in it."""
    connection: tuple[str, int]
    """The client's address: the same one for two requests means the same connection."""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path


@dataclass
class FakeServer:
    """An inference server, entered with ``with``; what it counts are embedding requests only."""

    faults: Faults = field(default_factory=Faults)
    seen: list[Seen] = field(default_factory=list)
    images: list[NDArray[np.uint8]] = field(default_factory=list)
    """The last 64 pictures received, decoded, RGB."""
    max_in_flight: int = 0
    url: str = ""

    def __enter__(self) -> FakeServer:
        self._lock = threading.Lock()
        self._in_flight = 0
        self._failures = 0
        self._ends = threading.Event()
        outer = self

        class Handler(_Handler):
            server_owner = outer

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, name="fake-server", daemon=True
        )
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._ends.set()
        self._server.shutdown()
        self._server.break_connections()
        self._server.server_close()
        self._thread.join(5)
        assert not self._server.errors, f"the stand-in server itself failed: {self._server.errors}"

    def reset(self) -> None:
        """Forget what was seen; the count of first failures begins anew."""
        with self._lock:
            self.seen.clear()
            self.images.clear()
            self.max_in_flight = self._failures = 0

    def vectors(self, items: list[Any], version: str = "ViT-B-16") -> NDArray[np.float64]:
        """Return what this server answers to ``items`` (RGB arrays or texts), as it is on the wire."""
        return np.stack([_vector(item, DIMS[version]) for item in items])

    def begin(self, seen: Seen) -> bool:
        """Count an embedding request; return whether it must fail."""
        with self._lock:
            self.seen.append(seen)
            self._in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self._in_flight)
            fails = self._failures < self.faults.first
            self._failures += fails
            return fails

    def end(self) -> None:
        """Count it out again."""
        with self._lock:
            self._in_flight -= 1

    def keep(self, image: NDArray[np.uint8]) -> None:
        """Remember a picture."""
        with self._lock:
            self.images.append(image)
            del self.images[:-64]

    def wait(self, seconds: float | None = None) -> None:
        """Wait, at most until the server ends."""
        self._ends.wait(seconds)


class _Server(ThreadingHTTPServer):
    """Ends all it began: kept-alive connections are broken, their threads joined."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 32

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.errors: list[BaseException] = []
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def break_connections(self) -> None:
        with self._open_lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if isinstance(error, ConnectionError):  # a client that went away is no fault
            return
        assert error is not None
        self.errors.append(error)


class _Handler(BaseHTTPRequestHandler):
    server_owner: FakeServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        faults = self.server_owner.faults
        if faults.redirect:
            self._answer(307, b"", {"Location": faults.redirect + self.path})
        elif faults.page:
            self._answer(200, b"<!doctype html><title>Hello</title>", {"Content-Type": "text/html"})
        elif self.path == "/info" and not faults.no_info:
            self._answer(200, json.dumps(faults.about).encode())
        else:
            self._say(404, "", detail="Not Found")

    def do_POST(self) -> None:
        owner, faults = self.server_owner, self.server_owner.faults
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if faults.redirect:
            self._answer(307, b"", {"Location": faults.redirect + self.path})
            return
        if urlsplit(self.path).path not in ("/clip/embed_image", "/clip/embed_text") or faults.no_clip:
            self._say(404, "", detail="Not Found")
            return
        body = json.loads(raw)
        items = body.get("image", body.get("text"))
        items = items if isinstance(items, list) else [items]
        headers = {name.lower(): value for name, value in self.headers.items()}
        fails = owner.begin(Seen("POST", self.path, headers, body, len(items), self.client_address))
        try:
            busy_s = faults.latency_s + faults.per_item_s * len(items)
            if busy_s:
                owner.wait(busy_s)
            if fails:
                self._fail()
            else:
                self._embed(body, items)
        finally:
            owner.end()

    def _fail(self) -> None:
        faults = self.server_owner.faults
        if faults.manner == "status":
            extra = {"Retry-After": faults.retry_after} if faults.retry_after else {}
            self._say(faults.status, faults.message, extra)
            return
        if faults.manner == "hang":
            self.server_owner.wait(30)
        elif faults.manner == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            raise AssertionError(f"unknown manner {faults.manner!r}")
        self.close_connection = True
        self.connection.close()

    def _embed(self, body: dict[str, Any], items: list[Any]) -> None:
        faults = self.server_owner.faults
        version = body.get("clip_version_id", "ViT-B-16")
        sent = self._sent_keys(body)
        if faults.key is not None:
            found = [sent[place] for place in faults.key_places if place in sent]
            if faults.key not in found:
                echo = f" (got {found or list(sent.values())})" if faults.echo_key else ""
                self._say(faults.refusal, f"Unauthorized api_key{echo}")
                return
        if version not in faults.versions:
            self._say(500, "Model package is broken.")
        elif faults.body is not None:
            self._answer(200, faults.body, {"Content-Type": faults.content_type})
        elif "image" in body:
            self._embed_images(items, version)
        else:
            self._embed_texts(items, version)

    def _sent_keys(self, body: dict[str, Any]) -> dict[str, str]:
        sent = {}
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme == "Bearer":
            sent["header"] = token
        if "api_key" in body:
            sent["body"] = body["api_key"]
        query = parse_qs(urlsplit(self.path).query)
        if "api_key" in query:
            sent["query"] = query["api_key"][0]
        return sent

    def _embed_images(self, items: list[Any], version: str) -> None:
        faults = self.server_owner.faults
        if faults.broken_images or len(items) > faults.max_images:
            self._say(500, "Internal error.")
            return
        images = []
        for item in items:
            try:
                data = base64.b64decode(item["value"], validate=True)
                images.append(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))
            except (binascii.Error, OSError):
                data = b""
            if not data or faults.unreadable_images:
                self._say(400, "Could not load input image. Cause: Empty image payload.")
                return
            self.server_owner.keep(images[-1])
        self._reply(images, version)

    def _embed_texts(self, items: list[Any], version: str) -> None:
        if not items:
            self._say(500, "Internal error.")
        elif any(len(text.split()) + 2 > _CONTEXT_TOKENS for text in items):  # a word a token, start and end
            self._say(400, _TOO_LONG)
        else:
            self._reply(items, version)

    def _reply(self, items: list[Any], version: str) -> None:
        faults = self.server_owner.faults
        rows: list[Any] = self.server_owner.vectors(items, version).tolist()
        if faults.spoil == "nan":
            rows[-1][3] = float("nan")
        elif faults.spoil == "inf":
            rows[-1][3] = float("inf")
        elif faults.spoil == "zero":
            rows[-1] = [0.0] * len(rows[-1])
        elif faults.spoil == "count":
            rows = rows[:-1]
        elif faults.spoil == "dim":
            rows = [row[:-1] for row in rows]
        elif faults.spoil == "ragged":
            rows[-1] = rows[-1][:-1] if len(rows) > 1 else "none"
        elif faults.spoil == "text":
            rows[-1] = ["a"] * len(rows[-1])
        reply: dict[str, Any] = {"inference_id": None, "time": 0.01, "embeddings": rows}
        if not faults.old:
            reply["resolved_model"] = {"model_id": faults.resolved or f"clip/{version}", "backend": None}
        self._answer(200, json.dumps(reply).encode())

    def _say(self, status: int, message: str, extra: dict[str, str] | None = None, **fields: str) -> None:
        content: dict[str, str] = {"message": message} if message else {}
        self._answer(status, json.dumps(content | fields).encode(), extra or {})

    def _answer(self, status: int, data: bytes, extra: dict[str, str] | None = None) -> None:
        headers = {"Content-Type": "application/json", "Content-Length": str(len(data)), **(extra or {})}
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def toy_vectors(items: list[Any], dim: int = DIMS["ViT-B-16"]) -> NDArray[np.float64]:
    """Return the toy vectors of RGB arrays or texts, ``(n, dim)``."""
    return np.stack([_vector(item, dim) for item in items]) if items else np.empty((0, dim))


def _vector(item: Any, dim: int) -> NDArray[np.float64]:
    """Return the toy vector of a picture or a text: its colour in fixed random directions, norm about 10."""
    if isinstance(item, str):
        colours = [COLOURS[word] for word in item.lower().split() if word in COLOURS]
        if not colours:
            digest = hashlib.sha256(item.encode()).digest()
            return 10 / np.sqrt(dim) * np.random.default_rng(list(digest)).standard_normal(dim)
        rgb = np.mean(colours, axis=0)
    else:
        rgb = np.asarray(item, np.float64).reshape(-1, 3).mean(axis=0) / 255
    directions = np.random.default_rng(dim).standard_normal((4, dim))
    return 10 / np.sqrt(dim) * (np.append(rgb, 0.2) @ directions)
