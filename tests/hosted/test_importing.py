"""Importing results: into the store with their video or without, all of it or nothing."""

from __future__ import annotations

import io
import json
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib.analysis.analysis import Analysis
from lib.core.errors import Cancelled, EngineUnavailableError, NotStoredError, ResultsError, UnknownModelError
from lib.core.samples import Samples
from lib.core.sampling import Sampling
from lib.engines.hosted import HostedEngine
from lib.engines.registry import make_engine
from lib.engines.server import ServerEngine
from lib.hosted.importing import ImportOutcome, import_results
from lib.infra.http import RetryPolicy
from lib.ingest.ingest import ingest
from lib.prompts.model import Prompt, PromptSet, Settings
from lib.services.stored_analysis import analyse_stored
from lib.store.store import Store
from lib.store.videos import Video
from tests.helpers.fake_hosted import results_of
from tests.helpers.fake_server import FakeServer
from tests.helpers.videos import BLUE, GREEN, RED, make_video, scenes

COLOURS = (RED, GREEN, BLUE)


@pytest.fixture
def video(store: Store, tmp_path: Path) -> Video:
    """Red, green, blue, 3 s each, 10 frames per second."""
    film = make_video(tmp_path / "film.mp4", colours=scenes(*((colour, 30) for colour in COLOURS)), rate=10)
    return store.add_file(film)


def write(tmp_path: Path, name: str = "results.json", **changes: Any) -> Path:
    """Write results of that video at 2 a second, as the service would give them, with changes."""
    document = results_of([(colour, 3.0) for colour in COLOURS], video_fps=10, infer_fps=2)
    path = tmp_path / name
    path.write_text(json.dumps(document | changes))
    return path


def analyse_red_green_blue(store: Store, outcome: ImportOutcome) -> Analysis:
    prompts = tuple(Prompt(name) for name in ("red", "green", "blue"))
    with FakeServer() as server, closing(make_engine(f"hosted@{server.url}")) as engine:
        chosen = PromptSet("colours", prompts, settings=Settings(decision="best"))
        return analyse_stored(store, outcome.video, engine, Sampling.per_second(2), chosen)


def load(store: Store, outcome: ImportOutcome) -> Samples:
    return store.load(outcome.info.key)


def test_with_its_video_each_sample_has_its_picture(store: Store, video: Video, tmp_path: Path) -> None:
    outcome = import_results(store, write(tmp_path), video=video)
    samples = load(store, outcome)

    assert outcome.new
    assert outcome.video == video
    assert outcome.info.key.engine_id == "hosted/ViT-B-16"
    assert outcome.info.key.sampling_key == "fps-2"
    assert samples.times_s.tolist() == [i / 2 for i in range(18)]
    assert samples.duration_s == video.duration_s
    pictures = store.thumbnails(outcome.info.key, samples.frames.tolist())
    assert len(pictures) == 18
    for frame, colour in ((0, RED), (25, RED), (30, GREEN), (85, BLUE)):
        seen = np.asarray(Image.open(io.BytesIO(pictures[frame]))).reshape(-1, 3).mean(axis=0)
        assert np.abs(seen - colour).max() < 20


def test_without_its_video_there_are_times_and_vectors_only(store: Store, tmp_path: Path) -> None:
    outcome = import_results(store, write(tmp_path))

    assert (outcome.video.name, outcome.video.has_file) == ("results.json", False)
    assert outcome.video.duration_s == outcome.info.duration_s == 9.0
    assert len(load(store, outcome)) == 18
    assert store.thumbnails(outcome.info.key, [0, 5]) == {}


def test_twice_is_once(store: Store, tmp_path: Path) -> None:
    first = import_results(store, write(tmp_path))
    again = import_results(store, write(tmp_path, "copy.json"))

    assert (first.new, again.new) == (True, False)
    assert again.info == first.info
    assert len(store.videos()) == 1


def test_words_find_it_through_an_engine_of_the_same_model(store: Store, tmp_path: Path) -> None:
    outcome = import_results(store, write(tmp_path))
    analysis = analyse_red_green_blue(store, outcome)

    assert [(s.label, s.start_s, s.end_s) for s in analysis.segments] == [
        ("red", 0.0, 3.0),
        ("green", 3.0, 6.0),
        ("blue", 6.0, 9.0),
    ]


def test_failed_frames_are_gaps_that_segments_end_at(store: Store, video: Video, tmp_path: Path) -> None:
    clip: list[Any] = results_of([(RED, 9.0)], video_fps=10, infer_fps=2)["clip"]
    clip[4:6] = [None, None]
    clip[17] = None
    outcome = import_results(store, write(tmp_path, clip=clip), video=video)
    samples = load(store, outcome)

    assert outcome.info.missing == 3
    assert outcome.note == "3 samples failed at the hosted service, of 18: gaps, in which nothing is found."
    assert samples.gaps_s.tolist() == [[2.0, 3.0], [8.5, 9.0]]
    analysis = analyse_red_green_blue(store, outcome)
    assert [(s.start_s, s.end_s) for s in analysis.segments] == [(0.0, 2.0), (3.0, 8.5)]
    assert analysis.metrics[0].duration_s == 7.5


@pytest.mark.parametrize(("model", "key"), [("ViT-B/32", "hosted/ViT-B-32"), ("rn101", "hosted/RN101")])
def test_the_model_can_be_named(store: Store, tmp_path: Path, model: str, key: str) -> None:
    assert import_results(store, write(tmp_path), version=model).info.key.engine_id == key


@pytest.mark.parametrize(
    ("dim", "model", "message"),
    [
        (768, None, r"768 numbers and does not say which model made them; choose the model \(ViT-L-14, "),
        (100, None, "100 numbers, as no CLIP version gives them"),
        (512, "ViT-L-14", r"512 numbers, but ViT-L-14 gives 768; choose ViT-B-16, ViT-B-32, RN101"),
        (512, "ViT-X-9", "no CLIP version; choose one of"),
    ],
)
def test_a_model_that_is_not_known_or_does_not_fit_is_asked_for(
    store: Store, tmp_path: Path, dim: int, model: str | None, message: str
) -> None:
    path = write(tmp_path, clip=[[1.0] * dim] * 18)
    with pytest.raises(UnknownModelError, match=message):
        import_results(store, path, version=model)
    assert store.videos() == store.embeddings() == []


def test_results_of_a_longer_video_are_refused(store: Store, video: Video, tmp_path: Path) -> None:
    times = [float(i) for i in range(18)]
    with pytest.raises(ResultsError, match=r"goes on to 17\.0 s, but film\.mp4 ends at 9\.0 s; choose the video"):
        import_results(store, write(tmp_path, time_offset=times), video=video)
    assert store.embeddings() == []


def test_a_video_that_is_gone_leaves_nothing(store: Store, video: Video, tmp_path: Path) -> None:
    video.path.unlink()
    with pytest.raises(NotStoredError, match="was moved or changed"):
        import_results(store, write(tmp_path), video=video)
    assert store.embeddings() == []


def test_cancelling_leaves_nothing(store: Store, video: Video, tmp_path: Path) -> None:
    cancel = threading.Event()

    def stop_soon(progress: Any) -> None:
        if not progress.words:  # it is read, and being stored
            cancel.set()

    with pytest.raises(Cancelled):
        import_results(store, write(tmp_path), video=video, on_progress=stop_soon, cancel=cancel)
    assert store.embeddings() == []
    assert list((store.home / "lance").glob("*-*")) == []
    assert import_results(store, write(tmp_path), video=video).new


def test_nothing_is_ever_embedded_as_if_the_service_had(store: Store, video: Video) -> None:
    with FakeServer() as server:
        engine = make_engine(f"hosted@{server.url}")
        with pytest.raises(NotStoredError, match="come by import only"):
            ingest(store, video, engine, Sampling.per_second(2))
        engine.close()
        assert server.seen == []


def test_words_of_another_length_are_refused() -> None:
    with pytest.raises(UnknownModelError, match=r"gives vectors of 768 numbers, but those of CLIP ViT-B/16 \(hosted\)"):
        HostedEngine("ViT-B-16", make_engine("http://127.0.0.1:9", model_version="ViT-L-14"))


def test_an_unreachable_text_engine_is_named() -> None:
    engine = HostedEngine("ViT-B-16", ServerEngine("http://127.0.0.1:9", retries=RetryPolicy(attempts=1)))
    with pytest.raises(
        EngineUnavailableError,
        match=r"^Words for CLIP ViT-B/16 \(hosted\) are embedded by .*The inference server at .* can't be reached",
    ):
        engine.embed_texts(["a dog"])
