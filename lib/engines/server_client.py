"""One inference server over HTTP: keep-alive, time limits, retries, and an API key that stays out of sight.

It knows how to get an answer, not what the answer means; that is ``server``'s.
"""

from __future__ import annotations

import email.utils
import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ReadTimeoutError

from lib.core.errors import EngineAuthError, EngineUnavailableError
from lib.infra.address import check_key, hide_keys_in_logs, is_loopback, normalise_url, without_key

_RETRIED = frozenset({429, 502, 503, 504})
_LONGEST_ECHO = 200
_KEY_PLACES: tuple[Literal["header", "body", "query"], ...] = ("header", "body", "query")


@dataclass(frozen=True)
class Timeouts:
    """Time limits of one request."""

    connect_s: float = 5.0
    """Seconds to reach the server."""
    read_s: float = 120.0
    """Seconds without a byte of the answer; 8 pictures of the largest model take a slow CPU over a minute."""
    first_s: float = 300.0
    """The same until the first answer, since the server loads the model then and may download its weights."""


@dataclass(frozen=True)
class Retries:
    """How often and how long a request is tried anew: exponential backoff with full jitter.

    Wait before retry ``k`` (counted from 0): uniform in ``[0, min(cap_s, base_s * 2**k)]``; a
    ``Retry-After`` of the server is added.
    """

    attempts: int = 5
    """Tries altogether."""
    base_s: float = 0.5
    cap_s: float = 8.0
    total_s: float = 150.0
    """No try begins later than this after the first one."""


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
        retries: Retries | None = None,
        session: requests.Session | None = None,
        sleep: Callable[[float], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        """``session``, ``sleep``, ``clock``, ``rng`` are for tests; by default closing interrupts a wait."""
        self.url = normalise_url(url)
        self._key = check_key(api_key)
        self._timeouts = timeouts or Timeouts()
        self._retries = retries or Retries()
        self._closed = threading.Event()
        self._sleep = sleep or self._closed.wait
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311 - jitter, no secret
        self._slots = threading.BoundedSemaphore(concurrency)
        self._key_place = _KEY_PLACES[0]
        self._key_works = False
        self.answered = False
        """Whether any embedding request was answered; until then the long time limit holds."""
        self._session = session or requests.Session()
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=concurrency, max_retries=0)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, adapter)
        self._session.auth = _no_other_credentials
        self._session.trust_env = not is_loopback(self.url)

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
        return self._answer("GET", path, None, read_s=min(self._timeouts.read_s, 10.0), attempts=2)

    def post(self, path: str, body: dict[str, object]) -> Reply:
        """Return the answer to ``body`` posted to ``path``.

        Raises:
            EngineUnavailableError: nothing answers, or the server is overloaded, for all tries.
            EngineAuthError: the key is missing or refused, wherever it is put.
        """
        read_s = (
            self._timeouts.read_s if self.answered else max(self._timeouts.first_s, self._timeouts.read_s)
        )
        reply = self._answer("POST", path, body, read_s=read_s, attempts=self._retries.attempts)
        if reply.status == 200:
            self.answered = True
        return reply

    def _answer(
        self, method: str, path: str, body: dict[str, object] | None, *, read_s: float, attempts: int
    ) -> Reply:
        """Try until there is an answer; the key is in the header unless an old server wants it elsewhere."""
        begun = self._clock()
        attempt = 0
        place = self._key_place
        while True:
            attempt += 1
            outcome = self._send(method, path, body, place, read_s)
            if isinstance(outcome, requests.Response):
                reply = self._read(outcome)
                if body is not None and _is_refusal(reply):
                    place = self._next_place(place, reply)
                    attempt -= 1
                    continue
                if reply.status == 200 and body is not None:
                    self._key_place, self._key_works = place, True
                if reply.status not in _RETRIED:
                    return self._without_redirect(outcome, reply)
                asked_s = _retry_after_s(outcome.headers.get("Retry-After"))
                failure = self._overloaded(reply, attempt, asked_s)
            else:
                failure, may_pass = self._explain(outcome, read_s)
                asked_s = 0.0
                if not may_pass:
                    raise failure
            policy = self._retries
            wait_s = asked_s + self._rng.uniform(0, min(policy.cap_s, policy.base_s * 2 ** (attempt - 1)))
            if attempt >= attempts or self._clock() - begun + wait_s > policy.total_s:
                raise failure
            self._sleep(wait_s)

    def _send(
        self, method: str, path: str, body: dict[str, object] | None, place: str, read_s: float
    ) -> requests.Response | requests.RequestException:
        """Send one request. A failure is returned, not raised: its text may hold the URL and so the key."""
        headers: dict[str, str] = {}
        query: dict[str, str] = {}
        if body is not None and self._key:
            if place == "header":
                headers["Authorization"] = f"Bearer {self._key}"
            elif place == "body":
                body = {**body, "api_key": self._key}
            else:
                hide_keys_in_logs()
                query["api_key"] = self._key
        with self._slots:
            if self._closed.is_set():
                raise EngineUnavailableError("The engine was closed; choose it again to go on.")
            try:
                return self._session.request(
                    method,
                    self.url + path,
                    params=query,
                    json=body,
                    headers=headers,
                    timeout=(self._timeouts.connect_s, read_s),
                    allow_redirects=False,  # it would hand the key to another host, and turn POST into GET
                )
            except requests.RequestException as error:
                return error

    def _read(self, response: requests.Response) -> Reply:
        try:
            body = json.loads(response.content)
        except ValueError:
            body = None
        message = ""
        if isinstance(body, dict):
            message = str(body.get("message") or body.get("detail") or "")
        message = " ".join(self.without_key(message).split())
        if len(message) > _LONGEST_ECHO:
            message = message[: _LONGEST_ECHO - 1] + "…"
        is_page = body is None and response.content.lstrip()[:1] == b"<"
        return Reply(response.status_code, body, message, is_page)

    def _without_redirect(self, response: requests.Response, reply: Reply) -> Reply:
        if not 300 <= reply.status < 400:
            return reply
        target = urlsplit(response.headers.get("Location", ""))
        where = f" to {target.scheme}://{target.hostname}" if target.hostname and target.scheme else ""
        where += f":{target.port}" if where and target.port else ""
        raise EngineUnavailableError(
            f"The address {self.url} redirects elsewhere{where}; "
            "enter the address of the inference server itself."
        )

    def _next_place(self, place: str, reply: Reply) -> Literal["header", "body", "query"]:
        """Return where to put the key after ``place`` was refused; only old servers don't read the header.

        The URL comes last, and only at a server that is known to be old: access logs would hold the key.
        """
        said = f" ({reply.status} “{reply.message}”)" if reply.message else f" ({reply.status})"
        if not self._key:
            raise EngineAuthError(
                f"The inference server at {self.url} wants an API key{said}; "
                "enter one, or set ROBOFLOW_API_KEY."
            )
        if self._key_works and place != self._key_place:
            return self._key_place  # another thread found it meanwhile
        following = _KEY_PLACES[_KEY_PLACES.index(place) + 1 :][:1]
        if self._key_works or not following or (following[0] == "query" and not self._is_old()):
            raise EngineAuthError(
                f"The inference server at {self.url} refuses the API key{said}; "
                "check that it is whole, still valid and of the right workspace."
            )
        return following[0]

    def _is_old(self) -> bool:
        """Return whether the server tells no version, or one below 1: those may want the key in the URL."""
        reply = self.get("/info")
        version = str(reply.body.get("version", "")) if isinstance(reply.body, dict) else ""
        major = version.partition(".")[0]
        return not major.isdecimal() or int(major) < 1

    def _overloaded(self, reply: Reply, attempts: int, asked_s: float) -> EngineUnavailableError:
        said = f" “{reply.message}”" if reply.message else ""
        said += f", it asks to wait {asked_s:.0f} s" if asked_s else ""
        tries = "1 try" if attempts == 1 else f"{attempts} tries"
        if reply.status == 429:
            return EngineUnavailableError(
                f"The inference server at {self.url} takes no more requests for now "
                f"(429{said}, after {tries}); wait a little and run it again, what is embedded is kept."
            )
        return EngineUnavailableError(
            f"The inference server at {self.url} is overloaded or not ready "
            f"({reply.status}{said}, after {tries}); look at its log and "
            "run it again, what is embedded is kept."
        )

    def _explain(
        self, error: requests.RequestException, read_s: float
    ) -> tuple[EngineUnavailableError, bool]:
        """Return what to tell about ``error``, and whether a retry may help."""
        if isinstance(error, requests.exceptions.SSLError):
            return EngineUnavailableError(
                f"No safe connection to {self.url}: its TLS certificate or protocol is refused; "
                "check the address, or use http:// if the server has no TLS."
            ), False
        if isinstance(error, requests.exceptions.ProxyError):
            return EngineUnavailableError(
                f"The proxy before {self.url} does not let the request through; "
                "check HTTP_PROXY, HTTPS_PROXY and NO_PROXY."
            ), True
        if isinstance(error, requests.exceptions.ReadTimeout) or _has_reason(error, ReadTimeoutError):
            hint = (
                "look at its log, it may be overloaded."
                if self.answered
                else "the first request loads the model and may download its weights: "
                "look at its log and try again in a minute or two."
            )
            return EngineUnavailableError(
                f"The inference server at {self.url} did not answer within {read_s:g} s; {hint}"
            ), True
        if isinstance(error, requests.exceptions.ConnectionError) and _has_reason(
            error, NewConnectionError, ConnectTimeoutError
        ):
            return EngineUnavailableError(
                f"No inference server answers at {self.url}. Start it, or choose the embedded engine."
            ), True
        if isinstance(error, (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            return EngineUnavailableError(
                f"The inference server at {self.url} breaks off the connection; look at its log, "
                "it may have crashed or run out of memory."
            ), True
        return EngineUnavailableError(
            f"The inference server at {self.url} can't be asked ({type(error).__name__}); check the address."
        ), False


def _no_other_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep requests from adding the user's ``.netrc`` entry in place of the key."""
    return request


def _is_refusal(reply: Reply) -> bool:
    return reply.status in (401, 403) or (reply.status == 400 and "API key is missing" in reply.message)


def _has_reason(error: BaseException, *kinds: type[Exception]) -> bool:
    """Return whether ``error`` wraps one of ``kinds``; urllib3's reasons are in ``args`` and ``reason``."""
    seen: list[object] = [error]
    while seen:
        current = seen.pop()
        if isinstance(current, kinds):
            return True
        if isinstance(current, BaseException):
            seen.extend(current.args)
            seen.append(getattr(current, "reason", None))
    return False


def _retry_after_s(value: str | None) -> float:
    """Return the seconds a ``Retry-After`` header asks for (a number or a date), 0.0 without a usable one."""
    if not value:
        return 0.0
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return 0.0
