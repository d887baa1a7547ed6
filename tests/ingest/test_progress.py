"""Progress: samples, total, rate and time left."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import lib.ingest.progress
from lib.core.sampling import Sampling
from lib.ingest.ingest import ingest
from lib.ingest.progress import Meter, Progress, estimate_samples, expected_samples
from lib.ingest.speed import remember_speed, speed_of
from lib.media.counting import count_samples
from lib.media.frames import FrameReader
from lib.store.store import Store
from lib.store.videos import Video
from tests.helpers.ingesting import EVERY, Canceller
from tests.helpers.toy_engine import ToyEngine
from tests.helpers.videos import make_video, palette

pytestmark = pytest.mark.usefixtures("no_thread_stays")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 frames at 24 a second, each of its own colour."""
    return make_video(tmp_path_factory.mktemp("film") / "film.mp4", colours=palette(400), gop=50)


def test_progress_counts_up_to_an_exact_end(store: Store, video: Video) -> None:
    seen: list[tuple[float, Progress]] = []
    ingest(
        store,
        video,
        ToyEngine(delay_s=0.05),
        EVERY(2),
        on_progress=lambda progress: seen.append((time.monotonic(), progress)),
    )
    done = [progress.done for _, progress in seen]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, 200)
    assert all(progress.total == 200 for _, progress in seen)
    assert seen[-1][1].eta_s == 0
    middle = seen[len(seen) // 2][1]
    assert middle.rate > 20
    assert middle.eta_s == pytest.approx((200 - middle.done) / middle.rate)
    elapsed = seen[-1][0] - seen[0][0]
    assert 3 < len(seen) <= elapsed * 10 + 3


def test_progress_goes_on_from_what_is_there(store: Store, video: Video) -> None:
    stop = Canceller(at=80)
    info = ingest(store, video, ToyEngine(delay_s=0.02), EVERY(2), on_progress=stop, cancel=stop.event)
    seen: list[Progress] = []
    ingest(store, video, ToyEngine(delay_s=0.05), EVERY(2), on_progress=seen.append)
    assert seen[0].done == info.samples
    assert seen[0].rate == 0
    assert max(progress.rate for progress in seen) < 2000  # what was there before counts for no speed


def test_the_time_left_is_steady_between_batches_and_grows_when_one_is_overdue(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    seen: list[Progress] = []
    meter = Meter(80, seen.append)
    for at in range(0, 61):  # a batch of 8 every two seconds for twelve seconds, then nothing more
        now[0] = 100 + at / 2
        meter.update(8 * min(at // 4, 6))
    etas = [progress.eta_s for progress in seen]
    assert etas[:4] == [None] * 4
    assert etas[4:25] == [(80 - progress.done) / 4 for progress in seen[4:25]]
    assert etas[28:33] == [8.0] * 5  # a step late is not overdue yet
    assert etas[34:] == sorted(etas[34:])
    assert etas[-1] > 16


@pytest.mark.parametrize("claimed", [5, 100_000, None])
def test_a_wrong_length_in_the_header_is_corrected_on_the_way(
    store: Store, video: Video, claimed: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lib.ingest.progress, "_counted", lambda *_: None)
    fields = {**vars(video), "frame_count": claimed, "rate": None}
    seen: list[Progress] = []
    ingest(store, Video(**fields), ToyEngine(delay_s=0.02), EVERY(2), on_progress=seen.append)
    assert all(progress.total is None or progress.done <= progress.total for progress in seen)
    assert (seen[0].total is None) == (claimed is None)
    assert seen[-1] == Progress(200, 200, seen[-1].rate, 0.0)


@pytest.mark.parametrize(
    ("frames", "duration_s", "rate", "sampling", "samples"),
    [
        (400, 10.0, 40, EVERY(10), 40),
        (401, 10.0, 40, EVERY(10), 41),
        (None, 10.0, 24, EVERY(10), 24),
        (None, 10.0, Fraction(30000, 1001), EVERY(1), 300),
        (None, 10.0, None, EVERY(10), None),
        (400, None, None, EVERY(10), 40),
        (240, 10.0, 24, Sampling.per_second(3), 30),
        (240, 10.0, 24, Sampling.per_second(60), 240),
        (240, None, 24, Sampling.per_second(3), None),
        (1, 0.01, 24, Sampling.per_second("0.1"), 1),
    ],
)
def test_the_number_of_samples_is_estimated_from_the_header(
    video: Video, frames: int | None, duration_s: float | None, rate: Any, sampling: Sampling, samples: int | None
) -> None:
    fields = {"frame_count": frames, "end_s": duration_s, "rate": None if rate is None else Fraction(rate)}
    assert estimate_samples(Video(**{**vars(video), **fields}), sampling) == samples


STEPS = [Fraction(3000, 90_000), Fraction(1), Fraction(1, 20), Fraction(1, 2)]
FILES: dict[str, dict[str, Any]] = {
    "variable.mp4": {"times": [sum(STEPS[: i % 4], i // 4 * sum(STEPS)) for i in range(48)]},
    "variable.mkv": {"times": [sum(STEPS[: i % 4], i // 4 * sum(STEPS)) for i in range(48)]},
    "a slot short of even.mp4": {"rate": 10},
    "late.mkv": {"rate": 10, "start": Fraction(7, 10)},
    "reordered.mp4": {"rate": Fraction(30000, 1001), "b_frames": 2},
}


@pytest.mark.parametrize("name", FILES)
def test_what_is_expected_is_what_comes(store: Store, tmp_path: Path, name: str) -> None:
    count = 48 if name.startswith("variable") else 27
    video = store.add_file(make_video(tmp_path / name, colours=palette(count), **FILES[name]))
    for sampling in (EVERY(1), EVERY(10), Sampling.per_second(3), Sampling.per_second(60)):
        with FrameReader(video.path, sampling, short_side=16) as reader:
            assert expected_samples(video, sampling) == sum(1 for _ in reader)


def test_where_packets_do_not_tell_the_header_does(store: Store, tmp_path: Path) -> None:
    video = store.add_file(make_video(tmp_path / "a.ts", colours=palette(27), rate=10))
    assert count_samples(video.path, EVERY(1)) is None
    assert count_samples(tmp_path / "none.mp4", EVERY(1)) is None
    assert expected_samples(video, EVERY(1)) == estimate_samples(video, EVERY(1)) == 27


def test_the_speed_of_the_last_run_is_kept_for_the_estimate(tmp_path: Path) -> None:
    assert speed_of(tmp_path, "a") is None
    remember_speed(tmp_path, "a", 100, 4.0)
    remember_speed(tmp_path, "a", 2, 9.0)  # too few to tell
    remember_speed(tmp_path, "b", 30, 2.0)
    assert (speed_of(tmp_path, "a"), speed_of(tmp_path, "b")) == (25.0, 15.0)
    for number in range(120):
        remember_speed(tmp_path, f"engine {number}", 100, 1.0)
    assert speed_of(tmp_path, "a") is None  # bounded
    (tmp_path / "speeds.json").write_text("{")
    assert speed_of(tmp_path, "engine 119") is None
    remember_speed(tmp_path, "a", 100, 4.0)
    assert speed_of(tmp_path, "a") == 25.0
