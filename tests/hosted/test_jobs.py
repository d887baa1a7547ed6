"""Hosted jobs: upload, poll, import; what goes wrong is one sentence, and nothing is half imported."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib.core.errors import (
    BadReplyError,
    Cancelled,
    EngineAuthError,
    EngineUnavailableError,
    HostedJobError,
    InputError,
    NotStoredError,
    PromptreelError,
    ResultsError,
    StoreError,
    UnknownModelError,
)
from lib.core.sampling import Sampling
from lib.hosted import job_records
from lib.hosted.api import HostedApi
from lib.hosted.importing import ImportOutcome
from lib.hosted.jobs import check_job, embed_hosted
from lib.store.store import Store
from lib.store.videos import Video
from tests.helpers.fake_hosted import QUICK, FakeHosted, results_of
from tests.helpers.processes import run_hosted, running, wait_for_line
from tests.helpers.videos import BLUE, GREEN, RED, make_video, scenes

KEY = "rf_test_key"
FPS = Sampling.per_second(2)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Red, green, blue, 2 s each, 10 frames per second."""
    colours = scenes((RED, 20), (GREEN, 20), (BLUE, 20))
    return make_video(tmp_path_factory.mktemp("film") / "colours.mp4", colours=colours, rate=10)


@pytest.fixture
def service() -> Iterator[FakeHosted]:
    with FakeHosted() as service:
        service.faults.key = KEY
        yield service


@pytest.fixture
def embed(store: Store, video: Video, service: FakeHosted) -> Iterator[Callable[..., ImportOutcome]]:
    """Return what runs the job, with other arguments where they are given."""
    apis: list[HostedApi] = []

    def embed(*, key: str = KEY, sampling: Sampling = FPS, **options: Any) -> ImportOutcome:
        timing = replace(QUICK, **options.pop("timing", {}))
        apis.append(HostedApi(service.url, key=key, timing=timing))
        return embed_hosted(store, video, sampling, apis[-1], **options)

    yield embed
    for api in apis:
        api.close()


Embed = Callable[..., ImportOutcome]


def nothing_is_imported(store: Store) -> bool:
    return not store.embeddings() and not list((store.home / "lance").glob("*-*"))


class TestJob:
    def test_runs_from_upload_to_embedding(
        self, embed: Embed, store: Store, video: Video, service: FakeHosted, film: Path
    ) -> None:
        messages: list[str] = []
        outcome = embed(on_progress=lambda progress: messages.append(progress.words))

        assert outcome.new
        assert (outcome.info.key.engine_id, outcome.info.key.sampling_key) == ("hosted/ViT-B-16", "fps-2")
        assert (outcome.info.samples, outcome.info.complete, outcome.info.duration_s) == (12, True, 6.0)
        assert service.hashes == {"colours.mp4": hashlib.sha256(film.read_bytes()).hexdigest()}
        assert [job["infer_fps"] for job in service.jobs.values()] == [2]
        assert len(store.thumbnails(outcome.info.key, range(0, 60, 5))) == 12
        assert job_records.pending(store.home) == []
        assert list((store.home / "hosted").iterdir()) == []
        heads = list(dict.fromkeys(words.split(" ")[0] for words in messages))
        assert heads == ["uploading", "the", "fetching", "reading", ""]

    def test_sends_what_the_protocol_says(self, embed: Embed, service: FakeHosted) -> None:
        embed()

        requests = [f"{request.method} {request.path.rpartition('/')[0]}" for request in service.seen]
        assert requests[:3] == ["POST ", "PUT /input", "POST /videoinfer"]
        assert service.seen[0].body == {"file_name": "colours.mp4"}
        put = service.seen[1].headers
        assert put["content-type"] == "application/octet-stream"
        assert "transfer-encoding" not in put  # storage wants the length
        assert "authorization" not in put
        started = service.seen[2].body
        assert list(started) == ["input_url", "infer_fps", "models"]

    def test_is_not_run_twice(self, embed: Embed, service: FakeHosted) -> None:
        embed()
        before = len(service.seen)
        assert not embed().new
        assert len(service.seen) == before

    def test_counts_failed_frames(self, embed: Embed, service: FakeHosted) -> None:
        service.faults.null = (3, 4)
        outcome = embed()
        assert (outcome.info.samples, outcome.info.missing) == (10, 2)
        assert "2 samples failed at the hosted service, of 12" in outcome.note


class TestSurvives:
    @pytest.mark.parametrize("manner", ["status", "reset"])
    def test_two_failures_at_the_start(self, embed: Embed, service: FakeHosted, manner: str) -> None:
        service.faults.first, service.faults.manner = 2, manner
        assert embed().new

    @pytest.mark.parametrize("status", [400, 403, 503])
    def test_an_upload_url_that_expired(self, embed: Embed, service: FakeHosted, status: int) -> None:
        service.faults.upload_status = (status,)
        assert embed().new
        assert service.paths("POST").count("/video_upload_signed_url") == 2  # a fresh one

    def test_an_upload_that_breaks_off(self, embed: Embed, service: FakeHosted) -> None:
        service.faults.upload_reset = 1
        assert embed().new

    def test_a_results_url_that_expired(self, embed: Embed, service: FakeHosted) -> None:
        service.faults.download_status = (403,)
        assert embed().new


def _set(**changes: Any) -> Callable[[FakeHosted], None]:
    def apply(service: FakeHosted) -> None:
        for name, value in changes.items():
            setattr(service.faults, name, value)

    return apply


SHORT = json.dumps(results_of([(RED, 1.0)], video_fps=10, infer_fps=2) | {"clip": [[1.0] * 768] * 2}).encode()
BEFORE = {
    "wrong key": (_set(key="other"), EngineAuthError, r"refuses the API key \(401"),
    "forbidden key": (_set(key="other", refusal=403), EngineAuthError, "refuses the API key"),
    "no credits": (_set(first=9, status=402), EngineUnavailableError, "check its credits"),
    "overloaded": (
        _set(first=9, status=429),
        EngineUnavailableError,
        r"takes no more requests for now \(429 “Service unavailable”, after 2 attempts",
    ),
    "reset": (_set(first=9, manner="reset"), EngineUnavailableError, "check the network"),
    "hang": (_set(first=9, manner="hang"), EngineUnavailableError, "did not answer within 0.3 s"),
    "redirect": (_set(redirect="http://127.0.0.1:9"), EngineUnavailableError, "redirects elsewhere"),
    "too large": (_set(upload_status=(413,)), InputError, "colours.mp4 is too large for the hosted service"),
    "expired": (_set(upload_status=(403,) * 9), EngineUnavailableError, "refuses the upload .*may have expired"),
    "broken off": (_set(upload_reset=9), EngineUnavailableError, "storage breaks off the connection"),
    "no URL": (_set(signed_url=17), BadReplyError, "no usable address for an upload"),
    "plain URL": (_set(signed_url="http://example.com/x"), BadReplyError, "no usable address for an upload"),
    "file URL": (_set(signed_url="file:///etc/passwd"), BadReplyError, "no usable address for an upload"),
    "no JSON": (_set(answer=b"<html>"), BadReplyError, "no JSON object"),
    "a list": (_set(answer=b"[]"), BadReplyError, "no JSON object"),
    "empty object": (_set(answer=b"{}"), BadReplyError, "no usable address"),
    "job refused": (_set(start_status=400, message="bad fps"), BadReplyError, "refuses the request .400 “bad fps”"),
}
"""Faults before there is a job: nothing is kept."""
ENDED = {
    "failed": (_set(ends_with=2, message="no decoder"), HostedJobError, "job of colours.mp4 failed .“no decoder”"),
    "forgotten": (_set(forgets=True), HostedJobError, "does not know the job of colours.mp4"),
    "malformed": (_set(results=b'{"clip": ['), ResultsError, "is cut off or no valid JSON .*kept as"),
    "other lists": (_set(results=b'{"gaze": []}'), ResultsError, "needs the lists"),
    "other model": (_set(results=SHORT), UnknownModelError, "768 numbers, but ViT-B-16 gives 512"),
}
"""Faults after which the job is over: its record is gone."""
WAITS = {
    "no results URL": (_set(no_output=True), BadReplyError, "no usable address for the results"),
    "status is no number": (_set(ends_with="soon"), BadReplyError, "status that makes no sense"),
    "results expired": (_set(download_status=(403,) * 9), EngineUnavailableError, "results .403., its signed URL may"),
    "results cut off": (_set(download_cut=True), EngineUnavailableError, "storage breaks off the connection"),
}
"""Faults that may pass: the job is kept, and the next run goes on with it."""


class TestRefuses:
    def fails(self, embed: Embed, service: FakeHosted, fault: tuple[Any, ...]) -> str:
        change, kind, message = fault
        change(service)
        read_s = 0.3 if service.faults.manner == "hang" else 5
        with pytest.raises(kind, match=message) as caught:
            embed(timing={"read_s": read_s, "retries": replace(QUICK.retries, attempts=2)})
        assert isinstance(caught.value, PromptreelError)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    @pytest.mark.parametrize("name", BEFORE)
    def test_before_there_is_a_job(self, embed: Embed, store: Store, service: FakeHosted, name: str) -> None:
        self.fails(embed, service, BEFORE[name])
        assert nothing_is_imported(store)
        assert job_records.pending(store.home) == []

    @pytest.mark.parametrize("name", ENDED)
    def test_a_job_that_is_over(self, embed: Embed, store: Store, service: FakeHosted, name: str) -> None:
        self.fails(embed, service, ENDED[name])
        assert nothing_is_imported(store)
        assert job_records.pending(store.home) == []
        files = list((store.home / "hosted").iterdir())
        assert bool(files) == (service.faults.results is not None)  # what it computed is not thrown away

    @pytest.mark.parametrize("name", WAITS)
    def test_a_fault_that_may_pass_keeps_the_job(
        self, embed: Embed, store: Store, service: FakeHosted, name: str
    ) -> None:
        self.fails(embed, service, WAITS[name])
        assert nothing_is_imported(store)
        (record,) = job_records.pending(store.home)
        service.faults = type(service.faults)(key=KEY)
        assert embed().new
        assert list(service.jobs) == [record.job_id]  # no second job, no second upload
        assert service.paths("PUT") == [service.paths("PUT")[0]]

    @pytest.mark.parametrize(
        ("sampling", "message"),
        [
            (Sampling.every(10), "samples by rate, not by frame count"),
            (Sampling.per_second(121), "at most 120 samples per second, not 121"),
            (Sampling.per_second(11), "has 10 frames per second, .* nothing for 11 samples"),
        ],
    )
    def test_rates_before_anything_is_sent(
        self, embed: Embed, service: FakeHosted, sampling: Sampling, message: str
    ) -> None:
        with pytest.raises(InputError, match=message):
            embed(sampling=sampling)
        assert service.seen == []

    def test_containers_that_it_does_not_take(self, video: Video) -> None:
        with pytest.raises(InputError, match=r"takes \.mp4, .* but colours\.mp4 is none of these"):
            check_job(replace(video, path=Path("colours.mov")), FPS)

    def test_a_video_without_a_file(self, video: Video) -> None:
        with pytest.raises(NotStoredError, match="nothing to upload"):
            check_job(replace(video, container="none"), FPS)

    def test_no_key_and_plain_http(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(EngineAuthError, match="set ROBOFLOW_API_KEY"):
            HostedApi(key=" ")
        monkeypatch.setenv("PROMPTREEL_HOSTED_URL", "http://example.com")
        with pytest.raises(InputError, match="must travel by https"):
            HostedApi(key=KEY)

    def test_a_job_that_never_ends(self, embed: Embed, store: Store, service: FakeHosted) -> None:
        service.faults.polls = 10**6
        with pytest.raises(EngineUnavailableError, match="still runs after"):
            embed(timing={"job_s": 0.2})
        assert len(job_records.pending(store.home)) == 1


class TestGoesOn:
    def test_with_the_same_job_after_it_was_cancelled(self, embed: Embed, store: Store, service: FakeHosted) -> None:
        service.faults.polls = 10**6
        cancel = threading.Event()

        def stop(progress: Any) -> None:
            if progress.words.startswith("the hosted"):
                cancel.set()

        with pytest.raises(Cancelled, match="the hosted job goes on"):
            embed(on_progress=stop, cancel=cancel)
        assert nothing_is_imported(store)
        service.faults.polls = 0
        assert embed().new
        assert len(service.jobs) == len(service.paths("PUT")) == 1

    def test_and_an_upload_that_was_cancelled_leaves_nothing(
        self, embed: Embed, store: Store, service: FakeHosted
    ) -> None:
        cancel = threading.Event()
        with pytest.raises(Cancelled, match="before the hosted job began"):
            embed(on_progress=lambda progress: cancel.set(), cancel=cancel)
        assert (service.jobs, service.uploads, job_records.pending(store.home)) == ({}, {}, [])

    @pytest.mark.parametrize("moment", ["the hosted service", "fetching", "storing"])
    def test_after_kill_9(self, store: Store, film: Path, service: FakeHosted, embed: Embed, moment: str) -> None:
        service.faults.polls = 10**6 if moment.startswith("the") else 0
        with running(run_hosted, store.home, film, 2, service.url, KEY) as process:
            wait_for_line(process, lambda line: line.startswith(moment))
        service.faults.polls = 0
        outcome = embed()

        assert (outcome.info.samples, outcome.info.complete) == (12, True)
        assert len(store.embeddings()) == 1
        assert len(service.jobs) == len(service.paths("PUT")) == 1

    def test_a_damaged_record_is_no_record(self, embed: Embed, store: Store, video: Video) -> None:
        path = job_records.folder(store.home) / f"{job_records.hosted_key(video.sha256, FPS).id}.job.json"
        for text in ("", "[]", "{}", '{"format": 1, "job_id": "x"}'):
            path.write_text(text)
            assert job_records.pending(store.home) == []
        assert embed().new


def test_a_record_that_cannot_be_written_names_the_job(
    embed: Embed, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(StoreError, match=r"The hosted job job-\w+ was started but can't be noted"):
        embed()


def test_a_large_video_is_never_in_memory(store: Store, service: FakeHosted, tmp_path: Path, video: Video) -> None:
    large = tmp_path / "large.mp4"
    with large.open("wb") as file:
        file.truncate(64 << 20)
    api = HostedApi(service.url, key=KEY, timing=QUICK)
    largest, done = 0, 0

    def on_progress(now: int, total: int) -> None:
        nonlocal largest, done
        largest, done = max(largest, now - done), now

    api.upload(large, "large.mp4", on_progress=on_progress, cancel=threading.Event())
    api.close()
    assert service.uploads["large.mp4"] == done == 64 << 20
    assert largest <= 1 << 18
