"""The hosted Video Inference API over HTTP: sign, upload, start, poll, download.

The API takes its key in the URL only (``?api_key=``), and signed URLs are keys themselves. So no URL is in any
message or on disk, what urllib3 logs of it is redacted, redirects are refused (they would hand it on), and plain
http is for this machine only.
"""

from __future__ import annotations

import json
import os
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
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
from lib.infra.address import check_key, is_loopback, normalise_url
from lib.infra.http import Sending, cleaned, explain, hide_queries_in_logs, new_session, said_by

DEFAULT_URL = "https://api.roboflow.com"
URL_VARIABLE = "PROMPTREEL_HOSTED_URL"
MODEL = {"model_id": "clip", "model_version": "1", "inference_type": "clip-embed-image"}
_SIGN, _JOBS = "/video_upload_signed_url", "/videoinfer/"
_RETRIED = frozenset({429, 500, 502, 503, 504})
_EXPIRED = frozenset({400, 401, 403, 404, 410})  # what storage says to a signed URL that is no more
_BLOCK = 1 << 18
_UPLOADS = 3

Told = Callable[[int, int], object]
"""Called with bytes done and bytes in all (0 when unknown)."""


@dataclass(frozen=True)
class Patience:
    """Time limits and retries. Waits between tries: exponential with full jitter, see ``attempts``."""

    connect_s: float = 10.0
    read_s: float = 60.0
    """Seconds without a byte of an answer."""
    attempts: int = 5
    """Tries of a request and of a download; of an upload 3 at most, each with a new signed URL."""
    base_s: float = 1.0
    cap_s: float = 20.0
    poll_s: tuple[float, float] = (2.0, 30.0)
    """Seconds between two looks at a job: at first, and at most."""
    job_s: float = 24 * 3600.0
    """Seconds after which a job that still runs is no longer waited for."""


@dataclass(frozen=True)
class JobStatus:
    """How a job is."""

    state: Literal["running", "done", "failed"]
    output_url: str = ""
    """Signed URL of the results of a job that is done; never to be shown or kept."""
    message: str = ""
    """The service's own words, cleaned; may be empty."""


class HostedApi:
    """The service, for one key.

    Args:
        url: address; default ``PROMPTREEL_HOSTED_URL``, else the public one.
        key: API key; never in a message, log record or repr.
        patience: time limits.
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
        patience: Patience | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self.url = _checked_url(url or os.environ.get(URL_VARIABLE, "").strip() or DEFAULT_URL)
        found = check_key(key)
        if found is None:
            raise EngineAuthError("The hosted service needs an API key; set ROBOFLOW_API_KEY, or enter one.")
        self._key = found
        self.patience = patience or Patience()
        self._rng = rng or random.Random()  # noqa: S311 - jitter, no secret
        self._session = new_session(trust_env=not is_loopback(self.url))
        hide_queries_in_logs()

    def __repr__(self) -> str:
        return f"HostedApi({self.url!r})"

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def upload(self, path: Path, name: str, *, told: Told, cancel: threading.Event) -> str:
        """Send a file, block by block, and return the signed URL that it lies at: input for ``start``.

        Raises:
            InputError: it is too large for the service, or can't be read.
            EngineError: as ``poll``; also when every signed URL was refused.
            Cancelled: ``cancel`` was set.
        """
        attempts = min(_UPLOADS, self.patience.attempts)
        for attempt in range(attempts):
            signed = self._signed(
                self._call("POST", _SIGN, cancel, body={"file_name": name}).get("signed_url"), "an upload"
            )
            outcome = self._put(signed, path, name, told, cancel)
            if isinstance(outcome, requests.RequestException):
                failure: Exception = explain(outcome, "the hosted service's storage", self.patience.read_s)
            elif outcome.status_code in (200, 201):
                return signed
            elif outcome.status_code == 413:
                size = f"{path.stat().st_size / 1e6:,.0f} MB"
                raise InputError(
                    f"{name} is too large for the hosted service ({size}); cut it into shorter videos, "
                    "or embed it with another engine."
                )
            else:
                refused = f"{outcome.status_code}{said_by(outcome, self._key)}"
                failure = EngineUnavailableError(
                    f"The hosted service's storage refuses the upload of {name} ({refused}), "
                    "its signed URL may have expired; try again."
                )
            self._pause(attempt, cancel, failure, attempts)
        raise AssertionError("the last attempt raises")

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
        """Return how a job is; None when the service does not know it (any more).

        Raises:
            EngineUnavailableError: nothing answers, or the service is overloaded, for all tries.
            EngineAuthError: the key is refused.
            BadReplyError: an answer that makes no sense.
            Cancelled: ``cancel`` was set.
        """
        reply = self._call("GET", _JOBS, cancel, query={"job_id": job_id}, unknown=True)
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
            return JobStatus("failed", message=cleaned(str(words), self._key))
        if number < 0:
            raise BadReplyError("The hosted service tells a job status that makes no sense; try again later.")
        return JobStatus("done", self._signed(reply.get("output_signed_url"), "the results"))

    def download(self, job_id: str, target: Path, *, told: Told, cancel: threading.Event) -> None:
        """Write the results of a job that is done into ``target``, block by block.

        Raises: as ``poll``; nothing is left at ``target`` then.
        """
        for attempt in range(self.patience.attempts):
            status = self.poll(job_id, cancel=cancel)  # gives a fresh URL each time
            if status is None or status.state != "done":
                raise BadReplyError("The hosted service has withdrawn the results of a job; start it again.")
            failure = self._get(status.output_url, target, told, cancel)
            if failure is None:
                return
            self._pause(attempt, cancel, failure)

    def _put(
        self, signed: str, path: Path, name: str, told: Told, cancel: threading.Event
    ) -> requests.Response | requests.RequestException:
        with Sending(path, name, told, cancel) as sending:
            try:
                return self._session.put(
                    signed,
                    data=sending,
                    headers={"Content-Type": "application/octet-stream"},
                    timeout=(self.patience.connect_s, max(300.0, self.patience.read_s)),
                    allow_redirects=False,
                )
            except requests.RequestException as error:
                return error

    def _get(self, signed: str, target: Path, told: Told, cancel: threading.Event) -> Exception | None:
        """Return None when all of it is in ``target``, else what is to be told when no try is left."""
        storage = "the hosted service's storage"
        try:
            with self._session.get(
                signed,
                timeout=(self.patience.connect_s, self.patience.read_s),
                stream=True,
                allow_redirects=False,
            ) as response:
                if response.status_code != 200:
                    expired = response.status_code in _EXPIRED
                    why = "its signed URL may have expired" if expired else "it may be overloaded"
                    return EngineUnavailableError(
                        f"The hosted service's storage refuses the results ({response.status_code}), {why}; "
                        "try again, the job is kept."
                    )
                total = int(response.headers.get("Content-Length") or 0)
                with target.open("wb") as file:
                    for block in response.iter_content(_BLOCK):
                        if cancel.is_set():
                            raise Cancelled
                        file.write(block)
                        told(file.tell(), total)
            return None
        except requests.RequestException as error:  # an OSError too
            target.unlink(missing_ok=True)
            return explain(error, storage, self.patience.read_s)
        except OSError as error:
            target.unlink(missing_ok=True)
            raise StoreError(
                f"The results can't be written ({error.strerror}); free some space, then fetch them again."
            ) from error
        except BaseException:
            target.unlink(missing_ok=True)
            raise

    def _call(
        self,
        method: str,
        path: str,
        cancel: threading.Event,
        *,
        body: dict[str, Any] | None = None,
        query: dict[str, str] | None = None,
        unknown: bool = False,
    ) -> Any:
        """Return the JSON object that answers; None for a 404 where ``unknown`` allows one."""
        for attempt in range(self.patience.attempts):
            if cancel.is_set():
                raise Cancelled
            try:
                response = self._session.request(
                    method,
                    self.url + path,
                    params={"api_key": self._key, **(query or {})},
                    json=body,
                    timeout=(self.patience.connect_s, self.patience.read_s),
                    allow_redirects=False,
                )
            except requests.RequestException as error:
                failure: Exception = explain(error, "the hosted service", self.patience.read_s)
            else:
                if unknown and response.status_code == 404:
                    return None
                if response.status_code not in _RETRIED:
                    return self._object(response)
                failure = EngineUnavailableError(
                    "The hosted service is overloaded or not ready "
                    f"({response.status_code}{said_by(response, self._key)}, after {self.patience.attempts} tries); "
                    "try again later, a job that was started goes on there."
                )
            self._pause(attempt, cancel, failure)
        raise AssertionError("the last attempt raises")

    def _object(self, response: requests.Response) -> dict[str, Any]:
        status, said = response.status_code, said_by(response, self._key)
        if status in (401, 403):
            raise EngineAuthError(
                f"The hosted service refuses the API key ({status}{said}); "
                "check that it is whole, still valid and of the right workspace."
            )
        if status in (402, 423):
            raise EngineUnavailableError(
                f"The hosted service won't work for this account ({status}{said}); check its credits."
            )
        if status == 413:
            raise InputError(
                f"The hosted service says that this is too large ({status}{said}); cut it shorter."
            )
        if 300 <= status < 400:
            raise EngineUnavailableError(
                f"The hosted service redirects elsewhere ({status}), which is not followed; check {URL_VARIABLE}."
            )
        if status >= 400:
            raise BadReplyError(
                f"The hosted service refuses the request ({status}{said}); check rate and video."
            )
        try:
            found = json.loads(response.content)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise BadReplyError(
                "The hosted service gave an answer that is no JSON object; something between may change answers."
            )
        return found

    def _signed(self, url: object, what: str) -> str:
        """Return a signed URL that may be used: https, or this machine where the service is on it."""
        try:
            parts = urlsplit(url) if isinstance(url, str) else None
            host = parts.hostname if parts else None
        except ValueError:
            parts, host = None, None
        here = isinstance(url, str) and is_loopback(url) and is_loopback(self.url)
        if (
            not parts
            or not host
            or parts.username
            or not (parts.scheme == "https" or (parts.scheme == "http" and here))
        ):
            raise BadReplyError(f"The hosted service gave no usable address for {what}; try again later.")
        return str(url)

    def _pause(
        self, attempt: int, cancel: threading.Event, failure: Exception, attempts: int | None = None
    ) -> None:
        """Wait before the next try; raise ``failure`` where there is none."""
        if attempt + 1 >= (attempts or self.patience.attempts):
            raise failure
        wait_s = self._rng.uniform(0, min(self.patience.cap_s, self.patience.base_s * 2**attempt))
        if cancel.wait(wait_s):
            raise Cancelled


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
