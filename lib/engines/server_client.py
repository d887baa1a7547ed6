"""One inference server over HTTP: where it wants the API key, and its time limits.

Retries are in ``infra.http``; what an answer means is in ``server``.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal
from urllib.parse import urlsplit

import requests

from lib.core.errors import EngineAuthError, EngineUnavailableError
from lib.infra.address import check_key, is_loopback, normalise_url
from lib.infra.http import (
    Outcome,
    Retrier,
    RetryPolicy,
    Service,
    json_of,
    message_of,
    new_session,
    send,
)
from lib.infra.redaction import without_key

KeyPlace = Literal["header", "body", "query"]
_KEY_PLACES: tuple[KeyPlace, ...] = ("header", "body", "query")


@dataclass(frozen=True)
class Timeouts:
    """Time limits of one request."""

    connect_s: float = 5.0
    """Seconds to reach the server."""
    read_s: float = 120.0
    """Seconds until the answer is there, whole; 8 pictures of the largest model take a slow CPU over a minute."""
    first_s: float = 300.0
    """The same until the first answer, since the server loads the model then and may download its weights."""


@dataclass(frozen=True)
class Reply:
    """An answer that is neither a refused key nor worth a retry."""

    status: int
    body: Any
    """The parsed JSON, or None."""
    message: str
    """The server's own words, shortened to one line and without the key; may be empty."""
    is_page: bool
    """Whether it is a web page."""


class Client:
    """Posts JSON to one server, at most ``concurrency`` requests at a time. Safe to use from many threads."""

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        concurrency: int = 2,
        timeouts: Timeouts | None = None,
        retries: RetryPolicy | None = None,
        session: requests.Session | None = None,
        sleep: Callable[[float], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        """``session``, ``sleep``, ``clock``, ``rng`` are for tests; by default closing interrupts a wait."""
        self.url = normalise_url(url)
        self._key = check_key(api_key)
        self._timeouts = timeouts or Timeouts()
        self._closed = threading.Event()
        policy = retries or RetryPolicy()
        self._retrier = Retrier(policy, wait=sleep or self._closed.wait, clock=clock, rng=rng)
        self._once_more = Retrier(
            replace(policy, attempts=min(policy.attempts, 2)), wait=sleep or self._closed.wait, clock=clock, rng=rng
        )
        self._slots = threading.BoundedSemaphore(concurrency)
        self.gate: AbstractContextManager[object] = contextlib.nullcontext()
        """Also held for each request: where several machines ask one server, it is what limits all of them."""
        self._key_place = _KEY_PLACES[0]
        self._key_works = False
        self.answered = False
        """Whether any embedding request was answered; until then the long time limit holds."""
        self._session = new_session(trust_env=not is_loopback(self.url), connections=concurrency, session=session)

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    def without_key(self, text: str) -> str:
        """Return ``text``, some words of the server, without the key; call it before repeating any."""
        return without_key(text, self._key)

    def close(self) -> None:
        """Close the connections and end every wait; later requests are refused."""
        self._closed.set()
        self._session.close()

    def get(self, path: str) -> Reply:
        """Return the answer to a GET of ``path``, sent without the key.

        Raises:
            EngineUnavailableError: nothing answers.
        """
        read_s = min(self._timeouts.read_s, 10.0)
        return self._reply(self._once_more, read_s, partial(self._send, "GET", path, None, None, read_s))

    def post(self, path: str, body: dict[str, object]) -> Reply:
        """Return the answer to ``body`` posted to ``path``; the key is in the header unless an old server refuses that.

        Raises:
            EngineUnavailableError: nothing answers, or the server stays overloaded, in spite of all retries.
            EngineAuthError: the key is missing or refused, wherever it is put.
        """
        first_s = 0.0 if self.answered else self._timeouts.first_s
        read_s = max(first_s, self._timeouts.read_s)
        place = self._key_place
        while True:
            reply = self._reply(self._retrier, read_s, partial(self._send, "POST", path, body, place, read_s))
            if not _is_refusal(reply):
                break
            place = self._next_place(place, reply)
        if reply.status == 200:
            self._key_place, self._key_works, self.answered = place, True, True
        return reply

    def _reply(self, retrier: Retrier, read_s: float, send: Callable[[], Outcome]) -> Reply:
        response = retrier.request(send, self._service, key=self._key, read_s=read_s)
        body = json_of(response)
        is_page = body is None and response.content.lstrip()[:1] == b"<"
        reply = Reply(response.status_code, body, message_of(response, self._key), is_page)
        return self._without_redirect(response, reply)

    @property
    def _service(self) -> Service:
        loading = "the first request loads the model and may download its weights: "
        return Service(
            f"the inference server at {self.url}",
            tls="check the address, or use http:// if the server has no TLS",
            timeout="look at its log, it may be overloaded"
            if self.answered
            else f"{loading}look at its log and try again in a minute or two",
            unreachable="start it, or choose the embedded engine",
            disconnected="look at its log, it may have crashed or run out of memory",
            busy="wait a little and run it again, what is embedded is kept",
            overloaded="look at its log and run it again, what is embedded is kept",
            other="check the address",
        )

    def _send(
        self, method: str, path: str, body: dict[str, object] | None, place: KeyPlace | None, read_s: float
    ) -> Outcome:
        """Send one request, with the key in ``place``."""
        headers: dict[str, str] = {}
        query: dict[str, str] = {}
        if self._key and place == "header":
            headers["Authorization"] = f"Bearer {self._key}"
        elif self._key and place == "body":
            body = {**(body or {}), "api_key": self._key}
        elif self._key and place == "query":
            query["api_key"] = self._key
        with self._slots, self.gate:
            if self._closed.is_set():
                raise EngineUnavailableError("The engine was closed; choose it again to go on.")
            return send(
                self._session,
                method,
                self.url + path,
                params=query,
                json=body,
                headers=headers,
                timeout=(self._timeouts.connect_s, read_s),
            )

    def _without_redirect(self, response: requests.Response, reply: Reply) -> Reply:
        if not 300 <= reply.status < 400:
            return reply
        where = ""
        with contextlib.suppress(ValueError):  # a port or an IPv6 address that is none
            target = urlsplit(response.headers.get("Location", ""))
            port = f":{target.port}" if target.port else ""
            where = f" to {target.scheme}://{target.hostname}{port}" if target.hostname and target.scheme else ""
        raise EngineUnavailableError(
            f"The address {self.url} redirects elsewhere{where}; enter the address of the inference server itself."
        )

    def _next_place(self, place: KeyPlace, reply: Reply) -> KeyPlace:
        """Return where to put the key after ``place`` was refused; only old servers don't read the header.

        The URL comes last, and only at a server that is known to be old: access logs would hold the key.
        """
        said = f" ({reply.status} “{reply.message}”)" if reply.message else f" ({reply.status})"
        if not self._key:
            raise EngineAuthError(
                f"The inference server at {self.url} wants an API key{said}; enter one, or set ROBOFLOW_API_KEY."
            )
        if self._key_works and place != self._key_place:
            return self._key_place  # another thread has learned it meanwhile
        following = _KEY_PLACES[_KEY_PLACES.index(place) + 1 :][:1]
        if self._key_works or not following or (following[0] == "query" and not self._is_old()):
            raise EngineAuthError(
                f"The inference server at {self.url} refuses the API key{said}; "
                "check that it is whole, still valid and of the right workspace."
            )
        return following[0]

    def _is_old(self) -> bool:
        """Return whether the server gives no version, or one below 1: those may want the key in the URL."""
        reply = self.get("/info")
        version = str(reply.body.get("version", "")) if isinstance(reply.body, dict) else ""
        major = version.partition(".")[0]
        return not major.isdecimal() or not major.strip("0")


def _is_refusal(reply: Reply) -> bool:
    if reply.is_page:
        return False  # of a proxy or firewall, which knows no key
    return reply.status in (401, 403) or (reply.status == 400 and "API key is missing" in reply.message)
