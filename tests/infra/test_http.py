from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable
from email.utils import formatdate
from time import time

import numpy as np
import pytest
import requests

from lib.core.errors import Cancelled, EngineUnavailableError
from lib.infra.http import FailedAttempt, Outcome, Retrier, RetryPolicy, Service, may_pass, wait_unless
from tests.helpers.clock import Clock

KEY = "rf_Tg7+secret"
SERVICE = Service(
    "the service", tls="T", timeout="O", unreachable="U", disconnected="D", busy="B", overloaded="L", other="R"
)
FAILED = FailedAttempt(EngineUnavailableError("failed"))


def response(status: int, body: bytes = b"{}", **headers: str) -> requests.Response:
    answer = requests.Response()
    answer.status_code, answer._content = status, body
    answer.headers.update(headers)
    return answer


def request(clock: Clock, *outcomes: Outcome, policy: RetryPolicy | None = None) -> requests.Response:
    """Return what a request gets whose attempts end in ``outcomes``, one after the other."""
    retrier = Retrier(policy or RetryPolicy(), wait=clock.wait, clock=clock.time)
    return retrier.request(iter(outcomes).__next__, SERVICE, key=KEY, read_s=5)


class TestWaits:
    def test_grow_exponentially_with_full_jitter(self) -> None:
        waits = []
        for seed in range(40):
            clock = Clock()
            retrier = Retrier(RetryPolicy(5, base_s=0.5, cap_s=1.5), wait=clock.wait, rng=random.Random(seed))
            assert retrier.run(lambda number: FAILED if number < 5 else "done") == "done"
            waits.append(clock.waits)

        limits = np.array([0.5, 1.0, 1.5, 1.5])  # 0.5 · 2^k, capped
        assert (np.array(waits) <= limits).all()
        assert (np.max(waits, axis=0) > 0.8 * limits).all()
        assert (np.min(waits, axis=0) < 0.2 * limits).all()

    @pytest.mark.parametrize("kind", ["seconds", "date"])
    @pytest.mark.parametrize("status", [408, 425, 429, 503, 524])
    def test_are_as_long_as_the_service_asks(self, clock: Clock, status: int, kind: str) -> None:
        value = "7" if kind == "seconds" else formatdate(time() + 9, usegmt=True)
        assert request(clock, response(status, **{"Retry-After": value}), response(200)).ok
        assert 7 <= clock.waits[0] <= 9.5

    @pytest.mark.parametrize("value", ["9" * 5000, "inf", "1e999", "Fri, 31 Dec 9999 23:59:59 GMT"])
    def test_of_more_than_there_is_time_for_are_an_error(self, clock: Clock, value: str) -> None:
        with pytest.raises(EngineUnavailableError, match="it asks to wait 86400 s, after 1 attempt"):
            request(clock, response(503, **{"Retry-After": value}))
        assert not clock.waits

    @pytest.mark.parametrize(
        "value", ["nan", "soon", "-5", "", "Fri, 99 Foo 2026", "Mon, 01 Jan 99999999 00:00:00 GMT", "9" * 400 + ":"]
    )
    def test_ignore_a_retry_after_that_makes_no_sense(self, clock: Clock, value: str) -> None:
        assert request(clock, response(503, **{"Retry-After": value}), response(200)).ok
        assert 0 <= clock.waits[0] <= 0.5

    def test_end_at_once_when_cancelled(self) -> None:
        cancel = threading.Event()

        def attempt(number: int) -> FailedAttempt:
            cancel.set()
            return FAILED

        with pytest.raises(Cancelled):
            Retrier(RetryPolicy(base_s=100, cap_s=100), wait=wait_unless(cancel)).run(attempt)


class TestGivesUp:
    @pytest.mark.parametrize(
        ("status", "words"),
        [
            (408, "The service did not get the whole request in time (408, after 2 attempts); check the network"),
            (425, "The service is overloaded or not ready (425, after 2 attempts); L."),
            (520, "The proxy before the service got no usable answer from it (520, after 2 attempts); L."),
            (522, "The proxy before the service could not connect to it in time (522, after 2 attempts); L."),
            (523, "The proxy before the service can't reach it (523, after 2 attempts); L."),
            (524, "The proxy before the service waited too long for its answer (524, after 2 attempts); L."),
            (525, "The proxy before the service finds no safe connection to it (525, after 2 attempts); L."),
            (526, "The proxy before the service refuses its TLS certificate (526, after 2 attempts); L."),
            (530, "The proxy before the service can't find its address (530, after 2 attempts); L."),
        ],
    )
    def test_with_the_reason_of_the_status(self, clock: Clock, status: int, words: str) -> None:
        with pytest.raises(EngineUnavailableError, match=f"^{re.escape(words)}"):
            request(clock, *[response(status, b"<html>cloudflare</html>")] * 2, policy=RetryPolicy(2))

    def test_after_so_many_attempts(self, clock: Clock) -> None:
        body = f'{{"message": "No\\n{KEY} https://a/b?signature=secret"}}'.encode()
        words = "No [key] https://a/b?[hidden]"
        message = f"The service is overloaded or not ready (503 “{words}”, after 3 attempts); L."
        with pytest.raises(EngineUnavailableError, match=re.escape(message)):
            request(clock, *[response(503, body)] * 3, policy=RetryPolicy(3))
        assert len(clock.waits) == 2

    def test_when_the_time_is_used_up(self, clock: Clock) -> None:
        busy = response(429, **{"Retry-After": "40"})
        message = r"^The service takes no more requests for now \(429, it asks to wait 40 s, after 3 attempts\); B\.$"
        with pytest.raises(EngineUnavailableError, match=message):
            request(clock, *[busy] * 9, policy=RetryPolicy(50, total_s=100))
        assert clock.time() <= 100

    @pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 500])
    def test_never_on_a_status_that_stays(self, clock: Clock, status: int) -> None:
        assert request(clock, response(status)).status_code == status
        assert not clock.waits

    def test_at_once_on_a_certificate_that_is_refused(self, clock: Clock) -> None:
        with pytest.raises(EngineUnavailableError, match=r"^No safe connection to the service: .*; T"):
            request(clock, requests.exceptions.SSLError("no"))
        assert not clock.waits


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (requests.exceptions.ProxyError, "The proxy before the service .* check HTTP_PROXY"),
        (requests.exceptions.ReadTimeout, "The service did not answer within 5 s; O"),
        (requests.exceptions.ConnectTimeout, "The service can't be reached; U"),
        (requests.exceptions.ConnectionError, "The service breaks off the connection; D"),
        (requests.exceptions.ChunkedEncodingError, "The service breaks off the connection; D"),
    ],
)
def test_a_failed_connection_is_retried_and_explained_without_its_url(
    clock: Clock, error: Callable[[str], requests.RequestException], message: str
) -> None:
    failure = error(f"https://service/?api_key={KEY}")
    assert may_pass(failure)
    with pytest.raises(EngineUnavailableError, match=message) as caught:
        request(clock, failure, failure, policy=RetryPolicy(2))
    assert KEY not in str(caught.value)
    assert caught.value.__context__ is None
    assert len(clock.waits) == 1
