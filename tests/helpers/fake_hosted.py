"""A stand-in for the hosted Video Inference API on 127.0.0.1, written from its documented protocol, with faults.

It takes uploads at signed URLs, runs "jobs" that need so many polls, and gives results whose vectors are those that the
stand-in inference server gives to the same pictures: toy vectors of colours, so that words find them.

::

    with FakeHosted(key="k") as service:
        api = HostedApi(service.url, key="k")
        ...
        assert service.uploads["film.mp4"] == 12_345
"""

from __future__ import annotations

import hashlib
import json
import secrets
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np

from lib.core.sampling import Sampling
from lib.hosted.api import Timing
from lib.infra.http import RetryPolicy
from lib.media.frames import FrameReader
from tests.helpers.fake_server import toy_vectors
from tests.helpers.loopback import LoopbackHandler, LoopbackServer

SIGNATURE = "X-Goog-Signature=5ecret51gnature"
QUICK = Timing(connect_s=5, read_s=5, retries=RetryPolicy(3, base_s=0.01, cap_s=0.02), poll_s=(0.02, 0.05))


def results_of(
    stretches: Sequence[tuple[tuple[int, int, int], float]], *, video_fps: int, infer_fps: int
) -> dict[str, Any]:
    """Return the results of a video that shows one colour after another, each for so many seconds."""
    duration_s = sum(seconds for _, seconds in stretches)
    count = round(duration_s * infer_fps)
    ends = np.cumsum([seconds for _, seconds in stretches])
    frames = [round(i * video_fps / infer_fps) for i in range(count)]
    colours = [stretches[int(np.searchsorted(ends, i / infer_fps, side="right"))][0] for i in range(count)]
    pictures = [np.full((1, 1, 3), colour, np.uint8) for colour in colours]
    return {
        "frame_offset": frames,
        "time_offset": [round(i / infer_fps, 4) for i in range(count)],
        "clip": toy_vectors(pictures).tolist(),
    }


@dataclass
class HostedFaults:
    """What goes wrong; all off by default. Change them while the service runs."""

    key: str | None = None
    """The only key that is accepted; anything else: ``refusal``."""
    refusal: int = 401
    first: int = 0
    """The first so many requests to the API (not to signed URLs) fail with ``status`` or in ``manner``."""
    status: int = 503
    manner: str = "status"
    """How they fail: ``status``, ``reset`` or ``hang``."""
    message: str = "Service unavailable"
    upload_status: tuple[int, ...] = ()
    """Statuses of the first uploads, such as 403 for an expired URL or 413; then they succeed."""
    upload_reset: int = 0
    """The first so many uploads break off in the middle."""
    download_status: tuple[int, ...] = ()
    """Statuses of the first downloads of results."""
    download_cut: bool = False
    """Downloads end in the middle."""
    start_status: int | None = None
    """Status of starting a job, with ``message``."""
    polls: int = 2
    """Polls that a job is running for."""
    silent_polls: int = 1
    """Of these, the first so many tell no status."""
    ends_with: int = 0
    """The status that a job ends with: 0 done, above 1 failed."""
    forgets: bool = False
    """No job is known (any more)."""
    results: bytes | None = None
    """Given in place of the results."""
    null: tuple[int, ...] = ()
    """Elements of the vectors that are null."""
    signed_url: object = None
    """Answered in place of a signed URL for the upload."""
    no_output: bool = False
    """A job that is done tells no URL of its results."""
    redirect: str | None = None
    """307 to this address for everything."""
    answer: bytes | None = None
    """Answered to every request to the API, as it is."""
    echo: bool = False
    """Error messages repeat the whole request, key and all."""


@dataclass(frozen=True)
class SeenRequest:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def path(self) -> str:
        return urlsplit(self.target).path


@dataclass
class FakeHosted:
    """The service, entered with ``with``."""

    faults: HostedFaults = field(default_factory=HostedFaults)
    seen: list[SeenRequest] = field(default_factory=list)
    """Requests in order, uploads and downloads included."""
    uploads: dict[str, int] = field(default_factory=dict)
    """Bytes of each finished upload by file name."""
    hashes: dict[str, str] = field(default_factory=dict)
    """SHA-256 of each."""
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What each job was started with, by its id."""
    polled: dict[str, int] = field(default_factory=dict)
    url: str = ""

    def __enter__(self) -> FakeHosted:
        self.lock = threading.Lock()
        self.failed = 0
        self._folder = tempfile.TemporaryDirectory(prefix="fake-hosted-")
        self.folder = Path(self._folder.name)
        self.signed: dict[str, str] = {}
        self._server = LoopbackServer(_Handler, self)
        self.url = self._server.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        with self._folder:
            self._server.stop()

    def paths(self, method: str = "") -> list[str]:
        """Return the paths that were asked for."""
        return [one.path for one in self.seen if not method or one.method == method]

    def results(self, job_id: str) -> bytes:
        """Return what a job found in its video, decoded for real."""
        if self.faults.results is not None:
            return self.faults.results
        job = self.jobs[job_id]
        name = self.signed[urlsplit(job["input_url"]).path.rpartition("/")[2]]
        with FrameReader(self.folder / name, Sampling.per_second(job["infer_fps"]), short_side=32) as reader:
            frames = list(reader)
        rows: list[Any] = toy_vectors([frame.image for frame in frames]).tolist()
        for index in self.faults.null:
            rows[index] = None
        document = {
            "frame_offset": [frame.index for frame in frames],
            "time_offset": [round(frame.time_s, 4) for frame in frames],
            "clip": rows,
        }
        return json.dumps(document).encode()


class _Handler(LoopbackHandler):
    owner: FakeHosted

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.loads(raw) if raw else {}
        if self._passes(body):
            path = urlsplit(self.path).path
            if path == "/video_upload_signed_url":
                self._sign(body)
            elif path == "/videoinfer/":
                self._start(body)
            else:
                self._say(404, "Not Found")

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path.startswith("/output/"):
            self._download(path)
        elif self._passes({}):
            if path == "/videoinfer/":
                self._poll()
            else:
                self._say(404, "Not Found")

    def do_PUT(self) -> None:
        owner, faults = self.owner, self.owner.faults
        self._note({})
        token = urlsplit(self.path).path.rpartition("/")[2]
        length = self.headers.get("Content-Length")
        name = owner.signed.get(token)
        if length is None or name is None or SIGNATURE not in self.path:
            self.close_connection = True
            self._say(411 if length is None else 403, "SignatureDoesNotMatch")
            return
        if faults.redirect:
            self.answer(307, b"", {"Location": faults.redirect + self.path})
            self.close_connection = True
            return
        if faults.upload_reset:
            faults.upload_reset -= 1
            self.rfile.read(1)
            self.reset()
            return
        digest, left = hashlib.sha256(), int(length)
        with (owner.folder / name).open("wb") as file:
            while left:
                block = self.rfile.read(min(left, 1 << 16))
                if not block:
                    return
                digest.update(block)
                file.write(block)
                left -= len(block)
        if faults.upload_status:
            status, *rest = faults.upload_status
            faults.upload_status = tuple(rest)
            self._say(status, "ExpiredToken" if status < 405 else "EntityTooLarge")
            return
        owner.uploads[name], owner.hashes[name] = int(length), digest.hexdigest()
        self.answer(200, b"", {"Content-Type": "text/plain"})

    def _passes(self, body: dict[str, Any]) -> bool:
        """Note the request; return False where it was answered with a fault."""
        owner, faults = self.owner, self.owner.faults
        self._note(body)
        with owner.lock:
            fails = owner.failed < faults.first
            owner.failed += fails
        sent = parse_qs(urlsplit(self.path).query).get("api_key", [None])[0]
        if faults.redirect:
            self.answer(307, b"", {"Location": faults.redirect + self.path})
        elif fails and faults.manner == "reset":
            self.reset()
        elif fails and faults.manner == "hang":
            self.hang()
        elif fails:
            self._say(faults.status, faults.message)
        elif faults.key is not None and sent != faults.key:
            self._say(faults.refusal, "This API key does not exist (or has been revoked).")
        elif faults.answer is not None:
            self.answer(200, faults.answer)
        else:
            return True
        return False

    def _note(self, body: dict[str, Any]) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.owner.lock:
            self.owner.seen.append(SeenRequest(self.command, self.path, headers, body))

    def _sign(self, body: dict[str, Any]) -> None:
        token = secrets.token_hex(8)
        self.owner.signed[token] = body["file_name"]
        given = self.owner.faults.signed_url
        url = f"{self.owner.url}/input/{token}?X-Goog-Expires=3600&{SIGNATURE}" if given is None else given
        self.answer(200, json.dumps({"signed_url": url}).encode())

    def _start(self, body: dict[str, Any]) -> None:
        faults = self.owner.faults
        models = [{"model_id": "clip", "model_version": "1", "inference_type": "clip-embed-image"}]
        token = urlsplit(body.get("input_url", "")).path.rpartition("/")[2]
        if faults.start_status is not None:
            self._say(faults.start_status, faults.message)
        elif body.get("models") != models or self.owner.signed.get(token) not in self.owner.uploads:
            self._say(400, "Bad request")
        elif body["infer_fps"] > 120:
            self._say(400, "infer_fps must be less than or equal to 120")
        else:
            job_id = f"job-{secrets.token_hex(6)}"
            self.owner.jobs[job_id] = body
            self.answer(200, json.dumps({"job_id": job_id, "message": "queued"}).encode())

    def _poll(self) -> None:
        owner, faults = self.owner, self.owner.faults
        job_id = parse_qs(urlsplit(self.path).query).get("job_id", [""])[0]
        if faults.forgets or job_id not in owner.jobs:
            self._say(404, "Job not found")
            return
        with owner.lock:
            count = owner.polled[job_id] = owner.polled.get(job_id, 0) + 1
        answer: dict[str, Any] = {"job_id": job_id}
        if count > faults.polls:
            answer["status"] = faults.ends_with
            if faults.ends_with:
                answer["status_info"] = faults.message
            elif not faults.no_output:
                answer["output_signed_url"] = f"{owner.url}/output/{job_id}?{SIGNATURE}"
        elif count > faults.silent_polls:
            answer["status"] = 1
        self.answer(200, json.dumps(answer).encode())

    def _download(self, path: str) -> None:
        owner, faults = self.owner, self.owner.faults
        self._note({})
        if faults.download_status:
            status, *rest = faults.download_status
            faults.download_status = tuple(rest)
            self._say(status, "ExpiredToken")
            return
        data = owner.results(path.rpartition("/")[2])
        if faults.download_cut:
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
            return
        self.answer(200, data)

    def _say(self, status: int, message: str) -> None:
        if self.owner.faults.echo:
            message += f" ({self.command} {self.path} {dict(self.headers)})"
        self.answer(status, json.dumps({"error": {"message": message}}).encode())
