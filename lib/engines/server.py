"""A Roboflow Inference Server as an engine: its embedding routes under ``/clip`` and ``/perception_encoder``.

What the server does, as measured: it takes 8 pictures per request by default and answers 500 without a message to more;
its vectors are not of unit length; for CLIP it resizes the short side to the model's input and crops the centre, for
Perception Encoder it squashes the whole picture, so frames are sent as that square already. Texts beyond the context
are refused for CLIP, and cut off silently for Perception Encoder.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import requests
from numpy.typing import NDArray

from lib.core.errors import (
    BadReplyError,
    EngineError,
    EngineUnavailableError,
    InputError,
    PromptTooLongError,
    UnknownModelError,
)
from lib.core.formatting import shortened
from lib.engines.checks import Preparation, check_images, check_texts, unit_rows
from lib.engines.clip_versions import DEFAULT_VERSION, find_server_model
from lib.engines.image_payload import payload
from lib.engines.server_client import Client, Reply, Timeouts
from lib.infra.http import RetryPolicy

DEFAULT_BATCH_SIZE = 8
"""Pictures per request: the server's own default limit (``CLIP_MAX_BATCH_SIZE``)."""
DEFAULT_CONCURRENCY = 2
"""Requests in flight: one is computed while the next one is on its way."""
_TEXT_BATCH_SIZE = 32
_IMAGES, _TEXTS = "embed_image", "embed_text"
_FIELDS = {_IMAGES: "image", _TEXTS: "text"}
_PROBE = " and so on"
_CUT = 0.9999
"""Least cosine of a text to the same one with words behind it where the server has cut these off."""
_MAX_QUOTE = 60  # characters
_SLOW_BATCH_S = 2.0
_NO_SUCH_MODEL = (
    "model package is broken",
    "could not retrieve model",
    "model loading failed",
    "could not negotiate model package",
    "requested roboflow resource not found",
    "invalid model id",
)


@dataclass(frozen=True)
class ServerReport:
    """What ``test_connection`` returns."""

    name: str
    """The server's own name."""
    version: str | None
    """Its version; None where it doesn't say."""
    model_id: str
    """The model that answered, for example ``clip/ViT-B-16``."""
    latency_s: float
    """Seconds for one text, with the model loaded."""
    images_per_s: float
    """Pictures per second at this engine's batch size and requests in flight."""


class ServerEngine:
    """CLIP or Perception Encoder on an inference server. Safe to use from several threads."""

    embeds_video = True

    def __init__(
        self,
        url: str,
        *,
        model_version: str = DEFAULT_VERSION,
        api_key: str | None = None,
        batch_size: int = DEFAULT_BATCH_SIZE,
        concurrency: int = DEFAULT_CONCURRENCY,
        timeouts: Timeouts | None = None,
        retries: RetryPolicy | None = None,
        on_progress: Callable[[Preparation], None] | None = None,
        session: requests.Session | None = None,
        sleep: Callable[[float], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        """Make an engine; nothing is sent yet.

        Args:
            url: address of the server, for example ``http://localhost:9001``.
            model_version: one of ``SERVER_MODELS``.
            api_key: sent in the ``Authorization`` header; in the body, or last in the URL, only where an old
                server refuses the header. It is in no message, log record or repr.
            batch_size: pictures per request at first; halved for good when the server refuses a batch.
            concurrency: requests in flight at once, over all threads.
            timeouts: time limits of a request.
            retries: how often a request is retried.
            on_progress: called once, when the first request loads the model.
            session: the HTTP session, for tests.
            sleep: waits before a retry, for tests; by default ``close`` interrupts it.
            clock: seconds that only grow, for tests.
            rng: source of the retries' jitter, for tests.

        Raises:
            InputError: the address, key, batch size or concurrency can't be used.
            UnknownModelError: there is no such model version.
        """
        if batch_size < 1 or concurrency < 1:
            raise InputError("Pictures a request and requests in flight must be 1 or more; try 8 and 2.")
        self._version = find_server_model(model_version)
        self._family = self._version.family
        self.id = f"{self._family.key}/{self._version.name}"  # as the server itself calls its model
        self.name = f"{self.title} (inference server)"
        self.framing = self._family.framing
        """What of a frame the model sees by itself."""
        self.dim, self.input_size = self._version.dim, self._version.input_size
        self._client = Client(
            url,
            api_key=api_key,
            concurrency=concurrency,
            timeouts=timeouts,
            retries=retries,
            session=session,
            sleep=sleep,
            clock=clock,
            rng=rng,
        )
        self.url = self._client.url
        """Address of the server."""
        self._requests_in_flight = concurrency
        self.concurrency = concurrency + 1
        """One call more than requests in flight: its pictures are encoded while the others are answered."""
        self._limits = {_IMAGES: batch_size, _TEXTS: _TEXT_BATCH_SIZE}
        self._lock = threading.Lock()
        self._on_progress = on_progress

    def limit_requests(self, gate: AbstractContextManager[object]) -> None:
        """Hold ``gate``, which several threads may enter at once, for each request from now on."""
        self._client.gate = gate

    def __repr__(self) -> str:
        return f"ServerEngine({self.url!r}, model_version={self._version.name!r})"

    @property
    def spec(self) -> tuple[str, str]:
        """What ``registry.make_engine`` makes it of, but for the key: address and model version."""
        return self.url, self._version.name

    @property
    def title(self) -> str:
        """Family and version for people: ``CLIP ViT-B/16``."""
        return f"{self._family.title} {self._version.title}"

    @property
    def batch_size(self) -> int:
        """Pictures per request; shrinks when the server refuses a batch."""
        return self._limits[_IMAGES]

    def unknown_words(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Return nothing: CLIP spells any word from parts."""
        return ()

    def embed_images(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return one unit row per picture (uint8 RGB), ``(n, dim)``, in requests of at most ``batch_size``.

        Raises:
            EngineUnavailableError: nothing answers, or the server stays overloaded.
            EngineAuthError: the key is missing or refused.
            UnknownModelError: the server doesn't have this version.
            BadReplyError: the answer can't be used.
            ValueError: a picture is not uint8 RGB.
        """
        check_images(images)
        return self._embed(
            _IMAGES, len(images), lambda part: [payload(image, self.input_size, self.framing) for image in images[part]]
        )

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit row per text, ``(n, dim)``.

        Raises:
            PromptTooLongError: a text has more tokens than the model reads; the message names it.
            InputError: a text is empty.
            EngineError: as ``embed_images``.
        """
        check_texts(texts)
        rows = self._embed(_TEXTS, len(texts), lambda part: list(texts[part]))
        if self._family.cuts_texts:
            self._check_whole(texts, rows)
        return rows

    def reach(self) -> None:
        """Ask the server for a sign of life, without the key and without loading a model.

        Raises:
            EngineUnavailableError: nothing answers.
        """
        self._client.get("/info")

    def test_connection(self) -> ServerReport:
        """Ask the server who it is and how fast it answers; a few seconds, more while it loads the model.

        Raises:
            EngineError: as ``embed_images``.
        """
        info = self._client.get("/info")
        if info.is_page:
            raise self._no_inference_server()
        about = info.body if info.status == 200 and isinstance(info.body, dict) else {}
        words = ["a photo of a street", "a photo of a building"]
        self.embed_texts(words[:1])  # loads the model
        begun = time.perf_counter()
        self.embed_texts(words[1:])
        latency_s = time.perf_counter() - begun
        return ServerReport(
            name=self._field_of(about, "name") or "Inference server",
            version=self._field_of(about, "version"),
            model_id=self.id,
            latency_s=latency_s,
            images_per_s=self._images_per_s(),
        )

    def close(self) -> None:
        """Close the connections; a retry that waits ends at once."""
        self._client.close()

    def _field_of(self, about: dict[str, object], field: str) -> str | None:
        value = about.get(field)
        return shortened(self._client.without_key(str(value)), _MAX_QUOTE) if value else None

    def _images_per_s(self) -> float:
        """Return the speed of one batch, or, when that is quick, of one batch per request in flight."""
        side = self.input_size
        blocks = np.random.default_rng(0).integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8)
        picture = blocks.repeat(8, axis=0).repeat(8, axis=1)
        begun = time.perf_counter()
        batch = [picture] * self.batch_size
        self.embed_images(batch)
        elapsed = time.perf_counter() - begun
        if elapsed > _SLOW_BATCH_S or self._requests_in_flight == 1:
            return len(batch) / elapsed
        batch = [picture] * self.batch_size
        begun = time.perf_counter()
        with ThreadPoolExecutor(self._requests_in_flight) as pool:
            list(pool.map(self.embed_images, [batch] * self._requests_in_flight))
        return len(batch) * self._requests_in_flight / (time.perf_counter() - begun)

    def _check_whole(self, texts: Sequence[str], rows: NDArray[np.float32]) -> None:
        """Refuse texts that the server has cut off: more words behind them make no difference then.

        A token is one byte at least, so that short texts need no request for this. A text that fills the context to the
        last token can't be told from one that is cut off, and is refused too.
        """
        long = [index for index, text in enumerate(texts) if len(text.encode()) > self._version.context - 2]
        longer = [texts[index] + _PROBE for index in long]
        cosines = np.sum(self._embed(_TEXTS, len(long), lambda part: list(longer[part])) * rows[long], axis=1)
        for index in np.array(long, int)[cosines > _CUT]:
            raise PromptTooLongError(
                f"The prompt “{shortened(texts[index], _MAX_QUOTE)}” fills or exceeds the {self._version.context} "
                f"tokens that {self.title} can read, and the server cuts off the rest; shorten it."
            )

    def _embed(self, route: str, count: int, encode: Callable[[slice], list[object]]) -> NDArray[np.float32]:
        """Return the vectors of ``count`` items, by requests; ``encode`` makes the items of a slice."""
        rows = [np.empty((0, self.dim), np.float32)]
        begin, limit = 0, self._limits[route]
        while begin < count:
            size = min(limit, count - begin)
            chunk = encode(slice(begin, begin + size))
            reply = self._ask(route, chunk)
            if size > 1 and (_is_too_much(reply) or _is_too_long(reply)):
                limit = size // 2  # down to the one that is refused, or to what the server takes at a time
                continue
            if route == _TEXTS and count > 1 and _is_too_much(reply):
                other = encode(slice(1) if begin else slice(1, 2))
                if self._ask(route, other).status == 200:
                    raise self._refused_text(reply, str(chunk[0]))
            rows.append(self._rows(reply, chunk, route))
            begin += size
        with self._lock:  # only now: smaller requests have passed where a larger one did not
            self._limits[route] = min(self._limits[route], limit)
        return np.concatenate(rows)

    def _ask(self, route: str, chunk: list[object]) -> Reply:
        with self._lock:
            on_progress, self._on_progress = (
                (None, self._on_progress) if self._client.answered else (self._on_progress, None)
            )
        if on_progress:
            on_progress(
                Preparation(
                    f"The inference server at {self.url} loads {self._version.name}; "
                    "the first time it downloads the weights, which can take a minute or two."
                )
            )
        body: dict[str, object] = {_FIELDS[route]: chunk, self._family.version_field: self._version.name}
        return self._client.post(f"/{self._family.key}/{route}", body)

    def _rows(self, reply: Reply, chunk: list[object], route: str) -> NDArray[np.float32]:
        """Return the unit rows of ``reply``, or raise what it says."""
        who = f"The inference server at {self.url}"
        if reply.status != 200:
            raise self._refusal(reply, chunk, route)
        if not isinstance(reply.body, dict):
            if reply.is_page:
                raise self._no_inference_server()
            raise BadReplyError(
                f"{who} gave an answer that is no JSON object; check the address, and that nothing stands between."
            )
        self._check_model(reply.body)
        return unit_rows(
            reply.body.get("embeddings"),
            count=len(chunk),
            dim=self.dim,
            who=who,
            advice=f"Check that it really serves {self.id}, and update it.",
        )

    def _refused_text(self, reply: Reply, text: str) -> BadReplyError:
        error = BadReplyError(
            f"The inference server at {self.url} fails on the prompt “{shortened(text, _MAX_QUOTE)}” "
            f"({_said(reply)}), and not on others; shorten or reword it."
        )
        error.concerns_one_text = True
        return error

    def _refusal(self, reply: Reply, chunk: list[object], route: str) -> EngineError:
        who = f"The inference server at {self.url}"
        said = _said(reply)
        message = reply.message.lower()
        single = "picture" if route == _IMAGES else "text"
        if _is_too_long(reply):
            return PromptTooLongError(
                f"The prompt “{shortened(str(chunk[0]), _MAX_QUOTE)}” is longer than the {self._version.context} "
                f"tokens {self._version.title} can read; shorten it."
            )
        if any(sentence in message for sentence in _NO_SUCH_MODEL):
            return UnknownModelError(
                f"{who} has no usable {self.id} ({said}); choose another version, "
                "or let the server download it (it needs a network and may need an API key)."
            )
        if reply.status in (404, 405):
            return self._no_inference_server(route)
        if reply.status == 413:
            return BadReplyError(
                f"{who} takes no request as large as a single {single} ({said}); raise the limit there, or of the "
                "proxy before it (client_max_body_size in nginx)."
            )
        if reply.is_page:
            return BadReplyError(
                f"{who} answers with a web page ({said}): a proxy or firewall before it fails or refuses the request; "
                "look at its log, and check the address."
            )
        if "could not load input image" in message:
            return BadReplyError(
                f"{who} could not read a picture it was sent ({said}); something between may change "
                "requests, or the server is damaged: reinstall it."
            )
        if reply.status in (402, 423):
            return EngineUnavailableError(
                f"{who} won't work for this account ({said}); check its credits, or use a server of your own."
            )
        if reply.status >= 500:
            return BadReplyError(f"{who} fails even on a single {single} ({said}); look at its log, or restart it.")
        return BadReplyError(f"{who} refuses the request ({said}); check its version and address.")

    def _check_model(self, body: dict[str, object]) -> None:
        """Refuse vectors of another model: they would be kept under this name. Old servers don't say."""
        resolved = body.get("resolved_model")
        answered = str(resolved.get("model_id") or "") if isinstance(resolved, dict) else ""
        if answered and answered.rpartition("/")[2].lower() != self._version.name.lower():
            model_id = shortened(self._client.without_key(answered), _MAX_QUOTE)
            raise UnknownModelError(
                f"The inference server at {self.url} answered with {model_id} "
                f"where {self.id} was asked for; choose that version, or update the server."
            )

    def _no_inference_server(self, route: str = "") -> BadReplyError:
        title = self._family.title
        lacks = f" at /{self._family.key}/{route}" if route else ""
        return BadReplyError(
            f"What answers at {self.url} is no inference server with {title}{lacks}; check the address and port "
            f"(usually 9001), and that {title} is switched on there."
        )


def _said(reply: Reply) -> str:
    return f"{reply.status} “{reply.message}”" if reply.message else str(reply.status)


def _is_too_long(reply: Reply) -> bool:
    return reply.status == 400 and "too long" in reply.message.lower()


def _is_too_much(reply: Reply) -> bool:
    """Return whether a smaller batch may pass: 413, or 500 for no other reason (the server gives none)."""
    named = any(sentence in reply.message.lower() for sentence in _NO_SUCH_MODEL)
    return reply.status == 413 or (reply.status == 500 and not named)
