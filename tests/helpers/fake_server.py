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
import hashlib
import io
import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lib.engines.server import ServerEngine
from tests.helpers.loopback import LoopbackHandler, LoopbackServer

Connect = Callable[..., ServerEngine]

DIMS = {
    "RN50": 1024,
    "RN101": 512,
    "RN50x4": 640,
    "RN50x16": 768,
    "RN50x64": 1024,
    "ViT-B-16": 512,
    "ViT-B-32": 512,
    "ViT-L-14": 768,
    "ViT-L-14-336px": 768,
    "PE-Core-B16-224": 1024,
    "PE-Core-L14-336": 1024,
    "PE-Core-G14-448": 1280,
}
VERSION_FIELDS = {"clip": "clip_version_id", "perception_encoder": "perception_encoder_version_id"}
_PE_CONTEXTS = {"PE-Core-B16-224": 32, "PE-Core-L14-336": 32, "PE-Core-G14-448": 72}
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
    "Error with model input. Cause: Text input is too long for the model context length. Shorten the text and retry."
)


@dataclass
class Faults:
    """What goes wrong, and how often; all off by default. Change them while the server runs."""

    latency_s: float = 0.0
    """Seconds each embedding request takes."""
    per_item_s: float = 0.0
    """Seconds more for each picture or text."""
    weights: int = 0
    """Another number stands for other weights under the same name."""
    max_images: int = 8
    """More pictures than this in a request: 500 ``Internal error.``, without a reason."""
    broken_images: bool = False
    """500 ``Internal error.`` for any picture."""
    first: int = 0
    """The first so many embedding requests fail, with ``status`` or in ``manner``."""
    status: int = 503
    message: str = "Model is temporarily not ready - retry request."
    retry_after: str | None = None
    manner: str = "status"
    """How those fail: ``status``, ``reset`` (connection reset), ``hang`` (no answer until the end)."""
    key: str | None = None
    """The only key that is accepted; anything else: ``refusal``."""
    key_places: tuple[str, ...] = ("header", "body", "query")
    """Where this server looks for the key; old ones don't read the header."""
    refusal: int = 401
    versions: tuple[str, ...] = tuple(DIMS)
    """Versions it has; others: 500 ``Model package is broken.``"""
    body: bytes | None = None
    """Answered to every embedding request in place of vectors, as it is."""
    content_type: str = "application/json"
    no_clip: bool = False
    """404 for the CLIP routes."""
    no_pe: bool = False
    """404 for Perception Encoder's routes, as where it is switched off."""
    about: dict[str, str] = field(
        default_factory=lambda: {"name": "Roboflow Inference Server", "version": "1.8.3", "uuid": "fake"}
    )
    """Answered to ``/info``."""
    page: bool = False
    """A web page for every GET, as any other program on that port may answer."""
    no_info: bool = False
    """404 for ``/info``, as on old servers."""
    old: bool = False
    """No ``resolved_model`` in replies."""
    resolved: str | None = None
    """Another ``model_id`` than the one asked for."""
    redirect: str | None = None
    """307 to this address for everything."""
    spoil: str | None = None
    """Wrong with the vectors: ``nan``, ``inf``, ``zero``, ``huge``, ``subnormal``, ``count``, ``dim``,
    ``ragged`` or ``text``."""
    unreadable_images: bool = False
    """400 ``Could not load input image.`` for any picture."""
    bad_text: str | None = None
    """500 ``Internal error.`` for any texts with this one among them."""
    page_status: int | None = None
    """A web page with this status for every embedding request."""
    echo_key: bool = False
    """Error messages repeat the key that was sent."""


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
    tls: ssl.SSLContext | None = None
    """Serves https with it."""

    def __enter__(self) -> FakeServer:
        self._lock = threading.Lock()
        self._in_flight = 0
        self._failures = 0
        self._server = LoopbackServer(_Handler, self, self.tls)
        self.url = self._server.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.stop()

    def reset(self) -> None:
        """Forget what was seen; the count of first failures starts from zero."""
        with self._lock:
            self.seen.clear()
            self.images.clear()
            self.max_in_flight = self._failures = 0

    def vectors(self, items: list[Any], version: str = "ViT-B-16") -> NDArray[np.float64]:
        """Return what this server answers to ``items`` (RGB arrays or texts), as it is on the wire."""
        dim = DIMS[version]
        rows = np.stack([_vector(item, dim) for item in items])
        if version in _PE_CONTEXTS and isinstance(items[0], str):  # each word has a say, as in a real model
            rows += 0.1 * np.stack([_of_hash(text, dim) for text in items])
        return np.roll(rows, self.faults.weights, axis=1)

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


class _Handler(LoopbackHandler):
    owner: FakeServer
    _counted = False

    def do_GET(self) -> None:
        faults = self.owner.faults
        if faults.redirect:
            self.answer(307, b"", {"Location": faults.redirect + self.path})
        elif faults.page:
            self.answer(200, b"<!doctype html><title>Hello</title>", {"Content-Type": "text/html"})
        elif self.path == "/info" and not faults.no_info:
            self.answer(200, json.dumps(faults.about).encode())
        else:
            self._say(404, "", detail="Not Found")

    def do_POST(self) -> None:
        owner, faults = self.owner, self.owner.faults
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if faults.redirect:
            self.answer(307, b"", {"Location": faults.redirect + self.path})
            return
        family, _, route = urlsplit(self.path).path.strip("/").partition("/")
        off = {"clip": faults.no_clip, "perception_encoder": faults.no_pe}.get(family, True)
        if off or route not in ("embed_image", "embed_text"):
            self._say(404, "", detail="Not Found")
            return
        body = json.loads(raw)
        items = body.get("image", body.get("text"))
        items = items if isinstance(items, list) else [items]
        headers = {name.lower(): value for name, value in self.headers.items()}
        fails = owner.begin(Seen("POST", self.path, headers, body, len(items), self.client_address))
        self._counted = True
        try:
            busy_s = faults.latency_s + faults.per_item_s * len(items)
            if busy_s:
                self.server.wait(busy_s)
            if fails:
                self._fail()
            else:
                self._embed(body, items, family)
        finally:
            self._count_out()

    def _count_out(self) -> None:
        if self._counted:
            self._counted = False
            self.owner.end()

    def answer(
        self, status: int, data: bytes, headers: dict[str, str] | None = None, *, with_body: bool = True
    ) -> None:
        self._count_out()  # before the answer: after it the client's next request may be here first
        super().answer(status, data, headers, with_body=with_body)

    def _fail(self) -> None:
        faults = self.owner.faults
        if faults.manner == "status":
            extra = {"Retry-After": faults.retry_after} if faults.retry_after else {}
            self._say(faults.status, faults.message, extra)
        elif faults.manner == "hang":
            self.hang()
        elif faults.manner == "reset":
            self.reset()
        else:
            raise AssertionError(f"unknown manner {faults.manner!r}")

    def _embed(self, body: dict[str, Any], items: list[Any], family: str) -> None:
        faults = self.owner.faults
        version = body.get(VERSION_FIELDS[family], "ViT-B-16" if family == "clip" else "PE-Core-L14-336")
        sent = self._sent_keys(body)
        if faults.key is not None:
            found = [sent[place] for place in faults.key_places if place in sent]
            if faults.key not in found:
                echo = f" (got {found or list(sent.values())})" if faults.echo_key else ""
                self._say(faults.refusal, f"Unauthorized api_key{echo}")
                return
        if version not in faults.versions:
            self._say(500, "Model package is broken.")
        elif faults.page_status:
            self.answer(faults.page_status, b"<html>nginx</html>", {"Content-Type": "text/html"})
        elif faults.body is not None:
            self.answer(200, faults.body, {"Content-Type": faults.content_type})
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
        faults = self.owner.faults
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
            self.owner.keep(images[-1])
        self._reply(images, version)

    def _embed_texts(self, items: list[Any], version: str) -> None:
        if not items or self.owner.faults.bad_text in items:
            self._say(500, "Internal error.")
        elif version in _PE_CONTEXTS:  # cut off without a word
            self._reply([" ".join(text.split()[: _PE_CONTEXTS[version] - 2]) for text in items], version)
        elif any(len(text.split()) + 2 > _CONTEXT_TOKENS for text in items):  # a word a token, start and end
            self._say(400, _TOO_LONG)
        else:
            self._reply(items, version)

    def _reply(self, items: list[Any], version: str) -> None:
        faults = self.owner.faults
        rows: list[Any] = self.owner.vectors(items, version).tolist()
        if faults.spoil == "nan":
            rows[-1][3] = float("nan")
        elif faults.spoil == "inf":
            rows[-1][3] = float("inf")
        elif faults.spoil in ("huge", "subnormal"):
            rows[-1] = [1e200 if faults.spoil == "huge" else 5e-324] * len(rows[-1])
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
            family = "perception_encoder" if version in _PE_CONTEXTS else "clip"
            reply["resolved_model"] = {"model_id": faults.resolved or f"{family}/{version}", "backend": None}
        self.answer(200, json.dumps(reply).encode())

    def _say(self, status: int, message: str, extra: dict[str, str] | None = None, **fields: str) -> None:
        content: dict[str, str] = {"message": message} if message else {}
        self.answer(status, json.dumps(content | fields).encode(), extra or {})


def toy_vectors(items: list[Any], dim: int = DIMS["ViT-B-16"]) -> NDArray[np.float64]:
    """Return the toy vectors of RGB arrays or texts, ``(n, dim)``."""
    return np.stack([_vector(item, dim) for item in items]) if items else np.empty((0, dim))


def _vector(item: Any, dim: int) -> NDArray[np.float64]:
    """Return the toy vector of a picture or a text: its colour in fixed random directions, norm about 10."""
    if isinstance(item, str):
        colours = [COLOURS[word] for word in item.lower().split() if word in COLOURS]
        if not colours:
            return _of_hash(item, dim)
        rgb = np.mean(colours, axis=0)
    else:
        rgb = np.asarray(item, np.float64).reshape(-1, 3).mean(axis=0) / 255
    directions = np.random.default_rng(dim).standard_normal((4, dim))
    return 10 / np.sqrt(dim) * (np.append(rgb, 0.2) @ directions)


def _of_hash(text: str, dim: int) -> NDArray[np.float64]:
    digest = hashlib.sha256(text.encode()).digest()
    return 10 / np.sqrt(dim) * np.random.default_rng(list(digest)).standard_normal(dim)
