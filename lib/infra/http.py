"""HTTP for the inference server and the hosted service: sessions, retries, and failures as sentences.

``Retrier.request`` is where an overloaded service (429, 502, 503, 504 and the like) and a failed connection are
handled: it waits, at least as long as ``Retry-After`` says, and sends the request again. ``send`` ends an answer that
is too slow or too long as a whole, however its bytes drip in.
"""

from __future__ import annotations

import contextlib
import email.utils
import json
import math
import os
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from requests.utils import get_environ_proxies, select_proxy
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError

from lib.core.errors import Cancelled, EngineUnavailableError, PromptreelError
from lib.core.formatting import plural
from lib.infra.deadline import DeadlineAdapter, deadline
from lib.infra.redaction import hide_queries_in_logs, redacted

# Cloudflare's own, https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/
_OF_A_PROXY = {
    520: "got no usable answer from it",
    521: "is refused by it",
    522: "could not connect to it in time",
    523: "can't reach it",
    524: "waited too long for its answer",
    525: "finds no safe connection to it",
    526: "refuses its TLS certificate",
    530: "can't find its address",
}
RETRIED_STATUSES = frozenset({408, 425, 429, 502, 503, 504, *_OF_A_PROXY})
BLOCK_BYTES = 1 << 18
"""Bytes sent or received at a time."""
MAX_ANSWER_BYTES = 1 << 26
"""Bytes of an answer that ``send`` reads; vectors of a request take about 1 MB."""
_MAX_RETRY_AFTER_S = 86_400.0
_CERTIFICATE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")

Outcome = requests.Response | requests.RequestException
"""A response, or why there is none. Returned, not raised: the error's text may hold the URL and so a key."""
T = TypeVar("T")


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long a request is repeated: exponential back-off with full jitter.

    Wait before retry ``k`` (counted from 0): uniform in ``[0, min(cap_s, base_s * 2**k)]``, plus the service's
    ``Retry-After``.
    """

    attempts: int = 5
    """Attempts altogether."""
    base_s: float = 0.5
    cap_s: float = 8.0
    total_s: float = 150.0
    """No attempt begins later than this after the first one."""


@dataclass(frozen=True)
class Service:
    """A service as messages name it, and what they advise, by what went wrong."""

    name: str
    tls: str
    timeout: str
    unreachable: str
    disconnected: str
    busy: str
    """429."""
    overloaded: str
    other: str
    retried_statuses: frozenset[int] = RETRIED_STATUSES

    @property
    def subject(self) -> str:
        """The name as a sentence begins with it."""
        return self.name[0].upper() + self.name[1:]


@dataclass(frozen=True)
class FailedAttempt:
    """An attempt that may succeed when repeated."""

    error: PromptreelError
    """What is raised when no attempt is left."""
    after_s: float = 0.0
    """Seconds that the service asks to wait."""


class Retrier:
    """Repeats what fails for a reason that may pass.

    ``wait`` waits so many seconds before the next attempt, and may raise to end it all; ``clock`` gives seconds that
    only grow, ``rng`` the jitter.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        *,
        wait: Callable[[float], object],
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        self._policy = policy
        self._wait = wait
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311 - jitter, no secret

    def run(self, attempt: Callable[[int], T | FailedAttempt]) -> T:
        """Return what ``attempt`` (called with its number, from 1) returns once it has not failed.

        Raises:
            PromptreelError: the last failed attempt's error.
        """
        policy, started_s, number = self._policy, self._clock(), 1
        while isinstance(outcome := attempt(number), FailedAttempt):
            backoff_s = min(policy.cap_s, policy.base_s * 2 ** (number - 1))
            wait_s = outcome.after_s + self._rng.uniform(0, backoff_s)
            if number >= policy.attempts or self._clock() - started_s + wait_s > policy.total_s:
                raise outcome.error
            self._wait(wait_s)
            number += 1
        return outcome

    def request(
        self, send: Callable[[], Outcome], service: Service, *, key: str | None, read_s: float
    ) -> requests.Response:
        """Return the first response to ``send`` whose status is none of ``service.retried_statuses``.

        Messages name ``service`` and the time limit ``read_s``, and never hold ``key``.

        Raises:
            EngineUnavailableError: there is no such response, in spite of all retries.
        """

        def attempt(number: int) -> requests.Response | FailedAttempt:
            outcome = send()
            if isinstance(outcome, requests.RequestException):
                error = explain(outcome, service, read_s)
                if not may_pass(outcome):
                    raise error
                return FailedAttempt(error)
            if outcome.status_code not in service.retried_statuses:
                return outcome
            after_s = _retry_after_s(outcome.headers.get("Retry-After"))
            return FailedAttempt(_overloaded(outcome, service, key, number, after_s), after_s)

        return self.run(attempt)


def wait_unless(cancel: threading.Event) -> Callable[[float], None]:
    """Return a function that waits so many seconds; it raises ``Cancelled`` as soon as ``cancel`` is set."""

    def wait(seconds: float) -> None:
        if cancel.wait(seconds):
            raise Cancelled

    return wait


class Unusable(requests.RequestException):
    """A request can't be sent, or its answer not be read, for the ``reason``: a clause that holds no secret."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TimeIsUp(requests.exceptions.ReadTimeout):
    """An answer as a whole took longer than it may."""


class _Adapter(DeadlineAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, blocksize=BLOCK_BYTES, **options)


def new_session(*, trust_env: bool, connections: int = 10, session: requests.Session | None = None) -> requests.Session:
    """Return a session that adds no credentials of the user's own and repeats nothing by itself.

    ``trust_env`` says whether the environment's proxies are used (its certificates always are); ``session`` is the one
    to set up, for tests.
    """
    session = session or requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(pool_maxsize=connections, max_retries=0))
    session.auth = _no_credentials
    session.trust_env = trust_env
    session.verify = os.environ.get(_certificates() or "", True)
    hide_queries_in_logs()
    return session


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep requests from adding the user's ``.netrc`` entry."""
    return request


def send(
    session: requests.Session,
    method: str,
    url: str,
    *,
    timeout: tuple[float, float],
    limit_s: float | None = None,
    take: Callable[[requests.Response], None] | None = None,
    **options: Any,
) -> Outcome:
    """Send one request and read its answer: whole, of at most ``MAX_ANSWER_BYTES``, or as ``take`` does.

    Redirects are not followed: they would hand a key on, and turn POST into GET. ``timeout`` is seconds to connect, and
    without a byte; from the end of the request to the end of the answer it is ``limit_s``, by default the same.
    """
    options |= {"allow_redirects": False, "stream": True, "timeout": timeout}
    with deadline(limit_s or timeout[1]) as limit:
        try:
            with session.request(method, url, **options) as response:
                (take or _read_whole)(response)
                outcome: Outcome = response
        except requests.RequestException as error:
            outcome = _with_reason(error, session, url)
        except (OSError, ValueError, HTTPError) as error:  # what requests lets through
            outcome = _with_reason(requests.exceptions.InvalidURL(type(error).__name__), session, url)
    return TimeIsUp() if limit.passed else outcome


def _read_whole(response: requests.Response) -> None:
    blocks, size = [], 0
    for block in response.iter_content(1 << 16):  # small, as a compressed one may grow a thousandfold
        blocks.append(block)
        size += len(block)
        if size > MAX_ANSWER_BYTES:
            raise Unusable(f"its answer has more than {MAX_ANSWER_BYTES >> 20} MiB; check the address")
    response._content = b"".join(blocks)


def _with_reason(error: requests.RequestException, session: requests.Session, url: str) -> requests.RequestException:
    """Return ``error``, or the variable of the environment that is to blame for it."""
    kinds = requests.exceptions
    if not isinstance(error, kinds.InvalidURL | kinds.InvalidSchema | kinds.MissingSchema):
        return error
    variable = _certificates()
    if variable and not os.path.exists(os.environ[variable]):
        return Unusable(f"{variable} names no file or folder of certificates; correct it, or remove it")
    proxy = _proxy_variable(url) if session.trust_env else None
    return Unusable(f"{proxy} is no address of a usable proxy; correct it, or remove it") if proxy else error


def _certificates() -> str | None:
    """Return the variable that names the certificates to trust."""
    return next((name for name in _CERTIFICATE_VARIABLES if os.environ.get(name)), None)


def _proxy_variable(url: str) -> str | None:
    """Return the variable that names the proxy for ``url``."""
    with contextlib.suppress(ValueError):
        if not select_proxy(url, get_environ_proxies(url)):
            return None
    names = (f"{urlsplit(url).scheme}_proxy", "all_proxy")
    return next((spelled for name in names for spelled in (name, name.upper()) if os.environ.get(spelled)), None)


def json_of(response: requests.Response) -> Any:
    """Return the parsed body, None where it is no JSON."""
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        return None


def message_of(response: requests.Response, key: str | None) -> str:
    """Return the service's own words, redacted; empty where the body has none."""
    body = json_of(response)
    message = body.get("message") or body.get("error") or body.get("detail") if isinstance(body, dict) else ""
    if isinstance(message, dict):
        message = message.get("message")
    return redacted(str(message or ""), key)


def quote_of(response: requests.Response, key: str | None) -> str:
    """Return ``503 “the service's own words”``, or the status alone where it gives none."""
    message = message_of(response, key)
    return f"{response.status_code} “{message}”" if message else str(response.status_code)


def may_pass(error: requests.RequestException) -> bool:
    """Return whether a retry may help."""
    connection = requests.exceptions.ConnectionError | requests.exceptions.ChunkedEncodingError
    return isinstance(error, connection | requests.exceptions.Timeout) and not isinstance(
        error, requests.exceptions.SSLError
    )


def explain(error: requests.RequestException, service: Service, read_s: float) -> EngineUnavailableError:
    """Return one sentence on a request without a response; never the error's own text, which may hold the URL."""
    kinds = requests.exceptions
    if isinstance(error, Unusable):
        text = f"{service.subject} can't be asked: {error.reason}."
    elif isinstance(error, kinds.SSLError):
        named = _certificates()
        own = f"check the certificates that {named} names" if named else "name those you trust in REQUESTS_CA_BUNDLE"
        text = (
            f"No safe connection to {service.name}: its TLS certificate or protocol is refused; {service.tls}; {own}."
        )
    elif isinstance(error, kinds.ProxyError):
        text = (
            f"The proxy before {service.name} does not let the request through; "
            "check HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY."
        )
    elif isinstance(error, kinds.ReadTimeout) or _has_reason(error, ReadTimeoutError):
        text = f"{service.subject} did not answer within {read_s:g} s; {service.timeout}."
    elif isinstance(error, kinds.ConnectTimeout) or _has_reason(error, NewConnectionError, ConnectTimeoutError):
        text = f"{service.subject} can't be reached; {service.unreachable}."
    elif isinstance(error, kinds.ConnectionError | kinds.ChunkedEncodingError):
        text = f"{service.subject} breaks off the connection; {service.disconnected}."
    else:
        text = f"{service.subject} can't be asked ({type(error).__name__}); {service.other}."
    return EngineUnavailableError(text)


def _has_reason(error: BaseException, *kinds: type[Exception]) -> bool:
    """Return whether ``error`` wraps one of ``kinds``; urllib3's reasons are in ``args`` and ``reason``."""
    unseen: list[object] = [error]
    while unseen:
        current = unseen.pop()
        if isinstance(current, kinds):
            return True
        if isinstance(current, BaseException):
            unseen.extend(current.args)
            unseen.append(getattr(current, "reason", None))
    return False


def _overloaded(
    response: requests.Response, service: Service, key: str | None, attempts: int, after_s: float
) -> EngineUnavailableError:
    status = quote_of(response, key)
    asked = f", it asks to wait {after_s:.0f} s" if after_s else ""
    reason = f"({status}{asked}, after {plural(attempts, 'attempt')})"
    if response.status_code == 429:
        return EngineUnavailableError(f"{service.subject} takes no more requests for now {reason}; {service.busy}.")
    if response.status_code == 408:
        return EngineUnavailableError(
            f"{service.subject} did not get the whole request in time {reason}; check the network, it may be slow."
        )
    if response.status_code in _OF_A_PROXY:
        found = _OF_A_PROXY[response.status_code]
        return EngineUnavailableError(f"The proxy before {service.name} {found} {reason}; {service.overloaded}.")
    return EngineUnavailableError(f"{service.subject} is overloaded or not ready {reason}; {service.overloaded}.")


def _retry_after_s(value: str | None) -> float:
    """Return the seconds that ``Retry-After`` asks for (number or date), at most a day; 0.0 without a usable one."""
    try:
        seconds = float(value or 0)
    except ValueError:
        try:
            date = email.utils.parsedate_to_datetime(str(value))
            seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - time.time()
        except (ValueError, OverflowError):
            return 0.0
    return 0.0 if math.isnan(seconds) else min(max(seconds, 0.0), _MAX_RETRY_AFTER_S)
