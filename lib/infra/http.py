"""HTTP for the inference server and the hosted service: sessions, retries, and failures as sentences.

``Retrier.request`` is where an overloaded service (429, 502, 503, 504) and a failed connection are handled: it waits,
at least as long as ``Retry-After`` says, and sends the request again.
"""

from __future__ import annotations

import email.utils
import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ReadTimeoutError

from lib.core.errors import Cancelled, EngineUnavailableError, PromptreelError
from lib.core.formatting import plural
from lib.infra.redaction import hide_queries_in_logs, redacted

RETRIED_STATUSES = frozenset({429, 502, 503, 504})
BLOCK_BYTES = 1 << 18
"""Bytes sent or received at a time."""

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


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, blocksize=BLOCK_BYTES, **options)


def new_session(*, trust_env: bool, connections: int = 10, session: requests.Session | None = None) -> requests.Session:
    """Return a session that adds no credentials of the user's own and repeats nothing by itself.

    ``trust_env`` says whether the environment's proxies and certificates are used; ``session`` is the one to set up,
    for tests.
    """
    session = session or requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(pool_maxsize=connections, max_retries=0))
    session.auth = _no_credentials
    session.trust_env = trust_env
    hide_queries_in_logs()
    return session


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep requests from adding the user's ``.netrc`` entry."""
    return request


def send(session: requests.Session, method: str, url: str, **options: Any) -> Outcome:
    """Send one request. Redirects are not followed: they would hand a key on, and turn POST into GET."""
    try:
        return session.request(method, url, allow_redirects=False, **options)
    except requests.RequestException as error:
        return error


def json_of(response: requests.Response) -> Any:
    """Return the parsed body, None where it is no JSON."""
    try:
        return json.loads(response.content)
    except ValueError:
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
    if isinstance(error, kinds.SSLError):
        text = f"No safe connection to {service.name}: its TLS certificate or protocol is refused; {service.tls}."
    elif isinstance(error, kinds.ProxyError):
        text = (
            f"The proxy before {service.name} does not let the request through; "
            "check HTTP_PROXY, HTTPS_PROXY and NO_PROXY."
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
    return EngineUnavailableError(f"{service.subject} is overloaded or not ready {reason}; {service.overloaded}.")


def _retry_after_s(value: str | None) -> float:
    """Return the seconds that ``Retry-After`` asks for (a number or a date), 0.0 without a usable one."""
    if not value:
        return 0.0
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return 0.0
