"""A prompt set over a library: the numbers of Explore, and nothing computed twice."""

from __future__ import annotations

import os
import threading
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from lib.core.errors import Cancelled
from lib.core.sampling import Sampling
from lib.prompts.model import Prompt, PromptSet, Settings, Smoothing
from lib.services import archive
from lib.services.archive import classify, embeddings_to_classify, known_classification, videos_of
from lib.services.categories import SavedCategories
from lib.services.stored_analysis import analyse_stored
from lib.store.embeddings import EmbeddingInfo, EmbeddingKey
from lib.store.gaps import Gap
from lib.store.staging import Batch
from lib.store.store import Store
from tests.helpers.storing import unit_rows
from tests.helpers.toy_engine import ToyEngine

DIM = 16
PROMPTS = (Prompt("sea"), Prompt("football"), Prompt("wine", role="restricted"), Prompt("rest", role="background"))
SETTINGS = {
    "relative": Settings(
        score="relative", decision="threshold", threshold=0.5, smoothing=Smoothing("moving_average", 3)
    ),
    "best": Settings(score="cosine", decision="best", min_duration_s=0.9),
    "cuts": Settings(
        score="relative",
        decision="threshold",
        threshold=0.5,
        stop_at_cuts=True,
        smoothing=Smoothing("moving_average", 7),
    ),
    "viterbi": Settings(score="relative", decision="threshold", smoothing=Smoothing("viterbi", stay_s=2.0)),
    "probability": Settings(score="probability", decision="threshold", threshold=0.3, hysteresis=0.05),
    "margin": Settings(score="margin", decision="threshold", threshold=0.0),
}


def add(
    store: Store, number: int, n: int = 40, gaps: tuple[Gap, ...] = (), end_s: float | None = None
) -> EmbeddingInfo:
    """Store a video without its file, of one sample a second."""
    frames = np.arange(n) * 10
    times_s = np.arange(n, dtype=float) + (gaps[0].end_s if gaps and gaps[0].start_s == 0 else 0.0)
    for gap in gaps:
        times_s[times_s >= gap.start_s] += 0 if gap.start_s == 0 else gap.end_s - gap.start_s
    rng = np.random.default_rng(number)
    scenes = unit_rows(rng, 5, DIM)[np.minimum(np.arange(n) // 9, 4)]  # with cuts between them
    rows = scenes + 0.1 * unit_rows(rng, n, DIM)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return store.put(
        EmbeddingKey(f"{number:064x}", "toy:1", "stride-10", "1"),
        [Batch(frames, times_s, rows, [None] * n)],
        engine_name="Toy engine",
        dim=DIM,
        end_s=float(times_s[-1] + 1) if end_s is None else end_s,
        gaps=gaps,
        without_file=(f"film {number}.mp4", 0),
    )


@pytest.fixture
def engine() -> ToyEngine:
    return ToyEngine(dim=DIM)


@pytest.mark.parametrize("name", SETTINGS)
def test_the_numbers_are_those_of_explore(store: Store, engine: ToyEngine, name: str) -> None:
    add(store, 1)
    add(store, 2, gaps=(Gap(0.0, 3.0, 3), Gap(10.0, 14.0, 4)))
    add(store, 3, n=1)
    add(store, 4, end_s=50.0, gaps=(Gap(40.0, 50.0, 10),))
    chosen = PromptSet("adverts", PROMPTS, settings=SETTINGS[name])
    found = classify(store, engine, chosen, embeddings_to_classify(store, engine.id))
    assert len(found.videos) == found.computed == 4
    for video in store.videos():
        analysis = analyse_stored(store, video, engine, Sampling.every(10), chosen)
        for one, metrics in zip(found.categories[video.sha256].labels, analysis.metrics, strict=True):
            numbers = {key: value for key, value in one.to_dict().items() if key != "times_s"}
            wanted = {key: value for key, value in metrics.to_dict().items() if key in numbers}
            assert numbers == pytest.approx(wanted, abs=1e-5)
        times_s = [(s.start_s, s.end_s) for s in analysis.segments if s.label == "wine"]
        assert [*found.categories[video.sha256].labels[2].times_s] == times_s
        if best := found.categories[video.sha256].by_share:
            shown = np.argmax(analysis.scores[:, analysis.labels.index(best.label)])
            assert found.videos[video.sha256].poster_frame == analysis.samples.frames[shown]


def test_only_what_changed_is_computed_and_what_is_kept_says_the_same(store: Store, engine: ToyEngine) -> None:
    for number in range(3):
        add(store, number)
    chosen = PromptSet("adverts", PROMPTS, settings=SETTINGS["relative"])
    infos = embeddings_to_classify(store, engine.id)
    first = classify(store, engine, chosen, infos)
    again = classify(store, engine, replace(chosen, name="another name"), infos)
    assert (first.computed, again.computed) == (3, 0)
    assert again.videos == first.videos == known_classification(store, engine.id, chosen, infos).videos

    add(store, 3)
    store.delete_video(f"{0:064x}")
    store.delete_embedding(infos[1].key)
    add(store, 1, n=20)
    infos = embeddings_to_classify(store, engine.id)
    assert len(known_classification(store, engine.id, chosen, infos).videos) == 1
    third = classify(store, engine, chosen, infos)
    assert (third.computed, sorted(third.videos)) == (2, [f"{n:064x}" for n in (1, 2, 3)])

    (file,) = store.paths.archive.iterdir()
    assert set(pq.read_table(file)["video"].to_pylist()) == set(third.videos)  # nothing of what was deleted

    other = replace(chosen, prompts=(replace(PROMPTS[0], texts=("the seaside",)), *PROMPTS[1:]))
    assert classify(store, engine, other, infos).computed == 3
    assert classify(store, engine, replace(chosen, settings=SETTINGS["best"]), infos).computed == 3
    assert classify(store, engine, chosen, infos).computed == 0


def test_what_is_known_needs_no_engine(store: Store, engine: ToyEngine) -> None:
    add(store, 1)
    chosen = PromptSet("adverts", PROMPTS, settings=SETTINGS["best"])
    infos = embeddings_to_classify(store, engine.id)
    classify(store, engine, chosen, infos)
    asked = list(engine.texts)
    assert classify(store, engine, chosen, infos).computed == 0
    assert engine.texts == asked


def test_cancelled_keeps_what_is_done(store: Store, engine: ToyEngine) -> None:
    for number in range(5):
        add(store, number)
    chosen = PromptSet("adverts", PROMPTS, settings=SETTINGS["best"])
    infos, cancel = embeddings_to_classify(store, engine.id), threading.Event()

    def stop(done: int, total: int) -> None:
        assert total == 5
        if done == 2:
            cancel.set()

    with pytest.raises(Cancelled):
        classify(store, engine, chosen, infos, on_progress=stop, cancel=cancel)
    assert classify(store, engine, chosen, infos).computed == 3


def test_a_video_that_is_deleted_meanwhile_is_left_out(store: Store, engine: ToyEngine) -> None:
    for number in range(3):
        add(store, number)
    infos = embeddings_to_classify(store, engine.id)
    chosen = PromptSet("adverts", PROMPTS, settings=SETTINGS["best"])

    def delete(done: int, total: int) -> None:
        if done == 0:
            store.delete_video(infos[1].key.sha256)

    found = classify(store, engine, chosen, infos, on_progress=delete)
    assert [*found.videos] == [infos[0].key.sha256, infos[2].key.sha256]


@pytest.mark.parametrize("damage", [b"", b"PAR1 no more", None])
def test_damaged_results_are_computed_again(store: Store, engine: ToyEngine, damage: bytes | None) -> None:
    add(store, 1)
    chosen = PromptSet("adverts", PROMPTS, settings=SETTINGS["best"])
    infos = embeddings_to_classify(store, engine.id)
    first = classify(store, engine, chosen, infos)
    (file,) = store.paths.archive.iterdir()
    file.write_bytes(file.read_bytes()[:200] if damage is None else damage)
    again = classify(store, engine, chosen, infos)
    assert again.computed == 1
    assert again.videos == first.videos


def test_results_that_another_process_wrote_are_read_anew(store: Store, engine: ToyEngine) -> None:
    add(store, 1)
    chosen = PromptSet("adverts", PROMPTS, settings=SETTINGS["best"])
    infos = embeddings_to_classify(store, engine.id)
    classify(store, engine, chosen, infos)
    assert len(known_classification(store, engine.id, chosen, infos).videos) == 1
    (file,) = store.paths.archive.iterdir()
    file.write_bytes(bytes(file.stat().st_size))  # of the same size
    os.utime(file, ns=(1, 1))
    assert not known_classification(store, engine.id, chosen, infos).videos


def test_videos_that_are_not_classified_yet_are_counted(store: Store, engine: ToyEngine) -> None:
    chosen = PromptSet("adverts", PROMPTS, settings=SETTINGS["best"])
    for number in range(3):
        add(store, number)
    infos = embeddings_to_classify(store, engine.id)
    classify(store, engine, chosen, infos[:1])
    saved = SavedCategories("adverts", engine.id, chosen)
    assert videos_of(store, {saved: saved.labels}).unknown == 2


def test_results_of_few_prompt_sets_are_kept(store: Store, engine: ToyEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_KEPT", 2)
    add(store, 1)
    infos = embeddings_to_classify(store, engine.id)
    for number in range(4):
        chosen = PromptSet("one", (Prompt(f"label {number}"),), settings=SETTINGS["best"])
        for file in store.paths.archive.glob("*"):
            os.utime(file, (number, number))
        classify(store, engine, chosen, infos)
    assert len([*store.paths.archive.iterdir()]) == 2
    assert classify(store, engine, chosen, infos).computed == 0  # the newest is one of them


def test_a_growing_embedding_counts_with_what_is_there(store: Store, engine: ToyEngine) -> None:
    key = add(store, 1).key
    store.delete_embedding(key)
    rows = unit_rows(np.random.default_rng(1), 10, DIM)
    store.begin(key, engine_name="Toy engine", dim=DIM)
    chosen = PromptSet("adverts", PROMPTS, settings=SETTINGS["relative"])
    assert embeddings_to_classify(store, engine.id) == []
    for first in (0, 5):
        frames = np.arange(first, first + 5)
        part = rows[first : first + 5]
        store.append(key, frames=frames, times_s=frames * 1.0, vectors=part, thumbnails=[b""] * 5)
        found = classify(store, engine, chosen, embeddings_to_classify(store, engine.id))
        assert found.computed == 1
        assert len(found.videos) == 1
