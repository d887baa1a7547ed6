"""The hosted Video Inference API over HTTP: sign, upload, start, poll, download.

The API takes its key in the URL only (``?api_key=``), and signed URLs are keys themselves. So no URL is in a message or
on disk, urllib3's log records are redacted, redirects are refused (they would hand the key on), and plain http is for
this machine only. Retries are in ``infra.http``.
"""

from __future__ import annotations

import math
import os
import random
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import requests

from lib.core.errors import (
    BadReplyError,
    Cancelled,
    EngineAuthError,
    EngineUnavailableError,
    InputError,
    StoreError,
)
from lib.core.formatting import format_bytes
from lib.core.validation import bounded_int
from lib.hosted.upload_body import ProgressCallback, UploadBody
from lib.infra.address import check_key, is_loopback, normalise_url
from lib.infra.http import (
    BLOCK_BYTES,
    RETRIED_STATUSES,
    FailedAttempt,
    Outcome,
    Retrier,
    RetryPolicy,
    Service,
    TimeIsUp,
    explain,
    json_of,
    new_session,
    quote_of,
    send,
    wait_unless,
)
from lib.infra.redaction import redacted

DEFAULT_URL = "https://api.roboflow.com"
URL_VARIABLE = "PROMPTREEL_HOSTED_URL"
MODEL = {"model_id": "clip", "model_version": "1", "inference_type": "clip-embed-image"}
_SIGN, _JOBS = "/video_upload_signed_url", "/videoinfer/"
_EXPIRED = frozenset({400, 401, 403, 404, 410})  # what storage answers to a signed URL that has expired
_MAX_UPLOADS = 3
_UPLOAD_READ_S = 300.0  # storage answers when it has all of the file
_DOWNLOAD_S = 3600.0  # of all results together, however they drip
_RETRIES = RetryPolicy(base_s=1.0, cap_s=20.0, total_s=600.0)
_LATER = "try again later, a job that was started goes on there"
_NETWORK = "check the network, then try again"
_SERVICE = Service(
    "the hosted service",
    tls="check the network",
    timeout="try again, a job that was started goes on there",
    unreachable=_NETWORK,
    disconnected=_NETWORK,
    busy=_LATER,
    overloaded=_LATER,
    other="try again",
    retried_statuses=RETRIED_STATUSES | {500},
)
_STORAGE = replace(_SERVICE, name="the hosted service's storage")


@dataclass(frozen=True)
class Timing:
    """Time limits and retries."""

    connect_s: float = 10.0
    read_s: float = 60.0
    """Seconds from a request to the end of its answer; of a download, seconds without a byte."""
    retries: RetryPolicy = _RETRIES
    """Of a request and of a download; an upload is tried 3 times at most, each with a new signed URL."""
    poll_s: tuple[float, float] = (2.0, 30.0)
    """Seconds between two looks at a job: at first, and at most."""
    job_s: float = 24 * 3600.0
    """Seconds after which a job that still runs is no longer waited for."""


@dataclass(frozen=True)
class JobStatus:
    """State of a job."""

    state: Literal["running", "done", "failed"]
    output_url: str = ""
    """Signed URL of the results of a job that is done; never to be shown or written to disk."""
    message: str = ""
    """The service's own words, redacted; may be empty."""


def service_url() -> str:
    """Return the service's address: ``PROMPTREEL_HOSTED_URL``, else the public one."""
    return os.environ.get(URL_VARIABLE, "").strip() or DEFAULT_URL


class HostedApi:
    """The service, for one key, which is in no message, log record or repr.

    Args:
        url: address; default ``PROMPTREEL_HOSTED_URL``, else the public one.
        key: API key.
        timing: time limits and retries.
        rng: source of the retries' jitter, for tests.

    Raises:
        EngineAuthError: there is no key.
        InputError: the address or the key can't be used.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        key: str | None,
        timing: Timing | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self.url = _checked_url(url or service_url())
        self._key = check_key(key) or ""
        if not self._key:
            raise EngineAuthError("The hosted service needs an API key; set ROBOFLOW_API_KEY, or enter one.")
        self.timing = timing or Timing()
        self._rng = rng
        self._session = new_session(trust_env=not is_loopback(self.url))

    def __repr__(self) -> str:
        return f"HostedApi({self.url!r})"

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def upload(self, path: Path, name: str, *, on_progress: ProgressCallback, cancel: threading.Event) -> str:
        """Send a file, block by block, and return its signed URL: the input of ``start``.

        Raises:
            InputError: it is too large for the service, or can't be read.
            EngineError: as ``poll``; also when every signed URL was refused.
            Cancelled: ``cancel`` was set.
        """

        def attempt(_: int) -> str | FailedAttempt:
            reply = self._call("POST", _SIGN, cancel, body={"file_name": name})
            signed = self._signed(reply.get("signed_url"), "an upload")
            error = self._put(signed, UploadBody(path, name, on_progress, cancel), name)
            return FailedAttempt(error) if error else signed

        return self._transfers(cancel, min(_MAX_UPLOADS, self.timing.retries.attempts)).run(attempt)

    def start(self, input_url: str, fps: float, *, cancel: threading.Event) -> str:
        """Start the CLIP job over an upload and return its id.

        Raises: as ``poll``.
        """
        rate = int(fps) if float(fps).is_integer() else float(fps)
        body = {"input_url": input_url, "infer_fps": rate, "models": [MODEL]}
        job_id = self._call("POST", _JOBS, cancel, body=body).get("job_id")
        if not isinstance(job_id, str | int) or not str(job_id).strip():
            raise BadReplyError("The hosted service started a job but gave no id for it; try again.")
        return str(job_id)

    def poll(self, job_id: str, *, cancel: threading.Event) -> JobStatus | None:
        """Return the state of a job; None when the service does not know it (any more).

        Raises:
            EngineUnavailableError: nothing answers, or the service stays overloaded, in spite of all retries.
            EngineAuthError: the key is refused.
            BadReplyError: an answer that makes no sense.
            Cancelled: ``cancel`` was set.
        """
        reply = self._call("GET", _JOBS, cancel, query={"job_id": job_id}, may_be_unknown=True)
        if reply is None:
            return None
        status = reply.get("status")
        try:
            number = 1 if status is None else int(status)
        except (TypeError, ValueError):
            number = -1
        if number == 1:
            return JobStatus("running")
        if number > 1:
            words = reply.get("status_info") or reply.get("message") or reply.get("error") or ""
            return JobStatus("failed", message=redacted(str(words), self._key))
        if number < 0:
            raise BadReplyError("The hosted service reports a job status that makes no sense; try again later.")
        return JobStatus("done", self._signed(reply.get("output_signed_url"), "the results"))

    def download(self, job_id: str, target: Path, *, on_progress: ProgressCallback, cancel: threading.Event) -> None:
        """Write the results of a job that is done into ``target``, block by block.

        Raises: as ``poll``; and StoreError: they can't be written. Nothing is left at ``target`` then.
        """

        def attempt(_: int) -> FailedAttempt | None:
            status = self.poll(job_id, cancel=cancel)  # gives a fresh URL each time
            if status is None or status.state != "done":
                raise BadReplyError("The hosted service has withdrawn the results of a job; start it again.")
            error = self._get(status.output_url, target, on_progress, cancel)
            return FailedAttempt(error) if error else None

        try:
            self._transfers(cancel, self.timing.retries.attempts).run(attempt)
        except BaseException:
            target.unlink(missing_ok=True)
            raise

    def _transfers(self, cancel: threading.Event, attempts: int) -> Retrier:
        """Return what repeats a transfer, however long it took before it failed."""
        policy = replace(self.timing.retries, attempts=attempts, total_s=math.inf)
        return Retrier(policy, wait=wait_unless(cancel), rng=self._rng)

    def _put(self, signed: str, body: UploadBody, name: str) -> EngineUnavailableError | None:
        """Return None when all of it was uploaded, else why another attempt may succeed."""
        read_s = max(_UPLOAD_READ_S, self.timing.read_s)
        with body:
            outcome = send(
                self._session,
                "PUT",
                signed,
                data=body,
                headers={"Content-Type": "application/octet-stream"},
                timeout=(self.timing.connect_s, read_s),
            )
        if isinstance(outcome, requests.RequestException):
            return explain(outcome, _STORAGE, read_s)
        if outcome.status_code in (200, 201):
            return None
        if outcome.status_code == 413:
            raise InputError(
                f"{name} is too large for the hosted service ({format_bytes(len(body))}); cut it into shorter "
                "videos, or embed it with another engine."
            )
        return EngineUnavailableError(
            f"The hosted service's storage refuses the upload of {name} ({quote_of(outcome, self._key)}), "
            "its signed URL may have expired; try again."
        )

    def _get(
        self, signed: str, target: Path, on_progress: ProgressCallback, cancel: threading.Event
    ) -> EngineUnavailableError | None:
        """Return None when all of it is in ``target``, else why another attempt may succeed."""

        def take(response: requests.Response) -> None:
            if response.status_code == 200:
                _write(response, target, on_progress, cancel)

        times = (self.timing.connect_s, self.timing.read_s)
        outcome = send(self._session, "GET", signed, timeout=times, limit_s=_DOWNLOAD_S, take=take)
        if isinstance(outcome, TimeIsUp):
            raise explain(outcome, _STORAGE, _DOWNLOAD_S)  # another attempt would take as long
        if isinstance(outcome, requests.RequestException):
            return explain(outcome, _STORAGE, self.timing.read_s)
        if outcome.status_code == 200:
            return None
        why = "its signed URL may have expired" if outcome.status_code in _EXPIRED else "it may be overloaded"
        return EngineUnavailableError(
            f"The hosted service's storage refuses the results ({outcome.status_code}), {why}; "
            "try again, the job is kept."
        )

    def _call(
        self,
        method: str,
        path: str,
        cancel: threading.Event,
        *,
        body: dict[str, Any] | None = None,
        query: dict[str, str] | None = None,
        may_be_unknown: bool = False,
    ) -> Any:
        """Return the JSON object that answers; None for a 404 where ``may_be_unknown``."""

        def send_once() -> Outcome:
            if cancel.is_set():
                raise Cancelled
            return send(
                self._session,
                method,
                self.url + path,
                params={"api_key": self._key, **(query or {})},
                json=body,
                timeout=(self.timing.connect_s, self.timing.read_s),
            )

        retrier = Retrier(self.timing.retries, wait=wait_unless(cancel), rng=self._rng)
        response = retrier.request(send_once, _SERVICE, key=self._key, read_s=self.timing.read_s)
        if may_be_unknown and response.status_code == 404:
            return None
        return self._object(response)

    def _object(self, response: requests.Response) -> dict[str, Any]:
        status, said = response.status_code, quote_of(response, self._key)
        if status in (401, 403):
            raise EngineAuthError(
                f"The hosted service refuses the API key ({said}); "
                "check that it is whole, still valid and of the right workspace."
            )
        if status in (402, 423):
            raise EngineUnavailableError(f"The hosted service won't work for this account ({said}); check its credits.")
        if status == 413:
            raise InputError(f"The hosted service says that this is too large ({said}); cut it shorter.")
        if 300 <= status < 400:
            raise EngineUnavailableError(
                f"The hosted service redirects elsewhere ({status}), which is not followed; check {URL_VARIABLE}."
            )
        if status >= 400:
            raise BadReplyError(f"The hosted service refuses the request ({said}); check rate and video.")
        reply = json_of(response)
        if not isinstance(reply, dict):
            raise BadReplyError(
                "The hosted service gave an answer that is no JSON object; something between may change answers."
            )
        return reply

    def _signed(self, url: object, what: str) -> str:
        """Return a signed URL that may be used: https, or this machine where the service is on it."""
        try:
            parts = urlsplit(url) if isinstance(url, str) else None
            host = parts.hostname if parts else None
        except ValueError:
            parts, host = None, None
        is_local = isinstance(url, str) and is_loopback(url) and is_loopback(self.url)
        if (
            not parts
            or not host
            or parts.username
            or not (parts.scheme == "https" or (parts.scheme == "http" and is_local))
        ):
            raise BadReplyError(f"The hosted service gave no usable address for {what}; try again later.")
        return str(url)


def _write(response: requests.Response, target: Path, on_progress: ProgressCallback, cancel: threading.Event) -> None:
    total = bounded_int(response.headers.get("Content-Length"), 0, 1 << 62) or 0
    try:
        with target.open("wb") as file:
            for block in response.iter_content(BLOCK_BYTES):
                if cancel.is_set():
                    raise Cancelled
                file.write(block)
                on_progress(file.tell(), total)
    except requests.RequestException:  # an OSError too
        raise
    except OSError as error:
        raise StoreError(
            f"The results can't be written ({error.strerror}); free some space, then fetch them again."
        ) from error


def _checked_url(url: str) -> str:
    try:
        address = normalise_url(url)
    except InputError:
        address = ""
    if not address or (address.startswith("http:") and not is_loopback(address)):
        raise InputError(
            f"The hosted service's address can't be used, since its key must travel by https; write {DEFAULT_URL} "
            f"into {URL_VARIABLE}, or leave it out."
        )
    return address
